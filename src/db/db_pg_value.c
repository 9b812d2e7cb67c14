/* Values in PostgreSQL's binary form.  Numbers are big-endian; texts, bytes and UUIDs are what they are.
 *
 * The server says which type it takes for each parameter (`LIMIT $1` is an int8, `length(x) = $1` an int4); a value is written in that form or
 * refused, never cast by guess. */
#include "db_pg.h"

#include <math.h>
#include <pthread.h>

static struct {
    pthread_mutex_t lock;
    struct pg_shape **by_slot;
    unsigned n;
} shapes = {.lock = PTHREAD_MUTEX_INITIALIZER};

const struct pg_shape *pg_shape_known(unsigned slot) {
    pthread_mutex_lock(&shapes.lock);
    const struct pg_shape *s = slot < shapes.n ? shapes.by_slot[slot] : NULL;
    pthread_mutex_unlock(&shapes.lock);
    return s;
}

static void remember(unsigned slot, struct pg_shape *shape) {
    pthread_mutex_lock(&shapes.lock);
    if (slot >= shapes.n) {
        unsigned want = MAX(slot + 1, shapes.n * 2);
        shapes.by_slot = realloc(shapes.by_slot, want * sizeof(shapes.by_slot[0]));
        INVARIANT(shapes.by_slot);
        memset(shapes.by_slot + shapes.n, 0, (want - shapes.n) * sizeof(shapes.by_slot[0]));
        shapes.n = want;
    }
    if (shapes.by_slot[slot]) free(shape); /* another connection asked at the same time */
    else shapes.by_slot[slot] = shape;
    pthread_mutex_unlock(&shapes.lock);
}

/* ---- types ---- */
static bool is_text(Oid type) {
    return type == PG_TEXT || type == PG_VARCHAR || type == PG_UNKNOWN || type == PG_NAME;
}

static bool is_number(Oid type) {
    return type == PG_INT8 || type == PG_INT4 || type == PG_INT2 || type == PG_FLOAT8;
}

static bool is_spoken(Oid type) {
    return is_text(type) || is_number(type) || type == PG_BYTEA || type == PG_UUID;
}

static const char *type_name(Oid type, char number[24]) {
    static const struct {
        Oid type;
        const char *name;
    } names[] = {{16, "boolean"},     {114, "json"},         {1082, "date"},   {1114, "timestamp"}, {1184, "timestamptz"}, {1700, "numeric"},
                 {2278, "void"},      {3802, "jsonb"},       {PG_INT8, "int8"}, {PG_INT4, "int4"},   {PG_INT2, "int2"},     {PG_FLOAT8, "float8"},
                 {PG_TEXT, "text"},   {PG_BYTEA, "bytea"},   {PG_UUID, "uuid"}};
    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].type == type) return names[i].name;
    snprintf(number, 24, "type %u", type);
    return number;
}

static int unspoken(const char *name, const char *what, int number, Oid type, struct err *e) {
    char text[80], buffer[24];
    snprintf(text, sizeof text, "%s %d is %s: CAST it", what, number, type_name(type, buffer));
    return pg_fail_text(name, text, e);
}

int pg_shape_learn(unsigned slot, const char *name, const PGresult *r, struct err *e) {
    int n = PQnparams(r);
    for (int i = 0; i < n; i++)
        if (!is_spoken(PQparamtype(r, i))) return unspoken(name, "parameter", i + 1, PQparamtype(r, i), e);
    for (int i = 0; i < PQnfields(r); i++)
        if (!is_spoken(PQftype(r, i))) return unspoken(name, "column", i + 1, PQftype(r, i), e);
    struct pg_shape *shape = malloc(sizeof *shape + (size_t)n * sizeof shape->type[0]);
    INVARIANT(shape);
    shape->n = (unsigned)n;
    for (int i = 0; i < n; i++) shape->type[i] = PQparamtype(r, i);
    remember(slot, shape);
    return 0;
}

/* "$3" inside a literal only keeps a gap from being filled, which the server then reports. */
int pg_gaps(struct str sql, Oid ret[PG_PARAMS]) {
    int n = 0;
    for (int i = 0; i < PG_PARAMS; i++) ret[i] = PG_TEXT;
    for (size_t at = 0; at + 1 < sql.n; at++) {
        if (sql.p[at] != '$') continue;
        int number = 0;
        while (at + 1 < sql.n && sql.p[at + 1] >= '0' && sql.p[at + 1] <= '9' && number <= PG_PARAMS) number = number * 10 + sql.p[++at] - '0';
        if (number < 1 || number > PG_PARAMS) continue;
        ret[number - 1] = 0;
        n = MAX(n, number);
    }
    return n;
}

