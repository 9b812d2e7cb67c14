/* What is printed on the card of a pass. */
#include "systems/passes/passes_internal.h"

static struct str places(const struct areas *t, struct arena *a, const struct record *pass) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 16);
    struct str codes[PASS_AREAS_MAX];
    size_t n = passes_areas(a, pass, codes);
    for (size_t i = 0; i < n; i++) {
        const struct area *x = areas_by_code(t, codes[i]);
        struct str name = !x ? codes[i] : n == 1 ? areas_full_name(t, a, x) : x->name;
        buf_addf(&b, "%s%.*s", i ? "、" : "", STR_FMT(name));
    }
    return arena_str(a, buf_str(&b));
}

static struct str period(struct site *s, struct arena *a, const struct record *pass, enum lang lang) {
    static const struct label to = {"至", "to"};
    char from[DAY_TEXT], until[DAY_TEXT];
    day_text(tz_day(s->tz, record_int(pass, "valid_from")), from);
    day_text(tz_day(s->tz, record_int(pass, "valid_until") - US_PER_SECOND), until);
    return str_z(arena_printf(a, "%s %s %s", from, label_in(to, lang), until));
}

static struct str limit(struct arena *a, const struct record *pass, enum lang lang) {
    long long n = record_int(pass, "outings"), days = record_int(pass, "days");
    if (!n) return STR("");
    if (lang == LANG_EN) return str_z(arena_printf(a, "%lld in %lld day%s", n, days, days == 1 ? "" : "s"));
    return str_z(arena_printf(a, "每 %lld 天外出 %lld 次", days, n));
}

int passes_card(struct site *s, const struct areas *t, const struct passes_keys *keys, const struct record *pass, enum lang lang, struct arena *a,
                struct card *ret, struct err *e) {
    struct buf text CLEANUP(buf_release) = BUF(PASS_TEXT_MAX);
    TRY(passes_text(s, keys, pass, &text, e));
    *ret = (struct card){
        .qr = arena_str(a, buf_str(&text)),
        .issuer = str_z(s->name),
        .kind = str_z(label_in(pass_kind_label(passes_kind_of(pass)), lang)),
        .area = places(t, a, pass),
        .number = arena_str(a, record_text(pass, "number")),
        .valid = period(s, a, pass, lang),
        .limit = limit(a, pass, lang),
    };
    return 0;
}

static bool printable(const struct record *pass, int64_t now) {
    return !record_has(pass, "revoked_at") && now < record_int(pass, "valid_until");
}

int passes_sheet(struct site *s, struct db *db, const struct areas *t, const struct passes_place *from, enum lang lang, struct arena *a,
                 struct passes_sheet *ret, struct err *e) {
    struct rows *rows CLEANUP(rows_donep) = NULL;
    struct arena one CLEANUP(arena_release) = {0};
    struct path_range in = path_range(a, from->top);
    struct passes_keys keys;
    struct record r;
    int got;
    *ret = (struct passes_sheet){.cards = arena_new(a, struct card, PASSES_ON_SHEETS)};
    TRY(passes_keys(db, s, a, &keys, e));
    TRY(db_stream(db, &kind_sql(&passes_kind)->range_after, &rows, e, VINT(s->id), VTEXT(in.from), VTEXT(in.to), VTEXT(from->path), VID(from->id),
                  VINT(INT64_MAX)));
    while ((got = rows_next(rows, e)) == 1) {
        record_read(&one, &passes_kind, rows, &r);
        if (printable(&r, site_now(s)) && ret->n == PASSES_ON_SHEETS) return ret->more = true, 0;
        if (printable(&r, site_now(s))) {
            TRY(passes_card(s, t, &keys, &r, lang, a, &ret->cards[ret->n++], e));
            ret->path = arena_str(a, r.path);
            ret->id = r.id;
        }
        arena_clear(&one);
    }
    return got;
}
