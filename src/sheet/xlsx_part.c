/* One part of the package: unpacked piece by piece, parsed as it comes.
 *
 * The bytes are a stranger's: the declared size, the real one and their ratio are bounded, a document type is refused (so there
 * are no entities), and a single tag may not grow without end. */
#include "xlsx.h"

enum { CHUNK = 65536, TOKEN_MAX = 1 << 20, RATIO = 400, RATIO_FREE = 64 << 20 };

const char *xml_local(const char *name) {
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

const char *xml_attribute(const char **attributes, const char *name) {
    for (; attributes[0]; attributes += 2)
        if (!strcmp(xml_local(attributes[0]), name)) return attributes[1];
    return NULL;
}

/* ---- handlers ---- */
void xlsx_pause(struct xlsx_part *p) {
    XML_StopParser(p->xml, XML_TRUE);
}

void xlsx_stop(struct xlsx_part *p) {
    p->stopped = true;
    XML_StopParser(p->xml, XML_FALSE);
}

void xlsx_fail(struct xlsx_part *p) {
    p->failed = true;
    XML_StopParser(p->xml, XML_FALSE);
}

static int damaged(struct xlsx_part *p, struct err *e) {
    char where[80];
    unsigned long line = p->xml ? XML_GetCurrentLineNumber(p->xml) : 0, column = p->xml ? XML_GetCurrentColumnNumber(p->xml) : 0;
    snprintf(where, sizeof where, "%.50s %lu:%lu", p->name, line, column + 1);
    return sheet_damaged(p->x->s, where, e);
}

void xlsx_damaged(struct xlsx_part *p) {
    damaged(p, &p->err);
    xlsx_fail(p);
}

struct bound {
    struct xlsx_handlers h;
    struct xlsx_part *p;
};

static void XMLCALL on_start(void *arg, const char *name, const char **attributes) {
    struct bound *b = arg;
    if (!b->p->failed && !b->p->stopped) b->h.start(b->p, xml_local(name), attributes);
}

static void XMLCALL on_end(void *arg, const char *name) {
    struct bound *b = arg;
    if (b->h.end && !b->p->failed && !b->p->stopped) b->h.end(b->p, xml_local(name));
}

static void XMLCALL on_text(void *arg, const char *text, int n) {
    struct bound *b = arg;
    if (!b->p->failed && !b->p->stopped) b->h.text(b->p, (struct str){text, (size_t)n});
}

static void XMLCALL on_doctype(void *arg, const char *name, const char *system_id, const char *public_id, int internal) {
    (void)name, (void)system_id, (void)public_id, (void)internal;
    struct bound *b = arg;
    xlsx_damaged(b->p);
}

/* ---- open ---- */
/* Some programs write names with backslashes or in another case. */
static zip_int64_t locate(zip_t *zip, const char *name) {
    zip_int64_t i = zip_name_locate(zip, name, ZIP_FL_NOCASE);
    if (i >= 0) return i;
    char other[256];
    snprintf(other, sizeof other, "%s", name);
    for (char *c = other; *c; c++)
        if (*c == '/') *c = '\\';
    return zip_name_locate(zip, other, ZIP_FL_NOCASE);
}

int xlsx_part_over_limit(struct xlsx_part *p, struct err *e) {
    uint64_t ratio = p->read / MAX(p->packed, UINT64_C(1));
    if (p->read > p->max || p->size > p->max) return sheet_unpacked_too_large(p->x->s, p->max, e);
    if (p->x->unpacked > XLSX_ALL_MAX) return sheet_unpacked_too_large(p->x->s, XLSX_ALL_MAX, e);
    if (p->read > RATIO_FREE && ratio > RATIO) return sheet_unpacked_too_large(p->x->s, p->read, e);
    return 0;
}

void xlsx_part_took(struct xlsx_part *p, zip_int64_t n) {
    p->read += (uint64_t)n;
    p->x->unpacked += (uint64_t)n;
}

static int open_parser(struct xlsx_part *p, const struct xlsx_handlers *h) {
    struct bound *b = arena_new(&p->x->arena, struct bound, 1);
    *b = (struct bound){*h, p};
    p->xml = XML_ParserCreate(NULL);
    INVARIANT(p->xml);
    XML_SetUserData(p->xml, b);
    XML_SetElementHandler(p->xml, on_start, on_end);
    if (h->text) XML_SetCharacterDataHandler(p->xml, on_text);
    XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
    return 1;
}

int xlsx_part_open(struct xlsx_part *p, struct xlsx *x, const char *name, uint64_t max, const struct xlsx_handlers *h, struct err *e) {
    *p = (struct xlsx_part){.x = x, .max = max};
    snprintf(p->name, sizeof p->name, "%s", name);
    zip_int64_t i = locate(x->zip, name);
    if (i < 0) return 0;
    zip_stat_t st;
    if (zip_stat_index(x->zip, (zip_uint64_t)i, 0, &st)) return damaged(p, e);
    p->size = st.valid & ZIP_STAT_SIZE ? st.size : 0;
    p->packed = st.valid & ZIP_STAT_COMP_SIZE ? st.comp_size : 0;
    TRY(xlsx_part_over_limit(p, e));
    p->file = zip_fopen_index(x->zip, (zip_uint64_t)i, 0);
    if (!p->file && zip_error_code_zip(zip_get_error(x->zip)) == ZIP_ER_NOPASSWD) return sheet_password(x->s, e);
    if (!p->file) return damaged(p, e);
    return open_parser(p, h);
}

void xlsx_part_close(struct xlsx_part *p) {
    if (p->file) zip_fclose(p->file);
    if (p->xml) XML_ParserFree(p->xml);
    p->file = NULL;
    p->xml = NULL;
}

/* ---- run ---- */
static enum XML_Status parse_chunk(struct xlsx_part *p, bool *ret_unreadable) {
    void *to = XML_GetBuffer(p->xml, CHUNK);
    *ret_unreadable = true;
    if (!to) return XML_STATUS_ERROR;
    zip_int64_t n = zip_fread(p->file, to, CHUNK);
    if (n < 0) return XML_STATUS_ERROR;
    *ret_unreadable = false;
    xlsx_part_took(p, n);
    p->parsed += (uint64_t)n;
    return XML_ParseBuffer(p->xml, (int)n, n == 0);
}

enum xlsx_result xlsx_part_run(struct xlsx_part *p, struct err *e) {
    for (;;) {
        bool unreadable = false;
        enum XML_Status status = p->paused ? XML_ResumeParser(p->xml) : parse_chunk(p, &unreadable);
        if (p->failed) {
            *e = p->err;
            return XLSX_ERROR;
        }
        if (p->stopped) return XLSX_END;
        p->paused = status == XML_STATUS_SUSPENDED;
        if (p->paused) return XLSX_PAUSED;
        if (unreadable || status == XML_STATUS_ERROR) return damaged(p, e);
        XML_ParsingStatus parsing;
        XML_GetParsingStatus(p->xml, &parsing);
        if (parsing.parsing == XML_FINISHED) return XLSX_END;
        XML_Index at = XML_GetCurrentByteIndex(p->xml);
        if (at >= 0 && p->parsed - MIN(p->parsed, (uint64_t)at) > TOKEN_MAX) return damaged(p, e);
        if (xlsx_part_over_limit(p, e)) return XLSX_ERROR;
    }
}
