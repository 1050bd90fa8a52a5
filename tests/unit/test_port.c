/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK ports: their arguments, and the real devices in a network namespace of the test's own. */
#include "../../iocore/port.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "../../iocore/idle.h"
#include "../../iocore/large.h"
#include "../../iocore/tap.h"
#include "cu_main.h"
#include "net_frames.h"
#include "test_eal.h"

/* --- text --- */

static char *said;
static size_t said_size;

/* port_vdev, or of a tap port_tap, with what it said in `said`. */
static int vdev(const struct cfg_port *c, char *name, char *args)
{
    uint8_t mac[6];
    FILE *err;
    int e;

    free(said);
    err = open_memstream(&said, &said_size);
    e = c->type == CFG_PORT_TAP ? port_tap(c, mac, err) : port_vdev(c, 3, name, 32, args, 512, err);
    fclose(err);
    return e;
}

static void check_vdev(struct cfg_port c, const char *want_name, const char *want_args)
{
    char name[32], args[512];

    c.name = "p";
    CU_ASSERT_EQUAL(vdev(&c, name, args), 0);
    CU_ASSERT_STRING_EQUAL(name, want_name);
    CU_ASSERT_STRING_EQUAL(args, want_args);
}

static void test_vdev(void)
{
    check_vdev((struct cfg_port){.type = CFG_PORT_AF_PACKET, .iface = "eth0"}, "net_af_packet3",
               "iface=eth0,qdisc_bypass=1");
    check_vdev((struct cfg_port){.type = CFG_PORT_AF_XDP, .iface = "eth0"}, "net_af_xdp3",
               "iface=eth0,start_queue=0,queue_count=1");
    check_vdev((struct cfg_port){.type = CFG_PORT_PCAP, .rx_pcap = "/a/in", .tx_pcap = "/a/out"},
               "net_pcap3", "rx_pcap=/a/in,tx_pcap=/a/out");
    check_vdev((struct cfg_port){.type = CFG_PORT_PCAP, .tx_pcap = "/a/out"}, "net_pcap3",
               "tx_pcap=/a/out");
    check_vdev((struct cfg_port){.type = CFG_PORT_PCAP, .iface = "eth0"}, "net_pcap3",
               "iface=eth0");
    check_vdev((struct cfg_port){.type = CFG_PORT_PCAP, .rx_pcap = "/a/in", .repeat = true},
               "net_pcap3", "rx_pcap=/a/in,infinite_rx=1");
    check_vdev((struct cfg_port){.type = CFG_PORT_RING}, "net_ring3", "");
    check_vdev((struct cfg_port){.type = CFG_PORT_NULL}, "net_null3", "no-rx=1");
}

/* Each is refused with a line that names the port. */
static void test_vdev_refuses(void)
{
    static struct cfg_port bad[] = {
        {.type = CFG_PORT_TAP},
        {.type = CFG_PORT_TAP, .iface = ""},
        {.type = CFG_PORT_TAP, .iface = "t0,persist=0"},
        {.type = CFG_PORT_TAP, .iface = "../etc"},
        {.type = CFG_PORT_TAP, .iface = "sixteen-letters-"},
        {.type = CFG_PORT_TAP, .iface = "t0", .mac = "02:00"},
        {.type = CFG_PORT_TAP, .iface = "t0", .mac = "01:00:00:00:00:00"},
        {.type = CFG_PORT_AF_PACKET},
        {.type = CFG_PORT_AF_XDP, .iface = "a b"},
        {.type = CFG_PORT_PCAP},
        {.type = CFG_PORT_PCAP, .rx_pcap = "/a,tx_pcap=/etc/passwd"},
        {.type = (enum cfg_port_type)99},
    };
    char name[32], args[512];

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bad[i].name = "uplink";
        CU_ASSERT_EQUAL(vdev(&bad[i], name, args), -EINVAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(said, "uplink"));
    }
    bad[0].type = CFG_PORT_PCI;
    CU_ASSERT_EQUAL(vdev(&bad[0], name, args), -ENOTSUP);
}

