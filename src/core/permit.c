#include "core/permit.h"

/* Roles as data: what each may do within its areas.  A grant names KIND.VERB; a star stands for any.  The least that lets a person do the
 * work: gates see no residents, clinics no households, grid workers no cases beyond their own entries. */
static const struct role roles[] = {
    {"administrator", {"系统管理员", "Administrator"}, "*.*"},
    {"headquarters", {"指挥部", "Headquarters"},
     "area.* organisation.* member.* assignment.* application.* report_in.* household.* resident.* gate.* gate_scan.* triage_visit.* case.* "
     "report_unit.* daily_report.* bulletin.* duplicate.* pass.* protocol.read figure.read import.run"},
    {"community", {"社区工作者", "Community worker"},
     "area.read area.create area.update organisation.* member.* assignment.* application.* report_in.* household.* resident.* gate.* "
     "gate_scan.read gate_scan.create daily_report.read daily_report.create report_unit.read duplicate.* pass.* figure.read import.run"},
    {"grid_worker", {"网格员", "Grid worker"},
     "area.read household.read household.update household.create resident.read resident.create resident.update member.read "
     "gate.read gate_scan.create pass.read pass.create figure.read"},
    {"gate", {"卡点值守", "Gate staff"}, "area.read gate.read gate_scan.create gate_scan.read pass.verify"},
    {"clinic", {"发热门诊", "Fever clinic"},
     "area.read organisation.read triage_visit.* case.create case.read daily_report.create daily_report.read report_unit.read figure.read"},
    {"investigator", {"流调人员", "Investigator"},
     "area.read organisation.read household.read resident.read resident.open case.* triage_visit.read gate.read gate_scan.read figure.read"},
    {"reporter", {"填报单位", "Reporting unit"}, "area.read report_unit.read daily_report.create daily_report.read"},
    {"viewer", {"只看数字", "Figures only"}, "area.read figure.read bulletin.read report_unit.read"},
};

static const struct code codes[] = {
    {"administrator", {"系统管理员", "Administrator"}}, {"headquarters", {"指挥部", "Headquarters"}},
    {"community", {"社区工作者", "Community worker"}},  {"grid_worker", {"网格员", "Grid worker"}},
    {"gate", {"卡点值守", "Gate staff"}},               {"clinic", {"发热门诊", "Fever clinic"}},
    {"investigator", {"流调人员", "Investigator"}},     {"reporter", {"填报单位", "Reporting unit"}},
    {"viewer", {"只看数字", "Figures only"}},           {NULL, {NULL, NULL}},
};
const struct code_list role_codes = {"role", codes};

const struct actor actor_system = {.login = {"system", 6}, .name = {"system", 6}, .system = true};

const struct role *role_by_name(struct str name) {
    for (size_t i = 0; i < COUNT(roles); i++)
        if (str_eqz(name, roles[i].name)) return &roles[i];
    return NULL;
}

const struct role *role_at(size_t i) {
    return i < COUNT(roles) ? &roles[i] : NULL;
}

/* The part of a grant up to `end`, when it is the word or a star; else NULL.  Asked for at every command, so nothing is cut or copied. */
static const char *part_matches(const char *p, struct str word, char end) {
    if (p[0] == '*' && p[1] == end) return p + 1;
    return strncmp(p, word.p, word.n) == 0 && p[word.n] == end ? p + word.n : NULL;
}

bool role_grants(const struct role *r, const char *kind, const char *verb) {
    struct str k = str_z(kind), v = str_z(verb);
    for (const char *p = r->grants; p; p = strchr(p, ' ')) {
        p += *p == ' ';
        const char *dot = part_matches(p, k, '.');
        if (dot && (part_matches(dot + 1, v, ' ') || part_matches(dot + 1, v, 0))) return true;
    }
    return false;
}

bool permit_may(const struct actor *who, const char *kind, const char *verb, struct str path) {
    if (who->system) return true;
    for (size_t i = 0; i < who->n; i++)
        if (path_under(path, who->grants[i].path) && role_grants(who->grants[i].role, kind, verb)) return true;
    return false;
}

bool permit_anywhere(const struct actor *who, const char *kind, const char *verb) {
    if (who->system) return true;
    for (size_t i = 0; i < who->n; i++)
        if (role_grants(who->grants[i].role, kind, verb)) return true;
    return false;
}

static int by_path(const void *a, const void *b) {
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

size_t permit_ranges(const struct actor *who, struct arena *a, const char *kind, const char *verb, struct str top, struct str **ret) {
    struct str *found = arena_new(a, struct str, who->n + 1);
    size_t n = 0, kept = 0;
    if (who->system) found[n++] = top;
    for (size_t i = 0; i < who->n && !who->system; i++) {
        const struct grant *g = &who->grants[i];
        if (!role_grants(g->role, kind, verb)) continue;
        if (path_under(top, g->path)) found[n++] = top;
        else if (path_under(g->path, top)) found[n++] = g->path;
    }
    qsort(found, n, sizeof *found, by_path);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !path_under(found[i], found[kept - 1])) found[kept++] = found[i];
    *ret = found;
    return kept;
}
