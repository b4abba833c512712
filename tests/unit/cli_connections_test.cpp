// SPDX-License-Identifier: Apache-2.0
// What `xdirector connections` selects and how it prints it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/connection_filter.hpp"
#include "cli/connection_text.hpp"

namespace cli {
namespace {

base::Ip ip(const char* text) {
  return *base::Ip::parse(text);
}

dataplane::Connection connection() {
  return {.protocol = model::Protocol::tcp,
          .client = ip("192.168.100.31"),
          .client_port = 40000,
          .virtual_address = ip("192.168.100.111"),
          .virtual_port = 8005,
          .real_server = {ip("192.168.100.34"), 9814},
          .state = XD_YOUNG,
          .age = std::chrono::milliseconds(3072),
          .expires = std::chrono::seconds(897)};
}

dataplane::Connection connection6() {
  dataplane::Connection c = connection();
  c.client = ip("2001:db8::31");
  c.virtual_address = ip("2001:db8::111");
  c.real_server = {ip("2001:db8::34"), 9814};
  return c;
}

dataplane::PersistenceTemplate persistence_template() {
  return {.client = ip("192.168.100.0"),
          .prefix = 24,
          .virtual_server = {.mark = 300},
          .real_server = {ip("192.168.100.34"), 9814},
          .expires = std::chrono::seconds(899)};
}

template <typename Row>
std::string row(const Row& value) {
  Buffer buffer;
  append_row(buffer, value);
  return fmt::to_string(buffer);
}

template <typename Row>
nlohmann::json json(const Row& value) {
  Buffer buffer;
  append_json(buffer, value);
  return nlohmann::json::parse(fmt::to_string(buffer));
}

bool client_matches(const char* filter, const dataplane::Connection& c) {
  ConnectionFilter all;
  all.client = Network::parse(filter);
  EXPECT_TRUE(all.client) << filter;
  return all.matches(c);
}

}  // namespace

TEST(ConnectionFilter, SelectsClientsByAddressAndByNetwork) {
  EXPECT_TRUE(client_matches("192.168.100.31", connection()));
  EXPECT_FALSE(client_matches("192.168.100.32", connection()));
  EXPECT_TRUE(client_matches("192.168.100.16/28", connection()));
  EXPECT_FALSE(client_matches("192.168.100.32/28", connection()));
  EXPECT_TRUE(client_matches("0.0.0.0/0", connection()));
  EXPECT_TRUE(client_matches("2001:db8::/64", connection6()));
  EXPECT_FALSE(client_matches("2001:db8:0:1::/64", connection6()));
  EXPECT_FALSE(client_matches("::/0", connection())) << "the other family";
}

TEST(ConnectionFilter, SelectsRealAndVirtualServersWithOrWithoutAPort) {
  for (const char* text : {"192.168.100.34", "192.168.100.34:9814"}) {
    EXPECT_TRUE(ConnectionFilter{.real_server = Endpoint::parse(text)}.matches(connection())) << text;
  }
  for (const char* text : {"192.168.100.35", "192.168.100.34:9815"}) {
    EXPECT_FALSE(ConnectionFilter{.real_server = Endpoint::parse(text)}.matches(connection())) << text;
  }
  EXPECT_TRUE(ConnectionFilter{.virtual_server = Endpoint::parse("[2001:db8::111]:8005")}.matches(connection6()));
  EXPECT_FALSE(ConnectionFilter{.virtual_server = Endpoint::parse("[2001:db8::111]:8006")}.matches(connection6()));
}

TEST(ConnectionFilter, TakesYoungAndProvenForEstablished) {
  dataplane::Connection c = connection();
  const ConnectionFilter established{.state = parse_state("established")};
  EXPECT_TRUE(established.matches(c));
  c.state = XD_PROVEN;
  EXPECT_TRUE(established.matches(c));
  c.state = XD_CLOSING;
  EXPECT_FALSE(established.matches(c));
  EXPECT_TRUE(ConnectionFilter{.state = parse_state("closing")}.matches(c));
}

TEST(ConnectionFilter, ATemplateOfManyClientsMatchesEachOfThem) {
  const dataplane::PersistenceTemplate t = persistence_template();
  for (const char* text : {"192.168.100.7", "192.168.100.128/25", "192.168.0.0/16"}) {
    EXPECT_TRUE(ConnectionFilter{.client = Network::parse(text)}.matches(t)) << text;
  }
  EXPECT_FALSE(ConnectionFilter{.client = Network::parse("192.168.101.7")}.matches(t));
  EXPECT_FALSE(ConnectionFilter{.virtual_server = Endpoint::parse("192.168.100.111")}.matches(t)) << "it is a mark's";
}

TEST(ConnectionFilter, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "192.168.100", "192.168.100.0/33", "192.168.100.0/", "2001:db8::/129", "a/8", "/8"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
  for (const char* text : {"", "192.168.100.34:", "192.168.100.34:0", "192.168.100.34:65536", "[192.168.100.34]:80",
                           "[2001:db8::34]", "2001:db8::34:x", ":80"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
  EXPECT_FALSE(parse_state("proven"));
}

TEST(ConnectionText, RowsStandUnderTheirHeadings) {
  Buffer heading;
  append_heading(heading, connection());
  const std::string head = fmt::to_string(heading), line = row(connection());
  EXPECT_EQ(line, "TCP     3     897 established 192.168.100.31:40000  192.168.100.111:8005  192.168.100.34:9814\n");
  EXPECT_EQ(head.find("client"), line.find("192.168.100.31"));
  EXPECT_EQ(head.find("virtual"), line.find("192.168.100.111"));
  EXPECT_EQ(head.find("real server"), line.find("192.168.100.34"));
}

TEST(ConnectionText, AnIpv6RowHasRoomForItsAddresses) {
  Buffer heading;
  append_heading(heading, connection6());
  EXPECT_EQ(fmt::to_string(heading).find("virtual"), row(connection6()).find("[2001:db8::111]:8005"));
}

TEST(ConnectionText, ATemplateTellsItsNetworkAndItsVirtualServer) {
  EXPECT_EQ(row(persistence_template()),
            "    899 192.168.100.0/24      TCP fwmark 300                 192.168.100.34:9814\n");
}

TEST(ConnectionText, JsonHasTheSameInParts) {
  EXPECT_EQ(json(connection6()), (nlohmann::json{{"protocol", "TCP"},
                                                 {"age", 3},
                                                 {"expires", 897},
                                                 {"state", "established"},
                                                 {"client", "2001:db8::31"},
                                                 {"client_port", 40000},
                                                 {"virtual", "2001:db8::111"},
                                                 {"virtual_port", 8005},
                                                 {"real_server", "2001:db8::34"},
                                                 {"real_server_port", 9814}}));
  EXPECT_EQ(json(persistence_template()), (nlohmann::json{{"expires", 899},
                                                          {"client", "192.168.100.0"},
                                                          {"prefix", 24},
                                                          {"virtual_server", "TCP fwmark 300"},
                                                          {"real_server", "192.168.100.34"},
                                                          {"real_server_port", 9814}}));
}

}  // namespace cli
