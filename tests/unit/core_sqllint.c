#include "core_sqllint.h"

#include <ctype.h>

const char *sql_habit(enum sql_habit h) {
#define SQL_HABIT(name, text) text,
    static const char *const texts[] = {SQL_HABITS};
#undef SQL_HABIT
    return texts[h];
}

/* ---- tokens ---- */

enum token_type { END, WORD, TEXT, MARK, SIGN }; /* MARK: {for_update}; SIGN: $1, numbers, operators, brackets */
struct token {
    enum token_type type;
    struct str s;
    int depth; /* of brackets around it; a bracket itself is outside */
};
enum { TOKENS_MOST = 8192, MARGIN = 4 };
struct text {
    struct token all[TOKENS_MOST], *t; /* with END before and behind: a look three tokens aside is always allowed */
    size_t n;
};

static size_t end_of(const char *p, enum token_type *type) {
    size_t n = 1;
    *type = SIGN;
    if (*p == '\'' || *p == '"' || *p == '{') {
        const char *end = strchr(p + 1, *p == '{' ? '}' : *p);
        *type = *p == '\'' ? TEXT : *p == '"' ? WORD : MARK;
        return end ? (size_t)(end - p) + 1 : strlen(p);
    }
    if (isalpha((unsigned char)*p) || *p == '_') *type = WORD;
    else if (*p != '$' && !isdigit((unsigned char)*p)) return strchr("<>|", *p) && p[1] && strchr(">=|", p[1]) ? 2 : 1;
    while (isalnum((unsigned char)p[n]) || p[n] == '_') n++;
    return n;
}

static const char *skip_space(const char *p) {
    for (;;) {
        while (isspace((unsigned char)*p)) p++;
        const char *end = strncmp(p, "--", 2) == 0 ? strchr(p, '\n') : strncmp(p, "/*", 2) == 0 ? strstr(p, "*/") : p;
        if (end == p) return p;
        p = end ? end + 1 + (*end == '*') : p + strlen(p);
    }
}

/* One statement, to the next semicolon.  Returns what is behind it. */
static const char *tokenize(const char *p, struct text *x) {
    int depth = 0;
    memset(x->all, 0, sizeof x->all);
    x->t = x->all + MARGIN;
    for (x->n = 0; *(p = skip_space(p)) && *p != ';';) {
        INVARIANT(x->n + 2 * MARGIN < TOKENS_MOST);
        struct token *t = &x->t[x->n++];
        t->s = (struct str){p, end_of(p, &t->type)};
        p += t->s.n;
        if (str_eqz(t->s, ")")) depth--;
        t->depth = depth;
        if (str_eqz(t->s, "(")) depth++;
    }
    return *p ? p + 1 : p;
}

static bool is(const struct token *t, const char *what) {
    return t->type != TEXT && str_ieq(t->s, str_z(what));
}

/* words: "|a|b|" */
static bool is_one_of(const struct token *t, const char *words) {
    char lower[48] = "|";
    if (t->type != WORD || t->s.n > sizeof lower - 3) return false;
    for (size_t i = 0; i < t->s.n; i++) lower[i + 1] = (char)tolower((unsigned char)t->s.p[i]);
    lower[t->s.n + 1] = '|';
    return strstr(words, lower) != NULL;
}

static bool in_list(const struct str *list, size_t n, struct str name) {
    for (size_t i = 0; i < n; i++)
        if (str_ieq(list[i], name)) return true;
    return false;
}

static bool by_site(const struct sql_tables *k, const struct token *t) {
    return t->type == WORD && in_list(k->by_site, k->by_site_n, t->s);
}

/* ---- queries: scopes, the tables in them, what ties those to the site ---- */

enum clause { OTHER, TABLES, CONDITION, SETS, VALUES };
struct scope {
    int parent, depth;
    enum clause clause;
    int condition; /* number of the WHERE or ON it is in */
    bool insert;   /* into a table by site */
};
struct relation {
    struct str alias;
    int scope;
    bool tied;
};
struct side { /* $1, or a column `site` of the relation called so; no name: of the one in the scope */
    bool param;
    struct str alias;
};
struct tie {
    int scope, condition;
    struct side a, b;
};
struct query {
    const struct sql_tables *tables;
    bool script;
    unsigned found;
    struct scope scopes[64];
    struct relation relations[64];
    struct tie ties[128];
    bool has_or[128];
    int now, scopes_n, relations_n, ties_n, conditions_n;
};

