/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_rig.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loaded config_bytes(const void *data, size_t len)
{
    struct loaded l = {0};
    FILE *f = open_memstream(&l.said, &l.len);

    l.ret = cfg_load_data("/lab/t.yaml", data, len, &l.c, f);
    fclose(f);
    return l;
}

struct loaded config_text(const char *text)
{
    return config_bytes(text, strlen(text));
}

void config_unload(struct loaded *l)
{
    if (!l->ret)
        cfg_free(l->c);
    free(l->said);
}

static void expect(const struct mistake *m)
{
    struct loaded l = config_text(m->text);
    bool ok = l.ret == -EINVAL && strstr(l.said, m->said);

    if (!ok)
        fprintf(stderr, "\n-- expected: %s\n-- got (%d): %s-- of:\n%s", m->said, l.ret, l.said,
                m->text);
    CU_ASSERT_TRUE(ok);
    config_unload(&l);
}

void expect_all(const struct mistake *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect(&list[i]);
}
