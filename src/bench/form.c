#include "bench/form.h"

#include "base/day.h"
#include "bench/people.h"
#include "pass/pass.h"

enum mark {
    MARK_ID, MARK_GATE, MARK_PASS, MARK_HEAT, MARK_NOW, MARK_SCAN, MARK_HOUSEHOLD, MARK_NAME, MARK_ID_NUMBER, MARK_BIRTH, MARK_PHONE, MARK_HOUR, MARK_NEXT_HOUR,
    MARK_DAY, MARK_TODAY, MARK__COUNT
};
enum { UUID = ID_TEXT - 1, TIME = 20, DAY = DAY_TEXT - 1 };
static const struct {
    const char *name;
    size_t width;
} marks[MARK__COUNT] = {
    [MARK_ID] = {"{id}", UUID}, [MARK_GATE] = {"{gate}", UUID}, [MARK_PASS] = {"{pass}", PASS_NUMBER - 1}, [MARK_HEAT] = {"{heat}", 4},
    [MARK_NOW] = {"{now}", TIME}, [MARK_SCAN] = {"{scan}", UUID}, [MARK_HOUSEHOLD] = {"{household}", UUID}, [MARK_NAME] = {"{name}", INVENTED_NAME},
    [MARK_ID_NUMBER] = {"{id_number}", INVENTED_ID}, [MARK_BIRTH] = {"{birth}", INVENTED_BIRTH}, [MARK_PHONE] = {"{phone}", INVENTED_PHONE},
    [MARK_HOUR] = {"{hour}", TIME}, [MARK_NEXT_HOUR] = {"{next_hour}", TIME}, [MARK_DAY] = {"{day}", DAY}, [MARK_TODAY] = {"{today}", DAY},
};
struct form_mark {
    size_t at;
    int line;
    enum mark what;
};

/* ---- making ---- */

static const enum mark *mark_at(struct str s, enum mark *ret) {
    for (int m = 0; m < MARK__COUNT; m++)
        if (str_starts(s, str_z(marks[m].name))) return *ret = (enum mark)m, ret;
    return NULL;
}

static void add_text(struct form *f, struct str s, int line) {
    for (size_t i = 0; i < s.n;) {
        enum mark m;
        if (s.p[i] != '{' || !mark_at(str_sub(s, i, s.n), &m)) {
            buf_addc(&f->bytes, s.p[i++]);
            continue;
        }
        f->marks = realloc(f->marks, (f->n + 1) * sizeof *f->marks);
        INVARIANT(f->marks);
        f->marks[f->n++] = (struct form_mark){f->bytes.n, line, m};
        for (size_t w = 0; w < marks[m].width; w++) buf_addc(&f->bytes, '0');
        i += strlen(marks[m].name);
    }
}

static size_t filled_size(struct str s) {
    size_t n = s.n;
    for (size_t i = 0; i < s.n; i++) {
        enum mark m;
        if (s.p[i] == '{' && mark_at(str_sub(s, i, s.n), &m)) n += marks[m].width - strlen(marks[m].name);
    }
    return n;
}

void form_init(struct form *f, const struct form_text *text, const struct target *to, const struct subject *subject) {
    int lines = MAX(text->lines, 1);
    *f = (struct form){.bytes = BUF(32 << 20), .subject = subject, .now_s = -1};
    random_bytes(&f->salt, sizeof f->salt);
    /* Runs on one site follow each other: no person twice. */
    f->next = (uint64_t)clock_now(&(struct clock){0}) / 1000 % 2000000000u * 10;
    buf_addf(&f->bytes, "%s ", text->method);
    add_text(f, str_z(text->path), 0);
    buf_addf(&f->bytes, " HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept-Language: %s\r\n", to->host, to->token, lang_tag(to->lang));
    if (text->body)
        buf_addf(&f->bytes, "Content-Type: %s\r\nContent-Length: %zu\r\n", text->type, (filled_size(str_z(text->body)) + (text->lines > 0)) * (size_t)lines);
    buf_addz(&f->bytes, "\r\n");
    for (int i = 0; text->body && i < lines; i++) {
        add_text(f, str_z(text->body), i);
        if (text->lines) buf_addc(&f->bytes, '\n');
    }
    INVARIANT(!f->bytes.failed);
}

void form_release(struct form *f) {
    buf_release(&f->bytes);
    free(f->marks);
    *f = (struct form){.n = 0};
}

size_t form_size(const struct form *f) {
    return f->bytes.n;
}

/* ---- filling ---- */

