/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Platform "pc" on the kvm engine, with kernels of a few instructions in a bzImage: what they find
 * at entry, the machine's ports, how they end, and interrupts by line and by message, where the
 * sending side is the I/O core's own.
 */
#include "../../coopvmm/pc.h"
#include "../../coopvmm/pc_console.h"
#include "../../iocore/irq_msi.h"
#include "test_engine.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

const char *const suite_name = "engine_pc";

#define KERNEL_AT 0x1000000u
#define COUNT_AT  0x200000u /* guest-physical: a guest counts interrupts here */
#define READY_AT  0x200008u

/* A kernel's setup sectors, and its code at the 64-bit entry point. */
static int pc_kernel(const uint8_t *code, size_t len)
{
    static uint8_t file[512 * 5 + 0x200 + 4096];
    const uint32_t hdrs = 0x53726448, cmdline = 2047, size = 0x100000, initrd = 0x7fffffff;
    const uint16_t flag = 0xaa55, jump = 0x66eb, version = 0x020f, xload = 1;
    const uint64_t pref = KERNEL_AT;
    int fd = memfd_create("kernel", MFD_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0 && len <= 4096);
    memset(file, 0, sizeof(file));
    file[0x1f1] = 4;
    file[0x211] = 1;
    memcpy(file + 0x1fe, &flag, 2);
    memcpy(file + 0x200, &jump, 2);
    memcpy(file + 0x202, &hdrs, 4);
    memcpy(file + 0x206, &version, 2);
    memcpy(file + 0x22c, &initrd, 4);
    memcpy(file + 0x236, &xload, 2);
    memcpy(file + 0x238, &cmdline, 4);
    memcpy(file + 0x258, &pref, 8);
    memcpy(file + 0x260, &size, 4);
    memcpy(file + 512 * 5 + 0x200, code, len);
    CU_ASSERT_EQUAL_FATAL(write(fd, file, sizeof(file)), (ssize_t)sizeof(file));
    return fd;
}

static void pc_create(struct guest *g, const uint8_t *code, size_t len, uint32_t mib)
{
    *g = (struct guest){.kernel_fd = pc_kernel(code, len)};
    snprintf(g->kernel, sizeof(g->kernel), "/proc/self/fd/%d", g->kernel_fd);
    g->cores[0] = CFG_ANY;
    g->c = (struct cfg_vm){.name = "pc",
                           .engine = CFG_ENGINE_KVM,
                           .platform = CFG_PLATFORM_PC,
                           .memory = mib,
                           .vcpus = 1,
                           .cores = g->cores,
                           .cores_count = 1,
                           .node = CFG_ANY,
                           .kernel = g->kernel,
                           .cmdline = "test=1",
                           .spin_us = 20};
    g->cfg = (struct cfg){.name = "test", .path = "/test.yaml", .vms = &g->c, .vms_count = 1};
    CU_ASSERT_EQUAL_FATAL(vm_create(&g->cfg, &g->c, NULL, stderr, &g->vm), 0);
}

/* @return how it ended, and the status */
static enum vm_end pc_run(const uint8_t *code, size_t len, uint32_t mib, int *status)
{
    struct guest g;
    enum vm_end end;

    pc_create(&g, code, len, mib);
    CU_ASSERT_EQUAL_FATAL(vm_start(g.vm, stderr), 0);
    *status = guest_wait(&g, PATIENCE_MS);
    end = __atomic_load_n(&g.vm->end, __ATOMIC_ACQUIRE);
    guest_destroy(&g);
    return end;
}

static void expect_status(const uint8_t *code, size_t len, uint32_t mib)
{
    int status;

    CU_ASSERT_EQUAL(pc_run(code, len, mib, &status), VM_GUEST_EXIT);
    if (status)
        fprintf(stderr, "\n-- the guest says %d\n", status);
    CU_ASSERT_EQUAL(status, 0);
}

GUEST(pc_entry, /* RSI: boot_params with header, command line, memory map, RSDP; selectors */
      "cmpl $0x53726448, 0x202(%rsi)\n jne 1f\n mov 0x228(%rsi), %eax\n"
      "cmpl $0x74736574, (%rax)\n jne 2f\n cmpb $4, 0x1e8(%rsi)\n jne 3f\n"
      "cmpq $0xa0000, 0x2d8(%rsi)\n jne 4f\n mov 0x70(%rsi), %rax\n"
      "mov $0x2052545020445352, %rcx\n cmp %rcx, (%rax)\n jne 5f\n"
      "mov %cs, %ax\n cmp $0x10, %ax\n jne 6f\n mov %ss, %ax\n cmp $0x18, %ax\n jne 6f\n"
      "STATUS 0\n 1: STATUS 1\n 2: STATUS 2\n 3: STATUS 3\n 4: STATUS 4\n 5: STATUS 5\n"
      "6: STATUS 6");

