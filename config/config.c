/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "defaults.h"
#include "doc.h"
#include "schema.h"
#include "shape.h"

/* libcyaml allocates with what we use ourselves, so that strings of both can be mixed. */
static void *memory(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    if (size)
        return realloc(ptr, size);
    free(ptr);
    return NULL;
}

static const cyaml_config_t cyaml = {
    .log_fn = NULL, /* doc.c and shape.c have said what is wrong, with lines */
    .mem_fn = memory,
    .log_level = CYAML_LOG_ERROR,
    .flags = CYAML_CFG_NO_ALIAS | CYAML_CFG_STYLE_BLOCK,
};

void cfg_free(struct cfg *c)
{
    if (!c)
        return;
    free(c->path);
    c->path = NULL;
    cyaml_free(&cyaml, &cfg_schema, c, 0);
}

static char *absolute(const char *path)
{
    char *cwd, *whole;

    if (path[0] == '/')
        return strdup(path);
    cwd = get_current_dir_name();
    if (!cwd)
        return NULL;
    if (asprintf(&whole, "%s/%s", cwd, path) < 0)
        whole = NULL;
    free(cwd);
    return whole;
}

/* The structs by libcyaml, from a document that shape_check found nothing wrong with. */
static int fill_structs(struct report *r, const uint8_t *data, size_t len, struct cfg **out)
{
    cyaml_data_t *c = NULL;
    cyaml_err_t err = cyaml_load_data(data, len, &cyaml, &cfg_schema, &c, NULL);

    if (err == CYAML_ERR_OOM)
        return -ENOMEM;
    if (err != CYAML_OK || !c) {
        report_line(r, 1, NULL, "%s; compare the file with coopvmm.yaml(5)",
                    err ? cyaml_strerror(err) : "there are no keys in it");
        return -EINVAL;
    }
    *out = c;
    return 0;
}

static int build(struct report *r, const uint8_t *data, size_t len, const struct doc_node *root,
                 struct cfg **out)
{
    struct cfg *c = NULL;
    int err;

    shape_check(r, root, &cfg_schema);
    if (r->errors)
        return -EINVAL;
    err = fill_structs(r, data, len, &c);
    if (err)
        return err;
    c->path = absolute(r->file);
    err = c->path ? defaults_fill(c, root) : -ENOMEM;
    if (!err)
        check_config(r, c, root);
    if (!err && r->errors)
        err = -EINVAL;
    if (err)
        cfg_free(c);
    else
        *out = c;
    return err;
}

int cfg_load_data(const char *name, const uint8_t *data, size_t len, struct cfg **out, FILE *err)
{
    struct report r = {.err = err, .file = name};
    struct doc_node *root;
    int ret = doc_parse(data, len, &r, &root);

    if (!ret) {
        ret = build(&r, data, len, root, out);
        doc_free(root);
    }
    if (ret == -ENOMEM && err)
        fprintf(err, "%s: out of memory\n", name);
    return ret;
}

/* Reads a regular file of at most DOC_MAX_SIZE bytes; one byte more tells that it is larger. */
static int read_file(const char *path, uint8_t **data, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    ssize_t n = 0;
    int ret = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        ret = -errno;
    else if (S_ISDIR(st.st_mode))
        ret = -EISDIR;
    *data = ret ? NULL : malloc(DOC_MAX_SIZE + 1);
    if (!ret && !*data)
        ret = -ENOMEM;
    for (*len = 0; !ret && *len <= DOC_MAX_SIZE; *len += (size_t)n) {
        n = read(fd, *data + *len, DOC_MAX_SIZE + 1 - *len);
        if (n < 0)
            ret = -errno;
        if (n <= 0)
            break;
    }
    close(fd);
    return ret;
}

int cfg_load(const char *path, struct cfg **out, FILE *err)
{
    uint8_t *data = NULL;
    size_t len = 0;
    int ret = read_file(path, &data, &len);

    if (!ret)
        ret = cfg_load_data(path, data, len, out, err);
    else if (err)
        fprintf(err, "%s: %s; name a readable YAML file, see coopvmm.yaml(5)\n", path,
                strerror(-ret));
    free(data);
    return ret;
}

int cfg_save(const struct cfg *c, FILE *out)
{
    char *text;
    size_t len;
    int ret = 0;

    if (cyaml_save_data(&text, &len, &cyaml, &cfg_schema, c, 0) != CYAML_OK)
        return -ENOMEM;
    if (fwrite(text, 1, len, out) != len || fflush(out))
        ret = -EIO;
    free(text);
    return ret;
}

int cfg_iocore_index(const struct cfg *c, const char *name)
{
    for (unsigned i = 0; i < c->iocores_count; i++)
        if (!strcmp(c->iocores[i].name, name))
            return (int)i;
    return -1;
}
