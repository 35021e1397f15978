//! Cases from seeds. The same generator and seed give the same case, on every machine.
//!
//! Values in rules and in packets are drawn from the same small pools, and from what lies one beside them, so that packets fall on both
//! sides of every boundary.

mod aimed;
mod around;
mod cluster;
mod connbytes;
mod connlabel;
mod connlimit;
mod connmark;
mod content;
mod conversation;
mod devgroup;
mod error;
mod extension;
mod field;
mod filter;
mod fragment;
mod guide;
mod hashlimit;
mod helper;
mod hmark;
mod ipv6;
mod log;
mod long;
mod malformed;
mod mangle;
mod manner;
mod nat;
mod npt;
mod output;
mod protocol;
mod random;
mod recent;
mod redirect;
mod refill;
mod reject;
mod sctp;
mod segment;
mod set;
mod set_target;
mod srh;
mod synproxy;
mod tee;
mod time;
mod timeout;
mod trace;
mod zone;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::case::{Case, Step};
use crate::frame::Ip;
use crate::world::Port;
use random::Random;

/// A Saturday in November 2026, five in the morning, for cases that nobody asks the kernel.
const SOME_DAY: u64 = 1_795_842_000;

/// Chains of all tables but nat that a packet meets on its way, in this order.
const ON_THE_WAY: [(&str, &str); 6] = [
    ("raw", "PREROUTING"),
    ("mangle", "PREROUTING"),
    ("filter", "INPUT"),
    ("filter", "FORWARD"),
    ("filter", "OUTPUT"),
    ("mangle", "POSTROUTING"),
];

/// Chains before which packets are tracked and behind, those more often that most packets of a conversation meet.
const ROUND_TRACKING: [(&str, &str); 11] = [
    ("raw", "PREROUTING"),
    ("mangle", "PREROUTING"),
    ("mangle", "PREROUTING"),
    ("nat", "PREROUTING"),
    ("filter", "FORWARD"),
    ("filter", "FORWARD"),
    ("filter", "FORWARD"),
    ("filter", "INPUT"),
    ("filter", "OUTPUT"),
    ("mangle", "POSTROUTING"),
    ("nat", "POSTROUTING"),
];

