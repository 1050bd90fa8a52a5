/* SPDX-License-Identifier: BSD-3-Clause */
/* Malformed control messages: each is refused with a reason, and its descriptors are closed. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <string.h>

#include "ctl_rig.h"
#include "cu_main.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *const suite_name = "iotp_malformed";

static void lengths_are_exact(void)
{
    uint8_t p[IOTP_MAX_MSG];
    uint32_t serial;
    int s[2];

    ctl_pair(s);
    for (unsigned type = IOTP_MSG_HELLO; type <= CTL_LAST; type++) {
        size_t len = ctl_packet(type, p);

        for (size_t cut = 1; cut <= len; cut++) {
            ctl_send_raw(s[0], p, len - cut, cut < len ? ctl_fds(type) : 0);
            CU_ASSERT_EQUAL(ctl_receive(s[1], &serial), cut < len ? -EPROTO : -ENOTCONN);
            CU_ASSERT_EQUAL(serial, len - cut >= 16 ? 0x1000 + type : 0);
        }
        memset(p + len, 0, sizeof(p) - len);
        ctl_send_raw(s[0], p, len + 1, ctl_fds(type));
        CU_ASSERT_EQUAL(ctl_receive(s[1], &serial), -EPROTO);
        ctl_send_raw(s[0], p, IOTP_MAX_MSG, ctl_fds(type));
        CU_ASSERT_EQUAL(ctl_receive(s[1], &serial), -EPROTO);
        ctl_send_raw(s[0], p, len, ctl_fds(type)); /* still in step */
        CU_ASSERT_EQUAL(ctl_receive(s[1], &serial), 0);
    }
    ctl_close(s);
}

static void oversized_packets_are_refused(void)
{
    uint8_t p[4 * IOTP_MAX_MSG] = {0};
    int s[2];

    ctl_pair(s);
    ctl_packet(IOTP_MSG_DEVICE, p);
    for (size_t len = IOTP_MAX_MSG + 1; len <= sizeof(p); len += 511) {
        ctl_send_raw(s[0], p, len, 3);
        CU_ASSERT_EQUAL(ctl_receive(s[1], NULL), -EPROTO);
    }
    ctl_close(s);
}

/* Fewer, more, and more than there is room for: refused, and all of them closed. */
static void descriptors_are_counted(void)
{
    uint8_t p[IOTP_MAX_MSG];
    int s[2];

    ctl_pair(s);
    for (unsigned type = IOTP_MSG_HELLO; type <= CTL_LAST; type++) {
        size_t len = ctl_packet(type, p);

        for (unsigned nfds = 0; nfds < 40; nfds += nfds < 10 ? 1 : 13) {
            /* both with the header's count as it was, and as it came */
            for (unsigned told = 0; told < 2; told++) {
                ctl_packet(type, p);
                if (told)
                    ((struct iotp_msg_hdr *)p)->nfds = (uint16_t)nfds;
                ctl_send_raw(s[0], p, len, nfds);
                CU_ASSERT_EQUAL(ctl_receive(s[1], NULL), nfds == ctl_fds(type) ? 0 : -EPROTO);
            }
        }
    }
    ctl_send_raw(s[0], p, 0, 2); /* an empty packet, with descriptors */
    CU_ASSERT_EQUAL(ctl_receive(s[1], NULL), -EPROTO);
    ctl_close(s);
}

/* One field of a good message replaced. */
struct patch {
    const char *what;
    unsigned type;
    size_t at;      /* in the body; HDR: in the header */
    unsigned bytes; /* of value; 0: a name of 32 characters without an end */
    uint64_t value;
};
#define HDR(field)       0x8000 + offsetof(struct iotp_msg_hdr, field)
#define AT(type, field)  offsetof(struct type, field)
#define REGION(i, field) offsetof(struct iotp_memory, region[i].field)
#define INFO(field)      offsetof(struct iotp_device_info, field)

