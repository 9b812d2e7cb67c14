#include "source.h"

bool source_read(const char *path, struct source *ret) {
    *ret = (struct source){.path = path};
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    size_t cap = 1 << 16;
    char *text = malloc(cap + 1);
    for (size_t got; text && (got = fread(text + ret->n, 1, cap - ret->n, f)) > 0;) {
        ret->n += got;
        if (ret->n < cap) continue;
        char *more = realloc(text, (cap *= 2) + 1);
        if (!more) free(text);
        text = more;
    }
    fclose(f);
    if (!text || memchr(text, 0, ret->n)) {
        free(text);
        return false;
    }
    text[ret->n] = 0;
    ret->text = text;
    return true;
}

void source_free(struct source *s) {
    free(s->text);
    free(s->bare);
    *s = (struct source){0};
}

static size_t comment_end(const char *t, size_t n, size_t i) {
    if (t[i + 1] == '/') {
        while (i < n && t[i] != '\n') i++;
        return i;
    }
    const char *end = strstr(t + i + 2, "*/");
    return end ? (size_t)(end - t) + 2 : n;
}

static size_t quoted_end(const char *t, size_t n, size_t i) {
    char quote = t[i++];
    while (i < n && t[i] != quote && t[i] != '\n') i += t[i] == '\\' && i + 1 < n ? 2 : 1;
    return i < n ? i + 1 : n;
}

static void blank(char *p, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (p[i] != '\n') p[i] = ' ';
}

void source_blank(struct source *s) {
    s->bare = malloc(s->n + 1);
    if (!s->bare) abort();
    memcpy(s->bare, s->text, s->n + 1);
    for (size_t i = 0; i < s->n;) {
        const char *t = s->text + i;
        if (t[0] == '/' && (t[1] == '/' || t[1] == '*')) {
            size_t end = comment_end(s->text, s->n, i);
            blank(s->bare, i, end);
            i = end;
        } else if (t[0] == '"' || t[0] == '\'') {
            size_t end = quoted_end(s->text, s->n, i);
            blank(s->bare, i + 1, end - 1);
            i = end;
        } else {
            i++;
        }
    }
}

static void put_utf8(char **to, unsigned c) {
    char *p = *to;
    if (c < 0x80) {
        *p++ = (char)c;
    } else if (c < 0x800) {
        *p++ = (char)(0xc0 | c >> 6);
        *p++ = (char)(0x80 | (c & 63));
    } else {
        if (c >= 0x10000) {
            *p++ = (char)(0xf0 | c >> 18);
            *p++ = (char)(0x80 | (c >> 12 & 63));
        } else {
            *p++ = (char)(0xe0 | c >> 12);
        }
        *p++ = (char)(0x80 | (c >> 6 & 63));
        *p++ = (char)(0x80 | (c & 63));
    }
    *to = p;
}

/* At the character behind the backslash; returns the one behind the escape. */
static const char *unescape(const char *p, char **to) {
    static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
    char *end;
    char digits[9] = "";
    const char *name = *p ? strchr(names, *p) : NULL;
    if (name) {
        *(*to)++ = values[name - names];
        return p + 1;
    }
    if (*p == 'x') {
        *(*to)++ = (char)strtoul(p + 1, &end, 16);
        return end;
    }
    if (*p >= '0' && *p <= '7') {
        size_t n = strspn(p, "01234567");
        memcpy(digits, p, n < 3 ? n : 3);
        *(*to)++ = (char)strtoul(digits, NULL, 8);
        return p + (n < 3 ? n : 3);
    }
    if (*p == 'u' || *p == 'U') {
        size_t n = *p == 'u' ? 4 : 8;
        strncat(digits, p + 1, n);
        put_utf8(to, (unsigned)strtoul(digits, NULL, 16));
        return p + 1 + n;
    }
    *(*to)++ = *p;
    return p + 1;
}

bool source_literal(const struct source *s, size_t *at, struct literal *ret) {
    size_t i = *at;
    while (i < s->n && s->bare[i] != '"') i = s->bare[i] == '\'' ? quoted_end(s->bare, s->n, i) : i + 1;
    if (i >= s->n) return false;
    ret->at = i;
    size_t cap = 0, end = i;
    char *to = NULL;
    ret->value = NULL;
    ret->n = 0;
    do {
        end = quoted_end(s->text, s->n, i);
        cap += end - i + 1;
        char *value = realloc(ret->value, cap);
        if (!value) abort();
        ret->value = value;
        to = value + ret->n;
        for (const char *p = s->text + i + 1; p < s->text + end - 1;)
            if (*p == '\\') p = unescape(p + 1, &to);
            else *to++ = *p++;
        ret->n = (size_t)(to - value);
        i = end + strspn(s->bare + end, " \t\r\n\\");
    } while (i < s->n && s->bare[i] == '"');
    *to = 0;
    *at = end;
    return true;
}

int source_line(const struct source *s, struct line_counter *c, size_t at) {
    if (c->line == 0 || at < c->at) *c = (struct line_counter){0, 1};
    for (; c->at < at; c->at++) c->line += s->text[c->at] == '\n';
    return c->line;
}
