/* SPDX-License-Identifier: BSD-3-Clause */
/* What the supervisor answers on its control socket; the protocol is described in supctl.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supctl.h"
#include "supervisor_int.h"

static json_t *json_cores(const int *cores, unsigned n)
{
    json_t *a = json_array();

    for (unsigned i = 0; i < n; i++)
        json_array_append_new(a, json_integer(cores[i]));
    return a;
}

static json_t *json_iocores(const struct cfg *c)
{
    json_t *a = json_array();

    for (unsigned i = 0; i < c->iocores_count; i++)
        json_array_append_new(a, json_integer(c->iocores[i].core));
    return a;
}

/* What all processes have: pid, state, seconds since the start of the present one. */
static json_t *json_proc(const struct proc *p)
{
    uint64_t until = p->state == PROC_ENDED ? p->ended_ms : sup_now();
    double uptime = p->started_ms ? (double)(until - p->started_ms) / 1000.0 : 0.0;
    json_t *j = json_pack("{s:s, s:i, s:s, s:f}", "name", p->name, "pid", (int)p->child.pid,
                          "state", proc_state_name(p), "uptime_s", uptime);

    if (p->how[0])
        json_object_set_new(j, "how", json_string(p->how));
    return j;
}

static json_t *json_iocored(const struct supervisor *s)
{
    json_t *j = json_proc(&s->iocored);

    json_object_set_new(j, "restarts", json_integer(s->iocored.restarts));
    json_object_set_new(j, "cores", json_iocores(s->cfg));
    return j;
}

static json_t *json_vms(const struct supervisor *s)
{
    json_t *a = json_array();

    for (unsigned i = 0; i < s->cfg->vms_count; i++) {
        const struct cfg_vm *vm = s->vm[i].vm;
        json_t *j = json_proc(&s->vm[i]);

        json_object_set_new(j, "engine", json_string(cfg_engine_name(vm->engine)));
        json_object_set_new(j, "cores", json_cores(vm->cores, vm->cores_count));
        json_object_set_new(j, "node", json_integer(vm->node));
        json_array_append_new(a, j);
    }
    return a;
}

static const char *testbed_state(const struct supervisor *s)
{
    return s->stopping ? "stopping" : s->announced ? "running" : "starting";
}

static json_t *verb_ps(struct supervisor *s)
{
    double uptime = (double)(sup_now() - s->started_ms) / 1000.0;

    return json_pack("{s:b, s:s, s:i, s:s, s:s, s:f, s:o*, s:o}", "ok", 1, "testbed", s->cfg->name,
                     "pid", (int)getpid(), "rundir", s->dir.ref.path, "state", testbed_state(s),
                     "uptime_s", uptime, "iocored", s->cfg->iocores_count ? json_iocored(s) : NULL,
                     "vms", json_vms(s));
}

static json_t *verb_info(struct supervisor *s)
{
    return json_pack("{s:b, s:s, s:s, s:i, s:s, s:s, s:s, s:b}", "ok", 1, "version",
                     COOPVMM_VERSION, "testbed", s->cfg->name, "pid", (int)getpid(), "config",
                     s->cfg->path, "rundir", s->dir.ref.path, "telemetry", s->dir.ref.telemetry,
                     "unshared", s->opts.unshare);
}

static struct proc *find_vm(struct supervisor *s, const char *name)
{
    for (unsigned i = 0; i < s->cfg->vms_count; i++)
        if (strcmp(s->vm[i].name, name) == 0)
            return &s->vm[i];
    return NULL;
}

/* The VM a request names. @return NULL: there is none; *answer says so */
static struct proc *vm_of(struct supervisor *s, const json_t *request, json_t **answer)
{
    const char *name = json_string_value(json_object_get(request, "vm"));
    struct proc *p = name ? find_vm(s, name) : NULL;

    if (!p)
        *answer = supctl_error("testbed %s has no such VM; `coopvmm ps` lists them", s->cfg->name);
    return p;
}

