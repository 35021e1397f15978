//! Two observations of one case: what must be equal, what may differ, and what nobody compares.
//!
//! All bytes of every frame, every counter, every connection entry and the number of packets delivered are compared. What may differ is
//! in [`may_differ`] and nowhere else.

mod cookies;
mod free;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;

use crate::case::{Case, hex};
use crate::frame::{self, ETHERNET, View, checksum, long, sctp_checksum, word};
use crate::observed::{Egress, Entry, Line, Observed};
use crate::world;
use free::{Ends, FreePorts};

/// What is not compared, and why.
pub const NOT_COMPARED: &[(&str, &str)] = &[
    ("timers of connections", "the kernel's clock runs on while its answers are read"),
    ("ARP, neighbour discovery, and what is not IP", "the box's own stack does it in both systems"),
    ("SECMARK and selinux labels", "the kernel needs a security module and a policy for them"),
    ("the bytes of what is delivered to the box", "the kernel hands them to sockets; packets delivered are counted"),
    ("the pace of ICMP errors", "it is one for the whole machine, and is switched off"),
    ("the order in which frames leave by different interfaces", "two wires have no common order"),
    ("the text of the reason for which rules are refused", "only that they are is the kernel's"),
];

/// Rules that keep what the box says to itself away from the others, of which not even the counters are compared.
pub const OF_LO: [&str; 2] = ["-i lo -j ACCEPT", "-o lo -j ACCEPT"];

/// Deliberate differences (docs/deviations.md, by id) that packets could show, and how they are kept from hiding others.
pub const DEVIATIONS: &[(&str, &str)] = &[
    ("packet-sockets", "no program listens on the box"),
    (
        "loopback",
        "rules for `lo` keep such packets away from the others, and are not compared; no packet claims to come from a subnet's broadcast address",
    ),
    ("own-to-self", "no rule of a generator translates the box's own packets"),
    ("selctx", "not generated: the kernel has no policy"),
    ("secmark", "not generated: the kernel has no policy"),
    ("full-cone", "not generated: iptables does not know it"),
    ("port-shadow", "no program listens on the box"),
    ("masquerade-ends", "the box keeps its addresses"),
    ("exhausted-ports", "both drop; the name of the drop is Rampart's alone"),
    ("log-uid", "not generated"),
    ("ct-helper", "not generated"),
    ("connbytes-before", "accounting is on from the beginning"),
    ("connlabel-before", "not generated"),
    ("connlimit-raw", "not generated"),
    (
        "connlimit-ghosts",
        "the kernel is given time between the packets of such cases; of what was refused or INVALID nothing more is heard there",
    ),
    ("connlimit-room", "generated cases have fewer addresses"),
    ("recent-lists", "not generated: rules of one list have one mask, or are in one table"),
    ("hashlimit-tables", "not generated: rules of one name say the same, and there are fewer buckets"),
    ("time-set", "nobody sets the clock, and rules keep a minute away from it"),
    ("string-pieces", "not generated: where datagrams come in pieces, rules search by kmp"),
    ("string-case", "not generated: rules search for such bytes in either case by kmp"),
    ("expectations", "generated cases announce fewer connections"),
    ("ipv6-sources", "the box keeps the defaults"),
    ("ipv6-flow-label", "of an error that the box itself made the flow label is not compared"),
    ("helper-quote", "no generated text makes a packet of IPv6 too long"),
    ("answers-to-self", "the kernel's go by `lo`, for which the cases have rules of their own"),
    ("synproxy-local", "no program listens on the box; SYNPROXY in INPUT is for what OUTPUT translates"),
    ("source-route", "not generated"),
    ("ip-timestamp", "not generated"),
    ("error-options", "options are generated on packets that no error answers"),
    ("end-of-options", "generated lists of options end where their header does, or in one zero byte"),
    ("cipso", "not generated"),
    ("mss-at-odd", "where options stand at odd places, no generated rule changes the MSS"),
    ("sctp-chunks", "generated packets fit into a buffer"),
    ("af-packet-fragments", "the engine is driven without a driver, and the daemons get fragments on net_tap"),
    ("fragment-count", "generated datagrams have fewer pieces"),
    ("several-workers", "the engine runs with one worker where ports are compared"),
    ("port-search", "generated cases have fewer connections"),
    ("rules-change", "packets come when the command is back"),
    ("set-before-mac", "no generated `bitmap:ip,mac` has times"),
    ("set-bitmap-counters", "no element of such a set is taken out"),
    ("set-other-icmp", "generated packets that sets change by are none of the other family's ICMP"),
    ("set-target-late", "between two steps of a case nobody waits for room"),
    ("set-target-stored", "no machine ends"),
    ("set-target-types", "generated rules let packets change other types"),
    ("set-interfaces", "few generated networks have several interfaces and counters that are compared"),
    ("trace-any-protocol", "not generated: no rule of IPv6 says `-p all`, and none says `-i +`"),
    ("tee-order", "not generated: no rule writes about copies, and none copies what the box itself says"),
    ("tee-gateway", "not generated"),
    ("tee-oif", "not generated: the named interface is that of the route, or there is no other one by it"),
    ("tee-log-mac", "not generated: no rule writes about copies"),
    ("tee-pieces", "not generated: pieces that are copied may be cut"),
    ("ctexpire-first", "generated rules ask for a time only with `--ctstatus CONFIRMED`"),
];

