/* SPDX-License-Identifier: BSD-3-Clause */
/* The user engine's life cycle; engine_user.h says how it works. */
#include "engine_user.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot.h"
#include "engine_common.h"

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE (1 << 1)
#endif

#define MXCSR_DEFAULT  0x1f80
#define CR0_LONG_MODE  0x80050033u /* PG AM WP NE ET MP PE */
#define CR4_LONG_MODE  0x00000620u /* OSXMMEXCPT OSFXSR PAE */
#define EFER_LONG_MODE 0x500u      /* LMA LME */

static int probe(char found[256])
{
    void *p = mmap((void *)(uintptr_t)USER_LOW, 0x10000, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (p == MAP_FAILED) {
        int err = errno;

        snprintf(found, 256, "cannot map guest memory at %#x: %s; see vm.mmap_min_addr", USER_LOW,
                 strerror(err));
        return -err;
    }
    munmap(p, 0x10000);
    snprintf(found, 256, "works; guests run in ring 3 of this process: no isolation");
    return 0;
}

/* Guest-physical addresses become virtual ones, but for the bottom, which the kernel withholds. */
static int map_guest(struct vm *vm)
{
    void *at = (void *)(uintptr_t)USER_LOW;
    void *p = mmap(at, vm->mem.size - USER_LOW, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_SHARED | MAP_FIXED_NOREPLACE, vm->mem.fd, USER_LOW);

    if (p == MAP_FAILED) {
        vm_log(vm, "user engine: cannot map guest memory at %#x to %#llx: %s", USER_LOW,
               (unsigned long long)vm->mem.size, strerror(errno));
        return -errno;
    }
    if (p != at) { /* a kernel before 4.17 takes the address as a hint */
        munmap(p, vm->mem.size - USER_LOW);
        return -EEXIST;
    }
    return 0;
}

static void init_vcpu(struct user_engine *e, unsigned i)
{
    struct user_vcpu *v = &e->vcpu[i];

    v->vm = e->vm;
    v->eng = e;
    v->index = i;
    x2apic_init(&v->apic, i);
    v->ctl = (struct user_ctl){
        .cr0 = CR0_LONG_MODE,
        .cr3 = BOOT_PML4,
        .cr4 = CR4_LONG_MODE,
        .efer = EFER_LONG_MODE,
        .cs = BOOT_CS,
        .ss = BOOT_DS,
        .gdt = {BOOT_GDT_LIMIT, BOOT_GDT},
    };
}

static int create(struct vm *vm)
{
    unsigned n = vm->c->vcpus;
    struct user_engine *e;
    int err;

    if (vm->mem.size < BOOT_MIN_MEMORY || vm->mem.size > USER_PHYS_LIMIT || n == 0)
        return -EINVAL;
    e = calloc(1, sizeof(*e) + n * sizeof(e->vcpu[0]));
    if (!e)
        return -ENOMEM;
    e->vm = vm;
    e->nvcpus = n;
    e->spin_ns = vm->c->spin_us * 1000ull;
    pthread_mutex_init(&e->lines_lock, NULL);
    sem_init(&e->ready, 0, 0);
    sem_init(&e->gate, 0, 0);
    for (unsigned i = 0; i < USER_MAX_LINES; i++)
        e->line[i] = (struct user_line){-1, -1};
    for (unsigned i = 0; i < n; i++)
        init_vcpu(e, i);
    err = map_guest(vm);
    if (err) {
        free(e);
        return err;
    }
    e->mapped = true;
    vm->engine_state = e;
    return 0;
}

static int pin(const struct user_vcpu *v)
{
    const struct cfg_vm *c = v->vm->c;

    if (v->index >= c->cores_count)
        return 0;
    return engine_pin(v->vm, v->index, pthread_self(), c->cores[v->index]);
}

__attribute__((target("fsgsbase"))) static void note_fs(struct user_vcpu *v)
{
    v->fix_fs = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE;
    if (v->fix_fs)
        v->fs_base = __builtin_ia32_rdfsbase64();
}

/* Runs on the thread itself, before the others go on. */
static int set_up_thread(struct user_vcpu *v)
{
    int err;

    v->stack =
        mmap(NULL, USER_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (v->stack == MAP_FAILED) {
        v->stack = NULL;
        return -errno;
    }
    memcpy(v->stack, &v, sizeof(v)); /* stacks grow down to it; see vcpu_of() */
    v->dec = x86_decoder_new();
    if (!v->dec)
        return -ENOMEM;
    note_fs(v);
    err = pin(v);
    if (err)
        return err;
    __atomic_store_n(&v->tid, gettid(), __ATOMIC_SEQ_CST);
    return v->index == 0 ? user_lines_own(v->eng, v->tid) : 0;
}

/* Jumps into the guest; returns when a handler made the vCPU leave. */
static void run_guest(struct user_vcpu *v)
{
    sigset_t kick;

    sigemptyset(&kick);
    sigaddset(&kick, USER_KICK);
    v->cpu.rip = v->eng->entry;
    v->cpu.gpr[X86_RBX] = BOOT_START_INFO;
    v->cpu.gpr[X86_RSI] = v->index;
    v->enter = true;
    user_kick(v);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL); /* the guest's life passes in here */
    pthread_sigmask(SIG_BLOCK, &kick, NULL);
    /* The guest's floating-point modes are not the host's. */
    __asm__ volatile("fninit");
    __builtin_ia32_ldmxcsr(MXCSR_DEFAULT);
}

static void *vcpu_thread(void *arg)
{
    struct user_vcpu *v = arg;
    struct user_engine *e = v->eng;
    stack_t mine = {.ss_size = USER_STACK_SIZE}, before;

    v->err = set_up_thread(v);
    sem_post(&e->ready);
    while (sem_wait(&e->gate) < 0)
        ; /* EINTR */
    if (__atomic_load_n(&e->go, __ATOMIC_ACQUIRE)) {
        mine.ss_sp = v->stack;
        sigaltstack(&mine, &before);
        run_guest(v);
        sigaltstack(&before, NULL);
    }
    __atomic_store_n(&v->tid, 0, __ATOMIC_SEQ_CST);
    if (v->stack)
        munmap(v->stack, USER_STACK_SIZE);
    v->stack = NULL;
    x86_decoder_free(v->dec);
    v->dec = NULL;
    return NULL;
}

/* Threads inherit a mask that blocks the kick. @return 0 or a negative errno */
static int start_threads(struct user_engine *e)
{
    sigset_t kick, before;
    int err = 0;

    sigemptyset(&kick);
    sigaddset(&kick, USER_KICK);
    pthread_sigmask(SIG_BLOCK, &kick, &before);
    for (e->started = 0; e->started < e->nvcpus && !err; e->started += !err)
        err = -pthread_create(&e->vcpu[e->started].thread, NULL, vcpu_thread, &e->vcpu[e->started]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

static int first_error(const struct user_engine *e)
{
    for (unsigned i = 0; i < e->nvcpus; i++) {
        if (e->vcpu[i].err)
            return e->vcpu[i].err;
    }
    return 0;
}

static void join_threads(struct user_engine *e)
{
    for (unsigned i = 0; i < e->started; i++)
        pthread_join(e->vcpu[i].thread, NULL);
    e->started = 0;
}

/* All threads or none: they enter the guest only once the last one is set up. */
static int launch(struct user_engine *e)
{
    int err = start_threads(e);

    for (unsigned i = 0; i < e->started; i++) {
        while (sem_wait(&e->ready) < 0)
            ; /* EINTR */
    }
    if (!err)
        err = first_error(e);
    __atomic_store_n(&e->go, err == 0, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < e->started; i++)
        sem_post(&e->gate);
    if (err)
        join_threads(e);
    return err;
}

static int start(struct vm *vm)
{
    struct user_engine *e = vm->engine_state;
    struct elf_image img;
    int err = engine_load(vm, &img);

    if (err)
        return err;
    e->entry = img.entry;
    vm_log(vm, "user engine: the guest runs in ring 3 of this process and is isolated from "
               "nothing; run only guests you trust");
    err = user_signals_install();
    if (err)
        return err;
    err = launch(e);
    if (err)
        user_signals_restore();
    return err;
}

static void stop(struct vm *vm)
{
    struct user_engine *e = vm->engine_state;

    __atomic_store_n(&vm->stopping, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < e->started; i++)
        user_kick(&e->vcpu[i]);
    if (e->started) {
        join_threads(e);
        user_signals_restore();
    }
}

static void destroy(struct vm *vm)
{
    struct user_engine *e = vm->engine_state;

    if (!e)
        return;
    stop(vm);
    user_lines_close(e);
    if (e->mapped)
        munmap((void *)(uintptr_t)USER_LOW, vm->mem.size - USER_LOW);
    pthread_mutex_destroy(&e->lines_lock);
    sem_destroy(&e->ready);
    sem_destroy(&e->gate);
    free(e);
    vm->engine_state = NULL;
}

const struct vm_engine vm_engine_user = {
    .name = "user",
    .title = "guest code in ring 3 of a process; needs nothing, isolates nothing",
    .probe = probe,
    .create = create,
    .start = start,
    .stop = stop,
    .destroy = destroy,
    .irq_fd = user_irq_fd,
};
