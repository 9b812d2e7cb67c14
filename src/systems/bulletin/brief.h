/* The figures of every system for an area and a day or period, in words, tables and a chart, in three languages: text, JSON, HTML, XLSX.
 *
 * Figures are live; where a bulletin of the same area and period was issued before, the value of its first revision stands beside each figure
 * that has changed since. */
#ifndef BRIEF_H
#define BRIEF_H

#include "core/figure.h"

enum brief_format { BRIEF_TEXT, BRIEF_JSON, BRIEF_HTML, BRIEF_XLSX };
bool brief_format_from(struct str name, enum brief_format *ret);
const char *brief_media_type(enum brief_format f);

struct brief_figure {
    const struct figure *figure;
    struct figure_value value; /* cut "" first, then the cuts */
    bool was_issued;           /* `first` is what the first revision said */
    bool first_none;
    double first;
};
struct brief {
    struct site *site;
    struct str code, name;
    day_t from, to;
    struct brief_figure *figures;
    size_t n;
    int64_t revisions;         /* bulletins issued for this area and period */
    day_t curve_from;          /* new confirmed cases day by day, for the chart */
    double *curve;
    size_t curve_n;
};
/* Everything lives in the arena. */
int brief_make(struct db *db, struct site *s, struct arena *a, const struct area *area, day_t from, day_t to, struct brief *ret, struct err *e);
void brief_text(const struct brief *b, enum lang lang, struct buf *to);
void brief_json(const struct brief *b, enum lang lang, struct buf *to);
void brief_html(const struct brief *b, enum lang lang, struct buf *to);
int brief_xlsx(const struct brief *b, enum lang lang, const char *path, struct err *e);
/* "2020年2月10日" or "2020-02-10" */
void brief_day(day_t d, enum lang lang, struct buf *to);
/* How a value and a cut are shown. */
void brief_value(const struct figure *f, const struct figure_value *v, enum lang lang, struct buf *to);
void brief_cut(const struct figure *f, struct str cut, enum lang lang, struct buf *to);

#endif
