#include "systems/gates/gates.h"

#include "systems/gates/scan.h"
#include "systems/rules.h"

/* ---- gates ---- */
CODE_LIST(gate_kinds, {"quarter_gate", {"小区门", "Quarter gate"}}, {"road", {"道路卡点", "Road"}}, {"township_border", {"乡镇界", "Township border"}},
          {"village_road", {"村口", "Village road"}}, {"county_border", {"县界", "County border"}}, {"motorway_exit", {"高速出口", "Motorway exit"}},
          {"station", {"火车站", "Railway station"}}, {"bus_station", {"汽车站", "Bus station"}}, {"port", {"码头", "Port"}},
          {"airport", {"机场", "Airport"}});

static const struct field gate_fields[] = {
    {"name", F_NAME, {"卡点名称", "Name"}, .also = "名称|卡点|Gate", .max = 80, .flags = REQUIRED | SEARCH | LIST},
    {"code", F_TEXT, {"编号", "Code"}, .also = "卡点编号|代码", .max = 80, .flags = KEY | UNIQUE | SEARCH | LIST},
    {"kind_of", F_CODE, {"卡点类型", "Kind"}, .also = "类型|类别", .codes = &gate_kinds, .flags = REQUIRED | INDEXED | LIST},
    {"round_the_clock", F_BOOL, {"24小时值守", "Round the clock"}, .also = "是否24小时", .flags = LIST},
    {"since", F_DATE, {"启用日期", "Since"}, .also = "设卡日期|起始日期", .flags = LIST},
    {"until", F_DATE, {"撤销日期", "Until"}, .also = "撤卡日期|结束日期", .flags = LIST},
    {"x", F_REAL, {"经度", "Longitude"}, .also = "lon|lng", .unit = "°", .min = -180, .max = 180},
    {"y", F_REAL, {"纬度", "Latitude"}, .also = "lat", .unit = "°", .min = -90, .max = 90},
    {"note", F_TEXT, {"备注", "Note"}, .also = "说明|Remarks", .max = 500},
};
const struct kind gate_kind = {.name = "gate", .label = {"卡点", "Gate"}, FIELDS(gate_fields), .derive = derive_period};

/* ---- scans ---- */
CODE_LIST(scan_whats, {"person", {"人员", "Person"}}, {"vehicle", {"车辆", "Vehicle"}});
CODE_LIST(scan_verdicts, {"pass", {"放行", "Pass"}}, {"turn_back", {"劝返", "Turned back"}}, {"fever_clinic", {"送发热门诊", "To fever clinic"}},
          {"observation", {"送医学观察", "To observation"}});

/* As pass/pass.h names them, and what only the records can say. */
CODE_LIST(pass_checks, {"valid", {"有效", "Valid"}}, {"stay_home", {"应居家，不得外出", "Ordered to stay at home"}}, {"revoked", {"已作废", "Revoked"}},
          {"expired", {"已过期", "Expired"}}, {"not_yet_valid", {"尚未生效", "Not yet valid"}}, {"wrong_area", {"不适用于此卡点", "Not for this gate"}},
          {"elsewhere", {"刚在别的卡点用过，请核对持证人", "Just used at another gate: look at who holds it"}}, {"unknown", {"查无此证", "No such pass"}},
          {"forged", {"伪造：签名不符", "Forged: the signature does not fit"}}, {"unknown_key", {"签发密钥未知", "Signed by an unknown key"}},
          {"damaged", {"码已损坏，无法读取", "Damaged, cannot be read"}}, {"not_a_pass", {"不是出入证", "Not a pass"}});

