/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOTP's control channel: a UNIX SOCK_SEQPACKET connection on which one VMM attaches one VM's
 * memory, areas and devices to an I/O-core process. One message is one packet: struct iotp_msg_hdr,
 * then the body of its type, exactly as long as its struct; descriptors travel with it
 * (SCM_RIGHTS). The VMM asks, the I/O core answers each request in order with the same serial:
 * with the request's reply type, or with IOTP_MSG_ERROR. Closing the connection detaches the VM.
 *
 *   VMM -> I/O core           descriptors              answered by
 *   HELLO                     none                     HELLO_OK
 *   MEMORY                    one a region             OK
 *   AREA                      area memfd, kick eventfd OK
 *   DOMAIN                    state memfd              OK
 *   DEVICE                    irq fds, [state memfd]   DEVICE_INFO (+ state memfd)
 *   MSI                       table memfd, doorbell,   OK
 *                             an eventfd a route
 *   START                     none                     OK       (from now on rings are served)
 *   QUIESCE                   none                     OK       (rings are no longer looked at)
 *   I/O core -> VMM, unasked
 *   ERROR with serial 0       none                     a device or the area was given up; why
 *
 * All memfds must be sealed against shrinking (F_SEAL_SHRINK): the I/O core refuses others, since a
 * truncation would kill it. Order: HELLO, MEMORY, AREA..., DEVICE..., MSI..., START.
 *
 * A VM that Xen runs has no rings of ours: the hypervisor posts its requests. Whoever manages the
 * domain sends DOMAIN in place of MEMORY and AREA, once an I/O core, and the I/O core becomes an
 * ioreq server of the domain.
 *
 * Restart: when the connection breaks, the VMM connects again and sends the same messages, with the
 * state memfd each DEVICE_INFO brought; requests in flight are answered by sequence number.
 *
 * Everything that arrives is checked here for length and range before the caller sees it.
 */
#ifndef COOPVMM_IOTP_CTL_H
#define COOPVMM_IOTP_CTL_H

#include <stdbool.h>

#include "iotp.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IOTP_MAX_FDS     40 /* descriptors in one message */
#define IOTP_MAX_MEMORY  8  /* regions of guest memory */
#define IOTP_MAX_AREAS   16 /* I/O cores one VM may use */
#define IOTP_MAX_LINES   4  /* interrupt lines of a device */
#define IOTP_MAX_ROUTES  32 /* of messages of a device */
#define IOTP_MAX_WINDOWS 8
#define IOTP_MAX_RANGES  16
#define IOTP_NAME_SIZE   32 /* names: NUL-terminated within this */
#define IOTP_TEXT_SIZE   160
#define IOTP_MAX_MSG     2048 /* bytes */
#define IOTP_TIMEOUT_S   10   /* seconds a VMM waits for an answer, see iotp_connect */

#define IOTP_DOMAIN_MAX_VCPUS  128  /* requests in one of Xen's ioreq pages */
#define IOTP_DOMAIN_STATE_SIZE 4096 /* bytes of a DOMAIN's state memfd */

enum iotp_msg_type {
    IOTP_MSG_HELLO = 1,
    IOTP_MSG_HELLO_OK = 2,
    IOTP_MSG_MEMORY = 3,
    IOTP_MSG_AREA = 4,
    IOTP_MSG_DEVICE = 5,
    IOTP_MSG_DEVICE_INFO = 6,
    IOTP_MSG_START = 7,
    IOTP_MSG_QUIESCE = 8,
    IOTP_MSG_OK = 9,
    IOTP_MSG_ERROR = 10,
    IOTP_MSG_DOMAIN = 11,
    IOTP_MSG_MSI = 12,
};

struct iotp_msg_hdr {
    uint32_t magic;  /*  0: IOTP_MAGIC */
    uint16_t type;   /*  4: enum iotp_msg_type */
    uint16_t nfds;   /*  6: descriptors with this message */
    uint32_t length; /*  8: bytes of body that follow */
    uint32_t serial; /* 12: chosen by the asker, not 0; repeated in the answer */
};

struct iotp_hello {
    uint16_t version_min;    /*  0: versions the VMM can speak */
    uint16_t version_max;    /*  2 */
    uint32_t pid;            /*  4: of the VMM; for people */
    uint64_t features;       /*  8: IOTP_F_* it would like */
    char vm[IOTP_NAME_SIZE]; /* 16: the VM's name */
};

struct iotp_hello_ok {
    uint16_t version;            /*  0: the one that is spoken from now on */
    uint16_t max_vcpus;          /*  2 */
    uint32_t max_devices;        /*  4 */
    uint64_t features;           /*  8: the subset agreed on; goes into each area's header */
    uint64_t tsc_hz;             /* 16: ticks a second of `stamp`, 0: unknown */
    char daemon[IOTP_NAME_SIZE]; /* 24: the I/O-core process's name, for people */
};

