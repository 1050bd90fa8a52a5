/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NE2000 driver. Source: National Semiconductor DP8390D data sheet (registers, sections 10 and 11;
 * buffer ring overflow, section 9) and its application note AN-874.
 */
#include "guest.h"

/* Registers; page 0 unless said. */
enum {
    CR = 0x00,
    PSTART = 0x01,
    PSTOP = 0x02,
    BNRY = 0x03,
    TPSR = 0x04,
    TBCR0 = 0x05,
    TBCR1 = 0x06,
    ISR = 0x07,
    RSAR0 = 0x08,
    RSAR1 = 0x09,
    RBCR0 = 0x0a,
    RBCR1 = 0x0b,
    RCR = 0x0c,
    TCR = 0x0d,
    DCR = 0x0e,
    IMR = 0x0f,
    PAR0 = 0x01, /* page 1 */
    CURR = 0x07, /* page 1 */
    MAR0 = 0x08, /* page 1 */
};

#define CR_STP   0x01
#define CR_STA   0x02
#define CR_TXP   0x04
#define CR_RD2   0x20 /* no remote DMA */
#define CR_PAGE1 0x40

#define ISR_PRX 0x01
#define ISR_PTX 0x02
#define ISR_RXE 0x04
#define ISR_TXE 0x08
#define ISR_OVW 0x10
#define ISR_RDC 0x40
#define ISR_RST 0x80

#define IMR_ALL (ISR_PRX | ISR_PTX | ISR_RXE | ISR_TXE | ISR_OVW)

#define DCR_WORD     0x49 /* word transfers, FIFO threshold 8 bytes, no loopback */
#define RCR_NORMAL   0x04 /* accept broadcast and ours */
#define TCR_LOOPBACK 0x02
#define RSR_PRX      0x01 /* first byte of a packet's header: received intact */

#define TX_PAGE  0x40
#define RX_START 0x4c /* TX buffer, then NIC_CHECK_PAGE, then the ring */
#define RX_STOP  0x80
#define WAIT_MAX 100000

static uint8_t rd(const struct nic *n, unsigned reg)
{
    return inb(n->port + reg);
}

static void wr(const struct nic *n, unsigned reg, uint8_t v)
{
    outb(n->port + reg, v);
}

/* Waits for a bit in ISR. @return false: it never came */
static bool wait_isr(const struct nic *n, uint8_t bit)
{
    for (unsigned i = 0; i < WAIT_MAX; i++) {
        if (rd(n, ISR) & bit)
            return true;
    }
    return false;
}

void nic_remote(struct nic *n, uint8_t command, uint16_t at, uint16_t len)
{
    wr(n, RSAR0, at);
    wr(n, RSAR1, at >> 8);
    wr(n, RBCR0, len);
    wr(n, RBCR1, len >> 8);
    wr(n, CR, command | CR_STA);
}

static void remote_done(struct nic *n)
{
    if (!wait_isr(n, ISR_RDC))
        n->errors++;
    wr(n, ISR, ISR_RDC);
}

void nic_read(struct nic *n, uint16_t at, void *to, uint32_t len)
{
    len = (len + 1) & ~1u;
    nic_remote(n, NIC_REMOTE_READ, at, len);
    insw(n->port + NIC_DATA, to, len / 2);
    remote_done(n);
}

void nic_write(struct nic *n, uint16_t at, const void *from, uint32_t len)
{
    len = (len + 1) & ~1u;
    nic_remote(n, NIC_REMOTE_WRITE, at, len);
    outsw(n->port + NIC_DATA, from, len / 2);
    remote_done(n);
}

/* The station address PROM comes first in the card's memory, each byte twice. */
static void read_prom(struct nic *n)
{
    uint8_t prom[32];

    nic_read(n, 0, prom, sizeof(prom));
    for (unsigned i = 0; i < 6; i++)
        n->mac[i] = prom[2 * i];
}

static void set_station(struct nic *n)
{
    wr(n, CR, CR_PAGE1 | CR_RD2 | CR_STP);
    for (unsigned i = 0; i < 6; i++)
        wr(n, PAR0 + i, n->mac[i]);
    for (unsigned i = 0; i < 8; i++)
        wr(n, MAR0 + i, 0);
    wr(n, CURR, RX_START + 1);
    wr(n, CR, CR_RD2 | CR_STP);
}

