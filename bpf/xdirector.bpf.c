// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The packet's way, as a table of contents: one step, one header. */
#include "base.h"
#include "tables.h"      /* the maps */
#include "parse.h"       /* bytes to addresses, ports, event */
#include "fragments.h"   /* later fragments follow the first */
#include "fence.h"       /* ARP and ND for an address that is not ours any more */
#include "interfaces.h"  /* is the frame for us? from a peer director? */
#include "connections.h" /* the tables: find, touch, place, settle */
#include "services.h"    /* which virtual server? */
#include "persistence.h" /* which real server had this client? */
#include "schedule.h"    /* which real server is next? */
#include "follow.h"      /* a known connection */
#include "begin.h"       /* a new one */
#include "rewrite.h"     /* new MAC addresses, and out */
#include "count.h"       /* one verdict per packet */
#include "wire.h"        /* VRRP is noted, before any firewall can drop it */
#include "fast.h"        /* the same at once for most packets: of an established connection */
#include "egress.h"      /* and what this host says itself: no claim to an address that is not ours any more */

/* Reads the frame. NO_VERDICT: it has a flow. A later fragment has its verdict, and the slot that goes with it. */
SUBPROGRAM int packet_read(struct xdp_md *ctx, struct xd_flow *flow)
{
	struct xd_cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	__be16 protocol = parse_link(&cursor);
	struct xd_cursor network = cursor;
	int verdict;

	if (!flow)
		return verdict_dropped_bad_table;
	if (protocol != bpf_htons(ETH_P_IP)) {
		verdict = fence_check(&cursor, protocol);
		if (verdict != NO_VERDICT)
			return verdict;
	}
	if ((void *)(long)ctx->data + sizeof(struct xd_ethernet) > cursor.end)
		return verdict_passed_malformed;
	verdict = frame_judge((void *)(long)ctx->data, ctx->ingress_ifindex);
	if (verdict == TO_VIRTUAL_MAC)
		verdict = fence_virtual_mac(cursor, protocol);
	if (verdict == NO_VERDICT) {
		flow->tick = current_tick();
		verdict = protocol == bpf_htons(ETH_P_IP) ? parse_ipv4(&cursor, flow) : parse_ipv6(&cursor, flow);
		if (verdict == NO_VERDICT)
			return flow->fragment == FRAGMENT_LATER ? fragment_follow(flow) : NO_VERDICT;
	}
	wire_watch(ctx, network, protocol);
	return verdict;
}

/* The verdict; with one that forwards, the flow's slot is set. */
static __always_inline int flow_direct(struct xd_flow *flow)
{
	int verdict = verdict_forwarded;

	if (!(flow_is_ipv6(flow) ? connection_follow6(flow) : connection_follow4(flow)))
		verdict = connection_begin(flow);
	if (flow->fragment == FRAGMENT_FIRST && verdict_forwards(verdict))
		fragment_learn(flow);
	return verdict;
}

/* To its real server. */
static __always_inline int packet_send(struct xdp_md *ctx, __u32 bytes, __u32 slot, int *verdict)
{
	struct xd_real_server *server = real_server_at(slot);
	void *frame = (void *)(long)ctx->data;
	__u64 target;

	if (!server || frame + sizeof(struct xd_ethernet) > (void *)(long)ctx->data_end) {
		*verdict = verdict_dropped_bad_table;
		return XDP_DROP;
	}
	target = READ_ONCE(server->target);
	if (target_delivery(target) == XD_UNKNOWN) {
		*verdict = verdict_dropped_no_mac;
		return XDP_DROP;
	}
	count_forwarded(slot, bytes, *verdict);
	if (target_delivery(target) == XD_LOCAL) {
		*verdict = verdict_passed_local;
		return XDP_PASS;
	}
	rewrite_macs(frame, target, READ_ONCE(server->source));
	return rewrite_send(ctx->ingress_ifindex, server);
}

static __always_inline int packet_process(struct xdp_md *ctx, __u32 bytes)
{
	struct xd_flow flow; /* not set before it is needed: most packets do not come so far */
	int action = fast_path(ctx, bytes, &flow);
	int verdict = NO_VERDICT;

	if (likely(action >= 0))
		return action;
	if (action == NOT_READ) {
		flow = (struct xd_flow){};
		verdict = packet_read(ctx, &flow);
	}
	if (verdict == NO_VERDICT)
		verdict = flow_direct(&flow);
	action = XDP_PASS;
	if (verdict_forwards(verdict))
		action = packet_send(ctx, bytes, flow.slot, &verdict);
	else if (verdict_drops(verdict))
		action = XDP_DROP;
	count_verdict(verdict);
	return action;
}

SEC("xdp")
int xdirector(struct xdp_md *ctx)
{
	return packet_process(ctx, ctx->data_end - ctx->data);
}

/* The same for frames of several buffers, of which data to data_end is the first: no header lies beyond it. */
SEC("xdp.frags")
int xdirector_frags(struct xdp_md *ctx)
{
	return packet_process(ctx, bpf_xdp_get_buff_len(ctx));
}

char _license[] SEC("license") = "Dual BSD/GPL";
