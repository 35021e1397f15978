//! Timeout policies: lifetimes that a `CT --timeout` rule gives to its flows instead of everybody's.
//!
//! Protocols and states are named as `nfct` names them. A policy is of one family and one tracker; times that it does not set are the
//! sysctls'.

use packet::{FamilyId, protocol};

use super::settings::Timeouts;

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What rules call it.
    pub name: String,
    /// The family of its flows.
    pub family: FamilyId,
    /// Who tracks its flows.
    pub tracker: Tracker,
    /// Its times.
    pub timeouts: Timeouts,
}

impl Policy {
    /// May a rule of this protocol name it?
    pub fn fits(&self, number: u8) -> bool {
        self.tracker == Tracker::of(number)
    }
}

/// Who tracks a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the protocol of its name")]
pub enum Tracker {
    Tcp,
    Udp,
    Udplite,
    Sctp,
    Icmp,
    Icmpv6,
    Gre,
    /// Every other protocol.
    Generic,
}

/// A time of a policy.
pub type State = (&'static str, fn(&mut Timeouts) -> &mut u32);

impl Tracker {
    /// Every tracker.
    pub const ALL: [Self; 8] =
        [Self::Tcp, Self::Udp, Self::Udplite, Self::Sctp, Self::Icmp, Self::Icmpv6, Self::Gre, Self::Generic];

    /// Who tracks packets of this protocol.
    pub fn of(number: u8) -> Self {
        match number {
            protocol::TCP => Self::Tcp,
            protocol::UDP => Self::Udp,
            protocol::UDPLITE => Self::Udplite,
            protocol::SCTP => Self::Sctp,
            protocol::ICMP => Self::Icmp,
            protocol::ICMPV6 => Self::Icmpv6,
            protocol::GRE => Self::Gre,
            _ => Self::Generic,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Udplite => "udplite",
            Self::Sctp => "sctp",
            Self::Icmp => "icmp",
            Self::Icmpv6 => "icmpv6",
            Self::Gre => "gre",
            Self::Generic => "generic",
        }
    }

    /// Does it track flows of this family?
    pub fn tracks(self, family: FamilyId) -> bool {
        match self {
            Self::Icmp => family == FamilyId::Ipv4,
            Self::Icmpv6 => family == FamilyId::Ipv6,
            _ => true,
        }
    }

    /// The times that a policy for it has.
    pub fn states(self) -> &'static [State] {
        match self {
            Self::Tcp => &[
                ("syn_sent", |t| &mut t.tcp_syn_sent),
                ("syn_recv", |t| &mut t.tcp_syn_recv),
                ("established", |t| &mut t.tcp_established),
                ("fin_wait", |t| &mut t.tcp_fin_wait),
                ("close_wait", |t| &mut t.tcp_close_wait),
                ("last_ack", |t| &mut t.tcp_last_ack),
                ("time_wait", |t| &mut t.tcp_time_wait),
                ("close", |t| &mut t.tcp_close),
                ("syn_sent2", |t| &mut t.tcp_syn_sent2),
                ("retrans", |t| &mut t.tcp_max_retrans),
                ("unacknowledged", |t| &mut t.tcp_unacknowledged),
            ],
            Self::Udp | Self::Udplite => &[("unreplied", |t| &mut t.udp), ("replied", |t| &mut t.udp_stream)],
            Self::Sctp => &[
                ("closed", |t| &mut t.sctp_closed),
                ("cookie_wait", |t| &mut t.sctp_cookie_wait),
                ("cookie_echoed", |t| &mut t.sctp_cookie_echoed),
                ("established", |t| &mut t.sctp_established),
                ("shutdown_sent", |t| &mut t.sctp_shutdown_sent),
                ("shutdown_recd", |t| &mut t.sctp_shutdown_recd),
                ("shutdown_ack_sent", |t| &mut t.sctp_shutdown_ack_sent),
            ],
            Self::Icmp => &[("timeout", |t| &mut t.icmp)],
            Self::Icmpv6 => &[("timeout", |t| &mut t.icmpv6)],
            Self::Gre => &[("unreplied", |t| &mut t.gre), ("replied", |t| &mut t.gre_stream)],
            Self::Generic => &[("timeout", |t| &mut t.generic)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_time_of_its_own() {
        for tracker in Tracker::ALL {
            let mut timeouts = Timeouts::default();
            for (at, (_, place)) in tracker.states().iter().enumerate() {
                *place(&mut timeouts) = 1_000 + at as u32;
            }
            for (at, (name, place)) in tracker.states().iter().enumerate() {
                assert_eq!(*place(&mut timeouts), 1_000 + at as u32, "{}: {name}", tracker.name());
            }
        }
    }

    #[test]
    fn a_policy_is_for_what_its_tracker_tracks() {
        let policy = |tracker| Policy { name: "p".into(), family: FamilyId::Ipv4, tracker, timeouts: Timeouts::default() };
        assert!(policy(Tracker::Generic).fits(99) && policy(Tracker::Generic).fits(255) && !policy(Tracker::Generic).fits(58));
        assert!(policy(Tracker::Udplite).fits(136) && !policy(Tracker::Udp).fits(136));
        assert!(Tracker::Icmp.tracks(FamilyId::Ipv4) && !Tracker::Icmpv6.tracks(FamilyId::Ipv4));
    }
}
