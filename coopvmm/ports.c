/* SPDX-License-Identifier: BSD-3-Clause */
#include "ports.h"

#include <errno.h>
#include <string.h>

#include "../protocol/iotp.h"
#include "../protocol/iotp_vmm.h"
#include "vm.h"

void ports_flush(struct vm *vm)
{
    struct vm_console *c = vm_console(vm);

    console_lock(c);
    console_flush(c);
    console_unlock(c);
}

uint8_t *ports_element(struct vm *vm, unsigned vcpu, const struct vm_io *io, uint32_t i)
{
    uint64_t step = (uint64_t)i * io->size;
    uint64_t addr = io->down ? io->mem - step : io->mem + step;
    uint64_t len = io->size;
    uint8_t *at;

    if (io->bounce)
        return addr > IOTP_BOUNCE_SIZE - len ? NULL : vm_bounce(vm, vcpu) + addr;
    at = vm_mem_at(&vm->mem, addr, &len);
    return len < io->size ? NULL : at;
}

static void console_write(struct vm *vm, unsigned vcpu, struct vm_io *io)
{
    struct vm_console *c = vm_console(vm);

    console_lock(c);
    if (!io->string)
        console_put(c, (uint8_t)io->data);
    for (io->done_count = 0; io->string && io->done_count < io->count; io->done_count++) {
        const uint8_t *p = ports_element(vm, vcpu, io, io->done_count);

        if (!p)
            break;
        console_put(c, *p);
    }
    console_unlock(c);
}

int ports_fill_string(struct vm *vm, unsigned vcpu, struct vm_io *io, uint8_t byte)
{
    for (io->done_count = 0; io->done_count < io->count; io->done_count++) {
        uint8_t *p = ports_element(vm, vcpu, io, io->done_count);

        if (!p)
            break;
        memset(p, byte, io->size);
    }
    return 0;
}

bool ports_access(struct vm *vm, unsigned vcpu, struct vm_io *io, int *err)
{
    if (io->addr == PORT_CONSOLE && io->size == 1) {
        io->done_count = 1;
        if (io->write)
            console_write(vm, vcpu, io);
        else
            io->data = 0xe9; /* how a guest finds out that somebody listens */
        return io->write || !io->string;
    }
    if (io->addr == PORT_EXIT && io->write && !io->string) {
        ports_flush(vm);
        vm_end(vm, VM_GUEST_EXIT, (uint8_t)io->data);
        *err = -ECANCELED;
        return true;
    }
    return false;
}
