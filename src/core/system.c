/* The registry of systems, kinds, commands and figures, checked once at start. */
#include "core/system.h"

enum { MAX_SYSTEMS = 48, MAX_KINDS = 128, MAX_COMMANDS = 256, MAX_FIGURES = 512 };
static const struct system *systems[MAX_SYSTEMS + 1];
static const struct kind *kinds[MAX_KINDS + 1];
static const struct command *commands[MAX_COMMANDS + 1];
static const struct figure *figures[MAX_FIGURES + 1];
static size_t systems_n, kinds_n, commands_n, figures_n;

static void check_field(const struct kind *k, const struct field *f) {
    INVARIANT(f->label.zh && f->label.en);
    INVARIANT(!(f->flags & FIND) || f->flags & SEALED);
    INVARIANT((f->type == F_CODE || f->type == F_CODES) == (f->codes != NULL));
    INVARIANT((f->type == F_REF) == (f->ref != NULL));
    INVARIANT(!(f->flags & SEALED) || f->type == F_TEXT || f->type == F_NAME || f->type == F_ID_NUMBER || f->type == F_PHONE);
    INVARIANT(!(f->flags & SEARCH) || !(k->flags & KIND_LOG));
    INVARIANT(!(f->flags & (UNIQUE | KEY)) || f->flags & FIND || field_is_text(f));
    INVARIANT(!f->beside || (f->flags & (KEY | FIND)) == KEY);
    INVARIANT(!(f->flags & TRACE) || (k->sunset_days && (f->flags & FIND || field_is_text(f))));
    INVARIANT(!(k->flags & KIND_LOG) || !(f->flags & (UNIQUE | KEY)));
    INVARIANT(!(k->flags & KIND_LOG && f->flags & INDEXED) || f->type == F_REF || (k->seen && strcmp(f->name, k->seen) == 0));
}

static void add_kind(const struct kind *k) {
    INVARIANT(kinds_n < MAX_KINDS && !kind_by_name(str_z(k->name)));
    for (size_t i = 0; i < k->n; i++) {
        check_field(k, &k->fields[i]);
        INVARIANT(kind_field(k, str_z(k->fields[i].name)) == (int)i);
    }
    int from = k->area_from ? kind_field(k, str_z(k->area_from)) : -1;
    INVARIANT(!k->area_from || from >= 0);
    INVARIANT(!(k->flags & KIND_FOLLOWS) || (from >= 0 && k->fields[from].flags & INDEXED && !(k->flags & KIND_LOG)));
    int seen = k->seen ? kind_field(k, str_z(k->seen)) : -1;
    INVARIANT(!(k->flags & KIND_LOG) == (seen < 0));
    INVARIANT(seen < 0 || (k->fields[seen].type == F_TIME && kind_way(k) >= 0));
    /* What is kept of a log after its retention is in the tables of its months. */
    INVARIANT(!(k->flags & KIND_LOG && k->retention_days) || k->sunset_days > k->retention_days);
    INVARIANT(!k->sunset_days || (k->flags & KIND_LOG && k->retention_days > 0));
    for (size_t i = 0; k->memo && i < kinds_n; i++) INVARIANT(!kinds[i]->memo);
    k->cell->index = (int)kinds_n;
    kinds[kinds_n++] = k;
}

static void add_system(const struct system *s) {
    INVARIANT(systems_n < MAX_SYSTEMS);
    systems[systems_n++] = s;
    for (const struct kind *const *k = s->kinds; k && *k; k++) add_kind(*k);
    for (size_t i = 0; i < s->commands_n; i++) {
        INVARIANT(commands_n < MAX_COMMANDS && s->commands[i].kind && s->commands[i].run);
        commands[commands_n++] = &s->commands[i];
    }
    for (size_t i = 0; i < s->figures_n; i++) {
        INVARIANT(figures_n < MAX_FIGURES && !figure_by_id(str_z(s->figures[i].id)));
        figures[figures_n++] = &s->figures[i];
    }
    if (s->stmts_n) stmt_register(s->stmts, s->stmts_n);
    for (size_t i = 0; i < s->checks_n; i++) stmt_register(&s->checks[i].stmt, 1);
}

void registry_load(const struct system *const *all) {
    INVARIANT(systems_n == 0);
    for (; *all; all++) add_system(*all);
    for (size_t i = 0; i < kinds_n; i++)
        for (size_t j = 0; j < kinds[i]->n; j++) {
            const char *ref = kinds[i]->fields[j].ref;
            INVARIANT(!ref || kind_by_name(str_z(ref)));
        }
}

const struct kind *kind_by_name(struct str name) {
    for (size_t i = 0; i < kinds_n; i++)
        if (str_eqz(name, kinds[i]->name)) return kinds[i];
    return NULL;
}

const struct kind *kind_at(size_t i) {
    return i < kinds_n ? kinds[i] : NULL;
}

size_t kind_count(void) {
    return kinds_n;
}

const struct command *command_by_name(struct str name) {
    for (size_t i = 0; i < commands_n; i++)
        if (str_eqz(name, commands[i]->name)) return commands[i];
    return NULL;
}

const struct command *command_at(size_t i) {
    return i < commands_n ? commands[i] : NULL;
}

const struct figure *figure_by_id(struct str id) {
    for (size_t i = 0; i < figures_n; i++)
        if (str_eqz(id, figures[i]->id)) return figures[i];
    return NULL;
}

const struct figure *figure_at(size_t i) {
    return i < figures_n ? figures[i] : NULL;
}

const struct system *system_at(size_t i) {
    return i < systems_n ? systems[i] : NULL;
}