static void test_tap_mac(void)
{
    struct cfg_port c = {.name = "p", .type = CFG_PORT_TAP, .iface = "t0"};
    static const uint8_t given[6] = {2, 0, 0, 0, 0, 1};
    uint8_t mac[6], again[6];

    CU_ASSERT_EQUAL(port_tap(&c, mac, stderr), 0);
    CU_ASSERT_EQUAL(mac[0] & 3, 2); /* of an individual, administered locally */
    CU_ASSERT_EQUAL(port_tap(&c, again, stderr), 0);
    CU_ASSERT_EQUAL(memcmp(mac, again, 6), 0);
    c.mac = (char[]){"02:00:00:00:00:01"};
    CU_ASSERT_EQUAL(port_tap(&c, mac, stderr), 0);
    CU_ASSERT_EQUAL(memcmp(mac, given, 6), 0);
}

static void test_addresses(void)
{
    static const char *const bad[] = {"",           "10.0.0.1",     "10.0.0.1/",
                                      "10.0.0.1/0", "10.0.0.1/33",  "10.0.0/24",
                                      "10.0.0.1/x", "10.0.0.1/8x",  "10.0.0.1/-8",
                                      "::1/64",     "10.0.0.256/8", "100.100.100.100.100/8"};
    uint32_t addr, mask;

    CU_ASSERT_EQUAL(port_parse_address("10.77.0.1/24", &addr, &mask), 0);
    CU_ASSERT_EQUAL(ntohl(addr), 0x0a4d0001);
    CU_ASSERT_EQUAL(ntohl(mask), 0xffffff00);
    CU_ASSERT_EQUAL(port_parse_address("1.2.3.4/32", &addr, &mask), 0);
    CU_ASSERT_EQUAL(ntohl(mask), 0xffffffff);
    CU_ASSERT_EQUAL(port_parse_address("1.2.3.4/1", &addr, &mask), 0);
    CU_ASSERT_EQUAL(ntohl(mask), 0x80000000);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(port_parse_address(bad[i], &addr, &mask), -EINVAL);
}

/* --- devices --- */

static struct rte_mempool *pool;
static struct sw *sw;

/* A guest's end of the switch. */
static unsigned got, got_segments;
static uint16_t got_len;

static uint16_t guest_receives(void *ctx, struct rte_mbuf **m, uint16_t n)
{
    (void)ctx;
    for (uint16_t i = 0; i < n; i++) {
        const uint8_t *d = rte_pktmbuf_mtod(m[i], const uint8_t *);

        if ((d[12] << 8 | d[13]) == 0x88b5) { /* ours, not what the host says by itself */
            got++;
            got_len = (uint16_t)m[i]->pkt_len;
        }
        got_segments += m[i]->pkt_len == 1054;
    }
    rte_pktmbuf_free_bulk(m, n);
    return n;
}

static int guest = -1;

static bool from_frame(const void *from, uint32_t at, void *to, uint32_t len)
{
    memcpy(to, (const uint8_t *)from + at, len);
    return true;
}

static void guest_sends_large(const uint8_t *frame, uint32_t len)
{
    struct rte_mbuf *m;
    struct nm_tso t;

    CU_ASSERT_TRUE(nm_tso_of(frame, 256, 1000, len, &t));
    m = large_build(&t, from_frame, frame, pool);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    sw_input(sw, guest, &m, 1, rte_rdtsc());
}

