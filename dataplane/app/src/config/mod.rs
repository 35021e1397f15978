//! The TOML file: what an operator may say, and what a missing key means.
//!
//! One file serves both daemons; this process reads `[instance]` and `[dataplane]` and leaves `[control]` to `rampartd`. Every section
//! refuses keys that it does not know. `docs/config.md` lists every key; a test compares that page with these types.

mod check;
mod error;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use toml::Spanned;

pub use error::ConfigError;

use crate::device::Device;

/// What every driver accepts, and what fits a frame of 1,500 bytes.
const DEFAULT_MBUF_SIZE: u16 = 2048;
/// A buffer's length is a 16-bit number, the headroom included.
const LARGEST_MBUF_SIZE: u16 = 32_768;

/// The whole file, as this process sees it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[instance]`
    #[serde(default)]
    pub instance: Instance,
    /// `[dataplane]`
    pub dataplane: Dataplane,
    /// `[control]`: `rampartd` reads it, strictly, for itself.
    #[serde(default, rename = "control")]
    _control: Option<IgnoredAny>,
}

/// What both daemons must agree on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Instance {
    /// Tells this instance from others on the machine: EAL's file prefix, the names of threads and logs.
    pub name: String,
    /// Folder of the sockets and the lock files.
    pub run_dir: PathBuf,
    /// Network namespace to enter at the start: a name of `ip netns`, or a path.
    pub netns: Option<PathBuf>,
}

impl Default for Instance {
    fn default() -> Self {
        Self { name: "rampart".into(), run_dir: "/run/rampart".into(), netns: None }
    }
}

/// `[dataplane]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataplane {
    /// Number of workers.
    #[serde(default = "one")]
    pub workers: Spanned<u32>,
    /// CPU of each worker; missing means "not pinned".
    #[serde(default)]
    pub cpus: Option<Spanned<Vec<usize>>>,
    /// What a worker does when nothing came.
    #[serde(default)]
    pub idle: Idle,
    /// Longest sleep of an idle worker, in microseconds.
    #[serde(default = "idle_sleep_us")]
    pub idle_sleep_us: Spanned<u32>,
    /// Whether DPDK's memory is of huge pages.
    #[serde(default)]
    pub huge_pages: HugePages,
    /// DPDK's memory in MiB; missing means "what the packet buffers need".
    #[serde(default)]
    pub memory_mb: Option<Spanned<u32>>,
    /// Packet buffers.
    #[serde(default = "mbufs")]
    pub mbufs: Spanned<u32>,
    /// Bytes of packet that one buffer holds; missing means "what the ports need", see [`Dataplane::mbuf_size`].
    #[serde(default)]
    pub mbuf_size: Option<Spanned<u16>>,
    /// Descriptors of each receive and each transmit queue.
    #[serde(default = "descriptors")]
    pub descriptors: Spanned<u16>,
    /// More arguments for EAL.
    #[serde(default)]
    pub eal_args: Vec<String>,
    /// Whether packets that are not for the box itself are forwarded.
    #[serde(default = "yes")]
    pub ip_forward: bool,
    /// Whether IPv6 packets are walked; else every one is dropped.
    #[serde(default)]
    pub ipv6: bool,
    /// Milliseconds between ICMP errors to one address, on average; 0 is no limit.
    #[serde(default = "icmp_ratelimit")]
    pub icmp_ratelimit: u32,
    /// The same of ICMPv6.
    #[serde(default = "icmpv6_ratelimit")]
    pub icmpv6_ratelimit: u32,
    /// `[dataplane.log]`
    #[serde(default)]
    pub log: Log,
    /// `[[dataplane.port]]`
    #[serde(default, rename = "port")]
    pub ports: Vec<Spanned<Port>>,
    /// `[dataplane.limits]`
    #[serde(default)]
    pub limits: Limits,
    /// `[dataplane.conntrack]`
    #[serde(default)]
    pub conntrack: Conntrack,
    /// `[dataplane.interface.NAME]`
    #[serde(default, rename = "interface")]
    pub interfaces: BTreeMap<Spanned<String>, Interface>,
    /// `[[dataplane.address]]`
    #[serde(default, rename = "address")]
    pub addresses: Vec<Address>,
    /// `[[dataplane.route]]`
    #[serde(default, rename = "route")]
    pub routes: Vec<Route>,
    /// `[[dataplane.neighbour]]`
    #[serde(default, rename = "neighbour")]
    pub neighbours: Vec<Neighbour>,
}