struct iotp_memory_region {
    uint64_t gpa;    /* guest-physical start, page-aligned */
    uint64_t size;   /* bytes, page-aligned, not 0 */
    uint64_t offset; /* in the descriptor, page-aligned */
};
struct iotp_memory {
    uint32_t nregions; /* 1 to IOTP_MAX_MEMORY; nfds must equal it */
    uint32_t reserved;
    struct iotp_memory_region region[IOTP_MAX_MEMORY]; /* must not overlap */
};

struct iotp_area {
    uint32_t area;             /*  0: index, 0 to IOTP_MAX_AREAS - 1; chosen by the VMM */
    uint32_t reserved;         /*  4 */
    uint64_t size;             /*  8: bytes of the memfd to map */
    char core[IOTP_NAME_SIZE]; /* 16: which I/O core, by its configured name */
};

/*
 * A Xen domain that is to have an ioreq server on an I/O core. It must be paused, or have had this
 * server before. The state memfd is the I/O core's notebook: made by the VMM, zeroed, of
 * IOTP_DOMAIN_STATE_SIZE bytes, and sent again after a restart; nobody else reads or writes it.
 */
struct iotp_domain {
    uint32_t area;             /*  0: index, as in AREA; devices name it */
    uint16_t domid;            /*  4 */
    uint16_t nvcpus;           /*  6: 1 to IOTP_DOMAIN_MAX_VCPUS */
    uint32_t flags;            /*  8: IOTP_DOMAIN_* */
    uint32_t reserved;         /* 12 */
    char core[IOTP_NAME_SIZE]; /* 16: which I/O core */
};
/* The domain has interrupt lines (HVM). A PVH domain has none, and Xen must not be asked for any.
 */
#define IOTP_DOMAIN_LINES (1u << 0)
/* Nobody else serves PCI configuration (PVH): this server does, host bridge included, and gives
 * the devices their addresses. */
#define IOTP_DOMAIN_PCI_ROOT (1u << 1)
/* Xen may be asked to let the vCPU spin for its answer, if it can. */
#define IOTP_DOMAIN_SPIN (1u << 2)
#define IOTP_DOMAIN_ALL  (IOTP_DOMAIN_LINES | IOTP_DOMAIN_PCI_ROOT | IOTP_DOMAIN_SPIN)

struct iotp_device {
    uint32_t area;              /*  0 */
    uint16_t device;            /*  4: index in the area */
    uint8_t nlines;             /*  6: interrupt lines: that many fds come first */
    uint8_t has_state;          /*  7: 1: a state memfd follows the interrupt fds (restart) */
    uint8_t mac[6];             /*  8 */
    uint16_t io_base;           /* 14: 0: the model's default */
    uint64_t mmio_base;         /* 16: 0: none */
    uint8_t irq;                /* 24: 0: the model's default */
    uint8_t connected;          /* 25: 1: plug into the switch */
    uint8_t slot;               /* 26: of a DOMAIN's PCI device: its number on bus 0, 1 to 31 */
    uint8_t queues;             /* 27: queue pairs of a device that can have several; 0: one */
    uint8_t reserved[4];        /* 28 */
    char model[IOTP_NAME_SIZE]; /* 32 */
    char name[IOTP_NAME_SIZE];  /* 64 */
};

/*
 * Message-signalled interrupts of a device on rings. Descriptors: the table's memfd, the doorbell
 * (an eventfd that the I/O core writes), one eventfd a route. The table is an array of struct
 * iotp_route.
 */
struct iotp_msi {
    uint32_t area;    /* 0 */
    uint16_t device;  /* 4: given before */
    uint16_t nroutes; /* 6: 1 to IOTP_MAX_ROUTES; nfds is 2 more */
};
/*
 * A way for one message: its eventfd delivers what `addr` and `data` say, once the VMM has routed
 * it. The I/O core asks for that with a new number in `asked` (edge M1); `routed` equals it when it
 * is done (edge M2). SPEC.md, section 12.
 */
struct iotp_route {
    uint64_t addr;        /*  0: I/O core: where the device writes */
    uint32_t data;        /*  8: I/O core: what it writes */
    uint32_t asked;       /* 12: I/O core: 0: addr and data are being changed, or were never set */
    uint32_t routed;      /* 16: VMM */
    uint32_t reserved[3]; /* 20 */
};

struct iotp_window {
    uint8_t region;
    uint8_t space; /* 1: ports, 2: memory */
    uint8_t reserved[6];
    uint64_t size; /* bytes */
    uint64_t base; /* where the device answers now; 0 and space 0: nowhere yet */
};
struct iotp_range {
    uint8_t region;
    uint8_t flags; /* IOTP_RANGE_* */
    uint16_t length;
    uint32_t offset;
};
#define IOTP_RANGE_POSTED 1
#define IOTP_RANGE_KICK   2 /* only if IOTP_F_KICK was agreed on */
struct iotp_cell {
    uint8_t region;
    uint8_t size;
    uint16_t reserved;
    uint32_t offset;
};

/* What the VMM needs to route accesses. One descriptor: the state memfd, to be kept and sent again
 * after a restart. */
