/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SPEC.md against the headers: every struct's size, every field's offset and size, every constant.
 * The tables are read as they stand; a field or constant that only one of the two knows is an
 * error. Run from the top of the source tree.
 */
#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../protocol/iotp_ctl.h"
#include "cu_main.h"

#define SPEC     "protocol/SPEC.md"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct field {
    const char *type, *name;
    size_t offset, size;
    unsigned seen;
};
#define F(t, f)                                                                                    \
    {                                                                                              \
#t, #f, offsetof(struct t, f), sizeof(((struct t *)0)->f), 0                               \
    }

static struct field fields[] = {
    F(iotp_area_hdr, magic),
    F(iotp_area_hdr, version),
    F(iotp_area_hdr, hdr_size),
    F(iotp_area_hdr, nvcpus),
    F(iotp_area_hdr, ndevices),
    F(iotp_area_hdr, posted_entries),
    F(iotp_area_hdr, reserved0),
    F(iotp_area_hdr, size),
    F(iotp_area_hdr, features),
    F(iotp_area_hdr, reserved1),
    F(iotp_summary, watch),
    F(iotp_summary, armed),
    F(iotp_summary, reserved),
    F(iotp_slot, req_seq),
    F(iotp_slot, done_count),
    F(iotp_slot, done),
    F(iotp_slot, waiter),
    F(iotp_slot, offset),
    F(iotp_slot, data),
    F(iotp_slot, mem),
    F(iotp_slot, count),
    F(iotp_slot, device),
    F(iotp_slot, region),
    F(iotp_slot, op),
    F(iotp_slot, size),
    F(iotp_slot, status),
    F(iotp_slot, reserved0),
    F(iotp_slot, reserved1),
    F(iotp_slot, stamp),
    F(iotp_ring, tail),
    F(iotp_ring, reserved),
    F(iotp_post, seq),
    F(iotp_post, device),
    F(iotp_post, region),
    F(iotp_post, size),
    F(iotp_post, offset),
    F(iotp_post, data),
    F(iotp_post, stamp),
    F(iotp_shadow, consumed),
    F(iotp_shadow, valid),
    F(iotp_shadow, irq_level),
    F(iotp_shadow, cell),
    F(iotp_msg_hdr, magic),
    F(iotp_msg_hdr, type),
    F(iotp_msg_hdr, nfds),
    F(iotp_msg_hdr, length),
    F(iotp_msg_hdr, serial),
    F(iotp_hello, version_min),
    F(iotp_hello, version_max),
    F(iotp_hello, pid),
    F(iotp_hello, features),
    F(iotp_hello, vm),
    F(iotp_hello_ok, version),
    F(iotp_hello_ok, max_vcpus),
    F(iotp_hello_ok, max_devices),
    F(iotp_hello_ok, features),
    F(iotp_hello_ok, tsc_hz),
    F(iotp_hello_ok, daemon),
    F(iotp_memory, nregions),
    F(iotp_memory, reserved),
    F(iotp_memory, region),
    F(iotp_memory_region, gpa),
    F(iotp_memory_region, size),
    F(iotp_memory_region, offset),
    F(iotp_area, area),
    F(iotp_area, reserved),
    F(iotp_area, size),
    F(iotp_area, core),
    F(iotp_domain, area),
    F(iotp_domain, domid),
    F(iotp_domain, nvcpus),
    F(iotp_domain, flags),
    F(iotp_domain, reserved),
    F(iotp_domain, core),
    F(iotp_device, area),
    F(iotp_device, device),
    F(iotp_device, nlines),
    F(iotp_device, has_state),
    F(iotp_device, mac),
    F(iotp_device, io_base),
    F(iotp_device, mmio_base),
    F(iotp_device, irq),
    F(iotp_device, connected),
    F(iotp_device, slot),
    F(iotp_device, queues),
    F(iotp_device, reserved),
    F(iotp_device, model),
    F(iotp_device, name),
    F(iotp_msi, area),
    F(iotp_msi, device),
    F(iotp_msi, nroutes),
    F(iotp_route, addr),
    F(iotp_route, data),
    F(iotp_route, asked),
    F(iotp_route, routed),
    F(iotp_route, reserved),
    F(iotp_device_info, nwindows),
    F(iotp_device_info, nranges),
    F(iotp_device_info, ncells),
    F(iotp_device_info, pci),
    F(iotp_device_info, reserved),
    F(iotp_device_info, window),
    F(iotp_device_info, range),
    F(iotp_device_info, cell),
    F(iotp_window, region),
    F(iotp_window, space),
    F(iotp_window, reserved),
    F(iotp_window, size),
    F(iotp_window, base),
    F(iotp_range, region),
    F(iotp_range, flags),
    F(iotp_range, length),
    F(iotp_range, offset),
    F(iotp_cell, region),
    F(iotp_cell, size),
    F(iotp_cell, reserved),
    F(iotp_cell, offset),
    F(iotp_error, error),
    F(iotp_error, reserved),
    F(iotp_error, text),
};

