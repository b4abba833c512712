/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmark's BPF programs and its binary share. */
#pragma once

#include <linux/types.h>

enum bench_order { ORDER_FIXED, ORDER_SEQUENCE, ORDER_RANDOM };

#define BENCH_CPUS 2 /* at most, at once; each has a plan and a driver */

/* What the driver sends: flow numbers and the frame around them. A flow number is a client address and port. */
struct bench_plan {
	__u32 order;
	__u32 mask;  /* flow numbers are taken modulo mask + 1 */
	__u64 state; /* of the sequence or the random order */
	__be32 destination;
	__be16 port;
	__u8 tcp_flags;
	__u8 reserved;
	__u64 frame_head; /* destination MAC, and the first two bytes of the source */
};

struct bench_real_server {
	__u64 mac, source;
};

#define BENCH_RING  65536
#define BENCH_LINES (1 << 19) /* as many as the director has buckets */

struct bench_line {
	__u32 slot;
	__u32 rest[15];
};