static void found(struct query *q, enum sql_habit h) {
    q->found |= 1u << h;
}

static void open_scope(struct query *q, const struct token *t) {
    struct scope *s = &q->scopes[q->now];
    bool beside = q->now && s->depth == t->depth; /* behind UNION, or INSERT ... SELECT */
    const struct token *first = is(t + 1, "DISTINCT") ? t + 2 : t + 1, *column = is(first + 1, ".") ? first + 2 : first;
    if (beside && s->insert && !is(first, "$1") && !is(column, "site")) found(q, SQL_INSERT);
    INVARIANT(q->scopes_n < (int)COUNT(q->scopes));
    q->scopes[q->scopes_n] = (struct scope){.parent = beside ? s->parent : q->now, .depth = t->depth};
    q->now = q->scopes_n++;
}

static bool starts_query(const struct token *t) {
    if (is(t, "UPDATE")) return !is(t - 1, "DO") && !is(t - 1, "FOR") && !is(t - 1, "NO") && !is(t - 1, "KEY");
    return is_one_of(t, "|select|insert|delete|") && !is(t - 1, "ON");
}

static void add_relation(struct query *q, const struct token *t) {
    if (is_one_of(t, "|lateral|only|")) t++;
    if (is(t, "(")) {
        if (!is_one_of(t + 1, "|select|with|values|")) found(q, SQL_UNREAD);
        return;
    }
    if (!by_site(q->tables, t)) return;
    const struct token *alias = is(t + 1, "AS") ? t + 2 : t + 1;
    bool named = alias->type == WORD &&
                 !is_one_of(alias, "|where|join|left|right|full|inner|cross|natural|on|using|set|group|order|limit|union|except|intersect|returning|having|for|window|");
    INVARIANT(q->relations_n < (int)COUNT(q->relations));
    q->relations[q->relations_n++] = (struct relation){named ? alias->s : t->s, q->now, false};
}

/* The side that begins at t or, `back`, ends there; the number of its tokens, 0 when it is none. */
static int read_side(const struct token *t, bool back, struct side *ret) {
    const struct token *column = back || !is(t + 1, ".") ? t : t + 2;
    bool named = back ? is(t - 1, ".") : column != t;
    *ret = (struct side){.param = is(t, "$1")};
    if (ret->param) return 1;
    if (!is(column, "site")) return 0;
    if (named) ret->alias = column[-2].s;
    return named ? 3 : 1;
}

static void add_tie(struct query *q, const struct token *equals) {
    struct tie tie = {.scope = q->now, .condition = q->scopes[q->now].condition};
    int before = read_side(equals - 1, true, &tie.a), behind = read_side(equals + 1, false, &tie.b);
    if (!before || !behind || (tie.a.param && tie.b.param)) return;
    const struct token *ahead = equals - before - 1, *after = equals + behind + 1;
    if (!is_one_of(ahead, "|where|on|and|") || after->type == TEXT || (after->type == SIGN && !is(after, ")"))) return;
    INVARIANT(q->ties_n < (int)COUNT(q->ties));
    q->ties[q->ties_n++] = tie;
}

static void check_insert(struct query *q, const struct token *into) {
    const struct token *list = into + 2;
    if (!by_site(q->tables, into + 1)) return;
    q->scopes[q->now].insert = true;
    if (!is(list, "(") || !is(list + 1, "site")) found(q, SQL_INSERT);
}

static bool leads_to_table(const struct token *t) {
    if (is(t, "FROM")) return !is(t - 1, "DISTINCT") || !(is(t - 2, "IS") || is(t - 2, "NOT"));
    return is(t, "JOIN") || (is(t, "UPDATE") && starts_query(t)) || (is(t, "USING") && !is(t + 1, "("));
}

static void begin_condition(struct query *q, struct scope *s) {
    INVARIANT(q->conditions_n < (int)COUNT(q->has_or));
    s->clause = CONDITION;
    s->condition = q->conditions_n++;
}