static void set_up(void)
{
    struct sw_opts o = {.ncores = 1, .socket = -1};

    if (sw)
        return;
    test_netns();
    test_eal();
    pool = rte_pktmbuf_pool_create("frames", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
    o.pool = pool;
    o.tsc_hz = rte_get_tsc_hz();
    sw = sw_create(&o);
    CU_ASSERT_FATAL(pool && sw);
    guest = sw_port_add(sw, "guest", 0, 0, guest_receives, NULL);
    CU_ASSERT_TRUE_FATAL(guest >= 0);
}

static int try_open(const struct cfg_port *c, struct port **p, unsigned retry_ms)
{
    struct port_opts o = {.cfg = c, .sw = sw, .pool = pool, .socket = -1, .retry_ms = retry_ms};
    FILE *err;
    int e;

    set_up();
    o.sw = sw;
    o.pool = pool;
    free(said);
    err = open_memstream(&said, &said_size);
    e = port_open(&o, p, err);
    fclose(err);
    if (e == 0 && said_size)
        fprintf(stderr, "%s", said);
    return e;
}

static struct port *must_open(const struct cfg_port *c)
{
    struct port *p = NULL;

    if (try_open(c, &p, 0))
        fprintf(stderr, "%s", said);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    return p;
}

/* A frame of local experimental type (IEEE 802) with a counting payload. */
static void make_frame(uint8_t *d, uint16_t len, uint8_t src)
{
    static const uint8_t head[14] = {255, 255, 255, 255, 255, 255, 2, 9, 9, 9, 9, 0, 0x88, 0xb5};

    memcpy(d, head, sizeof(head));
    d[11] = src;
    for (uint16_t i = 14; i < len; i++)
        d[i] = (uint8_t)i;
}

static void guest_sends(uint16_t len, uint8_t src)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

    make_frame((uint8_t *)rte_pktmbuf_append(m, len), len, src);
    sw_input(sw, guest, &m, 1, rte_rdtsc());
}

/* Polls until the guest got n frames of ours, at most two seconds. */
static bool poll_until(struct port *p, unsigned n)
{
    uint64_t end = rte_rdtsc() + 2 * rte_get_tsc_hz();

    while (got < n && rte_rdtsc() < end) {
        port_poll(p, rte_rdtsc());
        port_flush(p);
    }
    return got >= n;
}

static void test_ring(void)
{
    struct cfg_port c = {.name = "loop", .type = CFG_PORT_RING};
    struct port *p = must_open(&c), *q;
    struct port_stats s;

    got = 0;
    CU_ASSERT_EQUAL(port_rx_fd(p), -1);
    for (int i = 0; i < 200; i++) /* more than are gathered */
        guest_sends(100, 1);
    CU_ASSERT_TRUE(port_flush(p) > 0);
    while (port_poll(p, rte_rdtsc())) /* come back as if somebody else sent them */
        ;
    CU_ASSERT_EQUAL(got, 200);
    port_stats(p, &s);
    CU_ASSERT_EQUAL(s.tx_frames, 200);
    CU_ASSERT_EQUAL(s.rx_frames, 200);
    CU_ASSERT_EQUAL(s.tx_drops, 0);
    CU_ASSERT_STRING_EQUAL(s.name, "loop");
    q = must_open(&c); /* a second one beside it */
    port_stats(q, &s);
    CU_ASSERT_STRING_EQUAL(s.device, "net_ring1");
    port_close(q, false);
    port_close(p, false);
}

static void put(FILE *f, const void *p, size_t n)
{
    CU_ASSERT_EQUAL(fwrite(p, 1, n, f), n);
}

/* pcap savefile, as in pcap-savefile(5). */
static void write_pcap(const char *path, unsigned frames)
{
    static const uint32_t head[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1};
    FILE *f = fopen(path, "w");
    uint8_t d[80];

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    put(f, head, sizeof(head));
    make_frame(d, sizeof(d), 7);
    for (unsigned i = 0; i < frames; i++) {
        uint32_t rec[4] = {i, 0, sizeof(d), sizeof(d)};

        put(f, rec, sizeof(rec));
        put(f, d, sizeof(d));
    }
    fclose(f);
}

static void test_pcap(void)
{
    char in[64], out[64];
    struct cfg_port c = {.name = "file", .type = CFG_PORT_PCAP, .rx_pcap = in, .tx_pcap = out};
    struct port *p;
    FILE *f;

    set_up();
    snprintf(in, sizeof(in), "%s/in.pcap", test_eal_dir);
    snprintf(out, sizeof(out), "%s/out.pcap", test_eal_dir);
    write_pcap(in, 100);
    p = must_open(&c);
    got = 0;
    CU_ASSERT_TRUE(poll_until(p, 100));
    CU_ASSERT_EQUAL(got, 100);
    CU_ASSERT_EQUAL(got_len, 80);
    guest_sends(90, 1);
    CU_ASSERT_EQUAL(port_flush(p), 1);
    port_close(p, false);
    f = fopen(out, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fseek(f, 0, SEEK_END);
    CU_ASSERT_EQUAL(ftell(f), 24 + 16 + 90);
    fclose(f);
    c.rx_pcap = "/nonexistent/file";
    CU_ASSERT_EQUAL(try_open(&c, &p, 0), -ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "/nonexistent/file"));
    c.rx_pcap = NULL;
    c.tx_pcap = "/nonexistent/file";
    CU_ASSERT_EQUAL(try_open(&c, &p, 0), -ENOENT);
}