static uint64_t mixed(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* id_text ends in a NUL that has no place here. */
static void write_id(char *to, struct id id) {
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
        *to++ = digits[id.b[i] >> 4];
        *to++ = digits[id.b[i] & 15];
    }
}

static struct id new_id(const struct form *f, uint64_t n) {
    struct id id;
    uint64_t ms = (uint64_t)clock_now(&(struct clock){0}) / 1000, high = mixed(f->salt ^ n), low = mixed(high + n);
    for (int i = 0; i < 6; i++) id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    memcpy(id.b + 6, &high, 2);
    memcpy(id.b + 8, &low, 8);
    id.b[6] = (uint8_t)(0x70 | (id.b[6] & 15));
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 63));
    return id;
}

static void write_time(char *to, int64_t second) {
    char day[DAY_TEXT], text[48];
    int s = (int)(second % 86400);
    snprintf(text, sizeof text, "%sT%02d:%02d:%02dZ", day_text((day_t)(second / 86400), day), s / 3600, s / 60 % 60, s % 60);
    memcpy(to, text, TIME);
}

static void look_at_clock(struct form *f) {
    int64_t second = clock_now(&(struct clock){0}) / US_PER_SECOND;
    if (second == f->now_s) return;
    f->now_s = second;
    write_time(f->now, second);
    day_text((day_t)(second / 86400), f->today);
}

static void write_day(char *to, day_t d) {
    char text[DAY_TEXT];
    memcpy(to, day_text(d, text), DAY);
}

static void write_pass(const struct form *f, uint64_t n, char *to) {
    char number[PASS_NUMBER];
    const struct world *w = f->subject->world;
    uint64_t at = mixed(n);
    struct id id = w && w->passes ? world_id(WORLD_PASS, at % (uint64_t)w->passes) : new_id(f, at);
    memcpy(to, pass_number(id, number), PASS_NUMBER - 1);
}

static struct id gate_of(const struct form *f, uint64_t n) {
    const struct world *w = f->subject->world;
    uint64_t at = mixed(n);
    if (w && w->passes) at = (uint64_t)world_gate_of_pass(w, at % (uint64_t)w->passes);
    return f->subject->gates[at % f->subject->gates_n];
}

static int64_t hour_of(const struct form *f, uint64_t n) {
    return (f->now_s / 3600 - 1 - (int64_t)(mixed(n) % (WORLD_SCAN_DAYS * 24))) * 3600;
}

static void write_person(enum mark what, uint64_t n, char *to) {
    struct invented p;
    invented_make(n, &p);
    if (what == MARK_NAME) memcpy(to, p.name, INVENTED_NAME);
    else if (what == MARK_ID_NUMBER) memcpy(to, p.id_number, INVENTED_ID);
    else if (what == MARK_BIRTH) memcpy(to, p.birth, INVENTED_BIRTH);
    else memcpy(to, p.phone, INVENTED_PHONE);
}

static void write_mark(struct form *f, enum mark what, uint64_t n, char *to) {
    const struct world *w = f->subject->world;
    switch (what) {
    case MARK_ID: write_id(to, new_id(f, n)); break;
    case MARK_GATE: write_id(to, gate_of(f, n)); break;
    case MARK_PASS: write_pass(f, n, to); break;
    case MARK_HEAT: memcpy(to, n % 97 ? "36.5" : "37.8", 4); break;
    case MARK_NOW: memcpy(to, f->now, TIME); break;
    case MARK_SCAN: write_id(to, world_id(WORLD_SCAN, w && w->scans ? mixed(n) % (uint64_t)w->scans : 0)); break;
    case MARK_HOUSEHOLD: write_id(to, world_id(WORLD_HOUSEHOLD, w ? mixed(n) % (uint64_t)w->households : 0)); break;
    case MARK_HOUR: write_time(to, hour_of(f, n)); break;
    case MARK_NEXT_HOUR: write_time(to, hour_of(f, n) + 3600); break;
    case MARK_DAY: write_day(to, (day_t)(f->now_s / 86400) - WORLD_SCAN_DAYS); break;
    case MARK_TODAY: memcpy(to, f->today, DAY); break;
    default: write_person(what, n, to);
    }
}

void form_fill(struct form *f, char *to) {
    uint64_t first = f->next;
    look_at_clock(f);
    for (size_t i = 0; i < f->n; i++) {
        const struct form_mark *m = &f->marks[i];
        f->next = MAX(f->next, first + (uint64_t)m->line + 1);
        write_mark(f, m->what, first + (uint64_t)m->line, to + m->at);
    }
}
