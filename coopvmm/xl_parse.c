/* SPDX-License-Identifier: BSD-3-Clause */
#include "xl_parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 64

/* A line cut into words, in place. */
struct line {
    char *word[MAX_WORDS];
    unsigned n;
};

/* Calls fn for each line of a copy of the text, until it returns other than 0. */
static int each_line(const char *text, int (*fn)(struct line *, void *), void *arg)
{
    char *copy = strdup(text), *save = NULL;
    int ret = copy ? 0 : -ENOMEM;

    for (char *at = copy ? strtok_r(copy, "\n", &save) : NULL; at && !ret;
         at = strtok_r(NULL, "\n", &save)) {
        struct line l = {.n = 0};
        char *words = NULL;

        for (char *w = strtok_r(at, " \t\r", &words); w && l.n < MAX_WORDS;
             w = strtok_r(NULL, " \t\r", &words))
            l.word[l.n++] = w;
        if (l.n)
            ret = fn(&l, arg);
    }
    free(copy);
    return ret;
}

/* A whole number of at most nine digits. */
static bool number(const char *w, int *value)
{
    size_t len = strspn(w, "0123456789");

    if (!len || len > 9 || w[len])
        return false;
    *value = atoi(w);
    return true;
}

/* Room for one more in an array that doubles. @return false: out of memory, or there are `max` */
static bool grow(void *array, unsigned n, unsigned max, size_t size)
{
    void **at = array, *more;

    if (n >= max)
        return false;
    if (n & (n - 1))
        return true; /* only powers of two, and zero, are full */
    more = realloc(*at, (n ? 2 * (size_t)n : 1) * size);
    if (more)
        *at = more;
    return more != NULL;
}

/* --- xl info -n --- */

struct info {
    struct xen_host *h;
    enum { IN_FIELDS, IN_CPUS, IN_NODES } in;
};

/* "  0:       0        0        0": a CPU's core, socket and node; a node's memory. */
static bool numbered(const struct line *l, int *first, int *rest, unsigned n)
{
    char text[12];
    size_t len = strlen(l->word[0]);

    if (l->n < 1 + n || len < 2 || len > 10 || l->word[0][len - 1] != ':')
        return false;
    memcpy(text, l->word[0], len - 1);
    text[len - 1] = '\0';
    if (!number(text, first))
        return false;
    for (unsigned i = 0; i < n; i++)
        if (!number(l->word[1 + i], &rest[i]))
            return false;
    return true;
}

static int add_cpu(struct xen_host *h, const struct line *l)
{
    int cpu, v[3]; /* core, socket, node */

    if (!numbered(l, &cpu, v, 3))
        return 0; /* an offline CPU has dashes */
    if (!grow(&h->cpus, h->ncpus, XL_MAX_CPUS, sizeof(*h->cpus)))
        return h->ncpus < XL_MAX_CPUS ? -ENOMEM : 0;
    h->cpus[h->ncpus++] =
        (struct topo_cpu){.cpu = cpu, .core = v[0], .socket = v[1], .llc = v[1], .node = v[2]};
    return 0;
}

static int add_node(struct xen_host *h, const struct line *l)
{
    int node, v[2]; /* memsize, memfree */

    if (!numbered(l, &node, v, 2))
        return 0;
    if (!grow(&h->nodes, h->nnodes, XL_MAX_CPUS, sizeof(*h->nodes)))
        return h->nnodes < XL_MAX_CPUS ? -ENOMEM : 0;
    h->nodes[h->nnodes++] = (struct topo_node){.node = node, .memory = (uint64_t)v[1]};
    return 0;
}

static int info_line(struct line *l, void *arg)
{
    struct info *i = arg;

    if (!strcmp(l->word[0], "cpu_topology"))
        i->in = IN_CPUS;
    else if (!strcmp(l->word[0], "numa_info"))
        i->in = IN_NODES;
    else if (isalpha((unsigned char)l->word[0][0]) && l->n > 1 && strcmp(l->word[0], "cpu:") != 0 &&
             strcmp(l->word[0], "node:") != 0)
        i->in = IN_FIELDS;
    if (i->in == IN_CPUS)
        return add_cpu(i->h, l);
    if (i->in == IN_NODES)
        return add_node(i->h, l);
    if (!strcmp(l->word[0], "xen_version") && l->n == 3)
        snprintf(i->h->version, sizeof(i->h->version), "%.31s", l->word[2]);
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const struct topo_cpu *x = a, *y = b;

    return (x->cpu > y->cpu) - (x->cpu < y->cpu);
}