struct iotp_device_info {
    uint8_t nwindows; /*  0 */
    uint8_t nranges;  /*  1 */
    uint8_t ncells;   /*  2 */
    uint8_t pci;      /*  3: 1: a PCI function; it has a configuration region */
    uint32_t reserved;
    struct iotp_window window[IOTP_MAX_WINDOWS];
    struct iotp_range range[IOTP_MAX_RANGES];
    struct iotp_cell cell[IOTP_SHADOW_CELLS];
};

struct iotp_error {
    int32_t error; /* a negative errno */
    uint32_t reserved;
    char text[IOTP_TEXT_SIZE]; /* what is wrong and what to do */
};

IOTP_SIZE(iotp_msg_hdr, 16);
IOTP_SIZE(iotp_hello, 48);
IOTP_SIZE(iotp_hello_ok, 56);
IOTP_SIZE(iotp_memory, 8 + 24 * IOTP_MAX_MEMORY);
IOTP_SIZE(iotp_area, 48);
IOTP_SIZE(iotp_domain, 48);
IOTP_SIZE(iotp_device, 96);
IOTP_SIZE(iotp_msi, 8);
IOTP_SIZE(iotp_route, 32);
IOTP_SIZE(iotp_device_info,
          8 + 24 * IOTP_MAX_WINDOWS + 8 * IOTP_MAX_RANGES + 8 * IOTP_SHADOW_CELLS);
IOTP_SIZE(iotp_error, 168);

/* A message as received or to be sent. Received descriptors belong to whoever received: take them
 * out (set to -1) or iotp_msg_close them. */
struct iotp_msg {
    uint16_t type;
    uint32_t serial;
    unsigned nfds;
    int fd[IOTP_MAX_FDS];
    union {
        struct iotp_hello hello;
        struct iotp_hello_ok hello_ok;
        struct iotp_memory memory;
        struct iotp_area area;
        struct iotp_domain domain;
        struct iotp_device device;
        struct iotp_msi msi;
        struct iotp_device_info device_info;
        struct iotp_error error;
    } u;
};

/**
 * Sends one message. Never blocks longer than the socket's send time-out; never raises SIGPIPE.
 * The descriptors remain the sender's.
 * @return 0; -ENOTCONN: the peer is gone; -EINVAL: the message would be refused (nothing was sent);
 *         -EAGAIN; another negative errno
 */
int iotp_msg_send(int sock, const struct iotp_msg *m);
/**
 * Receives one message and checks it: magic, type, exact length, number of descriptors, every
 * count, index and name in range. Descriptors of a refused message are closed.
 * @param why receives, if refused, what is wrong (constant text); may be NULL
 * @return 0; -ENOTCONN: the peer closed; -EAGAIN; -EPROTO: refused (m->serial is set if it was
 *         legible, so that an ERROR can be sent); another negative errno
 */
int iotp_msg_recv(int sock, struct iotp_msg *m, const char **why);
/** The check alone, on a packet in memory with nfds descriptors; for fuzzing. @return as above. */
int iotp_msg_parse(const void *packet, size_t len, unsigned nfds, struct iotp_msg *m,
                   const char **why);
void iotp_msg_close(struct iotp_msg *m);

/**
 * The VMM's side: sends `m`, waits for its answer in *m. m->serial 0: one is chosen. The
 * descriptors sent remain the caller's; those in *m afterwards are the answer's. An answer that
 * does not come, or not to this question, leaves the connection out of step: close it. So does an
 * ERROR with serial 0 (a device was given up, this question is unanswered).
 * @return 0; if the answer is ERROR its error and *m holds the text; else as iotp_msg_recv
 */
int iotp_msg_ask(int sock, struct iotp_msg *m, const char **why);

/** Answers `serial` with an error. printf-like text. @return as iotp_msg_send */
int iotp_msg_error(int sock, uint32_t serial, int error, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/**
 * Listens at a path, mode 0600. An old socket that nobody serves is replaced.
 * @return descriptor (blocking, close-on-exec); -EADDRINUSE: it is served; -ENOTSOCK: something
 * else is there; -ENAMETOOLONG; -EBUSY: others hold the directory's lock; another -errno
 */
int iotp_listen(const char *path);
/**
 * Connects. Sending and receiving time out after IOTP_TIMEOUT_S (-EAGAIN).
 * @return descriptor (blocking, close-on-exec) or -errno
 */
int iotp_connect(const char *path);

/** A sealed, zeroed memfd of `size` bytes. @return descriptor or -errno */
int iotp_memfd(const char *name, uint64_t size);
/** The same of huge pages of the default size, of which `size` is a multiple. They are reserved
 * when it is mapped. */
int iotp_memfd_huge(const char *name, uint64_t size);
/** Checks that a descriptor is a memfd sealed against shrinking, of at least `size` bytes.
 * @return 0, -EPERM (not sealed), -EINVAL (too small), another -errno */
int iotp_memfd_check(int fd, uint64_t size);

#ifdef __cplusplus
}
#endif
#endif
