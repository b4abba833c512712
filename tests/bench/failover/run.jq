# SPDX-License-Identifier: Apache-2.0
# One run as run.sh writes it: what follows from it.

def addresses: {"director-1": "192.168.100.244", "director-2": "192.168.100.145"};

# Who had the VIP before, and who may take it.
def former: if .event == "failback" or .event == "carrier_back" or .event == "thaw" then "director-2" else "director-1" end;
def taker: if former == "director-1" then "director-2" else "director-1" end;

# From the event to the taker's first announcement, or its first answer should that be earlier; null: it never took it.
def takeover:
  taker as $taker
  | [.announcements[.macs[$taker]].first_ms, .services.director.answers[$taker].first_ms] | map(values) | min;

# The last that was heard of the former one: advertisements, and answers to the client.
def former_advertised: .advertisements[addresses[former]].last_ms;
def former_answered: .services.director.answers[former].last_ms;

def outage: .services.director.outage_ms;
def lost: .services.director.lost;
def outage_balanced: .services.balanced.outage_ms;
def lost_balanced: .services.balanced.lost;

def rounded: if . == null then "-" elif . < 10 then (. * 10 | round) / 10 else round end;

def line:
  "\(.kind) \(.event): takeover \(takeover | rounded) ms, outage \(outage | rounded) ms, \(lost) lost; "
  + (if .services.balanced then "balanced: outage \(outage_balanced | rounded) ms, \(lost_balanced) lost; " else "" end)
  + "ARP answered twice \(.arp.twice), never \(.arp.unanswered) of \(.arp.requests); "
  + (if has("replaced_ms") then "replaced after \(.replaced_ms | rounded) ms; " else "" end)
  + "former's last advertisement \(former_advertised | rounded) ms, answer \(former_answered | rounded) ms; "
  + "the prober paused for \(.pause_ms | rounded) ms at most, load \(.load)";
