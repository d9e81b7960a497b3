/* SPDX-License-Identifier: ISC */
#ifndef VFIOBROKER_CMD_COMMAND_H
#define VFIOBROKER_CMD_COMMAND_H

/* The subcommands, and what they share. */

#include "options.h"

struct vfiobroker;

/* The whole program but for main(): finds the subcommand, runs it. */
int command_main(int argc, char **argv);

/*
 * Opens the connection, or says why not.  Returns EX_OK or the status to
 * exit with; the connection is the caller's to close.
 */
int command_connect(struct vfiobroker **out);

/* Exactly n operands, or EX_USAGE after saying so. */
int command_operands(const struct command *, int argc, int n);

int cmd_list(const struct command *, int argc, char **argv);
int cmd_show(const struct command *, int argc, char **argv);
int cmd_groups(const struct command *, int argc, char **argv);
int cmd_status(const struct command *, int argc, char **argv);
int cmd_exec(const struct command *, int argc, char **argv);
int cmd_run(const struct command *, int argc, char **argv);
/*
 * `vfiobroker run -- argv...` with nothing but that to say, for who can name a
 * program but no arguments: libvirt's <emulator>.  Without VFIO devices among
 * argv it is the program and no more.
 */
int cmd_run_as(char **argv);
int cmd_explain(const struct command *, int argc, char **argv);
int cmd_watch(const struct command *, int argc, char **argv);
int cmd_release(const struct command *, int argc, char **argv);
int cmd_revoke(const struct command *, int argc, char **argv);
int cmd_recover(const struct command *, int argc, char **argv);
int cmd_policy_check(const struct command *, int argc, char **argv);
int cmd_policy_show(const struct command *, int argc, char **argv);
int cmd_policy_generate(const struct command *, int argc, char **argv);

#endif
