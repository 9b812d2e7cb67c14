/* Whether it runs, and counts for Prometheus.  Counts are for the machine itself and for who is signed in. */
#include "api/request.h"

#include <unistd.h>

#include "core/journal.h"
#include "version.h"

int health_route(struct request *rq, struct err *e) {
    struct json_out o = JSON_OUT(rq->out);
    struct digest hash;
    int64_t seq;
    TRY(request_db(rq, e));
    TRY(journal_end(rq->db, rq->site->id, &seq, &hash, e));
    json_object(&o);
    json_put_strz(&o, "status", "ok");
    json_put_int(&o, "seq", seq);
    json_put_strz(&o, "version", LF_VERSION);
    json_object_end(&o);
    return 0;
}

static void metric(struct buf *b, const char *name, const char *type, const char *help, double v) {
    buf_addf(b, "# HELP lianfang_%s %s\n# TYPE lianfang_%s %s\nlianfang_%s %.15g\n", name, help, name, type, name, v);
}

static double resident_bytes(void) {
    char line[128] = "";
    struct str rest, all, pages;
    int64_t n = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return 0;
    if (!fgets(line, sizeof line, f)) line[0] = 0;
    fclose(f);
    rest = str_z(line);
    if (str_cut(&rest, ' ', &all) && str_cut(&rest, ' ', &pages)) str_to_int(pages, 0, INT64_MAX, &n);
    return (double)n * (double)sysconf(_SC_PAGESIZE);
}

static bool is_local(struct str peer) {
    return str_starts(peer, STR("127.")) || str_eq(peer, STR("::1")) || str_starts(peer, STR("::ffff:127."));
}

static void http_metrics(struct request *rq, struct buf *b) {
    struct http_counts h = http_counts(rq->api->http);
    metric(b, "http_requests_total", "counter", "Requests read.", (double)h.requests);
    metric(b, "http_refused_total", "counter", "Requests refused by the server itself.", (double)h.refused);
    metric(b, "http_connections", "gauge", "Open connections.", (double)h.connections);
    metric(b, "http_streams", "gauge", "Answers being streamed.", (double)h.streams);
    metric(b, "http_queued", "gauge", "Calls waiting for a worker.", (double)h.queued);
    buf_addz(b, "# HELP lianfang_http_responses_total Answers by class.\n# TYPE lianfang_http_responses_total counter\n");
    for (int i = 1; i < 6; i++) buf_addf(b, "lianfang_http_responses_total{class=\"%dxx\"} %lld\n", i, (long long)h.by_class[i]);
    metric(b, "http_accepted_total", "counter", "Connections accepted.", (double)h.accepted);
    metric(b, "http_idle_closed_total", "counter", "Idle connections closed so that others found room.", (double)h.shed);
    metric(b, "http_body_bytes", "gauge", "Kept for bodies under way.", (double)h.body_bytes);
    buf_addz(b, "# HELP lianfang_http_limited_total Refused or cut, by the limit that was met.\n# TYPE lianfang_http_limited_total counter\n");
    for (int i = 0; i < HTTP_REASONS; i++) buf_addf(b, "lianfang_http_limited_total{limit=\"%s\"} %lld\n", http_reason_name((enum http_reason)i), (long long)h.by_reason[i]);
}

static void queue_metrics(struct request *rq, struct buf *b) {
    const struct admission *a = &rq->api->admission;
    metric(b, "commands_admitted_total", "counter", "Single commands let into the writer's queue.", (double)atomic_load(&a->counts[ADMITTED]));
    buf_addz(b, "# HELP lianfang_commands_refused_total Turned away before the queue, by reason.\n# TYPE lianfang_commands_refused_total counter\n");
    for (int i = ADMITTED + 1; i < ADMISSION_REASONS; i++)
        buf_addf(b, "lianfang_commands_refused_total{reason=\"%s\"} %lld\n", admission_name((enum admission_reason)i), (long long)atomic_load(&a->counts[i]));
    metric(b, "writer_wait_expected_seconds", "gauge", "What a command that comes now is likely to wait.", (double)writer_pace(rq->site, 1).wait_us / 1e6);
}

int metrics_route(struct request *rq, struct err *e) {
    struct buf *b = rq->out;
    if (!is_local(http_peer(rq->call))) TRY(sessions_enter(rq, e));
    struct writer_counts w = writer_counts(rq->site);
    buf_addf(b, "# HELP lianfang_build_info The program.\n# TYPE lianfang_build_info gauge\nlianfang_build_info{version=\"%s\"} 1\n", LF_VERSION);
    metric(b, "uptime_seconds", "gauge", "Since the start.", (double)(monotonic_us() - rq->api->began_us) / 1e6);
    metric(b, "resident_memory_bytes", "gauge", "Memory in use.", resident_bytes());
    http_metrics(rq, b);
    metric(b, "feed_subscribers", "gauge", "Open change feeds.", (double)feed_count(rq->api->feed));
    metric(b, "journal_seq", "gauge", "Newest journal entry.", (double)site_seq(rq->site));
    metric(b, "writer_commits_total", "counter", "Commits.", (double)w.commits);
    metric(b, "writer_commands_total", "counter", "Commands run.", (double)w.items);
    metric(b, "writer_commands_failed_total", "counter", "Commands refused or failed.", (double)w.failed);
    metric(b, "writer_retries_total", "counter", "Transactions run again.", (double)w.retried);
    metric(b, "writer_queued", "gauge", "Commands waiting.", (double)w.queued);
    metric(b, "writer_waiting_seconds", "gauge", "How long the commands under way have been waiting for their commit.", (double)w.waiting_us / 1e6);
    metric(b, "writer_queue_seconds_total", "counter", "Time that commands stood in the queue, all together.", (double)w.queue_us / 1e6);
    queue_metrics(rq, b);
    metric(b, "writer_commit_seconds_total", "counter", "Time of groups from their beginning until they are answered.", (double)w.commit_us / 1e6);
    rq->type = "text/plain; version=0.0.4; charset=utf-8";
    return 0;
}
