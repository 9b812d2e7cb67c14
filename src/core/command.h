/* Commands: the one way in.  A command has a name, an id made by whoever sends it, and runs once: the same id again answers with the first
 * result, whatever happened in between; the same id with another content is refused.
 *
 *   command_parse   from JSON, on the caller's thread: everything that needs no database (validation of every field)
 *   command_run     inside the writer: permission, rule, record, journal, tallies */
#ifndef COMMAND_H
#define COMMAND_H

#include "core/tx.h"

enum verb { VERB_CREATE, VERB_UPDATE, VERB_REMOVE, VERB_OPEN, VERB_OTHER };

struct command_call {
    /* asked */
    struct id id;
    enum verb verb;
    const struct kind *kind;
    const struct command *command; /* VERB_OTHER */
    const char *name;              /* "resident.create" */
    struct id record;              /* nil: none */
    int64_t version;               /* 0: whatever it is */
    struct str area;               /* code or id as text; empty: none */
    struct json *data;
    const struct actor *actor;
    enum lang lang;
    struct val *values;            /* of create and update; given[i] says which were sent */
    bool *given;
    int64_t fingerprint;
    struct arena *a;
    /* while it runs */
    struct record *rec;            /* the record asked for, loaded */
    /* answered */
    struct id ret_record;
    int64_t ret_version, ret_seq;
    bool repeated;
    struct str ret_json;           /* a command's own answer (values opened ...), an object without its braces; may be empty */
    struct errs errs;
    struct record *current;        /* with CONFLICT: what stands now */
};

/* Errors in call->errs and *e.  Unknown members of the object and unknown fields of data are refused. */
int command_parse(struct site *s, struct arena *a, const struct json *j, struct command_call *call, struct err *e);
int command_run(struct tx *tx, struct command_call *call, struct err *e);
/* Parses and runs through the writer, waiting: for the CLI, imports and tests. */
int command_do(struct site *s, struct command_call *call, struct err *e);
/* {"id","record","version","seq","repeated",...} */
void command_answer(const struct command_call *call, struct buf *to);

#endif
