/* SPDX-License-Identifier: BSD-3-Clause */
#include "syntax.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

bool syntax_is_name(const char *s)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t len = strlen(s);

    return len >= 1 && len <= CFG_MAX_NAME && strspn(s, allowed) == len && !strchr("_.-", s[0]);
}

bool syntax_is_iface(const char *s)
{
    size_t len = strlen(s);

    return len >= 1 && len < IFNAMSIZ && strcspn(s, "/: \t\v\f\r\n") == len &&
           strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

/* Does `s` look like `pattern`, where x stands for a hexadecimal digit and o for an octal one? */
static bool matches(const char *s, const char *pattern)
{
    for (; *pattern; s++, pattern++) {
        bool fits = *pattern == 'x'   ? isxdigit((unsigned char)*s) != 0
                    : *pattern == 'o' ? *s >= '0' && *s <= '7'
                                      : *s == *pattern;

        if (!fits)
            return false;
    }
    return *s == '\0';
}

bool syntax_is_pci(const char *s)
{
    return matches(s, "xxxx:xx:xx.o");
}

bool syntax_is_cidr(const char *s)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char raw[sizeof(struct in6_addr)];
    const char *slash = strchr(s, '/');
    size_t len = slash ? (size_t)(slash - s) : 0;
    int bits;

    if (!slash || len >= sizeof(address))
        return false;
    memcpy(address, s, len);
    address[len] = '\0';
    bits = inet_pton(AF_INET, address, raw) == 1    ? 32
           : inet_pton(AF_INET6, address, raw) == 1 ? 128
                                                    : -1;
    len = strspn(slash + 1, "0123456789");
    return bits > 0 && len >= 1 && len <= 3 && !slash[1 + len] && atoi(slash + 1) <= bits;
}

int cfg_parse_mac(const char *text, uint8_t mac[6])
{
    if (!matches(text, "xx:xx:xx:xx:xx:xx"))
        return -EINVAL;
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
    return 0;
}
