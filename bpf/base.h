/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every step uses: kernel and helper headers, a few macros of the kernel's, and the packet as the steps see it. */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <xdirector/maps.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* One load that the compiler neither repeats, splits, drops nor moves across another. */
#define READ_ONCE(x)     (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

/*
 * A function of its own, off the hot path. Not static, so that the verifier looks at it once, by its arguments' types,
 * and not again for every path that leads to it. Pointers among the arguments may be NULL for all it knows.
 */
#define SUBPROGRAM __attribute__((noinline))

#define TICK_MASK    (XD_TICKS - 1)
#define NO_VERDICT   XD_VERDICT_COUNT
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

/* What a packet means for its connection, from the client's side. */
enum xd_event {
	EVENT_DATA,  /* goes on with a connection; every UDP datagram */
	EVENT_OPEN,  /* SYN alone */
	EVENT_CLOSE, /* FIN */
	EVENT_RESET, /* RST; and SYN+ACK, which no client sends: never worth an entry */
	EVENT_ERROR, /* an ICMP error about the connection: changes nothing */
};

enum xd_fragment { FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_LATER };

/* A packet's connection: what the packet says of it, then what the tables do. Plain numbers, no pointers. */
struct xd_flow {
	__u64 client;   /* as in w0 of a way, slot 0 */
	__u64 service;  /* as in w1 of a way, state, tick and generation 0 */
	__u64 hash;     /* chooses its buckets; set by the lookup */
	__u64 w0, w1;   /* of the way that holds it, as they were found there; 0: none does */
	__u32 way;      /* which of its eight that is */
	__u32 tick;     /* now; a way has its low 13 bits */
	__u32 slot;     /* the real server's */
	__u8 transport; /* enum xd_transport */
	__u8 event;     /* enum xd_event */
	__u8 failed;    /* its real server has: choose another */
	__u8 fragment;  /* enum xd_fragment; then client and service may have no ports, and there is ... */
	__be32 fragment_id;
	__u64 client6[2], address6[2]; /* the addresses of IPv6, of which `client` and `service` have folds */
};

static __always_inline bool flow_is_ipv6(const struct xd_flow *flow)
{
	return flow->transport & XD_IPV6;
}

static __always_inline bool flow_is_udp(const struct xd_flow *flow)
{
	return (flow->transport & ~XD_IPV6) == PROTOCOL_UDP;
}

/* Of IPv4, as flow_address() is. */
static __always_inline __u32 flow_client_address(const struct xd_flow *flow)
{
	return flow->client >> 32;
}

static __always_inline __u32 flow_address(const struct xd_flow *flow)
{
	return flow->service >> 32;
}

static __always_inline __u16 flow_port(const struct xd_flow *flow)
{
	return flow->service >> 16;
}
