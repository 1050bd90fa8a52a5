/* SPDX-License-Identifier: BSD-3-Clause */
/* The config file's words: syntax of values, names of choices, and that the man page has them all.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/schema.h"
#include "config/shape.h"
#include "config/syntax.h"
#include "cu_main.h"
#include "nicmodels/model.h"

#define MAN_PAGE "docs/man/coopvmm.yaml.5"

const char *const suite_name = "config_schema";

static void test_syntax(void)
{
    uint8_t mac[6];

    CU_ASSERT_EQUAL(cfg_parse_mac("52:54:00:Ab:cd:0f", mac), 0);
    CU_ASSERT_EQUAL(memcmp(mac, "\x52\x54\x00\xab\xcd\x0f", 6), 0);
    CU_ASSERT_EQUAL(cfg_parse_mac("", mac), -EINVAL);
    CU_ASSERT_EQUAL(cfg_parse_mac("52:54:00:ab:cd:0", mac), -EINVAL);
    CU_ASSERT_EQUAL(cfg_parse_mac("52:54:00:ab:cd:0f:", mac), -EINVAL);
    CU_ASSERT_EQUAL(cfg_parse_mac("52-54-00-ab-cd-0f", mac), -EINVAL);
    CU_ASSERT_TRUE(syntax_is_name("9a_.-") && !syntax_is_name("") && !syntax_is_name(".a"));
    CU_ASSERT_TRUE(syntax_is_iface("eth0.100") && !syntax_is_iface("..") &&
                   !syntax_is_iface("a b"));
    CU_ASSERT_TRUE(syntax_is_pci("0000:fF:1f.7") && !syntax_is_pci("0000:00:00.8"));
    CU_ASSERT_TRUE(syntax_is_cidr("::/0") && syntax_is_cidr("1.2.3.4/32"));
    CU_ASSERT_FALSE(syntax_is_cidr("1.2.3.4/") || syntax_is_cidr("/8") ||
                    syntax_is_cidr("1.2.3/8") || syntax_is_cidr("1.2.3.4/-1") ||
                    syntax_is_cidr("1.2.3.4/8x"));
}

static void test_distance(void)
{
    CU_ASSERT_EQUAL(shape_distance("memory", "memory"), 0);
    CU_ASSERT_EQUAL(shape_distance("memroy", "memory"), 1);
    CU_ASSERT_EQUAL(shape_distance("", "abc"), 3);
    CU_ASSERT_EQUAL(shape_distance("kitten", "sitting"), 3);
    CU_ASSERT(shape_distance("abcdefghijklmnopqrstuvwxyz0123456789", "a") > 31);
}

static void test_names(void)
{
    CU_ASSERT_STRING_EQUAL(cfg_idle_name(CFG_IDLE_SLEEP), "sleep");
    CU_ASSERT_STRING_EQUAL(cfg_port_type_name(CFG_PORT_AF_XDP), "af_xdp");
    CU_ASSERT_STRING_EQUAL(cfg_engine_name(CFG_ENGINE_KVM), "kvm");
    CU_ASSERT_STRING_EQUAL(cfg_placement_name(CFG_PLACE_BLOCKING), "blocking");
    CU_ASSERT_STRING_EQUAL(cfg_xen_type_name(CFG_XEN_HVM), "hvm");
    CU_ASSERT_STRING_EQUAL(cfg_engine_name((enum cfg_engine)99), "?");
}

/* The entry of a key in a man page's section; NULL if it is missing. To be freed. */
static char *man_entry(const char *page, const char *section, const char *key)
{
    char head[64], item[64];
    const char *at, *end, *next;

    snprintf(head, sizeof(head), "\n.Sh %s\n", section);
    snprintf(item, sizeof(item), "\n.It Cm %s\n", key);
    at = strstr(page, head);
    end = at ? strstr(at + 1, "\n.Sh ") : NULL;
    at = at ? strstr(at, item) : NULL;
    if (!at || !end || at > end)
        return NULL;
    next = strstr(at + 1, "\n.It Cm ");
    return strndup(at, (size_t)((next && next < end ? next : end) - at));
}

static void check_range_told(const char *entry, const char *path)
{
    const struct schema_range *r = schema_range_find(path);
    char text[64];

    if (!r)
        return;
    snprintf(text, sizeof(text), r->hex ? "%#lx to %#lx" : "%lu to %lu", (unsigned long)r->min,
             (unsigned long)r->max);
    if (!strstr(entry, text))
        fprintf(stderr, "\n-- %s: the man page does not say %s\n", path, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(entry, text));
}

static void check_words_told(const char *entry, const char *page, const cyaml_schema_value_t *v)
{
    char item[64];

    for (uint32_t i = 0; v->type == CYAML_ENUM && i < v->enumeration.count; i++) {
        snprintf(item, sizeof(item), ".It Cm %s\n", v->enumeration.strings[i].str);
        CU_ASSERT(strstr(page, item) || strstr(entry, v->enumeration.strings[i].str));
    }
}

static void check_documented(const char *page, const char *section, const char *path,
                             const cyaml_schema_value_t *mapping)
{
    for (const cyaml_schema_field_t *f = mapping->mapping.fields; f->key; f++) {
        const cyaml_schema_value_t *v = &f->value;
        char *entry = man_entry(page, section, f->key), below[128], *upper;

        snprintf(below, sizeof(below), "%s%s%s", path, path[0] ? "." : "", f->key);
        if (!entry)
            fprintf(stderr, "\n-- %s is not in section %s of the man page\n", below, section);
        CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
        check_range_told(entry, below);
        check_words_told(entry, page, v);
        free(entry);
        if (v->type == CYAML_SEQUENCE)
            v = v->sequence.entry;
        if (v->type != CYAML_MAPPING)
            continue;
        upper = strdup(f->key);
        for (char *p = upper; *p; p++)
            *p = (char)(*p - ('a' - 'A'));
        check_documented(page, upper, below, v);
        free(upper);
    }
}

/* Every key, range and word of the schema, and every device model, is in coopvmm.yaml(5). */
static void test_man_page(void)
{
    static char page[1 << 16];
    FILE *f = fopen(MAN_PAGE, "re");
    const struct nm_model *m;

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
    fclose(f);
    check_documented(page, "TOP LEVEL", "", &cfg_schema);
    for (unsigned i = 0; (m = nm_model_at(i)); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(page, m->name));
    CU_ASSERT_PTR_NULL(man_entry(page, "VMS", "colour"));
}

/* Each declared range belongs to a number that is in the schema. */
static void test_ranges(void)
{
    const struct schema_range *r;
    unsigned n = 0;

    for (unsigned i = 0; (r = schema_range_at(i)); i++, n++)
        CU_ASSERT(r->min <= r->max && schema_range_find(r->path) == r);
    CU_ASSERT(n > 5);
    CU_ASSERT_PTR_NULL(schema_range_find("vms.colour"));
}

const struct cu_test suite_tests[] = {
    {"syntax of names and addresses", test_syntax},
    {"edit distance", test_distance},
    {"names of choices", test_names},
    {"the man page tells all keys, ranges and words", test_man_page},
    {"ranges are declared for what is there", test_ranges},
    {NULL, NULL},
};