struct value {
    const char *name;
    unsigned long long value;
    unsigned seen;
};
#define T(t)                                                                                       \
    {                                                                                              \
#t, sizeof(struct t), 0                                                                    \
    }
#define V(n)                                                                                       \
    {                                                                                              \
#n, n, 0                                                                                   \
    }

static struct value structs[] = {
    T(iotp_area_hdr), T(iotp_summary), T(iotp_slot),          T(iotp_ring),   T(iotp_post),
    T(iotp_shadow),   T(iotp_msg_hdr), T(iotp_hello),         T(iotp_memory), T(iotp_hello_ok),
    T(iotp_area),     T(iotp_device),  T(iotp_memory_region), T(iotp_window), T(iotp_device_info),
    T(iotp_range),    T(iotp_cell),    T(iotp_error),         T(iotp_domain), T(iotp_msi),
    T(iotp_route),
};

static struct value values[] = {
    V(IOTP_MAGIC),
    V(IOTP_VERSION),
    V(IOTP_LINE),
    V(IOTP_PAGE),
    V(IOTP_OFF_SUMMARY),
    V(IOTP_OFF_SLOTS),
    V(IOTP_MAX_VCPUS),
    V(IOTP_MAX_DEVICES),
    V(IOTP_MIN_POSTED),
    V(IOTP_MAX_POSTED),
    V(IOTP_BOUNCE_SIZE),
    V(IOTP_DEFAULT_POSTED),
    V(IOTP_MAX_STRING),
    V(IOTP_SHADOW_CELLS),
    V(IOTP_MAX_SIZE),
    V(IOTP_MAX_FDS),
    V(IOTP_MAX_MEMORY),
    V(IOTP_MAX_AREAS),
    V(IOTP_MAX_LINES),
    V(IOTP_MAX_ROUTES),
    V(IOTP_MAX_WINDOWS),
    V(IOTP_MAX_RANGES),
    V(IOTP_NAME_SIZE),
    V(IOTP_TEXT_SIZE),
    V(IOTP_MAX_MSG),
    V(IOTP_REGION_BAR0),
    V(IOTP_REGION_ROM),
    V(IOTP_REGION_CONFIG),
    V(IOTP_REGIONS),
    V(IOTP_OP_READ),
    V(IOTP_OP_WRITE),
    V(IOTP_OP_STRING),
    V(IOTP_OP_DOWN),
    V(IOTP_OP_BOUNCE),
    V(IOTP_DONE),
    V(IOTP_UNCLAIMED),
    V(IOTP_FAILED),
    V(IOTP_RANGE_POSTED),
    V(IOTP_RANGE_KICK),
    V(IOTP_MSG_HELLO),
    V(IOTP_MSG_HELLO_OK),
    V(IOTP_MSG_MEMORY),
    V(IOTP_MSG_AREA),
    V(IOTP_MSG_DEVICE),
    V(IOTP_MSG_DEVICE_INFO),
    V(IOTP_MSG_START),
    V(IOTP_MSG_QUIESCE),
    V(IOTP_MSG_OK),
    V(IOTP_MSG_ERROR),
    V(IOTP_MSG_DOMAIN),
    V(IOTP_MSG_MSI),
    V(IOTP_DOMAIN_MAX_VCPUS),
    V(IOTP_DOMAIN_STATE_SIZE),
    V(IOTP_DOMAIN_LINES),
    V(IOTP_DOMAIN_PCI_ROOT),
    V(IOTP_DOMAIN_SPIN),
    V(IOTP_F_POSTED),
    V(IOTP_F_SHADOW),
    V(IOTP_F_STAMP),
    V(IOTP_F_BOUNCE),
    V(IOTP_F_MSI),
    V(IOTP_F_KICK),
};

