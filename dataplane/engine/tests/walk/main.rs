//! Whole walks, from frames in to frames out, in the simulator: rules as text, packets by another implementation, results as lines.

mod lab;

mod announced;
mod bursts;
mod churn;
mod cone;
mod connlabel;
mod connlimit;
mod content;
mod crew;
mod crew_churn;
mod crew_ipv6;
mod crew_nat;
mod events;
mod families;
mod filter;
mod fragments;
mod hashlimit;
mod helpers;
mod hostile;
mod inquiry;
mod ipv6;
mod ipv6_admit;
mod ipv6_fragments;
mod ipv6_headers;
mod mangle;
mod nat;
mod recent;
mod router;
mod sets;
mod state;
mod synproxy;
mod tee;
mod time;
mod told;
mod traces;
