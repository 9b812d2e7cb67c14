/* The number on the card.  Eleven digits of base 32 (Crockford's, without I L O U) and a check digit by the hybrid system of ISO 7064
 * with modulus 33 and 32. */
#include "pass_internal.h"

enum { DIGITS = 11, GROUP = 4 };
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The check digit fits when 1 is left behind it. */
static int remainder_after(int before, int digit) {
    int sum = (before + digit) % 32;
    return sum ? sum : 32;
}

static int step(int before, int digit) {
    return remainder_after(before, digit) * 2 % 33;
}

static void show(const uint8_t digits[DIGITS + 1], char ret[PASS_NUMBER]) {
    size_t at = 0;
    for (size_t i = 0; i <= DIGITS; i++) {
        if (i && i % GROUP == 0) ret[at++] = '-';
        ret[at++] = alphabet[digits[i]];
    }
    ret[at] = 0;
}

const char *pass_number(struct id id, char ret[PASS_NUMBER]) {
    uint8_t digest[32], digits[DIGITS + 1];
    uint64_t bits = 0;
    int rest = 32;
    blake(digest, STR("pass number"), id_bytes(&id));
    for (int i = 0; i < 8; i++) bits = bits << 8 | digest[i];
    for (int i = 0; i < DIGITS; i++) {
        digits[i] = (uint8_t)(bits >> (59 - 5 * i) & 31);
        rest = step(rest, digits[i]);
    }
    digits[DIGITS] = (uint8_t)((33 - rest) % 32);
    show(digits, ret);
    return ret;
}

/* -1: not a digit. */
static int digit_of(char c) {
    if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

static bool read_digits(struct str typed, uint8_t ret[DIGITS + 1]) {
    size_t n = 0;
    int rest = 32;
    for (size_t i = 0; i < typed.n; i++) {
        if (typed.p[i] == '-' || typed.p[i] == ' ') continue;
        int digit = digit_of(typed.p[i]);
        if (digit < 0 || n > DIGITS) return false;
        ret[n++] = (uint8_t)digit;
        if (n <= DIGITS) rest = step(rest, digit);
    }
    return n == DIGITS + 1 && remainder_after(rest, ret[DIGITS]) == 1;
}

bool pass_number_parse(struct str typed, char ret[PASS_NUMBER]) {
    uint8_t digits[DIGITS + 1];
    if (!read_digits(typed, digits)) return false;
    show(digits, ret);
    return true;
}

bool pass_number_value(struct str plain, uint64_t *ret) {
    uint8_t digits[DIGITS + 1];
    char same[PASS_NUMBER];
    *ret = 0;
    if (plain.n != PASS_NUMBER - 1 || !read_digits(plain, digits)) return false;
    for (int i = 0; i < DIGITS; i++) *ret = *ret << 5 | digits[i];
    show(digits, same);
    return str_eqz(plain, same);
}