static void test_entry(void)
{
    expect_status(GUEST_CODE(pc_entry), 32);
}

GUEST(pc_high, /* memory above 4 GiB is there, the hole reads all ones */
      "cmpb $5, 0x1e8(%rsi)\n jne 1f\n mov $0x100000000, %rbx\n"
      "cmp %rbx, 0x2d0 + 80(%rsi)\n jne 2f\n"
      /* its last 2 MiB get into the page tables: whether all of it is there depends on the CPU */
      "movabs $0x103e00083, %rax\n mov %rax, 0x210000 + 31 * 8\n movq $0x210003, 0x14020\n"
      "mov %cr3, %rax\n mov %rax, %cr3\n movabs $0x1122334455667788, %rax\n"
      "mov %rax, 0x3fffff8(%rbx)\n cmp %rax, 0x3fffff8(%rbx)\n jne 3f\n"
      "mov $0xd0000000, %ebx\n cmpl $-1, (%rbx)\n jne 4f\n"
      "STATUS 0\n 1: STATUS 1\n 2: STATUS 2\n 3: STATUS 3\n 4: STATUS 4");

static void test_high_memory(void)
{
    if (sysconf(_SC_AVPHYS_PAGES) < (64l << 20) / sysconf(_SC_PAGESIZE))
        CU_FAIL("less than 64 MiB are free");
    expect_status(GUEST_CODE(pc_high), 3072 + 64);
}

GUEST(pc_ports, /* serial port, clock, PCI by both mechanisms */
      "mov $0x3fd, %dx\n in %dx, %al\n cmp $0x60, %al\n jne 1f\n"
      "mov $0x0d, %al\n out %al, $0x70\n in $0x71, %al\n cmp $0x80, %al\n jne 2f\n"
      "mov $0xcf8, %dx\n mov $0x80000000, %eax\n out %eax, %dx\n mov $0xcfc, %dx\n in %dx, %eax\n"
      "cmp $0x12378086, %eax\n jne 3f\n mov $0xe0000000, %ebx\n cmpl $0x12378086, (%rbx)\n jne 4f\n"
      "cmpw $0x1237, 2(%rbx)\n jne 4f\n cmpl $-1, 0x8000(%rbx)\n jne 5f\n cmpl $-1, 0x1000(%rbx)\n"
      "jne 5f\n mov $0x604, %dx\n in %dx, %ax\n test $1, %al\n jz 6f\n"
      "STATUS 0\n 1: STATUS 1\n 2: STATUS 2\n 3: STATUS 3\n 4: STATUS 4\n 5: STATUS 5\n"
      "6: STATUS 6");

static void test_ports(void)
{
    expect_status(GUEST_CODE(pc_ports), 32);
}

/* What `coopvmm check` says of stock kernels, and what a VM is told, is the same. */
static void test_suits(void)
{
    struct cfg_vm bare = {.platform = CFG_PLATFORM_BARE}, pc = {.platform = CFG_PLATFORM_PC};
    char found[256], why[256] = "";
    bool refused;

    CU_ASSERT_EQUAL_FATAL(vm_engine_kvm.probe(found), 0);
    CU_ASSERT_EQUAL(vm_engine_kvm.suits(&bare, why), 0);
    CU_ASSERT_STRING_EQUAL(why, "");
    refused = strstr(found, "stock kernels will not boot") != NULL;
    CU_ASSERT_EQUAL(vm_engine_kvm.suits(&pc, why), refused ? -ENOTSUP : 0);
    CU_ASSERT_EQUAL(why[0] != 0, refused);
}

