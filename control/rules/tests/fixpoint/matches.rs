//! Random words of every match, one function for those of both families and one for those of one alone.
mod others;

use crate::{bang, escaped, flags};
use proptest::prelude::*;
use rules::Family;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Words of one match, and the protocol that it needs (empty: any).
pub(crate) type Words = (&'static str, String);

/// Words of one match of the family.
pub(crate) fn of(family: Family) -> BoxedStrategy<Words> {
    let own = match family {
        Family::Ipv4 => of_ipv4().boxed(),
        Family::Ipv6 => of_ipv6().boxed(),
    };
    prop_oneof![2 => tracked(), 2 => headers(family), 2 => of_transport(), 1 => of_the_box(), 1 => own, 4 => others::of(family)]
        .boxed()
}

/// One of the words, or several with commas.
fn some(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::subsequence(words, 1..=words.len()).prop_map(|words| words.join(","))
}

fn one(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(words)
}

/// Two numbers, mostly in order.
fn span(max: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        (0..=max).prop_map(|only| only.to_string()),
        (0..=max, 0..=max).prop_map(|(a, b)| format!("{}:{}", a.min(b), a.max(b))),
        (0..=max, 0..=max).prop_map(|(a, b)| format!("{a}:{b}")),
        (0..=max).prop_map(|min| format!("{min}:")),
        (0..=max).prop_map(|max| format!(":{max}")),
    ]
}

fn tracked() -> impl Strategy<Value = Words> {
    let mark = (any::<u32>(), any::<u32>());
    prop_oneof![
        (mark, any::<bool>()).prop_map(|((v, m), not)| ("", format!("-m mark {}--mark {v:#x}/{m}", bang(not)))),
        (any::<u32>(), any::<bool>()).prop_map(|(v, not)| ("", format!("-m connmark {}--mark {v}", bang(not)))),
        (1..=u32::MAX, any::<prop::sample::Index>()).prop_map(|(every, packet)| {
            let packet = packet.index(every as usize);
            ("", format!("-m statistic --mode nth --every {every} --packet {packet}"))
        }),
        (0.0..=1.0f64).prop_map(|p| ("", format!("-m statistic --mode random --probability {p:.9}"))),
        "[ -~é]{0,100}".prop_map(|text| ("", format!("-m comment --comment \"{}\"", escaped(&text)))),
        (1..=10_000u32, one(&["sec", "min", "hour", "day"])).prop_map(|(n, time)| ("", format!("-m limit --limit {n}/{time}"))),
        some(&["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"])
            .prop_map(|states| ("", format!("-m conntrack --ctstate {states}"))),
        hashlimit(),
        (1..=32u32, any::<prop::sample::Index>(), any::<u32>(), any::<bool>()).prop_map(|(total, node, seed, not)| {
            let node = node.index(total as usize) + 1;
            let of = format!("--cluster-total-nodes {total} {}--cluster-local-node {node}", bang(not));
            ("", format!("-m cluster {of} --cluster-hash-seed {seed}"))
        }),
        (1..=u32::MAX, any::<prop::sample::Index>(), any::<u32>()).prop_map(|(mask, total, seed)| {
            let least = 32 - mask.leading_zeros();
            let total = least + total.index((33 - least) as usize) as u32;
            ("", format!("-m cluster --cluster-total-nodes {total} --cluster-local-nodemask {mask} --cluster-hash-seed {seed:#x}"))
        }),
    ]
}

fn hashlimit() -> impl Strategy<Value = Words> {
    let packets = (1..=1_000_000u32, one(&["s", "m", "h", "d"])).prop_map(|(number, time)| format!("{number}/{time}"));
    let bytes = prop_oneof![
        (16..=u32::MAX).prop_map(|number| format!("{number}b/s")),
        (1..=4_000_000u32).prop_map(|number| format!("{number}kb/s")),
        (1..=32_000u32).prop_map(|number| format!("{number}mb/s")),
    ];
    let measured = prop_oneof![
        2 => Just(String::new()),
        1 => Just(" --hashlimit-rate-match".to_owned()),
        1 => (1..=i32::MAX).prop_map(|seconds| format!(" --hashlimit-rate-match --hashlimit-rate-interval {seconds}")),
    ];
    let group = some(&["srcip", "srcport", "dstip", "dstport"]);
    let table = prop::option::of((0..=2_000_000u32, 0..=2_000_000u32, 1..=u32::MAX, 1..=u32::MAX)).prop_map(|table| {
        table.map_or(String::new(), |(size, max, gc, expire)| {
            let sizes = format!(" --hashlimit-htable-size {size} --hashlimit-htable-max {max}");
            format!("{sizes} --hashlimit-htable-gcinterval {gc} --hashlimit-htable-expire {expire}")
        })
    });
    let prefixes = prop::option::of((0..=32u8, 0..=32u8)).prop_map(|prefixes| {
        prefixes.map_or(String::new(), |(src, dst)| format!(" --hashlimit-srcmask {src} --hashlimit-dstmask {dst}"))
    });
    let rate = prop_oneof![packets, bytes];
    let direction = (any::<bool>(), one(&["upto", "above"])).prop_map(|(not, way)| format!("{}--hashlimit-{way}", bang(not)));
    (direction, rate, group, table, prefixes, measured, "[a-z']{1,40}").prop_map(
        |(direction, rate, group, table, prefixes, measured, name)| {
            // A day's worth of packets more than once does not fit the kernel's credits.
            let burst = if rate.ends_with('d') { " --hashlimit-burst 1" } else { "" };
            let words = format!("{direction} {rate}{burst} --hashlimit-mode {group} --hashlimit-name {name}");
            ("", format!("-m hashlimit {words}{table}{prefixes}{measured}"))
        },
    )
}

