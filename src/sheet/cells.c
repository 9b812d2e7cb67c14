/* The row in the making, and how its numbers and dates read.
 *
 * Spreadsheets keep doubles.  A person must see the digits that were typed: the shortest decimal that gives the same double is
 * that text for up to 15 digits.  From 2^53 on digits are lost, and the reader says so instead of inventing them. */
#include "sheet_internal.h"

#include <math.h>

#define EXACT_END 9007199254740992.0 /* 2^53 */

void row_begin(struct row *r, int64_t number) {
    memset(r->cells, 0, r->count * sizeof r->cells[0]);
    r->count = 0;
    r->number = number;
    buf_clear(&r->text);
    r->text.max = ROW_TEXT_MAX;
}

void row_set(struct row *r, size_t column, struct cell c, size_t from) {
    INVARIANT(column < SHEET_COLUMNS && from <= r->text.n);
    c.text.n = r->text.n - from;
    r->cells[column] = c;
    r->from[column] = from;
    for (; r->count < column; r->count++) r->from[r->count] = ROW_BORROWED;
    r->count = MAX(r->count, column + 1);
}

void row_lend(struct row *r, size_t column, struct cell c) {
    row_set(r, column, (struct cell){.type = c.type}, r->text.n);
    r->cells[column] = c;
    r->from[column] = ROW_BORROWED;
}

void row_cut(struct row *r, size_t n) {
    INVARIANT(n <= r->text.n);
    r->text.n = n;
    if (r->text.p) r->text.p[n] = 0;
}

void row_finish(struct row *r) {
    for (size_t i = 0; i < r->count; i++)
        if (r->from[i] != ROW_BORROWED) r->cells[i].text.p = r->text.p ? r->text.p + r->from[i] : "";
        else if (!r->cells[i].text.p) r->cells[i].text.p = "";
}

bool row_is_empty(const struct row *r) {
    for (size_t i = 0; i < r->count; i++)
        if (r->cells[i].type != CELL_EMPTY) return false;
    return true;
}

/* ---- numbers ---- */
static size_t trim_zeros(char *out, size_t n) {
    if (!memchr(out, '.', n)) return n;
    while (out[n - 1] == '0') n--;
    if (out[n - 1] == '.') n--;
    out[n] = 0;
    return n;
}

size_t number_text(double v, char out[NUMBER_TEXT], bool *ret_scientific) {
    *ret_scientific = fabs(v) >= EXACT_END;
    if (v == 0) v = 0; /* no "-0" */
    if (!*ret_scientific && v == trunc(v)) return (size_t)snprintf(out, NUMBER_TEXT, "%lld", (long long)v);
    int precision = 15, n = 0;
    for (; precision <= 17; precision++) {
        n = snprintf(out, NUMBER_TEXT, "%.*G", precision, v);
        if (strtod(out, NULL) == v) break;
    }
    if (*ret_scientific) {
        /* %G writes 1.0E+16 without exponent when the precision allows it. */
        n = snprintf(out, NUMBER_TEXT, "%.*E", MIN(precision, 17) - 1, v);
        char *exponent = strchr(out, 'E');
        if (!exponent) return (size_t)n;
        char tail[8];
        snprintf(tail, sizeof tail, "%s", exponent);
        size_t head = trim_zeros(out, (size_t)(exponent - out));
        return head + (size_t)snprintf(out + head, NUMBER_TEXT - head, "%s", tail);
    }
    if (fabs(v) < 1e-4 && fabs(v) >= 1e-9) {
        int digits = MIN(precision, 17) - 1 - (int)floor(log10(fabs(v)));
        n = snprintf(out, NUMBER_TEXT, "%.*f", digits, v);
        return trim_zeros(out, (size_t)n);
    }
    return (size_t)n;
}

