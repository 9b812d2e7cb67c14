/* Who may put a command into the writer's queue: docs/decisions/0012-overload.md.
 *
 * Places are what the writer does in half a second.  While less than a quarter of them is taken everyone comes in.  From then on a token may hold its
 * part of them, as many parts as there are tokens in the queue; an address two such parts, for many may stand behind it.  Who comes new is below his part
 * and finds room until twice the places are taken, by when those who came before are above theirs.  Many commands at once come in only while there is no
 * pressure. */
#include "api/request.h"

static const int64_t WAIT_MOST_US = US_PER_SECOND / 2;
enum { PRESSURE = 4 };

/* ---- how much of the queue a caller holds: counted in two tables, of which the smaller count is the truer one ---- */

static uint32_t slot_of(const struct api *api, struct str key, unsigned row) {
    uint64_t x = (str_hash(key) ^ api->admission.seed ^ (uint64_t)row << 32) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(x >> 40) % ADMISSION_SLOTS;
}

static void slots_of(const struct api *api, struct str key, uint32_t slots[2]) {
    for (unsigned row = 0; row < 2; row++) slots[row] = slot_of(api, key, row);
}

static void hold(struct admission_held *h, const uint32_t slots[2]) {
    for (unsigned row = 0; row < 2; row++)
        if (atomic_fetch_add(&h->n[row][slots[row]], 1) == 0 && row == 0) atomic_fetch_add(&h->callers, 1);
}

static void let_go(struct admission_held *h, const uint32_t slots[2]) {
    for (unsigned row = 0; row < 2; row++)
        if (atomic_fetch_sub(&h->n[row][slots[row]], 1) == 1 && row == 0) atomic_fetch_sub(&h->callers, 1);
}

static bool has_its_share(struct admission_held *h, const uint32_t slots[2], size_t places) {
    uint32_t mine = MIN(atomic_load(&h->n[0][slots[0]]), atomic_load(&h->n[1][slots[1]]));
    size_t callers = (size_t)atomic_load(&h->callers) + (mine == 0);
    return mine >= MAX(places / MAX(callers, (size_t)1), (size_t)1);
}

/* ---- the question ---- */

static void find_slots(struct request *rq) {
    slots_of(rq->api, sessions_token(rq), rq->ticket.token);
    slots_of(rq->api, http_peer(rq->call), rq->ticket.address);
}

static bool is_pressed(const struct writer_pace *p) {
    return p->wait_us >= WAIT_MOST_US / PRESSURE || p->queued >= p->done / PRESSURE;
}

static enum admission_reason judge(struct request *rq) {
    struct admission *a = &rq->api->admission;
    struct writer_pace p = writer_pace(rq->site, WAIT_MOST_US);
    if (!is_pressed(&p)) return ADMITTED;
    if (rq->bulk) return REFUSED_BULK;
    if (p.wait_us >= 2 * WAIT_MOST_US || p.queued >= 2 * p.done) return REFUSED_QUEUE;
    find_slots(rq);
    if (has_its_share(&a->tokens, rq->ticket.token, p.done)) return REFUSED_TOKEN;
    return has_its_share(&a->addresses, rq->ticket.address, 2 * p.done) ? REFUSED_ADDRESS : ADMITTED;
}

int admission_ask(struct request *rq, struct err *e) {
    enum admission_reason why = judge(rq);
    if (why == ADMITTED) return 0;
    atomic_fetch_add(&rq->api->admission.counts[why], 1);
    return err_set(e, ERR_BUSY, NULL, why == REFUSED_TOKEN || why == REFUSED_ADDRESS ? M_QUEUE_SHARE : M_QUEUE_FULL);
}

int admission_enter(struct request *rq, struct err *e) {
    struct admission *a = &rq->api->admission;
    TRY(admission_ask(rq, e));
    find_slots(rq);
    hold(&a->tokens, rq->ticket.token);
    hold(&a->addresses, rq->ticket.address);
    rq->ticket.held = true;
    atomic_fetch_add(&a->counts[ADMITTED], 1);
    return 0;
}

void admission_leave(struct request *rq) {
    if (!rq->ticket.held) return;
    let_go(&rq->api->admission.tokens, rq->ticket.token);
    let_go(&rq->api->admission.addresses, rq->ticket.address);
    rq->ticket.held = false;
}

bool admission_bulk(struct request *rq) {
    struct writer_pace p = writer_pace(rq->site, WAIT_MOST_US);
    return !is_pressed(&p);
}

const char *admission_name(enum admission_reason r) {
    static const char *const names[] = {"", "queue", "token", "address", "bulk"};
    return names[r];
}
