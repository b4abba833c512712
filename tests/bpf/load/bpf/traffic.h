/* SPDX-License-Identifier: Apache-2.0 */
/* What the BPF program that makes traffic and the tests share. */
#pragma once

#include <linux/types.h>

#define TRAFFIC_CPUS   64
#define TRAFFIC_FRAMES 8192
#define TRAFFIC_WORDS  15 /* of 64 bits: every frame's length */
#define TRAFFIC_BYTES  (TRAFFIC_WORDS * 8)

/* Real servers have the MAC address 06:00:00:00:HH:LL, whose last two bytes are the slot. */
#define TRAFFIC_MAC 0x06

#define TRAFFIC_NOBODY 0xffff /* in `expected`: nothing is expected of the flow */

enum traffic_rule {
	TRAFFIC_ANYWHERE = 0, /* nothing is expected of where it goes */
	TRAFFIC_FIXED = 1,    /* always where the flow's first packet went */
	TRAFFIC_TRACKED = 2,  /* what is `forwarded` goes where the flow was placed last; of a flow of one CPU */
};

/* A frame, padded. In `varied` order it is a template. */
struct traffic_frame {
	__u32 flow;    /* number in `expected` */
	__u8 rule;     /* enum traffic_rule */
	__u8 fleeting; /* not worth an entry: a reset, an ICMP error */
	__u8 reserved[2];
	__u64 words[TRAFFIC_WORDS];
};

/* What a flow's packets went to: the slot, and the one before that. */
struct traffic_expected {
	__u16 slot, before;
	__u32 reserved; /* an array's entries are multiples of eight bytes */
};

enum traffic_order { TRAFFIC_RANDOM, TRAFFIC_VARIED };

/* One CPU's traffic: what to send, by the test; what came of it, by the program. */
struct traffic_cpu {
	__u32 order;          /* enum traffic_order */
	__u32 first, count;   /* the frames that are sent, at random, or one template; 0: judge the last packet only */
	__u32 address_at;     /* varied: where in the frame the last 32 bits of the client's address stand */
	__u32 port_at;        /* and its port */
	__u32 base;           /* the address of flow 0, host byte order */
	__u32 next;           /* varied: the number of the flow that is next */
	__u32 tracked;        /* varied: the flow has an entry in `expected` */
	__u32 ageing;         /* one in so many packets makes an entry of each table older; 0: none */
	__u32 ageing_buckets; /* among so many */
	__u32 ageing_ticks;   /* by so much */
	__u32 pending;        /* the last packet's frame + 1; 0: none */
	__u32 pending_flow;
	__u64 random;
	__u64 forwarded, unlearned; /* as `counters` were before the last packet */
	__u64 judged, unsent;
	__u64 stale; /* to the real server before: another entry of the flow was locked for a moment */
	__u64 wrong;
	struct {
		__u32 frame, flow, went, expected;
	} example; /* of what went wrong */
} __attribute__((aligned(64)));
