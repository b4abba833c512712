/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keys and values of every BPF map, shared by the program and the controller.
 *
 * Addresses and ports called `address`, `port` and the like are in network byte order. Each map has one writer, named
 * at its value. Values that the packet path reads while the controller changes them change by one aligned 64-bit store;
 * the maps concerned are mmapable arrays. Everything is plain enough for `bpftool map dump pinned
 * /sys/fs/bpf/xdirector/NAME`.
 */
#pragma once

#include <linux/types.h>

#include "limits.h"
#include "verdicts.h"

#ifdef __cplusplus
#define _Static_assert static_assert /* NOLINT(bugprone-reserved-identifier) */
#endif

/*
 * An address of either family, in network byte order. IPv4 is IPv4-mapped (::ffff:192.0.2.1), so its 32 bits are the
 * last word. All zero: none, or any.
 */
struct xd_address {
	__be32 word[4];
};

/* `settings`: one entry. Written by the controller when the pinned tables are created; constant afterwards. */
struct xd_settings {
	__u64 hash_seed;        /* of the connection tables and of the templates, random */
	__u32 layout;           /* XD_LAYOUT of the program that made these maps */
	__u32 buckets;          /* of `connections`, a power of two */
	__u32 tick_shift;       /* one tick is 2^tick_shift jiffies */
	__u32 tick_ns;          /* the same in nanoseconds, for people and for the sweep */
	__u32 buckets6;         /* of `connections6`, a power of two */
	__u32 template_buckets; /* of `persistence`, a power of two */
};

/*
 * `virtual_addresses`: one entry, with a byte for each address that packets are looked at for; see address_filter.h. So
 * what is not for a virtual server costs no look at a table. Written by the controller.
 */
struct xd_address_filter {
	__u8 has[XD_FILTER_BYTES];
};

/* `interfaces`: open addressing, (ifindex + 0 .. XD_INTERFACE_PROBES - 1) % XD_INTERFACES. By the controller. */
struct xd_interface {
	union {
		struct {
			__u8 mac[6]; /* the interface's own */
			__u8 reserved[2];
		};
		__u64 mac_word;
	};
	__u32 ifindex;            /* 0: unused */
	__u32 peers;              /* how many there are */
	__u64 peer[XD_MAX_PEERS]; /* MAC addresses of peer directors, as mac_word */
};

enum xd_service_kind { XD_EXACT = 0, XD_MARK = 1 };

/* `services`: hash of these keys to the index of a virtual server (__u32). IPv4. Written by the controller. */
struct xd_service_key {
	union {
		__be32 address; /* XD_EXACT */
		__u32 mark;     /* XD_MARK, host byte order */
	};
	__be16 port; /* 0 for XD_MARK */
	__u8 protocol;
	__u8 kind;
};

/* `services6`: the same for IPv6. It also names a virtual server of either family in `virtual_servers`. */
struct xd_service_key6 {
	union {
		struct xd_address address; /* XD_EXACT */
		__u32 mark;                /* XD_MARK, host byte order; the rest is zero */
	};
	__be16 port; /* 0 for XD_MARK */
	__u8 protocol;
	__u8 kind;
};

/* `port_marks`: hash of (address, protocol) to its ranges: disjoint, ascending. IPv4. Written by the controller. */
struct xd_marked_address {
	__be32 address;
	__u8 protocol;
	__u8 reserved[3];
};

/* `port_marks6`: the same for IPv6. */
struct xd_marked_address6 {
	struct xd_address address;
	__u8 protocol;
	__u8 reserved[3];
};

struct xd_port_range {
	__u16 first, last; /* host byte order, inclusive */
	__u32 mark;
};

struct xd_port_ranges {
	__u32 count;
	struct xd_port_range range[XD_MAX_PORT_RANGES];
};

/* What a connection is carried by: the protocol, and a bit for the family. */
enum xd_transport {
	XD_IPV6 = 0x80,
	XD_TCP4 = 6,
	XD_UDP4 = 17,
	XD_TCP6 = XD_TCP4 | XD_IPV6,
	XD_UDP6 = XD_UDP4 | XD_IPV6,
};

/* A cycle: `length` slots of `schedules` from `offset`. Replaced by one 64-bit store. */
struct xd_cycle {
	union {
		struct {
			__u32 offset, length; /* length 0: no real server to schedule */
		};
		__u64 word;
	};
};

enum xd_scheduler {
	XD_BY_TURN = 0,   /* rr, wrr, lc, wlc: the next slot of the cycle */
	XD_BY_CYCLE = 1,  /* sh: a hash of the client chooses from the cycle */
	XD_BY_MAGLEV = 2, /* mh: a hash of the client chooses from the Maglev table */
};