/// Deliberate differences of the commands, which no packet can show: rules that one side refuses, and what is printed.
pub const OF_COMMANDS: &[&str] = &[
    "list-names",
    "backward-range",
    "chain-depth",
    "chain-size",
    "restore-atomic",
    "restore-moment",
    "long-lines",
    "restore-test",
    "not-text",
    "very-verbose",
    "verbose-refused",
    "several-mistakes",
    "save-load",
    "save-order",
    "host-names",
    "any-interface",
    "unreadable-names",
    "unreadable-values",
    "read-back",
    "time-dates",
    "set-listing",
    "set-words",
    "set-texts",
    "set-room",
    "accounting-objects",
    "rateest-rates",
    "accounts",
    "chain-as-target",
    "cgroup-paths",
    "bpf-objects",
    "wide-numbers",
    "hashlimit-sizes",
    "apply-rollback",
    "apply-words",
    "connlabel-names",
    "snat-base",
    "help",
    "conntrack-words",
    "conntrack-parts",
    "conntrack-xml",
    "conntrack-buffer",
    "ctevents",
    "timeout-names",
    "conntrack-events",
    "conntrack-stats",
    "conntrack-times",
    "conntrack-update",
    "conntrack-flush",
];

/// A difference: where, and what each system did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs: `frames`, `logs`, `counters`, `connections`, `sets`, `delivered` or `refusal`.
    pub what: &'static str,
    /// Where, and both sides.
    pub text: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.text)
    }
}

/// Has the kernel drawn a port by chance that a packet of the case has too? Then the case does not tell whether it kept that one: below 512 there are few,
/// and it happens once in some hundred times.
pub fn is_ambiguous(case: &Case, kernel: &Observed) -> bool {
    let ports = FreePorts::of(case);
    kernel.entries.iter().any(|entry| ports.is_ambiguous(entry))
}

