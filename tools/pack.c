/* pack DIR OUT.S OUT.c: packs the files below DIR into the table of src/api/assets.h.
 *
 * All bytes go into one file, OUT.S with .bin for .S, which the assembler takes in by .incbin (a hundred times faster than
 * an array of numbers); the table points into it.  A missing or empty DIR gives an empty table, so that the program links
 * before the browser part was ever built. */
#include <brotli/encode.h>
#include <errno.h>
#include <fts.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

struct piece {
    unsigned char *p;
    size_t n;
};
struct file {
    char *source, *path;
    const char *mime;
};
struct out {
    FILE *bin, *c;
    size_t at;
};

static void die(const char *what, const char *name) {
    fprintf(stderr, "pack: %s %s: %s\n", what, name, errno ? strerror(errno) : "failed");
    exit(1);
}

static void *must(void *p) {
    if (!p) die("out of memory", "");
    return p;
}

static const char *mime_of(const char *path) {
    static const struct {
        const char *end, *mime;
    } known[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".woff", "font/woff"},
        {".wasm", "application/wasm"},
        {".txt", "text/plain; charset=utf-8"},
        {".xml", "application/xml"},
        {".map", "application/json"},
        {".pdf", "application/pdf"},
        {".csv", "text/csv; charset=utf-8"},
        {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
        {".mp3", "audio/mpeg"},
    };
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t m = strlen(known[i].end);
        if (n >= m && strcmp(path + n - m, known[i].end) == 0) return known[i].mime;
    }
    return "application/octet-stream";
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static struct file *walk(char *dir, size_t *ret_n) {
    struct file *files = NULL;
    struct stat st;
    *ret_n = 0;
    if (stat(dir, &st) != 0) return NULL;
    FTS *fts = must(fts_open((char *[]){dir, NULL}, FTS_LOGICAL | FTS_NOCHDIR, NULL));
    for (FTSENT *f; (f = fts_read(fts));) {
        if (f->fts_info != FTS_F) continue;
        files = must(realloc(files, (*ret_n + 1) * sizeof *files));
        char *source = must(strdup(f->fts_path));
        files[(*ret_n)++] = (struct file){source, source + strlen(dir), mime_of(source)};
        if (strpbrk(source, "\"\\\n")) die("cannot pack a name with quotes", source);
    }
    fts_close(fts);
    if (files) qsort(files, *ret_n, sizeof *files, by_path);
    return files;
}

static struct piece read_file(const char *path) {
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) != 0) die("cannot read", path);
    struct piece raw = {must(malloc((size_t)st.st_size + 1)), (size_t)st.st_size};
    if (fread(raw.p, 1, raw.n, f) != raw.n) die("cannot read", path);
    fclose(f);
    return raw;
}

static struct piece gzip(struct piece raw) {
    z_stream z = {0};
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) die("gzip", "init");
    size_t cap = deflateBound(&z, raw.n);
    struct piece out = {must(malloc(cap)), 0};
    z.next_in = raw.p;
    z.avail_in = (unsigned)raw.n;
    z.next_out = out.p;
    z.avail_out = (unsigned)cap;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) die("gzip", "finish");
    out.n = z.total_out;
    deflateEnd(&z);
    return out;
}

static struct piece brotli(struct piece raw, bool text) {
    size_t n = BrotliEncoderMaxCompressedSize(raw.n) + 16;
    struct piece out = {must(malloc(n)), 0};
    if (!BrotliEncoderCompress(11, BROTLI_DEFAULT_WINDOW, text ? BROTLI_MODE_TEXT : BROTLI_MODE_GENERIC, raw.n, raw.p,
                               &n, out.p))
        die("brotli", "finish");
    out.n = n;
    return out;
}

static void put_piece(struct out *o, struct piece piece, bool keep) {
    if (keep) {
        if (fwrite(piece.p, 1, piece.n, o->bin) != piece.n) die("cannot write", "the bytes");
        fprintf(o->c, ", {asset_bytes + %zu, %zu}", o->at, piece.n);
        o->at += piece.n;
    } else {
        fputs(", {NULL, 0}", o->c);
    }
    free(piece.p);
}

static void put_file(struct out *o, const struct file *f) {
    unsigned char hash[crypto_generichash_BYTES];
    char etag[17];
    struct piece raw = read_file(f->source), gz = gzip(raw), br = brotli(raw, strstr(f->mime, "charset") != NULL);
    size_t raw_n = raw.n;
    crypto_generichash(hash, sizeof hash, raw.p, raw.n, NULL, 0);
    sodium_bin2hex(etag, sizeof etag, hash, 8);
    fprintf(o->c, "    {\"%s\", \"%s\", \"\\\"%s\\\"\"", f->path, f->mime, etag);
    put_piece(o, raw, true);
    put_piece(o, gz, gz.n < raw_n);
    put_piece(o, br, br.n < raw_n);
    fprintf(o->c, ", %s},\n", strncmp(f->path, "/assets/", 8) == 0 ? "true" : "false"); /* Vite hashes these names */
}

static void write_assembly(const char *path, const char *bin) {
    FILE *f = fopen(path, "w");
    if (!f) die("cannot write", path);
    fprintf(
        f,
        "    .section .rodata\n    .balign 16\n    .globl asset_bytes\n    .type asset_bytes, %%object\nasset_bytes:\n"
        "    .incbin \"%s\"\n    .byte 0\n    .size asset_bytes, . - asset_bytes\n    .section .note.GNU-stack, \"\", "
        "%%progbits\n",
        bin);
    if (fclose(f) != 0) die("cannot write", path);
}

int main(int argc, char **argv) {
    if (argc != 4 || strlen(argv[2]) < 2 || sodium_init() < 0) {
        fputs("usage: pack DIR OUT.S OUT.c\n", stderr);
        return 2;
    }
    size_t n, dir = strlen(argv[1]);
    if (dir > 1 && argv[1][dir - 1] == '/') argv[1][dir - 1] = 0;
    struct file *files = walk(argv[1], &n);
    char bin[4096];
    snprintf(bin, sizeof bin, "%.*s.bin", (int)strlen(argv[2]) - 2, argv[2]);
    struct out o = {fopen(bin, "wb"), fopen(argv[3], "w"), 0};
    if (!o.bin || !o.c) die("cannot write", argv[3]);
    fputs("#include \"api/assets.h\"\n\nextern const unsigned char asset_bytes[];\nconst struct asset assets[] = {\n",
          o.c);
    for (size_t i = 0; i < n; i++) {
        put_file(&o, &files[i]);
        free(files[i].source);
    }
    if (n == 0) fputs("    {NULL},\n", o.c);
    fprintf(o.c, "};\nconst size_t assets_count = %zu;\n", n);
    free(files);
    if (fclose(o.bin) != 0 || fclose(o.c) != 0) die("cannot write", argv[3]);
    write_assembly(argv[2], bin);
    return 0;
}