/// What a worker does when no packet came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Idle {
    /// Polls again at once: lowest latency, one CPU always busy.
    Spin,
    /// Sleeps up to `idle_sleep_us`.
    #[default]
    Sleep,
}

/// Whether DPDK's memory is of huge pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HugePages {
    /// If the machine has enough of them free.
    #[default]
    Auto,
    /// Ordinary pages.
    Never,
    /// Refuse to start without.
    Require,
}

/// `[dataplane.log]`: where the lines of LOG rules go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Which way.
    pub target: LogTarget,
    /// The file of `target = "file"`.
    pub path: Option<Spanned<PathBuf>>,
    /// Records that may wait for the log thread; more are dropped and counted.
    pub queue: Spanned<u32>,
}

impl Default for Log {
    fn default() -> Self {
        Self { target: LogTarget::default(), path: None, queue: unplaced(4096) }
    }
}

/// Where the lines of LOG rules go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogTarget {
    /// This process's standard output, one line a record.
    #[default]
    Stdout,
    /// `/dev/log`, facility kern, severity as the rule says.
    Syslog,
    /// Appended to a file.
    File,
}

/// `[[dataplane.port]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// The name that rules use.
    pub name: Spanned<String>,
    /// A PCI address or a vdev string.
    pub device: Spanned<String>,
    /// Name of the TAP that stands for this port in the kernel; missing means the port's name.
    #[serde(default)]
    pub tap: Option<Spanned<String>>,
    /// Largest IP packet in bytes.
    #[serde(default = "mtu")]
    pub mtu: Spanned<u16>,
}

impl Port {
    /// Name of the TAP.
    pub fn tap_name(&self) -> &str {
        self.tap.as_ref().unwrap_or(&self.name).get_ref()
    }
}

/// `[dataplane.limits]`: what is set aside at the start.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Counter slots: rules and base chains of all tables together, with some to spare for edits.
    pub counters: Spanned<u32>,
    /// Connections with rare attributes at once.
    pub flow_extras: Spanned<u32>,
    /// Neighbours that are waited for at once.
    pub neighbours_pending: Spanned<u32>,
    /// Fragmented datagrams that are put together at once.
    pub datagrams: Spanned<u32>,
    /// Ways of packets that a worker remembers, in each family.
    pub traces: Spanned<u32>,
    /// Packets between a worker and the TAPs, each way.
    pub exception_queue: Spanned<u32>,
    /// Packets from one worker to another.
    pub handoff_queue: Spanned<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            counters: unplaced(262_144),
            flow_extras: unplaced(65_536),
            neighbours_pending: unplaced(256),
            datagrams: unplaced(256),
            traces: unplaced(16_384),
            exception_queue: unplaced(1024),
            handoff_queue: unplaced(1024),
        }
    }
}

