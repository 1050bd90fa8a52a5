/* SPDX-License-Identifier: BSD-3-Clause */
/* xl's failures in words an operator can act on. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "xl.h"

#define SHOWN_LINES 8

/* The first that fits counts. The words are libxl's and libxenguest's, seen with Xen 4.17. */
static const struct {
    const char *words, *hint;
} hints[] = {
    {"already exists",
     "a domain of that name is there, perhaps left over: `xl list`, and `xl destroy` "
     "if nobody needs it"},
    {"no loader found",
     "the kernel is none that Xen can boot this way: a PVH domain wants an ELF file "
     "or bzImage with Xen's PVH note"},
    {"segment kernel too large", "the kernel does not fit: raise the VM's memory"},
    {"segment ramdisk too large", "the initrd does not fit: raise the VM's memory"},
    {"can't allocate low memory",
     "Xen has not that much free memory (`xl info`): lower the VM's memory, "
     "or dom0's (dom0_mem= on Xen's command line)"},
    {"failed to free memory",
     "Xen has not that much free memory (`xl info`): lower the VM's memory, or "
     "dom0's (dom0_mem= on Xen's command line)"},
    {"Cannot allocate memory", "memory ran short: `xl info` shows what is free"},
    {"unable to open configuration", "the run directory is gone; was it removed?"},
    {"config parsing error", "a line under xen: {options: ...} is not what xl.cfg(5) wants"},
    {"device model", "QEMU did not start: its log in /var/log/xen says why"},
    {"hotplug", "a hotplug script failed; check the disks"},
    {"cpupool", "check the cpupool: `xl cpupool-list`"},
    {"privileged command interface",
     "run as root, in dom0, with /dev/xen/privcmd (modprobe xen-privcmd)"},
    {"Permission denied", "run as root"},
    {"hypervisor", "this is not Xen's dom0, or its tools are not those of the running Xen"},
};

const char *xl_hint(const char *text)
{
    for (size_t i = 0; text && i < sizeof(hints) / sizeof(hints[0]); i++)
        if (strstr(text, hints[i].words))
            return hints[i].hint;
    return NULL;
}

/* What xl says whenever it reads a config tells nothing. */
static bool is_noise(const char *line, size_t len)
{
    static const char *const noise[] = {"Parsing config from", "got a tsc mode string"};

    for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
        if (len >= strlen(noise[i]) && !memcmp(line, noise[i], strlen(noise[i])))
            return true;
    return len == 0;
}

/* Where the last SHOWN_LINES lines begin. */
static const char *tail(const char *text)
{
    const char *at = text + strlen(text);

    for (unsigned n = 0; at > text; at--)
        if (at[-1] == '\n' && n++ == SHOWN_LINES)
            break;
    return at;
}

static void show(const char *prefix, const char *text, FILE *err)
{
    for (const char *line = tail(text); *line;) {
        size_t len = strcspn(line, "\n");

        if (!is_noise(line, len))
            fprintf(err, "%s: xl: %.*s\n", prefix, (int)len, line);
        line += len + (line[len] == '\n');
    }
}

void xl_explain(const char *prefix, const char *what, int ret, const struct xl_text *t, FILE *err)
{
    const char *hint = t && t->text ? xl_hint(t->text) : NULL;

    if (t && t->text)
        show(prefix, t->text, err);
    if (ret == -ENOENT)
        fprintf(err, "%s: %s: there is no program xl; install Xen's tools (xen-utils)\n", prefix,
                what);
    else if (ret == -ETIMEDOUT)
        fprintf(err, "%s: %s: xl did not end in time and was killed; see /var/log/xen\n", prefix,
                what);
    else if (ret < 0)
        fprintf(err, "%s: %s: %s\n", prefix, what, strerror(-ret));
    else
        fprintf(err, "%s: %s failed (xl's exit status %d); %s\n", prefix, what, ret,
                hint ? hint : "see above, and /var/log/xen");
}