/// A family of cases, each with a number of its own that is part of its seeds: it stays what it is, and a new one takes one that is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Generator {
    /// Stateless rules with all header matches, user chains, jumps and returns.
    Filter = 0,
    /// TCP, UDP and ICMP conversations under rules that ask for states.
    Conversation = 1,
    /// ICMP errors with every kind of quote.
    Error = 2,
    /// Malformed packets, IP options, TTL.
    Malformed = 3,
    /// NAT of every kind, with clashes.
    Nat = 4,
    /// TOS, TTL, MARK, CONNMARK, nth, limit.
    Mangle = 5,
    /// REJECT with every answer.
    Reject = 6,
    /// SCTP associations, GRE, DCCP and UDP-Lite.
    Sctp = 7,
    /// Fragments, with and without tracking.
    Fragment = 8,
    /// FTP and TFTP with their helpers.
    Helper = 9,
    /// Short scripts, each aimed at one decision.
    Aimed = 10,
    /// Rulesets in the manner of ufw, docker, kube-proxy, shorewall and of a guide for beginners.
    Manner = 11,
    /// LOG with all its options.
    Log = 12,
    /// What programs on the box send.
    Output = 13,
    /// ICMP redirects.
    Redirect = 14,
    /// `limit` over time.
    Refill = 15,
    /// The rules of the guide from which users learn.
    Guide = 16,
    /// `connbytes` in conversations.
    Connbytes = 17,
    /// Conversations in zones, of which some are marks.
    Zone = 18,
    /// As [`Generator::Filter`], in IPv6.
    Filter6 = 19,
    /// As [`Generator::Conversation`], in IPv6.
    Conversation6 = 20,
    /// As [`Generator::Error`], in IPv6.
    Error6 = 21,
    /// As [`Generator::Malformed`], in IPv6, with extension headers.
    Malformed6 = 22,
    /// As [`Generator::Nat`], in IPv6.
    Nat6 = 23,
    /// As [`Generator::Reject`], in IPv6.
    Reject6 = 24,
    /// As [`Generator::Fragment`], in IPv6.
    Fragment6 = 25,
    /// As [`Generator::Log`], in IPv6.
    Log6 = 26,
    /// `connlimit` in conversations.
    Connlimit = 27,
    /// SYNPROXY, and the connections that it opens.
    Synproxy = 28,
    /// As [`Generator::Synproxy`], in IPv6.
    Synproxy6 = 29,
    /// As [`Generator::Redirect`], in IPv6.
    Redirect6 = 30,
    /// As [`Generator::Helper`], in IPv6.
    Helper6 = 31,
    /// As [`Generator::Connlimit`], in IPv6.
    Connlimit6 = 32,
    /// Routing headers and options of IPv6.
    Extension6 = 33,
    /// As [`Generator::Output`], in IPv6.
    Output6 = 34,
    /// As [`Generator::Mangle`], in IPv6.
    Mangle6 = 35,
    /// As [`Generator::Zone`], in IPv6.
    Zone6 = 36,
    /// As [`Generator::Connbytes`], in IPv6.
    Connbytes6 = 37,
    /// `connlabel` in conversations.
    Connlabel = 38,
    /// As [`Generator::Connlabel`], in IPv6.
    Connlabel6 = 39,
    /// As [`Generator::Sctp`], in IPv6.
    Sctp6 = 40,
    /// Timeout policies, and what they leave of each connection.
    Timeout = 41,
    /// As [`Generator::Timeout`], in IPv6.
    Timeout6 = 42,
    /// Tests of single fields of the IP header, of address ranges, of TCP's congestion flags and of the frame's source.
    Field = 43,
    /// As [`Generator::Field`], in IPv6.
    Field6 = 44,
    /// TCPMSS, TCPOPTSTRIP, DSCP, ECN, and `tcpmss`.
    Segment = 45,
    /// As [`Generator::Segment`], in IPv6, where there is no ECN.
    Segment6 = 46,
    /// `addrtype`, `rpfilter` and `pkttype`.
    Around = 47,
    /// As [`Generator::Around`], in IPv6.
    Around6 = 48,
    /// `esp`, `ah`, `ipcomp`, `sctp` and `dccp`.
    Protocol = 49,
    /// As [`Generator::Protocol`], in IPv6, with what ip6tables asks of extension headers.
    Protocol6 = 50,
    /// `recent` and `quota`.
    Recent = 51,
    /// As [`Generator::Recent`], in IPv6.
    Recent6 = 52,
    /// `hashlimit`.
    Hashlimit = 53,
    /// As [`Generator::Hashlimit`], in IPv6.
    Hashlimit6 = 54,
    /// `-m set`, and sets that change.
    Set = 55,
    /// As [`Generator::Set`], in IPv6.
    Set6 = 56,
    /// `time`.
    Time = 57,
    /// As [`Generator::Time`], in IPv6.
    Time6 = 58,
    /// `string` and `u32`.
    Content = 59,
    /// As [`Generator::Content`], in IPv6.
    Content6 = 60,
    /// `cluster` in conversations.
    Cluster = 61,
    /// As [`Generator::Cluster`], in IPv6.
    Cluster6 = 62,
    /// `devgroup` on every way.
    Devgroup = 66,
    /// As [`Generator::Devgroup`], in IPv6.
    Devgroup6 = 67,
    /// `srh`.
    Srh6 = 68,
    /// SNPT and DNPT.
    Npt6 = 69,
    /// HMARK.
    Hmark = 70,
    /// As [`Generator::Hmark`], in IPv6.
    Hmark6 = 71,
    /// `-j SET`.
    SetTarget = 63,
    /// As [`Generator::SetTarget`], in IPv6.
    SetTarget6 = 64,
    /// TRACE with every kind of packet.
    Trace = 65,
    /// The same in IPv6.
    Trace6 = 72,
    /// TEE at every hook.
    Tee = 73,
    /// The same in IPv6.
    Tee6 = 74,
    /// CONNMARK with all its shifts.
    Connmark = 75,
    /// The same in IPv6.
    Connmark6 = 76,
    /// Chains of many rules.
    Long = 77,
    /// The same in IPv6.
    Long6 = 78,
}

