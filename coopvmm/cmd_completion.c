/* SPDX-License-Identifier: BSD-3-Clause */
/* coopvmm completion: scripts for bash and zsh, made from the list of subcommands. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static const char help[] =
    "Usage: coopvmm completion bash|zsh\n"
    "Prints a completion script. For one shell: source <(coopvmm completion bash)\n"
    "`make install` puts both where the shells look for them.\n\n"
    "  -h, --help      this text\n";

static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

static void print_names(void)
{
    for (const struct cmd *c = cmd_list; c->name; c++)
        printf("%s%s", c == cmd_list ? "" : " ", c->name);
}

static void bash_operand(const struct cmd *c)
{
    switch (c->operand) {
    case CMD_FILE_OPERAND:
        printf("COMPREPLY=($(compgen -f -X '!*.yaml' -- \"$cur\") $(compgen -d -- \"$cur\"))");
        break;
    case CMD_TESTBED_OPERAND:
        printf("COMPREPLY=($(compgen -W \"$(coopvmm ps --names 2>/dev/null)\" -- \"$cur\"))");
        break;
    case CMD_WORD_OPERAND: printf("COMPREPLY=($(compgen -W '%s' -- \"$cur\"))", c->words); break;
    case CMD_NO_OPERAND: printf("COMPREPLY=()"); break;
    }
}

static void bash(void)
{
    printf("# bash completion for coopvmm\n"
           "_coopvmm() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} opts=\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        COMPREPLY=($(compgen -W '");
    print_names();
    printf(" --help --version' -- \"$cur\"))\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]} in\n");
    for (const struct cmd *c = cmd_list; c->name; c++) {
        printf("    %s) opts='%s'; ", c->name, c->options);
        bash_operand(c);
        printf(" ;;\n");
    }
    printf("    esac\n"
           "    case $cur in\n"
           "    -*) COMPREPLY=($(compgen -W \"$opts\" -- \"$cur\")) ;;\n"
           "    esac\n"
           "}\n"
           "complete -o filenames -F _coopvmm coopvmm\n");
}

static const char *zsh_operand(const struct cmd *c)
{
    switch (c->operand) {
    case CMD_FILE_OPERAND: return "_files -g '*.yaml'";
    case CMD_TESTBED_OPERAND: return "compadd -- ${(f)\"$(coopvmm ps --names 2>/dev/null)\"}";
    case CMD_WORD_OPERAND:
    case CMD_NO_OPERAND: break;
    }
    return ":";
}

static void zsh(void)
{
    printf("#compdef coopvmm\n"
           "_coopvmm() {\n"
           "    if (( CURRENT == 2 )); then\n"
           "        local -a commands=(\n");
    for (const struct cmd *c = cmd_list; c->name; c++)
        printf("            \"%s:%s\"\n", c->name, c->summary);
    printf("        )\n"
           "        _describe command commands\n"
           "        return\n"
           "    fi\n"
           "    case $words[2] in\n");
    for (const struct cmd *c = cmd_list; c->name; c++)
        printf("    %s) [[ $PREFIX == -* ]] && compadd -- %s || %s %s ;;\n", c->name, c->options,
               c->words ? "compadd --" : zsh_operand(c), c->words ? c->words : "");
    printf(
        "    esac\n"
        "}\n"
        "if [ \"$funcstack[1]\" = _coopvmm ]; then _coopvmm \"$@\"; else compdef _coopvmm coopvmm; "
        "fi\n");
}

int cmd_completion(int argc, char **argv)
{
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c != 'h')
            return cmd_usage("completion", NULL);
        fputs(help, stdout);
        return CMD_OK;
    }
    if (argc - optind != 1)
        return cmd_usage("completion", "which shell, bash or zsh?");
    if (strcmp(argv[optind], "bash") == 0)
        bash();
    else if (strcmp(argv[optind], "zsh") == 0)
        zsh();
    else
        return cmd_usage("completion", "no completion for %s; bash and zsh have one", argv[optind]);
    return fflush(stdout) == 0 ? CMD_OK : CMD_FAILED;
}
