/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every outcome a packet can have, listed once: X(name, action, meaning).
 *
 * A packet that comes in is counted under exactly one verdict, one that goes out only when it is dropped. The list
 * makes the program's enum, the fields of the per-CPU map `counters`, the status output and docs/verdicts.md. FORWARD
 * means XDP_TX or XDP_REDIRECT. Append only within a layout.
 */
#pragma once

#define XD_VERDICTS(X)                                                                                                 \
	X(forwarded, FORWARD, "a packet of a known connection went to its real server")                                \
	X(scheduled, FORWARD, "a new connection was given a real server by the scheduler")                             \
	X(persisted, FORWARD, "a new connection followed its client's persistence template")                           \
	X(hashed, FORWARD, "a TCP packet in mid-connection without an entry was placed by the consistent hash")        \
	X(rescheduled, FORWARD, "a packet of a failed real server's connection was given another real server")         \
	X(unpersisted, FORWARD,                                                                                        \
	  "no room for a new client's template: placed by the consistent hash, as its next will be")                   \
	X(unlearned, FORWARD, "both buckets were full: the packet was placed by the consistent hash without an entry") \
	X(passed_not_ip, PASS, "neither IPv4 nor an address resolution for a fenced address: the kernel's")            \
	X(passed_not_ours, PASS, "the frame's destination MAC is not this interface's")                                \
	X(passed_malformed, PASS, "a header is cut short or contradicts itself")                                       \
	X(followed, FORWARD, "a later IP fragment went where the first of its datagram had gone")                      \
	X(passed_local, PASS, "for a virtual server, and this director itself is the real server")                     \
	X(passed_peer, PASS, "from a peer director, which has chosen this machine as the real server")                 \
	X(passed_fragment, PASS, "a later IP fragment whose first has not come by, or is the kernel's")                \
	X(passed_protocol, PASS, "neither TCP nor UDP, nor an ICMP error about them")                                  \
	X(passed_no_service, PASS, "no virtual server has this address and port")                                      \
	X(dropped_fenced, DROP, "ARP or ND asked for a virtual address that this director has no valid lease for")     \
	X(dropped_no_real_server, DROP, "the virtual server has no real server to give a connection to")               \
	X(dropped_no_mac, DROP, "the real server's MAC address is not known (yet)")                                    \
	X(dropped_bad_table, DROP, "a table contradicts itself: a defect, please report it")                           \
	X(dropped_virtual_mac, DROP, "to a VRRP MAC address, for a virtual address without a valid lease here")        \
	X(dropped_claim, DROP, "sent by this host itself: a claim to a virtual address without a valid lease here")

/* Index into the counters. */
enum xd_verdict {
#define XD_ENUMERATOR(name, action, meaning) verdict_##name,
	XD_VERDICTS(XD_ENUMERATOR)
#undef XD_ENUMERATOR
	    XD_VERDICT_COUNT, /* in the program also: no verdict yet */
};