impl Generator {
    /// All.
    pub const ALL: [Self; 79] = [
        Self::Filter,
        Self::Conversation,
        Self::Error,
        Self::Malformed,
        Self::Nat,
        Self::Mangle,
        Self::Reject,
        Self::Sctp,
        Self::Fragment,
        Self::Manner,
        Self::Helper,
        Self::Log,
        Self::Output,
        Self::Redirect,
        Self::Refill,
        Self::Guide,
        Self::Connbytes,
        Self::Zone,
        Self::Filter6,
        Self::Conversation6,
        Self::Error6,
        Self::Reject6,
        Self::Nat6,
        Self::Malformed6,
        Self::Log6,
        Self::Fragment6,
        Self::Connlimit,
        Self::Synproxy,
        Self::Synproxy6,
        Self::Redirect6,
        Self::Helper6,
        Self::Connlimit6,
        Self::Extension6,
        Self::Output6,
        Self::Mangle6,
        Self::Zone6,
        Self::Connbytes6,
        Self::Connlabel,
        Self::Connlabel6,
        Self::Sctp6,
        Self::Timeout,
        Self::Timeout6,
        Self::Field,
        Self::Field6,
        Self::Segment,
        Self::Segment6,
        Self::Around,
        Self::Around6,
        Self::Protocol,
        Self::Protocol6,
        Self::Recent,
        Self::Recent6,
        Self::Hashlimit,
        Self::Hashlimit6,
        Self::Set,
        Self::Set6,
        Self::SetTarget,
        Self::SetTarget6,
        Self::Time,
        Self::Time6,
        Self::Content,
        Self::Content6,
        Self::Cluster,
        Self::Cluster6,
        Self::Devgroup,
        Self::Devgroup6,
        Self::Srh6,
        Self::Npt6,
        Self::Hmark,
        Self::Hmark6,
        Self::Trace,
        Self::Trace6,
        Self::Tee,
        Self::Tee6,
        Self::Connmark,
        Self::Connmark6,
        Self::Long,
        Self::Long6,
        Self::Aimed,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Conversation => "conversation",
            Self::Error => "error",
            Self::Malformed => "malformed",
            Self::Nat => "nat",
            Self::Mangle => "mangle",
            Self::Reject => "reject",
            Self::Sctp => "sctp",
            Self::Fragment => "fragment",
            Self::Manner => "manner",
            Self::Helper => "helper",
            Self::Log => "log",
            Self::Output => "output",
            Self::Redirect => "redirect",
            Self::Refill => "refill",
            Self::Guide => "guide",
            Self::Connbytes => "connbytes",
            Self::Zone => "zone",
            Self::Filter6 => "filter6",
            Self::Conversation6 => "conversation6",
            Self::Error6 => "error6",
            Self::Malformed6 => "malformed6",
            Self::Nat6 => "nat6",
            Self::Reject6 => "reject6",
            Self::Fragment6 => "fragment6",
            Self::Log6 => "log6",
            Self::Connlimit => "connlimit",
            Self::Synproxy => "synproxy",
            Self::Synproxy6 => "synproxy6",
            Self::Redirect6 => "redirect6",
            Self::Helper6 => "helper6",
            Self::Connlimit6 => "connlimit6",
            Self::Extension6 => "extension6",
            Self::Output6 => "output6",
            Self::Mangle6 => "mangle6",
            Self::Zone6 => "zone6",
            Self::Connbytes6 => "connbytes6",
            Self::Connlabel => "connlabel",
            Self::Connlabel6 => "connlabel6",
            Self::Sctp6 => "sctp6",
            Self::Timeout => "timeout",
            Self::Timeout6 => "timeout6",
            Self::Field => "field",
            Self::Field6 => "field6",
            Self::Segment => "segment",
            Self::Segment6 => "segment6",
            Self::Around => "around",
            Self::Around6 => "around6",
            Self::Protocol => "protocol",
            Self::Protocol6 => "protocol6",
            Self::Recent => "recent",
            Self::Recent6 => "recent6",
            Self::Hashlimit => "hashlimit",
            Self::Hashlimit6 => "hashlimit6",
            Self::Set => "set",
            Self::Set6 => "set6",
            Self::SetTarget => "set_target",
            Self::SetTarget6 => "set_target6",
            Self::Time => "time",
            Self::Time6 => "time6",
            Self::Content => "content",
            Self::Content6 => "content6",
            Self::Cluster => "cluster",
            Self::Cluster6 => "cluster6",
            Self::Devgroup => "devgroup",
            Self::Devgroup6 => "devgroup6",
            Self::Srh6 => "srh6",
            Self::Npt6 => "npt6",
            Self::Hmark => "hmark",
            Self::Hmark6 => "hmark6",
            Self::Trace => "trace",
            Self::Trace6 => "trace6",
            Self::Tee => "tee",
            Self::Tee6 => "tee6",
            Self::Connmark => "connmark",
            Self::Connmark6 => "connmark6",
            Self::Long => "long",
            Self::Long6 => "long6",
            Self::Aimed => "aimed",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|generator| generator.name() == name)
    }

    /// How many cases there are; behind them the same ones come again.
    pub fn seeds(self) -> u64 {
        if self == Self::Aimed { aimed::seeds() } else { u64::MAX }
    }

    /// Of how many seeds the kernel's answers are recorded. Where time has to pass, or packets are long, there are fewer.
    pub fn recorded(self) -> u64 {
        match self {
            Self::Redirect | Self::Redirect6 | Self::Refill => 100,
            Self::Recent | Self::Recent6 | Self::Hashlimit | Self::Hashlimit6 | Self::Content | Self::Content6 => 160,
            _ => self.seeds().min(320),
        }
    }

    /// Are its cases IPv6?
    pub fn is_ipv6(self) -> bool {
        self.name().ends_with('6')
    }

    /// The case of a seed. Where rules speak of time it is always the same day.
    pub fn case(self, seed: u64) -> Case {
        self.case_at(seed, SOME_DAY)
    }

    /// The case of a seed for the kernel, whose clock is the machine's.
    ///
    /// # Errors
    /// The machine's clock shows a time before 1970.
    pub fn case_now(self, seed: u64) -> Result<Case> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the machine's clock")?;
        Ok(self.case_at(seed, now.as_secs()))
    }

    /// The case of a seed, when the clock on the wall shows so many seconds since 1970.
    pub fn case_at(self, seed: u64, clock: u64) -> Case {
        let mut random = Random::new(seed ^ (self as u64) << 56, self.is_ipv6());
        let (rules, steps) = match self {
            Self::Filter | Self::Filter6 => filter::case(&mut random),
            Self::Conversation | Self::Conversation6 => conversation::case(&mut random),
            Self::Error | Self::Error6 => error::case(&mut random),
            Self::Malformed | Self::Malformed6 => malformed::case(&mut random),
            Self::Nat | Self::Nat6 => nat::case(&mut random),
            Self::Mangle | Self::Mangle6 => mangle::case(&mut random),
            Self::Reject | Self::Reject6 => reject::case(&mut random),
            Self::Sctp | Self::Sctp6 => sctp::case(&mut random),
            Self::Timeout | Self::Timeout6 => timeout::case(&mut random),
            Self::Field | Self::Field6 => field::case(&mut random),
            Self::Segment | Self::Segment6 => segment::case(&mut random),
            Self::Around | Self::Around6 => around::case(&mut random),
            Self::Protocol | Self::Protocol6 => protocol::case(&mut random),
            Self::Recent | Self::Recent6 => recent::case(&mut random),
            Self::Hashlimit | Self::Hashlimit6 => hashlimit::case(&mut random),
            Self::Set | Self::Set6 => set::case(&mut random),
            Self::SetTarget | Self::SetTarget6 => set_target::case(&mut random),
            Self::Time | Self::Time6 => time::case(&mut random, clock),
            Self::Content | Self::Content6 => content::case(&mut random),
            Self::Cluster | Self::Cluster6 => cluster::case(&mut random),
            Self::Devgroup | Self::Devgroup6 => devgroup::case(&mut random),
            Self::Srh6 => srh::case(&mut random),
            Self::Npt6 => npt::case(&mut random),
            Self::Hmark | Self::Hmark6 => hmark::case(&mut random),
            Self::Trace | Self::Trace6 => trace::case(&mut random),
            Self::Tee | Self::Tee6 => tee::case(&mut random),
            Self::Connmark | Self::Connmark6 => connmark::case(&mut random),
            Self::Long | Self::Long6 => long::case(&mut random),
            Self::Fragment | Self::Fragment6 => fragment::case(&mut random),
            Self::Manner => manner::case(&mut random),
            Self::Helper | Self::Helper6 => helper::case(&mut random),
            Self::Log | Self::Log6 => log::case(&mut random),
            Self::Output | Self::Output6 => output::case(&mut random),
            Self::Synproxy | Self::Synproxy6 => synproxy::case(&mut random),
            Self::Redirect | Self::Redirect6 => redirect::case(&mut random),
            Self::Refill => refill::case(&mut random),
            Self::Guide => guide::case(&mut random),
            Self::Connbytes | Self::Connbytes6 => connbytes::case(&mut random),
            Self::Connlabel | Self::Connlabel6 => connlabel::case(&mut random),
            Self::Zone | Self::Zone6 => zone::case(&mut random),
            Self::Extension6 => extension::case(&mut random),
            Self::Connlimit | Self::Connlimit6 => connlimit::case(&mut random),
            Self::Aimed => return aimed::case(seed),
        };
        let redirects = matches!(self, Self::Redirect | Self::Redirect6);
        let clock = matches!(self, Self::Time | Self::Time6).then_some(clock);
        let ipv6 = self.is_ipv6();
        let text = if ipv6 { ipv6::rules(&rules.text()) } else { rules.text() };
        Case { about: format!("{} seed {seed}\n", self.name()), seed, ipv6, redirects, clock, sets: rules.sets, rules: text, steps }
    }
}

