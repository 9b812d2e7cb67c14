/* The parts of an XLSX file, between xlsx_part.c (zip and XML), xlsx_book.c (what stands around the sheets) and xlsx.c. */
#ifndef SHEET_XLSX_H
#define SHEET_XLSX_H

#include <expat.h>
#include <zip.h>

#include "base/arena.h"
#include "sheet_internal.h"

#define XLSX_PART_MAX ((uint64_t)1 << 30)   /* unpacked bytes of one part */
#define XLSX_SMALL_MAX ((uint64_t)64 << 20) /* the same where lists of styles or sheets stand */
#define XLSX_ALL_MAX ((uint64_t)5 << 29)    /* and of all that is read */

enum xlsx_result { XLSX_ERROR = -1, XLSX_END, XLSX_PAUSED };

struct xlsx;
/* A part being unpacked and parsed.  Handlers get the part as user data. */
struct xlsx_part {
    struct xlsx *x;
    char name[256];
    zip_file_t *file;
    XML_Parser xml;
    uint64_t size, packed, read, parsed, max; /* bytes; the parser may see only the end of what was read */
    bool paused, stopped; /* stopped: the handler has what it wanted */
    bool failed;
    struct err err;
};
struct xlsx_handlers {
    void (*start)(struct xlsx_part *p, const char *name, const char **attributes); /* names without prefix */
    void (*end)(struct xlsx_part *p, const char *name);
    void (*text)(struct xlsx_part *p, struct str text);
};
/* 1: open, 0: there is no such part, -1. */
int xlsx_part_open(struct xlsx_part *p, struct xlsx *x, const char *name, uint64_t max, const struct xlsx_handlers *h, struct err *e);
enum xlsx_result xlsx_part_run(struct xlsx_part *p, struct err *e); /* to the next pause, or the end */
void xlsx_part_close(struct xlsx_part *p);                          /* may be called again */
void xlsx_part_took(struct xlsx_part *p, zip_int64_t n);
int xlsx_part_over_limit(struct xlsx_part *p, struct err *e);       /* 0, or -1: more than is allowed was unpacked */
void xlsx_pause(struct xlsx_part *p);                               /* for handlers */
void xlsx_stop(struct xlsx_part *p);
void xlsx_fail(struct xlsx_part *p); /* p->err is set */
void xlsx_damaged(struct xlsx_part *p);
const char *xml_local(const char *name);
/* The value of an attribute, whatever its prefix; NULL. */
const char *xml_attribute(const char **attributes, const char *name);

struct xlsx_sheet {
    const char *name, *part;
    bool hidden;
};
struct xlsx_relation {
    struct xlsx_relation *next;
    const char *id, *type, *target;
};
/* Text that a shared or inline string gathers: <t> wherever it is, but not in <rPh>. */
struct xlsx_text {
    bool on, keep_space;
    int phonetic;
    size_t from;
};
struct xlsx {
    struct sheet *s;
    struct arena arena;
    zip_t *zip;
    uint64_t unpacked;
    bool from_1904;
    struct xlsx_relation *relations; /* of the part read last */
    const char *shared_part, *styles_part;
    struct xlsx_sheet *sheets;
    size_t sheet_count;
    /* styles: is the number format of cell style i a date? */
    uint8_t *style_date;
    size_t style_count, style_cap;
    uint8_t custom_known[8192], custom_date[8192]; /* bits by format id */
    int styles_section;
    /* shared strings */
    struct buf shared;
    uint32_t *shared_at; /* shared_count + 1 places */
    size_t shared_count, shared_cap;
    struct xlsx_text text;
    /* the worksheet */
    struct xlsx_part part;
    bool in_data, in_row, in_cell, in_value;
    int64_t row;
    int column;
    char type; /* first letters of t tell all: n s b e d, t for str, i for inlineStr */
    size_t style, cell_from;
};
int xlsx_read_book(struct xlsx *x, struct err *e);
int xlsx_read_shared(struct xlsx *x, struct err *e);
int xlsx_read_styles(struct xlsx *x, struct err *e);
int xlsx_read_merges(struct xlsx *x, const char *part, struct err *e);
/* <t> and <rPh>, shared by shared and inline strings; `to` gets the text. */
void xlsx_text_start(struct xlsx_text *t, struct buf *to, const char *name, const char **attributes);
void xlsx_text_end(struct xlsx_text *t, struct buf *to, const char *name);
void xlsx_unescape(struct buf *b, size_t from); /* _x000D_ and the like */

#endif
