/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports from the configuration: one receive and one transmit queue each, both used by
 * the one I/O core the port belongs to.
 *
 *   tap        tapdev.h, persistent: when the process dies the host keeps the interface with its
 *              addresses, routes and neighbours, and the next process takes it over. port_close()
 *              with `keep` false removes it, unless it was there before (made by `ip tuntap`).
 *              Its MAC is the configured one, else one derived from the interface's name, so that
 *              it stays the same over a restart.
 *   af_packet  net_af_packet on an interface of the host
 *   af_xdp     net_af_xdp on an interface of the host, one queue
 *   pcap       net_pcap: files, or an interface through libpcap
 *   ring       net_ring: what is sent comes back
 *   null       net_null: what is sent is gone, nothing comes
 *   pci        a physical device bound to vfio-pci (or a UIO driver); see eal.h for the allow-list
 *
 * What idle polling costs: an idle tap is polled without a system call. net_af_packet, net_ring and
 * net_af_xdp poll shared memory; net_pcap makes a system call a poll, so while it is idle it is
 * polled only every PORT_SLOW_POLL-th time.
 *
 * A peer of af_packet that leaves checksums to the NIC (a veth end, by default) sends frames with
 * wrong ones, since net_af_packet does not complete them: ethtool -K PEER tx off.
 *
 * Threads, as in switch.h: "control" or "core".
 */
#ifndef COOPVMM_IOCORE_PORT_H
#define COOPVMM_IOCORE_PORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../config/config.h"
#include "switch.h"

#define PORT_BURST     32
#define PORT_TX_BUFFER 64 /* frames gathered before they are handed to the driver */
#define PORT_SLOW_POLL 256

struct port;

struct port_opts {
    const struct cfg_port *cfg; /* must outlive the port */
    struct sw *sw;
    unsigned core; /* of the switch: the I/O core's index */
    struct rte_mempool *pool;
    int socket;   /* NUMA node, -1: any */
    uint16_t mtu; /* 0: leave it alone */
    /* A device of the same name is made when a crashed process's is still held: how long to try
     * again, milliseconds. 0: 2000. */
    unsigned retry_ms;
    /* Somebody keeps the tap's carrier with a detached queue, so that the carrier tells nothing of
     * whether it is in use: a former process of ours has ended. */
    bool held;
};

/**
 * Control. Creates the DPDK device (or finds the probed PCI one), configures and starts it and adds
 * it to the switch. For a tap also sets the host's side: address, up.
 * Needs CAP_NET_ADMIN (tap address, af_xdp) and CAP_NET_RAW (af_packet), so before privileges drop.
 * @param err one line saying what is wrong and what to do
 * @return 0 and *out; -EPERM, -EACCES, -ENODEV, -EBUSY, -EINVAL, -ENOMEM, -EIO
 */
int port_open(const struct port_opts *o, struct port **out, FILE *err);
/**
 * Control. Takes it off the switch (waits for the cores) and closes the device. Its core must no
 * longer poll it.
 * @param keep a tap stays, so that the next process can take it over
 */
void port_close(struct port *p, bool keep);

/** Core. Receives at most PORT_BURST frames into the switch. @return how many */
unsigned port_poll(struct port *p, uint64_t now);
/** Core. It slept and was woken: the next poll is not put off. */
void port_woke(struct port *p);
/** Core. Hands frames that were gathered to the driver; once a round. @return frames that left */
unsigned port_flush(struct port *p);

/**
 * A descriptor that becomes readable when frames arrive, to sleep on.
 * @return -1 if there is none: the port must be polled
 */
int port_rx_fd(const struct port *p);

/* What a port did. An ethdev's counters are the driver's. */
struct port_stats {
    char name[SW_NAME_SIZE];
    char device[SW_NAME_SIZE]; /* DPDK's name of it, "net_ring0"; of a tap its own */
    enum cfg_port_type type;
    int sw_port;
    bool link; /* up */
    uint64_t rx_frames, rx_bytes, rx_missed, rx_errors, rx_nombuf;
    uint64_t tx_frames, tx_bytes, tx_errors;
    uint64_t tx_drops;           /* the driver took less than was offered */
    uint64_t rx_large, tx_large; /* of the frames of a tap: those still to be segmented */
};

/** Any thread that does not run while the port closes. */
void port_stats(struct port *p, struct port_stats *out);
int port_sw_port(const struct port *p);
const char *port_name(const struct port *p);

/* Text for EAL and rte_eal_hotplug_add(): exported for tests. */

/**
 * The vdev's name ("net_pcap0") and arguments ("iface=eth0").
 * @param index number that tells this device from others of its type
 * @return 0; -EINVAL and one line in err (a key is missing, or a value would break the list);
 *         -ENOTSUP for a port that is none
 */
int port_vdev(const struct cfg_port *c, unsigned index, char *name, size_t name_size, char *args,
              size_t args_size, FILE *err);
/** Checks a tap's keys and gives the host's MAC. @return 0; -EINVAL and one line in err */
int port_tap(const struct cfg_port *c, uint8_t mac[6], FILE *err);
/** Splits "10.77.0.1/24". @return 0 and network byte order; -EINVAL */
int port_parse_address(const char *text, uint32_t *addr, uint32_t *mask);

#endif
