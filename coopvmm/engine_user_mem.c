/* SPDX-License-Identifier: BSD-3-Clause */
/* The user engine's memory and ports, as the instruction emulator sees them. */
#include <string.h>

#include "../protocol/iotp.h"
#include "engine_user.h"

static bool in_ram(const struct user_vcpu *v, uint64_t addr, uint64_t len)
{
    uint64_t size = v->vm->mem.size;

    return addr < size && len <= size - addr;
}

bool user_ram_read(const struct user_vcpu *v, uint64_t addr, void *to, size_t len)
{
    if (!in_ram(v, addr, len))
        return false;
    memcpy(to, v->vm->mem.host + addr, len);
    return true;
}

bool user_ram_write(const struct user_vcpu *v, uint64_t addr, const void *from, size_t len)
{
    if (!in_ram(v, addr, len))
        return false;
    memcpy(v->vm->mem.host + addr, from, len);
    return true;
}

static enum x86_access access_io(struct user_vcpu *v, struct vm_io *io)
{
    return vm_io(v->vm, v->index, io) ? X86_CANCEL : X86_OK;
}

static bool straddles_ram_end(const struct user_vcpu *v, uint64_t addr, unsigned size)
{
    return addr < v->vm->mem.size && size > v->vm->mem.size - addr;
}

static enum x86_access mem_read(void *ctx, uint64_t addr, unsigned size, uint64_t *value);

/* The last bytes of RAM and the first ones behind it: one at a time. */
static enum x86_access read_bytes(void *ctx, uint64_t addr, unsigned size, uint64_t *value)
{
    enum x86_access r = X86_OK;
    uint64_t byte;

    *value = 0;
    for (unsigned i = 0; i < size && r == X86_OK; i++) {
        r = mem_read(ctx, addr + i, 1, &byte);
        *value |= (byte & 0xff) << (8 * i);
    }
    return r;
}

static enum x86_access mem_read(void *ctx, uint64_t addr, unsigned size, uint64_t *value)
{
    struct user_vcpu *v = ctx;
    struct vm_io io = {.space = VM_MMIO, .size = size, .count = 1, .addr = addr};
    enum x86_access r;

    *value = 0;
    if (user_ram_read(v, addr, value, size))
        return X86_OK;
    if (straddles_ram_end(v, addr, size))
        return read_bytes(ctx, addr, size, value);
    if (addr >= USER_PHYS_LIMIT)
        return X86_FAULT;
    r = access_io(v, &io);
    *value = io.data;
    return r;
}

static enum x86_access mem_write(void *ctx, uint64_t addr, unsigned size, uint64_t value)
{
    struct user_vcpu *v = ctx;
    struct vm_io io = {
        .space = VM_MMIO, .write = true, .size = size, .count = 1, .addr = addr, .data = value};
    enum x86_access r = X86_OK;

    if (user_ram_write(v, addr, &value, size))
        return X86_OK;
    if (straddles_ram_end(v, addr, size)) {
        for (unsigned i = 0; i < size && r == X86_OK; i++)
            r = mem_write(ctx, addr + i, 1, value >> (8 * i) & 0xff);
        return r;
    }
    if (addr >= USER_PHYS_LIMIT)
        return X86_FAULT;
    return access_io(v, &io);
}

/* Locked instructions on ordinary memory (the low 64 KiB arrive here) stay atomic. An unaligned one
 * would need a split lock, which hosts may forbid: read, then write. */
static enum x86_access mem_cmpxchg(void *ctx, uint64_t addr, unsigned size, uint64_t *old,
                                   uint64_t desired)
{
    struct user_vcpu *v = ctx;
    void *p;

    if (!in_ram(v, addr, size) || addr % size)
        return X86_FAULT;
    p = v->vm->mem.host + addr;
    switch (size) {
#define EXCHANGE(type)                                                                             \
    {                                                                                              \
        type expected = *old;                                                                      \
        __atomic_compare_exchange_n((type *)p, &expected, (type)desired, false, __ATOMIC_SEQ_CST,  \
                                    __ATOMIC_SEQ_CST);                                             \
        *old = expected;                                                                           \
        return X86_OK;                                                                             \
    }
    case 1: EXCHANGE(uint8_t)
    case 2: EXCHANGE(uint16_t)
    case 4: EXCHANGE(uint32_t)
    case 8: EXCHANGE(uint64_t)
    default: return X86_FAULT;
#undef EXCHANGE
    }
}

static enum x86_access port_in(void *ctx, uint16_t port, unsigned size, uint64_t *value)
{
    struct vm_io io = {.space = VM_PIO, .size = size, .count = 1, .addr = port};
    enum x86_access r = access_io(ctx, &io);

    *value = io.data;
    return r;
}

static enum x86_access port_out(void *ctx, uint16_t port, unsigned size, uint64_t value)
{
    struct vm_io io = {
        .space = VM_PIO, .write = true, .size = size, .count = 1, .addr = port, .data = value};

    return access_io(ctx, &io);
}

/* How many of `count` elements from addr on lie wholly in RAM. */
static uint64_t string_in_ram(const struct user_vcpu *v, uint64_t addr, unsigned size,
                              uint64_t count, bool down)
{
    uint64_t room;

    if (!in_ram(v, addr, size))
        return 0;
    room = down ? addr / size + 1 : (v->vm->mem.size - addr) / size;
    return count < room ? count : room;
}

/* One element between a port and memory that is not RAM. */
static enum x86_access string_element(struct user_vcpu *v, const struct vm_io *s)
{
    enum x86_access r;
    uint64_t value = 0;

    if (s->write) {
        r = mem_read(v, s->mem, s->size, &value);
        return r ? r : port_out(v, s->addr, s->size, value);
    }
    r = port_in(v, s->addr, s->size, &value);
    return r ? r : mem_write(v, s->mem, s->size, value);
}

static enum x86_access string_io(struct user_vcpu *v, struct vm_io *s, uint64_t count,
                                 uint64_t *done)
{
    uint64_t n = string_in_ram(v, s->mem, s->size, count, s->down);
    enum x86_access r;

    if (n == 0) {
        r = string_element(v, s);
        *done = r == X86_OK;
        return r;
    }
    s->string = true;
    s->count = n < IOTP_MAX_STRING ? n : IOTP_MAX_STRING;
    r = access_io(v, s);
    *done = s->done_count < s->count ? s->done_count : s->count;
    return r;
}

static enum x86_access port_ins(void *ctx, uint16_t port, unsigned size, uint64_t addr,
                                uint64_t count, bool down, uint64_t *done)
{
    struct vm_io s = {.space = VM_PIO, .down = down, .size = size, .addr = port, .mem = addr};

    return string_io(ctx, &s, count, done);
}

static enum x86_access port_outs(void *ctx, uint16_t port, unsigned size, uint64_t addr,
                                 uint64_t count, bool down, uint64_t *done)
{
    struct vm_io s = {
        .space = VM_PIO, .write = true, .down = down, .size = size, .addr = port, .mem = addr};

    return string_io(ctx, &s, count, done);
}

const struct x86_ops user_ops = {
    .read = mem_read,
    .write = mem_write,
    .in = port_in,
    .out = port_out,
    .ins = port_ins,
    .outs = port_outs,
    .cmpxchg = mem_cmpxchg,
};