/// `[dataplane.conntrack]`: the kernel's sysctls of the same names. Times in seconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each is the sysctl of its name; docs/config.md says what it does")]
pub struct Conntrack {
    pub nf_conntrack_max: Spanned<u32>,
    pub nf_conntrack_expect_max: Spanned<u32>,
    pub nf_conntrack_acct: bool,
    pub nf_conntrack_timestamp: bool,
    pub nf_conntrack_checksum: bool,
    pub nf_conntrack_tcp_loose: bool,
    pub nf_conntrack_tcp_be_liberal: bool,
    pub nf_conntrack_tcp_ignore_invalid_rst: bool,
    pub nf_conntrack_tcp_max_retrans: u8,
    pub nf_conntrack_tcp_timeout_syn_sent: u32,
    pub nf_conntrack_tcp_timeout_syn_recv: u32,
    pub nf_conntrack_tcp_timeout_established: u32,
    pub nf_conntrack_tcp_timeout_fin_wait: u32,
    pub nf_conntrack_tcp_timeout_close_wait: u32,
    pub nf_conntrack_tcp_timeout_last_ack: u32,
    pub nf_conntrack_tcp_timeout_time_wait: u32,
    pub nf_conntrack_tcp_timeout_close: u32,
    pub nf_conntrack_tcp_timeout_max_retrans: u32,
    pub nf_conntrack_tcp_timeout_unacknowledged: u32,
    pub nf_conntrack_udp_timeout: u32,
    pub nf_conntrack_udp_timeout_stream: u32,
    pub nf_conntrack_sctp_timeout_closed: u32,
    pub nf_conntrack_sctp_timeout_cookie_wait: u32,
    pub nf_conntrack_sctp_timeout_cookie_echoed: u32,
    pub nf_conntrack_sctp_timeout_established: u32,
    pub nf_conntrack_sctp_timeout_shutdown_sent: u32,
    pub nf_conntrack_sctp_timeout_shutdown_recd: u32,
    pub nf_conntrack_sctp_timeout_shutdown_ack_sent: u32,
    pub nf_conntrack_sctp_timeout_heartbeat_sent: u32,
    pub nf_conntrack_icmp_timeout: u32,
    pub nf_conntrack_icmpv6_timeout: u32,
    pub nf_conntrack_gre_timeout: u32,
    pub nf_conntrack_gre_timeout_stream: u32,
    pub nf_conntrack_generic_timeout: u32,
    pub sip_direct_signalling: bool,
    pub sip_direct_media: bool,
    pub sip_external_media: bool,
    pub sip_timeout: u32,
    /// `[dataplane.conntrack.timeout.NAME]`
    pub timeout: BTreeMap<Spanned<String>, TimeoutPolicy>,
}

/// `[dataplane.conntrack.timeout.NAME]`: lifetimes for the flows that `CT --timeout NAME` names, as `nfct add timeout` takes them.
#[derive(Clone, Debug, Deserialize)]
pub struct TimeoutPolicy {
    /// The family of its flows.
    #[serde(default)]
    pub family: PolicyFamily,
    /// Their protocol.
    pub protocol: Spanned<String>,
    /// Seconds by state; a state that is not set has the sysctl's time.
    #[serde(flatten)]
    pub states: BTreeMap<String, u32>,
}

/// A family by the name that `nfct` gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyFamily {
    /// IPv4.
    #[default]
    Inet,
    /// IPv6.
    Inet6,
}

impl PolicyFamily {
    /// The family.
    pub fn id(self) -> packet::FamilyId {
        match self {
            Self::Inet => packet::FamilyId::Ipv4,
            Self::Inet6 => packet::FamilyId::Ipv6,
        }
    }
}

impl Default for Conntrack {
    fn default() -> Self {
        Self {
            nf_conntrack_max: unplaced(262_144),
            nf_conntrack_expect_max: unplaced(engine::shared::EXPECTATIONS),
            nf_conntrack_acct: false,
            nf_conntrack_timestamp: false,
            nf_conntrack_checksum: true,
            nf_conntrack_tcp_loose: true,
            nf_conntrack_tcp_be_liberal: false,
            nf_conntrack_tcp_ignore_invalid_rst: false,
            nf_conntrack_tcp_max_retrans: 3,
            nf_conntrack_tcp_timeout_syn_sent: 120,
            nf_conntrack_tcp_timeout_syn_recv: 60,
            nf_conntrack_tcp_timeout_established: 432_000,
            nf_conntrack_tcp_timeout_fin_wait: 120,
            nf_conntrack_tcp_timeout_close_wait: 60,
            nf_conntrack_tcp_timeout_last_ack: 30,
            nf_conntrack_tcp_timeout_time_wait: 120,
            nf_conntrack_tcp_timeout_close: 10,
            nf_conntrack_tcp_timeout_max_retrans: 300,
            nf_conntrack_tcp_timeout_unacknowledged: 300,
            nf_conntrack_udp_timeout: 30,
            nf_conntrack_udp_timeout_stream: 120,
            nf_conntrack_sctp_timeout_closed: 10,
            nf_conntrack_sctp_timeout_cookie_wait: 3,
            nf_conntrack_sctp_timeout_cookie_echoed: 3,
            nf_conntrack_sctp_timeout_established: 210,
            nf_conntrack_sctp_timeout_shutdown_sent: 3,
            nf_conntrack_sctp_timeout_shutdown_recd: 3,
            nf_conntrack_sctp_timeout_shutdown_ack_sent: 3,
            nf_conntrack_sctp_timeout_heartbeat_sent: 30,
            nf_conntrack_icmp_timeout: 30,
            nf_conntrack_icmpv6_timeout: 30,
            nf_conntrack_gre_timeout: 30,
            nf_conntrack_gre_timeout_stream: 180,
            nf_conntrack_generic_timeout: 600,
            sip_direct_signalling: true,
            sip_direct_media: true,
            sip_external_media: false,
            sip_timeout: 3600,
            timeout: BTreeMap::new(),
        }
    }
}

