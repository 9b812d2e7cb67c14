/* The description of the interface (OpenAPI 3.1), made from the tables of kinds, routes and errors. */
#include "api/request.h"

#include "api/fields.h"
#include "version.h"

static void put_type(struct json_out *o, const char *type, const char *format) {
    json_put_strz(o, "type", type);
    if (format) json_put_strz(o, "format", format);
}

static void put_codes(struct json_out *o, const struct field *f) {
    json_key(o, "enum");
    json_array(o);
    for (const struct code *c = f->codes->codes; c->value; c++) json_strz(o, c->value);
    json_array_end(o);
}

static void put_value_type(struct json_out *o, const struct field *f) {
    switch (f->type) {
    case F_INT: put_type(o, "integer", "int64"); break;
    case F_REAL: put_type(o, "number", "double"); break;
    case F_BOOL: put_type(o, "boolean", NULL); break;
    case F_DATE: put_type(o, "string", "date"); break;
    case F_TIME: put_type(o, "string", "date-time"); break;
    case F_REF: put_type(o, "string", "uuid"); break;
    case F_CODE:
        put_type(o, "string", NULL);
        put_codes(o, f);
        break;
    case F_CODES:
        put_type(o, "array", NULL);
        json_key(o, "items");
        json_object(o);
        put_type(o, "string", NULL);
        put_codes(o, f);
        json_object_end(o);
        break;
    default: put_type(o, "string", NULL);
    }
}

static void put_field(struct request *rq, struct json_out *o, const struct field *f) {
    int most = field_most_characters(f);
    json_key(o, f->name);
    json_object(o);
    put_value_type(o, f);
    json_put_strz(o, "title", label_in(f->label, rq->lang));
    if (field_is_number(f) && f->min != f->max) {
        json_put_dbl(o, "minimum", f->min);
        json_put_dbl(o, "maximum", f->max);
    }
    if (most) json_put_int(o, "maxLength", most);
    if (f->flags & READ_ONLY) json_put_bool(o, "readOnly", true);
    json_object_end(o);
}

static void put_kind(struct request *rq, struct json_out *o, const struct kind *k) {
    json_key(o, k->name);
    json_object(o);
    json_put_strz(o, "type", "object");
    json_put_strz(o, "title", label_in(k->label, rq->lang));
    json_key(o, "properties");
    json_object(o);
    for (size_t i = 0; i < k->n; i++) put_field(rq, o, &k->fields[i]);
    json_object_end(o);
    json_key(o, "required");
    json_array(o);
    for (size_t i = 0; i < k->n; i++)
        if (k->fields[i].flags & REQUIRED) json_strz(o, k->fields[i].name);
    json_array_end(o);
    json_object_end(o);
}

static void put_ref(struct json_out *o, const char *schema) {
    char path[96];
    snprintf(path, sizeof path, "#/components/schemas/%s", schema);
    json_object(o);
    json_put_strz(o, "$ref", path);
    json_object_end(o);
}

/* Name and type of each member. */
static void put_object(struct json_out *o, const char *name, const char *const members[][2], size_t n) {
    json_key(o, name);
    json_object(o);
    json_put_strz(o, "type", "object");
    json_key(o, "properties");
    json_object(o);
    for (size_t i = 0; i < n; i++) {
        json_key(o, members[i][0]);
        json_object(o);
        json_put_strz(o, "type", members[i][1]);
        json_object_end(o);
    }
    json_object_end(o);
    json_object_end(o);
}

static void put_schemas(struct request *rq, struct json_out *o) {
    static const char *const problem[][2] = {{"type", "string"}, {"title", "string"}, {"status", "integer"}, {"code", "string"}, {"detail", "string"},
                                             {"field", "string"}, {"reason", "string"}, {"request_id", "string"}, {"errors", "array"}};
    static const char *const command[][2] = {{"id", "string"}, {"command", "string"}, {"record", "string"}, {"version", "integer"},
                                             {"area", "string"}, {"data", "object"}};
    static const char *const record[][2] = {{"id", "string"}, {"kind", "string"}, {"version", "integer"}, {"area", "object"}, {"title", "string"},
                                            {"created_at", "string"}, {"updated_at", "string"}, {"data", "object"}, {"refs", "object"}};
    const struct kind *k;
    json_key(o, "components");
    json_object(o);
    json_key(o, "schemas");
    json_object(o);
    put_object(o, "Problem", problem, COUNT(problem));
    put_object(o, "Command", command, COUNT(command));
    put_object(o, "Record", record, COUNT(record));
    for (size_t i = 0; (k = kind_at(i)); i++) put_kind(rq, o, k);
    json_object_end(o);
    json_key(o, "securitySchemes");
    json_raw(o, STR("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"lf_session\"}}"));
    json_object_end(o);
}

