// SPDX-License-Identifier: Apache-2.0
// Connections and persistence templates as lines of text, and as JSON. Pure; made for millions of them.
#pragma once

#include <fmt/format.h>

#include "dataplane/pinned_tables.hpp"

namespace cli {

using Buffer = fmt::memory_buffer;

// Above the first row. Addresses of IPv6 need wider columns.
void append_heading(Buffer& to, const dataplane::Connection& first);
void append_heading(Buffer& to, const dataplane::PersistenceTemplate& first);

void append_row(Buffer& to, const dataplane::Connection& connection);
void append_row(Buffer& to, const dataplane::PersistenceTemplate& persistence_template);

void append_json(Buffer& to, const dataplane::Connection& connection);  // one object, without a line's end
void append_json(Buffer& to, const dataplane::PersistenceTemplate& persistence_template);

}  // namespace cli
