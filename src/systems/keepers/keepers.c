#include "systems/keepers/keepers.h"

#include "systems/keepers/protocol.h"
#include "systems/rules.h"

/* ---- users ---- */
static const struct field user_fields[] = {
    {"name", F_NAME, {"姓名", "Name"}, .also = "用户姓名", .max = 60, .flags = REQUIRED | PERSONAL | SEARCH | LIST},
    {"login", F_TEXT, {"用户名", "User name"}, .also = "登录名|账号|Login", .max = 40, .flags = REQUIRED | KEY | UNIQUE | LIST},
    {"active", F_BOOL, {"启用", "Active"}, .flags = LIST},
    {"email", F_TEXT, {"电子邮箱", "E-mail"}, .max = 120, .flags = PERSONAL},
    {"phone", F_PHONE, {"手机号", "Phone"}, .flags = SEALED},
};

enum { LOGIN_LEAST = 2, LOGIN_MOST = 40 };

static bool login_valid(struct str s) {
    if (s.n < LOGIN_LEAST || s.n > LOGIN_MOST) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') return false;
    }
    return true;
}

static int user_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)tx, (void)old, (void)e;
    if (record_has(r, "login") && !login_valid(record_text(r, "login"))) rule_refuse(errs, "login", M_LOGIN_NAME);
    if (!record_has(r, "active")) record_set_int(r, "active", 1);
    return 0;
}

const struct kind user_kind = {
    .name = "user", .label = {"用户", "User"}, FIELDS(user_fields), .flags = KIND_NO_AREA | KIND_ADMIN, .derive = user_derive,
    .purpose = "系统登录与操作审计|Signing in and the audit of what was done",
};

static const struct field user_role_fields[] = {
    {"account", F_REF, {"用户", "User"}, .ref = "user", .flags = REQUIRED | INDEXED | LIST},
    {"role", F_CODE, {"角色", "Role"}, .codes = &role_codes, .flags = REQUIRED | LIST},
};

/* Nobody gives away more than he has: a role may be granted by whoever may do, in that area, all it may. */
static int user_role_derive(struct tx *tx, const struct record *old, struct record *r, struct errs *errs, struct err *e) {
    (void)old;
    (void)e;
    const struct role *role = role_by_name(record_text(r, "role"));
    if (!role) return 0;
    struct str rest = str_z(role->grants), grant, of;
    while (str_cut(&rest, ' ', &grant)) {
        if (!str_cut(&grant, '.', &of)) continue;
        if (permit_may(tx->actor, arena_strz(tx->a, of), arena_strz(tx->a, grant), r->path)) continue;
        rule_refuse(errs, "role", M_NOT_ALLOWED, label_in(role->label, tx->lang));
        return 0;
    }
    return 0;
}

const struct kind user_role_kind = {
    .name = "user_role", .label = {"用户角色", "Role of a user"}, FIELDS(user_role_fields), .flags = KIND_ADMIN, .derive = user_role_derive,
};

static struct check checks[] = {
#define C(n, ...) {#n, STMT(n, __VA_ARGS__)},
#include "systems/keepers/keepers_stmts.inc"
#undef C
};

static const struct kind *const kinds[] = {&user_kind, &user_role_kind, &protocol_kind, &duplicate_kind, NULL};
const struct system keepers_system = {
    .name = "keepers", .label = {"系统管理", "Administration"}, .kinds = kinds,
    .commands = duplicate_commands, .commands_n = DUPLICATE_COMMANDS, .stmts = protocol_stmts, .stmts_n = PROTOCOL_STMTS,
    .checks = checks, .checks_n = COUNT(checks),
};