static const struct patch refused[] = {
    {"magic", IOTP_MSG_OK, HDR(magic), 4, 0x50544f48},
    {"type 0", IOTP_MSG_OK, HDR(type), 2, 0},
    {"type 12", IOTP_MSG_OK, HDR(type), 2, 12},
    {"type 65535", IOTP_MSG_OK, HDR(type), 2, 65535},
    {"length 1", IOTP_MSG_OK, HDR(length), 4, 1},
    {"length huge", IOTP_MSG_HELLO, HDR(length), 4, 0xffffffff},
    {"serial 0", IOTP_MSG_START, HDR(serial), 4, 0},
    {"version_min 0", IOTP_MSG_HELLO, AT(iotp_hello, version_min), 2, 0},
    {"version_min above max", IOTP_MSG_HELLO, AT(iotp_hello, version_min), 2, 10},
    {"vm empty", IOTP_MSG_HELLO, AT(iotp_hello, vm), 1, 0},
    {"vm endless", IOTP_MSG_HELLO, AT(iotp_hello, vm), 0, 0},
    {"vm with a slash", IOTP_MSG_HELLO, AT(iotp_hello, vm) + 1, 1, '/'},
    {"vm begins with a dot", IOTP_MSG_HELLO, AT(iotp_hello, vm), 1, '.'},
    {"vm with an escape", IOTP_MSG_HELLO, AT(iotp_hello, vm) + 3, 1, 0x1b},
    {"vm not ASCII", IOTP_MSG_HELLO, AT(iotp_hello, vm) + 3, 1, 0xe4},
    {"version 0", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, version), 2, 0},
    {"version 2", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, version), 2, 2},
    {"max_vcpus 0", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, max_vcpus), 2, 0},
    {"max_vcpus 257", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, max_vcpus), 2, 257},
    {"max_devices 0", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, max_devices), 4, 0},
    {"max_devices 65", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, max_devices), 4, 65},
    {"features unknown", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, features), 8, 1ull << 40},
    {"daemon empty", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, daemon), 1, 0},
    {"daemon endless", IOTP_MSG_HELLO_OK, AT(iotp_hello_ok, daemon), 0, 0},
    {"nregions 0", IOTP_MSG_MEMORY, AT(iotp_memory, nregions), 4, 0},
    {"nregions 2 of 3", IOTP_MSG_MEMORY, AT(iotp_memory, nregions), 4, 2},
    {"nregions 9", IOTP_MSG_MEMORY, AT(iotp_memory, nregions), 4, 9},
    {"nregions huge", IOTP_MSG_MEMORY, AT(iotp_memory, nregions), 4, 0xffffffff},
    {"memory reserved", IOTP_MSG_MEMORY, AT(iotp_memory, reserved), 4, 1},
    {"unused region", IOTP_MSG_MEMORY, REGION(7, offset), 8, 1},
    {"gpa unaligned", IOTP_MSG_MEMORY, REGION(1, gpa), 8, 0x100800},
    {"size unaligned", IOTP_MSG_MEMORY, REGION(1, size), 8, 0x1001},
    {"size 0", IOTP_MSG_MEMORY, REGION(1, size), 8, 0},
    {"offset unaligned", IOTP_MSG_MEMORY, REGION(1, offset), 8, 1},
    {"overlap by a page", IOTP_MSG_MEMORY, REGION(0, size), 8, 0x101000},
    {"same place", IOTP_MSG_MEMORY, REGION(1, gpa), 8, 0},
    {"overlap from within", IOTP_MSG_MEMORY, REGION(1, gpa), 8, 0x1000},
    {"gpa wraps", IOTP_MSG_MEMORY, REGION(2, size), 8, 0x2000},
    {"gpa wraps far", IOTP_MSG_MEMORY, REGION(2, size), 8, 0 - 0x1000ull},
    {"offset negative", IOTP_MSG_MEMORY, REGION(1, offset), 8, 1ull << 63},
    {"offset plus size", IOTP_MSG_MEMORY, REGION(1, offset), 8, (1ull << 63) - 0x1000},
    {"area index", IOTP_MSG_AREA, AT(iotp_area, area), 4, IOTP_MAX_AREAS},
    {"area reserved", IOTP_MSG_AREA, AT(iotp_area, reserved), 4, 1},
    {"area unaligned", IOTP_MSG_AREA, AT(iotp_area, size), 8, 40961},
    {"area too small", IOTP_MSG_AREA, AT(iotp_area, size), 8, 8192},
    {"area too large", IOTP_MSG_AREA, AT(iotp_area, size), 8, 1ull << 40},
    {"core empty", IOTP_MSG_AREA, AT(iotp_area, core), 1, 0},
    {"core endless", IOTP_MSG_AREA, AT(iotp_area, core), 0, 0},
    {"domain's area", IOTP_MSG_DOMAIN, AT(iotp_domain, area), 4, IOTP_MAX_AREAS},
    {"nvcpus 0", IOTP_MSG_DOMAIN, AT(iotp_domain, nvcpus), 2, 0},
    {"nvcpus 129", IOTP_MSG_DOMAIN, AT(iotp_domain, nvcpus), 2, 129},
    {"domain flags", IOTP_MSG_DOMAIN, AT(iotp_domain, flags), 4, IOTP_DOMAIN_ALL + 1},
    {"domain reserved", IOTP_MSG_DOMAIN, AT(iotp_domain, reserved), 4, 1},
    {"domain's core", IOTP_MSG_DOMAIN, AT(iotp_domain, core), 1, 0},
    {"msi's area", IOTP_MSG_MSI, AT(iotp_msi, area), 4, IOTP_MAX_AREAS},
    {"msi's device", IOTP_MSG_MSI, AT(iotp_msi, device), 2, IOTP_MAX_DEVICES},
    {"no routes", IOTP_MSG_MSI, AT(iotp_msi, nroutes), 2, 0},
    {"routes without descriptors", IOTP_MSG_MSI, AT(iotp_msi, nroutes), 2, 2},
    {"33 routes", IOTP_MSG_MSI, AT(iotp_msi, nroutes), 2, 33},
    {"slot 32", IOTP_MSG_DEVICE, AT(iotp_device, slot), 1, 32},
    {"device's area", IOTP_MSG_DEVICE, AT(iotp_device, area), 4, IOTP_MAX_AREAS},
    {"device index", IOTP_MSG_DEVICE, AT(iotp_device, device), 2, IOTP_MAX_DEVICES},
    {"nlines 5", IOTP_MSG_DEVICE, AT(iotp_device, nlines), 1, 5},
    {"nlines 1 of 2", IOTP_MSG_DEVICE, AT(iotp_device, nlines), 1, 1},
    {"has_state 0", IOTP_MSG_DEVICE, AT(iotp_device, has_state), 1, 0},
    {"has_state 2", IOTP_MSG_DEVICE, AT(iotp_device, has_state), 1, 2},
    {"group address", IOTP_MSG_DEVICE, AT(iotp_device, mac), 1, 0x53},
    {"connected 2", IOTP_MSG_DEVICE, AT(iotp_device, connected), 1, 2},
    {"device reserved", IOTP_MSG_DEVICE, AT(iotp_device, reserved) + 4, 1, 1},
    {"model empty", IOTP_MSG_DEVICE, AT(iotp_device, model), 1, 0},
    {"model endless", IOTP_MSG_DEVICE, AT(iotp_device, model), 0, 0},
    {"name empty", IOTP_MSG_DEVICE, AT(iotp_device, name), 1, 0},
    {"name endless", IOTP_MSG_DEVICE, AT(iotp_device, name), 0, 0},
    {"nwindows 9", IOTP_MSG_DEVICE_INFO, INFO(nwindows), 1, 9},
    {"nwindows 1 of 2", IOTP_MSG_DEVICE_INFO, INFO(nwindows), 1, 1},
    {"nwindows 255", IOTP_MSG_DEVICE_INFO, INFO(nwindows), 1, 255},
    {"nranges 17", IOTP_MSG_DEVICE_INFO, INFO(nranges), 1, 17},
    {"nranges 1 of 2", IOTP_MSG_DEVICE_INFO, INFO(nranges), 1, 1},
    {"ncells 31", IOTP_MSG_DEVICE_INFO, INFO(ncells), 1, 31},
    {"ncells 3 of 2", IOTP_MSG_DEVICE_INFO, INFO(ncells), 1, 3},
    {"pci 2", IOTP_MSG_DEVICE_INFO, INFO(pci), 1, 2},
    {"info reserved", IOTP_MSG_DEVICE_INFO, INFO(reserved), 4, 1},
    {"window region", IOTP_MSG_DEVICE_INFO, INFO(window[1].region), 1, 8},
    {"window space", IOTP_MSG_DEVICE_INFO, INFO(window[1].space), 1, 3},
    {"window reserved", IOTP_MSG_DEVICE_INFO, INFO(window[1].reserved) + 5, 1, 1},
    {"window size 0", IOTP_MSG_DEVICE_INFO, INFO(window[1].size), 8, 0},
    {"window wraps", IOTP_MSG_DEVICE_INFO, INFO(window[1].base), 8, 0 - 4095ull},
    {"ports beyond", IOTP_MSG_DEVICE_INFO, INFO(window[0].base), 8, 65536 - 31},
    {"ports too many", IOTP_MSG_DEVICE_INFO, INFO(window[0].size), 8, 65537},
    {"range region", IOTP_MSG_DEVICE_INFO, INFO(range[1].region), 1, 8},
    {"range flags", IOTP_MSG_DEVICE_INFO, INFO(range[1].flags), 1, 4},
    {"range empty", IOTP_MSG_DEVICE_INFO, INFO(range[1].length), 2, 0},
    {"range wraps", IOTP_MSG_DEVICE_INFO, INFO(range[0].offset), 4, 0xfffffffd},
    {"cell region", IOTP_MSG_DEVICE_INFO, INFO(cell[1].region), 1, 8},
    {"cell size", IOTP_MSG_DEVICE_INFO, INFO(cell[1].size), 1, 3},
    {"cell reserved", IOTP_MSG_DEVICE_INFO, INFO(cell[1].reserved), 2, 1},
    {"cell wraps", IOTP_MSG_DEVICE_INFO, INFO(cell[1].offset), 4, 0xfffffff9},
    {"error 0", IOTP_MSG_ERROR, AT(iotp_error, error), 4, 0},
    {"error positive", IOTP_MSG_ERROR, AT(iotp_error, error), 4, 1},
    {"error too low", IOTP_MSG_ERROR, AT(iotp_error, error), 4, (uint32_t)-4096},
    {"error reserved", IOTP_MSG_ERROR, AT(iotp_error, reserved), 4, 1},
    {"text with an escape", IOTP_MSG_ERROR, AT(iotp_error, text), 1, 0x1b},
    {"text with a newline", IOTP_MSG_ERROR, AT(iotp_error, text), 1, '\n'},
    {"text not ASCII", IOTP_MSG_ERROR, AT(iotp_error, text), 1, 0xff},
};

