//! The engine's knobs from the configuration.

use engine::conntrack::policy::Tracker;
use engine::conntrack::{self, Policy, Timeouts};
use engine::snapshot::Settings;

use crate::config::{Conntrack, Dataplane, TimeoutPolicy};

/// The settings that the configuration asks for.
pub fn of(config: &Dataplane) -> Settings {
    Settings {
        conntrack: conntrack(&config.conntrack),
        icmp_ratelimit: config.icmp_ratelimit,
        icmpv6_ratelimit: config.icmpv6_ratelimit,
    }
}

fn conntrack(c: &Conntrack) -> conntrack::Settings {
    let timeouts = timeouts(c);
    conntrack::Settings {
        policies: c.timeout.iter().filter_map(|(name, wanted)| policy(name.get_ref(), wanted, timeouts)).collect(),
        timeouts,

        acct: c.nf_conntrack_acct,
        checksum: c.nf_conntrack_checksum,
        tcp_loose: c.nf_conntrack_tcp_loose,
        tcp_be_liberal: c.nf_conntrack_tcp_be_liberal,
        tcp_ignore_invalid_rst: c.nf_conntrack_tcp_ignore_invalid_rst,
        tcp_max_retrans: c.nf_conntrack_tcp_max_retrans,
        sip_direct_signalling: c.sip_direct_signalling,
        sip_direct_media: c.sip_direct_media,
        sip_external_media: c.sip_external_media,
        sip_timeout: c.sip_timeout,
    }
}

fn timeouts(c: &Conntrack) -> Timeouts {
    Timeouts {
        tcp_syn_sent: c.nf_conntrack_tcp_timeout_syn_sent,
        tcp_syn_recv: c.nf_conntrack_tcp_timeout_syn_recv,
        tcp_established: c.nf_conntrack_tcp_timeout_established,
        tcp_fin_wait: c.nf_conntrack_tcp_timeout_fin_wait,
        tcp_close_wait: c.nf_conntrack_tcp_timeout_close_wait,
        tcp_last_ack: c.nf_conntrack_tcp_timeout_last_ack,
        tcp_time_wait: c.nf_conntrack_tcp_timeout_time_wait,
        tcp_close: c.nf_conntrack_tcp_timeout_close,
        tcp_max_retrans: c.nf_conntrack_tcp_timeout_max_retrans,
        tcp_unacknowledged: c.nf_conntrack_tcp_timeout_unacknowledged,
        udp: c.nf_conntrack_udp_timeout,
        udp_stream: c.nf_conntrack_udp_timeout_stream,
        sctp_closed: c.nf_conntrack_sctp_timeout_closed,
        sctp_cookie_wait: c.nf_conntrack_sctp_timeout_cookie_wait,
        sctp_cookie_echoed: c.nf_conntrack_sctp_timeout_cookie_echoed,
        sctp_established: c.nf_conntrack_sctp_timeout_established,
        sctp_shutdown_sent: c.nf_conntrack_sctp_timeout_shutdown_sent,
        sctp_shutdown_recd: c.nf_conntrack_sctp_timeout_shutdown_recd,
        sctp_shutdown_ack_sent: c.nf_conntrack_sctp_timeout_shutdown_ack_sent,
        sctp_heartbeat_sent: c.nf_conntrack_sctp_timeout_heartbeat_sent,
        icmp: c.nf_conntrack_icmp_timeout,
        icmpv6: c.nf_conntrack_icmpv6_timeout,
        gre: c.nf_conntrack_gre_timeout,
        gre_stream: c.nf_conntrack_gre_timeout_stream,
        generic: c.nf_conntrack_generic_timeout,
        // Times that have no sysctl.
        ..Timeouts::default()
    }
}

/// The configuration was checked: its protocol is known, and so are its states.
fn policy(name: &str, wanted: &TimeoutPolicy, mut timeouts: Timeouts) -> Option<Policy> {
    let tracker = Tracker::ALL.into_iter().find(|tracker| tracker.name() == wanted.protocol.get_ref())?;
    for (state, place) in tracker.states() {
        if let Some(seconds) = wanted.states.get(*state) {
            *place(&mut timeouts) = *seconds;
        }
    }
    Some(Policy { name: name.to_owned(), family: wanted.family.id(), tracker, timeouts })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    const PORT: &str = "[[dataplane.port]]\nname = \"eth0\"\ndevice = \"net_null0\"\n";

    fn parse(keys: &str) -> conntrack::Settings {
        let text = format!("{PORT}[dataplane.conntrack]\n{keys}");
        of(&Config::parse(Path::new("t.toml"), &text).unwrap().dataplane).conntrack
    }

    #[test]
    fn without_a_key_every_knob_is_the_kernels() {
        assert_eq!(parse(""), conntrack::Settings::default());
    }

    #[test]
    fn the_pace_of_icmp_errors_is_the_kernels_unless_a_key_says_otherwise() {
        let paced =
            |keys: &str| of(&Config::parse(Path::new("t.toml"), &format!("[dataplane]\n{keys}\n{PORT}")).unwrap().dataplane);
        assert_eq!(paced(""), Settings::default());
        let apart = paced("icmp_ratelimit = 0\nicmpv6_ratelimit = 5");
        assert_eq!((apart.icmp_ratelimit, apart.icmpv6_ratelimit), (0, 5));
    }

    #[test]
    fn a_timeout_policy_has_its_own_times_and_the_sysctls_others() {
        let settings = parse(
            "nf_conntrack_tcp_timeout_close = 4\n[dataplane.conntrack.timeout.slow]\nprotocol = \"tcp\"\nestablished = 100\n\
             [dataplane.conntrack.timeout.dns]\nprotocol = \"udp\"\nfamily = \"inet6\"\nunreplied = 2\n",
        );
        let [dns, slow] = &*settings.policies else { panic!("{:?}", settings.policies) };
        assert_eq!((dns.name.as_str(), dns.tracker, dns.family), ("dns", Tracker::Udp, packet::FamilyId::Ipv6));
        assert_eq!((dns.timeouts.udp, dns.timeouts.udp_stream), (2, 120));
        assert_eq!((slow.name.as_str(), slow.tracker, slow.family), ("slow", Tracker::Tcp, packet::FamilyId::Ipv4));
        assert_eq!((slow.timeouts.tcp_established, slow.timeouts.tcp_close), (100, 4));
        assert_eq!(settings.timeouts.tcp_established, 432_000);
    }

    #[test]
    fn every_knob_of_the_engine_is_a_key_that_reaches_it() {
        for name in Timeouts::NAMES {
            assert_eq!(parse(&format!("{name} = 7")).get(name), Some(7), "{name}");
        }
        for name in conntrack::Settings::NAMES {
            let (value, expected) = match *name {
                "nf_conntrack_tcp_max_retrans" | "sip_timeout" => ("7", 7),
                "nf_conntrack_checksum" | "nf_conntrack_tcp_loose" | "sip_direct_signalling" | "sip_direct_media" => ("false", 0),
                _ => ("true", 1),
            };
            assert_eq!(parse(&format!("{name} = {value}")).get(name), Some(expected), "{name}");
        }
    }
}
