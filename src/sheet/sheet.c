/* Opening by content, and what all formats have in common: empty rows are skipped, merged values filled in. */
#include "sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "sheet_internal.h"

/* ---- errors ---- */
int sheet_damaged(struct sheet *s, const char *where, struct err *e) {
    return err_set(e, ERR_INVALID, NULL, M_FILE_DAMAGED, s->name, where);
}

int sheet_cell_too_large(struct sheet *s, int64_t row, struct err *e) {
    char number[24], limit[24];
    snprintf(number, sizeof number, "%lld", (long long)row);
    snprintf(limit, sizeof limit, "%d", SHEET_CELL_BYTES);
    return err_set(e, ERR_TOO_LARGE, NULL, M_FILE_CELL, s->name, number, limit);
}

int sheet_too_many_rows(struct sheet *s, struct err *e) {
    char limit[24];
    snprintf(limit, sizeof limit, "%d", SHEET_ROWS);
    return err_set(e, ERR_TOO_LARGE, NULL, M_FILE_ROWS, s->name, limit);
}

int sheet_unpacked_too_large(struct sheet *s, uint64_t limit, struct err *e) {
    char bytes[24];
    snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)limit);
    return err_set(e, ERR_TOO_LARGE, NULL, M_FILE_UNPACKED, s->name, bytes);
}

int sheet_password(struct sheet *s, struct err *e) {
    return err_set(e, ERR_INVALID, NULL, M_FILE_PASSWORD, s->name);
}

int sheet_no_format(struct sheet *s, struct err *e) {
    return err_set(e, ERR_MEDIA_TYPE, NULL, M_FILE_FORMAT, s->name);
}

int sheet_no_worksheet(struct sheet *s, const char *wanted, struct err *e) {
    return err_set(e, ERR_NOT_FOUND, NULL, M_FILE_SHEET, s->name, wanted);
}

/* ---- opening ---- */
static enum sheet_format by_content(struct str head) {
    if (str_starts(head, STR("PK\x03\x04")) || str_starts(head, STR("PK\x05\x06"))) return SHEET_XLSX;
    if (str_starts(head, STR("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))) return SHEET_XLS;
    return SHEET_AUTO; /* text; csv_open tells CSV from TSV */
}

static int open_as(struct sheet *s, const struct sheet_options *o, struct str head, struct sheet_source *from, struct err *e) {
    enum sheet_format is = by_content(head);
    bool book = o->format == SHEET_XLSX || o->format == SHEET_XLS;
    /* Either workbook may come under the other's name; an .xlsx with a password is a compound file, as .xls is. */
    s->format = o->format == SHEET_AUTO || book ? is : o->format;
    s->charset = "UTF-8";
    if (s->format == SHEET_XLSX) return xlsx_open(s, o, from, e);
    if (s->format == SHEET_XLS) return xls_open(s, o, from, e);
    if (!book) return csv_open(s, o, from, e);
    if (from->fd >= 0) close(from->fd);
    return sheet_no_format(s, e);
}

static int open_source(const char *name, const struct sheet_options *o, struct str head, struct sheet_source *from,
                       struct sheet **ret, struct err *e) {
    static const struct sheet_options none = {0};
    struct sheet *s CLEANUP(sheet_closep) = calloc(1, sizeof *s);
    INVARIANT(s);
    const char *slash = strrchr(name, '/');
    struct str base = utf8_fit(str_z(slash ? slash + 1 : name), sizeof s->name - 1);
    memcpy(s->name, base.p, base.n);
    TRY(open_as(s, o ? o : &none, head, from, e));
    *ret = TAKE(s);
    return 0;
}

int sheet_open_bytes(struct str bytes, const char *name, const struct sheet_options *o, struct sheet **ret, struct err *e) {
    struct sheet_source from = {.bytes = {bytes.p ? bytes.p : "", bytes.n}, .fd = -1, .size = bytes.n};
    return open_source(name, o, bytes, &from, ret, e);
}

int sheet_open(const char *path, const struct sheet_options *o, struct sheet **ret, struct err *e) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0) return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, NULL, M_FILE, path, strerror(errno));
    char head[8];
    ssize_t n = -1;
    if (fstat(fd, &st) == 0) {
        errno = EISDIR;
        /* A pipe cannot be looked at twice: text only. */
        if (!S_ISDIR(st.st_mode)) n = S_ISREG(st.st_mode) ? pread(fd, head, sizeof head, 0) : 0;
    }
    if (n < 0) {
        err_set(e, ERR_IO, NULL, M_FILE, path, strerror(errno));
        close(fd);
        return -1;
    }
    struct sheet_source from = {.fd = fd, .path = path, .size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0};
    return open_source(path, o, (struct str){head, (size_t)n}, &from, ret, e);
}

/* ---- rows ---- */
int sheet_pull(struct sheet *s, struct err *e) {
    for (;;) {
        int r = s->ops->next(s, e);
        if (r <= 0) return r;
        if (s->row.text.failed) return sheet_cell_too_large(s, s->row.number, e);
        if (row_is_empty(&s->row)) continue;
        row_finish(&s->row);
        merges_apply(&s->merges, &s->row);
        row_finish(&s->row);
        return 1;
    }
}

static bool all_tabs_hidden(const struct sheet *s) {
    bool hidden = true;
    for (size_t i = 0; s->ops->tab(s, i).name; i++) hidden = hidden && s->ops->tab(s, i).hidden;
    return hidden;
}

int sheet_choose(struct sheet *s, const char *wanted, struct err *e) {
    bool all_hidden = all_tabs_hidden(s);
    struct sheet_tab tab;
    for (size_t i = 0; (tab = s->ops->tab(s, i)).name; i++) {
        if (wanted ? strcmp(tab.name, wanted) != 0 : tab.hidden && !all_hidden) continue;
        TRY(s->ops->begin(s, i, e));
        if (wanted) return 0;
        int r = sheet_pull(s, e);
        if (r < 0) return -1;
        s->pending = r > 0;
        if (r > 0) return 0;
    }
    if (wanted) return sheet_no_worksheet(s, wanted, e);
    s->ended = true;
    return 0;
}

int sheet_next(struct sheet *s, struct sheet_row *ret, struct err *e) {
    if (s->ended) return 0;
    int r = s->pending ? 1 : sheet_pull(s, e);
    s->pending = false;
    if (r <= 0) {
        s->ended = true;
        return r;
    }
    *ret = (struct sheet_row){s->row.number, s->row.cells, s->row.count};
    return 1;
}

enum sheet_format sheet_format(const struct sheet *s) {
    return s->format;
}

const char *sheet_charset(const struct sheet *s) {
    return s->charset;
}

double sheet_progress(const struct sheet *s) {
    return s->ended ? 1 : s->ops->progress(s);
}

void sheet_close(struct sheet *s) {
    if (!s) return;
    if (s->ops) s->ops->close(s);
    merges_release(&s->merges);
    buf_release(&s->row.text);
    free(s);
}

void sheet_closep(struct sheet **s) {
    sheet_close(*s);
}
