/* Commands: the one way in.  A command has a name, an id made by whoever sends it, and runs once: the same id again answers with the first
 * result, whatever happened in between; the same id with another content is refused.  An opening is the exception: repeated, it shows the values again to
 * whom it showed them, as long as the record is the same.  A row of a KIND_LOG bears the id of its command.
 *
 *   command_parse   from JSON, on the caller's thread: everything that needs no database (validation of every field)
 *   command_run     inside the writer: permission, rule, record, journal, tallies */
#ifndef COMMAND_H
#define COMMAND_H

#include "core/tx.h"

enum verb { VERB_CREATE, VERB_UPDATE, VERB_REMOVE, VERB_OPEN, VERB_OTHER };

/* A call and all it points to live in the caller's arena `a`, which nobody else uses while the call runs. */
struct command_call {
    /* asked */
    struct arena *a;
    const struct actor *actor;
    enum lang lang;
    struct id id;
    enum verb verb;
    const struct kind *kind;
    const struct command *command; /* VERB_OTHER */
    const char *name;              /* "resident.create" */
    struct id record;              /* nil: none; a create may choose its record's id */
    int64_t version;               /* 0: whatever it is */
    struct str area;               /* code or id as text; empty: none */
    const struct json *data;       /* of open and other */
    struct val *values;            /* of create and update: kind->n values; given[i] says which were sent */
    bool *given;
    int64_t fingerprint;           /* of the content; 0: not compared */
    bool fresh;                    /* the program has just made the ids (of the record, too, where a create is given one): they need not be looked up */
    /* while it runs */
    struct record *rec;            /* the record asked for, loaded */
    /* answered */
    struct id ret_record;
    int64_t ret_version, ret_seq;
    bool repeated;
    struct str ret_json;           /* a command's own answer: members of the answer object without braces; may be empty */
    struct errs errs;
    struct record *row;            /* of a KIND_LOG's create: as stored, now or the first time */
    struct record *current;        /* with CONFLICT: what stands now */
};

/* actor, lang and a are set by the caller.  What a person must mend is in call->errs and the first of it in *e.  Unknown members of the object and
 * unknown fields of data are refused. */
int command_parse(struct site *s, const struct json *j, struct command_call *call, struct err *e);
/* By hand, for imports and the program's own: sets name, verb and kind and makes values and given. */
void command_prepare(struct command_call *call, const struct kind *k, enum verb verb);
/* The members of an object as values of the call's kind, but for those named besides (NULL, or an array that ends with NULL); what is wrong goes to
 * call->errs. */
void command_values(struct site *s, struct command_call *call, const struct json *fields, const char *const *besides);
/* What it answers lives in call->a. */
int command_run(struct tx *tx, struct command_call *call, struct err *e);
/* Reading ahead for a call that will run in this transaction (db_foresee). */
int command_foresee(struct tx *tx, const struct command_call *call, struct err *e);
/* A call as a writer item. */
struct command_item {
    struct write_item item;
    struct command_call *call;
};
/* The item of a parsed call; done is called after the commit (NULL for writer_run). */
struct command_item command_item_make(struct command_call *call, void (*done)(struct write_item *item));
/* Runs through the writer and waits. */
int command_do(struct site *s, struct command_call *call, struct err *e);
/* {"id","record","version","seq","repeated",...} */
void command_answer(const struct command_call *call, struct json_out *o);

/* ---- for commands of systems ---- */
/* A member of call->data as a value of that field; V_NULL when absent.  Errors name the field. */
int command_value(struct tx *tx, struct command_call *call, const struct field *f, struct val *ret, struct err *e);
/* A reference member: {"member": UUID}. */
int command_id(struct command_call *call, const char *name, bool required, struct id *ret, struct err *e);

#endif
