/* layers FILE...: fails when an #include points up or, within the second row, sideways.
 *
 *     base <- {json db http sheet crypto text pass paper} <- core <- systems <- {api bench} <- cli <- main */
#include "source.h"

enum { SECOND_ROW = 1, MAIN = 6, UNKNOWN = -1 };

static const struct {
    const char *name;
    int row;
} layers[] = {
    {"base", 0}, {"json", 1}, {"db", 1},      {"http", 1}, {"sheet", 1}, {"crypto", 1},
    {"text", 1}, {"pass", 1}, {"paper", 1}, {"core", 2}, {"systems", 3}, {"api", 4}, {"bench", 4}, {"cli", 5},
};

static size_t name_length(const char *path) {
    const char *slash = strchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static int row_of(const char *path) {
    size_t n = name_length(path);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (strlen(layers[i].name) == n && memcmp(layers[i].name, path, n) == 0) return layers[i].row;
    return n ? UNKNOWN : MAIN;
}

/* Why the file below src/ may not include that path; NULL when it may. */
static const char *reason(const char *file, const char *include) {
    int from = row_of(file), to = row_of(include);
    if (from == UNKNOWN) return "its folder is in no layer (see tools/layers.c)";
    if (strstr(include, "..")) return "is included by a path that is not relative to src/";
    if (!name_length(include)) return NULL; /* a neighbour in its own folder */
    if (to == UNKNOWN) return "is in no layer (see tools/layers.c)";
    if (to > from) return "is in a layer above";
    bool same = name_length(file) == name_length(include) && memcmp(file, include, name_length(file)) == 0;
    if (to == from && from == SECOND_ROW && !same) return "is a module of the same row";
    return NULL;
}

static int check(const char *path) {
    struct source s;
    int bad = 0;
    const char *file = strncmp(path, "src/", 4) == 0 ? path + 4 : path;
    if (!source_read(path, &s)) {
        fprintf(stderr, "layers: cannot read %s\n", path);
        return 1;
    }
    struct line_counter lines = {0};
    for (char *p = s.text; (p = strstr(p, "#include \"")); p++) {
        if (p != s.text && p[-1] != '\n') continue;
        char include[256];
        const char *name = p + 10;
        snprintf(include, sizeof include, "%.*s", (int)strcspn(name, "\"\n"), name);
        const char *why = reason(file, include);
        if (!why) continue;
        printf("%s:%d: %s %s\n", path, source_line(&s, &lines, (size_t)(p - s.text)), include, why);
        bad++;
    }
    source_free(&s);
    return bad;
}

int main(int argc, char **argv) {
    int bad = 0;
    for (int i = 1; i < argc; i++) bad += check(argv[i]);
    return bad ? 1 : 0;
}
