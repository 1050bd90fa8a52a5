/* SPDX-License-Identifier: BSD-3-Clause */
#include "shape.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LIST_SIZE    256
#define MAX_WORD     31
#define MAX_DISTANCE 2

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

/* Optimal string alignment distance: Levenshtein's with swaps of neighbours. */
unsigned shape_distance(const char *a, const char *b)
{
    unsigned d[MAX_WORD + 1][MAX_WORD + 1];
    size_t la = strlen(a), lb = strlen(b);

    if (la > MAX_WORD || lb > MAX_WORD)
        return 2 * MAX_WORD;
    for (size_t i = 0; i <= la; i++)
        for (size_t j = 0; j <= lb; j++) {
            if (!i || !j) {
                d[i][j] = (unsigned)(i + j);
                continue;
            }
            d[i][j] =
                min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = d[i - 2][j - 2] + 1;
        }
    return d[la][lb];
}

/* The words one of which was expected: for "did you mean" and for listing them. */
struct words {
    const char *said;
    const char *best; /* close enough to what was said; NULL: none */
    unsigned distance;
    size_t used;
    char list[LIST_SIZE]; /* "a, b, c" */
};

static void words_add(struct words *w, const char *word)
{
    unsigned d = shape_distance(w->said, word);
    int n =
        snprintf(w->list + w->used, sizeof(w->list) - w->used, "%s%s", w->used ? ", " : "", word);

    if (n > 0 && w->used + (size_t)n < sizeof(w->list))
        w->used += (size_t)n;
    if (d <= MAX_DISTANCE && d < strlen(word) && (!w->best || d < w->distance)) {
        w->best = word;
        w->distance = d;
    }
}

static const cyaml_schema_field_t *find_field(const cyaml_schema_value_t *s, const char *key)
{
    for (const cyaml_schema_field_t *f = s->mapping.fields; f->key; f++)
        if (!strcmp(f->key, key))
            return f;
    return NULL;
}

static void unknown_key(struct report *r, const struct doc_node *n, const cyaml_schema_value_t *s)
{
    struct words w = {.said = n->key};

    for (const cyaml_schema_field_t *f = s->mapping.fields; f->key; f++)
        words_add(&w, f->key);
    if (w.best)
        report_node(r, n, "there is no such key; did you mean \"%s\"?", w.best);
    else
        report_node(r, n, "there is no such key; the keys here are %s", w.list);
}

static void wrong_kind(struct report *r, const struct doc_node *n, enum doc_kind want)
{
    static const char *const texts[] = {
        [DOC_SCALAR] = "a single value belongs here; write it behind the key",
        [DOC_MAPPING] = "keys with values belong here; write them as \"key: value\" lines",
        [DOC_SEQUENCE] = "a list belongs here; write it as \"- item\" lines or [a, b]",
    };

    report_node(r, n, "%s", texts[want]);
}

/* The path of a number without indices, as schema_range_find wants it. */
static void plain_path(const struct doc_node *n, char *out, size_t size)
{
    size_t used;

    if (!n->parent) {
        out[0] = '\0';
        return;
    }
    plain_path(n->parent, out, size);
    used = strlen(out);
    if (n->key)
        snprintf(out + used, size - used, "%s%.40s", used ? "." : "", n->key);
}

/* Decimal or 0x hexadecimal, nothing else: libcyaml would read 010 as eight and 64M as 64. */
static bool parse_number(const char *s, uint64_t *value)
{
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    char *end;

    if (hex ? !s[2] : (s[0] < '0' || s[0] > '9' || (s[0] == '0' && s[1])))
        return false;
    if (hex && strspn(s + 2, "0123456789abcdefABCDEF") != strlen(s + 2))
        return false;
    *value = strtoull(s, &end, hex ? 16 : 10);
    return *end == '\0';
}

/* "1 to 256", "0 to 0xffff (a port number)" */
static void range_text(const struct schema_range *range, char *out, size_t size)
{
    int n = range->hex ? snprintf(out, size, "%#" PRIx64 " to %#" PRIx64, range->min, range->max)
                       : snprintf(out, size, "%" PRIu64 " to %" PRIu64, range->min, range->max);

    if (range->unit[0] && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, " %s", range->unit);
}