GUEST(pc_off, "mov $0x604, %dx\n mov $0x3400, %ax\n out %ax, %dx\n 1: hlt\n jmp 1b");
GUEST(pc_sleep, "mov $0x604, %dx\n mov $0x2800, %ax\n out %ax, %dx\n STATUS 9"); /* S3: no */
GUEST(pc_reset, "mov $0xcf9, %dx\n mov $2, %al\n out %al, %dx\n mov $6, %al\n out %al, %dx\n hlt");
GUEST(pc_kbd, "mov $0xfe, %al\n out %al, $0x64\n 1: hlt\n jmp 1b");
GUEST(pc_triple, "lidt 1f(%rip)\n int3\n 1: .word 0\n .quad 0");

static void test_ends(void)
{
    int status;

    CU_ASSERT_EQUAL(pc_run(GUEST_CODE(pc_off), 32, &status), VM_POWERED_OFF);
    CU_ASSERT_EQUAL(pc_run(GUEST_CODE(pc_reset), 32, &status), VM_RESET);
    CU_ASSERT_EQUAL(pc_run(GUEST_CODE(pc_kbd), 32, &status), VM_RESET);
    CU_ASSERT_EQUAL(pc_run(GUEST_CODE(pc_sleep), 32, &status), VM_GUEST_EXIT);
    CU_ASSERT_EQUAL(status, 9);
    CU_ASSERT_EQUAL(pc_run(GUEST_CODE(pc_triple), 32, &status), VM_CRASHED);
}

/* --- initrd, PVH --- */

GUEST(pc_initrd, /* at the end of what it may have, page-aligned, whole */
      "mov 0x218(%rsi), %ebx\n test $0xfff, %ebx\n jnz 1f\n cmpl $0x1001, 0x21c(%rsi)\n jne 2f\n"
      "cmpl $0x64726e69, (%rbx)\n jne 3f\n cmpb $0x21, 0x1000(%rbx)\n jne 4f\n"
      "cmp $0x1ffe000, %ebx\n jne 5f\n"
      "STATUS 0\n 1: STATUS 1\n 2: STATUS 2\n 3: STATUS 3\n 4: STATUS 4\n 5: STATUS 5");

static int run_with_initrd(const char *initrd)
{
    struct guest g;
    int status;

    pc_create(&g, GUEST_CODE(pc_initrd), 32);
    g.c.initrd = (char *)initrd;
    CU_ASSERT_EQUAL_FATAL(vm_start(g.vm, stderr), 0);
    status = guest_wait(&g, PATIENCE_MS);
    guest_destroy(&g);
    return status;
}

static void test_initrd(void)
{
    static uint8_t file[0x1001] = "inrd";
    int fd = memfd_create("initrd", MFD_CLOEXEC);
    char path[32];

    CU_ASSERT_FATAL(fd >= 0);
    file[0x1000] = 0x21;
    CU_ASSERT_EQUAL_FATAL(write(fd, file, sizeof(file)), (ssize_t)sizeof(file));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CU_ASSERT_EQUAL(run_with_initrd(path), 0);
    close(fd);
}

GUEST(
    pc_pvh, /* 32-bit, no paging, EBX: start info with map and RSDP */
    ".code32\n cmpl $0x336ec578, (%ebx)\n jne 1f\n mov %cr0, %eax\n test $0x80000000, %eax\n"
    "jnz 2f\n mov 32(%ebx), %eax\n cmpl $0x20445352, (%eax)\n jne 3f\n cmpl $4, 48(%ebx)\n jne 4f\n"
    "mov 24(%ebx), %eax\n cmpl $0x74736574, (%eax)\n jne 5f\n xor %eax, %eax\n jmp 9f\n"
    "1: mov $1, %al\n jmp 9f\n 2: mov $2, %al\n jmp 9f\n 3: mov $3, %al\n jmp 9f\n"
    "4: mov $4, %al\n jmp 9f\n 5: mov $5, %al\n 9: mov $0x501, %dx\n out %al, %dx\n hlt\n .code64");

/* The ELF file of test_engine.h with a note that names its beginning as PVH entry. */
static int pvh_kernel(const uint8_t *code, size_t len)
{
    struct {
        Elf64_Ehdr eh;
        Elf64_Phdr ph[2];
        Elf64_Nhdr nh;
        char name[4];
        uint32_t entry;
    } head = {
        .nh = {.n_namesz = 4, .n_descsz = 4, .n_type = 18}, .name = "Xen", .entry = GUEST_BASE};
    int plain = guest_elf(code, len), fd = memfd_create("pvh", MFD_CLOEXEC);

    CU_ASSERT_EQUAL_FATAL(pread(plain, &head, sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), 0),
                          (ssize_t)(sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr)));
    close(plain);
    head.eh.e_phnum = 2;
    head.ph[0].p_offset = sizeof(head);
    head.ph[0].p_vaddr = 0xffffffff81000000; /* as Linux is linked */
    head.ph[1] = (Elf64_Phdr){.p_type = PT_NOTE,
                              .p_offset = (uint64_t)((char *)&head.nh - (char *)&head),
                              .p_filesz = 20};
    CU_ASSERT_EQUAL_FATAL(write(fd, &head, sizeof(head)), (ssize_t)sizeof(head));
    CU_ASSERT_EQUAL_FATAL(write(fd, code, len), (ssize_t)len);
    return fd;
}