/// Of the IP header and the frame.
fn headers(family: Family) -> impl Strategy<Value = Words> {
    let range = move |[a, b]: [u128; 2]| match family {
        Family::Ipv4 => format!("{}-{}", Ipv4Addr::from_bits(a as u32), Ipv4Addr::from_bits(b as u32)),
        Family::Ipv6 => format!("{}-{}", Ipv6Addr::from_bits(a), Ipv6Addr::from_bits(b)),
    };
    let types: &'static [&'static str] = match family {
        Family::Ipv4 => &["UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "PROHIBIT", "XRESOLVE"],
        Family::Ipv6 => &["UNSPEC", "UNICAST", "LOCAL", "ANYCAST", "MULTICAST", "UNREACHABLE"],
    };
    prop_oneof![
        (some(types), any::<bool>(), one(&["", " --limit-iface-in", " --limit-iface-out"]))
            .prop_map(|(types, not, limit)| ("", format!("-m addrtype {}--src-type {types}{limit}", bang(not)))),
        (some(types), some(types), any::<bool>())
            .prop_map(|(src, dst, not)| ("", format!("-m addrtype --src-type {src} {}--dst-type {dst}", bang(not)))),
        (any::<[u128; 2]>(), any::<bool>())
            .prop_map(move |(at, not)| ("", format!("-m iprange {}--src-range {}", bang(not), range(at)))),
        any::<[u128; 2]>().prop_map(move |at| ("", format!("-m iprange --dst-range {}", range(at)))),
        (span(65_535), any::<bool>()).prop_map(|(span, not)| ("", format!("-m length {}--length {span}", bang(not)))),
        (0..64u8, any::<bool>()).prop_map(|(dscp, not)| ("", format!("-m dscp {}--dscp {dscp}", bang(not)))),
        (one(&["EF", "AF23", "cs6", "be"]), any::<bool>())
            .prop_map(|(class, not)| ("", format!("-m dscp {}--dscp-class {class}", bang(not)))),
        (0..4u8, any::<bool>()).prop_map(|(ect, not)| ("", format!("-m ecn {}--ecn-ip-ect {ect}", bang(not)))),
        (any::<bool>(), any::<bool>())
            .prop_map(|(ece, cwr)| ("tcp", format!("-m ecn {}--ecn-tcp-ece {}--ecn-tcp-cwr", bang(ece), bang(cwr)))),
        (any::<[u8; 6]>(), any::<bool>()).prop_map(|(mac, not)| {
            let mac = mac.map(|byte| format!("{byte:x}")).join(":");
            ("", format!("-m mac {}--mac-source {mac}", bang(not)))
        }),
    ]
}

fn of_transport() -> impl Strategy<Value = Words> {
    let port = 0..=u16::MAX;
    prop_oneof![
        (port.clone(), port.clone(), any::<bool>())
            .prop_map(|(a, b, not)| ("tcp", format!("-m tcp {}--dport {}:{}", bang(not), a.min(b), a.max(b)))),
        (0u8..64, 0u8..64, any::<bool>())
            .prop_map(|(mask, comp, not)| ("tcp", format!("-m tcp {}--tcp-flags {} {}", bang(not), flags(mask), flags(comp)))),
        (port.clone(), any::<bool>()).prop_map(|(a, not)| ("udp", format!("-m udp {}--sport {a}", bang(not)))),
        prop::collection::vec(port, 1..=15).prop_map(|ports| {
            let list = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
            ("tcp", format!("-m multiport --ports {list}"))
        }),
        (span(65_535), any::<bool>()).prop_map(|(span, not)| ("dccp", format!("-m dccp {}--sport {span}", bang(not)))),
        (some(&["REQUEST", "DATA", "ack", "SYNCACK", "INVALID"]), 1..=255u8, any::<bool>()).prop_map(|(types, option, not)| {
            ("dccp", format!("-m dccp {}--dccp-types {types} {}--dccp-option {option}", bang(not), bang(!not)))
        }),
        (span(u32::MAX), any::<bool>()).prop_map(|(span, not)| ("esp", format!("-m esp {}--espspi {span}", bang(not)))),
        (span(u32::MAX), any::<bool>(), one(&["", " --compres"]))
            .prop_map(|(span, not, more)| ("ipcomp", format!("-m ipcomp {}--ipcompspi {span}{more}", bang(not)))),
        Just(("ipcomp", "-m ipcomp".to_owned())),
        (span(u32::MAX), any::<bool>()).prop_map(|(span, not)| ("ah", format!("-m ah {}--ahspi {span}", bang(not)))),
    ]
}

