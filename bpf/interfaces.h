/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is the frame for us? Switches flood, and two directors must not both answer. */
#pragma once

#include "tables.h"

#define MAC_MASK 0xffffffffffffULL /* of the first six bytes of a word */

/* Needs eight bytes of frame. */
static __always_inline bool frame_is_ours(const void *frame, __u32 ifindex)
{
	__u64 destination = *(const __u64 *)frame & MAC_MASK;

#pragma unroll
	for (__u32 i = 0; i < XD_INTERFACE_PROBES; i++) {
		__u32 key = (ifindex + i) % XD_INTERFACES;
		struct xd_interface *interface = bpf_map_lookup_elem(&interfaces, &key);

		if (interface && interface->ifindex == ifindex)
			return READ_ONCE(interface->mac_word) == destination;
	}
	return false;
}