/* A file of a few frames is as many as are wanted. */
static void test_pcap_repeated(void)
{
    char in[64];
    struct cfg_port c = {.name = "file", .type = CFG_PORT_PCAP, .rx_pcap = in, .repeat = true};
    struct port *p;

    set_up();
    snprintf(in, sizeof(in), "%s/again.pcap", test_eal_dir);
    write_pcap(in, 3);
    p = must_open(&c);
    got = 0;
    CU_ASSERT_TRUE(poll_until(p, 100));
    CU_ASSERT_EQUAL(got_len, 80);
    port_close(p, false);
}

static void test_null(void)
{
    struct cfg_port c = {.name = "nowhere", .type = CFG_PORT_NULL};
    struct port *p = must_open(&c);
    struct port_stats s;

    got = 0;
    for (unsigned i = 0; i < 3; i++)
        guest_sends(100, 1);
    CU_ASSERT_EQUAL(port_flush(p), 3);
    CU_ASSERT_EQUAL(port_poll(p, rte_rdtsc()), 0);
    port_stats(p, &s);
    CU_ASSERT_EQUAL(s.tx_frames, 3);
    CU_ASSERT_EQUAL(got, 0);
    port_close(p, false);
}

static void test_missing(void)
{
    struct cfg_port c = {.name = "up", .type = CFG_PORT_AF_PACKET, .iface = "nosuch0"};
    struct port *p;

    CU_ASSERT_EQUAL(try_open(&c, &p, 0), -ENODEV);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "nosuch0"));
    c.type = CFG_PORT_AF_XDP;
    CU_ASSERT_EQUAL(try_open(&c, &p, 0), -ENODEV);
    c = (struct cfg_port){.name = "up", .type = CFG_PORT_PCI, .pci = "ffff:ff:1f.7"};
    CU_ASSERT_EQUAL(try_open(&c, &p, 0), -ENODEV);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "ffff:ff:1f.7"));
}

/* --- taps: the host's side is a packet socket --- */

static int host_socket(const char *iface)
{
    struct sockaddr_ll a = {.sll_family = AF_PACKET,
                            .sll_protocol = htons(0x88b5),
                            .sll_ifindex = (int)if_nametoindex(iface)};
    struct timeval patience = {.tv_sec = 2};
    int fd = socket(AF_PACKET, SOCK_RAW, htons(0x88b5));

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    CU_ASSERT_TRUE_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    return fd;
}

static void host_sends(int fd, unsigned n, uint16_t len)
{
    uint8_t d[1600];

    make_frame(d, len, 5);
    for (unsigned i = 0; i < n; i++)
        CU_ASSERT_EQUAL(send(fd, d, len, 0), len);
}

