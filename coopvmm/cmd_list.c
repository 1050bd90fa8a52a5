/* SPDX-License-Identifier: BSD-3-Clause */
/* The subcommands. A new one needs a line here and nothing else: help and completion follow. */
#include "cmd.h"

const struct cmd cmd_list[] = {
    {"run", "[options] FILE", "run a testbed", "--keep --quiet --unshare --help", CMD_FILE_OPERAND,
     NULL, cmd_run},
    {"ps", "[--json]", "list the running testbeds", "--json --names --help", CMD_NO_OPERAND, NULL,
     cmd_ps},
    {"stat", "[options] [VM|CORE]", "counters and latencies", "--testbed --json --help",
     CMD_NO_OPERAND, NULL, cmd_stat},
    {"top", "[options] [TESTBED]", "the same, live",
     "--testbed --delay --batch --once --json --help", CMD_TESTBED_OPERAND, NULL, cmd_top},
    {"stop", "[TESTBED [VM]]", "stop a testbed, or a VM", "--no-wait --help", CMD_TESTBED_OPERAND,
     NULL, cmd_stop},
    {"start", "[TESTBED] VM", "start a VM that is over", "--no-wait --help", CMD_TESTBED_OPERAND,
     NULL, cmd_start},
    {"console", "[options] VM", "a VM's serial port", "--testbed --help", CMD_NO_OPERAND, NULL,
     cmd_console},
    {"exec", "[TESTBED] -- COMMAND", "run a command in its network", "--help", CMD_TESTBED_OPERAND,
     NULL, cmd_exec},
    {"check", "[options] [FILE]", "is this host ready?", "--json --quiet --root --synthetic --help",
     CMD_FILE_OPERAND, NULL, cmd_check},
    {"topo", "[options]", "this machine's CPUs", "--json --synthetic --isolated --help",
     CMD_NO_OPERAND, NULL, cmd_topo},
    {"plan", "[options] FILE", "what would run where",
     "--json --yaml --synthetic --isolated --help", CMD_FILE_OPERAND, NULL, cmd_plan},
    {"bench", "NAME [options]", "measure, beside the baselines",
     "--json --plot --engine --part --cpu --iocpu --rounds --quick --help", CMD_WORD_OPERAND,
     "ring trap posted scale xen net echo", cmd_bench},
    {"completion", "bash|zsh", "print a completion script", "--help", CMD_WORD_OPERAND, "bash zsh",
     cmd_completion},
    {0},
};
