/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include "../coopvmm/cmd.h"
#include "report.h"

static int tell(const struct bench_run *r, const struct session *s, json_t *j)
{
    if (s->o.json)
        return cmd_print_json(j);
    report_print_head(j, stdout);
    r->print(j);
    report_print_goals(j, stdout);
    json_decref(j);
    return CMD_OK;
}

int bench_run(const struct bench_run *r, void *b, int argc, char **argv)
{
    struct session *s = b;
    int status = session_open(s, r->help, argc, argv), err, drawn = 0;
    json_t *j = NULL;

    if (status != OPTS_GO_ON)
        return status;
    err = r->measure(b);
    if (!err)
        j = r->result(b);
    if (j && s->o.plot)
        drawn = r->draw(b, j);
    if (r->stop)
        r->stop(b);
    status = session_close(s, err);
    if (j)
        status = tell(r, s, j);
    r->release(b);
    return drawn ? CMD_FAILED : status;
}