/// Rules under construction.
#[derive(Default)]
struct Rules {
    /// As `ipset restore` reads them; in the family of the packets.
    sets: String,
    tables: BTreeMap<&'static str, Chains>,
}

#[derive(Default)]
struct Chains {
    policies: BTreeMap<String, &'static str>,
    user: Vec<String>,
    rules: Vec<String>,
}

impl Rules {
    fn policy(&mut self, table: &'static str, chain: &str, policy: &'static str) {
        self.tables.entry(table).or_default().policies.insert(chain.to_owned(), policy);
    }

    fn chain(&mut self, table: &'static str, chain: &str) {
        self.tables.entry(table).or_default().user.push(chain.to_owned());
    }

    /// Appends a rule.
    fn add(&mut self, table: &'static str, chain: &str, rule: &str) {
        self.tables.entry(table).or_default().rules.push(format!("-A {chain} {}", rule.trim()));
    }

    /// Appends rules written as `iptables` would take them: `[-t table] -A CHAIN ...` without the table, one a line.
    fn script(&mut self, table: &'static str, lines: &str) {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let entry = self.tables.entry(table).or_default();
            match line.split_once(' ') {
                Some(("-N", chain)) => entry.user.push(chain.to_owned()),
                _ => entry.rules.push(line.to_owned()),
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (table, chains) in &self.tables {
            text.push_str(&format!("*{table}\n"));
            let built_in: &[&str] = match *table {
                "raw" => &["PREROUTING", "OUTPUT"],
                "nat" => &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
                "mangle" => &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
                _ => &["INPUT", "FORWARD", "OUTPUT"],
            };
            for chain in built_in {
                text.push_str(&format!(":{chain} {} [0:0]\n", chains.policies.get(*chain).unwrap_or(&"ACCEPT")));
            }
            chains.user.iter().for_each(|chain| text.push_str(&format!(":{chain} - [0:0]\n")));
            chains.rules.iter().for_each(|rule| text.push_str(&format!("{rule}\n")));
            text.push_str("COMMIT\n");
        }
        text
    }
}

/// What a generator makes.
type Made = (Rules, Vec<Step>);

/// Ports of rules and packets.
const PORTS: [u16; 12] = [0, 1, 22, 53, 79, 80, 81, 443, 1023, 1024, 8080, 65535];

/// Names of TCP flags by bit.
const FLAGS: [&str; 6] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];