bool number_plain(struct str s, double *ret) {
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool minus = s.n && s.p[0] == '-';
    size_t i = minus, digits = 0, decimals = 0;
    int64_t v = 0;
    bool point = false;
    if (s.n > 18 || i >= s.n || s.p[i] == '.') return false;
    if (s.p[i] == '0' && i + 1 < s.n && s.p[i + 1] != '.') return false;
    for (; i < s.n; i++) {
        if (s.p[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (s.p[i] < '0' || s.p[i] > '9' || ++digits > 15) return false;
        v = v * 10 + (s.p[i] - '0');
        decimals += point;
    }
    if (s.p[s.n - 1] == '.') return false;
    /* Both are exact, so the quotient is the double nearest to the text. */
    *ret = (double)(minus ? -v : v) / tens[decimals];
    return true;
}

static size_t count_digits(struct str s, size_t at) {
    size_t n = 0;
    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9') n++;
    return n;
}

bool number_scientific(struct str s, double *ret) {
    size_t i = s.n && s.p[0] == '-';
    if (count_digits(s, i) != 1) return false;
    i++;
    if (i < s.n && s.p[i] == '.') {
        size_t n = count_digits(s, i + 1);
        if (n == 0) return false;
        i += 1 + n;
    }
    /* The sign and the second digit are always there in what programs write; a room "3E12" has neither. */
    if (i + 1 >= s.n || (s.p[i] != 'E' && s.p[i] != 'e') || (s.p[i + 1] != '+' && s.p[i + 1] != '-')) return false;
    size_t n = count_digits(s, i + 2);
    return n >= 2 && n <= 3 && i + 2 + n == s.n && str_to_real(s, -1e308, 1e308, ret);
}

/* ---- dates ---- */
bool format_is_date(int id) {
    return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
}

/* What stands in quotes, brackets or behind an escape is shown, not computed.  `aaa` is the day of the week. */
bool format_code_is_date(struct str code) {
    for (size_t i = 0; i < code.n; i++) {
        char c = code.p[i];
        if (c == '\\' || c == '_' || c == '*') {
            i++;
        } else if (c == '"' || c == '[') {
            ptrdiff_t end = str_find_char(str_sub(code, i + 1, code.n), c == '"' ? '"' : ']');
            if (end < 0) return false;
            i += (size_t)end + 1;
        } else if (c && strchr("ymdhsYMDHS", c)) {
            return true;
        } else if ((c == 'a' || c == 'A') && str_ieq(str_sub(code, i, i + 3), STR("aaa"))) {
            return true;
        }
    }
    return false;
}

size_t serial_text(double serial, bool from_1904, char out[NUMBER_TEXT]) {
    if (!(serial >= 0 && serial < 2958466)) return 0;
    int64_t day = (int64_t)floor(serial), second = llround((serial - floor(serial)) * 86400);
    if (second == 86400) {
        day++;
        second = 0;
    }
    char time[16];
    snprintf(time, sizeof time, "%02d:%02d:%02d", (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    if (day == 0 && !from_1904) return (size_t)snprintf(out, NUMBER_TEXT, "%s", time);
    char date[DAY_TEXT];
    /* The day 1900-02-29 never was, but has the serial 60 in the 1900 system; it is shown as the spreadsheet shows it. */
    if (from_1904) day_text((day_t)(day_make(1904, 1, 1) + day), date);
    else if (day == 60) snprintf(date, sizeof date, "1900-02-29");
    else day_text((day_t)(day_make(1899, 12, day < 60 ? 31 : 30) + day), date);
    return (size_t)snprintf(out, NUMBER_TEXT, second ? "%s %s" : "%s", date, time);
}

void row_set_number(struct row *r, size_t column, double v, bool is_date, bool from_1904) {
    char text[NUMBER_TEXT];
    struct cell c = {.type = CELL_DATE, .number = v};
    size_t n = is_date ? serial_text(v, from_1904, text) : 0;
    if (!n && !isfinite(v)) {
        c = (struct cell){.type = CELL_ERROR};
        n = (size_t)snprintf(text, sizeof text, "#NUM!");
    } else if (!n) {
        c.type = CELL_NUMBER;
        n = number_text(v, text, &c.scientific);
    }
    size_t from = r->text.n;
    buf_add(&r->text, text, n);
    row_set(r, column, c, from);
}
