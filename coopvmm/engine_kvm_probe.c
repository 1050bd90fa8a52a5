/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does KVM work here, and how well? /dev/kvm being there says little: some clouds offer one that
 * interprets kernel-mode code in software. So a small guest is run: exits are timed, and the
 * instructions that such interpreters lack are tried.
 */
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "boot.h"
#include "engine_kvm.h"

#define MEMORY         (1u << 20)
#define CODE           0x20000u
#define IDT            0x21000u
#define HANDLER        0x22000u
#define SCRATCH        0x23000u /* 64-byte aligned; XSAVE and CMPXCHG16B work on it */
#define STACK          0x30000u
#define PORT_OK        0x81 /* the guest writes here when a trial worked */
#define EXITS          2000
#define INTERPRETED_NS 3000 /* hardware takes 0.5 to 2 us an exit to user space */

/* A trial: code that ends with `out %al,$0x81`. RSI points at SCRATCH. What a CPU says it does not
 * have (CPUID leaf 1, ECX) kernels do not use. */
struct trial {
    const char *name;
    uint32_t ecx;
    uint8_t code[20];
    uint8_t len;
};

static const struct trial trials[] = {
    {"cmpxchg16b", bit_CMPXCHG16B, {0x48, 0x0f, 0xc7, 0x0e, 0xe6, 0x81}, 6},
    /* mov %cr4,%rax; or $0x40000,%eax; mov %rax,%cr4 (OSXSAVE); mov $3,%eax; xsave (%rsi) */
    {"xsave",
     bit_XSAVE,
     {0x0f, 0x20, 0xe0, 0x0d, 0, 0, 4, 0, 0x0f, 0x22, 0xe0, 0xb0, 3, 0x0f, 0xae, 0x26, 0xe6, 0x81},
     18},
    {"int3", 0, {0xcc}, 1}, /* its handler writes to the port */
};
#define TRIALS (sizeof(trials) / sizeof(trials[0]))

static const uint8_t exit_loop[] = {0xe6, 0x81, 0xeb, 0xfc}; /* 1: out %al,$0x81; jmp 1b */
static const uint8_t handler[] = {0xe6, 0x81};

struct probe {
    struct kvm_machine m;
    struct kvm_cpu cpu;
    uint8_t *mem;
};

/* One gate for #BP, and it writes to the port. */
static void write_idt(uint8_t *mem)
{
    const uint64_t gate = (HANDLER & 0xffff) | (uint64_t)BOOT_CS << 16 | 0x8eull << 40 |
                          (uint64_t)(HANDLER >> 16) << 48;

    memcpy(mem + IDT + 3 * 16, &gate, sizeof(gate));
    memcpy(mem + HANDLER, handler, sizeof(handler));
}

static int set_up(struct probe *p, const char **step)
{
    static const uint64_t gdt[3] = {0, 0x00af9b000000ffffull, 0x00cf93000000ffffull};
    int err;

    p->mem = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *step = "memory";
    if (p->mem == MAP_FAILED) {
        p->mem = NULL;
        return -errno;
    }
    memcpy(p->mem + BOOT_GDT, gdt, sizeof(gdt));
    boot_page_tables(p->mem, 0);
    write_idt(p->mem);
    err = kvm_machine_open(&p->m, step);
    if (err)
        return err;
    *step = "KVM_SET_USER_MEMORY_REGION";
    err = kvm_machine_memory(&p->m, 0, 0, p->mem, MEMORY);
    if (err)
        return err;
    *step = "a vCPU";
    return kvm_cpu_open(&p->m, 0, &p->cpu);
}

static void tear_down(struct probe *p)
{
    kvm_cpu_close(&p->m, &p->cpu);
    kvm_machine_close(&p->m);
    if (p->mem)
        munmap(p->mem, MEMORY);
}

