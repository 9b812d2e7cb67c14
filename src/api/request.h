/* What the files of the interface share: a request under way, its answer, and the pieces of JSON that several routes write.
 *
 * A request lives in its call's arena.  A handler fills rq->out (and rq->status, rq->type where they differ from 200 and JSON) and
 * returns 0, or -1 with an error; the dispatcher answers.  A handler that returns API_LATER has taken the request over and leads it to
 * request_answer, request_fail or the end of a stream itself. */
#ifndef REQUEST_H
#define REQUEST_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/api.h"
#include "core/command.h"
#include "core/session.h"
#include "http/server.h"
#include "json/json.h"

enum { API_LATER = 1, WORKERS = 8, LONG_MOST = 4, QUERY_MOST = 64, LIST_LIMIT = 50, LIST_LIMIT_MOST = 500 };

struct request;
enum route_flags {
    R_SLOW = 1,  /* runs on a worker thread */
    R_JSON = 2,  /* the body is application/json */
    R_BYTES = 4, /* the body is a file */
    R_NOW = 16,  /* tells how things are at this moment: does not wait for a database that is away */
    R_MANY = 32, /* takes commands: one as JSON, which must find room in the writer's queue (admission.c), many as NDJSON, which run on a worker thread */
    R_LONG = 8,  /* may hold a worker for seconds: only some at a time, so that lists are still answered */
};
#define PUBLIC ""
#define SESSION "session"
struct route {
    const char *method, *pattern;
    int (*run)(struct request *rq, struct err *e);
    const char *needs; /* PUBLIC, SESSION (any account), or the grant that must be held somewhere: "figure.read", "{kind}.read" */
    unsigned flags;
    size_t body; /* most bytes of the body */
    const char *what; /* for the description of the interface */
};
const struct route *route_at(size_t i); /* NULL past the end; sorted by pattern and method */

struct param {
    struct str name, value;
};
struct passes_known; /* systems/passes */
struct signed_in; /* who is calling; shared by the requests of one session for a second */
struct feed;

/* Commands of single requests that are in the writer's queue, by who sent them. */
enum { ADMISSION_SLOTS = 4096 };
enum admission_reason { ADMITTED, REFUSED_QUEUE, REFUSED_TOKEN, REFUSED_ADDRESS, REFUSED_BULK, ADMISSION_REASONS };
struct admission_held {
    _Atomic uint32_t n[2][ADMISSION_SLOTS];
    _Atomic int64_t callers;
};
struct admission {
    uint64_t seed;
    struct admission_held tokens, addresses;
    _Atomic int64_t counts[ADMISSION_REASONS];
};

enum { SESSION_SLOTS = 512 };
struct api {
    struct site *site;
    struct http_server *http;
    char assets_dir[512]; /* real path; empty: embedded */
    bool secure, trace;
    int64_t began_us;
    _Atomic bool stopping;
    _Atomic int64_t later; /* commands whose answer is outstanding */
    _Atomic int long_runs; /* of R_LONG routes and of many commands, under way */
    pthread_mutex_t lock;  /* of sessions */
    struct signed_in *sessions[SESSION_SLOTS];
    _Atomic uint64_t generation; /* accounts or areas changed: who is calling must be looked up again */
    struct feed *feed;
    struct passes_known *passes;
    struct admission admission;
};

struct request {
    struct api *api;
    struct site *site;
    struct http_call *call;
    struct arena *a;
    enum lang lang;
    char id[ID_TEXT];
    const struct route *route; /* NULL: none */
    unsigned score;            /* of its pattern; not 0 without a route: the method is wrong */
    struct str param[2];       /* of {..} in the pattern, in order */
    struct param *query;
    size_t query_n;
    bool query_bad;

