/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command `coopvmm`: its subcommands, their exit codes, and what they share.
 *
 * A subcommand is a function like main(): argv[0] is its own name. It parses its options with
 * getopt_long (optind is 0 when it is called), answers --help on standard output with exit code 0,
 * and returns one of enum cmd_exit. Data go to standard output, everything else to standard error.
 * --json prints one JSON document.
 */
#ifndef COOPVMM_CMD_H
#define COOPVMM_CMD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum cmd_exit {
    CMD_OK = 0,
    CMD_FAILED = 1, /* tried and did not work, or what was looked at is not as it should be */
    CMD_USAGE = 2,  /* the command line is wrong */
    CMD_CONFIG = 3, /* the config file is wrong, or does not fit this machine */
};

/* What a subcommand's operand is, for completion. */
enum cmd_operand { CMD_NO_OPERAND, CMD_FILE_OPERAND, CMD_TESTBED_OPERAND, CMD_WORD_OPERAND };

struct cmd {
    const char *name;
    const char *synopsis; /* after the name, for the list of commands */
    const char *summary;  /* one line */
    const char *options;  /* long options, separated by spaces, for completion */
    enum cmd_operand operand;
    const char *words; /* CMD_WORD_OPERAND: what it can be */
    int (*run)(int argc, char **argv);
};

/** All subcommands, in the order they are listed; ends with a NULL name. */
extern const struct cmd cmd_list[];

int cmd_run(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_start(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_topo(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_completion(int argc, char **argv);

/**
 * Reports a wrong command line: "coopvmm NAME: text" and where help is. NULL for the text prints
 * only the latter (getopt_long has said what is wrong).
 * @return CMD_USAGE
 */
int cmd_usage(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Reports what failed: "coopvmm NAME: text". @return CMD_FAILED */
int cmd_fail(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * Options of a command that waits for what it began, unless it is told not to: -n, -h.
 * @param wait out: false with --no-wait
 * @return -1: operands are at argv[optind]; else the command is over, with this exit code
 */
int cmd_wait_options(int argc, char **argv, const char *name, const char *help, bool *wait);

/** Prints `j` to standard output, indented, and releases it. @return CMD_OK or CMD_FAILED */
int cmd_print_json(json_t *j);

#endif