static uint32_t host_address(const char *iface)
{
    struct ifreq r = {.ifr_addr.sa_family = AF_INET};
    struct sockaddr_in in = {0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", iface);
    if (ioctl(fd, SIOCGIFADDR, &r) == 0)
        memcpy(&in, &r.ifr_addr, sizeof(in));
    close(fd);
    return ntohl(in.sin_addr.s_addr);
}

static struct cfg_port tap = {
    .name = "uplink", .type = CFG_PORT_TAP, .iface = "cvtest0", .address = "10.77.0.1/24"};

static void test_tap_traffic(void)
{
    struct port *p = must_open(&tap);
    uint8_t d[2000];
    int host = host_socket("cvtest0");

    CU_ASSERT_TRUE(port_rx_fd(p) >= 0);
    CU_ASSERT_EQUAL(host_address("cvtest0"), 0x0a4d0001);
    got = 0;
    host_sends(host, 100, 1514);
    CU_ASSERT_TRUE(poll_until(p, 100));
    CU_ASSERT_EQUAL(got_len, 1514);
    for (int i = 0; i < 80; i++) /* fewer than a socket's buffer holds */
        guest_sends(1514, 6);
    port_flush(p);
    for (int i = 0; i < 80; i++)
        CU_ASSERT_EQUAL(recv(host, d, sizeof(d), 0), 1514);
    CU_ASSERT_EQUAL(d[1513], (uint8_t)1513);
    close(host);
    port_close(p, false);
    CU_ASSERT_FALSE(tap_exists("cvtest0"));
}

/* What the host would segment arrives in segments at who wants them, and whole at a tap. */
static void test_tap_large(void)
{
    static uint8_t d[2 * 65536];
    struct frame_shape shape = {.payload = 30000};
    struct virtio_net_hdr *h = (void *)d;
    uint8_t *frame = d + sizeof(*h);
    size_t len = frame_build(frame, &shape);
    struct port *p = must_open(&tap);
    int host = host_socket("cvtest0"), one = 1;
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_IP),
                             .sll_ifindex = (int)if_nametoindex("cvtest0")};
    struct port_stats s;

    memset(frame, 2, 12);
    frame[5] = 8; /* to this station; and once more to one that nobody knows */
    *h = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                 .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                 .hdr_len = 54,
                                 .gso_size = 1000,
                                 .csum_start = 34,
                                 .csum_offset = 16};
    CU_ASSERT_EQUAL(setsockopt(host, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
    got_segments = 0;
    CU_ASSERT_EQUAL(sendto(host, d, sizeof(*h) + len, 0, (struct sockaddr *)&to, sizeof(to)),
                    (ssize_t)(sizeof(*h) + len));
    for (uint64_t end = rte_rdtsc() + 2 * rte_get_tsc_hz(); !got_segments && rte_rdtsc() < end;)
        port_poll(p, rte_rdtsc());
    CU_ASSERT_EQUAL(got_segments, 30);
    port_stats(p, &s);
    CU_ASSERT_EQUAL(s.rx_large, 1);
    CU_ASSERT_EQUAL(s.rx_errors, 0);
    frame[11] = 9;
    guest_sends_large(frame, (uint32_t)len);
    port_flush(p);
    port_stats(p, &s);
    CU_ASSERT_EQUAL(s.tx_large, 1);
    CU_ASSERT_EQUAL(s.tx_errors, 0);
    close(host);
    port_close(p, false);
}

/* The process goes, the interface stays; the next one takes it over; told to stop, it goes. */
static void test_tap_persists(void)
{
    uint8_t before[6], after[6];
    int host;

    for (unsigned i = 0; i < 5; i++) {
        struct port *p = must_open(&tap);

        if (i == 0)
            CU_ASSERT_EQUAL(tap_get_mac("cvtest0", before), 0);
        host = host_socket("cvtest0");
        got = 0;
        host_sends(host, 3, 60);
        CU_ASSERT_TRUE(poll_until(p, 3));
        close(host);
        port_close(p, i < 4);
        CU_ASSERT_EQUAL(tap_exists("cvtest0"), i < 4);
        if (i < 4) {
            CU_ASSERT_EQUAL(host_address("cvtest0"), 0x0a4d0001);
            CU_ASSERT_EQUAL(tap_get_mac("cvtest0", after), 0);
            CU_ASSERT_EQUAL(memcmp(before, after, 6), 0);
        }
    }
}

/* What the host made beforehand stays. */
static int make_tap(const char *iface, short flags, bool persist)
{
    struct ifreq r = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags)};
    int fd = open("/dev/net/tun", O_RDWR);

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", iface);
    CU_ASSERT_TRUE_FATAL(fd >= 0 && ioctl(fd, TUNSETIFF, &r) == 0);
    CU_ASSERT_EQUAL(ioctl(fd, TUNSETPERSIST, persist), 0);
    return fd;
}

static void test_tap_not_ours(void)
{
    struct port *p;

    set_up();
    close(make_tap("cvtest0", IFF_MULTI_QUEUE, true));
    p = must_open(&tap);
    port_close(p, false);
    CU_ASSERT_TRUE(tap_exists("cvtest0"));
    close(make_tap("cvtest0", IFF_MULTI_QUEUE, false));
    CU_ASSERT_FALSE(tap_exists("cvtest0"));
}

