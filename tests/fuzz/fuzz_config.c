/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer target: any bytes as a config file. What loads must save, and load again to the same;
 * and it must plan, or be refused, on a small two-socket machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct topo *machine(void)
{
    static struct topo *t; /* one for all inputs: plan_fill does not change it */

    if (!t && topo_load("package:2 [numa] l3:2 core:2 pu:2", &t))
        abort();
    return t;
}

static char *save(const struct cfg *c, size_t *len)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, len);

    if (!f || cfg_save(c, f))
        abort();
    fclose(f);
    return text;
}

static void reload(const struct cfg *c)
{
    size_t len, len2;
    char *text = save(c, &len), *again;
    struct cfg *copy;

    if (cfg_load_data(c->path, (const uint8_t *)text, len, &copy, stderr))
        abort();
    again = save(copy, &len2);
    if (len != len2 || memcmp(text, again, len) != 0)
        abort();
    cfg_free(copy);
    free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *said = NULL;
    size_t len;
    FILE *f = open_memstream(&said, &len);
    struct cfg *c;

    if (!f)
        abort();
    if (!cfg_load_data("fuzz.yaml", data, size, &c, f)) {
        reload(c);
        plan_fill(c, machine(), f);
        cfg_free(c);
    } else if (fflush(f) || !len) {
        abort(); /* refused without a word */
    }
    fclose(f);
    free(said);
    return 0;
}
