#include "cli/cli.h"

const struct cli_command *const cli_commands[] = {
    &cli_init, &cli_demo, &cli_serve, &cli_user, &cli_import, &cli_export, &cli_brief, &cli_figure, &cli_pass, &cli_backup, &cli_restore, &cli_db, &cli_fsck, &cli_doctor, &cli_bench, &cli_version, NULL,
};
