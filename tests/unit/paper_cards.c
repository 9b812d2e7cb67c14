/* Cards as a printer gets them: the PDF is drawn by poppler and its codes are read by ZXing, as by a telephone. */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paper/paper.h"
#include "unit.h"

/* pango and fontconfig keep caches for the life of the process, some behind pointers that LeakSanitizer does not follow. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libfontconfig.so\nleak:libpango\n";
}
const char *__lsan_default_options(void);
const char *__lsan_default_options(void) {
    return "print_suppressions=0";
}

/* What the command prints on standard output; STR_NONE when it cannot be run or fails. */
static struct str output_of(struct arena *a, const char *const argv[]) {
    struct buf b CLEANUP(buf_release) = BUF(1 << 20);
    char part[4096];
    int ends[2], status = 1;
    ssize_t n;
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(ends[1]);
    while ((n = read(ends[0], part, sizeof part)) > 0) buf_add(&b, part, (size_t)n);
    close(ends[0]);
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) unit_skip(arena_printf(a, "%s is missing", argv[0]));
    return status == 0 ? arena_str(a, buf_str(&b)) : STR_NONE;
}
#define OUTPUT_OF(a, ...) output_of((a), (const char *const[]){__VA_ARGS__, NULL})

static const char *keep(struct arena *a, const char *name, const struct buf *b) {
    const char *path = arena_printf(a, "%s/%s", unit_dir(), name);
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(b->p, 1, b->n, f) == b->n && fclose(f) == 0);
    return path;
}

/* As long as that of a usual pass, with every character of the alphabet. */
static struct str code_text(struct arena *a, unsigned seed, size_t n) {
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    char *text = arena_strz(a, STR("LF1:"));
    text = memcpy(arena_alloc(a, n + 1), text, 4);
    uint32_t x = seed * 2654435761u + 1;
    for (size_t i = 4; i < n; i++) {
        x = x * 1664525 + 1013904223;
        text[i] = alphabet[(x >> 16) % 45];
    }
    text[n - 1] = 'Z'; /* readers trim spaces at the end; base45 never ends in one */
    return (struct str){text, n};
}

static struct card *make_cards(struct arena *a, size_t n) {
    struct card *cards = arena_new(a, struct card, n);
    for (size_t i = 0; i < n; i++)
        cards[i] = (struct card){
            .qr = code_text(a, (unsigned)i, 285), .issuer = STR("吉县疫情防控指挥部"), .kind = i % 4 == 3 ? STR("车辆") : STR("住户"),
            .area = i % 2 ? STR("吉县 › 吉昌镇 › 桥南社区 › 粮食局家属院 3 号楼 2 单元") : STR("吉县 › 吉昌镇 › 西关社区"),
            .number = STR("1GP4-3158-JSSQ"), .valid = STR("2020-02-10 至 2020-03-09"), .limit = i % 3 ? STR("每 2 天 1 人 1 次") : STR(""),
        };
    return cards;
}

static size_t count_of(struct str text, struct str what) {
    size_t n = 0;
    for (ptrdiff_t at; (at = str_find(text, what)) >= 0; n++) text = str_sub(text, (size_t)at + what.n, text.n);
    return n;
}

/* Draws the page of the PDF and reads its codes, one a line. */
static struct str codes_of(struct arena *a, const char *pdf, const char *page) {
    const char *picture = arena_printf(a, "%s/page%s", unit_dir(), page);
    CHECK(OUTPUT_OF(a, "pdftoppm", "-r", "200", "-png", "-singlefile", "-f", page, "-l", page, pdf, picture).p);
    return OUTPUT_OF(a, "ZXingReader", "-1", "-format", "QRCode", arena_printf(a, "%s.png", picture));
}

TEST(a_sheet_shows_ten_codes_that_are_read_and_its_words) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf pdf CLEANUP(buf_release) = BUF(4 << 20);
    struct card *cards = make_cards(&a, 13);
    struct err e;
    CHECK(cards_sheet(cards, 13, LANG_ZH_HANS, &pdf, &e) == 0);
    CHECK(pdf.n < 2 * 100 * 1000);
    const char *path = keep(&a, "cards.pdf", &pdf);
    struct str info = OUTPUT_OF(&a, "pdfinfo", path), words = OUTPUT_OF(&a, "pdftotext", path, "-");
    CHECK(str_find(info, STR("Pages:           2")) >= 0 && str_find(info, STR("(A4)")) >= 0);
    CHECK_INT((int64_t)count_of(words, STR("不含姓名和健康信息")), 13);
    CHECK_INT((int64_t)count_of(words, STR("1GP4-3158-JSSQ")), 13);
    CHECK_INT((int64_t)count_of(words, STR("出入证")), 13);
    struct str first = codes_of(&a, path, "1"), second = codes_of(&a, path, "2");
    CHECK_INT((int64_t)count_of(first, STR("LF1:")), 10);
    CHECK_INT((int64_t)count_of(second, STR("LF1:")), 3);
    for (size_t i = 0; i < 13; i++) CHECK(str_find(i < 10 ? first : second, cards[i].qr) >= 0);
}