static void apply(const struct patch *c, uint8_t *packet)
{
    size_t at = c->at >= 0x8000 ? c->at - 0x8000 : c->at + sizeof(struct iotp_msg_hdr);

    if (c->bytes)
        memcpy(packet + at, &c->value, c->bytes);
    else
        memset(packet + at, 'a', IOTP_NAME_SIZE);
}

static void each_bad_field_is_refused(void)
{
    uint8_t p[IOTP_MAX_MSG];
    int s[2];

    ctl_pair(s);
    for (unsigned i = 0; i < COUNT(refused); i++) {
        const struct patch *c = &refused[i];
        size_t len = ctl_packet(c->type, p);

        apply(c, p);
        ctl_send_raw(s[0], p, len, ctl_fds(c->type));
        if (ctl_receive(s[1], NULL) != -EPROTO)
            CU_FAIL(c->what);
    }
    ctl_close(s);
}

static void endless_text_is_refused(void)
{
    uint8_t p[IOTP_MAX_MSG];
    struct iotp_msg m;
    size_t len = ctl_packet(IOTP_MSG_ERROR, p);

    memset(p + len - IOTP_TEXT_SIZE, 'a', IOTP_TEXT_SIZE);
    CU_ASSERT_EQUAL(iotp_msg_parse(p, len, 0, &m, NULL), -EPROTO);
    p[len - 1] = '\0';
    CU_ASSERT_EQUAL(iotp_msg_parse(p, len, 0, &m, NULL), 0);
}

/* What would be refused is not sent either. */
static void nothing_bad_is_sent(void)
{
    struct iotp_msg m = ctl_good(IOTP_MSG_AREA);
    int s[2];

    ctl_pair(s);
    m.nfds = 1;
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), -EINVAL);
    m = ctl_good(IOTP_MSG_DEVICE);
    m.u.device.name[0] = '\0';
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), -EINVAL);
    m = ctl_good(IOTP_MSG_OK);
    m.nfds = IOTP_MAX_FDS + 1;
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), -EINVAL);
    m.nfds = 0;
    m.type = 99;
    CU_ASSERT_EQUAL(iotp_msg_send(s[0], &m), -EINVAL);
    CU_ASSERT_EQUAL(ctl_receive(s[1], NULL), -EAGAIN);
    ctl_close(s);
}

const struct cu_test suite_tests[] = {
    {"lengths are exact", lengths_are_exact},
    {"oversized packets are refused", oversized_packets_are_refused},
    {"descriptors are counted", descriptors_are_counted},
    {"each bad field is refused", each_bad_field_is_refused},
    {"endless text is refused", endless_text_is_refused},
    {"nothing bad is sent", nothing_bad_is_sent},
    {NULL, NULL},
};
