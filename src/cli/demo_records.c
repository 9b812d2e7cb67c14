#include "cli/demo_records.h"

#include <stdarg.h>

enum { BATCH = 4000, AHEAD = 250, TEXT_MOST = 4000 };

void demo_begin(struct demo *d, struct site *s, const struct cli *cli, uint64_t seed) {
    *d = (struct demo){.site = s, .cli = cli, .seed = seed, .began_us = monotonic_us()};
    d->names.chance = chance_of(seed);
    d->calls = arena_new(&d->a, struct command_call, BATCH);
    d->counts = arena_new(&d->a, int64_t, kind_count());
}

void demo_end(struct demo *d) {
    arena_release(&d->batch);
    arena_release(&d->a);
}

/* UUIDv8: the order in place of the time, so that rows lie in the order in which they were made, and bits of the seed. */
struct id demo_id(struct demo *d) {
    struct id id;
    uint64_t order = ++d->order + (UINT64_C(0x017) << 36);
    struct chance c = chance_of(d->seed ^ order * UINT64_C(0xD6E8FEB86659FD93));
    uint64_t bits = chance_next(&c);
    for (int i = 0; i < 6; i++) id.b[i] = (uint8_t)(order >> (40 - 8 * i));
    for (int i = 6; i < 16; i++) id.b[i] = (uint8_t)(bits >> (6 * (i - 6)));
    id.b[6] = (uint8_t)(0x80 | (id.b[6] & 0x0f));
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
    return id;
}

void demo_clock(struct demo *d, day_t on, int64_t second) {
    d->site->clock.fixed_us = tz_start(d->site->tz, on, second);
}

struct made *pool_add(struct demo *d, enum pool_of of, struct id id, int32_t place) {
    struct pool *p = &d->pools[of];
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 256;
        struct made *more = arena_new(&d->a, struct made, p->cap);
        if (p->n) memcpy(more, p->all, p->n * sizeof *more);
        p->all = more;
    }
    p->all[p->n] = (struct made){.id = id, .place = place};
    return &p->all[p->n++];
}

void demo_progress(struct demo *d, struct label doing, double share_to, int64_t expected) {
    d->doing = doing;
    d->share = d->share_to;
    d->share_to = share_to;
    d->expected = MAX(expected, 1);
    d->began_at = (int64_t)d->order;
}

static void show_progress(struct demo *d) {
    if (!d->cli || !d->doing.zh) return;
    double part = (double)((int64_t)d->order - d->began_at) / (double)d->expected;
    cli_progress(d->cli, label_in(d->doing, d->cli->lang), (int64_t)d->order, d->share + (d->share_to - d->share) * MIN(part, 1.0), d->began_us);
}

/* ---- the batch ---- */

struct batch_item {
    struct write_item item;
    struct demo *d;
};

static int run_batch(struct tx *tx, struct write_item *item, struct err *e) {
    struct demo *d = ((struct batch_item *)item)->d;
    for (size_t i = 0; i < d->calls_n; i++) {
        for (size_t j = i; i % AHEAD == 0 && j < MIN(i + AHEAD, d->calls_n); j++) TRY(command_foresee(tx, &d->calls[j], e));
        TRY(command_run(tx, &d->calls[i], e));
        arena_clear(tx->a);
    }
    return 0;
}

static void nothing(struct write_item *item UNUSED) {}

int demo_flush(struct demo *d, struct err *e) {
    struct batch_item batch = {.item = {.run = run_batch, .done = nothing}, .d = d};
    int r = d->calls_n ? writer_run(d->site, &batch.item, e) : 0;
    d->calls_n = 0;
    arena_clear(&d->batch);
    show_progress(d);
    return r;
}

static int add_call(struct draft *f, enum verb verb, struct id record, struct err *e) {
    struct demo *d = f->d;
    struct command_call *call = &d->calls[d->calls_n++];
    *call = (struct command_call){.a = &d->batch, .actor = &actor_system, .lang = LANG_ZH_HANS, .id = demo_id(d), .fresh = true};
    command_prepare(call, f->kind, verb);
    call->values = f->v;
    call->record = record;
    for (size_t i = 0; i < f->kind->n; i++) call->given[i] = f->v[i].type != V_NULL;
    if (verb == VERB_CREATE) d->counts[kind_index(f->kind)]++;
    if (verb == VERB_CREATE && f->place >= 0) {
        char text[ID_TEXT];
        call->area = arena_str(&d->batch, str_z(id_text(d->places[f->place].id, text)));
    }
    return d->calls_n < BATCH ? 0 : demo_flush(d, e);
}

