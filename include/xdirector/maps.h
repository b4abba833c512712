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

/* `settings`: one entry. Written by the controller when the pinned tables are created; constant afterwards. */
struct xd_settings {
	__u64 hash_seed;  /* of the connection table, random */
	__u32 layout;     /* XD_LAYOUT of the program that made these maps */
	__u32 buckets;    /* of `connections`, a power of two */
	__u32 tick_shift; /* one tick is 2^tick_shift jiffies */
	__u32 tick_ns;    /* the same in nanoseconds, for people and for the sweep */
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
	__u32 ifindex; /* 0: unused */
	__u32 reserved2;
};

enum xd_service_kind { XD_EXACT = 0, XD_MARK = 1 };

/* `services`: hash of these keys to the index of a virtual server (__u32). Written by the controller. */
struct xd_service_key {
	union {
		__be32 address; /* XD_EXACT */
		__u32 mark;     /* XD_MARK, host byte order */
	};
	__be16 port; /* 0 for XD_MARK */
	__u8 protocol;
	__u8 kind;
};

/* `port_marks`: hash of (address, protocol) to its ranges: disjoint, ascending. Written by the controller. */
struct xd_marked_address {
	__be32 address;
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

/* A cycle: `length` slots of `schedules` from `offset`. Replaced by one 64-bit store. */
struct xd_cycle {
	union {
		struct {
			__u32 offset, length; /* length 0: no real server to schedule */
		};
		__u64 word;
	};
};

/*
 * `virtual_servers`: array by index. Written by the controller, `position` by the program.
 * The key of an entry stays while any real-server slot names it, so a new controller can read back who has which index.
 */
struct xd_virtual_server {
	struct xd_service_key key;
	struct xd_cycle cycle;
	__u64 position;          /* connections scheduled so far: the next one takes slot position % length */
	__u32 hash_seed;         /* of the consistent hash: from the key alone, the same on every director */
	__u32 persistence_ticks; /* 0: not persistent */
	__be32 persistence_mask; /* applied to the client address */
	__u32 used;              /* 0: this index is free */
	__u64 reserved[3];
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

/*
 * `real_servers`: array by slot, one cache line each: all that a packet of a known connection needs. Slot 0 is never
 * given out. Written by the controller; `target` and `source` by one store each.
 */
struct xd_real_server {
	union {
		struct {
			__u8 mac[6];  /* the real server's */
			__u8 state;   /* enum xd_real_server_state */
			__u8 has_mac; /* 0: `mac` is not known, never send to it */
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
	__u32 ifindex;          /* of the interface it is reached by */
	__u32 virtual_server;   /* index in `virtual_servers` */
	__be32 virtual_address; /* what its connections are addressed to; 0: any (a mark over several addresses) */
	__be16 virtual_port;    /* 0: any (a mark) */
	__u8 protocol;          /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 persistent;        /* its virtual server has persistence: refresh the template too */
	__u16 timeout_ticks[4]; /* by enum xd_connection_state */
	__be32 address;         /* the real server's own */
	__be16 port;            /* as configured; direct routing does not change a packet's port */
	__u16 weight;           /* as configured, for people */
	__u32 reserved2[4];
};

/*
 * `leases`: mmapable array, one page, searched whole. Keys by the controller; deadlines by the vrrp worker, through
 * mmap. A virtual address that VRRP owns has an entry: fenced when `until` (CLOCK_BOOTTIME, nanoseconds) is past.
 */
struct xd_lease {
	__be32 address; /* 0: unused entry */
	__u32 ifindex;  /* of the instance's interface, where a leftover address would be */
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

/* `persistence`: hash of (masked client, virtual server) to its template. Written by the program. */
struct xd_client {
	__be32 address;
	__u32 virtual_server;
};

struct xd_template {
	__u16 slot;
	__u16 proven;    /* 0: provisional, no connection of it is established yet */
	__u32 seen_tick; /* of a 32-bit tick count */
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

_Static_assert(sizeof(struct xd_way) == 16, "a way is two words");
_Static_assert(sizeof(struct xd_bucket) == 64, "a bucket is one cache line");
_Static_assert(sizeof(struct xd_real_server) == 64, "a real server is one cache line");
_Static_assert(sizeof(struct xd_virtual_server) == 64, "a virtual server is one cache line");
_Static_assert(sizeof(struct xd_schedule_block) == 64, "a schedule block is one cache line");
