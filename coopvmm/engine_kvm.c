/* SPDX-License-Identifier: BSD-3-Clause */
/* The kvm engine's life cycle; engine_kvm.h says how it works. */
#include "engine_kvm.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "boot.h"
#include "engine.h"
#include "engine_common.h"

#define KICK        SIGIO
#define MSI_ADDRESS 0xfee00000u /* physical destination 0, edge, fixed */

struct kvm_vcpu {
    struct vm *vm;
    unsigned index;
    pthread_t thread;
    struct kvm_cpu cpu;
    bool joinable;
};

struct kvm_engine {
    struct kvm_machine machine;
    pthread_mutex_t lines_lock;
    int line[KVM_MAX_LINES]; /* eventfds, -1: not made */
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
    for (unsigned i = 0; i < KVM_MAX_LINES; i++) {
        if (e->line[i] >= 0)
            close(e->line[i]);
    }
    kvm_machine_close(&e->machine);
    pthread_mutex_destroy(&e->lines_lock);
    free(e);
    vm->engine_state = NULL;
}

/* HLT spins in the kernel as long as the VM's other waits do. Old kernels cannot: they sleep. */
static void set_halt_polling(const struct kvm_machine *m, uint32_t spin_us)
{
    struct kvm_enable_cap cap = {.cap = KVM_CAP_HALT_POLL, .args = {spin_us * 1000ull}};

    ioctl(m->vm, KVM_ENABLE_CAP, &cap);
}

static int create_machine(struct vm *vm, struct kvm_engine *e)
{
    const char *step = "";
    int err = kvm_machine_open(&e->machine, &step);

    if (!err) {
        step = "KVM_SET_USER_MEMORY_REGION";
        err = kvm_machine_memory(&e->machine, vm->mem.host, vm->mem.size);
    }
    for (unsigned i = 0; i < e->nvcpus && !err; i++) {
        step = "a vCPU";
        err = kvm_cpu_open(&e->machine, i, &e->vcpu[i].cpu);
    }
    if (err)
        vm_log(vm, "kvm engine: %s: %s", step, strerror(-err));
    else
        set_halt_polling(&e->machine, vm->c->spin_us);
    return err;
}

static int create(struct vm *vm)
{
    struct kvm_engine *e;
    int err;

    if (vm->mem.size < BOOT_MIN_MEMORY || vm->mem.size > KVM_MAX_MEMORY) {
        vm_log(vm, "kvm engine: memory must be 1 to 4076 MiB");
        return -EINVAL;
    }
    e = calloc(1, sizeof(*e) + vm->c->vcpus * sizeof(e->vcpu[0]));
    if (!e)
        return -ENOMEM;
    e->nvcpus = vm->c->vcpus;
    pthread_mutex_init(&e->lines_lock, NULL);
    memset(e->line, 0xff, sizeof(e->line));
    for (unsigned i = 0; i < e->nvcpus; i++)
        e->vcpu[i] = (struct kvm_vcpu){.vm = vm, .index = i, .cpu.fd = -1};
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

static int start_vcpu(struct kvm_vcpu *v, uint64_t entry)
{
    const struct cfg_vm *c = v->vm->c;
    int err = kvm_cpu_enter_at(&v->cpu, entry, BOOT_START_INFO, v->index);

    if (!err)
        err = -pthread_create(&v->thread, NULL, vcpu_thread, v);
    v->joinable = !err;
    if (!err && v->index < c->cores_count)
        err = engine_pin(v->vm, v->index, v->thread, c->cores[v->index]);
    return err;
}

static int start(struct vm *vm)
{
    const struct sigaction kick = {.sa_handler = on_kick}; /* no SA_RESTART */
    struct kvm_engine *e = vm->engine_state;
    struct elf_image img;
    int err = engine_load(vm, &img);

    if (err)
        return err;
    boot_page_tables(vm->mem.host, e->machine.gib_pages);
    if (sigaction(KICK, &kick, NULL) < 0)
        return -errno;
    for (unsigned i = 0; i < e->nvcpus && !err; i++)
        err = start_vcpu(&e->vcpu[i], img.entry);
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
}

/* The table is replaced as a whole each time. */
static int set_routes(const struct kvm_engine *e)
{
    struct kvm_irq_routing *table =
        calloc(1, sizeof(*table) + KVM_MAX_LINES * sizeof(table->entries[0]));
    int err = 0;

    if (!table)
        return -ENOMEM;
    for (unsigned i = 0; i < KVM_MAX_LINES; i++) {
        if (e->line[i] < 0)
            continue;
        table->entries[table->nr++] = (struct kvm_irq_routing_entry){
            .gsi = i,
            .type = KVM_IRQ_ROUTING_MSI,
            .u.msi = {.address_lo = MSI_ADDRESS, .data = KVM_FIRST_VECTOR + i}};
    }
    if (ioctl(e->machine.vm, KVM_SET_GSI_ROUTING, table) < 0)
        err = -errno;
    free(table);
    return err;
}

static int make_line(struct kvm_engine *e, unsigned line)
{
    struct kvm_irqfd irq = {.gsi = line};
    int err;

    e->line[line] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->line[line] < 0)
        return -errno;
    irq.fd = e->line[line];
    err = set_routes(e);
    if (!err && ioctl(e->machine.vm, KVM_IRQFD, &irq) < 0)
        err = -errno;
    if (err) {
        close(e->line[line]);
        e->line[line] = -1;
    }
    return err;
}

static int irq_fd(struct vm *vm, unsigned line)
{
    struct kvm_engine *e = vm->engine_state;
    int err = 0;

    if (line >= KVM_MAX_LINES)
        return -EINVAL;
    pthread_mutex_lock(&e->lines_lock);
    if (e->line[line] < 0)
        err = make_line(e, line);
    pthread_mutex_unlock(&e->lines_lock);
    return err ? err : e->line[line];
}

const struct vm_engine vm_engine_kvm = {
    .name = "kvm",
    .title = "/dev/kvm: guests in hardware virtual machines",
    .probe = kvm_probe,
    .create = create,
    .start = start,
    .stop = stop,
    .destroy = destroy,
    .irq_fd = irq_fd,
};
