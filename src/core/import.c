/* The run as a whole.  While the writer works on one page the next is read, so that both processors are busy; a dry run hands the whole file over as
 * one item that fails at its end, so that rows may refer to rows before them and still nothing stays. */
#include "core/import.h"

#include <time.h>

#include "core/import_internal.h"

/* ---- a page on its way through the writer ---- */

struct page_item {
    struct write_item item;
    struct import *im;
    struct import_page page;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool under_way, finished;
};

static int item_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct page_item *p = (struct page_item *)item;
    return import_page_run(p->im, tx, &p->page, e);
}

static void item_done(struct write_item *item) {
    struct page_item *p = (struct page_item *)item;
    pthread_mutex_lock(&p->lock);
    p->finished = true;
    pthread_cond_signal(&p->done);
    pthread_mutex_unlock(&p->lock);
}

static void item_init(struct page_item *p, struct import *im) {
    *p = (struct page_item){.item = {.run = item_run, .done = item_done}, .im = im};
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->done, NULL);
}

static void item_release(struct page_item *p) {
    INVARIANT(!p->under_way);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->done);
    arena_release(&p->page.a);
}

enum { SUBMIT_TRIES = 100 };

static int item_submit(struct page_item *p, struct err *e) {
    p->finished = false;
    for (int i = 0; i < SUBMIT_TRIES; i++) {
        if (writer_submit(p->im->site, &p->item)) {
            p->under_way = true;
            return 0;
        }
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    }
    return err_set(e, ERR_BUSY, NULL, M_QUEUE_FULL);
}

static void tell(struct import *im, double fraction) {
    if (im->o->progress) im->o->progress(im->o->progress_arg, &im->ret->counts, fraction);
}

static int item_wait(struct page_item *p, struct err *e) {
    if (!p->under_way) return 0;
    pthread_mutex_lock(&p->lock);
    while (!p->finished) pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
    p->under_way = false;
    if (p->item.failed) {
        *e = p->item.err;
        return -1;
    }
    TRY(import_report(p->im, &p->page, e));
    tell(p->im, p->page.fraction);
    return 0;
}

static int page_error(const struct import_page *p, struct err *e) {
    *e = p->err;
    return -1;
}

/* ---- for good ---- */

static int run_pages(struct import *im, struct page_item items[2], struct err *e) {
    for (int at = 0;; at = !at) {
        struct import_page *p = &items[at].page;
        TRY(item_wait(&items[at], e));
        import_page_read(im, p);
        if (p->n) TRY(item_submit(&items[at], e));
        if (p->n && !p->broken) continue;
        TRY(item_wait(&items[!at], e)); /* in their order */
        TRY(item_wait(&items[at], e));
        return p->broken ? page_error(p, e) : 0;
    }
}

static int run_for_good(struct import *im, struct err *e) {
    struct page_item items[2];
    struct err late;
    for (int i = 0; i < 2; i++) item_init(&items[i], im);
    int r = run_pages(im, items, e);
    /* After an error: what was handed over runs on, and is counted. */
    for (int i = 0; i < 2; i++)
        if (item_wait(&items[i], &late) && r == 0) {
            *e = late;
            r = -1;
        }
    for (int i = 0; i < 2; i++) item_release(&items[i]);
    return r;
}

/* ---- to see what would happen ---- */

struct dry_item {
    struct write_item item;
    struct import *im;
    bool complete;
};

static int dry_pages(struct import *im, struct tx *tx, struct import_page *p, struct err *e) {
    im->ret->counts = (struct import_counts){0};
    im->ret->problems_n = 0;
    im->seq = -1;
    TRY(import_open(im, e)); /* again from the beginning when the writer runs it again */
    for (;;) {
        import_page_read(im, p);
        TRY(import_page_run(im, tx, p, e));
        TRY(import_report(im, p, e));
        tell(im, p->fraction);
        if (p->broken) return page_error(p, e);
        if (p->n == 0) return 0;
    }
}