static void drop_doubles(struct xen_host *h)
{
    unsigned n = 0;

    qsort(h->cpus, h->ncpus, sizeof(*h->cpus), by_number);
    for (unsigned i = 0; i < h->ncpus; i++)
        if (!n || h->cpus[n - 1].cpu != h->cpus[i].cpu)
            h->cpus[n++] = h->cpus[i];
    h->ncpus = n;
}

/* Xen counts cores from 0 in each socket; here a core's number is that of its first CPU in the
 * list, so that no two are alike. */
static int number_cores(struct xen_host *h)
{
    struct topo_cpu *was = malloc(h->ncpus * sizeof(*was));

    if (!was)
        return -ENOMEM;
    memcpy(was, h->cpus, h->ncpus * sizeof(*was));
    for (unsigned i = 0; i < h->ncpus; i++) {
        unsigned k = 0;

        while (was[k].socket != was[i].socket || was[k].core != was[i].core)
            k++;
        h->cpus[i].core = (int)k;
    }
    free(was);
    return 0;
}

/* Without NUMA everything is on one node; its memory is not known then. */
static int tidy_nodes(struct xen_host *h)
{
    if (!h->nnodes) {
        h->nodes = calloc(1, sizeof(*h->nodes));
        if (!h->nodes)
            return -ENOMEM;
        h->nodes[h->nnodes++].memory = UINT64_MAX;
    }
    for (unsigned i = 0; i < h->ncpus; i++) {
        bool there = false;

        for (unsigned n = 0; n < h->nnodes; n++)
            there |= h->nodes[n].node == h->cpus[i].node;
        if (!there)
            h->cpus[i].node = h->nodes[0].node;
    }
    return 0;
}

int xl_parse_info(const char *text, struct xen_host *h)
{
    struct info i = {h, IN_FIELDS};
    int ret = each_line(text, info_line, &i);

    if (!ret && !h->ncpus)
        ret = -EPROTO;
    if (ret)
        return ret;
    drop_doubles(h);
    ret = number_cores(h);
    return ret ? ret : tidy_nodes(h);
}

/* --- xl vcpu-list --- */

/* "r--", "-b-", "--p", "---" */
static bool is_state(const char *w)
{
    return strlen(w) == 3 && strspn(w, "rbp-") == 3;
}

/* A domain's name may hold blanks, so the line is read from where the state is, the last such. */
static unsigned state_at(const struct line *l)
{
    int id, vcpu;

    for (unsigned i = l->n; i-- > 4;)
        if (is_state(l->word[i]) && i + 2 < l->n && number(l->word[i - 3], &id) &&
            number(l->word[i - 2], &vcpu))
            return i;
    return 0;
}

/* What comes behind the time: "0-3,7 / all"; the hard affinity is before the slash. */
static hwloc_bitmap_t affinity(const struct xen_host *h, const char *w)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();

    if (!set)
        return NULL;
    if (strcmp(w, "all") != 0 && strlen(w) < 1000 && strspn(w, "0123456789,-") == strlen(w) &&
        isdigit((unsigned char)w[0]) && hwloc_bitmap_list_sscanf(set, w) == 0 &&
        hwloc_bitmap_last(set) <= XL_MAX_CPUS * 16)
        return set;
    hwloc_bitmap_zero(set);
    for (unsigned i = 0; i < h->ncpus; i++)
        hwloc_bitmap_set(set, (unsigned)h->cpus[i].cpu);
    return set;
}

