/* lint FILE...: the house rules that a compiler does not know, as file:line: reason.
 *
 * In every file: words of unfinished work and paths of one machine.  In C: banned functions, SQL outside the statement
 * registries, sizes of files and functions, cyclomatic complexity.  Functions are found by their braces in the blanked
 * text: a brace at the outermost level behind a closing parenthesis opens one, any other brace a table or a type. */
#include "source.h"

enum { FILE_MAX = 1200, FILE_ASK = 800, FUNCTION_MAX = 120, COMPLEXITY_MAX = 20 };

static int failures;

static void report(const char *path, int line, const char *what, const char *why) {
    printf("%s:%d: %s %s\n", path, line, what, why);
    failures++;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool ends(const char *s, const char *tail) {
    size_t n = strlen(s), m = strlen(tail);
    return n >= m && strcmp(s + n - m, tail) == 0;
}

static bool starts(const char *s, const char *head) {
    return strncmp(s, head, strlen(head)) == 0;
}

/* ---- words that do not belong in the repository ---- */

static void check_words(const struct source *s) {
    /* In two pieces, so that this file passes. */
    static const char *const words[] = {"TO"
                                        "DO",
                                        "FIX"
                                        "ME",
                                        "/wo"
                                        "rk/",
                                        "/ro"
                                        "ot/"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct line_counter lines = {0};
        size_t n = strlen(words[i]);
        for (const char *p = s->text; (p = strstr(p, words[i])); p += n) {
            bool path = words[i][0] == '/';
            char before = p == s->text ? ' ' : p[-1];
            bool inside = is_word(before) || (path ? before == '.' || before == '-' || before == '/' : is_word(p[n]));
            if (!inside)
                report(s->path, source_line(s, &lines, (size_t)(p - s->text)), words[i],
                       "does not belong in the repository");
        }
    }
}

/* ---- banned functions ---- */

static const char *banned(const char *word, size_t n) {
    static const char *const everywhere[] = {
        "strcpy", "strcat", "strncpy", "stpcpy", "sprintf", "vsprintf",  "strtok",  "atoi",
        "atol",   "atoll",  "atof",    "gets",   "gmtime",  "localtime", "asctime", "ctime",
        "system", "popen",  "alloca",  "tmpnam", "mktemp",  "sscanf",    "scanf",   "fscanf",
    };
    for (size_t i = 0; i < sizeof everywhere / sizeof *everywhere; i++)
        if (strlen(everywhere[i]) == n && memcmp(everywhere[i], word, n) == 0) return everywhere[i];
    return NULL;
}

static void check_calls(const struct source *s) {
    struct line_counter lines = {0};
    for (const char *p = s->bare; *p;) {
        size_t n = 0;
        while (is_word(p[n])) n++;
        const char *name = n && p[n] == '(' ? banned(p, n) : NULL;
        bool member = p != s->bare && (p[-1] == '.' || p[-1] == '>');
        if (name && !member) report(s->path, source_line(s, &lines, (size_t)(p - s->bare)), name, "is banned here");
        p += n ? n : 1;
    }
}

/* ---- SQL ---- */

static bool sql_allowed(const char *path) {
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    return !starts(path, "src/") || starts(path, "src/db/") || strcmp(base, "stmts.inc") == 0 ||
           ends(base, "_stmts.c") || ends(base, "_stmts.inc") ||
           (starts(base, "migrations") && (ends(base, ".c") || ends(base, ".inc")));
}

static bool sql_rest(const char *word, const char *rest) {
    if (word[0] == 'I') return starts(rest, "INTO ") || starts(rest, "OR ");
    if (word[0] == 'D') return starts(rest, "FROM ");
    return (rest[0] >= 'a' && rest[0] <= 'z') || (word[0] == 'S' && *rest);
}

static const char *sql_in(const char *text) {
    static const char *const words[] = {"SELECT", "INSERT", "UPDATE", "DELETE"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (const char *p = text; (p = strstr(p, words[i])); p++)
            if ((p == text || !is_word(p[-1])) && p[6] == ' ' && sql_rest(words[i], p + 7)) return words[i];
    return NULL;
}

static void check_sql(const struct source *s) {
    struct line_counter lines = {0};
    struct literal l;
    if (sql_allowed(s->path)) return;
    for (size_t at = 0; source_literal(s, &at, &l); free(l.value)) {
        const char *word = sql_in(l.value);
        if (word) report(s->path, source_line(s, &lines, l.at), word, "stands outside a statement registry");
    }
}

/* ---- functions ---- */

struct function {
    char name[64];
    size_t from; /* where its declaration starts */
    int complexity;
};

/* Directives hold braces and questions that are not code of this place. */
static void blank_directives(char *p) {
    bool line_start = true;
    for (; *p; p++) {
        if (line_start && *p == '#') {
            while (*p && *p != '\n') {
                if (p[0] == '\\' && p[1] == '\n') *p++ = ' ', p++;
                else *p++ = ' ';
            }
            if (!*p) return;
        }
        if (*p == '\n') line_start = true;
        else if (*p != ' ' && *p != '\t') line_start = false;
    }
}

static int decisions(const char *word, size_t n) {
    static const char *const words[] = {"if", "for", "while", "case"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == n && memcmp(words[i], word, n) == 0) return 1;
    return 0;
}

/* The first name in front of a parenthesis, or inside TEST(...). */
static void name_of(const char *from, const char *to, char *name, size_t cap) {
    const char *paren = memchr(from, '(', (size_t)(to - from));
    const char *end = paren ? paren : to, *start = end;
    while (start > from && is_word(start[-1])) start--;
    if (paren && end - start == 4 && memcmp(start, "TEST", 4) == 0) {
        start = end + 1;
        for (end = start; is_word(*end); end++) continue;
    }
    snprintf(name, cap, "%.*s", (int)(end - start), start);
}

static void check_function(const struct source *s, const struct function *f, size_t end) {
    struct line_counter a = {0};
    int first = source_line(s, &a, f->from), last = source_line(s, &a, end);
    char what[128];
    if (last - first + 1 > FUNCTION_MAX) {
        snprintf(what, sizeof what, "%s has %d lines, at most", f->name, last - first + 1);
        report(s->path, first, what, "120");
    }
    if (f->complexity > COMPLEXITY_MAX) {
        snprintf(what, sizeof what, "%s has a complexity of %d, at most", f->name, f->complexity);
        report(s->path, first, what, "20");
    }
}

struct scan {
    struct function f;
    size_t depth, declared;
    bool inside;
    char last;
};

static void on_open(const struct source *s, struct scan *c, size_t i) {
    if (c->depth++ || c->last != ')') return;
    c->inside = true;
    c->f = (struct function){.from = c->declared, .complexity = 1};
    name_of(s->bare + c->declared, s->bare + i, c->f.name, sizeof c->f.name);
}

/* A brace in the first column always ends a function: branches of #if may hold more opening than closing ones. */
static void on_close(const struct source *s, struct scan *c, size_t i) {
    if (c->depth > 1 && s->bare[i - 1] != '\n') {
        c->depth--;
        return;
    }
    if (c->inside) check_function(s, &c->f, i);
    c->inside = false;
    c->depth = 0;
}

/* Returns the last character of the token at p. */
static size_t on_token(const char *p, struct function *f) {
    size_t n = 0;
    while (is_word(p[n])) n++;
    bool both = (p[0] == '&' || p[0] == '|') && p[1] == p[0];
    f->complexity += n ? decisions(p, n) : both || p[0] == '?';
    return n ? n - 1 : both;
}

static void check_functions(struct source *s) {
    struct scan c = {.last = ';'};
    blank_directives(s->bare);
    for (size_t i = 0; i < s->n; i++) {
        char at = s->bare[i];
        if (strchr(" \t\r\n", at)) continue;
        if (c.depth == 0 && (c.last == ';' || c.last == '}')) c.declared = i;
        if (at == '{') on_open(s, &c, i);
        else if (at == '}') on_close(s, &c, i);
        else i += on_token(s->bare + i, &c.f);
        c.last = s->bare[i];
    }
}

static void check_size(const struct source *s) {
    struct line_counter c = {0};
    int lines = source_line(s, &c, s->n) - 1;
    char what[64];
    snprintf(what, sizeof what, "%d lines,", lines);
    if (lines > FILE_MAX) report(s->path, lines, what, "at most 1200");
    else if (lines > FILE_ASK) printf("%s:%d: warning: %s think of splitting it above 800\n", s->path, lines, what);
}

int main(int argc, char **argv) {
    int files = 0;
    for (int i = 1; i < argc; i++) {
        struct source s;
        if (!source_read(argv[i], &s)) continue; /* binary, or removed since it was listed */
        files++;
        check_words(&s);
        if (ends(argv[i], ".c") || ends(argv[i], ".h") || ends(argv[i], ".inc")) {
            source_blank(&s);
            check_calls(&s);
            check_sql(&s);
            check_functions(&s);
            if (!ends(argv[i], ".inc")) check_size(&s);
        }
        source_free(&s);
    }
    if (failures) printf("lint: %d faults in %d files\n", failures, files);
    else printf("lint: %d files clean\n", files);
    return failures ? 1 : 0;
}
