/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How large each table is. Both the program and the controller are built with these. */
#pragma once

#define XD_LAYOUT 2 /* changes whenever a pinned map's key, value or meaning does */

#define XD_MAX_VIRTUAL_SERVERS  4096
#define XD_MAX_REAL_SERVERS     49152 /* one per (virtual server, real server), draining ones included; fits 16 bits */
#define XD_MAX_SERVICES         8192
#define XD_MAX_MARKED_ADDRESSES 1024 /* (address, protocol) pairs that have port marks */
#define XD_MAX_PORT_RANGES      128  /* disjoint ranges per (address, protocol): 64 that overlap make at most 127 */
#define XD_MAX_LEASES           256
#define XD_MAX_PEERS            6         /* peer directors: what fits beside a MAC address in one cache line */
#define XD_MAX_FRAGMENTED       (1 << 14) /* datagrams whose fragments are under way */
#define XD_FRAGMENT_SECONDS     30        /* and for how long, about; receivers wait up to 60 s (RFC 8200, 4.5) */
#define XD_MAX_VRRP_SEEN        1024      /* (sender, virtual router) pairs; whoever was silent longest is forgotten */

#define XD_SCHEDULE_BLOCK  32 /* slots per block: one cache line */
#define XD_SCHEDULE_BLOCKS (1 << 17)
#define XD_SCHEDULE_SLOTS  (XD_SCHEDULE_BLOCK * XD_SCHEDULE_BLOCKS) /* of all virtual servers' cycles together */

#define XD_INTERFACES       1024 /* open addressing by ifindex ... */
#define XD_INTERFACE_PROBES 4    /* ... over this many neighbouring entries */

#define XD_FILTER_BYTES (1 << 16) /* of the filter of virtual addresses */

#define XD_WAYS                4         /* per bucket */
#define XD_MIN_BUCKETS         (1 << 8)  /* powers of two */
#define XD_DEFAULT_BUCKETS     (1 << 18) /* 16 MiB: 1 M ways, 512 k connections at half load */
#define XD_MAX_BUCKETS         (1 << 24)
#define XD_DEFAULT_BUCKETS6    (1 << 16) /* 12 MiB: 256 k ways for IPv6 */
#define XD_TEMPLATE_BUCKETS    (1 << 16) /* 8 MiB: 256 k persistence templates */
#define XD_TICKS               8192      /* a way's stamp counts modulo this many ticks of about a second */
#define XD_MAX_TIMEOUT_SECONDS 3600      /* well below XD_TICKS: the sweep frees a way before its stamp can wrap */