/* ---- parameters ---- */
static bool put_scalar(struct pg_params *p, size_t i, uint64_t v, int length) {
    char *to = (char *)&p->scalar[i];
    for (int k = 0; k < length; k++) to[k] = (char)(v >> 8 * (length - 1 - k));
    p->value[i] = to;
    p->length[i] = length;
    return true;
}

static bool put_real(struct pg_params *p, size_t i, Oid type, double r) {
    uint64_t bits;
    memcpy(&bits, &r, sizeof bits);
    return type == PG_FLOAT8 && put_scalar(p, i, bits, 8);
}

static bool put_int(struct pg_params *p, size_t i, Oid type, int64_t v) {
    if (type == PG_INT8) return put_scalar(p, i, (uint64_t)v, 8);
    if (type == PG_INT4) return v >= INT32_MIN && v <= INT32_MAX && put_scalar(p, i, (uint64_t)v, 4);
    if (type == PG_INT2) return v >= INT16_MIN && v <= INT16_MAX && put_scalar(p, i, (uint64_t)v, 2);
    return put_real(p, i, type, (double)v);
}

static bool put_bytes(struct pg_params *p, size_t i, struct str s) {
    if (s.n > INT32_MAX) return false;
    p->value[i] = s.p;
    p->length[i] = (int)s.n;
    return true;
}

static bool put(struct pg_params *p, size_t i, Oid type, const struct val *v) {
    switch (v->type) {
    case V_INT: return put_int(p, i, type, v->i);
    case V_REAL: return isnan(v->r) || put_real(p, i, type, v->r);
    case V_TEXT: return !v->s.p || (is_text(type) && put_bytes(p, i, v->s));
    case V_BLOB: return !v->s.p || ((type == PG_BYTEA || (type == PG_UUID && v->s.n == 16)) && put_bytes(p, i, v->s));
    case V_ID: return (type == PG_UUID || type == PG_BYTEA) && put_bytes(p, i, id_bytes(&v->id));
    case V_NULL: break;
    }
    return true;
}

int pg_encode(struct pg_params *p, const char *name, const struct pg_shape *shape, const struct val *v, struct err *e) {
    p->n = 0;
    return pg_encode_more(p, name, shape, v, 0, e);
}

int pg_encode_more(struct pg_params *p, const char *name, const struct pg_shape *shape, const struct val *v, unsigned from, struct err *e) {
    static const char *const given[] = {[V_NULL] = "NULL", [V_INT] = "an integer", [V_REAL] = "a real", [V_TEXT] = "a text", [V_BLOB] = "a blob", [V_ID] = "an id"};
    unsigned at = p->n;
    INVARIANT(at + shape->n - from <= PG_PARAMS);
    for (unsigned i = from; i < shape->n; i++, at++) {
        p->value[at] = NULL;
        p->length[at] = 0;
        p->format[at] = 1;
        if (v[i].type == V_TEXT && v[i].s.p && memchr(v[i].s.p, 0, v[i].s.n)) return err_set(e, ERR_INVALID, NULL, M_NUL);
        if (put(p, at, shape->type[i], &v[i])) continue;
        char text[80], number[24];
        snprintf(text, sizeof text, "$%u is %s, not %s", i + 1, type_name(shape->type[i], number), given[v[i].type]);
        return pg_fail_text(name, text, e);
    }
    p->n = at;
    return 0;
}

/* ---- columns ---- */
struct str pg_get_bytes(const PGresult *r, int row, int col) {
    return (struct str){PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col)};
}

static uint64_t big_endian(const PGresult *r, int row, int col) {
    struct str s = pg_get_bytes(r, row, col);
    uint64_t v = 0;
    for (size_t i = 0; i < s.n && i < sizeof v; i++) v = v << 8 | (uint8_t)s.p[i];
    return v;
}

static double real_bits(uint64_t bits) {
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

int64_t pg_get_int(const PGresult *r, int row, int col) {
    Oid type = PQftype(r, col);
    if (PQgetisnull(r, row, col)) return 0;
    INVARIANT(is_number(type));
    uint64_t v = big_endian(r, row, col);
    if (type == PG_INT8) return (int64_t)v;
    if (type == PG_INT4) return (int32_t)v;
    if (type == PG_INT2) return (int16_t)v;
    return (int64_t)real_bits(v);
}

double pg_get_real(const PGresult *r, int row, int col) {
    if (PQftype(r, col) != PG_FLOAT8 || PQgetisnull(r, row, col)) return (double)pg_get_int(r, row, col);
    return real_bits(big_endian(r, row, col));
}