static int vcpu_line(struct line *l, void *arg)
{
    struct xen_host *h = arg;
    unsigned s = state_at(l);
    struct xen_vcpu v = {.cpu = CFG_ANY};

    if (!s)
        return 0;
    number(l->word[s - 3], &v.domid);
    number(l->word[s - 2], &v.vcpu);
    number(l->word[s - 1], &v.cpu);
    snprintf(v.domain, sizeof(v.domain), "%.63s", l->word[0]);
    if (!grow(&h->vcpus, h->nvcpus, XL_MAX_VCPUS, sizeof(*h->vcpus)))
        return h->nvcpus < XL_MAX_VCPUS ? -ENOMEM : 0;
    v.hard = affinity(h, l->word[s + 2]);
    if (!v.hard)
        return -ENOMEM;
    h->vcpus[h->nvcpus++] = v;
    return 0;
}

int xl_parse_vcpus(const char *text, struct xen_host *h)
{
    int ret = each_line(text, vcpu_line, h);

    if (ret)
        return ret;
    for (unsigned i = 0; i < h->nvcpus; i++)
        if (h->vcpus[i].domid == 0)
            return 0;
    return -EPROTO;
}

/* --- xl cpupool-list -c --- */

/* "Pool-0             0,1": the last word is a list of CPUs, or the pool has none. */
static int pool_line(struct line *l, void *arg)
{
    struct xen_host *h = arg;
    struct xen_pool p;
    const char *list = l->n > 1 ? l->word[l->n - 1] : "";

    if (!strcmp(l->word[0], "Name") && l->n > 1 && !isdigit((unsigned char)list[0]))
        return 0;
    if (!grow(&h->pools, h->npools, XL_MAX_POOLS, sizeof(*h->pools)))
        return h->npools < XL_MAX_POOLS ? -ENOMEM : 0;
    snprintf(p.name, sizeof(p.name), "%.63s", l->word[0]);
    p.cpus = hwloc_bitmap_alloc();
    if (!p.cpus)
        return -ENOMEM;
    if (strlen(list) > 20000 || strspn(list, "0123456789,-") != strlen(list) ||
        !isdigit((unsigned char)list[0]) || hwloc_bitmap_list_sscanf(p.cpus, list) < 0 ||
        hwloc_bitmap_last(p.cpus) > XL_MAX_CPUS * 16)
        hwloc_bitmap_zero(p.cpus);
    h->pools[h->npools++] = p;
    return 0;
}

int xl_parse_pools(const char *text, struct xen_host *h)
{
    int ret = each_line(text, pool_line, h);

    return ret ? ret : h->npools ? 0 : -EPROTO;
}

/* --- xl list -v --- */

struct state {
    const char *uuid;
    int domid;
    enum xl_reason reason;
};

/* The state is six letters: running, blocked, paused, shut down, why, dying. */
static bool is_long_state(const char *w)
{
    return strlen(w) == 6 && strchr("r-", w[0]) && strchr("b-", w[1]) && strchr("p-", w[2]) &&
           strchr("s-", w[3]) && strchr("d-", w[5]);
}

/* "NAME ID MEM VCPUS STATE TIME UUID REASON LABEL"; the reason is hexadecimal, or a dash. */
static int state_line(struct line *l, void *arg)
{
    struct state *s = arg;
    const char *state, *reason;

    if (l->n < 8 || strcmp(l->word[l->n - 3], s->uuid) != 0)
        return 0;
    state = l->word[l->n - 5];
    reason = l->word[l->n - 2];
    if (!is_long_state(state) || !number(l->word[l->n - 8], &s->domid))
        return 0;
    if (state[5] == 'd')
        s->reason = XL_GONE;
    else if (state[3] != 's')
        s->reason = XL_RUNS;
    else
        s->reason = strlen(reason) == 1 && reason[0] >= '0' && reason[0] <= '5'
                        ? (enum xl_reason)(reason[0] - '0')
                        : XL_OTHER;
    return 1;
}

enum xl_reason xl_parse_list(const char *text, const char *uuid, int *domid)
{
    struct state s = {uuid, -1, XL_GONE};

    each_line(text, state_line, &s);
    if (domid && s.domid >= 0)
        *domid = s.domid;
    return s.reason;
}
