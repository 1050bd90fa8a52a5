/* SPDX-License-Identifier: BSD-3-Clause */
#include "xl_config.h"

#include <errno.h>
#include <string.h>

void xl_domain_name(const struct cfg *cfg, const struct cfg_vm *c, char out[XL_DOMAIN])
{
    snprintf(out, XL_DOMAIN, "%.*s.%.*s", CFG_MAX_NAME, cfg->name, CFG_MAX_NAME, c->name);
}

/*
 * A quoted text. xl's reader knows backslash, quotes and the letters of C; its numeric escapes do
 * not work (Xen 4.17), so control characters that have no letter are refused.
 */
static int put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p == '\n')
            fputs("\\n", out);
        else if (*p == '\t')
            fputs("\\t", out);
        else if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return -EINVAL;
        else
            fputc(*p, out);
    }
    fputc('"', out);
    return 0;
}

static int put_setting(FILE *out, const char *key, const char *text)
{
    int err;

    if (!text)
        return 0;
    fprintf(out, "%s=", key);
    err = put_text(out, text);
    fputc('\n', out);
    return err;
}

static int put_list(FILE *out, const char *key, char *const *texts, unsigned n)
{
    int err = 0;

    if (!n)
        return 0;
    fprintf(out, "%s=[", key);
    for (unsigned i = 0; i < n && !err; i++) {
        fputs(i ? ", " : "", out);
        err = put_text(out, texts[i]);
    }
    fputs("]\n", out);
    return err;
}

/* One entry a vCPU; as a list, since a single text would be the CPUs of all of them. */
static void put_cpus(FILE *out, const struct cfg_vm *c)
{
    fputs("cpus=[", out);
    for (unsigned i = 0; i < c->vcpus; i++) {
        fputs(i ? ", " : "", out);
        if (c->cores[i] == CFG_ANY)
            fputs("\"all\"", out);
        else
            fprintf(out, "\"%d\"", c->cores[i]);
    }
    fputs("]\n", out);
}

/* coopvmm looks at how a domain ended, and destroys it itself. */
static void put_ends(FILE *out)
{
    static const char *const ends[] = {"poweroff", "reboot", "crash", "watchdog", "soft_reset"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        fprintf(out, "on_%s=\"preserve\"\n", ends[i]);
}

/* What is known to work beside an I/O core: no display, the console on a pty. */
static int put_hvm(FILE *out, const char *device_model)
{
    int err = put_setting(out, "device_model_override", device_model);

    if (device_model)
        fputs("device_model_version=\"qemu-xen\"\n", out);
    fputs("vga=\"none\"\nvnc=0\nserial=\"pty\"\n", out);
    return err;
}

static int put_texts(FILE *out, const struct cfg_vm *c)
{
    int err = put_setting(out, "kernel", c->kernel);

    if (!err)
        err = put_setting(out, "ramdisk", c->initrd);
    if (!err && c->kernel)
        err = put_setting(out, "extra", c->cmdline);
    if (!err)
        err = put_list(out, "disk", c->xen->disk, c->xen->disk_count);
    return err ? err : put_setting(out, "pool", c->xen->cpupool);
}

int xl_config_write(const struct cfg *cfg, const struct cfg_vm *c, const char *uuid,
                    const char *device_model, FILE *out)
{
    char name[XL_DOMAIN];
    int err;

    xl_domain_name(cfg, c, name);
    fputs("# written by coopvmm-vm; to change a domain, change the testbed's file\n", out);
    err = put_setting(out, "name", name);
    fprintf(out, "uuid=\"%s\"\ntype=\"%s\"\nmemory=%u\nvcpus=%u\n", uuid,
            cfg_xen_type_name(c->xen->type), c->memory, c->vcpus);
    put_cpus(out, c);
    if (!err)
        err = put_texts(out, c);
    /* a guest reads the counter itself: emulated, each reading would be an exit */
    fputs("tsc_mode=\"native\"\n", out);
    put_ends(out);
    if (!err && c->xen->type == CFG_XEN_HVM)
        err = put_hvm(out, device_model);
    for (unsigned i = 0; i < c->xen->options_count && !err; i++)
        fprintf(out, "%s\n", c->xen->options[i]);
    return err ? err : fflush(out) ? -EIO : 0;
}