enum xd_virtual_server_flags {
	XD_USED = 1,       /* else this index is free */
	XD_ONE_PACKET = 2, /* ops: every datagram is scheduled by itself, none is remembered (UDP) */
	XD_HASH_PORT = 4,  /* sh-port, mh-port: the client's port is hashed, too */
};

/*
 * `virtual_servers`: array by index. Written by the controller; `position` by the program, and begun
 * anew by the controller with each new cycle.
 * The key of an entry stays while any real-server slot names it, so a new controller can read back who has which index.
 */
struct xd_virtual_server {
	struct xd_service_key6 key;
	__u32 hash_seed;        /* of the consistent hash: from the key alone, the same on every director */
	struct xd_cycle cycle;  /* by whose turn it is */
	struct xd_cycle maglev; /* the consistent hash: a table that changes little when a real server comes or goes */
	__u64 position; /* connections given by turn since the cycle began: the next takes slot position % length */
	__u32 persistence_ticks; /* 0: not persistent */
	__u8 persistence_prefix; /* leading bits of the client's address that make a client: 1-32, or 1-128 */
	__u8 transport;          /* enum xd_transport: of a mark also the family */
	__u8 scheduler;          /* enum xd_scheduler */
	__u8 flags;              /* enum xd_virtual_server_flags */
	__u64 reserved;
};

/* `schedules`: array of blocks, read as one array of XD_SCHEDULE_SLOTS real-server slots. Written by the controller. */
struct xd_schedule_block {
	__u16 slot[XD_SCHEDULE_BLOCK];
};

enum xd_real_server_state {
	XD_UNUSED = 0,
	XD_ACTIVE = 1,   /* new connections by the schedule, templates honoured */
	XD_DRAINING = 2, /* weight 0 or removed: only connections it has */
	XD_FAILED = 3,   /* its connections are given another real server */
};

enum xd_connection_state {
	XD_OPENING = 0, /* a SYN, a first datagram, or a connection placed by the hash */
	XD_CLOSING = 1, /* FIN or RST seen from the client */
	XD_YOUNG = 2,   /* established, seen in one tick only */
	XD_PROVEN = 3,  /* established, seen in two ticks or more: never displaced by anything unproven */
};

enum xd_delivery {
	XD_UNKNOWN = 0, /* the MAC address is not known (yet): never send to it */
	XD_BY_MAC = 1,
	XD_LOCAL = 2, /* this director is the real server: the kernel's */
};

/*
 * `real_servers`: array by slot. The first cache line is all that a packet of a known connection needs, the second is
 * for people and the controller. Slot 0 is never given out. Written by the controller; `target` and `source` by one
 * store each.
 */
struct xd_real_server {
	union {
		struct {
			__u8 mac[6];   /* the real server's */
			__u8 state;    /* enum xd_real_server_state */
			__u8 delivery; /* enum xd_delivery */
		};
		__u64 target;
	};
	union {
		struct {
			__u8 source_mac[6]; /* of the interface it is reached by */
			__u8 reserved[2];
		};
		__u64 source;
	};
	__u32 ifindex;        /* of the interface it is reached by */
	__u32 virtual_server; /* index in `virtual_servers` */
	struct xd_address
	    virtual_address;    /* what its connections are addressed to; all zero: any (a mark over several) */
	__be16 virtual_port;    /* 0: any (a mark) */
	__u8 transport;         /* enum xd_transport */
	__u8 persistent;        /* its virtual server has persistence: refresh the template too */
	__u16 timeout_ticks[4]; /* by enum xd_connection_state */
	__u32 reserved2[3];

	struct xd_address address; /* the real server's own */
	__be16 port;               /* as configured; direct routing does not change a packet's port */
	__u16 weight;              /* for the scheduler: rr and lc know only 0 and 1 */
	__u32 reserved3[11];
} __attribute__((aligned(64)));

/*
 * `leases`: mmapable array, searched whole. Keys by the controller; deadlines by the vrrp worker, through
 * mmap. A virtual address that VRRP owns has an entry: fenced when `until` (CLOCK_BOOTTIME, nanoseconds) is past.
 */
struct xd_lease {
	struct xd_address address; /* all zero: unused entry */
	__u32 ifindex;             /* of the instance's interface, where a leftover address would be */
	__u32 served_here;         /* 1: or on lo, for this director is a real server, too. Not the program's */
	__u64 until;
};

/*
 * `connections`: mmapable array of buckets, one cache line each. Written by the program; the controller's sweep only
 * frees expired ways. How a way is read and written without a lock is told in bpf/connections.h.
 */
