// SPDX-License-Identifier: Apache-2.0
// The connections and persistence templates of this host, for people: read from the pinned tables, with or without a
// daemon, and never written.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "dataplane/entry.hpp"
#include "dataplane/map.hpp"
#include "dataplane/tick_clock.hpp"
#include "model/tables.hpp"
#include "xdirector/maps.h"

namespace dataplane {

struct Connection {
  model::Protocol protocol = model::Protocol::tcp;
  base::Ip client;
  uint16_t client_port = 0;
  base::Ip virtual_address;
  uint16_t virtual_port = 0;
  model::RealServerKey real_server;
  xd_connection_state state = XD_OPENING;
  base::Duration age{};      // since its last packet
  base::Duration expires{};  // from now, unless there is another packet
};

struct PersistenceTemplate {
  base::Ip client;  // its leading `prefix` bits
  uint8_t prefix = 0;
  model::VirtualServerKey virtual_server;
  model::RealServerKey real_server;
  base::Duration expires{};
};

class PinnedTables {
 public:
  static base::Result<PinnedTables> open();

  // What has expired, or is being written just now, is left out.
  void for_each_connection(const std::function<void(const Connection&)>& visit) const;
  void for_each_template(const std::function<void(const PersistenceTemplate&)>& visit) const;

 private:
  explicit PinnedTables(TickClock clock) : clock_(std::move(clock)) {}
  base::Result<> map();
  template <typename Bucket, typename Visit>
  void entries(std::span<const Bucket> buckets, const Visit& visit) const;
  base::Duration duration(uint32_t ticks) const;
  Connection describe(const Entry& entry, bool ipv6, const xd_real_server& server, uint32_t now) const;
  PersistenceTemplate describe(const Entry& entry, const xd_virtual_server& server, uint32_t now) const;

  TickClock clock_;
  xd_settings settings_{};
  MappedArray<const xd_bucket> connections_;
  MappedArray<const xd_bucket6> connections6_;
  MappedArray<const xd_template_bucket> templates_;
  MappedArray<const xd_real_server> real_servers_;
  MappedArray<const xd_virtual_server> virtual_servers_;
};

}  // namespace dataplane
