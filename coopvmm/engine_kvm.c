/* SPDX-License-Identifier: BSD-3-Clause */
/* The kvm engine's life cycle; engine_kvm.h says how it works. */
#include "engine_kvm.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "boot.h"
#include "engine.h"
#include "engine_common.h"
#include "engine_kvm_irq.h"
#include "pc.h"

#define KICK SIGIO

struct kvm_vcpu {
    struct vm *vm;
    unsigned index;
    pthread_t thread;
    struct kvm_cpu cpu;
    bool joinable;
};

struct kvm_engine {
    struct kvm_machine machine;
    struct kvm_irqs *irqs;
    unsigned nvcpus;
    struct kvm_vcpu vcpu[];
};

static void destroy(struct vm *vm)
{
    struct kvm_engine *e = vm->engine_state;

    if (!e)
        return;
    vm->engine->stop(vm);
    for (unsigned i = 0; i < e->nvcpus; i++)
        kvm_cpu_close(&e->machine, &e->vcpu[i].cpu);
    kvm_irqs_close(e->irqs);
    kvm_machine_close(&e->machine);
    pc_free(vm->pc);
    vm->pc = NULL;
    free(e);
    vm->engine_state = NULL;
}

/* HLT spins in the kernel as long as the VM's other waits do. Old kernels cannot: they sleep. */
static void set_halt_polling(const struct kvm_machine *m, uint32_t spin_us)
{
    struct kvm_enable_cap cap = {.cap = KVM_CAP_HALT_POLL, .args = {spin_us * 1000ull}};

    ioctl(m->vm, KVM_ENABLE_CAP, &cap);
}

static bool is_pc(const struct vm *vm)
{
    return vm->c->platform == CFG_PLATFORM_PC;
}

static int give_memory(const struct vm *vm, const struct kvm_machine *m)
{
    const struct vm_mem *mem = &vm->mem;
    int err = kvm_machine_memory(m, 0, 0, mem->host, mem->low);

    if (!err && mem->size > mem->low)
        err = kvm_machine_memory(m, 1, VM_HIGH, mem->host + mem->low, mem->size - mem->low);
    return err;
}

static void set_isa_line(struct vm *vm, unsigned line, bool level)
{
    kvm_irqs_isa(((struct kvm_engine *)vm->engine_state)->irqs, line, level);
}

/* What a PC has besides. */
static int create_pc(struct vm *vm, struct kvm_engine *e)
{
    vm->pc = pc_new(vm, set_isa_line);
    return vm->pc ? kvm_pc_machine(&e->machine) : -ENOMEM;
}

static int create_cpu(const struct vm *vm, struct kvm_engine *e, unsigned i)
{
    if (is_pc(vm))
        return kvm_pc_cpu(&e->machine, i, e->nvcpus, &e->vcpu[i].cpu);
    return kvm_cpu_open(&e->machine, i, &e->vcpu[i].cpu);
}

static int create_machine(struct vm *vm, struct kvm_engine *e)
{
    const char *step = "";
    int err = kvm_machine_open(&e->machine, &step);

    if (!err) {
        step = "KVM_SET_USER_MEMORY_REGION";
        err = give_memory(vm, &e->machine);
    }
    if (!err) {
        step = "interrupts";
        err = kvm_irqs_open(e->machine.vm, is_pc(vm), &e->irqs);
    }
    if (!err && is_pc(vm)) {
        step = "KVM_CREATE_PIT2";
        err = create_pc(vm, e);
    }
    for (unsigned i = 0; i < e->nvcpus && !err; i++) {
        step = "a vCPU";
        err = create_cpu(vm, e, i);
    }
    if (err)
        vm_log(vm, "kvm engine: %s: %s", step, strerror(-err));
    else
        set_halt_polling(&e->machine, vm->c->spin_us);
    return err;
}

static int check_memory(struct vm *vm)
{
    if (is_pc(vm) && vm->mem.size < PC_MIN_MEMORY) {
        vm_log(vm, "kvm engine: a PC needs 16 MiB of memory or more");
        return -EINVAL;
    }
    if (!is_pc(vm) && (vm->mem.size < BOOT_MIN_MEMORY || vm->mem.size > KVM_MAX_MEMORY)) {
        vm_log(vm, "kvm engine: memory must be 1 to 4076 MiB; platform: pc takes more");
        return -EINVAL;
    }
    return 0;
}

static int create(struct vm *vm)
{
    struct kvm_engine *e;
    int err = check_memory(vm);

    if (err)
        return err;
    e = calloc(1, sizeof(*e) + vm->c->vcpus * sizeof(e->vcpu[0]));
    if (!e)
        return -ENOMEM;
    e->nvcpus = vm->c->vcpus;
    for (unsigned i = 0; i < e->nvcpus; i++)
        e->vcpu[i] = (struct kvm_vcpu){.vm = vm, .index = i, .cpu.fd = -1};
    e->machine = (struct kvm_machine){.sys = -1, .vm = -1};
    vm->engine_state = e;
    err = create_machine(vm, e);
    if (err)
        destroy(vm);
    return err;
}