static void check_number(struct report *r, const struct doc_node *n)
{
    const struct schema_range *range;
    char path[128], text[96];
    uint64_t value;

    plain_path(n, path, sizeof(path));
    range = schema_range_find(path);
    if (!range) {
        report_node(r, n, "no range is known for this number; report this as a bug");
        return;
    }
    range_text(range, text, sizeof(text));
    if (!parse_number(n->text, &value))
        report_node(r, n, "\"%.40s\" is not a whole number; use %s", n->text, text);
    else if (value < range->min || value > range->max)
        report_node(r, n, "%.40s is out of range; use %s", n->text, text);
}

static void check_bool(struct report *r, const struct doc_node *n)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(n->text, words[i]))
            return;
    report_node(r, n, "\"%.40s\" is neither true nor false; write one of these", n->text);
}

static void check_enum(struct report *r, const struct doc_node *n, const cyaml_schema_value_t *s)
{
    struct words w = {.said = n->text};

    for (uint32_t i = 0; i < s->enumeration.count; i++) {
        if (!strcmp(n->text, s->enumeration.strings[i].str))
            return;
        words_add(&w, s->enumeration.strings[i].str);
    }
    if (!(s->flags & CYAML_FLAG_STRICT))
        check_number(r, n);
    else if (w.best)
        report_node(r, n, "\"%.40s\" is not known here; did you mean \"%s\"?", n->text, w.best);
    else
        report_node(r, n, "\"%.40s\" is not known here; use one of %s", n->text, w.list);
}

static void check_string(struct report *r, const struct doc_node *n, const cyaml_schema_value_t *s)
{
    size_t len = strlen(n->text);

    if (len < s->string.min)
        report_node(r, n, "nothing is there; write a value, or remove the key");
    else if (len > s->string.max)
        report_node(r, n, "%zu characters are too many; use at most %" PRIu32, len, s->string.max);
}

static void check_scalar(struct report *r, const struct doc_node *n, const cyaml_schema_value_t *s)
{
    if (n->kind != DOC_SCALAR)
        wrong_kind(r, n, DOC_SCALAR);
    else if (s->type == CYAML_UINT)
        check_number(r, n);
    else if (s->type == CYAML_BOOL)
        check_bool(r, n);
    else if (s->type == CYAML_ENUM)
        check_enum(r, n, s);
    else if (s->type == CYAML_STRING)
        check_string(r, n, s);
}

static void check_mapping(struct report *r, const struct doc_node *n, const cyaml_schema_value_t *s)
{
    if (n->kind != DOC_MAPPING) {
        wrong_kind(r, n, DOC_MAPPING);
        return;
    }
    for (const cyaml_schema_field_t *f = s->mapping.fields; f->key; f++)
        if (!(f->value.flags & CYAML_FLAG_OPTIONAL) && !doc_get(n, f->key))
            report_node(r, n, "the key \"%s\" is missing; add it", f->key);
    for (const struct doc_node *c = n->first; c; c = c->next) {
        const cyaml_schema_field_t *f = find_field(s, c->key);

        if (f)
            shape_check(r, c, &f->value);
        else
            unknown_key(r, c, s);
    }
}

static void check_sequence(struct report *r, const struct doc_node *n,
                           const cyaml_schema_value_t *s)
{
    if (n->kind != DOC_SEQUENCE) {
        wrong_kind(r, n, DOC_SEQUENCE);
        return;
    }
    if (n->count > s->sequence.max)
        report_node(r, n, "%u entries are too many; use at most %" PRIu32, n->count,
                    s->sequence.max);
    for (const struct doc_node *c = n->first; c; c = c->next)
        shape_check(r, c, s->sequence.entry);
}

void shape_check(struct report *r, const struct doc_node *n, const cyaml_schema_value_t *schema)
{
    switch (schema->type) {
    case CYAML_MAPPING: check_mapping(r, n, schema); break;
    case CYAML_SEQUENCE: check_sequence(r, n, schema); break;
    default: check_scalar(r, n, schema); break;
    }
}