/// Of what the box has beside packets.
fn of_the_box() -> impl Strategy<Value = Words> {
    prop_oneof![
        (any::<u32>(), any::<bool>()).prop_map(|(cpu, not)| ("", format!("-m cpu {}--cpu {cpu}", bang(not)))),
        (any::<u32>(), any::<u32>(), any::<bool>()).prop_map(|(group, mask, not)| (
            "",
            format!("-m devgroup {}--src-group {group}/{mask} --dst-group {group}", bang(not))
        )),
        (any::<u32>(), any::<bool>()).prop_map(|(k, more)| {
            let program = if more { format!("2,48 0 0 9,6 0 0 {k}") } else { format!("1,6 0 0 {k}") };
            ("", format!("-m bpf --bytecode \"{program}\""))
        }),
        (any::<u16>(), 0..=255u8, one(&["GATE", "IPIP", "masq"]), any::<bool>()).prop_map(|(port, protocol, method, not)| {
            ("", format!("-m ipvs {}--vport {port} --vproto {protocol} {}--vmethod {method} --vdir REPLY", bang(not), bang(!not)))
        }),
        any::<bool>().prop_map(|not| ("", format!("-m ipvs {}--ipvs", bang(not)))),
    ]
}

fn of_ipv4() -> impl Strategy<Value = Words> {
    prop_oneof![
        (any::<u8>(), any::<u8>(), any::<bool>())
            .prop_map(|(kind, code, not)| ("icmp", format!("-m icmp {}--icmp-type {kind}/{code}", bang(not)))),
        (any::<u8>(), one(&["--ttl-eq", "! --ttl-eq", "--ttl-lt", "--ttl-gt"]))
            .prop_map(|(ttl, option)| ("", format!("-m ttl {option} {ttl}"))),
    ]
}

fn of_ipv6() -> impl Strategy<Value = Words> {
    let options = prop::collection::vec((1..=255u8, prop::option::of(0..=255u8)), 1..=16).prop_map(|options| {
        let option = |(kind, length): &(u8, Option<u8>)| match length {
            None => kind.to_string(),
            Some(length) => format!("{kind}:{length}"),
        };
        options.iter().map(option).collect::<Vec<_>>().join(",")
    });
    prop_oneof![
        (any::<u8>(), any::<bool>()).prop_map(|(kind, not)| ("icmpv6", format!("-m icmp6 {}--icmpv6-type {kind}", bang(not)))),
        (any::<u8>(), one(&["--hl-eq", "! --hl-eq", "--hl-lt", "--hl-gt"]))
            .prop_map(|(hl, option)| ("", format!("-m hl {option} {hl}"))),
        (span(u32::MAX), any::<u32>(), any::<bool>()).prop_map(|(span, length, not)| (
            "",
            format!("-m ah {}--ahspi {span} {}--ahlen {length} --ahres", bang(not), bang(!not))
        )),
        (span(u32::MAX), any::<u32>(), any::<bool>(), one(&["", " --fragmore", " --fraglast", " --fragres --fragfirst"])).prop_map(
            |(span, length, not, more)| (
                "",
                format!("-m frag {}--fragid {span} {}--fraglen {length}{more}", bang(not), bang(!not))
            )
        ),
        (one(&["dst", "hbh"]), any::<u32>(), options, any::<bool>()).prop_map(|(name, length, options, not)| (
            "",
            format!("-m {name} {}--{name}-len {length} --{name}-opts {options}", bang(not))
        )),
        (some(&["hop", "dst", "route", "frag", "auth", "esp", "none", "prot"]), any::<bool>(), one(&["", " --soft"]))
            .prop_map(|(headers, not, soft)| ("", format!("-m ipv6header {}--header {headers}{soft}", bang(not)))),
        (any::<u8>(), any::<u8>(), any::<bool>())
            .prop_map(|(a, b, not)| ("mh", format!("-m mh {}--mh-type {}:{}", bang(not), a.min(b), a.max(b)))),
        Just(("", "-m eui64".to_owned())),
    ]
}
