/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The probe guest: a freestanding 64-bit program that drives an NE2000, answers the network and
 * measures accesses. The same file runs under each engine: what it may rely on is the guest
 * contract in coopvmm/engine.h; under Xen it starts by its PVH entry.
 *
 * Command line (words "key=value", any order):
 *   mode=echo    answer ARP, ping and UDP port 7; never ends (the default)
 *   mode=lat     measure each kind of access, a line each on the console; rests then
 *   mode=both    lat, then echo
 *   mode=check   echo, and between packets write and verify patterns in the NIC's memory
 *   mode=access  each kind of access an instruction can make, rounds=N times; what came back wrong?
 *   mode=smp     IPI test between cpus=N vCPUs, then all of them use the NIC at a time
 *   mode=abuse   seed=N rounds=N: nonsense to every register, by cpus=N vCPUs
 *   ip=10.77.0.2  nic=0x300, nic=pci or nic=none  irq=9  mmio=ADDR (register window)
 *   n=1000       samples of lat (of a kind; all kinds together have room for 100000) and of smp
 *   gap=0        cycles that lat leaves before each sample, for an I/O core to fall asleep
 *   kinds=A,B    of lat and access: only these (all)
 *   poll=1       ask the NIC instead of waiting for its interrupt (always under Xen: a PVH domain
 *                has no interrupt lines)
 *   exit=1       end the VM after lat (access, smp and abuse always end it)
 */
#ifndef COOPVMM_TESTS_GUEST_H
#define COOPVMM_TESTS_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_VCPUS  64
#define STACK_SIZE 8192 /* bytes a vCPU; start.S has it, too */

#define VECTOR_LINE0 0x20 /* interrupt line n: vector 0x20 + n */
#define LINES        16
#define VECTOR_IPI   0xf0

#define PORT_CONSOLE 0xe9
#define PORT_EXIT    0x501
/* Nobody answers there: the bare cost of a trap. (Xen does not trap 0x80, the usual choice.) */
#define PORT_NOTHING 0x2f0