static int dry_run(struct tx *tx, struct write_item *item, struct err *e) {
    struct dry_item *d = (struct dry_item *)item;
    struct import_page page = {.n = 0};
    int r = dry_pages(d->im, tx, &page, e);
    arena_release(&page.a);
    d->complete = r == 0;
    return r ? r : err_set(e, ERR_STATE, NULL, M_TEXT, "dry run");
}

static void nothing(struct write_item *item) {
    (void)item;
}

static int run_dry(struct import *im, struct err *e) {
    struct dry_item d = {.item = {.run = dry_run, .done = nothing, .apart = true}, .im = im};
    struct err ended;
    if (writer_run(im->site, &d.item, &ended) == 0 || d.complete) return 0;
    *e = ended;
    return -1;
}

/* ---- the whole ---- */

static void tell_columns(struct import *im) {
    im->ret->columns_n = im->head.n;
    im->ret->columns = arena_new(im->a, struct import_column, im->head.n);
    for (size_t i = 0; i < im->head.n; i++) {
        const struct import_heading *c = &im->head.columns[i];
        im->ret->columns[i] = (struct import_column){c->text, import_target_name(im->kind, c), c->how};
    }
}

static int check_actor(const struct import *im, struct err *e) {
    const struct actor *who = im->o->actor;
    const char *name = im->kind->name;
    bool may = permit_anywhere(who, "import", "run") && permit_anywhere(who, name, "create") && (who->system || !(im->kind->flags & KIND_ADMIN));
    return may ? 0 : err_set(e, ERR_FORBIDDEN, NULL, M_NOT_ALLOWED, arena_printf(im->a, "%s.import", name));
}

/* Rows that name no place can stand somewhere. */
static int check_area(struct import *im, bool *ret_placed, struct err *e) {
    struct areas *t CLEANUP(areas_dropp) = site_areas(im->site);
    const char *asked = im->o->area;
    struct id id;
    *ret_placed = asked || !im->shape.residential;
    if (!asked || areas_by_code(t, str_z(asked)) || (id_parse(str_z(asked), &id) && areas_by_id(t, id))) return 0;
    return err_set(e, ERR_INVALID, "area", M_NO_RECORD, asked, label_in(kind_by_name(STR("area"))->label, im->o->lang));
}

static int run_all(struct import *im, struct err *e) {
    bool placed;
    TRY(check_actor(im, e));
    TRY(check_area(im, &placed, e));
    TRY(import_open(im, e));
    tell_columns(im);
    TRY(import_head_check(im->a, im->kind, im->o, &im->head, placed, e));
    int r = im->o->dry_run ? run_dry(im, e) : run_for_good(im, e);
    struct err late;
    if (import_report_end(im, r ? &late : e)) r = -1;
    return r;
}

static int import_all(struct import *im, struct import_result *ret, struct err *e) {
    *ret = (struct import_result){.problems = arena_new(im->a, struct import_problem, IMPORT_PROBLEMS_MOST)};
    im->ret = ret;
    im->seq = -1;
    im->shape = import_shape(im->kind);
    int r = run_all(im, e);
    import_close(im);
    sheet_out_dropp(&im->refused);
    places_release(&im->places);
    import_map_release(&im->refs);
    import_map_release(&im->homes);
    arena_release(&im->row_arena);
    return r;
}

int import_file(struct site *s, const struct kind *k, const char *path, const struct import_options *o, struct arena *a,
                struct import_result *ret, struct err *e) {
    const char *slash = strrchr(path, '/');
    struct import im = {.site = s, .kind = k, .o = o, .a = a, .path = path, .name = slash ? slash + 1 : path};
    return import_all(&im, ret, e);
}

int import_bytes(struct site *s, const struct kind *k, struct str bytes, const char *name, const struct import_options *o,
                 struct arena *a, struct import_result *ret, struct err *e) {
    struct import im = {.site = s, .kind = k, .o = o, .a = a, .bytes = bytes, .name = name};
    return import_all(&im, ret, e);
}