/// A host on the wire of eth0.
fn client(random: &mut Random) -> IpAddr {
    let host = random.between(2, 5) as u8;
    random.address(10, 0, 0, host)
}

/// A host on the wire of eth1, or behind it.
fn server(random: &mut Random) -> IpAddr {
    if random.chance(10) {
        let host = random.between(1, 3) as u8;
        random.address(203, 0, 113, host)
    } else {
        let host = random.between(2, 5) as u8;
        random.address(10, 0, 1, host)
    }
}

/// Two ends of a conversation through or to the router, and where its first packet comes in.
fn ends(random: &mut Random) -> (Port, IpAddr, IpAddr) {
    match random.below(10) {
        0 => (Port::Eth0, client(random), random.address(10, 0, 0, 1)),
        1 => (Port::Eth1, server(random), random.address(10, 0, 1, 1)),
        2 | 3 => (Port::Eth1, server(random), client(random)),
        _ => (Port::Eth0, client(random), server(random)),
    }
}

/// One frame as a step.
fn packet(port: Port, ip: &Ip) -> Step {
    Step::Packets(port, vec![ip.frame(port)])
}

/// A packet comes in: by itself, or behind the last one in the same burst.
fn send(random: &mut Random, steps: &mut Vec<Step>, port: Port, ip: &Ip) {
    match steps.last_mut() {
        Some(Step::Packets(by, frames)) if *by == port && random.chance(40) => frames.push(ip.frame(port)),
        _ => steps.push(packet(port, ip)),
    }
}