static void word_of_query(struct query *q, struct scope *s, const struct token *t) {
    if (leads_to_table(t)) {
        s->clause = TABLES;
        add_relation(q, t + 1);
    } else if (is(t, "WHERE") || (is(t, "ON") && !is(t + 1, "CONFLICT"))) {
        begin_condition(q, s);
    } else if (is(t, "CONFLICT")) {
        s->clause = OTHER;
        if (s->insert && is(t + 1, "(") && !is(t + 2, "site")) found(q, SQL_CONFLICT);
    } else if (is(t, "INTO")) {
        check_insert(q, t);
    } else if (is(t, "OR")) {
        q->has_or[s->condition] |= s->clause == CONDITION;
    } else if (is(t, "SET")) {
        s->clause = SETS;
        if (is(t + 1, "(")) found(q, SQL_UNREAD);
    } else if (is(t, "VALUES")) {
        s->clause = VALUES;
    } else if (is_one_of(t, "|group|order|having|limit|returning|window|")) {
        s->clause = OTHER;
    }
}

static void in_clause(struct query *q, struct scope *s, const struct token *t) {
    if (is(t, "=") && s->clause == CONDITION) add_tie(q, t);
    if (is(t, ",") && (s->clause == TABLES || s->clause == CONDITION)) add_relation(q, t + 1);
    if (is(t, "site") && s->clause == SETS && is(t + 1, "=") && (is(t - 1, "SET") || is(t - 1, ","))) found(q, SQL_SET_SITE);
    if (is(t, "(") && s->clause == VALUES && s->insert && !is(t + 1, "$1")) found(q, SQL_INSERT);
}

static struct relation *relation_of(struct query *q, int scope, struct str alias) {
    for (int at = scope; at > 0; at = q->scopes[at].parent)
        for (int i = 0; i < q->relations_n; i++)
            if (q->relations[i].scope == at && (!alias.n || str_ieq(q->relations[i].alias, alias))) return &q->relations[i];
    return NULL;
}

static struct relation *relation_at(struct query *q, const struct tie *t, const struct side *s) {
    return s->param ? NULL : relation_of(q, t->scope, s->alias);
}

/* From one side of the tie to the other; true when that is new. */
static bool pass_on(struct query *q, const struct tie *t, const struct side *from, const struct side *to) {
    const struct relation *known = relation_at(q, t, from);
    struct relation *other = relation_at(q, t, to);
    if (!other || other->tied || !(from->param || (known && known->tied))) return false;
    return other->tied = true;
}

static void judge_ties(struct query *q, bool lock, bool recursive) {
    for (int i = 0; q->script && i < q->relations_n; i++) {
        bool first = q->scopes[q->relations[i].scope].parent == 0;
        for (int j = 0; j < i; j++) first &= q->relations[j].scope != q->relations[i].scope;
        q->relations[i].tied = first;
    }
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < q->ties_n; i++) {
            const struct tie *t = &q->ties[i];
            if (q->has_or[t->condition]) continue;
            more |= pass_on(q, t, &t->a, &t->b);
            more |= pass_on(q, t, &t->b, &t->a);
        }
    }
    for (int i = 0; i < q->relations_n; i++) {
        if (q->relations[i].tied) continue;
        found(q, SQL_SITE);
        if (lock) found(q, SQL_LOCK);
        if (recursive) found(q, SQL_RECURSIVE);
    }
}

static void lint_query(struct query *q, const struct text *x) {
    bool lock = false, recursive = false;
    q->scopes_n = 1; /* the outermost: no query, no tables */
    q->scopes[0].depth = -1;
    for (size_t i = 0; i < x->n; i++) {
        const struct token *t = &x->t[i];
        if (starts_query(t)) open_scope(q, t);
        while (is(t, ")") && q->scopes[q->now].depth > t->depth) q->now = q->scopes[q->now].parent;
        struct scope *s = &q->scopes[q->now];
        lock |= is(t, "{for_update}") || (is(t, "FOR") && is_one_of(t + 1, "|update|share|no|key|"));
        recursive |= is(t, "RECURSIVE");
        if (t->depth != s->depth) continue;
        if (t->type == WORD) word_of_query(q, s, t);
        in_clause(q, s, t);
    }
    judge_ties(q, lock, recursive);
}

/* ---- words that are wrong anywhere ---- */