    const struct kind *kind; /* of {kind}; handlers set it so that problems show labels */
    struct signed_in *who;
    const struct actor *actor; /* NULL: nobody */
    const struct session *session;
    bool bulk;        /* many commands, or a file */
    bool at_once;     /* on the loop's thread though the database is a server: what has to ask it is RETRY, and a worker takes the call over */
    bool turned_away; /* at the door; `refusal` says why */
    struct err refusal;
    struct {
        uint32_t token[2], address[2];
        bool held;
    } ticket; /* admission.c */
    struct db *db; /* see request_db */
    struct areas *areas;

    struct buf *out;
    int status;
    const char *type;
    const struct errs *errs; /* of a command; NULL: none */
    const char *hint;
    struct str more; /* members added to the problem object */
    struct title_slot *titles;
    struct one *one; /* the command under way (api_commands.c) */
};

/* ---- dispatch.c ---- */
int request_db(struct request *rq, struct err *e);           /* opens rq->db: a snapshot until the answer */
const struct areas *request_areas(struct request *rq);       /* held until the answer */
void request_release(struct request *rq);                    /* lets go of db, areas and session */
void request_answer(struct request *rq, int status, const char *type, struct str body); /* the request is gone afterwards */
void request_fail(struct request *rq, const struct err *e);  /* the same with a problem */
void request_log(const struct request *rq, int status);
struct str request_query(const struct request *rq, const char *name); /* STR_NONE if absent */
/* The JSON object of the body, with no members beside those named (NULL-terminated). */
int request_json(struct request *rq, const char *const *allowed, struct json **ret, struct err *e);
int request_limit(struct request *rq, size_t *ret, struct err *e);
/* The area of the parameter `area`, or the highest in which the caller may do it.  FORBIDDEN (M_OUTSIDE_AREA, M_NOT_ALLOWED). */
int request_area(struct request *rq, const char *kind, const char *verb, const struct area **ret, struct err *e);
int request_area_of(struct request *rq, struct str code, const char *kind, const char *verb, const struct area **ret, struct err *e);
/* `on`, or `from` and `to`; today without either. */
int request_period(struct request *rq, day_t *ret_from, day_t *ret_to, struct err *e);
int request_forbidden(struct request *rq, const char *kind, const char *verb, struct err *e);
bool request_head(const struct request *rq);

/* ---- admission.c ---- */
int admission_ask(struct request *rq, struct err *e);   /* BUSY when there is no room in the writer's queue for this caller */
int admission_enter(struct request *rq, struct err *e); /* the same, and counts the caller until admission_leave */
void admission_leave(struct request *rq);               /* nothing when it did not enter */
bool admission_bulk(struct request *rq);                /* whether another of many commands may be queued; else ask again a little later */
const char *admission_name(enum admission_reason r);

/* ---- problem.c ---- */
struct problem {
    const struct err *e;
    const struct errs *errs; /* NULL: none */
    const struct kind *kind; /* NULL: unknown */
    enum lang lang;
    const char *request_id, *hint;
    struct str more;
};
void problem_write(const struct problem *p, struct json_out *o);
/* The body of an error that the server makes itself. */
void problem_refuse(void *app, int status, const char *why, struct buf *body, const char **ret_type);
/* The label of a field of the kind, or of a member of requests; its name when it has none. */
struct str field_label(const struct kind *k, struct str field, enum lang lang);

/* ---- session.c ---- */
/* Finds who is calling and fills rq->who, actor, session; UNAUTHENTICATED. */
int sessions_enter(struct request *rq, struct err *e);
struct str sessions_token(struct request *rq); /* as sent: nobody has looked at it */
void sessions_forget(struct api *api);
void signed_in_drop(struct signed_in *w); /* accepts NULL */
struct str signed_in_token(const struct signed_in *w);
void sessions_release(struct api *api);
int session_login_route(struct request *rq, struct err *e);
int session_get_route(struct request *rq, struct err *e);
int session_end_route(struct request *rq, struct err *e);
int session_link_route(struct request *rq, struct err *e);
int session_totp_route(struct request *rq, struct err *e);
int session_password_route(struct request *rq, struct err *e);
int account_link_route(struct request *rq, struct err *e);