/// `[dataplane.interface.NAME]`: the kernel's `net.ipv4.conf.NAME` sysctls, with its defaults.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Interface {
    /// Reverse path filter: 0 off, 1 strict, 2 loose.
    pub rp_filter: Spanned<u8>,
    /// Accept packets whose source is an address of the box.
    pub accept_local: bool,
    /// Send ICMP redirects.
    pub send_redirects: bool,
}

impl Default for Interface {
    fn default() -> Self {
        Self { rp_filter: unplaced(0), accept_local: false, send_redirects: true }
    }
}

/// `[[dataplane.address]]`: an address of the box.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// With its prefix length.
    pub address: Ipv4Net,
    /// Name of the port.
    pub dev: Spanned<String>,
}

/// `[[dataplane.route]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Destination prefix.
    pub to: Ipv4Net,
    /// Next hop; missing means "on the link".
    #[serde(default)]
    pub via: Option<Ipv4Addr>,
    /// Name of the port.
    pub dev: Spanned<String>,
}

/// `[[dataplane.neighbour]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its Ethernet address.
    #[serde(deserialize_with = "mac")]
    pub mac: [u8; 6],
    /// Name of the port.
    pub dev: Spanned<String>,
}

impl Dataplane {
    /// Bytes of packet that one buffer holds. net_af_packet receives a whole slot (`framesz`) into one buffer, never into a chain.
    pub fn mbuf_size(&self) -> u16 {
        let slot = |port: &Spanned<Port>| {
            let device = Device::parse(port.get_ref().device.get_ref()).ok()?;
            device.option("framesz").filter(|_| device.name.starts_with("net_af_packet"))?.parse::<u16>().ok()
        };
        let needed = || self.ports.iter().filter_map(slot).fold(DEFAULT_MBUF_SIZE, u16::max).min(LARGEST_MBUF_SIZE);
        self.mbuf_size.as_ref().map_or_else(needed, |size| *size.get_ref())
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The file and, where there is one, the line and the key that is wrong, with what is allowed there.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError::Read { file: path.into(), reason: e })?;
        Self::parse(path, &text)
    }

    /// As [`Config::load`], from text; `path` only names it.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| ConfigError::Syntax { file: path.into(), reason: Box::new(e) })?;
        check::check(&config).map_err(|wrong| wrong.at(path, text))?;
        Ok(config)
    }

    /// The CPU of each worker, if they are pinned.
    pub fn cpus(&self) -> Option<&[usize]> {
        self.dataplane.cpus.as_ref().map(|c| c.get_ref().as_slice())
    }
}

/// A default value, which stands nowhere in the file.
fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

fn one() -> Spanned<u32> {
    unplaced(1)
}

fn idle_sleep_us() -> Spanned<u32> {
    unplaced(50)
}

fn mbufs() -> Spanned<u32> {
    unplaced(16_383)
}

fn icmp_ratelimit() -> u32 {
    engine::snapshot::Settings::default().icmp_ratelimit
}

fn icmpv6_ratelimit() -> u32 {
    engine::snapshot::Settings::default().icmpv6_ratelimit
}

fn descriptors() -> Spanned<u16> {
    unplaced(512)
}

fn mtu() -> Spanned<u16> {
    unplaced(1500)
}

fn yes() -> bool {
    true
}

fn mac<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 6], D::Error> {
    let text = String::deserialize(from)?;
    parse_mac(&text)
        .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no Ethernet address; write it as \"02:00:00:00:00:01\"")))
}

/// Reads `02:00:00:00:00:01`.
pub fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut mac {
        let part = parts.next()?;
        if part.is_empty() || part.len() > 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

#[cfg(test)]
mod tests;