/// All differences between what the kernel and what Rampart did with the case; empty when they agree.
pub fn compare(case: &Case, kernel: &Observed, rampart: &Observed) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut differs = |what, text| differences.push(Difference { what, text });
    if kernel.refused.is_some() || rampart.refused.is_some() {
        if kernel.refused.is_some() != rampart.refused.is_some() {
            differs("refusal", format!("kernel {:?}, rampart {:?}", kernel.refused, rampart.refused));
        }
        return differences;
    }
    let mut ports = FreePorts::of(case);
    for (step, (theirs, ours)) in kernel.steps.iter().zip(&rampart.steps).enumerate() {
        let same =
            theirs.len() == ours.len() && theirs.iter().zip(ours).all(|(a, b)| a.0 == b.0 && may_differ(&a.1, &b.1, &mut ports));
        if !same {
            differs("frames", format!("step {step}\n  kernel  {}\n  rampart {}", lines(theirs), lines(ours)));
        }
    }
    for step in 0..case.steps.len() {
        let lines = |of: &'_ Observed| -> Vec<Line> { of.logs.iter().filter(|line| line.step == step).cloned().collect() };
        let (theirs, ours) = (lines(kernel), lines(rampart));
        let same = theirs.len() == ours.len()
            && theirs.iter().zip(&ours).all(|(a, b)| {
                let levels = a.level.zip(b.level).is_none_or(|(a, b)| a == b);
                levels && (a.text == b.text || ports.without_own_ids(&a.text) == ports.without_own_ids(&b.text))
            });
        if !same {
            let shown = |lines: &[Line]| -> Vec<String> {
                let level = |line: &Line| line.level.map_or_else(String::new, |level| format!("<{level}>"));
                lines.iter().map(|line| level(line) + &line.text).collect()
            };
            let (theirs, ours) = (shown(&theirs), shown(&ours));
            differs(
                "logs",
                format!("step {step}\n  kernel  {}\n  rampart {}", theirs.join("\n          "), ours.join("\n          ")),
            );
        }
    }
    let names: BTreeSet<&String> = kernel.counters.keys().chain(rampart.counters.keys()).collect();
    let to_itself = counters_of_lo(case);
    for name in names.into_iter().filter(|name| !to_itself.contains(*name)) {
        let count = |of: &Observed| of.counters.get(name).copied().unwrap_or_default();
        if count(kernel) != count(rampart) {
            differs("counters", format!("{name}: kernel {:?}, rampart {:?}", count(kernel), count(rampart)));
        }
    }
    let theirs: Vec<Entry> = kernel.entries.iter().map(|entry| ports.translated(entry, &rampart.entries)).collect();
    for (word, some, others) in [("kernel", &theirs, &rampart.entries), ("rampart", &rampart.entries, &theirs)] {
        for entry in some.iter().filter(|entry| !others.contains(entry)) {
            differs("connections", format!("only in {word}: {}", entry.line()));
        }
    }
    for (word, some, others) in [("kernel", &kernel.sets, &rampart.sets), ("rampart", &rampart.sets, &kernel.sets)] {
        for element in some.iter().filter(|element| !others.contains(element)) {
            differs("sets", format!("only in {word}: {element}"));
        }
    }
    if kernel.delivered != rampart.delivered {
        differs("delivered", format!("kernel {}, rampart {}", kernel.delivered, rampart.delivered));
    }
    differences
}

fn lines(frames: &[Egress]) -> String {
    frames.iter().map(|(port, frame)| format!("{} {}", port.name(), hex(frame))).collect::<Vec<_>>().join("\n          ")
}

/// Counters of rules for what the box says to itself (docs/deviations.md, `loopback`).
fn counters_of_lo(case: &Case) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut numbers = HashMap::<(&str, &str), usize>::new();
    let mut table = "";
    for line in case.rules.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = name;
        } else if let Some((chain, rule)) = line.strip_prefix("-A ").and_then(|rule| rule.split_once(' ')) {
            let number = numbers.entry((table, chain)).or_default();
            *number += 1;
            if OF_LO.contains(&rule) {
                names.insert(format!("{table} {chain} {number}"));
            }
        }
    }
    names
}

/// Are the frames equal but for what may differ? That is:
/// - the identification of an ICMP error that the box itself made, and the flow label of one of IPv6: the kernel makes both by a secret of its boot;
/// - the identification of the pieces into which an IPv6 datagram is cut: random in the kernel. Each of one system's must stand for one of the other's;
/// - a port or ICMP identifier that NAT had to choose freely: random in the kernel. It must be of the same class, and each of one
///   system's must stand for one of the other's in all packets of the connection. Checksums must follow;
/// - what SYNPROXY makes of its secret and its clock: [`Cookies::align`].
fn may_differ(kernel: &[u8], rampart: &[u8], ports: &mut FreePorts) -> bool {
    if kernel == rampart {
        return true;
    }
    if kernel.len() != rampart.len() || kernel.len() < ETHERNET + 20 || kernel[..ETHERNET] != rampart[..ETHERNET] {
        return false;
    }
    let mut theirs = kernel[ETHERNET..].to_vec();
    let ours = &rampart[ETHERNET..];
    let (Some(a), Some(b)) = (View::of(&kernel[ETHERNET..]), View::of(ours)) else { return false };
    let own = world::is_own(a.src) || !ports.errors.contains(&a.id());
    if own && a.is_icmp_error() && a.l4 == b.l4 {
        if a.src.is_ipv6() {
            theirs[1] = theirs[1] & 0xf0 | ours[1] & 15;
            theirs[2..4].copy_from_slice(&ours[2..4]);
        } else if checksum(&theirs[..a.l4]) == 0 {
            theirs[4..6].copy_from_slice(&ours[4..6]);
            theirs[10..12].fill(0);
            let sum = checksum(&theirs[..a.l4]);
            theirs[10..12].copy_from_slice(&sum.to_be_bytes());
        }
    }
    if let (Some(at), true) = (a.fragment_id, a.fragment_id == b.fragment_id)
        && let (Some(here), Some(there)) = (long(&theirs, at), long(ours, at))
        && here != there
        && ports.pieces.stand_for(here, there)
    {
        theirs[at..at + 4].copy_from_slice(&there.to_be_bytes());
    }
    for field in fields(&a) {
        let (Some(here), Some(there)) = (word(&theirs, field.at), word(ours, field.at)) else { continue };
        let other = field.other.filter(|at| word(kernel, at + ETHERNET) == word(ours, *at)).and_then(|at| word(ours, at));
        if here != there && ports.stands_for(Ends::new(field.protocol, field.addresses, other), here, there) {
            field.replace(&mut theirs, there);
        }
    }
    ports.cookies.align(&mut theirs, ours);
    theirs == ours
}

