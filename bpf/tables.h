/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps. What they mean and who writes them is told in include/xdirector/maps.h. */
#pragma once

#include "base.h"

/* A section of its own makes it a map of its own, read without a helper call. The loader pins and reuses it. */
volatile struct xd_settings settings SEC(".data.settings");

volatile struct xd_address_filter virtual_addresses SEC(".data.addresses");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XD_INTERFACES);
	__type(key, __u32);
	__type(value, struct xd_interface);
} interfaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XD_MAX_SERVICES);
	__type(key, struct xd_service_key);
	__type(value, __u32);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XD_MAX_SERVICES);
	__type(key, struct xd_service_key6);
	__type(value, __u32);
} services6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XD_MAX_MARKED_ADDRESSES);
	__type(key, struct xd_marked_address);
	__type(value, struct xd_port_ranges);
} port_marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XD_MAX_MARKED_ADDRESSES);
	__type(key, struct xd_marked_address6);
	__type(value, struct xd_port_ranges);
} port_marks6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XD_MAX_VIRTUAL_SERVERS);
	__type(key, __u32);
	__type(value, struct xd_virtual_server);
} virtual_servers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XD_SCHEDULE_BLOCKS);
	__type(key, __u32);
	__type(value, struct xd_schedule_block);
} schedules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XD_MAX_REAL_SERVERS);
	__type(key, __u32);
	__type(value, struct xd_real_server);
} real_servers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XD_MAX_LEASES);
	__type(key, __u32);
	__type(value, struct xd_lease);
} leases SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XD_DEFAULT_BUCKETS);
	__type(key, __u32);
	__type(value, struct xd_bucket);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XD_DEFAULT_BUCKETS6);
	__type(key, __u32);
	__type(value, struct xd_bucket6);
} connections6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XD_TEMPLATE_BUCKETS);
	__type(key, __u32);
	__type(value, struct xd_template_bucket);
} persistence SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, XD_MAX_FRAGMENTED);
	__type(key, struct xd_fragment_key);
	__type(value, struct xd_fragmented);
} fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, XD_MAX_VRRP_SEEN);
	__type(key, struct xd_vrrp_key);
	__type(value, struct xd_vrrp_seen);
} vrrp_seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xd_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XD_MAX_REAL_SERVERS);
	__type(key, __u32);
	__type(value, struct xd_real_server_stats);
} real_server_stats SEC(".maps");

static __always_inline struct xd_real_server *real_server_at(__u32 slot)
{
	return bpf_map_lookup_elem(&real_servers, &slot);
}

/* Seconds or so, cheaply: jiffies need neither a clock read nor a helper call. A way has the low 13 bits. */
static __always_inline __u32 current_tick(void)
{
	return bpf_jiffies64() >> settings.tick_shift;
}
