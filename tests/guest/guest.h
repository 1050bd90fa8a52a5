/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The probe guest: a freestanding 64-bit program that drives an NE2000, answers the network and
 * measures accesses. The same file runs under each engine: what it may rely on is the guest
 * contract in coopvmm/engine.h; under Xen it starts by its PVH entry.
 *
 * Command line (words "key=value", any order):
 *   mode=echo    answer ARP, ping and UDP port 7; never ends (the default)
 *   mode=lat     measure each kind of access, a line each on the console
 *   mode=both    lat, then echo
 *   mode=check   echo, and between packets write and verify patterns in the NIC's memory
 *   mode=smp     IPI test between cpus=N vCPUs
 *   mode=abuse   seed=N rounds=N: nonsense to every register
 *   ip=10.77.0.2  nic=0x300 or nic=pci  irq=9  n=1000 (samples)  mmio=ADDR (register window)
 *   exit=1       end the VM after lat (smp and abuse always end it)
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
#define PORT_NOTHING 0x80 /* nobody answers there: the bare cost of a trap */

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
    uint8_t ip[4];
    uint16_t nic; /* first port; 0: look for a PCI function */
    uint8_t irq;
    uint64_t mmio; /* 0: none */
    uint32_t n;
    uint32_t cpus;
    uint64_t seed;
    uint32_t rounds;
    bool exit;
};
void parse_options(const char *line, struct options *o);

/* irq.c */
void irq_init(unsigned vcpu);
/** Interrupts taken so far on a line, and IPIs by a vCPU. */
uint32_t irq_count(unsigned line);
uint32_t ipi_count(unsigned vcpu);
void ipi_send(unsigned vcpu);

/* pci.c: an RTL8029. @return false: there is none */
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

/* lat.c, check.c, smp.c, abuse.c: the modes */
void run_lat(struct nic *n, const struct options *o);
void check_round(struct nic *n);
void run_smp(const struct options *o) __attribute__((noreturn));
/** vCPU 0 has set up what the others need. */
void smp_go(void);
void smp_park(unsigned vcpu) __attribute__((noreturn));
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
