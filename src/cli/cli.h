/* The command line: one table of commands, each with its options, from which parsing, --help and the reference page are made.
 *
 * Exit codes are those of errors.inc: 0 done, 1 internal, 2 usage, 3 not permitted, 4 not found, 5 conflict, 6 invalid content, 7 busy, 8
 * storage, 9 the data do not prove themselves. */
#ifndef CLI_H
#define CLI_H

#include "core/site.h"

struct cli_option {
    const char *name;  /* "area" for --area */
    const char *value; /* "CODE"; NULL: a switch */
    struct label help;
    bool many;         /* may be given several times */
};
enum cli_flags {
    CLI_SITE = 1, /* the first argument is a site's directory, opened before run(); takes --db */
    CLI_DB = 2,   /* takes --db, and opens or makes sites itself */
};
struct cli;
struct cli_command {
    const char *name, *args; /* "import", "DIR KIND FILE" */
    struct label help;
    const struct cli_option *options;
    size_t n;
    int least, most; /* arguments */
    unsigned flags;
    int (*run)(struct cli *c, struct err *e);
};
struct cli {
    const struct cli_command *command;
    const char *args[8];
    int args_n;
    struct {
        const struct cli_option *option;
        const char *value;
    } given[64];
    int given_n;
    bool json, terminal; /* --json; standard error is a terminal */
    enum lang lang;
    struct site *site;
    struct arena a;
};
extern const struct cli_command *const cli_commands[]; /* NULL-terminated */
extern const struct cli_option cli_database;           /* --db */

int cli_main(int argc, char **argv);
/* For the commands */
const char *cli_value(const struct cli *c, const char *option); /* NULL when not given */
bool cli_given(const struct cli *c, const char *option);
int cli_int(const struct cli *c, const char *option, int64_t min, int64_t max, int64_t fallback, int64_t *ret, struct err *e);
int cli_day(const struct cli *c, const char *option, day_t fallback, day_t *ret, struct err *e);
int cli_usage(struct err *e, const char *what);
/* Opens the site of that directory, at --db when it is given, into c->site. */
int cli_open(struct cli *c, const char *dir, struct err *e);
/* Opens the site of that directory and recounts everything; CORRUPT when something is wrong. */
int cli_prove(const char *dir, struct err *e);
int cli_copy_key(const char *from_dir, const char *to_dir, struct err *e); /* never over one that is there */
/* A copy of the open site to that address, with its progress; `dir` is the copy's directory. */
struct copy_result;
int cli_copy_rows(struct cli *c, struct site *from, const char *to, const char *dir, bool again, struct copy_result *ret, struct err *e);
/* The area named by --area, or the first at the top. */
int cli_area(struct cli *c, struct areas *t, const struct area **ret, struct err *e);
/* Done / rate / time left on one line of the terminal; nothing where there is none. */
void cli_progress(const struct cli *c, const char *what, int64_t done, double fraction, int64_t began_us);
void cli_progress_end(const struct cli *c);

extern const struct cli_command cli_init, cli_demo, cli_import, cli_export, cli_brief, cli_figure, cli_user, cli_serve, cli_backup, cli_restore,
    cli_fsck, cli_doctor, cli_version, cli_db, cli_pass, cli_bench;

#endif
