//! Timeout policies that the rules of cases may name. The kernel gets them from `nfct`, the engine with its settings, the daemons by their
//! configuration.
//!
//! Times are hundreds of seconds, each of its own, so that the one of a connection shows which state of which policy it is from; what passes while a
//! case runs does not change the hundred.

use std::fmt::Write;

use engine::conntrack::policy::Tracker;
use engine::conntrack::{Policy, Settings};
use packet::FamilyId;

/// Name, protocol in the words of `nfct`, and times.
type Entry = (&'static str, &'static str, &'static [(&'static str, u32)]);

/// In IPv4 a name begins with `v`, in IPv6 with `w`: a name has one policy.
const POLICIES: [Entry; 9] = [
    (
        "tcp",
        "tcp",
        &[
            ("syn_sent", 1000),
            ("syn_recv", 1100),
            ("established", 3000),
            ("fin_wait", 1700),
            ("close_wait", 1800),
            ("last_ack", 1900),
            ("time_wait", 2100),
            ("close", 1400),
            ("syn_sent2", 1600),
            ("retrans", 1500),
            ("unacknowledged", 2500),
        ],
    ),
    // The other states have everybody's times.
    ("few", "tcp", &[("established", 3500), ("unacknowledged", 2700), ("time_wait", 2300)]),
    ("udp", "udp", &[("unreplied", 4100), ("replied", 4200)]),
    ("lit", "udplite", &[("unreplied", 4300), ("replied", 4400)]),
    (
        "sct",
        "sctp",
        &[
            ("closed", 5100),
            ("cookie_wait", 5200),
            ("cookie_echoed", 5300),
            ("established", 5400),
            ("shutdown_sent", 5500),
            ("shutdown_recd", 5600),
            ("shutdown_ack_sent", 5700),
        ],
    ),
    ("icm", "icmp", &[("timeout", 6100)]),
    ("ic6", "icmpv6", &[("timeout", 6200)]),
    ("gre", "gre", &[("unreplied", 7100), ("replied", 7200)]),
    ("gen", "generic", &[("timeout", 8100)]),
];

/// The name of a policy in a family.
pub fn name(of: &str, ipv6: bool) -> String {
    format!("{}{of}", if ipv6 { 'w' } else { 'v' })
}

/// Every time of every policy.
pub fn times() -> impl Iterator<Item = u32> {
    POLICIES.iter().flat_map(|(_, _, times)| times.iter().map(|(_, seconds)| *seconds))
}

fn all() -> impl Iterator<Item = (bool, &'static Entry)> {
    let of = |family| POLICIES.iter().filter(move |(_, protocol, _)| tracker(protocol).tracks(family));
    of(FamilyId::Ipv4).map(|entry| (false, entry)).chain(of(FamilyId::Ipv6).map(|entry| (true, entry)))
}

fn tracker(protocol: &str) -> Tracker {
    Tracker::ALL.into_iter().find(|tracker| tracker.name() == protocol).unwrap_or(Tracker::Generic)
}

/// As the engine has them.
pub fn of_the_engine() -> Vec<Policy> {
    let policy = |(ipv6, (of, protocol, times)): (bool, &Entry)| {
        let tracker = tracker(protocol);
        let mut timeouts = Settings::default().timeouts;
        for (state, seconds) in *times {
            let place = tracker.states().iter().find(|(name, _)| name == state);
            *place.unwrap_or_else(|| unreachable!("{protocol} has no {state}")).1(&mut timeouts) = *seconds;
        }
        let family = if ipv6 { FamilyId::Ipv6 } else { FamilyId::Ipv4 };
        Policy { name: name(of, ipv6), family, tracker, timeouts }
    };
    all().map(policy).collect()
}

/// What makes them in the kernel: words behind `nfct`.
pub fn of_the_kernel() -> Vec<Vec<String>> {
    let words = |(ipv6, (of, protocol, times)): (bool, &Entry)| {
        let family = if ipv6 { "inet6" } else { "inet" };
        let mut words = vec!["add".into(), "timeout".into(), name(of, ipv6), family.into(), (*protocol).to_owned()];
        words.extend(times.iter().flat_map(|(state, seconds)| [(*state).to_owned(), seconds.to_string()]));
        words
    };
    all().map(words).collect()
}

/// As the dataplane's configuration has them.
pub fn of_the_configuration() -> String {
    let mut toml = String::new();
    for (ipv6, (of, protocol, times)) in all() {
        let family = if ipv6 { "inet6" } else { "inet" };
        // Writing to a String cannot fail.
        let _ =
            writeln!(toml, "[dataplane.conntrack.timeout.{}]\nfamily = \"{family}\"\nprotocol = \"{protocol}\"", name(of, ipv6));
        for (state, seconds) in *times {
            let _ = writeln!(toml, "{state} = {seconds}");
        }
        toml.push('\n');
    }
    toml
}

/// Seconds as they are compared: the nearest hundred.
pub(crate) fn rounded(seconds: u32) -> u32 {
    (seconds + 50) / 100 * 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_told_from_all_others() {
        let mut all: Vec<u32> = times().map(rounded).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(times().all(|time| rounded(time) == time && rounded(time - 1) == time));
        assert_eq!(of_the_engine().len(), of_the_kernel().len());
        assert!(of_the_engine().iter().all(|policy| policy.name.len() <= 4), "longer ones cannot be read back from the kernel");
    }
}
