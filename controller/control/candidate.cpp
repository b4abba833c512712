// SPDX-License-Identifier: Apache-2.0
#include "control/candidate.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "config/load.hpp"
#include "control/command_check.hpp"

namespace control {

Candidate read_candidate(const std::string& file, Network& network, bool generic) {
  Candidate candidate;
  auto loaded = config::load_file(file);
  if (!loaded) {
    for (const config::Diagnostic& diagnostic : loaded.error()) candidate.errors.push_back(diagnostic.str());
    candidate.exit_code = kExitConfiguration;
    return candidate;
  }
  for (const config::Diagnostic& warning : loaded->warnings) base::log::warning("{}", warning.str());
  candidate.config = std::move(loaded->config);
  for (const std::string& problem : command_problems(candidate.config)) base::log::warning("{}", problem);
  const HostFindings findings = network.check(candidate.config, generic);
  std::vector<std::string> problems = network.problems(candidate.config);
  problems.insert(problems.end(), findings.contradictions.begin(), findings.contradictions.end());
  for (const Finding& finding : findings.interfaces) {
    if (finding.severity == Severity::refuse) problems.push_back(finding.str());
  }
  for (const std::string& problem : problems) {
    candidate.errors.push_back(fmt::format("{}: {}", file, problem));
    candidate.exit_code = 1;
  }
  return candidate;
}

}  // namespace control
