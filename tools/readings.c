/* Writes src/text/readings.def: ICU's Mandarin readings of the Han characters, by syllable, with the corrections below.
 *   cc -o /tmp/readings tools/readings.c $(pkg-config --cflags --libs icu-i18n icu-uc) && /tmp/readings >src/text/readings.def
 * Made once and kept in the tree: opening ICU's transliterator takes a quarter of a second and the readings another half. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

enum { FIRST = 0x3400, END = 0xa000, PER_LINE = 40 };
static const char *const corrections[][2] = {
    {"长", "chang"}, {"長", "chang"}, {"地", "di"},   {"都", "du"},   {"卜", "bu"},  {"晟", "sheng"},
    {"曾", "zeng"},  {"覃", "qin"},   {"埔", "pu"},   {"甯", "ning"}, {"阚", "kan"}, {"闞", "kan"},
    {"拓", "tuo"},   {"藏", "zang"},  {"蚌", "beng"}, {"佴", "nai"},
};
static char syllable[END - FIRST][8];

static void check(UErrorCode e) {
    if (U_SUCCESS(e)) return;
    fprintf(stderr, "%s\n", u_errorName(e));
    exit(1);
}

/* Tones away, ü as v; empty when other letters than these are left. */
static void plain(const UChar *from, int32_t n, char *to) {
    size_t m = 0;
    for (int32_t i = 0; i < n; i++) {
        if (from[i] == 0x308 && m && to[m - 1] == 'u') to[m - 1] = 'v';
        if (from[i] >= 0x300 && from[i] < 0x370) continue;
        if (from[i] < 'a' || from[i] > 'z' || m == 6) {
            to[0] = 0;
            return;
        }
        to[m++] = (char)from[i];
    }
}

static void utf8(int c, char *to) {
    UErrorCode e = U_ZERO_ERROR;
    u_strToUTF8(to, 8, NULL, (const UChar[]){(UChar)c}, 1, &e);
    check(e);
}

static void read_all(void) {
    UErrorCode e = U_ZERO_ERROR;
    UTransliterator *t = utrans_openU(u"Han-Latin", -1, UTRANS_FORWARD, NULL, 0, NULL, &e);
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&e);
    check(e);
    for (int c = FIRST; c < END; c++) {
        UChar text[64] = {(UChar)c}, apart[64];
        int32_t n = 1, limit = 1;
        char han[8];
        utrans_transUChars(t, text, &n, 64, 0, &limit, &e);
        n = unorm2_normalize(nfd, text, n, apart, 64, &e);
        check(e);
        plain(apart, n, syllable[c - FIRST]);
        utf8(c, han);
        for (size_t i = 0; i < sizeof corrections / sizeof corrections[0]; i++)
            if (strcmp(corrections[i][0], han) == 0) snprintf(syllable[c - FIRST], sizeof syllable[0], "%s", corrections[i][1]);
    }
    utrans_close(t);
}

static int by_text(const void *a, const void *b) {
    return strcmp(a, b);
}

int main(void) {
    static char names[END - FIRST][8];
    read_all();
    memcpy(names, syllable, sizeof names);
    qsort(names, END - FIRST, sizeof names[0], by_text);
    puts("/* Mandarin readings without tones (ü is v), written by tools/readings.c from ICU " U_ICU_VERSION
         " (Unicode, Inc.: Unicode licence).\n"
         " * Not a header, so that nobody looks for texts to translate in it. */");
    for (int i = 0; i < END - FIRST; i++) {
        if (!names[i][0] || (i && strcmp(names[i], names[i - 1]) == 0)) continue;
        int n = 0;
        printf("{\"%s\",", names[i]);
        for (int c = FIRST; c < END; c++) {
            char han[8];
            if (strcmp(syllable[c - FIRST], names[i]) != 0) continue;
            utf8(c, han);
            printf("%s%s", n % PER_LINE ? "" : n ? "\"\n \"" : " \"", han);
            n++;
        }
        puts("\"},");
    }
    return 0;
}
