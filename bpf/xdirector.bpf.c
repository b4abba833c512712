// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The packet's way, as a table of contents: one step, one header. */
#include "base.h"
#include "tables.h"      /* the maps */
#include "parse.h"       /* bytes to addresses, ports, event */
#include "fence.h"       /* ARP for an address that is not ours any more */
#include "interfaces.h"  /* is the frame for us? */
#include "connections.h" /* the table: find, touch, place, settle */
#include "services.h"    /* which virtual server? */
#include "persistence.h" /* which real server had this client? */
#include "schedule.h"    /* which real server is next? */
#include "follow.h"      /* a known connection */
#include "begin.h"       /* a new one */
#include "rewrite.h"     /* new MAC addresses, and out */
#include "count.h"       /* one verdict per packet */

/* Fills in the packet's flow, or says why it has none. */
static __always_inline int packet_parse(struct xdp_md *ctx, struct xd_packet *packet)
{
	struct xd_cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	__be16 protocol;

	packet->frame = cursor.at;
	packet->bytes = cursor.end - cursor.at;
	packet->ifindex = ctx->ingress_ifindex;
	protocol = parse_link(&cursor);
	if (unlikely(!protocol))
		return verdict_passed_malformed;
	if (unlikely(protocol == bpf_htons(ETH_P_ARP)))
		return fence_arp(&cursor);
	if (unlikely(protocol != bpf_htons(ETH_P_IP)))
		return verdict_passed_not_ip;
	if (!frame_is_ours(packet->frame, packet->ifindex))
		return verdict_passed_not_ours;
	packet->flow.tick = current_tick();
	return parse_ipv4(&cursor, &packet->flow);
}

/* The real server that the flow goes to, and by which verdict. */
static __always_inline int packet_direct(struct xd_flow *flow, struct xd_real_server **server)
{
	struct xd_flow copy;
	int verdict;

	*server = connection_follow(flow);
	if (likely(*server))
		return verdict_forwarded;
	copy = *flow; /* so that the flow itself can stay in registers */
	verdict = connection_begin(&copy);
	flow->slot = copy.slot;
	if (verdict_forwards(verdict))
		*server = real_server_at(flow->slot);
	return verdict;
}

static __always_inline int packet_send(struct xd_packet *packet, struct xd_real_server *server, int *verdict)
{
	__u64 target = READ_ONCE(server->target);

	if (unlikely(!target_has_mac(target))) {
		*verdict = verdict_dropped_no_mac;
		return XDP_DROP;
	}
	rewrite_macs(packet->frame, target, READ_ONCE(server->source));
	count_forwarded(packet->flow.slot, packet->bytes, *verdict);
	return rewrite_send(packet, server);
}

SEC("xdp")
int xdirector(struct xdp_md *ctx)
{
	struct xd_packet packet = {};
	struct xd_real_server *server = NULL;
	int action = XDP_PASS;
	int verdict = packet_parse(ctx, &packet);

	if (verdict == NO_VERDICT)
		verdict = packet_direct(&packet.flow, &server);
	if (server)
		action = packet_send(&packet, server, &verdict);
	else if (verdict_drops(verdict))
		action = XDP_DROP;
	count_verdict(verdict);
	return action;
}

/* The packet path's clock for the controller's sweep: no other clock is sure to agree with it to the tick. */
SEC("syscall")
int read_tick(void *ctx __attribute__((unused)))
{
	return current_tick();
}

char _license[] SEC("license") = "Dual BSD/GPL";