static void test_pvh(void)
{
    struct guest g;

    pc_create(&g, GUEST_CODE(pc_pvh), 32);
    close(g.kernel_fd);
    g.kernel_fd = pvh_kernel(GUEST_CODE(pc_pvh));
    snprintf(g.kernel, sizeof(g.kernel), "/proc/self/fd/%d", g.kernel_fd);
    CU_ASSERT_EQUAL_FATAL(vm_start(g.vm, stderr), 0);
    CU_ASSERT_EQUAL(guest_wait(&g, PATIENCE_MS), 0);
    guest_destroy(&g);
}

/* --- the serial port's other end --- */

GUEST(pc_echo, /* says >; what comes then goes back, one higher */
      "mov $0x3fa, %dx\n mov $1, %al\n out %al, %dx\n"
      "mov $0x3f8, %dx\n mov $0x3e, %al\n out %al, %dx\n"
      "1: mov $0x3fd, %dx\n in %dx, %al\n test $1, %al\n jz 1b\n"
      "mov $0x3f8, %dx\n in %dx, %al\n inc %al\n out %al, %dx\n jmp 1b");

static int dial(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

    strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

static void check_echo(int fd, const char *text, const char *back)
{
    char got[256] = "";

    CU_ASSERT_EQUAL(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
    CU_ASSERT_EQUAL(recv(fd, got, strlen(back), MSG_WAITALL), (ssize_t)strlen(back));
    CU_ASSERT_STRING_EQUAL(got, back);
}

static void test_console(void)
{
    char dir[] = "/tmp/coopvmm-test.XXXXXX", path[64];
    struct pc_console *console;
    struct guest g;
    int first, second;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    CU_ASSERT_EQUAL(pc_console_path(dir, "vm", path, sizeof(path)), 0);
    pc_create(&g, GUEST_CODE(pc_echo), 32);
    console = pc_console_open(dir, "vm", stderr);
    CU_ASSERT_PTR_NOT_NULL_FATAL(console);
    pc_console_attach(console, g.vm->pc);
    CU_ASSERT_EQUAL_FATAL(vm_start(g.vm, stderr), 0);
    first = dial(path);
    check_echo(first, "", ">");
    check_echo(first, "@bc", "Acd");
    check_echo(first, "0123456789012345678901234567890123456789", /* more than the FIFO takes */
               "123456789:123456789:123456789:123456789:");
    second = dial(path); /* takes over, and sees what was */
    check_echo(second, "x", ">Acd123456789:123456789:123456789:123456789:y");
    CU_ASSERT_EQUAL(recv(first, path, 1, 0), 0);
    pc_console_attach(console, NULL);
    guest_destroy(&g);
    pc_console_close(console);
    CU_ASSERT_EQUAL(recv(second, path, 1, 0), 0);
    close(first);
    close(second);
    CU_ASSERT_EQUAL(rmdir(dir), 0); /* the socket is gone, too */
    CU_ASSERT_EQUAL(pc_console_path(dir, "vm", path, 8), -ENAMETOOLONG);
}

/* --- interrupts --- */

/* Vector 0x60 is counted; x2APIC on; then it waits. */
#define COUNTER(set_up)                                                                            \
    "mov $0x180000, %esp\n lea 9f(%rip), %rax\n mov $0x140000 + 16 * 0x60, %edi\n"                 \
    "mov %ax, (%rdi)\n movw $0x10, 2(%rdi)\n movw $0x8e00, 4(%rdi)\n shr $16, %rax\n"              \
    "mov %ax, 6(%rdi)\n shr $16, %rax\n mov %eax, 8(%rdi)\n LOAD_IDT\n"                            \
    "mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"                                          \
    "mov $0x80f, %ecx\n mov $0x1ff, %eax\n xor %edx, %edx\n wrmsr\n" set_up                        \
    "mov $0x200000, %ebx\n movl $1, 8(%rbx)\n sti\n 8: hlt\n jmp 8b\n"                             \
    "9: push %rax\n push %rcx\n push %rdx\n incl 0x200000\n EOI\n pop %rdx\n pop %rcx\n pop "      \
    "%rax\n"                                                                                       \
    "iretq"

GUEST(pc_messages, COUNTER(""));
GUEST(pc_line, /* GSI 17: level-triggered, vector 0x60, CPU 0 */
      COUNTER("mov $0xfec00000, %ebx\n movl $0x33, (%rbx)\n movl $0, 0x10(%rbx)\n"
              "movl $0x32, (%rbx)\n movl $0x8060, 0x10(%rbx)\n"));

static uint32_t word(const struct guest *g, uint64_t gpa)
{
    return __atomic_load_n((const uint32_t *)(g->vm->mem.host + gpa), __ATOMIC_ACQUIRE);
}

/* @return whether it reached `n` in time */
static bool reaches(const struct guest *g, uint64_t gpa, uint32_t n)
{
    for (uint64_t end = guest_now_ms() + PATIENCE_MS; guest_now_ms() < end; usleep(1000))
        if (word(g, gpa) >= n)
            return true;
    return false;
}

static void start_counter(struct guest *g, const uint8_t *code, size_t len)
{
    pc_create(g, code, len, 32);
    CU_ASSERT_EQUAL_FATAL(vm_start(g->vm, stderr), 0);
    CU_ASSERT_TRUE_FATAL(reaches(g, READY_AT, 1));
}

/* The I/O core takes its descriptors over; the engine's stay the engine's. */
static struct irq_msi *sender_on(const struct vm_messages *w)
{
    int fd[2 + IOTP_MAX_ROUTES];
    struct irq_msi *q = NULL;

    for (unsigned i = 0; i < 2 + w->nroutes; i++)
        fd[i] = dup(w->fd[i]);
    CU_ASSERT_EQUAL_FATAL(irq_msi_open(fd, w->nroutes, &q), 0);
    return q;
}

static struct irq_msi *sender(struct vm *vm)
{
    struct vm_messages w;

    CU_ASSERT_EQUAL_FATAL(vm->engine->messages(vm, &w), 0);
    return sender_on(&w);
}

#define MSI_CPU0 0xfee00000u

/* The first one goes the slow way, the others by their eventfd; each arrives. */
static void test_messages(void)
{
    struct irq_msi *q;
    struct guest g;

    start_counter(&g, GUEST_CODE(pc_messages));
    q = sender(g.vm);
    for (uint32_t n = 1; n <= 100; n++) {
        irq_msi_send(q, MSI_CPU0, 0x60);
        CU_ASSERT_TRUE_FATAL(reaches(&g, COUNT_AT, n));
    }
    CU_ASSERT_EQUAL(g.vm->engine->msi(g.vm, MSI_CPU0, 0x60), 0); /* from this process */
    CU_ASSERT_TRUE(reaches(&g, COUNT_AT, 101));
    irq_msi_close(q);
    guest_destroy(&g);
}

/* A successor has the message delivered once more, unasked; then all goes on. */
static void test_successor(void)
{
    struct vm_messages w;
    struct irq_msi *q;
    struct guest g;

    start_counter(&g, GUEST_CODE(pc_messages));
    CU_ASSERT_EQUAL_FATAL(g.vm->engine->messages(g.vm, &w), 0);
    for (uint32_t n = 1; n <= 20; n += 2) {
        q = sender_on(&w);
        CU_ASSERT_TRUE_FATAL(n == 1 || reaches(&g, COUNT_AT, n - 1));
        irq_msi_send(q, MSI_CPU0, 0x60);
        CU_ASSERT_TRUE_FATAL(reaches(&g, COUNT_AT, n));
        irq_msi_close(q);
    }
    guest_destroy(&g);
}

/* More messages than routes: those to CPUs that are not there reach nobody, and none is lost of
 * those that take a route away from them, nor after a restart of the sender. */
static void test_many_messages(void)
{
    struct irq_msi *q[2];
    struct guest g;
    uint32_t seen;

    start_counter(&g, GUEST_CODE(pc_messages));
    q[0] = sender(g.vm);
    q[1] = sender(g.vm); /* another device */
    for (unsigned i = 0; i < 200; i++) {
        irq_msi_send(q[i % 2], MSI_CPU0 | 9 << 12, 0x70 + i % 90);
        if (i % 7 == 0) {
            seen = word(&g, COUNT_AT);
            irq_msi_send(q[i % 2], MSI_CPU0, 0x60);
            CU_ASSERT_TRUE_FATAL(reaches(&g, COUNT_AT, seen + 1));
        }
    }
    CU_ASSERT_EQUAL(g.vm->end, VM_RUNNING);
    irq_msi_close(q[0]);
    irq_msi_close(q[1]);
    guest_destroy(&g);
}

/* What a device still asserts at the end of its interrupt comes again, until it does not: `fd` says
 * that the level rose, irq_look that it changed. An edge that comes late, of a level that is gone,
 * is none. */
static void test_level(void)
{
    static uint32_t level;
    unsigned line = pc_pci_line(1, 0);
    const uint64_t one = 1;
    struct guest g;
    uint32_t seen;
    int fd;

    pc_create(&g, GUEST_CODE(pc_line), 32);
    level = 1;
    fd = g.vm->engine->irq_fd(g.vm, line);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(g.vm->engine->irq_level(g.vm, line, &level), 0);
    CU_ASSERT_EQUAL_FATAL(vm_start(g.vm, stderr), 0);
    CU_ASSERT_TRUE_FATAL(reaches(&g, READY_AT, 1));
    CU_ASSERT_EQUAL(word(&g, COUNT_AT), 0);
    CU_ASSERT_EQUAL(write(fd, &one, sizeof(one)), (ssize_t)sizeof(one));
    CU_ASSERT_TRUE(reaches(&g, COUNT_AT, 5));
    __atomic_store_n(&level, 0, __ATOMIC_RELEASE);
    CU_ASSERT_TRUE(g.vm->engine->irq_look(g.vm, line));
    usleep(50000);
    seen = word(&g, COUNT_AT);
    CU_ASSERT_EQUAL(write(fd, &one, sizeof(one)), (ssize_t)sizeof(one));
    usleep(50000);
    CU_ASSERT_EQUAL(word(&g, COUNT_AT), seen);
    __atomic_store_n(&level, 2, __ATOMIC_RELEASE);
    CU_ASSERT_TRUE(g.vm->engine->irq_look(g.vm, line));
    CU_ASSERT_TRUE(reaches(&g, COUNT_AT, seen + 2));
    CU_ASSERT_FALSE(g.vm->engine->irq_look(g.vm, 3)); /* ISA's: edges */
    guest_destroy(&g);
}

struct flipper {
    struct vm *vm;
    int fd;
    uint32_t level;
    unsigned line;
};

/* As an I/O core raises a line. */
static void *raises(void *arg)
{
    struct flipper *f = arg;
    const uint64_t one = 1;

    for (unsigned i = 0; i < 2000; i++) {
        __atomic_store_n(&f->level, 1, __ATOMIC_RELEASE);
        if (write(f->fd, &one, sizeof(one)) < 0)
            break;
        while (__atomic_load_n(&f->level, __ATOMIC_ACQUIRE))
            sched_yield();
    }
    return NULL;
}

/* Levels that fall while the engine looks at them leave no line behind that is asserted. */
static void test_level_race(void)
{
    static struct flipper f;
    pthread_t thread;
    struct guest g;
    uint32_t seen;

    pc_create(&g, GUEST_CODE(pc_line), 32);
    f = (struct flipper){.vm = g.vm, .line = pc_pci_line(1, 0)};
    f.fd = g.vm->engine->irq_fd(g.vm, f.line);
    CU_ASSERT_FATAL(f.fd >= 0);
    CU_ASSERT_EQUAL(g.vm->engine->irq_level(g.vm, f.line, &f.level), 0);
    CU_ASSERT_EQUAL_FATAL(vm_start(g.vm, stderr), 0);
    CU_ASSERT_TRUE_FATAL(reaches(&g, READY_AT, 1));
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, raises, &f), 0);
    for (unsigned n = 0; n < 2000; n++) {
        while (!__atomic_load_n(&f.level, __ATOMIC_ACQUIRE))
            sched_yield();
        if (n % 3)
            usleep(n % 40);
        __atomic_store_n(&f.level, 0, __ATOMIC_RELEASE);
        g.vm->engine->irq_look(g.vm, f.line);
    }
    pthread_join(thread, NULL);
    usleep(50000);
    seen = word(&g, COUNT_AT);
    usleep(50000);
    CU_ASSERT_EQUAL(word(&g, COUNT_AT), seen);
    __atomic_store_n(&f.level, 1, __ATOMIC_RELEASE);
    g.vm->engine->irq_look(g.vm, f.line);
    CU_ASSERT_TRUE(reaches(&g, COUNT_AT, seen + 1));
    guest_destroy(&g);
}

