/* Numbers that belong to a person or a car: identity cards, phones, plates. */
#include "text.h"

#include "base/utf8.h"

enum { PHONE_LEAST = 5, PHONE_MOST = 20, MOBILE = 11, PLATE_MOST = 8 };

static bool is_digit(int32_t c) {
    return c >= '0' && c <= '9';
}

bool text_id_number(struct str s, day_t *ret_birth, bool *ret_male) {
    static const uint8_t weight[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    if (s.n != 18 || s.p[0] == '0') return false;
    unsigned sum = 0;
    for (size_t i = 0; i < 17; i++) {
        if (!is_digit(s.p[i])) return false;
        sum += (unsigned)(s.p[i] - '0') * weight[i];
    }
    char last = s.p[17] == 'x' ? 'X' : s.p[17];
    if (last != "10X98765432"[sum % 11]) return false;
    int64_t year, month, date;
    if (!str_to_int(str_sub(s, 6, 10), 1850, 9999, &year) || !str_to_int(str_sub(s, 10, 12), 1, 12, &month) ||
        !str_to_int(str_sub(s, 12, 14), 1, 31, &date))
        return false;
    day_t birth = day_make((int)year, (int)month, (int)date);
    if (birth == DAY_NONE) return false;
    if (ret_birth) *ret_birth = birth;
    if (ret_male) *ret_male = (s.p[16] - '0') % 2 == 1;
    return true;
}

static bool among(int32_t c, const char *these) {
    struct str all = str_z(these);
    for (size_t at = 0; at < all.n;)
        if (utf8_next(all, &at) == c) return true;
    return false;
}

bool text_phone(struct arena *a, struct str s, struct str *ret) {
    s = utf8_plain(a, s);
    bool plus = false;
    char digits[PHONE_MOST + 4];
    size_t n = 0;
    for (size_t at = 0; at < s.n;) {
        int32_t c = utf8_next(s, &at);
        if (is_digit(c) && n < sizeof digits) digits[n++] = (char)c;
        else if (c == '+' && n == 0 && !plus) plus = true;
        else if (!among(c, " -.()[]\t‐‑–—【】·")) return false;
    }
    struct str all = {digits, n};
    size_t prefix = !plus && str_starts(all, STR("0086")) ? 4 : str_starts(all, STR("86")) ? 2 : 0;
    if (prefix && n == prefix + MOBILE && digits[prefix] == '1' && digits[prefix + 1] >= '3') all = str_sub(all, prefix, n);
    if (all.n < PHONE_LEAST || all.n > PHONE_MOST) return false;
    *ret = arena_str(a, all);
    return true;
}

/* ---- plates ---- */

static bool is_letter(int32_t c) {
    return c >= 'A' && c <= 'Z';
}
static bool is_serial(int32_t c) {
    return is_digit(c) || (is_letter(c) && c != 'I' && c != 'O');
}
static bool is_energy(int32_t c) {
    return among(c, "ABCDEFGHJK");
}
static bool all_digits(const int32_t *c, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!is_digit(c[i])) return false;
    return true;
}

static bool is_embassy(const int32_t *c, size_t n) {
    return n == 7 && ((c[0] == U'使' && all_digits(c + 1, 6)) || (c[6] == U'使' && all_digits(c, 6)));
}

/* Five signs behind the letter; the last may be the word of its use. */
static bool is_ordinary(const int32_t *c) {
    for (size_t i = 0; i < 4; i++)
        if (!is_serial(c[i])) return false;
    return is_serial(c[4]) || among(c[4], "警学挂港澳使领");
}

/* Small cars D12345 or DA1234, large ones 12345D. */
static bool is_new_energy(const int32_t *c) {
    bool small = is_energy(c[0]) && is_serial(c[1]) && all_digits(c + 2, 4);
    return small || (all_digits(c, 5) && is_energy(c[5]));
}

static bool is_plate(const int32_t *c, size_t n) {
    if (is_embassy(c, n)) return true;
    if (n < 7 || !among(c[0], "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新") || !is_letter(c[1])) return false;
    return n == 7 ? is_ordinary(c + 2) : is_new_energy(c + 2);
}

bool text_plate(struct arena *a, struct str s, struct str *ret) {
    s = utf8_plain(a, s);
    int32_t signs[PLATE_MOST];
    size_t n = 0;
    struct buf out CLEANUP(buf_release) = BUF(PLATE_MOST * 4);
    for (size_t at = 0; at < s.n;) {
        int32_t c = utf8_next(s, &at);
        if (among(c, " \t-.·•・‧∙⋅")) continue;
        if (c < 0 || n == PLATE_MOST) return false;
        signs[n++] = c >= 'a' && c <= 'z' ? c - 32 : c;
        utf8_add(&out, signs[n - 1]);
    }
    if (!is_plate(signs, n)) return false;
    *ret = arena_str(a, buf_str(&out));
    return true;
}
