/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest.h"

static bool is_key(const char *word, const char *key, const char **value)
{
    while (*key && *word == *key) {
        word++;
        key++;
    }
    if (*key || *word != '=')
        return false;
    *value = word + 1;
    return true;
}

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* Decimal, or hexadecimal after 0x. */
static uint64_t number(const char *s, const char **end)
{
    unsigned base = 10;
    uint64_t v = 0;

    if (s[0] == '0' && (s[1] | 0x20) == 'x') {
        base = 16;
        s += 2;
    }
    for (; digit(*s) < base; s++)
        v = v * base + digit(*s);
    if (end)
        *end = s;
    return v;
}

static void address(const char *s, uint8_t ip[4])
{
    for (unsigned i = 0; i < 4; i++) {
        ip[i] = number(s, &s);
        if (*s == '.')
            s++;
    }
}

static void word(const char *s, char *to, unsigned size)
{
    unsigned n = 0;

    for (; *s && *s != ' ' && n < size - 1; s++)
        to[n++] = *s;
    to[n] = 0;
}

bool in_list(const char *list, const char *wanted)
{
    while (*list) {
        const char *w = wanted;

        while (*list && *list != ',' && *list == *w) {
            list++;
            w++;
        }
        if (!*w && (!*list || *list == ','))
            return true;
        while (*list && *list != ',')
            list++;
        if (!*list)
            return false;
        list++;
    }
    return true;
}

/* Which card, and how it is reached. @return false: another option */
static bool nic_option(const char *w, struct options *o)
{
    const char *v;

    if (is_key(w, "nic", &v)) {
        o->nic = number(v, NULL); /* "pci" is no number: 0 */
        o->no_nic = *v == 'n';
    } else if (is_key(w, "irq", &v)) {
        o->irq = number(v, NULL);
    } else if (is_key(w, "poll", &v)) {
        o->poll = number(v, NULL) != 0;
    } else {
        return false;
    }
    return true;
}

static void option(const char *w, struct options *o)
{
    const char *v;

    if (nic_option(w, o))
        return;
    if (is_key(w, "mode", &v))
        word(v, o->mode, sizeof(o->mode));
    else if (is_key(w, "kinds", &v))
        word(v, o->kinds, sizeof(o->kinds));
    else if (is_key(w, "ip", &v))
        address(v, o->ip);
    else if (is_key(w, "mmio", &v))
        o->mmio = number(v, NULL);
    else if (is_key(w, "n", &v))
        o->n = number(v, NULL);
    else if (is_key(w, "gap", &v))
        o->gap = number(v, NULL);
    else if (is_key(w, "cpus", &v))
        o->cpus = number(v, NULL);
    else if (is_key(w, "seed", &v))
        o->seed = number(v, NULL);
    else if (is_key(w, "rounds", &v))
        o->rounds = number(v, NULL);
    else if (is_key(w, "exit", &v))
        o->exit = number(v, NULL) != 0;
}

void parse_options(const char *line, struct options *o)
{
    *o = (struct options){.mode = "echo",
                          .ip = {10, 77, 0, 2},
                          .nic = 0x300,
                          .irq = 9,
                          .n = 1000,
                          .cpus = 1,
                          .seed = 1,
                          .poll = on_xen()};
    while (*line) {
        option(line, o);
        while (*line && *line != ' ')
            line++;
        while (*line == ' ')
            line++;
    }
    if (o->cpus < 1 || o->cpus > MAX_VCPUS)
        o->cpus = o->cpus ? MAX_VCPUS : 1;
    if (o->n < 1 || o->n > MAX_SAMPLES)
        o->n = o->n ? MAX_SAMPLES : 1;
}