/* Ports. */
static inline uint8_t inb(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %w1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}
static inline uint16_t inw(uint16_t port)
{
    uint16_t v;
    __asm__ volatile("inw %w1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}
static inline uint32_t inl(uint16_t port)
{
    uint32_t v;
    __asm__ volatile("inl %w1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}
static inline void outb(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %w1" : : "a"(v), "Nd"(port) : "memory");
}
static inline void outw(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %w1" : : "a"(v), "Nd"(port) : "memory");
}
static inline void outl(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %w1" : : "a"(v), "Nd"(port) : "memory");
}
static inline void insw(uint16_t port, void *to, uint64_t words)
{
    __asm__ volatile("rep insw" : "+D"(to), "+c"(words) : "d"(port) : "memory");
}
static inline void outsw(uint16_t port, const void *from, uint64_t words)
{
    __asm__ volatile("rep outsw" : "+S"(from), "+c"(words) : "d"(port) : "memory");
}
static inline void outsb(uint16_t port, const void *from, uint64_t bytes)
{
    __asm__ volatile("rep outsb" : "+S"(from), "+c"(bytes) : "d"(port) : "memory");
}

/* CPU. */
static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return (uint64_t)high << 32 | low;
}
static inline void wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}
static inline uint64_t ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}
static inline void cli(void)
{
    __asm__ volatile("cli" ::: "memory");
}
static inline void sti(void)
{
    __asm__ volatile("sti" ::: "memory");
}
/* Interrupts are taken from the first instruction after STI on: HLT. None slips in between. */
static inline void wait_for_interrupt(void)
{
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}
static inline void pause(void)
{
    __asm__ volatile("pause" ::: "memory");
}

/* A generator for patterns: xorshift. */
static inline uint32_t random32(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 16;
}

/* string.c */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* console.c: "%u %d %x %s %c", with l for 64 bits; a whole call is written at once */
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** Ends the VM. */
void guest_exit(uint8_t status) __attribute__((noreturn));

/* cmdline.c */
struct options {
    char mode[8];
    char kinds[64]; /* separated by commas; "": all */
    uint8_t ip[4];
    uint16_t nic; /* first port; 0: look for a PCI function */
    bool no_nic;
    uint8_t irq;
    bool poll;
    uint64_t mmio; /* 0: none */
    uint32_t n;
    uint32_t gap; /* cycles */
    uint32_t cpus;
    uint64_t seed;
    uint32_t rounds;
    bool exit;
};
void parse_options(const char *line, struct options *o);
/** Is a word in a list of words separated by commas? All are in an empty list. */
bool in_list(const char *list, const char *word);

/* xen.c: a PVH domain. */
/** Before anything else. */
void xen_init(void);
/** @return false: another hypervisor, or none; nothing below may be called then, but xen_console.
 */
bool on_xen(void);
/** To the PV console. @return false: there is none */
bool xen_console(const char *text, uint32_t len);
/** Ends the domain: poweroff, or crash if status is not 0. */
void xen_shutdown(uint8_t status) __attribute__((noreturn));
void xen_yield(void);
bool xen_start_vcpu(unsigned vcpu, const void *start_info);
/** Gives a page of memory back and takes another one in its place. @return false: refused */
bool xen_replace_page(void *page);

/* irq.c */
void irq_init(unsigned vcpu);
/** Interrupts taken so far on a line, and IPIs by a vCPU. */
uint32_t irq_count(unsigned line);
uint32_t ipi_count(unsigned vcpu);
void ipi_send(unsigned vcpu);

/* vcpus.c */
/** vCPU 0 has set up what the others need. */
void vcpus_go(const void *start_info);
/** What the others do. */
void vcpus_park(unsigned vcpu) __attribute__((noreturn));
/** Waits for n vCPUs, this one included, to be parked. @return false: some are missing */
bool vcpus_up(uint32_t n);
/** All of n do it at a time, this one too. @return false: some did not come to an end */
bool vcpus_do(uint32_t n, void (*what)(unsigned vcpu));

/* pci.c: configuration mechanism 1, bus 0 */
#define PCI_CONFIG_ADDRESS 0xcf8
#define PCI_CONFIG_DATA    0xcfc
#define PCI_COMMAND        0x04
#define PCI_COMMAND_IO     0x01
#define PCI_BAR0           0x10
#define PCI_INTERRUPT_LINE 0x3c
#define PCI_SLOTS          32
/** Aims the data port at a register (4-byte aligned). */
void pci_select(unsigned slot, unsigned reg);
uint32_t pci_read(unsigned slot, unsigned reg);
void pci_write(unsigned slot, unsigned reg, uint32_t v);
/** @return the slot of an RTL8029 with ports assigned, -1: there is none */
int pci_find_rtl8029(void);
/** That one's first port and line. @return false: there is none */
bool pci_find_nic(uint16_t *port, uint8_t *irq);

/* nic.c: NE2000, that is DP8390 with 16 KiB and a data port */
#define NIC_DATA        0x10
#define NIC_RESET       0x1f
#define NIC_MAX         1514
#define NIC_CHECK_PAGE  0x46 /* six pages nobody uses: for mode=check and mode=lat */
#define NIC_CHECK_BYTES (6 * 256)
struct nic {
    uint16_t port;
    uint8_t irq;
    uint8_t mac[6];
    uint32_t received, sent, errors, overflows;
};
bool nic_init(struct nic *n, uint16_t port, uint8_t irq);
/** Is there a cause to interrupt? For who polls. */
bool nic_pending(const struct nic *n);
/** Serves interrupts' causes; calls net_input for each frame. */
void nic_service(struct nic *n);
void nic_send(struct nic *n, const void *frame, uint32_t len);
/** Remote DMA between guest memory and the NIC's; words, even addresses. */
void nic_read(struct nic *n, uint16_t at, void *to, uint32_t len);
void nic_write(struct nic *n, uint16_t at, const void *from, uint32_t len);
/** Starts remote DMA without moving data: for measuring. */
void nic_remote(struct nic *n, uint8_t command, uint16_t at, uint16_t len);
#define NIC_REMOTE_READ  0x08
#define NIC_REMOTE_WRITE 0x10

/* net.c */
void net_init(struct nic *n, const uint8_t ip[4]);
void net_announce(struct nic *n);
void net_input(struct nic *n, uint8_t *frame, uint32_t len);

/* lat.c, check.c, access.c, smp.c, abuse.c: the modes */
void run_lat(struct nic *n, const struct options *o);
void check_round(struct nic *n);
void run_access(struct nic *n, const struct options *o) __attribute__((noreturn));
/** @param n NULL: IPIs only */
void run_smp(struct nic *n, const struct options *o) __attribute__((noreturn));
void run_abuse(struct nic *n, const struct options *o) __attribute__((noreturn));
/** Sorts ascending, in place. */
void sort(uint32_t *v, uint32_t n);
/** Prints "lat name=NAME n=.. min=.. p50=.. p99=.. p999=.. max=.. unit=cycles"; sorts samples. */
void report(const char *name, uint32_t *samples, uint32_t n);
#define MAX_SAMPLES 100000
extern uint32_t samples[MAX_SAMPLES];

/* main.c */
void guest_main(const void *start_info, unsigned vcpu) __attribute__((noreturn));

#endif