static void lint_words(struct query *q, const struct text *x) {
    for (size_t i = 0; i < x->n; i++) {
        const struct token *t = &x->t[i];
        if (is(t + 1, "(") && is_one_of(t, "|now|random|gen_random_uuid|uuid_generate_v4|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|"
                                           "nextval|currval|setval|lastval|txid_current|pg_current_xact_id|randomblob|unixepoch|last_insert_rowid|changes|"))
            found(q, SQL_VOLATILE);
        if (is_one_of(t, "|current_timestamp|current_date|current_time|localtime|localtimestamp|") || str_eqz(t->s, "'now'")) found(q, SQL_VOLATILE);
        if (is_one_of(t, "|rollup|cube|") || (is(t, "GROUPING") && is(t + 1, "SETS"))) found(q, SQL_GROUPING);
        if (is_one_of(t, "|ctid|xmin|xmax|cmin|cmax|tableoid|rowid|_rowid_|")) found(q, SQL_ROW_PLACE);
        if ((is(t, "SKIP") && is(t + 1, "LOCKED")) || is(t, "NOWAIT")) found(q, SQL_SKIP);
        if (is_one_of(t, "|serial|bigserial|smallserial|identity|autoincrement|sequence|")) found(q, SQL_SEQUENCE);
        if (is(t, "ON") && is(t + 1, "DELETE") && is(t + 2, "SET")) found(q, SQL_ON_DELETE);
    }
}

/* ---- definitions ---- */

/* The name behind CREATE ... TABLE or INDEX, or NULL. */
static const struct token *name_behind(const struct text *x, const char *what) {
    const struct token *t = x->t + 1;
    if (!is(x->t, "CREATE")) return NULL;
    while (is_one_of(t, "|unique|temp|temporary|unlogged|")) t++;
    if (!is(t++, what)) return NULL;
    return is(t, "IF") ? t + 3 : t;
}

/* A key or reference that begins at t and does not begin with site. */
static void lint_key(struct query *q, const struct token *t) {
    bool unique = is(t, "UNIQUE"), primary = is(t, "PRIMARY") && is(t + 1, "KEY");
    const struct token *columns = unique ? t + 1 : t + 2;
    bool with_site = is(columns, "(") && is(columns + 1, "site");
    if (is(t, "EXCLUDE") || ((unique || primary) && !with_site)) found(q, SQL_KEY);
    if (is(t, "FOREIGN") && !is(t + 3, "site")) found(q, SQL_FOREIGN);
    if (is(t, "REFERENCES") && !(is(t - 1, ")") && with_site)) found(q, SQL_FOREIGN);
}

static void lint_table(struct query *q, const struct text *x, const struct token *name) {
    bool here = by_site(q->tables, name);
    if (!here && !in_list(q->tables->local, q->tables->local_n, name->s)) found(q, SQL_PLACE);
    for (const struct token *t = name; here && t < x->t + x->n; t++) lint_key(q, t);
}

static void lint_definition(struct query *q, const struct text *x) {
    const struct token *t = x->t, *name = name_behind(x, "TABLE"), *index = name_behind(x, "INDEX");
    if (name) lint_table(q, x, name);
    if (index && by_site(q->tables, index + 2) && !(is(index + 3, "(") && is(index + 4, "site"))) found(q, SQL_KEY);
    if (is(t, "ALTER"))
        for (size_t i = 0; i < x->n; i++)
            if (is(&t[i], ",") && t[i].depth == 0) found(q, SQL_ALTER);
    if (is(t, "CREATE") && is_one_of(is(t + 1, "OR") ? t + 3 : t + 1, "|trigger|constraint|rule|function|procedure|")) found(q, SQL_PROGRAM);
}

static unsigned lint(const struct sql_tables *tables, const char *sql, bool script) {
    static struct text x;
    unsigned all = 0;
    while (*skip_space(sql)) {
        struct query q = {.tables = tables, .script = script};
        sql = tokenize(sql, &x);
        lint_words(&q, &x);
        if (is_one_of(x.t, "|create|alter|drop|")) lint_definition(&q, &x);
        else lint_query(&q, &x);
        all |= q.found;
    }
    return all;
}

unsigned sql_lint_stmt(const struct sql_tables *t, const char *sql) {
    return lint(t, sql, false);
}

unsigned sql_lint_script(const struct sql_tables *t, const char *sql) {
    return lint(t, sql, true);
}

void sql_tables_add(struct sql_tables *t, const char *ddl) {
    static struct text x;
    while (*skip_space(ddl)) {
        ddl = tokenize(ddl, &x);
        const struct token *name = name_behind(&x, "TABLE");
        if (!name || !is(name + 1, "(") || !is(name + 2, "site") || by_site(t, name)) continue;
        INVARIANT(t->by_site_n < COUNT(t->by_site));
        t->by_site[t->by_site_n++] = name->s;
    }
}