struct xd_way {
	union {
		struct {
			__u64 slot : 16;        /* of the real server */
			__u64 client_port : 16; /* network byte order, as all of these */
			__u64 client : 32;
		};
		__u64 w0; /* 0: free, 1: being written */
	};
	union {
		struct {
			__u64 tick : 13; /* last seen */
			__u64 state : 2; /* enum xd_connection_state */
			__u64 udp : 1;
			__u64 port : 16;
			__u64 address : 32;
		};
		__u64 w1;
	};
};

struct xd_bucket {
	struct xd_way way[XD_WAYS];
} __attribute__((aligned(64)));

/*
 * `connections6`: the same for IPv6, whose addresses do not fit into a way. A way has folds of them there: `client` is
 * one of 32 bits, `address` is one of 16 bits (the upper) and a generation of 16 bits that every writer moves on. The
 * addresses themselves stand beside the ways and are always compared.
 */
struct xd_addresses {
	__be64 client[2], address[2];
};

struct xd_bucket6 {
	struct xd_bucket ways;
	struct xd_addresses of[XD_WAYS]; /* two to a cache line, so that a hit reads one */
} __attribute__((aligned(64)));

/*
 * `persistence`: mmapable array of buckets: which real server a client of a virtual server has. Written by the program,
 * by the protocol of `connections`. IPv4 clients need the first line of a bucket only.
 */
struct xd_template {
	union {
		struct {
			__u64 slot : 16;
			__u64 virtual_server : 16; /* index */
			__u64 client : 32;         /* masked; a fold of an IPv6 one */
		};
		__u64 w0; /* 0: free, 1: being written */
	};
	union {
		struct {
			__u64 seen_tick : 32;  /* of a 32-bit tick count */
			__u64 proven : 1;      /* 0: provisional, no connection of it is established yet */
			__u64 generation : 31; /* every writer moves it on */
		};
		__u64 w1;
	};
};

struct xd_template_bucket {
	struct xd_template way[XD_WAYS];
	__be64 client[XD_WAYS][2]; /* masked; zero for IPv4 */
} __attribute__((aligned(64)));

/* `fragments`: LRU hash of a fragmented datagram to where its first fragment went. Written by the program. */
struct xd_fragment_key {
	struct xd_address source, destination;
	__be32 id;
	__u8 protocol;
	__u8 reserved[3];
};

struct xd_fragmented {
	__u32 slot;
	__u32 tick; /* of a 32-bit tick count */
};

/*
 * `vrrp_seen`: LRU hash of who advertises which virtual router where, as it came by the wire. Written by the program.
 * It decides nothing.
 */
struct xd_vrrp_key {
	struct xd_address sender;
	__u32 ifindex; /* where it came in */
	__u16 tag[2];  /* VLAN ids, the outermost first; host byte order, 0: none */
	__u8 virtual_router_id;
	__u8 reserved[3];
};

struct xd_vrrp_seen {
	__u64 at; /* CLOCK_BOOTTIME, nanoseconds: the last one */
	__u64 count;
	__u8 priority, version; /* of the last one */
	__u8 reserved[6];
};

/* `counters`: per-CPU array of one entry. Written by the program. */
struct xd_counters {
#define XD_FIELD(name, action, meaning) __u64 name;
	XD_VERDICTS(XD_FIELD)
#undef XD_FIELD
};

/* `real_server_stats`: per-CPU array by slot. Written by the program; zeroed by the controller when a slot is given
 * out. */
struct xd_real_server_stats {
	__u64 packets;
	__u64 bytes;       /* of the whole frame, as received */
	__u64 connections; /* scheduled, persisted or hashed to it */
};

_Static_assert(XD_FILTER_BYTES == 1 << 16, "the upper half of a 32-bit hash is the number of a byte");
_Static_assert(sizeof(struct xd_way) == 16, "a way is two words");
_Static_assert(sizeof(struct xd_bucket) == 64, "a bucket is one cache line");
_Static_assert(sizeof(struct xd_bucket6) == 192, "an IPv6 bucket is three cache lines");
_Static_assert(sizeof(struct xd_template_bucket) == 128, "a bucket of templates is two cache lines");
_Static_assert(sizeof(struct xd_interface) == 64, "an interface is one cache line");
_Static_assert(sizeof(struct xd_real_server) == 128, "a real server is two cache lines");
_Static_assert(sizeof(struct xd_virtual_server) == 64, "a virtual server is one cache line");
_Static_assert(sizeof(struct xd_schedule_block) == 64, "a schedule block is one cache line");
