/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Mastership, as the vrrp worker stores it: is this node to speak and to listen for a virtual address? */
#pragma once

#include "tables.h"

enum lease {
	LEASE_NONE,  /* without VRRP, or given up in order: nothing to say about it */
	LEASE_RUNS,  /* we are MASTER */
	LEASE_ENDED, /* not (any more): fenced */
};

static __always_inline bool address_equals(const struct xd_address *one, const struct xd_address *other)
{
	return one->word[3] == other->word[3] && one->word[2] == other->word[2] && one->word[1] == other->word[1] &&
	       one->word[0] == other->word[0];
}

/* enum lease. The controller fills entries from the first on, so what has one is found soon. */
SUBPROGRAM int lease_of(const struct xd_address *address)
{
	if (!address || !address->word[3])
		return LEASE_NONE; /* all zero is an unused entry */
	for (__u32 i = 0; i < XD_MAX_LEASES; i++) {
		__u32 key = i;
		struct xd_lease *lease = bpf_map_lookup_elem(&leases, &key);

		if (lease && address_equals(&lease->address, address))
			return READ_ONCE(lease->until) < bpf_ktime_get_boot_ns() ? LEASE_ENDED : LEASE_RUNS;
	}
	return LEASE_NONE;
}

static __always_inline int lease_of_ipv4(__be32 address)
{
	struct xd_address mapped = {{0, 0, bpf_htonl(0xffff), address}};

	return lease_of(&mapped);
}

/* Is this node MASTER of anything? */
SUBPROGRAM int any_lease_runs(void)
{
	__u64 now = bpf_ktime_get_boot_ns();

	for (__u32 i = 0; i < XD_MAX_LEASES; i++) {
		__u32 key = i;
		struct xd_lease *lease = bpf_map_lookup_elem(&leases, &key);

		if (lease && READ_ONCE(lease->until) >= now)
			return true;
	}
	return false;
}