static void test_refused(void)
{
    static const uint8_t nothing[16];
    struct guest g;
    struct vm *vm;

    pc_create(&g, nothing, sizeof(nothing), 32);
    g.c.initrd = "/nonexistent";
    CU_ASSERT_EQUAL(vm_start(g.vm, stderr), -ENOENT);
    g.c.initrd = NULL;
    g.c.kernel = "/etc/passwd";
    CU_ASSERT_EQUAL(vm_start(g.vm, stderr), -ENOEXEC);
    g.c.kernel = g.kernel;
    g.c.cmdline = malloc(3001);
    memset(g.c.cmdline, 'x', 3000);
    g.c.cmdline[3000] = 0;
    CU_ASSERT_EQUAL(vm_start(g.vm, stderr), -EINVAL);
    free(g.c.cmdline);
    guest_destroy(&g);
    g.c.memory = 8;
    CU_ASSERT_EQUAL(vm_create(&g.cfg, &g.c, NULL, stderr, &vm), -EINVAL);
}

/* Accesses that leave the line high, as a handler makes them that cannot quiet its device.
 * @return true: interrupts ceased over them */
static bool storm_ceases(struct guest *g, unsigned line)
{
    uint32_t seen;

    for (unsigned i = 0; i < 2000; i++)
        g->vm->engine->irq_look(g->vm, line);
    usleep(1000);
    seen = word(g, COUNT_AT);
    usleep(2000);
    return word(g, COUNT_AT) == seen;
}

