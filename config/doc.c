/* SPDX-License-Identifier: BSD-3-Clause */
#include "doc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct build {
    yaml_parser_t parser;
    struct report *report;
    struct doc_node *root;
    struct doc_node *open; /* the mapping or sequence whose children come next; NULL: none */
    char *key;             /* read, and waiting for its value */
    unsigned key_line;
    unsigned depth;
    unsigned documents;
};

static unsigned line_of(const yaml_event_t *ev)
{
    return (unsigned)ev->start_mark.line + 1;
}

static int refuse(struct build *b, unsigned line, const char *what)
{
    report_line(b->report, line, NULL, "%s", what);
    return -EINVAL;
}

/* Texts may hold UTF-8, but nothing that could disturb a terminal, a log or a C string. */
static bool is_printable(const yaml_char_t *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return true;
}

static void link_node(struct build *b, struct doc_node *n)
{
    struct doc_node *p = b->open;

    n->parent = p;
    if (!p) {
        b->root = n;
        return;
    }
    if (p->last)
        p->last->next = n;
    else
        p->first = n;
    p->last = n;
    n->index = p->count++;
    n->key = b->key;
    if (b->key)
        n->line = b->key_line;
    b->key = NULL;
}

static int add_node(struct build *b, enum doc_kind kind, const yaml_event_t *ev,
                    struct doc_node **out)
{
    struct doc_node *n;

    if (b->open && b->open->kind == DOC_MAPPING && !b->key)
        return refuse(b, line_of(ev), "a key cannot be a list or a mapping; use a plain word");
    if (b->open && b->open->count >= (b->open->kind == DOC_MAPPING ? DOC_MAX_KEYS : DOC_MAX_ITEMS))
        return refuse(b, line_of(ev),
                      "too many entries here; split the testbed over several files");
    n = calloc(1, sizeof(*n));
    if (!n)
        return -ENOMEM;
    n->kind = kind;
    n->line = line_of(ev);
    link_node(b, n);
    *out = n;
    return 0;
}

static int open_node(struct build *b, enum doc_kind kind, const yaml_event_t *ev)
{
    struct doc_node *n;
    int err;

    if (b->depth >= DOC_MAX_DEPTH)
        return refuse(b, line_of(ev), "nested too deeply; no key needs that");
    err = add_node(b, kind, ev, &n);
    if (err)
        return err;
    b->open = n;
    b->depth++;
    return 0;
}

static void close_node(struct build *b)
{
    b->open = b->open->parent;
    b->depth--;
}

/* A key that is there twice is reported, and read all the same: more may be wrong further down. */
static void take_key(struct build *b, char *text, unsigned line)
{
    const struct doc_node *twin = doc_get(b->open, text);

    if (twin)
        report_line(b->report, line, text,
                    "the key is there twice, first on line %u; remove one of them", twin->line);
    b->key = text;
    b->key_line = line;
}

static int take_scalar(struct build *b, const yaml_event_t *ev)
{
    struct doc_node *n = NULL;
    char *text;
    int err;

    if (!is_printable(ev->data.scalar.value, ev->data.scalar.length))
        return refuse(b, line_of(ev), "a control character or line break in a text; remove it");
    text = strndup((const char *)ev->data.scalar.value, ev->data.scalar.length);
    if (!text)
        return -ENOMEM;
    if (b->open && b->open->kind == DOC_MAPPING && !b->key) {
        take_key(b, text, line_of(ev));
        return 0;
    }
    err = add_node(b, DOC_SCALAR, ev, &n);
    if (err)
        free(text);
    else
        n->text = text;
    return err;
}

static int take_event(struct build *b, const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->documents++)
            return refuse(b, line_of(ev), "a second document begins; one file is one testbed");
        return 0;
    case YAML_ALIAS_EVENT:
        return refuse(b, line_of(ev), "an alias (*name); write the value out instead");
    case YAML_SCALAR_EVENT: return take_scalar(b, ev);
    case YAML_MAPPING_START_EVENT: return open_node(b, DOC_MAPPING, ev);
    case YAML_SEQUENCE_START_EVENT: return open_node(b, DOC_SEQUENCE, ev);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT: close_node(b); return 0;
    default: return 0;
    }
}

static int syntax_error(struct build *b)
{
    const yaml_parser_t *p = &b->parser;

    if (p->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    report_line(b->report, (unsigned)p->problem_mark.line + 1, NULL,
                "this is not YAML: %s%s%s; see coopvmm.yaml(5) for examples",
                p->problem ? p->problem : "it cannot be read", p->context ? ", " : "",
                p->context ? p->context : "");
    return -EINVAL;
}

static int pump(struct build *b)
{
    bool end = false;

    while (!end) {
        yaml_event_t ev;
        int err;

        if (!yaml_parser_parse(&b->parser, &ev))
            return syntax_error(b);
        end = ev.type == YAML_STREAM_END_EVENT;
        err = take_event(b, &ev);
        yaml_event_delete(&ev);
        if (err)
            return err;
    }
    return b->root ? 0 : refuse(b, 1, "the file is empty; see coopvmm.yaml(5) for examples");
}

int doc_parse(const uint8_t *data, size_t len, struct report *r, struct doc_node **root)
{
    struct build b = {.report = r};
    int err;

    if (len > DOC_MAX_SIZE)
        return refuse(&b, 1, "the file is larger than 1 MiB; split the testbed over several files");
    if (!yaml_parser_initialize(&b.parser))
        return -ENOMEM;
    yaml_parser_set_input_string(&b.parser, data, len);
    err = pump(&b);
    yaml_parser_delete(&b.parser);
    free(b.key);
    if (err)
        doc_free(b.root);
    else
        *root = b.root;
    return err;
}

void doc_free(struct doc_node *root)
{
    struct doc_node *next;

    if (!root)
        return;
    for (struct doc_node *n = root->first; n; n = next) {
        next = n->next;
        doc_free(n);
    }
    free(root->key);
    free(root->text);
    free(root);
}

const struct doc_node *doc_get(const struct doc_node *n, const char *key)
{
    if (!n || n->kind != DOC_MAPPING)
        return NULL;
    for (const struct doc_node *c = n->first; c; c = c->next)
        if (!strcmp(c->key, key))
            return c;
    return NULL;
}

const struct doc_node *doc_at(const struct doc_node *n, unsigned i)
{
    const struct doc_node *c = n ? n->first : NULL;

    while (c && i--)
        c = c->next;
    return c;
}