static const struct field scan_fields[SCAN_FIELDS] = {
    [SCAN_GATE] = {"gate", F_REF, {"卡点", "Gate"}, .also = "卡点编号|检查点", .ref = "gate", .flags = REQUIRED | INDEXED | LIST},
    [SCAN_SEEN_AT] = {"seen_at", F_TIME, {"时间", "Time"}, .also = "检查时间|登记时间|通过时间|Seen at", .flags = REQUIRED | PAST | INDEXED | LIST},
    [SCAN_WHAT] = {"what", F_CODE, {"对象", "What"}, .also = "类别|人车", .codes = &scan_whats, .flags = REQUIRED | LIST},
    [SCAN_PERSONS] = {"persons", F_INT, {"人数", "Persons"}, .also = "乘员|车上人数|Passengers", .min = 0, .max = 100, .flags = LIST},
    [SCAN_PLATE] = {"plate", F_PLATE, {"车牌号", "Plate"}, .also = "车牌|车号|Licence plate", .flags = PERSONAL | TRACE | LIST},
    [SCAN_PASS] = {"pass", F_PASS, {"出入证号", "Pass number"}, .also = "证号|通行证号", .flags = PERSONAL | TRACE | LIST},
    [SCAN_NAME] = {"name", F_NAME, {"姓名", "Name"}, .also = "司机|驾驶员姓名", .max = 60, .flags = PERSONAL | LIST},
    [SCAN_ID_NUMBER] = {"id_number", F_ID_NUMBER, {"身份证号", "Identity number"}, .also = "身份证|身份证号码|证件号码|ID number", .flags = SEALED | FIND | TRACE},
    [SCAN_PHONE] = {"phone", F_PHONE, {"手机号", "Phone"}, .also = "电话|手机|联系电话|Mobile", .flags = SEALED | FIND | TRACE},
    [SCAN_TEMPERATURE] = {"temperature", F_REAL, {"体温", "Temperature"}, .also = "温度|测温|体温（℃）|Temp", .unit = "°C", .min = 34, .max = 43, .flags = PERSONAL | LIST},
    [SCAN_ORIGIN] = {"origin", F_TEXT, {"来自", "Origin"}, .also = "来源地|出发地|始发地|From", .max = 100, .flags = PERSONAL | LIST},
    [SCAN_VERDICT] = {"verdict", F_CODE, {"处置", "Verdict"}, .also = "处理|处置结果", .codes = &scan_verdicts, .flags = LIST},
    [SCAN_FEBRILE] = {"febrile", F_BOOL, {"发热", "Febrile"}, .flags = READ_ONLY},
    [SCAN_PASS_CHECK] = {"pass_check", F_CODE, {"证件核验", "Pass check"}, .codes = &pass_checks, .flags = READ_ONLY | LIST},
};

const struct kind gate_scan_kind = {
    .name = "gate_scan", .label = {"过卡登记", "Gate scan"}, FIELDS(scan_fields), .flags = KIND_LOG, .area_from = "gate", .seen = "seen_at", .derive = scan_derive,
    .foresee = scan_foresee,
    .purpose = "防控排查：追溯同时经过卡点的人员，28天后删除个人信息|Epidemic control: who passed a gate together with a case; personal data ends after 28 days",
    .retention_days = 28, .sunset_days = 400,
};

static struct check checks[] = {
#define C(n, ...) {#n, STMT(n, __VA_ARGS__)},
#include "systems/gates/gates_stmts.inc"
#undef C
};

/* ---- figures ---- */
#define SCANS(what) .unit = what, .how = FLOW, .kind = &gate_scan_kind, .on = "seen_at"
#define AT_ITS_GATE .cuts = "gate", .own_area_only = true, .hidden = true

static const struct figure figures[] = {
    {"gate.posts", {"卡点", "Gates and checkpoints"}, "count", STOCK, &gate_kind, "since", "until", .cuts = "kind_of=kind"},
    {"gate.vehicles", {"检查车辆", "Vehicles checked"}, SCANS("vehicle-times"), .when = "what=vehicle"},
    {"gate.persons", {"检查人员", "Persons checked"}, SCANS("person-times"), .sum = "persons"},
    {"gate.turned_back", {"劝返", "Turned back"}, SCANS("person-times"), .sum = "persons", .when = "verdict=turn_back"},
    {"gate.febrile", {"卡点发热", "Febrile at gates"}, SCANS("person-times"), .when = "febrile=1"},
    {"gate.vehicles_by_gate", {"检查车辆（分卡点）", "Vehicles checked, by gate"}, SCANS("vehicle-times"), .when = "what=vehicle", AT_ITS_GATE},
    {"gate.persons_by_gate", {"检查人员（分卡点）", "Persons checked, by gate"}, SCANS("person-times"), .sum = "persons", AT_ITS_GATE},
    {"gate.turned_back_by_gate", {"劝返（分卡点）", "Turned back, by gate"}, SCANS("person-times"), .sum = "persons", .when = "verdict=turn_back", AT_ITS_GATE},
    {"gate.febrile_by_gate", {"卡点发热（分卡点）", "Febrile, by gate"}, SCANS("person-times"), .when = "febrile=1", AT_ITS_GATE},
};

static const struct kind *const kinds[] = {&gate_kind, &gate_scan_kind, NULL};
const struct system gates_system = {
    .name = "gates", .label = {"卡点", "Gates"}, .kinds = kinds, .figures = figures, .figures_n = COUNT(figures),
    .checks = checks, .checks_n = COUNT(checks),
};