static void *vcpu_thread(void *arg)
{
    struct kvm_vcpu *v = arg;

    kvm_run_loop(v->vm, v->index, &v->cpu);
    return NULL;
}

/* Its only purpose is to interrupt KVM_RUN. */
static void on_kick(int sig)
{
    (void)sig;
}

static int start_vcpu(struct kvm_vcpu *v)
{
    const struct cfg_vm *c = v->vm->c;
    int err = -pthread_create(&v->thread, NULL, vcpu_thread, v);

    v->joinable = !err;
    if (!err && v->index < c->cores_count)
        err = engine_pin(v->vm, v->index, v->thread, c->cores[v->index]);
    return err;
}

/* All vCPUs enter a freestanding guest, each with its number. */
static int load_bare(struct vm *vm, struct kvm_engine *e)
{
    struct elf_image img;
    int err = engine_load(vm, &img);

    if (err)
        return err;
    boot_page_tables(vm->mem.host, e->machine.gib_pages);
    for (unsigned i = 0; i < e->nvcpus && !err; i++)
        err = kvm_cpu_enter_at(&e->vcpu[i].cpu, img.entry, BOOT_START_INFO, i);
    return err;
}

/* The first vCPU enters a stock kernel, which starts the others. */
static int load_pc(struct vm *vm, struct kvm_engine *e)
{
    struct pc_start start;
    int err = pc_boot(vm, e->machine.gib_pages, &start);

    return err ? err : kvm_pc_enter(&e->vcpu[0].cpu, &start);
}

static int start(struct vm *vm)
{
    const struct sigaction kick = {.sa_handler = on_kick}; /* no SA_RESTART */
    struct kvm_engine *e = vm->engine_state;
    int err = is_pc(vm) ? load_pc(vm, e) : load_bare(vm, e);

    if (err)
        return err;
    if (sigaction(KICK, &kick, NULL) < 0)
        return -errno;
    for (unsigned i = 0; i < e->nvcpus && !err; i++)
        err = start_vcpu(&e->vcpu[i]);
    if (err)
        vm->engine->stop(vm);
    return err;
}

/* immediate_exit catches the vCPU that has not entered KVM_RUN yet, the signal one that has. */
static void stop(struct vm *vm)
{
    struct kvm_engine *e = vm->engine_state;

    __atomic_store_n(&vm->stopping, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < e->nvcpus; i++) {
        struct kvm_vcpu *v = &e->vcpu[i];

        if (!v->joinable)
            continue;
        __atomic_store_n(&v->cpu.run->immediate_exit, 1, __ATOMIC_SEQ_CST);
        pthread_kill(v->thread, KICK);
    }
    for (unsigned i = 0; i < e->nvcpus; i++) {
        if (e->vcpu[i].joinable)
            pthread_join(e->vcpu[i].thread, NULL);
        e->vcpu[i].joinable = false;
    }
    if (e->irqs)
        kvm_irqs_stop(e->irqs);
}

static int irq_fd(struct vm *vm, unsigned line)
{
    return kvm_irqs_line(((struct kvm_engine *)vm->engine_state)->irqs, line);
}

static int irq_level(struct vm *vm, unsigned line, const uint32_t *level)
{
    return kvm_irqs_level(((struct kvm_engine *)vm->engine_state)->irqs, line, level);
}

static bool irq_look(struct vm *vm, unsigned line)
{
    return kvm_irqs_look(((struct kvm_engine *)vm->engine_state)->irqs, line);
}

static int messages(struct vm *vm, struct vm_messages *out)
{
    return is_pc(vm) ? kvm_irqs_messages(((struct kvm_engine *)vm->engine_state)->irqs, out)
                     : -ENOTSUP;
}

static int msi(struct vm *vm, uint64_t addr, uint32_t data)
{
    return is_pc(vm) ? kvm_irqs_msi(((struct kvm_engine *)vm->engine_state)->irqs, addr, data)
                     : -ENOTSUP;
}

/* Of any length: what is written does not matter. */
static int kick(struct vm *vm, enum vm_space space, uint64_t addr, int fd, bool on)
{
    const struct kvm_engine *e = vm->engine_state;
    struct kvm_ioeventfd k = {.addr = addr,
                              .fd = fd,
                              .flags = (space == VM_PIO ? KVM_IOEVENTFD_FLAG_PIO : 0u) |
                                       (on ? 0u : KVM_IOEVENTFD_FLAG_DEASSIGN)};

    return ioctl(e->machine.vm, KVM_IOEVENTFD, &k) < 0 ? -errno : 0;
}

const struct vm_engine vm_engine_kvm = {
    .name = "kvm",
    .title = "/dev/kvm: guests in hardware virtual machines",
    .probe = kvm_probe,
    .suits = kvm_suits,
    .create = create,
    .start = start,
    .stop = stop,
    .destroy = destroy,
    .irq_fd = irq_fd,
    .irq_level = irq_level,
    .irq_look = irq_look,
    .messages = messages,
    .kick = kick,
    .msi = msi,
};
