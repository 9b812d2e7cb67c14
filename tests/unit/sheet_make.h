/* Workbooks for tests: an XLSX out of its XML parts, made in memory. */
#ifndef SHEET_MAKE_H
#define SHEET_MAKE_H

#include <zip.h>

#include "base/buf.h"

struct xlsx_piece {
    const char *name;
    struct str text;
};

/* The bytes of a zip file; the caller frees p. */
static inline struct str make_zip(const struct xlsx_piece *pieces, size_t n, bool pack) {
    zip_source_t *to = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *z = zip_open_from_source(to, ZIP_TRUNCATE, NULL);
    INVARIANT(z);
    zip_source_keep(to);
    for (size_t i = 0; i < n; i++) {
        if (!pieces[i].text.p) continue;
        zip_source_t *from = zip_source_buffer(z, pieces[i].text.p, pieces[i].text.n, 0);
        zip_int64_t at = zip_file_add(z, pieces[i].name, from, ZIP_FL_OVERWRITE);
        INVARIANT(at >= 0);
        zip_set_file_compression(z, (zip_uint64_t)at, pack ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 9);
    }
    INVARIANT(zip_close(z) == 0);
    INVARIANT(zip_source_open(to) == 0);
    zip_stat_t st;
    zip_source_stat(to, &st);
    char *p = malloc(st.size + 1);
    INVARIANT(p && zip_source_read(to, p, st.size) == (zip_int64_t)st.size);
    zip_source_close(to);
    zip_source_free(to);
    return (struct str){p, st.size};
}

#define MAIN_NS "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" " \
                "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\""
#define REL_NS "xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\""
#define REL_TYPE "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"

static const char make_root[] = "<Relationships " REL_NS "><Relationship Id=\"r1\" Type=\"" REL_TYPE
                                "officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";
static const char make_relations[] = "<Relationships " REL_NS ">"
                                     "<Relationship Id=\"r1\" Type=\"" REL_TYPE "worksheet\" Target=\"worksheets/sheet1.xml\"/>"
                                     "<Relationship Id=\"r2\" Type=\"" REL_TYPE "worksheet\" Target=\"/xl/worksheets/sheet2.xml\"/>"
                                     "<Relationship Id=\"r3\" Type=\"" REL_TYPE "worksheet\" Target=\"../xl/worksheets/sheet3.xml\"/>"
                                     "<Relationship Id=\"r4\" Type=\"" REL_TYPE "sharedStrings\" Target=\"sharedStrings.xml\"/>"
                                     "<Relationship Id=\"r5\" Type=\"" REL_TYPE "styles\" Target=\"styles.xml\"/>"
                                     "</Relationships>";
static const char make_book[] = "<workbook " MAIN_NS "><sheets><sheet name=\"名单\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>";

struct xlsx_parts {
    const char *sheet1, *sheet2, *sheet3, *shared, *styles, *book; /* NULL: left out; book: one sheet */
    bool pack;
};

static inline struct str make_xlsx(const struct xlsx_parts *x) {
    struct xlsx_piece pieces[] = {
        {"_rels/.rels", str_z(make_root)},
        {"xl/workbook.xml", str_z(x->book ? x->book : make_book)},
        {"xl/_rels/workbook.xml.rels", str_z(make_relations)},
        {"xl/worksheets/sheet1.xml", str_z(x->sheet1)},
        {"xl/worksheets/sheet2.xml", str_z(x->sheet2)},
        {"xl/worksheets/sheet3.xml", str_z(x->sheet3)},
        {"xl/sharedStrings.xml", str_z(x->shared)},
        {"xl/styles.xml", str_z(x->styles)},
    };
    return make_zip(pieces, COUNT(pieces), x->pack);
}

#endif
