//! The knobs of connection tracking, by the names that the kernel gives them under `net.netfilter`.
//!
//! Written by the control threads (from the configuration, before a snapshot is published), read by the workers.

use std::sync::Arc;

use packet::Family;
use thiserror::Error;

use super::entry::Flow;
use super::policy::Policy;

/// Why a knob was not set.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SettingError {
    /// There is no knob of this name.
    #[error("no such setting: {0}")]
    Unknown(String),
    /// The value is outside of what the knob takes.
    #[error("{name}: {value} is not within {least}..={most}")]
    OutOfRange {
        /// The knob.
        name: &'static str,
        /// What was asked for.
        value: u64,
        /// Least value taken.
        least: u64,
        /// Greatest value taken.
        most: u64,
    },
}

macro_rules! timeouts {
    ($($(#[$doc:meta])* $field:ident = $name:literal, $default:literal;)*) => {
        /// Seconds that an entry lives after its last packet, by protocol and state.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Timeouts {
            $($(#[$doc])* pub $field: u32,)*
            /// TCP, both ends sent a SYN. No sysctl has it; a policy can.
            pub tcp_syn_sent2: u32,
        }

        impl Default for Timeouts {
            /// The kernel's own.
            fn default() -> Self {
                Self { $($field: $default,)* tcp_syn_sent2: 120 }
            }
        }

        impl Timeouts {
            /// Every timeout by its sysctl name.
            pub const NAMES: &'static [&'static str] = &[$($name,)*];

            /// The timeout of this sysctl name.
            pub fn get(&self, name: &str) -> Option<u32> {
                match name {
                    $($name => Some(self.$field),)*
                    _ => None,
                }
            }

            fn place(&mut self, name: &str) -> Option<(&'static str, &mut u32)> {
                match name {
                    $($name => Some(($name, &mut self.$field)),)*
                    _ => None,
                }
            }
        }
    };
}

timeouts! {
    /// TCP, SYN seen.
    tcp_syn_sent = "nf_conntrack_tcp_timeout_syn_sent", 120;
    /// TCP, SYN/ACK seen.
    tcp_syn_recv = "nf_conntrack_tcp_timeout_syn_recv", 60;
    /// TCP, handshake done.
    tcp_established = "nf_conntrack_tcp_timeout_established", 432_000;
    /// TCP, first FIN seen.
    tcp_fin_wait = "nf_conntrack_tcp_timeout_fin_wait", 120;
    /// TCP, first FIN acknowledged.
    tcp_close_wait = "nf_conntrack_tcp_timeout_close_wait", 60;
    /// TCP, second FIN seen.
    tcp_last_ack = "nf_conntrack_tcp_timeout_last_ack", 30;
    /// TCP, second FIN acknowledged.
    tcp_time_wait = "nf_conntrack_tcp_timeout_time_wait", 120;
    /// TCP, RST seen.
    tcp_close = "nf_conntrack_tcp_timeout_close", 10;
    /// TCP, at most, once a segment was sent `nf_conntrack_tcp_max_retrans` times again, or the window is shut.
    tcp_max_retrans = "nf_conntrack_tcp_timeout_max_retrans", 300;
    /// TCP, at most, while data waits for its acknowledgement.
    tcp_unacknowledged = "nf_conntrack_tcp_timeout_unacknowledged", 300;
    /// UDP, until packets went both ways for two seconds.
    udp = "nf_conntrack_udp_timeout", 30;
    /// UDP, after that.
    udp_stream = "nf_conntrack_udp_timeout_stream", 120;
    /// SCTP, over.
    sctp_closed = "nf_conntrack_sctp_timeout_closed", 10;
    /// SCTP, INIT seen.
    sctp_cookie_wait = "nf_conntrack_sctp_timeout_cookie_wait", 3;
    /// SCTP, COOKIE ECHO seen.
    sctp_cookie_echoed = "nf_conntrack_sctp_timeout_cookie_echoed", 3;
    /// SCTP, COOKIE ACK seen.
    sctp_established = "nf_conntrack_sctp_timeout_established", 210;
    /// SCTP, the original side sent a SHUTDOWN.
    sctp_shutdown_sent = "nf_conntrack_sctp_timeout_shutdown_sent", 3;
    /// SCTP, the other side sent a SHUTDOWN.
    sctp_shutdown_recd = "nf_conntrack_sctp_timeout_shutdown_recd", 3;
    /// SCTP, SHUTDOWN ACK seen.
    sctp_shutdown_ack_sent = "nf_conntrack_sctp_timeout_shutdown_ack_sent", 3;
    /// SCTP, HEARTBEAT seen alone.
    sctp_heartbeat_sent = "nf_conntrack_sctp_timeout_heartbeat_sent", 30;
    /// ICMP queries.
    icmp = "nf_conntrack_icmp_timeout", 30;
    /// ICMPv6 queries.
    icmpv6 = "nf_conntrack_icmpv6_timeout", 30;
    /// GRE in one direction.
    gre = "nf_conntrack_gre_timeout", 30;
    /// GRE in both.
    gre_stream = "nf_conntrack_gre_timeout_stream", 180;
    /// Every other protocol.
    generic = "nf_conntrack_generic_timeout", 600;
}

/// All knobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Lifetimes.
    pub timeouts: Timeouts,
    /// What `CT --timeout` may name, by [`TimeoutId`] less one.
    pub policies: Arc<[Policy]>,
    /// `nf_conntrack_acct`: packets and bytes of a flow are shown. They are counted in any case.
    pub acct: bool,
    /// `nf_conntrack_checksum`: a packet with a wrong transport checksum is INVALID.
    pub checksum: bool,
    /// `nf_conntrack_tcp_loose`: a packet from the middle of a connection begins an entry.
    pub tcp_loose: bool,
    /// `nf_conntrack_tcp_be_liberal`: segments outside of the window are not INVALID (RSTs still are).
    pub tcp_be_liberal: bool,
    /// `nf_conntrack_tcp_ignore_invalid_rst`: a RST below the window is not INVALID.
    pub tcp_ignore_invalid_rst: bool,
    /// `nf_conntrack_tcp_max_retrans`: this many times the same segment, and the timeout shrinks.
    pub tcp_max_retrans: u8,
    /// `sip_direct_signalling`: who calls a registered SIP address must be the registrar.
    pub sip_direct_signalling: bool,
    /// `sip_direct_media`: media must come from the other end of the signalling, and go to this one.
    pub sip_direct_media: bool,
    /// `sip_external_media`: media that would leave as they came are not announced. Counts without `sip_direct_media`.
    pub sip_external_media: bool,
    /// `sip_timeout`: seconds that a SIP flow lives after its last packet.
    pub sip_timeout: u32,
}

impl Default for Settings {
    /// The kernel's own.
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            policies: Arc::default(),
            acct: false,
            checksum: true,
            tcp_loose: true,
            tcp_be_liberal: false,
            tcp_ignore_invalid_rst: false,
            tcp_max_retrans: 3,
            sip_direct_signalling: true,
            sip_direct_media: true,
            sip_external_media: false,
            sip_timeout: 3600,
        }
    }
}