static void complain(const char *what, const char *where)
{
    fprintf(stderr, "%s: %s: %s\n", SPEC, where, what);
    CU_FAIL(what);
}

static struct value *find(struct value *v, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(v[i].name, name))
            return &v[i];
    return NULL;
}

/* "### `struct T`, N bytes" */
static void heading(const char *line, char type[64])
{
    unsigned long long bytes;
    struct value *v;

    type[0] = '\0';
    if (sscanf(line, "### `struct %63[a-z_]`, %llu bytes", type, &bytes) != 2)
        return;
    v = find(structs, COUNT(structs), type);
    if (!v || v->value != bytes)
        complain("unknown struct or wrong size", line);
    else
        v->seen++;
}

/* "| OFFSET | SIZE | `FIELD` |..." below a struct's heading */
static void field_row(const char *line, const char *type)
{
    size_t offset, size;
    char name[64];

    if (sscanf(line, "| %zu | %zu | `%63[a-z0-9_]` |", &offset, &size, name) != 3)
        return;
    for (size_t i = 0; i < COUNT(fields); i++)
        if (!strcmp(fields[i].type, type) && !strcmp(fields[i].name, name)) {
            fields[i].seen++;
            if (fields[i].offset != offset || fields[i].size != size)
                complain("wrong offset or size", line);
            return;
        }
    complain("unknown field", line);
}

/* "| `IOTP_NAME` | VALUE |..." anywhere */
static void value_row(const char *line)
{
    char name[64], number[32], *end;
    unsigned long long got;
    struct value *v;

    if (sscanf(line, "| `%63[A-Z0-9_]` | %31[0-9a-fx] |", name, number) != 2 || number[0] > '9')
        return;
    got = strtoull(number, &end, 0);
    v = find(values, COUNT(values), name);
    if (!v || *end || v->value != got)
        complain("unknown constant or wrong value", line);
    else
        v->seen++;
}

static void tables_are_as_the_headers(void)
{
    FILE *f = fopen(SPEC, "r");
    char line[1024], type[64] = "";

    if (!f) {
        complain("cannot be opened: run this from the top of the source tree", SPEC);
        return;
    }
    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '#')
            heading(line, type);
        else if (type[0])
            field_row(line, type);
        value_row(line);
    }
    fclose(f);
}

/* Runs after the former, which counts. */
static void everything_is_described_once(void)
{
    for (size_t i = 0; i < COUNT(fields); i++)
        if (fields[i].seen != 1)
            complain("field is not described once", fields[i].name);
    for (size_t i = 0; i < COUNT(structs); i++)
        if (structs[i].seen != 1)
            complain("struct is not described once", structs[i].name);
    for (size_t i = 0; i < COUNT(values); i++)
        if (values[i].seen != 1)
            complain("constant is not described once", values[i].name);
    CU_PASS("all looked at");
}

/* The list above is complete: each struct's fields follow each other up to its end. */
static void fields_leave_no_gaps(void)
{
    for (size_t s = 0; s < COUNT(structs); s++) {
        size_t at = 0;

        for (size_t i = 0; i < COUNT(fields); i++)
            if (!strcmp(fields[i].type, structs[s].name)) {
                CU_ASSERT_EQUAL(fields[i].offset, at);
                at = fields[i].offset + fields[i].size;
            }
        CU_ASSERT_EQUAL(at, structs[s].value);
    }
}

const char *const suite_name = "iotp_spec";
const struct cu_test suite_tests[] = {
    {"tables are as the headers", tables_are_as_the_headers},
    {"everything is described once", everything_is_described_once},
    {"fields leave no gaps", fields_leave_no_gaps},
    {NULL, NULL},
};
