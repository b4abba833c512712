/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest's BPF programs and guest_bench share. */
#pragma once

#include <linux/types.h>

enum guest_order { GUEST_SEQUENCE, GUEST_RANDOM };

#define GUEST_FRAME_BYTES 74 /* of every frame, so that one can be told from the kernel's own */

/* What the generator sends. A flow number is a client's number (low bits) and a port (the rest). */
struct guest_plan {
	__u64 frame_head[2]; /* both MAC addresses and the protocol: 14 bytes */
	__u32 order;
	__u32 mask; /* flow numbers are taken modulo mask + 1 */
	__u32 state;
	__u32 client_bits;
	__u32 first_client; /* low word of its address, host byte order */
	__u32 checksum;     /* of the IPv4 header without the client's address, not folded */
	__u32 ipv6;
	__u32 out_ifindex;
};

/* Of the director's NAPI polls. */
struct guest_polls {
	__u64 polls, packets, ns;
};
