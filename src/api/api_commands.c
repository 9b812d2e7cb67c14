/* Commands from outside.  One (JSON) is parsed on the loop's thread and answered by the writer when its commit is durable.  Many (NDJSON) run
 * on a worker thread, a chunk after the other, each line a command of its own with an answer line of its own. */
#include "api/request.h"

#include <time.h>


enum { LINES_MOST = 5000, CHUNK = 500, LINE_BYTES = 1 << 20 };

/* ---- what went wrong, for the person ---- */

/* A record outside the caller's areas is not there for him; and what somebody else made of it is not shown. */
static void hide_outside(struct command_call *call, struct err *e) {
    char text[ID_TEXT];
    const struct record *r = call->current ? call->current : call->rec;
    if (e->code != ERR_FORBIDDEN && e->code != ERR_CONFLICT) return;
    if (!r || permit_may(call->actor, r->kind->name, "read", r->path)) return;
    call->current = NULL;
    err_set(e, ERR_NOT_FOUND, "record", M_NO_RECORD, id_text(call->record, text), label_in(r->kind->label, call->lang));
}

static void may_change_rights(struct request *rq, const struct command_call *call) {
    static const char *const kinds[] = {"user", "user_role", "area"};
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(call->kind->name, kinds[i]) == 0) sessions_forget(rq->api);
}

static struct str conflict_members(struct request *rq, struct command_call *call, const struct err *e) {
    struct str more = STR_NONE;
    struct err ignored;
    if (e->code == ERR_CONFLICT && call->current && conflict_show(rq, call->current, call->version, &more, &ignored)) more = STR_NONE;
    return more;
}

/* ---- one ---- */

struct one {
    struct command_item item;
    struct command_call call;
    struct request *rq;
    const struct command_form *form;
};

static void one_answer(struct http_call *c) {
    struct request *rq = http_data(c);
    struct one *one = rq->one;
    struct write_item *item = &one->item.item;
    struct api *api = rq->api;
    struct buf out CLEANUP(buf_release) = BUF(8 << 20);
    struct json_out o = JSON_OUT(&out);
    rq->kind = one->call.kind;
    if (item->failed) {
        struct err e = item->err;
        hide_outside(&one->call, &e);
        rq->errs = &one->call.errs;
        rq->more = conflict_members(rq, &one->call, &e);
        request_fail(rq, &e);
    } else {
        may_change_rights(rq, &one->call);
        one->form->answer(rq, &one->call, &o);
        request_answer(rq, 200, rq->type, buf_str(&out));
    }
    atomic_fetch_sub(&api->later, 1);
}

/* On the writer's thread, which has better things to do. */
static void one_done(struct write_item *item) {
    http_run(((struct one *)item)->rq->call, one_answer);
}

static void call_start(struct request *rq, struct command_call *call) {
    *call = (struct command_call){.a = rq->a, .actor = rq->actor, .lang = rq->lang};
}

static int run_one(struct request *rq, const struct command_form *form, struct err *e) {
    struct json *j;
    struct one *one = arena_new(rq->a, struct one, 1);
    one->rq = rq;
    one->form = form;
    rq->one = one;
    one->item = command_item_make(&one->call, one_done);
    call_start(rq, &one->call);
    TRY(json_parse(rq->a, http_body(rq->call), NULL, &j, e));
    int r = form->parse(rq, j, &one->call, e);
    rq->kind = one->call.kind;
    if (r) rq->errs = &one->call.errs;
    TRY(r);
    rq->at_once = false; /* the answer may ask */
    /* The snapshot is of no use to a command, and the writer's thread is not to give it back. */
    site_reader_done(rq->site, TAKE(rq->db));
    atomic_fetch_add(&rq->api->later, 1);
    if (writer_submit(rq->site, &one->item.item)) return API_LATER;
    atomic_fetch_sub(&rq->api->later, 1);
    return err_set(e, ERR_BUSY, NULL, M_QUEUE_FULL);
}

/* ---- many ---- */

struct many;
struct line {
    struct command_item item;
    struct command_call call;
    struct many *many;
    bool parsed;
    struct err err;
};
struct many {
    struct request *rq;
    const struct command_form *form;
    struct line *lines;
    size_t n;
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t open;
};

static void line_done(struct write_item *item) {
    struct many *m = ((struct line *)item)->many;
    pthread_mutex_lock(&m->lock);
    if (--m->open == 0) pthread_cond_signal(&m->done);
    pthread_mutex_unlock(&m->lock);
}

static void parse_line(struct many *m, struct str text) {
    struct line *l = &m->lines[m->n++];
    struct json *j;
    l->many = m;
    l->item = command_item_make(&l->call, line_done);
    call_start(m->rq, &l->call);
    if (text.n > LINE_BYTES) err_set(&l->err, ERR_TOO_LARGE, NULL, M_BODY_SIZE, "1048576");
    else l->parsed = json_parse(m->rq->a, text, NULL, &j, &l->err) == 0 && m->form->parse(m->rq, j, &l->call, &l->err) == 0;
}