static json_t *verb_start(struct supervisor *s, const json_t *request)
{
    json_t *answer;
    struct proc *p = vm_of(s, request, &answer);

    if (!p)
        return answer;
    if (s->stopping)
        return supctl_error("testbed %s is stopping", s->cfg->name);
    if (p->state != PROC_ENDED)
        return supctl_error("VM %s is not over, but %s", p->name, proc_state_name(p));
    if (s->cfg->iocores_count && s->iocored.state != PROC_RUNNING)
        return supctl_error("the I/O cores are %s; try again", proc_state_name(&s->iocored));
    sup_note(s, "starting VM %s, as asked", p->name);
    proc_start_again(p);
    sup_advance(s);
    return p->state == PROC_ENDED ? supctl_error("VM %s %s", p->name, p->how)
                                  : json_pack("{s:b}", "ok", 1);
}

static json_t *verb_stop(struct supervisor *s, const json_t *request)
{
    json_t *answer;
    struct proc *p;

    if (!json_object_get(request, "vm")) {
        sup_note(s, "stopping, as asked");
        sup_stop(s);
        return json_pack("{s:b}", "ok", 1);
    }
    p = vm_of(s, request, &answer);
    if (!p)
        return answer;
    proc_stop(p);
    sup_advance(s);
    return json_pack("{s:b}", "ok", 1);
}

static json_t *answer(struct supervisor *s, const json_t *request)
{
    const char *verb = json_string_value(json_object_get(request, "verb"));

    if (verb && strcmp(verb, "ps") == 0)
        return verb_ps(s);
    if (verb && strcmp(verb, "info") == 0)
        return verb_info(s);
    if (verb && strcmp(verb, "stop") == 0)
        return verb_stop(s, request);
    if (verb && strcmp(verb, "start") == 0)
        return verb_start(s, request);
    return supctl_error("unknown verb; known are ps, info, stop, start");
}

static void on_request(struct ev *e)
{
    struct sup_client *c = e->owner;
    json_t *request;
    int err = supctl_recv(e->fd, &request);

    if (err == -EAGAIN)
        return;
    if (err == 0) {
        err = supctl_send(e->fd, answer(c->sup, request));
        json_decref(request);
    } else if (err == -EPROTO) {
        err = supctl_send(e->fd, supctl_error("a request is one JSON object of at most %d bytes",
                                              SUPCTL_MAX_REQUEST));
    }
    if (err) /* gone, or does not read its answers */
        evloop_close(c->sup->loop, e);
}

static struct sup_client *free_client(struct supervisor *s)
{
    for (unsigned i = 0; i < SUP_MAX_CLIENTS; i++)
        if (s->client[i].ev.fd < 0)
            return &s->client[i];
    return NULL;
}

static void on_connection(struct ev *e)
{
    struct supervisor *s = e->owner;
    struct sup_client *c = free_client(s);
    int fd = supctl_accept(e->fd);

    if (fd < 0)
        return;
    if (!c) {
        supctl_send(fd, supctl_error("too many connections"));
        close(fd);
    } else if (evloop_add(s->loop, &c->ev, fd, on_request, c) < 0) {
        close(fd);
    }
}

void sup_ctl_init(struct supervisor *s)
{
    s->listen_ev.fd = -1;
    for (unsigned i = 0; i < SUP_MAX_CLIENTS; i++)
        s->client[i] = (struct sup_client){.sup = s, .ev.fd = -1};
}

int sup_ctl_open(struct supervisor *s)
{
    char path[RUNDIR_PATH + 16];
    int fd;

    snprintf(path, sizeof(path), "%s/ctl.sock", s->dir.ref.path);
    fd = supctl_listen(path);
    return fd < 0 ? fd : evloop_add(s->loop, &s->listen_ev, fd, on_connection, s);
}

void sup_ctl_close(struct supervisor *s)
{
    evloop_close(s->loop, &s->listen_ev);
    for (unsigned i = 0; i < SUP_MAX_CLIENTS; i++)
        evloop_close(s->loop, &s->client[i].ev);
}
