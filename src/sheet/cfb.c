/* Compound files ([MS-CFB]): a file system of sectors inside a file, around .xls and around encrypted .xlsx.
 *
 * Chains are walked with the number of sectors as their limit, so a chain in a circle ends. */
#include "sheet_internal.h"

enum { HEADER = 512, ENTRY = 128 };
#define CHAIN_END 0xfffffffaU /* this and above mark ends and gaps */

struct cfb {
    struct str file;
    size_t sector, mini; /* bytes */
    uint32_t mini_cutoff;
    struct buf fat, mini_fat, directory, mini_stream;
};

static uint16_t u16(const char *p) {
    return (uint16_t)((uint8_t)p[0] | (uint8_t)p[1] << 8);
}

static uint32_t u32(const char *p) {
    return u16(p) | (uint32_t)u16(p + 2) << 16;
}

/* The bytes of a sector; short at the end of a cut file, empty behind it. */
static struct str sector(const struct cfb *c, uint32_t i) {
    uint64_t at = ((uint64_t)i + 1) * c->sector;
    return at >= c->file.n ? STR_NONE : str_sub(c->file, at, at + c->sector);
}

static uint32_t next_in(const struct buf *fat, uint32_t i) {
    return (uint64_t)i * 4 + 4 <= fat->n ? u32(fat->p + (size_t)i * 4) : UINT32_MAX;
}

/* Appends the sectors of a chain, at most `size` bytes. */
static void read_chain(struct cfb *c, uint32_t at, uint64_t size, struct buf *to) {
    for (size_t limit = c->fat.n / 4; limit && at < CHAIN_END && to->n < size; limit--) {
        struct str s = sector(c, at);
        if (!s.n) break;
        buf_add_str(to, str_sub(s, 0, size - to->n));
        at = next_in(&c->fat, at);
    }
}

static void read_mini_chain(struct cfb *c, uint32_t at, uint64_t size, struct buf *to) {
    for (size_t limit = c->mini_fat.n / 4; limit && at < CHAIN_END && to->n < size; limit--) {
        uint64_t from = (uint64_t)at * c->mini;
        if (from >= c->mini_stream.n) break;
        struct str s = str_sub(buf_str(&c->mini_stream), from, from + c->mini);
        buf_add_str(to, str_sub(s, 0, size - to->n));
        at = next_in(&c->mini_fat, at);
    }
}

/* The table of sectors: 109 of its sectors are named in the header, the others in a chain of their own. */
static void read_fat(struct cfb *c) {
    size_t left = MIN((size_t)u32(c->file.p + 44), c->file.n / c->sector + 1);
    for (size_t i = 0; i < 109 && left; i++, left--) buf_add_str(&c->fat, sector(c, u32(c->file.p + 76 + i * 4)));
    uint32_t at = u32(c->file.p + 68);
    size_t per = c->sector / 4 - 1;
    for (size_t limit = c->file.n / c->sector; limit && left && at < CHAIN_END; limit--) {
        struct str s = sector(c, at);
        if (s.n < c->sector) break;
        for (size_t i = 0; i < per && left; i++, left--) buf_add_str(&c->fat, sector(c, u32(s.p + i * 4)));
        at = u32(s.p + per * 4);
    }
}

static const char *find_entry(const struct cfb *c, const char *name) {
    size_t n = strlen(name);
    for (size_t at = 0; at + ENTRY <= c->directory.n; at += ENTRY) {
        const char *p = c->directory.p + at;
        if (p[66] != 2 || u16(p + 64) != (n + 1) * 2) continue;
        size_t same = 0;
        while (same < n && u16(p + same * 2) == (uint8_t)name[same]) same++;
        if (same == n) return p;
    }
    return NULL;
}

static bool cfb_open(struct cfb *c, struct str file) {
    *c = (struct cfb){.file = file};
    if (file.n < HEADER) return false;
    uint16_t shift = u16(file.p + 30), mini_shift = u16(file.p + 32);
    if ((shift != 9 && shift != 12) || mini_shift != 6) return false;
    c->sector = (size_t)1 << shift;
    c->mini = (size_t)1 << mini_shift;
    c->mini_cutoff = u32(file.p + 56);
    c->fat.max = c->mini_fat.max = c->directory.max = c->mini_stream.max = file.n;
    read_fat(c);
    read_chain(c, u32(file.p + 48), file.n, &c->directory);
    return c->directory.n >= ENTRY;
}

static void cfb_close(struct cfb *c) {
    buf_release(&c->fat);
    buf_release(&c->mini_fat);
    buf_release(&c->directory);
    buf_release(&c->mini_stream);
}

bool cfb_has(struct str file, const char *stream) {
    struct cfb c CLEANUP(cfb_close) = {0};
    return cfb_open(&c, file) && find_entry(&c, stream);
}

bool cfb_read(struct str file, const char *stream, struct buf *ret) {
    struct cfb c CLEANUP(cfb_close) = {0};
    if (!cfb_open(&c, file)) return false;
    const char *entry = find_entry(&c, stream);
    if (!entry) return false;
    uint32_t start = u32(entry + 116), size = u32(entry + 120);
    if (size >= c.mini_cutoff) {
        read_chain(&c, start, size, ret);
    } else {
        const char *root = c.directory.p;
        read_chain(&c, u32(root + 116), u32(root + 120), &c.mini_stream);
        read_chain(&c, u32(file.p + 60), file.n, &c.mini_fat);
        read_mini_chain(&c, start, size, ret);
    }
    return !ret->failed && ret->n > 0;
}
