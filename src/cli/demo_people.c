#include "cli/demo_people.h"

#include <math.h>

enum { YEAR = 365 };

int family_size(struct demo *d, int64_t people, size_t households) {
    double mean = (double)people / (double)households;
    if (households == 1) return (int)people;
    if (mean < 1.2) return (int)MIN(people, chance_hit(&d->names.chance, (int)(mean * 1000)));
    int size = (int)floor(mean + chance_between(&d->names.chance, -20, 20) / 10.0 + 0.5);
    return (int)MIN(people, MAX(size, 1));
}

struct member_of {
    const char *relation;
    bool male, own_name; /* own_name: married into the family */
    int years;
};

/* The head is the reference: partner about as old, children a generation younger, parents one older. */
static struct member_of nth(struct demo *d, const struct family *f, int i) {
    struct chance *c = &d->names.chance;
    const struct head *head = f->head;
    struct member_of m = {.male = chance_hit(c, 515)};
    int generation = chance_between(c, 23, 31);
    if (i == 1) return (struct member_of){"spouse", !head->person.male, true, MAX(21, head->years + chance_between(c, -4, 3))};
    bool old = head->years > 55, parent = !old && i >= 4 - (f->size > 4);
    if (parent) {
        m.relation = "parent";
        m.years = MIN(head->years + generation, 96);
    } else if (old && i >= 3) {
        m.relation = "grandchild";
        m.years = MAX(head->years - 2 * generation, 0);
    } else {
        m.relation = "child";
        m.years = MAX(head->years - generation - 3 * (i - 2), 0);
        if (head->years < 27) m = (struct member_of){"tenant", m.male, true, chance_between(c, 18, 30)};
    }
    return m;
}

static day_t born(struct demo *d, int years) {
    return d->last - years * YEAR - years / 4 - chance_between(&d->names.chance, 1, YEAR);
}

struct head family_head(struct demo *d, struct arena *a, int size, struct str name) {
    struct chance *c = &d->names.chance;
    bool alone = size <= 1, male = name.n || chance_hit(c, alone ? 480 : 780);
    struct head h = {.years = alone && chance_hit(c, 400) ? chance_between(c, 66, 88) : chance_between(c, alone ? 22 : 27, 72)};
    h.surname = name.n ? names_surname_of(name) : names_surname(&d->names);
    h.person = names_person(&d->names, a, h.surname, male, born(d, h.years));
    if (name.n) h.person.name = name;
    return h;
}

static const char *care_of(struct demo *d, const struct family *f, const struct member_of *m) {
    struct chance *c = &d->names.chance;
    if (!f->care) return NULL;
    if (f->size == 1 && m->years >= 65) return chance_hit(c, 300) ? "elderly_alone chronic" : "elderly_alone";
    if (m->years >= 60 && chance_hit(c, 180)) return "chronic";
    if (m->years < 14 && strcmp(m->relation, "grandchild") == 0 && chance_hit(c, 350)) return "child_left_alone";
    if (!m->male && m->years >= 22 && m->years <= 36 && chance_hit(c, 25)) return "pregnant";
    if (m->years >= 18 && m->years <= 50 && chance_hit(c, 12)) return "returned";
    return chance_hit(c, 6) ? "disability" : NULL;
}

static int add_resident(struct demo *d, const struct family *f, const struct member_of *m, const struct person *p, struct id *ret, struct err *e) {
    struct draft r = draft_begin(d, "resident", f->household->place, d->last);
    *ret = r.id;
    const char *care = care_of(d, f, m);
    char text[DAY_TEXT];
    draft_str(&r, "name", p->name);
    draft_ref(&r, "household", f->household->id);
    draft_text(&r, "relation", m->relation);
    draft_text(&r, "gender", p->male ? "male" : "female");
    draft_str(&r, "birth_date", arena_str(&d->batch, str_z(day_text(p->birth, text))));
    draft_str(&r, "id_number", p->id_number);
    if (m->years >= 12) draft_str(&r, "phone", p->phone);
    if (care) draft_text(&r, "care", care);
    if (care && strcmp(care, "returned") == 0) {
        draft_str(&r, "returned_from", STR("外省"));
        draft_day(&r, "returned_on", d->last - chance_between(&d->names.chance, 0, 20), 0);
    }
    if (f->since != DAY_NONE) draft_day(&r, "since", f->since, 0);
    return draft_add(&r, e);
}

int family_add(struct demo *d, const struct family *f, struct id *ret_head, struct err *e) {
    const struct head *h = f->head;
    struct member_of head = {"head", h->person.male, false, h->years};
    struct id id;
    TRY(add_resident(d, f, &head, &h->person, ret_head ? ret_head : &id, e));
    for (int i = 1; i < f->size; i++) {
        struct member_of m = nth(d, f, i);
        struct person p = names_person(&d->names, &d->batch, m.own_name ? SURNAME_ANY : h->surname, m.male, born(d, m.years));
        TRY(add_resident(d, f, &m, &p, &id, e));
    }
    return 0;
}
