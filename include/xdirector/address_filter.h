/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filter of virtual addresses: which byte of it an address has. Another address may share the byte; it is then
 * looked up in vain, nothing worse.
 */
#pragma once

#include "maps.h"

/* Of IPv4: the 32 bits in network byte order. */
static inline __u32 xd_filter_index(__be32 address)
{
	return address * 0x9e3779b1U >> 16;
}

static inline __u32 xd_filter_index6(const struct xd_address *address)
{
	return xd_filter_index(address->word[0] ^ address->word[1] * 3 ^ address->word[2] * 5 ^ address->word[3]);
}
