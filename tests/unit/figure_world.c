#include "figure_world.h"

#define L(zh_, en_) .label = {zh_, en_}

static const struct code type_list[] = {{"gate", {"小区门", "gate"}}, {"road", {"路口", "road"}}, {"port", {"码头", "port"}}, {NULL}};
static const struct code place_list[] = {{"quarter", {"小区", "quarter"}}, {"village", {"村", "village"}}, {NULL}};
static const struct code tag_list[] = {{"day", {"白天", "day"}}, {"night", {"夜间", "night"}}, {"rain", {"雨棚", "rain"}}, {NULL}};
static const struct code what_list[] = {{"person", {"人", "person"}}, {"vehicle", {"车", "vehicle"}}, {NULL}};
static const struct code_list types = {"type", type_list}, places = {"place", place_list}, tags = {"tag", tag_list}, whats = {"what", what_list};

static const struct field area_fields[] = {
    {"name", F_TEXT, L("名称", "name"), .flags = REQUIRED},
    {"code", F_TEXT, L("编号", "code"), .flags = KEY | UNIQUE},
    {"level", F_TEXT, L("级别", "level")},
    {"parent", F_REF, L("上级", "parent"), .ref = "area"},
};
const struct kind world_area = {.name = "area", L("区域", "area"), FIELDS(area_fields), .flags = KIND_TREE};

static const struct field post_fields[] = {
    [NAME] = {"name", F_NAME, L("联系人", "contact"), .flags = PERSONAL},
    [TYPE] = {"type", F_CODE, L("类型", "type"), .codes = &types, .flags = INDEXED},
    [PLACE] = {"place", F_CODE, L("地点", "place"), .codes = &places},
    [SINCE] = {"since", F_DATE, L("起", "since"), .flags = INDEXED},
    [UNTIL] = {"until", F_DATE, L("止", "until")},
    [SEATS] = {"seats", F_INT, L("人数", "seats")},
    [OPEN] = {"open", F_BOOL, L("开放", "open")},
    [TAGS] = {"tags", F_CODES, L("标签", "tags"), .codes = &tags},
    [NOTE] = {"note", F_TEXT, L("备注", "note")},
};
const struct kind world_post = {.name = "post", L("卡点", "post"), FIELDS(post_fields)};

static const struct field scan_fields[] = {
    [SEEN_AT] = {"seen_at", F_TIME, L("时间", "time"), .flags = INDEXED},
    [WHAT] = {"what", F_CODE, L("对象", "what"), .codes = &whats},
    [POST] = {"post", F_REF, L("卡点", "post"), .ref = "post", .flags = REQUIRED | INDEXED},
    [PERSONS] = {"persons", F_INT, L("人数", "persons")},
    [TEMPERATURE] = {"temperature", F_REAL, L("体温", "temperature")},
    [ORIGIN] = {"origin", F_TEXT, L("来自", "origin")},
};
const struct kind world_scan = {.name = "scan", L("扫码", "scan"), FIELDS(scan_fields), .flags = KIND_LOG, .seen = "seen_at"};

/* The core's own statements name this table. */
static const struct field role_fields[] = {
    {"account", F_TEXT, L("账号", "account")},
    {"role", F_TEXT, L("角色", "role")},
};
static const struct kind world_role = {.name = "user_role", L("角色", "role"), FIELDS(role_fields)};

static struct stmt stmts[] = {
    /* Places do not add up over types, so the whole is a row of its own. */
    STMT(places, "SELECT '', count(DISTINCT place) FROM post WHERE site = $1 AND path >= $2 AND path < $3 AND removed = 0 "
                 "AND since >= $4 AND since <= $5 AND place IS NOT NULL UNION ALL "
                 "SELECT 'type=' || type, count(DISTINCT place) FROM post WHERE site = $1 AND path >= $2 AND path < $3 AND removed = 0 "
                 "AND since >= $4 AND since <= $5 AND place IS NOT NULL AND type IS NOT NULL GROUP BY type ORDER BY 1"),
    STMT(places_rows, "SELECT id FROM post WHERE site = $1 AND path >= $2 AND path < $3 AND removed = 0 AND since >= $4 AND since <= $5 "
                      "AND place IS NOT NULL AND id > $6 ORDER BY id LIMIT $7"),
};

#define POSTS .kind = &world_post, .how = STOCK, .on = "since", .until = "until"
#define SCANS .kind = &world_scan, .how = FLOW, .on = "seen_at"
static const struct figure figures[] = {
    {"posts", L("卡点", "posts"), POSTS, .cuts = "type,place=at"},
    {"gates", L("小区门", "gates"), POSTS, .when = "type=gate", .cuts = "place=at"},
    {"open", L("开放", "open"), POSTS, .when = "open=1 & type=gate|road", .cuts = "type,open"},
    {"seats", L("席位", "seats"), POSTS, .sum = "seats", .cuts = "type, place = at"},
    {"tagged", L("有标签", "tagged"), POSTS, .when = "tags=day|night & note! & place!=village"},
    {"begun", L("新设", "begun"), .kind = &world_post, .how = FLOW, .on = "since", .when = "place?"},
    {"persons", L("人次", "persons"), SCANS, .sum = "persons", .cuts = "what,origin"},
    {"febrile", L("发热", "febrile"), SCANS, .when = "temperature>=37.3 & temperature<43", .cuts = "what"},
    {"scans_by_post", L("各卡点", "by post"), SCANS, .cuts = "post", .own_area_only = true, .hidden = true},
    {"gates_percent", L("门占比", "gates of posts"), .how = RATIO, .part = "gates", .whole = "posts"},
    {"begun_percent", L("新设占比", "begun a day"), .how = RATIO, .part = "begun", .whole = "posts", .per_day = true},
    {"places", L("地点", "places"), .how = QUERY, .kind = &world_post, .query = &stmts[0], .rows = &stmts[1], .cuts = "type"},
    {"places_percent", L("地点占比", "places"), .how = RATIO, .part = "posts", .whole = "places", .per_day = true},
};

static const struct kind *const kinds[] = {&world_area, &world_post, &world_scan, &world_role, NULL};
const struct system world_system = {
    .name = "world", L("世界", "world"), .kinds = kinds, .figures = figures, .figures_n = COUNT(figures), .stmts = stmts, .stmts_n = COUNT(stmts)};

static const struct system *const all[] = {&world_system, NULL};

void world_start(void) {
    site_program_init(all);
}

struct site *world_site(void) {
    struct err e;
    struct site *s = NULL;
    world_start();
    if (site_create(unit_dir(), &(struct site_options){.name = "吉县", .tz = "Asia/Shanghai", .level = "county", .code = "jx"}, &e))
        unit_fail(__FILE__, __LINE__, "no site: %s %s", err_name(e.code), e.arg[0]);
    CHECK(site_open(unit_dir(), &s, &e) == 0);
    return s;
}