impl Settings {
    /// The knobs that are no timeouts, by sysctl name.
    pub const NAMES: &'static [&'static str] = &[
        "nf_conntrack_acct",
        "nf_conntrack_checksum",
        "nf_conntrack_tcp_loose",
        "nf_conntrack_tcp_be_liberal",
        "nf_conntrack_tcp_ignore_invalid_rst",
        "nf_conntrack_tcp_max_retrans",
        "sip_direct_signalling",
        "sip_direct_media",
        "sip_external_media",
        "sip_timeout",
    ];

    /// The lifetimes of a flow: those of its policy, else everybody's.
    #[inline]
    pub(crate) fn timeouts_of<F: Family>(&self, flow: &Flow<F>) -> &Timeouts {
        match flow.timeouts.index().checked_sub(1).and_then(|at| self.policies.get(at)) {
            Some(policy) => &policy.timeouts,
            None => &self.timeouts,
        }
    }

    /// The value of a knob or timeout by its sysctl name.
    pub fn get(&self, name: &str) -> Option<u64> {
        Some(match name {
            "nf_conntrack_acct" => self.acct.into(),
            "nf_conntrack_checksum" => self.checksum.into(),
            "nf_conntrack_tcp_loose" => self.tcp_loose.into(),
            "nf_conntrack_tcp_be_liberal" => self.tcp_be_liberal.into(),
            "nf_conntrack_tcp_ignore_invalid_rst" => self.tcp_ignore_invalid_rst.into(),
            "nf_conntrack_tcp_max_retrans" => self.tcp_max_retrans.into(),
            "sip_direct_signalling" => self.sip_direct_signalling.into(),
            "sip_direct_media" => self.sip_direct_media.into(),
            "sip_external_media" => self.sip_external_media.into(),
            "sip_timeout" => self.sip_timeout.into(),
            _ => self.timeouts.get(name)?.into(),
        })
    }

    /// Sets a knob or timeout by its sysctl name.
    pub fn set(&mut self, name: &str, value: u64) -> Result<(), SettingError> {
        let flag = |name, place: &mut bool| {
            *place = within(name, value, 0, 1)? == 1;
            Ok(())
        };
        match name {
            "nf_conntrack_acct" => flag("nf_conntrack_acct", &mut self.acct),
            "nf_conntrack_checksum" => flag("nf_conntrack_checksum", &mut self.checksum),
            "nf_conntrack_tcp_loose" => flag("nf_conntrack_tcp_loose", &mut self.tcp_loose),
            "nf_conntrack_tcp_be_liberal" => flag("nf_conntrack_tcp_be_liberal", &mut self.tcp_be_liberal),
            "nf_conntrack_tcp_ignore_invalid_rst" => flag("nf_conntrack_tcp_ignore_invalid_rst", &mut self.tcp_ignore_invalid_rst),
            "nf_conntrack_tcp_max_retrans" => {
                self.tcp_max_retrans = within("nf_conntrack_tcp_max_retrans", value, 0, u64::from(u8::MAX))? as u8;
                Ok(())
            }
            "sip_direct_signalling" => flag("sip_direct_signalling", &mut self.sip_direct_signalling),
            "sip_direct_media" => flag("sip_direct_media", &mut self.sip_direct_media),
            "sip_external_media" => flag("sip_external_media", &mut self.sip_external_media),
            "sip_timeout" => {
                self.sip_timeout = within("sip_timeout", value, 0, i32::MAX as u64)? as u32;
                Ok(())
            }
            _ => {
                let (name, place) = self.timeouts.place(name).ok_or_else(|| SettingError::Unknown(name.into()))?;
                *place = within(name, value, 0, i32::MAX as u64)? as u32;
                Ok(())
            }
        }
    }
}

fn within(name: &'static str, value: u64, least: u64, most: u64) -> Result<u64, SettingError> {
    if (least..=most).contains(&value) { Ok(value) } else { Err(SettingError::OutOfRange { name, value, least, most }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_can_be_read_and_set() {
        let mut settings = Settings::default();
        for name in Settings::NAMES.iter().chain(Timeouts::NAMES) {
            let value = 1 - settings.get(name).unwrap().min(1);
            settings.set(name, value).unwrap();
            assert_eq!(settings.get(name), Some(value), "{name}");
        }
    }

    #[test]
    fn unknown_names_and_wild_values_are_refused() {
        let mut settings = Settings::default();
        assert_eq!(settings.set("nf_conntrack_nonsense", 1), Err(SettingError::Unknown("nf_conntrack_nonsense".into())));
        assert!(settings.set("nf_conntrack_tcp_loose", 2).is_err());
        assert!(settings.set("nf_conntrack_udp_timeout", 1 << 40).is_err());
        assert_eq!(settings, Settings::default());
    }
}