/* A line that stays high for ever is let go for a while; one that falls rises again at once. */
static void test_level_storm(void)
{
    static uint32_t level = 1;
    unsigned line = pc_pci_line(1, 0), ceased = 0;
    struct guest g;
    uint32_t seen;

    pc_create(&g, GUEST_CODE(pc_line), 32);
    CU_ASSERT_FATAL(g.vm->engine->irq_fd(g.vm, line) >= 0);
    CU_ASSERT_EQUAL(g.vm->engine->irq_level(g.vm, line, &level), 0);
    CU_ASSERT_EQUAL_FATAL(vm_start(g.vm, stderr), 0);
    CU_ASSERT_TRUE_FATAL(reaches(&g, READY_AT, 1));
    for (unsigned i = 0; i < 20; i++) {
        seen = word(&g, COUNT_AT);
        CU_ASSERT_TRUE(g.vm->engine->irq_look(g.vm, line));
        CU_ASSERT_TRUE_FATAL(reaches(&g, COUNT_AT, seen + 5)); /* by itself */
        ceased += storm_ceases(&g, line);
    }
    CU_ASSERT_TRUE(ceased >= 10);
    __atomic_store_n(&level, 0, __ATOMIC_RELEASE);
    g.vm->engine->irq_look(g.vm, line);
    __atomic_store_n(&level, 1, __ATOMIC_RELEASE);
    g.vm->engine->irq_look(g.vm, line);
    seen = word(&g, COUNT_AT);
    CU_ASSERT_TRUE(reaches(&g, COUNT_AT, seen + 5));
    guest_destroy(&g);
}

const struct cu_test suite_tests[] = {
    {"whether stock kernels can run here", test_suits},
    {"what a kernel finds at entry", test_entry},
    {"memory above 4 GiB", test_high_memory},
    {"serial port, clock, PCI root", test_ports},
    {"power-off, reset, triple fault", test_ends},
    {"an initrd", test_initrd},
    {"a PVH entry", test_pvh},
    {"the serial port's other end", test_console},
    {"messages arrive", test_messages},
    {"a successor of the sender", test_successor},
    {"more messages than routes", test_many_messages},
    {"a level comes again until it falls", test_level},
    {"levels that fall while they are looked at", test_level_race},
    {"a guest that cannot quiet its device gets on", test_level_storm},
    {"what cannot be started", test_refused},
    {NULL, NULL},
};