static void put_parameter(struct json_out *o, struct str name) {
    const struct kind *k;
    json_object(o);
    json_put_str(o, "name", name);
    json_put_strz(o, "in", "path");
    json_put_bool(o, "required", true);
    json_key(o, "schema");
    json_object(o);
    json_put_strz(o, "type", "string");
    if (str_eq(name, STR("kind"))) {
        json_key(o, "enum");
        json_array(o);
        for (size_t i = 0; (k = kind_at(i)); i++) json_strz(o, k->name);
        json_array_end(o);
    }
    json_object_end(o);
    json_object_end(o);
}

static void put_parameters(struct json_out *o, const struct route *r) {
    struct str rest = str_z(r->pattern), part;
    json_key(o, "parameters");
    json_array(o);
    while (str_cut(&rest, '/', &part))
        if (part.n > 2 && part.p[0] == '{') put_parameter(o, str_sub(part, 1, part.n - 1));
    json_array_end(o);
}

static void put_responses(struct json_out *o) {
    json_key(o, "responses");
    json_object(o);
    json_key(o, "200");
    json_raw(o, STR("{\"description\":\"OK\"}"));
    json_key(o, "default");
    json_object(o);
    json_put_strz(o, "description", "What went wrong");
    json_key(o, "content");
    json_object(o);
    json_key(o, "application/problem+json");
    json_object(o);
    json_key(o, "schema");
    put_ref(o, "Problem");
    json_object_end(o);
    json_object_end(o);
    json_object_end(o);
    json_object_end(o);
}

static void put_body(struct json_out *o, const struct route *r) {
    if (!r->body || strcmp(r->method, "POST") != 0) return;
    json_key(o, "requestBody");
    json_object(o);
    json_key(o, "content");
    json_object(o);
    json_key(o, r->flags & R_BYTES ? "application/octet-stream" : "application/json");
    json_object(o);
    json_key(o, "schema");
    if (r->run == commands_route) put_ref(o, "Command");
    else json_raw(o, r->flags & R_BYTES ? STR("{\"type\":\"string\",\"format\":\"binary\"}") : STR("{\"type\":\"object\"}"));
    json_object_end(o);
    json_object_end(o);
    json_object_end(o);
}

static void put_operation(struct request *rq, struct json_out *o, const struct route *r) {
    char *method = arena_strz(rq->a, str_z(r->method));
    for (char *p = method; *p; p++) *p |= 0x20;
    json_key(o, method);
    json_object(o);
    json_put_strz(o, "summary", r->what);
    json_put_strz(o, "x-permission", r->needs);
    if (!r->needs[0]) {
        json_key(o, "security");
        json_raw(o, STR("[]"));
    }
    put_parameters(o, r);
    put_body(o, r);
    put_responses(o);
    json_object_end(o);
}

/* The table is sorted by pattern, so the operations of one path stand together. */
static void put_paths(struct request *rq, struct json_out *o) {
    const struct route *r, *before = NULL;
    json_key(o, "paths");
    json_object(o);
    for (size_t i = 0; (r = route_at(i)); before = r, i++) {
        bool same = before && strcmp(before->pattern, r->pattern) == 0;
        if (before && !same) json_object_end(o);
        if (!same) {
            json_key(o, r->pattern);
            json_object(o);
        }
        put_operation(rq, o, r);
    }
    json_object_end(o);
    json_object_end(o);
}

int openapi_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    (void)e;
    json_object(&o);
    json_put_strz(&o, "openapi", "3.1.0");
    json_key(&o, "info");
    json_object(&o);
    json_put_strz(&o, "title", rq->lang == LANG_EN ? "Lianfang" : "联防");
    json_put_strz(&o, "version", LF_VERSION);
    json_object_end(&o);
    json_key(&o, "security");
    json_raw(&o, STR("[{\"session\":[]},{\"token\":[]}]"));
    put_paths(rq, &o);
    put_schemas(rq, &o);
    json_object_end(&o);
    return 0;
}