/* Initialisation in the order the data sheet gives. */
static void set_up(struct nic *n)
{
    wr(n, CR, CR_RD2 | CR_STP);
    wr(n, DCR, DCR_WORD);
    wr(n, RBCR0, 0);
    wr(n, RBCR1, 0);
    wr(n, RCR, RCR_NORMAL);
    wr(n, TCR, TCR_LOOPBACK);
    wr(n, PSTART, RX_START);
    wr(n, PSTOP, RX_STOP);
    wr(n, BNRY, RX_START);
    wr(n, ISR, 0xff);
    wr(n, IMR, 0);
}

bool nic_init(struct nic *n, uint16_t port, uint8_t irq)
{
    *n = (struct nic){.port = port, .irq = irq};
    if (rd(n, CR) == 0xff)
        return false;
    wr(n, NIC_RESET, rd(n, NIC_RESET));
    if (!wait_isr(n, ISR_RST))
        return false;
    set_up(n);
    read_prom(n);
    set_station(n);
    wr(n, CR, CR_RD2 | CR_STA);
    wr(n, TCR, 0);
    wr(n, IMR, IMR_ALL);
    return true;
}

void nic_send(struct nic *n, const void *frame, uint32_t len)
{
    for (unsigned i = 0; i < WAIT_MAX && (rd(n, CR) & CR_TXP); i++)
        pause();
    nic_write(n, TX_PAGE << 8, frame, len);
    if (len < 60)
        len = 60; /* what lies behind the frame pads it */
    wr(n, TPSR, TX_PAGE);
    wr(n, TBCR0, len);
    wr(n, TBCR1, len >> 8);
    wr(n, CR, CR_RD2 | CR_TXP | CR_STA);
    n->sent++;
}

static uint8_t current_page(struct nic *n)
{
    uint8_t curr;

    wr(n, CR, CR_PAGE1 | CR_RD2 | CR_STA);
    curr = rd(n, CURR);
    wr(n, CR, CR_RD2 | CR_STA);
    return curr;
}

/* @return the page after this packet, 0: the header makes no sense */
static uint8_t receive_one(struct nic *n, uint8_t page)
{
    static uint8_t frame[NIC_MAX + 8];
    uint8_t header[4]; /* status, next page, length with these four bytes */
    uint32_t len;

    nic_read(n, page << 8, header, sizeof(header));
    len = (header[2] | header[3] << 8) - 4u;
    if (header[1] < RX_START || header[1] >= RX_STOP || len > NIC_MAX + 4)
        return 0;
    if (!(header[0] & RSR_PRX) || len < 14)
        return header[1];
    nic_read(n, (page << 8) + 4, frame, len); /* wraps at PSTOP by itself */
    n->received++;
    net_input(n, frame, len);
    return header[1];
}

static void receive(struct nic *n)
{
    uint8_t page = rd(n, BNRY) + 1, end = current_page(n);

    if (page >= RX_STOP)
        page = RX_START;
    while (page != end) {
        page = receive_one(n, page);
        if (!page) { /* the ring is spoilt: empty it */
            n->errors++;
            page = end;
        }
        wr(n, BNRY, page == RX_START ? RX_STOP - 1 : page - 1);
        if (page == end)
            end = current_page(n);
    }
}

/* Section 9: stop, let a transmission finish, empty the ring in loopback, go on. */
static void overflow(struct nic *n)
{
    uint8_t transmitting = rd(n, CR) & CR_TXP;
    bool resend;

    n->overflows++;
    wr(n, CR, CR_RD2 | CR_STP);
    wait_isr(n, ISR_RST);
    wr(n, RBCR0, 0);
    wr(n, RBCR1, 0);
    resend = transmitting && !(rd(n, ISR) & (ISR_PTX | ISR_TXE));
    wr(n, TCR, TCR_LOOPBACK);
    wr(n, CR, CR_RD2 | CR_STA);
    receive(n);
    wr(n, ISR, ISR_OVW);
    wr(n, TCR, 0);
    if (resend)
        wr(n, CR, CR_RD2 | CR_TXP | CR_STA);
}

bool nic_pending(const struct nic *n)
{
    return rd(n, ISR) & IMR_ALL;
}

/* The line is an edge: masking everything takes it down, so that what is left raises it anew. */
void nic_service(struct nic *n)
{
    uint8_t cause;

    wr(n, IMR, 0);
    while ((cause = rd(n, ISR) & IMR_ALL)) {
        if (cause == 0xff)
            break;
        wr(n, ISR, cause & ~ISR_OVW);
        if (cause & ISR_OVW)
            overflow(n);
        else if (cause & (ISR_PRX | ISR_RXE))
            receive(n);
        if (cause & ISR_TXE)
            n->errors++;
    }
    wr(n, IMR, IMR_ALL);
}
