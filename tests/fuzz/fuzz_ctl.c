/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOTP control messages: any packet is refused with a reason, or accepted and then stays the same
 * when it is sent on. Input: number of descriptors (low 7 bits), then the packet; bit 7: magic,
 * length and count are put right first, so that the body is what is looked at.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../protocol/iotp_check.h"
#include "../../protocol/iotp_ctl.h"

static void require(int good)
{
    if (!good)
        abort();
}

/* What was accepted must be fit for sending, arrive, and be what it was. */
static void there_and_back(struct iotp_msg *m)
{
    struct iotp_msg r;
    int s[2];

    for (unsigned i = 0; i < m->nfds; i++)
        m->fd[i] = STDIN_FILENO;
    require(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s));
    require(!iotp_msg_send(s[0], m));
    require(!iotp_msg_recv(s[1], &r, NULL));
    require(r.type == m->type && r.serial == m->serial && r.nfds == m->nfds);
    require(!memcmp(&r.u, &m->u, sizeof(m->u)));
    iotp_msg_close(&r);
    close(s[0]);
    close(s[1]);
}

/* @return the packet's length */
static size_t put_right(uint8_t packet[IOTP_MAX_MSG], size_t len, unsigned nfds)
{
    const struct iotp_msg_type_info *t;
    struct iotp_msg_hdr h;

    memcpy(&h, packet, sizeof(h));
    h.type = (uint16_t)(1 + h.type % IOTP_MSG_MSI);
    t = iotp_msg_type_info(h.type);
    h.magic = IOTP_MAGIC;
    h.nfds = (uint16_t)nfds;
    h.length = t->body;
    memcpy(packet, &h, sizeof(h));
    if (len < sizeof(h) + t->body)
        memset(packet + len, 0, sizeof(h) + t->body - len);
    return sizeof(h) + t->body;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t packet[IOTP_MAX_MSG] = {0};
    const char *why = NULL;
    struct iotp_msg m;
    size_t len = size - 1;
    int err;

    if (!size || len > sizeof(packet))
        return 0;
    memcpy(packet, data + 1, len);
    if (data[0] & 0x80)
        len = put_right(packet, len, data[0] & 0x7f);
    err = iotp_msg_parse(packet, len, data[0] & 0x7f, &m, &why);
    require(err == 0 || err == -EPROTO);
    require((err != 0) == (why != NULL));
    require(err == 0 || m.nfds == 0);
    if (!err)
        there_and_back(&m);
    return 0;
}