TEST(a_single_card_is_a_page_of_its_own_size) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf pdf CLEANUP(buf_release) = BUF(1 << 20);
    struct card *card = make_cards(&a, 1);
    struct err e;
    CHECK(cards_single(card, LANG_EN, &pdf, &e) == 0);
    const char *path = keep(&a, "card.pdf", &pdf);
    struct str info = OUTPUT_OF(&a, "pdfinfo", path);
    CHECK(str_find(info, STR("Pages:           1")) >= 0 && str_find(info, STR("255.118 x 153.071")) >= 0);
    CHECK(str_find(OUTPUT_OF(&a, "pdftotext", path, "-"), STR("Holds no name")) >= 0);
    CHECK(str_find(codes_of(&a, path, "1"), card->qr) >= 0);
}

TEST(texts_from_outside_do_no_harm_on_a_card) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf pdf CLEANUP(buf_release) = BUF(1 << 20);
    struct buf deep CLEANUP(buf_release) = BUF(1 << 20);
    struct card card = *make_cards(&a, 1);
    struct err e;
    for (int i = 0; i < 5000; i++) buf_addz(&deep, "村<b>&\xe2\x80\xae");
    card.area = card.kind = card.issuer = card.number = card.limit = buf_str(&deep);
    card.valid = STR("\xff\xfe");
    CHECK(cards_single(&card, LANG_ZH_HANS, &pdf, &e) == 0);
    const char *path = keep(&a, "card.pdf", &pdf);
    CHECK(str_find(codes_of(&a, path, "1"), card.qr) >= 0);
}

TEST(what_cannot_be_printed_is_refused) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf pdf CLEANUP(buf_release) = BUF(1 << 20), small CLEANUP(buf_release) = BUF(1000);
    struct card *cards = make_cards(&a, 2);
    struct err e;
    CHECK(cards_sheet(cards, 0, LANG_EN, &pdf, &e) == -1 && e.code == ERR_INVALID);
    CHECK(cards_sheet(cards, CARDS_MAX + 1, LANG_EN, &pdf, &e) == -1 && e.code == ERR_INVALID);
    CHECK(cards_sheet(cards, 2, LANG_EN, &small, &e) == -1 && e.code == ERR_TOO_LARGE);
    cards[1].qr = STR("lower case");
    CHECK(cards_sheet(cards, 2, LANG_EN, &pdf, &e) == -1 && e.code == ERR_INVALID && pdf.n == 0);
}

/* ---- codes ---- */
TEST(a_code_for_a_usual_pass_is_of_version_11_at_most) {
    struct arena a CLEANUP(arena_release) = {0};
    struct qr q;
    struct err e;
    CHECK(qr_make(&a, code_text(&a, 1, 330), &q, &e) == 0);
    CHECK(q.version <= 11 && q.width == 17 + 4 * q.version);
    CHECK(qr_make(&a, code_text(&a, 1, QR_TEXT_MAX), &q, &e) == 0 && q.version <= 23);
    CHECK(qr_make(&a, code_text(&a, 1, QR_TEXT_MAX + 1), &q, &e) == -1);
    CHECK(qr_make(&a, STR(""), &q, &e) == -1);
    CHECK(qr_make(&a, STR("a"), &q, &e) == -1);
    CHECK(qr_make(&a, ((struct str){"A\0B", 3}), &q, &e) == -1);
    CHECK_STR(str_z(e.field), "text");
}

TEST(a_code_as_svg_holds_every_dark_module_once) {
    struct arena a CLEANUP(arena_release) = {0};
    struct buf svg CLEANUP(buf_release) = BUF(1 << 20);
    struct qr q;
    struct err e;
    int dark = 0;
    CHECK(qr_make(&a, code_text(&a, 7, 100), &q, &e) == 0);
    qr_svg(&q, STR("<出入证> & more"), &svg);
    struct str s = buf_str(&svg), part;
    CHECK(str_find(s, STR("<title>&lt;出入证&gt; &amp; more</title>")) >= 0);
    s = str_sub(s, (size_t)str_find(s, STR("<path d=")) + strlen("<path d=\""), s.n);
    while (str_cut(&s, 'z', &part) && part.n && part.p[0] == 'M') {
        int64_t x, y, n;
        struct str xs, ys, ns;
        part = str_sub(part, 1, part.n);
        CHECK(str_cut(&part, ' ', &xs) && str_cut(&part, 'h', &ys) && str_cut(&part, 'v', &ns));
        CHECK(str_to_int(xs, 0, 200, &x) && str_to_int(ys, 0, 200, &y) && str_to_int(ns, 1, 200, &n));
        for (int64_t i = 0; i < n; i++) CHECK(q.dark[(y - QR_QUIET) * q.width + x - QR_QUIET + i] == 1);
        dark += (int)n;
    }
    for (int i = 0; i < q.width * q.width; i++) dark -= q.dark[i];
    CHECK_INT(dark, 0);
}