static int check_count(struct request *rq, struct err *e) {
    struct str rest = http_body(rq->call), text;
    size_t n = 0;
    while (str_cut(&rest, '\n', &text)) n += str_trim(text).n > 0;
    return n > LINES_MOST ? err_set(e, ERR_TOO_LARGE, NULL, M_TOO_MANY, "5000") : 0;
}

/* The next lines that are not empty. */
static void parse_chunk(struct many *m, struct str *rest) {
    struct str text;
    memset(m->lines, 0, CHUNK * sizeof *m->lines);
    m->n = 0;
    while (m->n < CHUNK && str_cut(rest, '\n', &text)) {
        text = str_trim(text);
        if (text.n) parse_line(m, text);
    }
}

/* The queue may be full of others' commands for a moment; the caller of many can wait for it. */
static bool submit(struct many *m, struct line *l) {
    static const int tries = 500;
    for (int i = 0; i < tries; i++) {
        pthread_mutex_lock(&m->lock);
        m->open++;
        pthread_mutex_unlock(&m->lock);
        if (admission_bulk(m->rq) && writer_submit(m->rq->site, &l->item.item)) return true;
        pthread_mutex_lock(&m->lock);
        m->open--;
        pthread_mutex_unlock(&m->lock);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

static void run_chunk(struct many *m) {
    for (size_t i = 0; i < m->n; i++) {
        struct line *l = &m->lines[i];
        if (!l->parsed || submit(m, l)) continue;
        l->parsed = false;
        err_set(&l->err, ERR_BUSY, NULL, M_QUEUE_FULL);
    }
    pthread_mutex_lock(&m->lock);
    while (m->open) pthread_cond_wait(&m->done, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

static void answer_line(struct many *m, struct line *l) {
    struct json_out o = JSON_OUT(m->rq->out);
    struct request *rq = m->rq;
    bool failed = !l->parsed || l->item.item.failed;
    if (failed) {
        struct err e = l->parsed ? l->item.item.err : l->err;
        char id[ID_TEXT];
        if (l->parsed) hide_outside(&l->call, &e);
        struct str more = conflict_members(rq, &l->call, &e);
        if (!id_is_nil(l->call.id)) {
            const char *with_id = arena_printf(rq->a, "\"id\":\"%s\"%s%.*s", id_text(l->call.id, id), more.n ? "," : "", STR_FMT(more));
            more = str_z(with_id);
        }
        struct problem p = {.e = &e, .errs = &l->call.errs, .kind = l->call.kind, .lang = rq->lang, .request_id = rq->id, .more = more};
        problem_write(&p, &o);
    } else {
        may_change_rights(rq, &l->call);
        m->form->answer(rq, &l->call, &o);
    }
    buf_addc(rq->out, '\n');
}

static int run_many(struct request *rq, const struct command_form *form, struct err *e) {
    struct many m = {.rq = rq, .form = form};
    struct str rest = http_body(rq->call);
    TRY(check_count(rq, e));
    site_reader_done(rq->site, TAKE(rq->db));
    pthread_mutex_init(&m.lock, NULL);
    pthread_cond_init(&m.done, NULL);
    m.lines = arena_new(rq->a, struct line, CHUNK);
    for (parse_chunk(&m, &rest); m.n; parse_chunk(&m, &rest)) {
        run_chunk(&m);
        for (size_t i = 0; i < m.n; i++) answer_line(&m, &m.lines[i]);
        site_reader_done(rq->site, TAKE(rq->db)); /* a conflict opened it */
    }
    pthread_mutex_destroy(&m.lock);
    pthread_cond_destroy(&m.done);
    rq->type = "application/x-ndjson; charset=utf-8";
    return 0;
}

int commands_run(struct request *rq, const struct command_form *form, struct err *e) {
    struct str type = http_header(rq->call, "content-type"), first;
    bool given = str_cut(&type, ';', &first);
    if (given && str_ieq(str_trim(first), STR("application/x-ndjson"))) return run_many(rq, form, e);
    if (given && str_ieq(str_trim(first), STR("application/json"))) return run_one(rq, form, e);
    return err_set(e, ERR_MEDIA_TYPE, NULL, M_MEDIA_TYPE, "application/json, application/x-ndjson");
}

static int parse_command(struct request *rq, const struct json *j, struct command_call *call, struct err *e) {
    return command_parse(rq->site, j, call, e);
}

static void answer_command(struct request *rq UNUSED, const struct command_call *call, struct json_out *o) {
    command_answer(call, o);
}

int commands_route(struct request *rq, struct err *e) {
    static const struct command_form form = {parse_command, answer_command};
    return commands_run(rq, &form, e);
}