/* ---- show.c: records and areas as JSON ---- */
void area_show(struct request *rq, const struct area *x, struct json_out *o); /* NULL: null */
int record_show(struct request *rq, const struct record *r, struct json_out *o, struct err *e);
/* The title of a record of that kind, masked where the caller may not read it; STR_NONE when there is none. */
int title_of(struct request *rq, const struct kind *k, struct id id, struct str *ret, struct err *e);
int actor_show(struct request *rq, struct id id, struct json_out *o, struct err *e);
void time_show(struct request *rq, const char *key, int64_t at, struct json_out *o);
/* [{"field","label","from","to"}...] of a journal entry's `change`. */
int changes_show(struct request *rq, const struct kind *k, struct str change, struct json_out *o, struct err *e);
/* The members current, changed, by, at of a conflict. */
int conflict_show(struct request *rq, const struct record *current, int64_t since_version, struct str *ret, struct err *e);

/* ---- the other handlers ---- */
int list_route(struct request *rq, struct err *e);
int record_route(struct request *rq, struct err *e);
int history_route(struct request *rq, struct err *e);
int commands_route(struct request *rq, struct err *e);
/* A route that takes commands in a form of its own, one (JSON) or many (NDJSON): how one is read, and how its answer is written. */
struct command_form {
    int (*parse)(struct request *rq, const struct json *j, struct command_call *call, struct err *e);
    void (*answer)(struct request *rq, const struct command_call *call, struct json_out *o);
};
int commands_run(struct request *rq, const struct command_form *form, struct err *e);
int gate_scan_route(struct request *rq, struct err *e);
int figures_route(struct request *rq, struct err *e);
int series_route(struct request *rq, struct err *e);
int figure_rows_route(struct request *rq, struct err *e);
int kinds_route(struct request *rq, struct err *e);
int areas_route(struct request *rq, struct err *e);
int openapi_route(struct request *rq, struct err *e);
int bulletins_route(struct request *rq, struct err *e);
int missing_route(struct request *rq, struct err *e);
int gates_day_route(struct request *rq, struct err *e);
int coverage_route(struct request *rq, struct err *e);
int coverage_proposal_route(struct request *rq, struct err *e);
int coverage_apply_route(struct request *rq, struct err *e);
int feed_route(struct request *rq, struct err *e);
int health_route(struct request *rq, struct err *e);
int metrics_route(struct request *rq, struct err *e);
int static_route(struct request *rq, struct err *e);
int export_route(struct request *rq, struct err *e);
int import_route(struct request *rq, struct err *e);
int refused_route(struct request *rq, struct err *e);
int brief_route(struct request *rq, struct err *e);
int gate_history_route(struct request *rq, struct err *e);
int gate_scans_route(struct request *rq, struct err *e);
int gate_near_route(struct request *rq, struct err *e);
int gate_keys_route(struct request *rq, struct err *e);
int gate_list_route(struct request *rq, struct err *e);
int gate_bundle_route(struct request *rq, struct err *e);
int gate_verify_route(struct request *rq, struct err *e);
int pass_qr_route(struct request *rq, struct err *e);
int pass_card_route(struct request *rq, struct err *e);
int pass_sheet_route(struct request *rq, struct err *e);

/* ---- feed.c ---- */
struct feed *feed_start(struct api *api, struct err *e);
void feed_stop(struct feed *f); /* accepts NULL; ends every stream; nobody can join any more */
void feed_free(struct feed *f); /* accepts NULL; when no request is left */
size_t feed_count(struct feed *f);

/* ---- cursors: the place behind the last record of a page, as opaque text ---- */
struct cursor {
    char phase;
    struct str path, text;
    struct id id;
};
struct str cursor_text(struct arena *a, const struct cursor *c);
int cursor_parse(struct arena *a, struct str s, const char *phases, struct cursor *ret, struct err *e); /* INVALID, field "after" */

#endif
