/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filter of virtual addresses: one bit of XD_FILTER_BITS for each. Another address may share the bit; it is then
 * looked up in vain, nothing worse.
 */
#pragma once

#include "maps.h"

/* Which bit an IPv4 address has, by its 32 bits in network byte order. */
static inline __u32 xd_filter_bit(__be32 address)
{
	return address * 0x9e3779b1U >> 16;
}

/* Which bit an IPv6 address has. */
static inline __u32 xd_filter_bit6(const struct xd_address *address)
{
	return xd_filter_bit(address->word[0] ^ address->word[1] * 3 ^ address->word[2] * 5 ^ address->word[3]);
}