/// A packet of any common kind.
fn any_packet(random: &mut Random) -> (Port, Ip) {
    let (port, src, dst) = ends(random);
    let (sport, dport) = (random.port(), random.port());
    let data = vec![b'd'; *random.pick(&[0, 1, 8, 100])];
    let mut ip = match random.below(10) {
        0..=3 => {
            let flags = *random.pick(&[0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0, 0x3f, 0x06, 0x03, 0x29]);
            let options = *random.pick(&[&[][..], &[2, 4, 5, 180], &[4, 2, 1, 1], &[8, 10, 0, 0, 0, 1, 0, 0, 0, 0], &[3, 3, 7]]);
            Ip::tcp((src, sport), (dst, dport), flags, random.below(1 << 32) as u32, 5000, options, &data)
        }
        4..=6 => Ip::udp((src, sport), (dst, dport), &data),
        7 | 8 => {
            let kind = *random.pick(&[8, 8, 0, 13, 17, 3, 11, 5, 30]);
            Ip::icmp(src, dst, kind, *random.pick(&[0, 0, 1, 3]), [0, 7, 0, 1], &data)
        }
        _ => Ip::new(src, dst, *random.pick(&[2, 50, 89, 253]), vec![1; 30]),
    };
    ip.tos = *random.pick(&[0, 0, 0x10, 0x08, 0xff]);
    ip.ttl = *random.pick(&[64, 64, 64, 2, 255]);
    ip.id = random.below(65536) as u16;
    (port, ip)
}