int draft_add(struct draft *f, struct err *e) {
    return add_call(f, VERB_CREATE, f->id, e);
}

int draft_change(struct draft *f, struct id record, struct err *e) {
    return add_call(f, VERB_UPDATE, record, e);
}

int demo_reserve(struct demo *d, size_t drafts, struct err *e) {
    return d->calls_n + drafts < BATCH ? 0 : demo_flush(d, e);
}

static int parse_call(struct demo *d, const char *name, struct id record, int32_t place, const char *data, struct command_call *call, struct err *e) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    struct json_out o = JSON_OUT(&b);
    struct json *j;
    char text[ID_TEXT];
    json_object(&o);
    json_put_strz(&o, "id", id_text(demo_id(d), text));
    json_put_strz(&o, "command", name);
    if (!id_is_nil(record)) json_put_strz(&o, "record", id_text(record, text));
    if (place >= 0) json_put_strz(&o, "area", id_text(d->places[place].id, text));
    json_key(&o, "data");
    json_raw(&o, str_z(data));
    json_object_end(&o);
    INVARIANT(!b.failed);
    TRY(json_parse(&d->batch, arena_str(&d->batch, buf_str(&b)), NULL, &j, e));
    *call = (struct command_call){.a = &d->batch, .actor = &actor_system, .lang = LANG_ZH_HANS, .fresh = true};
    return command_parse(d->site, j, call, e);
}

int demo_command(struct demo *d, const char *name, struct id record, int32_t place, const char *data, struct err *e) {
    const struct command *k = command_by_name(str_z(name));
    struct command_call call;
    TRY(k && k->reads_figures ? demo_flush(d, e) : demo_reserve(d, 1, e));
    TRY(parse_call(d, name, record, place, data, &call, e));
    if (k && k->reads_figures) return command_do(d->site, &call, e);
    d->calls[d->calls_n++] = call;
    return 0;
}

/* ---- drafts ---- */

struct draft draft_begin(struct demo *d, const char *kind, int32_t place, day_t on) {
    const struct kind *k = kind_by_name(str_z(kind));
    INVARIANT(k);
    return (struct draft){.d = d, .kind = k, .v = arena_new(&d->batch, struct val, k->n), .id = demo_id(d), .place = place,
                          .day = on, .low = d->first, .persons = 3};
}

struct val *draft_val(struct draft *f, const char *field) {
    int i = kind_field(f->kind, str_z(field));
    INVARIANT(i >= 0);
    return &f->v[i];
}

bool draft_has(struct draft *f, const char *field) {
    return draft_val(f, field)->type != V_NULL;
}

void draft_str(struct draft *f, const char *field, struct str text) {
    *draft_val(f, field) = VTEXT(text);
}

void draft_text(struct draft *f, const char *field, const char *text) {
    draft_str(f, field, str_z(text));
}

void draft_printf(struct draft *f, const char *field, const char *fmt, ...) {
    char text[TEXT_MOST];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    INVARIANT(n >= 0 && n < TEXT_MOST);
    draft_str(f, field, arena_str(&f->d->batch, str_z(text)));
}

void draft_int(struct draft *f, const char *field, int64_t v) {
    *draft_val(f, field) = VINT(v);
}

void draft_real(struct draft *f, const char *field, double v) {
    *draft_val(f, field) = VREAL(v);
}

void draft_ref(struct draft *f, const char *field, struct id id) {
    *draft_val(f, field) = VID(id);
}

void draft_day(struct draft *f, const char *field, day_t on, int64_t second) {
    char text[DAY_TEXT];
    int i = kind_field(f->kind, str_z(field));
    INVARIANT(i >= 0);
    if (f->kind->fields[i].type == F_TIME) f->v[i] = VINT(tz_start(f->d->site->tz, on, second));
    else f->v[i] = VTEXT(arena_str(&f->d->batch, str_z(day_text(on, text))));
}

int64_t demo_rush(struct demo *d) {
    static const uint16_t hours[24] = {4, 3, 2, 2, 4, 10, 30, 70, 90, 80, 65, 55, 45, 50, 60, 65, 75, 90, 70, 45, 30, 20, 12, 7};
    return (int64_t)chance_weighted(&d->names.chance, hours, COUNT(hours)) * 3600 + chance_below(&d->names.chance, 3600);
}
