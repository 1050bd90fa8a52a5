/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include "../coopvmm/cmd.h"
#include "report.h"

static unsigned rounds(const struct bench_run *r, const struct bench_opts *o)
{
    unsigned n = o->rounds ? o->rounds : o->quick ? r->quick : r->rounds;

    return n < r->most ? n : r->most;
}

static int measure(const struct bench_run *r, struct session *s, void *b)
{
    unsigned i;
    int err;

    s->rounds = rounds(r, &s->o);
    err = r->set_up(b);
    for (i = 0; !err && session_another(s, i, s->rounds); i++) {
        err = r->one_round(b, i);
        if (!err)
            err = session_check(s);
    }
    s->rounds = i;
    return err;
}

static json_t *sum_up(const struct bench_run *r, const struct session *s, void *b)
{
    json_t *j = r->result(b);

    json_object_set_new(j, "rounds", json_integer(s->rounds));
    return j;
}

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
    err = measure(r, s, b);
    if (!err)
        j = sum_up(r, s, b);
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