static void test_tap_refused(void)
{
    struct port *p;
    int fd;

    set_up();
    fd = make_tap("cvtest0", IFF_MULTI_QUEUE, false);
    CU_ASSERT_EQUAL(tap_set_up("cvtest0"), 0);
    CU_ASSERT_EQUAL(try_open(&tap, &p, 50), -EBUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "another process"));
    close(fd);
    fd = make_tap("cvtest0", 0, false); /* one queue */
    CU_ASSERT_EQUAL(try_open(&tap, &p, 50), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "ip link del cvtest0"));
    close(fd);
}

/* It is let go while we wait for it. */
static void *let_go(void *arg)
{
    usleep(100000);
    close(*(int *)arg);
    return NULL;
}

static void test_tap_retries(void)
{
    struct port *p = NULL;
    pthread_t t;
    int fd;

    set_up();
    fd = make_tap("cvtest0", IFF_MULTI_QUEUE, true);
    CU_ASSERT_EQUAL(tap_set_up("cvtest0"), 0);
    pthread_create(&t, NULL, let_go, &fd);
    CU_ASSERT_EQUAL(try_open(&tap, &p, 2000), 0);
    pthread_join(t, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    port_close(p, false);
    close(make_tap("cvtest0", IFF_MULTI_QUEUE, false));
}

static long reads_made(void)
{
    FILE *f = fopen("/proc/self/io", "r");
    char line[128];
    long n = -1;

    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "syscr: %ld", &n);
    if (f)
        fclose(f);
    return n;
}

static void test_tap_idle_costs_nothing(void)
{
    struct port *p = must_open(&tap);
    long before, after;

    for (int i = 0; i < 100; i++) { /* what the host says when an interface comes up */
        port_poll(p, rte_rdtsc());
        usleep(1000);
    }
    before = reads_made();
    for (int i = 0; i < 100000; i++)
        port_poll(p, rte_rdtsc());
    after = reads_made();
    CU_ASSERT_TRUE(before > 0);
    CU_ASSERT_TRUE(after - before < 50); /* reading /proc, and a late announcement */
    port_close(p, false);
}

static void *send_later(void *arg)
{
    usleep(50000);
    host_sends(*(int *)arg, 1, 60);
    return NULL;
}

/* A sleeping core is woken by a frame, and finds it in the next poll. */
static void test_tap_wakes(void)
{
    struct port *p = must_open(&tap);
    int host = host_socket("cvtest0");
    struct idle idle;
    pthread_t t;

    CU_ASSERT_EQUAL(idle_init(&idle, CFG_IDLE_SLEEP, 0, rte_get_tsc_hz(), rte_rdtsc()), 0);
    CU_ASSERT_EQUAL(idle_watch(&idle, port_rx_fd(p)), 0);
    for (unsigned i = 1; i <= 20; i++) {
        got = 0;
        pthread_create(&t, NULL, send_later, &host);
        for (int woken = 0; got == 0 && woken < 20; woken++) { /* IPv6 wakes it, too */
            idle_sleep(&idle, 2000);
            while (port_poll(p, rte_rdtsc()))
                ;
        }
        CU_ASSERT_EQUAL(got, 1);
        pthread_join(t, NULL);
    }
    idle_fini(&idle);
    close(host);
    port_close(p, false);
}

const char *const suite_name = "port";
const struct cu_test suite_tests[] = {
    {"vdev arguments", test_vdev},
    {"vdev refuses", test_vdev_refuses},
    {"tap: host's MAC", test_tap_mac},
    {"addresses", test_addresses},
    {"ring", test_ring},
    {"pcap", test_pcap},
    {"pcap, repeated", test_pcap_repeated},
    {"null", test_null},
    {"missing devices", test_missing},
    {"tap: traffic", test_tap_traffic},
    {"tap: large frames", test_tap_large},
    {"tap: persists", test_tap_persists},
    {"tap: not ours", test_tap_not_ours},
    {"tap: refused", test_tap_refused},
    {"tap: retries", test_tap_retries},
    {"tap: idle costs nothing", test_tap_idle_costs_nothing},
    {"tap: wakes a sleeping core", test_tap_wakes},
    {NULL, NULL},
};