/// A port or identifier in a packet, and the checksums over it, the innermost first.
struct Field {
    protocol: u8,
    addresses: (IpAddr, IpAddr),
    at: usize,
    /// The port of the other end.
    other: Option<usize>,
    sums: Vec<usize>,
    /// Where the SCTP packet begins to which it belongs.
    sctp: Option<usize>,
}

impl Field {
    fn replace(&self, packet: &mut [u8], new: u16) {
        let sctp = self.sctp.filter(|at| packet.len() >= at + 12 && packet[at + 8..at + 12] == sctp_checksum(&packet[*at..]));
        let mut changes = vec![(word(packet, self.at).unwrap_or_default(), new)];
        packet[self.at..self.at + 2].copy_from_slice(&new.to_be_bytes());
        if let Some(at) = sctp {
            let sum = sctp_checksum(&packet[at..]);
            for (word_at, new) in [(at + 8, [sum[0], sum[1]]), (at + 10, [sum[2], sum[3]])] {
                changes.push((word(packet, word_at).unwrap_or_default(), u16::from_be_bytes(new)));
                packet[word_at..word_at + 2].copy_from_slice(&new);
            }
        }
        for (depth, &at) in self.sums.iter().enumerate() {
            let Some(old) = word(packet, at) else { continue };
            let udp = self.protocol == 17 && depth == 0;
            if udp && old == 0 {
                continue;
            }
            let mut sum = u32::from(!old);
            for (from, to) in &changes {
                sum += u32::from(!from) + u32::from(*to);
            }
            while sum >> 16 != 0 {
                sum = (sum & 0xffff) + (sum >> 16);
            }
            let new = match !(sum as u16) {
                0 if udp => 0xffff,
                sum => sum,
            };
            packet[at..at + 2].copy_from_slice(&new.to_be_bytes());
            changes.push((old, new));
        }
    }
}

fn fields(view: &View<'_>) -> Vec<Field> {
    let mut fields = own_fields(view, 0);
    if view.is_icmp_error()
        && let Some(quote) = view.bytes.get(view.l4 + 8..).and_then(View::of)
    {
        for mut field in own_fields(&quote, view.l4 + 8) {
            field.sums.push(view.l4 + 2);
            fields.push(field);
        }
    }
    fields
}

fn own_fields(view: &View<'_>, base: usize) -> Vec<Field> {
    if view.later {
        return Vec::new();
    }
    let at: &[usize] = match view.protocol {
        6 | 17 | 132 => &[0, 2],
        _ if view.is_icmp_query() => &[4],
        _ => &[],
    };
    let sums: Vec<usize> = frame::checksum_at(view.protocol).map(|sum| base + view.l4 + sum).into_iter().collect();
    let field = |at: &usize| Field {
        protocol: view.protocol,
        addresses: (view.src, view.dst),
        at: base + view.l4 + at,
        other: (!view.is_icmp()).then_some(base + view.l4 + 2 - at),
        sums: sums.clone(),
        sctp: (view.protocol == 132).then_some(base + view.l4),
    };
    at.iter().map(field).collect()
}