static int enter(const struct probe *p, const uint8_t *code, size_t len)
{
    struct kvm_regs r = {.rip = CODE, .rsp = STACK, .rsi = SCRATCH, .rflags = 2};
    struct kvm_sregs s;

    memcpy(p->mem + CODE, code, len);
    if (ioctl(p->cpu.fd, KVM_GET_SREGS, &s) < 0)
        return -errno;
    s.idt = (struct kvm_dtable){.base = IDT, .limit = 0xfff};
    if (ioctl(p->cpu.fd, KVM_SET_SREGS, &s) < 0 || ioctl(p->cpu.fd, KVM_SET_REGS, &r) < 0)
        return -errno;
    return 0;
}

/* @return true if the guest came to its port */
static bool run_to_port(const struct probe *p)
{
    int err;

    do {
        err = ioctl(p->cpu.fd, KVM_RUN, 0);
    } while (err < 0 && errno == EINTR);
    return err == 0 && p->cpu.run->exit_reason == KVM_EXIT_IO && p->cpu.run->io.port == PORT_OK;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* @return nanoseconds an exit, 0: the guest did not run */
static uint64_t time_exits(const struct probe *p)
{
    uint64_t start;

    if (enter(p, exit_loop, sizeof(exit_loop)) || !run_to_port(p))
        return 0;
    start = now_ns();
    for (unsigned i = 0; i < EXITS; i++) {
        if (!run_to_port(p))
            return 0;
    }
    return (now_ns() - start) / EXITS;
}

/* Tries on a machine of its own: a failed emulation may leave the vCPU unusable. */
static bool try_one(const struct trial *t)
{
    struct probe p = {.cpu.fd = -1, .m = {.sys = -1, .vm = -1}};
    const char *step;
    bool ok = set_up(&p, &step) == 0 && enter(&p, t->code, t->len) == 0 && run_to_port(&p);

    tear_down(&p);
    return ok;
}

static void list_missing(char *text, size_t size)
{
    unsigned eax, ebx, ecx = 0, edx;
    size_t used = 0;

    text[0] = 0;
    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    for (unsigned i = 0; i < TRIALS; i++) {
        if ((ecx & trials[i].ecx) == trials[i].ecx && !try_one(&trials[i]) && used < size)
            used += snprintf(text + used, size - used, "%s%s", used ? ", " : "", trials[i].name);
    }
}

/* What fails here; empty: nothing. A machine is made for each trial, so it is found out once. Main
 * thread. */
static const char *missing_here(void)
{
    static char text[64];
    static bool known;

    if (!known)
        list_missing(text, sizeof(text));
    known = true;
    return text;
}

static void describe(char found[256], uint64_t exit_ns)
{
    const char *kind = exit_ns > INTERPRETED_NS ? "slow, perhaps interpreted in software" : "fast";
    const char *missing = missing_here();

    if (missing[0])
        snprintf(found, 256,
                 "works for freestanding guests; %.1f us an exit; software-interpreted: %s fail, "
                 "stock kernels will not boot",
                 exit_ns / 1000.0, missing);
    else
        snprintf(found, 256, "works; %.1f us an exit (%s)", exit_ns / 1000.0, kind);
}

int kvm_probe(char found[256])
{
    struct probe p = {.cpu.fd = -1, .m = {.sys = -1, .vm = -1}};
    const char *step = "";
    uint64_t exit_ns = 0;
    int err = set_up(&p, &step);

    if (!err)
        exit_ns = time_exits(&p);
    tear_down(&p);
    if (err) {
        snprintf(found, 256, "%s: %s", step, strerror(-err));
        return err;
    }
    if (!exit_ns) {
        snprintf(found, 256, "/dev/kvm is there, but a small guest does not run on it");
        return -ENODEV;
    }
    describe(found, exit_ns);
    return 0;
}

/* Where an instruction fails, Linux hangs before its first line on the console. */
int kvm_suits(const struct cfg_vm *c, char why[256])
{
    const char *missing = c->platform == CFG_PLATFORM_PC ? missing_here() : "";

    if (!missing[0])
        return 0;
    snprintf(why, 256,
             "/dev/kvm interprets guests in software here, and not all they do (%s fail): a stock "
             "kernel (platform: pc) will not boot",
             missing);
    return -ENOTSUP;
}
