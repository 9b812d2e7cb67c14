/* hant list FILE...          every distinct literal of the C sources that holds a Chinese character, one escaped line each,
 *                            sorted by the bytes of its value
 * hant table HANS HANT       the C source of hant_table (src/base/lang.h) from that list and its Traditional form
 *
 * tools/hant.sh runs opencc between the two. */
#include "source.h"

enum { TEXT_BYTES = 4096 }; /* longer ones are tables of characters, not texts */

static struct literal *all;
static size_t count, room;

static bool has_han(const char *p) {
    for (; *p; p++) {
        unsigned c = (unsigned char)p[0], d = (unsigned char)p[1];
        if (c >= 0xe4 && c <= 0xe9) return true;              /* U+4000 to U+9FFF */
        if (c == 0xe3 && d >= 0x90) return true;              /* U+3400 to U+3FFF */
        if (c == 0xf0 && d >= 0xa0 && d <= 0xb2) return true; /* U+20000 to U+32FFF */
    }
    return false;
}

static int by_value(const void *a, const void *b) {
    return strcmp(((const struct literal *)a)->value, ((const struct literal *)b)->value);
}

static void keep(struct literal l) {
    if (strlen(l.value) != l.n || l.n > TEXT_BYTES || !has_han(l.value)) {
        free(l.value);
        return;
    }
    if (count == room) {
        room = room ? room * 2 : 1024;
        all = realloc(all, room * sizeof *all);
        if (!all) abort();
    }
    all[count++] = l;
}

static void print_escaped(const char *p) {
    for (; *p; p++) {
        if (*p == '"' || *p == '\\') printf("\\%c", *p);
        else if (*p == '\n') fputs("\\n", stdout);
        else if ((unsigned char)*p < ' ') printf("\\%03o", (unsigned)*p);
        else putchar(*p);
    }
    putchar('\n');
}

static int list(int n, char **paths) {
    for (int i = 0; i < n; i++) {
        struct source s;
        if (!source_read(paths[i], &s)) {
            fprintf(stderr, "hant: cannot read %s\n", paths[i]);
            return 1;
        }
        source_blank(&s);
        struct literal l;
        for (size_t at = 0; source_literal(&s, &at, &l);) keep(l);
        source_free(&s);
    }
    if (count) qsort(all, count, sizeof *all, by_value);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(all[i - 1].value, all[i].value) != 0) print_escaped(all[i].value);
    return 0;
}

static char *next_line(FILE *f) {
    static char *lines[2];
    static size_t caps[2];
    static int turn;
    turn = !turn;
    ssize_t n = getline(&lines[turn], &caps[turn], f);
    if (n <= 0) return NULL;
    if (lines[turn][n - 1] == '\n') lines[turn][n - 1] = 0;
    return lines[turn];
}

static int table(const char *hans_path, const char *hant_path) {
    FILE *hans = fopen(hans_path, "r"), *hant = fopen(hant_path, "r");
    size_t changed = 0;
    if (!hans || !hant) {
        fprintf(stderr, "hant: cannot read %s and %s\n", hans_path, hant_path);
        return 1;
    }
    puts("#include \"base/lang.h\"\n\nconst struct hant_entry hant_table[] = {");
    for (const char *from; (from = next_line(hans));) {
        const char *to = next_line(hant);
        if (!to) {
            fprintf(stderr, "hant: opencc lost a line of %s\n", hans_path);
            return 1;
        }
        if (strcmp(from, to) == 0) continue;
        printf("    {\"%s\",\n     \"%s\"},\n", from, to);
        changed++;
    }
    if (changed == 0) puts("    {\"\", \"\"},");
    printf("};\nconst size_t hant_count = %zu;\n", changed);
    fclose(hans);
    fclose(hant);
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "list") == 0) return list(argc - 2, argv + 2);
    if (argc == 4 && strcmp(argv[1], "table") == 0) return table(argv[2], argv[3]);
    fputs("usage: hant list FILE... | hant table HANS HANT\n", stderr);
    return 2;
}
