//! Rule sets of every match and target that is enforced, as the parser would hand them over: only what a table and a protocol allow.

use std::net::{IpAddr, Ipv4Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rules::matches::addrtype;
use rules::matches::connbytes;
use rules::matches::conntrack::{Direction, ExpireTest, ProtoTest, StateTest, StatusTest, TupleTest};
use rules::matches::dccp::TypesTest;
use rules::matches::ecn::EctTest;
use rules::matches::hashlimit::{Group, Rate};
use rules::matches::iprange::AddressRange;
use rules::matches::multiport::{PortSpan, Side};
use rules::matches::pkttype::LinkDestination;
use rules::matches::recent::Action;
use rules::matches::sctp::{Chunk, ChunkHow, ChunkTest};
use rules::matches::statistic::Mode;
use rules::matches::tcp::{FlagsTest, OptionTest};
use rules::matches::ttl::{Comparison, TtlTest};
use rules::matches::{
    Addrtype, Ah, Cluster, Comment, Connbytes, Connlabel, Connlimit, Conntrack, Dccp, Devgroup, Dscp, Ecn, Hashlimit, HelperTest,
    Icmp, Ipcomp, Iprange, Length, Limit, Mac, MarkTest, Multiport, Pkttype, PortTest, Quota, Recent, Rpfilter, Sctp, Selinux,
    SpiTest, State, StateSet, Statistic, Tcp, Tcpmss, Time, TosTest, Udp,
};
use rules::targets::{
    ConnmarkAction, Connsecmark, Ct, Hmark, Log, MarkSet, NatRange, Netmap, Reject, RejectWith, Secmark, Shift, Synproxy, Tee, Tos,
    Ttl, Zone, ZoneDirection, ZoneId,
};
use rules::{
    AddrMatch, Addresses, ChainName, Family, FragmentMatch, Header, InterfaceMatch, InterfaceName, Match, Policy, ProtocolMatch,
    Rule, RuleSet, TableName, Target,
};

use crate::content;
use crate::packets::{ADDRESSES, DATES, GROUPS, ICMP_TYPES, LABELS, MARKS, PORTS, PROTOCOLS, SOURCES, TIMES};

/// User chains. A chain goes only to later ones, so that no loop closes.
const CHAINS: [&str; 4] = ["a", "b", "c", "d"];

/// A rule set with this table loaded.
pub(crate) fn of(name: TableName) -> impl Strategy<Value = RuleSet> {
    let builtin = vec((rules(name, 0), any::<bool>()), name.hooks().len());
    let user = (rules(name, 1), rules(name, 2), rules(name, 3), rules(name, 4)).prop_map(|(a, b, c, d)| [a, b, c, d]);
    (builtin, user).prop_map(move |(builtin, user)| {
        let mut set = RuleSet::new(Family::Ipv4);
        let table = set.table_mut(name);
        for chain in CHAINS {
            table.add_chain(ChainName::new(chain));
        }
        for (hook, (rules, drops)) in name.hooks().iter().zip(builtin) {
            let chain = table.chain_mut(hook.chain_name()).expect("every hook has its chain");
            chain.policy = Some(if drops && name != TableName::Nat { Policy::Drop } else { Policy::Accept });
            chain.rules = rules.into_iter().filter(|rule| allowed_at(&rule.target, *hook)).collect();
        }
        for (name, rules) in CHAINS.iter().zip(user) {
            table.chain_mut(name).expect("it was just added").rules = rules.into_iter().collect();
        }
        set
    })
}

/// Nat targets stand only where their side is translated; a chain that more than one hook reaches has none.
fn allowed_at(target: &Target, hook: rules::Hook) -> bool {
    use rules::Hook::{Input, Output, Postrouting, Prerouting};
    match target {
        Target::Snat(_) => matches!(hook, Input | Postrouting),
        Target::Masquerade(_) => hook == Postrouting,
        Target::Dnat(_) | Target::Redirect(_) => matches!(hook, Prerouting | Output),
        Target::Netmap(_) => matches!(hook, Prerouting | Output | Postrouting | Input),
        _ => true,
    }
}

/// Rules of a chain that may go to the user chains from number `first` on.
fn rules(table: TableName, first: usize) -> impl Strategy<Value = Vec<Rule>> {
    vec(rule(table, first), 0..6)
}

fn rule(table: TableName, first: usize) -> impl Strategy<Value = Rule> {
    protocol().prop_flat_map(move |protocol| {
        let matches = vec(one_match(table, protocol), 0..4);
        (header(protocol), matches, target(table, protocol, first)).prop_map(|(header, matches, target)| Rule {
            header,
            matches: matches.into(),
            target,
            ..Rule::any(Family::Ipv4)
        })
    })
}

fn protocol() -> impl Strategy<Value = ProtocolMatch> {
    prop_oneof![
        2 => Just(ProtocolMatch::default()),
        5 => select(vec![1u8, 6, 17]).prop_map(|number| ProtocolMatch { number, invert: false }),
        2 => (select(&PROTOCOLS[1..]), any::<bool>()).prop_map(|(number, invert)| ProtocolMatch { number, invert }),
    ]
}

fn header(protocol: ProtocolMatch) -> impl Strategy<Value = Header> {
    let fragment = prop_oneof![8 => Just(FragmentMatch::Any), 1 => Just(FragmentMatch::Later), 1 => Just(FragmentMatch::NotLater)];
    (net(), net(), interface(), interface(), fragment).prop_map(move |(src, dst, in_interface, out_interface, fragment)| Header {
        addresses: Addresses::new(src, dst),
        in_interface,
        out_interface,
        protocol,
        fragment,
    })
}

fn net() -> impl Strategy<Value = AddrMatch> {
    let masks = vec![0, 0xff00_0000, 0xffff_ff00, 0xffff_fffe, u32::MAX, 0xff00_00ff];
    prop_oneof![
        3 => Just(AddrMatch::any(Family::Ipv4)),
        2 => (select(&ADDRESSES[..]), select(masks), any::<bool>()).prop_map(|(addr, mask, invert)| {
            let ip = |bits| IpAddr::V4(Ipv4Addr::from_bits(bits));
            AddrMatch::new(ip(addr), ip(mask), invert).expect("both are of one family")
        }),
    ]
}

fn interface() -> impl Strategy<Value = InterfaceMatch> {
    let named = (select(vec!["eth0", "eth1", "eth", "e", "wan", "nope", ""]), any::<bool>(), any::<bool>());
    prop_oneof![
        4 => Just(InterfaceMatch::any()),
        // An empty name is never typed but as `+`.
        1 => named.prop_map(|(name, wildcard, invert)| InterfaceMatch { name: InterfaceName::new(name).expect("it is short"), wildcard: wildcard || name.is_empty(), invert }),
    ]
}

/// Of one field of the IP header, at values that packets have and beside them; of addresses, and of the frame.
fn field() -> BoxedStrategy<Match> {
    let comparison = select(vec![Comparison::Equal, Comparison::NotEqual, Comparison::Less, Comparison::Greater]);
    let range = || {
        let address = || select(&ADDRESSES[..]).prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
        option::of((address(), address(), any::<bool>()).prop_map(|(min, max, invert)| AddressRange { min, max, invert }))
    };
    let length = || select(vec![0u16, 20, 27, 28, 39, 40, 41, 44, 48, 60, 80, u16::MAX]);
    prop_oneof![
        (length(), length(), any::<bool>()).prop_map(|(min, max, invert)| Match::Length(Length { min, max, invert })),
        (comparison, any::<u8>()).prop_map(|(is, value)| Match::Ttl(TtlTest { is, value })),
        (0u8..64, any::<bool>()).prop_map(|(dscp, invert)| Match::Dscp(Dscp { dscp, invert })),
        (any::<u8>(), any::<u8>(), any::<bool>()).prop_map(|(value, mask, invert)| Match::Tos(TosTest {
            value: value & mask,
            mask,
            invert
        })),
        (0u8..4, any::<bool>()).prop_map(|(ect, invert)| Match::Ecn(Ecn {
            ece: None,
            cwr: None,
            ect: Some(EctTest { ect, invert })
        })),
        (range(), range()).prop_map(|(src, dst)| Match::Iprange(Box::new(Iprange { src, dst }))),
        (select(&SOURCES[..]), any::<bool>()).prop_map(|(source, invert)| Match::Mac(Mac { source, invert })),
    ]
    .boxed()
}

fn ecn() -> impl Strategy<Value = Ecn> {
    let ect = option::of((0u8..4, any::<bool>()).prop_map(|(ect, invert)| EctTest { ect, invert }));
    (any::<Option<bool>>(), any::<Option<bool>>(), ect).prop_map(|(ece, cwr, ect)| Ecn { ece, cwr, ect })
}

/// The reference and the program are asked it in every chain, as they are asked for interfaces.
fn devgroup() -> impl Strategy<Value = Match> {
    let test = || {
        (select(&GROUPS[..]), select(vec![u32::MAX, 0, 1, 6]), any::<bool>()).prop_map(|(value, mask, invert)| MarkTest {
            value,
            mask,
            invert,
        })
    };
    prop_oneof![
        test().prop_map(|test| Devgroup { src: Some(test), dst: None }),
        test().prop_map(|test| Devgroup { src: None, dst: Some(test) }),
        (test(), test()).prop_map(|(src, dst)| Devgroup { src: Some(src), dst: Some(dst) }),
    ]
    .prop_map(|test| Match::Devgroup(Box::new(test)))
}

/// Of what the box's addresses and routes, and the frame, say of a packet.
fn around() -> BoxedStrategy<Match> {
    let types = || option::of((1u16..0x1000, any::<bool>()).prop_map(|(types, invert)| addrtype::TypeTest { types, invert }));
    let limit = select(vec![None, Some(addrtype::Side::In), Some(addrtype::Side::Out)]);
    let some = (1u16..0x1000, any::<bool>()).prop_map(|(types, invert)| addrtype::TypeTest { types, invert });
    use LinkDestination::{Broadcast, Multicast, OtherHost, Unicast};
    prop_oneof![
        (some, types(), limit).prop_map(|(dst, src, limit)| Match::Addrtype(Addrtype { src, dst: Some(dst), limit })),
        any::<[bool; 4]>().prop_map(|[loose, valid_mark, accept_local, invert]| Match::Rpfilter(Rpfilter {
            loose,
            valid_mark,
            accept_local,
            invert
        })),
        (select(vec![Unicast, Broadcast, Multicast, OtherHost]), any::<bool>())
            .prop_map(|(to, invert)| Match::Pkttype(Pkttype { to, invert })),
        devgroup(),
    ]
    .boxed()
}

fn index() -> impl Strategy<Value = SpiTest> {
    let value = || prop_oneof![select(&PORTS[..]).prop_map(u32::from), Just(80 << 16), Just(80 << 16 | 80), Just(u32::MAX)];
    (value(), value(), any::<bool>()).prop_map(|(min, max, invert)| SpiTest { min, max, invert })
}

fn sctp() -> impl Strategy<Value = Sctp> {
    let how = select(vec![ChunkHow::All, ChunkHow::Any, ChunkHow::Only]);
    let types = vec((0u8..16, select(vec![0u8, 1, 4]), any::<u8>()), 0..4).prop_map(|mut types| {
        types.sort_unstable();
        types.dedup_by_key(|(kind, ..)| *kind);
        types.into_iter().map(|(kind, mask, set)| Chunk { kind, mask, set: set & mask }).collect::<Vec<_>>()
    });
    let chunks = (how, types, prop::bool::weighted(0.1), any::<bool>()).prop_map(|(how, types, every, invert)| ChunkTest {
        how,
        types: if every { Vec::new() } else { types },
        every,
        invert,
    });
    (option::of(port_test()), option::of(port_test()), option::weighted(0.8, chunks)).prop_map(|(sport, dport, chunks)| Sctp {
        sport,
        dport,
        chunks,
    })
}

fn dccp() -> impl Strategy<Value = Dccp> {
    let types = (any::<u16>(), any::<bool>()).prop_map(|(types, invert)| TypesTest { types, invert });
    let kind = (select(vec![1u8, 2, 4, 8, 255]), any::<bool>())
        .prop_map(|(kind, invert)| rules::matches::dccp::OptionTest { kind, invert });
    (option::of(port_test()), option::of(port_test()), option::of(types), option::of(kind))
        .prop_map(|(sport, dport, types, option)| Dccp { sport, dport, types, option })
}

fn tcpmss() -> impl Strategy<Value = Tcpmss> {
    let mss = || select(vec![0u16, 1, 536, 1459, 1460, u16::MAX]);
    (mss(), mss(), any::<bool>()).prop_map(|(a, b, invert)| Tcpmss { min: a.min(b), max: a.max(b), invert })
}

fn one_match(table: TableName, protocol: ProtocolMatch) -> BoxedStrategy<Match> {
    let anywhere = prop_oneof![
        Just(Match::Comment(Comment { text: "why".into() })),
        mark_test().prop_map(Match::Mark),
        connbytes().prop_map(|test| Match::Connbytes(Box::new(test))),
        (select(vec![0u16, 1, 2, 127]), any::<(bool, bool)>()).prop_map(|(label, (set, invert))| Match::Connlabel(Connlabel {
            label,
            set,
            invert
        })),
        mark_test().prop_map(Match::Connmark),
        field(),
        field(),
        around(),
        conntrack().prop_map(|test| Match::Conntrack(Box::new(test))),
        limit().prop_map(Match::Limit),
        (select(vec!["", "ftp", "tftp", "ftp-2121", "irc"]), any::<bool>())
            .prop_map(|(name, invert)| Match::Helper(Box::new(HelperTest { name: name.into(), invert }))),
        (select(&LABELS[1..]), any::<bool>())
            .prop_map(|(context, invert)| Match::Selinux(Box::new(Selinux { context: context.into(), invert }))),
        (states(false), any::<bool>()).prop_map(|(states, invert)| Match::State(State { states, invert })),
        statistic().prop_map(Match::Statistic),
        (select(vec![0u64, 28, 100, 1000]), any::<bool>()).prop_map(|(bytes, invert)| Match::Quota(Quota { bytes, invert })),
        recent().prop_map(|test| Match::Recent(Box::new(test))),
        time().prop_map(|test| Match::Time(Box::new(test))),
        hashlimit().prop_map(|test| Match::Hashlimit(Box::new(test))),
        (1u8..=32, any::<(u32, u32, bool)>()).prop_map(|(total, (nodes, seed, invert))| {
            Match::Cluster(Cluster { total, nodes: nodes >> (32 - total), seed, invert })
        }),
        content::string().prop_map(|test| Match::String(Box::new(test))),
        content::words().prop_map(|test| Match::U32(Box::new(test))),
        crate::sets::test().prop_map(|test| Match::Set(Box::new(test))),
    ]
    .boxed();
    let anywhere = match table {
        // Packets have no connection there yet, and the rule is refused.
        TableName::Raw => anywhere,
        _ => prop_oneof![10 => anywhere, 1 => connlimit().prop_map(Match::Connlimit)].boxed(),
    };
    let of_protocol = match protocol {
        ProtocolMatch { number: 1, invert: false } => icmp().prop_map(Match::Icmp).boxed(),
        ProtocolMatch { number: 6, invert: false } => prop_oneof![
            3 => tcp().prop_map(Match::Tcp),
            1 => multiport(),
            1 => tcpmss().prop_map(Match::Tcpmss),
            1 => ecn().prop_map(Match::Ecn)
        ]
        .boxed(),
        ProtocolMatch { number: 17, invert: false } => prop_oneof![udp().prop_map(Match::Udp), multiport()].boxed(),
        ProtocolMatch { number: 33, invert: false } => prop_oneof![1 => multiport(), 2 => dccp().prop_map(Match::Dccp)].boxed(),
        ProtocolMatch { number: 132, invert: false } => {
            prop_oneof![1 => multiport(), 2 => sctp().prop_map(|test| Match::Sctp(Box::new(test)))].boxed()
        }
        ProtocolMatch { number: 50, invert: false } => index().prop_map(Match::Esp).boxed(),
        ProtocolMatch { number: 51, invert: false } => {
            index().prop_map(|spi| Match::Ah(Ah { spi, length: 0, invert_length: false, reserved: false })).boxed()
        }
        ProtocolMatch { number: 108, invert: false } => {
            index().prop_map(|spi| Match::Ipcomp(Ipcomp { spi, reserved: false })).boxed()
        }
        _ => return anywhere,
    };
    prop_oneof![anywhere, of_protocol].boxed()
}

fn mark_test() -> impl Strategy<Value = MarkTest> {
    (select(&MARKS[..]), select(&MARKS[..]), any::<bool>()).prop_map(|(value, mask, invert)| MarkTest { value, mask, invert })
}

fn connbytes() -> impl Strategy<Value = Connbytes> {
    let counts = || select(vec![0, 1, 2, 3, 40, 100, 200, u64::MAX]);
    let modes = vec![connbytes::Mode::Packets, connbytes::Mode::Bytes, connbytes::Mode::Average];
    let directions = vec![connbytes::Direction::Original, connbytes::Direction::Reply, connbytes::Direction::Both];
    (counts(), counts(), select(modes), select(directions)).prop_map(|(from, to, mode, direction)| Connbytes {
        from,
        to,
        mode,
        direction,
    })
}

fn connlimit() -> impl Strategy<Value = Connlimit> {
    (0u32..4, any::<bool>(), select(vec![0, 8, 24, 31, 32]), any::<bool>())
        .prop_map(|(limit, above, prefix, destination)| Connlimit { limit, above, prefix, destination })
}

/// Days are few, so that now is one of them as often as not.
fn time() -> impl Strategy<Value = Time> {
    let dates = (select(&DATES[..]), select(&DATES[..]), any::<[bool; 2]>())
        .prop_map(|(start, stop, [starts, stops])| (if starts { start } else { 0 }, if stops { stop } else { i32::MAX as u32 }));
    let times = (select(&TIMES[..]), select(&TIMES[..]), any::<[bool; 2]>());
    let days = (any::<u32>(), any::<u8>(), any::<[bool; 2]>());
    (dates, times, days, any::<bool>()).prop_map(|(dates, times, days, kernel_zone)| {
        let (date_start, date_stop) = dates;
        let (day_start, day_stop, [is_timed, contiguous]) = times;
        let (day_start, day_stop) = if is_timed { (day_start, day_stop) } else { (0, 86_399) };
        let (month_days, week_days, [by_month, by_week]) = days;
        Time {
            date_start,
            date_stop,
            day_start,
            day_stop,
            month_days: if by_month { month_days & !1 } else { !1 },
            week_days: if by_week { week_days & !1 } else { !1 },
            contiguous: contiguous && day_start >= day_stop,
            kernel_zone,
        }
    })
}

fn recent() -> impl Strategy<Value = Recent> {
    let actions = vec![Action::Set, Action::Check, Action::Update, Action::Remove];
    let words = (select(vec!["a", "b"]), select(vec!["255.255.255.255", "255.255.255.0", "0.0.0.0"]), any::<[bool; 4]>());
    (select(actions), select(vec![0u32, 1, 60]), select(vec![0u32, 1, 2, 5]), words).prop_map(
        |(action, seconds, hits, (name, mask, [invert, reap, ttl, destination]))| {
            let asks = matches!(action, Action::Check | Action::Update);
            let mask = mask.parse().expect("a mask");
            Recent {
                action,
                invert,
                seconds: if asks { seconds } else { 0 },
                reap: asks && seconds > 0 && reap,
                hits: if asks { hits } else { 0 },
                ttl: asks && ttl,
                name: name.into(),
                mask,
                destination,
            }
        },
    )
}

fn hashlimit() -> impl Strategy<Value = Hashlimit> {
    let rate = prop_oneof![
        (select(vec![1000u64, 100_000, 1_000_000, 60_000_000]), 1u32..5)
            .prop_map(|(period, burst)| Rate::Packets { period, burst }),
        (select(vec![u32::MAX / 2, u32::MAX / 5, u32::MAX / 65]), 0u32..3).prop_map(|(price, burst)| Rate::Bytes { price, burst }),
    ];
    let prefix = || option::weighted(0.3, select(vec![0u8, 24, 31]));
    let group = (0u8..16, prefix(), prefix()).prop_map(|(parts, src_prefix, dst_prefix)| Group { parts, src_prefix, dst_prefix });
    let words = (select(vec!["a", "b"]), any::<bool>(), option::weighted(0.3, 1u32..3), select(vec![500u32, 60_000]));
    (rate, group, words).prop_map(|(rate, group, (name, above, interval, expire))| Hashlimit {
        name: name.into(),
        rate,
        above,
        group,
        size: 0,
        max: 0,
        gc_interval: 1000,
        expire,
        interval,
        unused_interval: None,
    })
}

fn limit() -> impl Strategy<Value = Limit> {
    (select(vec![10_000u32, 1000, 10, 600_000, 36_000_000]), select(vec![1u32, 2, 5]))
        .prop_map(|(average, burst)| Limit { average, burst })
}

fn statistic() -> impl Strategy<Value = Statistic> {
    let random = select(vec![0u32, 1 << 30, 0x2aaa_aaab, 1 << 31]).prop_map(|probability| Mode::Random { probability });
    let nth = (1u32..5).prop_flat_map(|every| (Just(every), 0..every)).prop_map(|(every, packet)| Mode::Nth { every, packet });
    (prop_oneof![random, nth], any::<bool>()).prop_map(|(mode, invert)| Statistic { mode, invert })
}

fn states(translation: bool) -> impl Strategy<Value = StateSet> {
    any::<[bool; 7]>().prop_map(move |[invalid, new, related, established, untracked, snat, dnat]| StateSet {
        invalid,
        new,
        related,
        established,
        untracked,
        snat: snat && translation,
        dnat: dnat && translation,
    })
}

fn conntrack() -> impl Strategy<Value = Conntrack> {
    let state = option::of((states(true), any::<bool>()).prop_map(|(states, invert)| StateTest { states, invert }));
    let proto =
        option::weighted(0.2, (select(&PROTOCOLS[1..]), any::<bool>()).prop_map(|(number, invert)| ProtoTest { number, invert }));
    let nets = || [option::weighted(0.2, net()), option::weighted(0.2, net())];
    let ports = || [option::weighted(0.2, port_test()), option::weighted(0.2, port_test())];
    let status = any::<[bool; 5]>().prop_map(|[expected, seen_reply, assured, confirmed, invert]| StatusTest {
        expected,
        seen_reply,
        assured,
        confirmed,
        invert,
    });
    let expire = (select(vec![0u32, 1, 30]), select(vec![0u32, 30, u32::MAX]), any::<bool>());
    let expire = expire.prop_map(|(min, max, invert)| ExpireTest { min, max, invert });
    let rest = (
        option::weighted(0.2, status),
        option::weighted(0.2, expire),
        option::weighted(0.2, select(vec![Direction::Original, Direction::Reply])),
    );
    (state, proto, nets(), nets(), ports(), ports(), rest).prop_map(
        |(state, proto, [orig_src, orig_dst], [repl_src, repl_dst], orig_ports, repl_ports, (status, expire, direction))| {
            let tuple = TupleTest {
                orig_src,
                orig_dst,
                repl_src,
                repl_dst,
                orig_src_port: orig_ports[0],
                orig_dst_port: orig_ports[1],
                repl_src_port: repl_ports[0],
                repl_dst_port: repl_ports[1],
            };
            Conntrack { state, proto, tuple: tuple.boxed(), status, expire, direction }
        },
    )
}

fn port_test() -> impl Strategy<Value = PortTest> {
    prop_oneof![
        1 => any::<bool>().prop_map(|invert| PortTest { invert, ..PortTest::ANY }),
        2 => (select(&PORTS[..]), select(&PORTS[..]), any::<bool>()).prop_map(|(min, max, invert)| PortTest { min, max, invert }),
        2 => (select(&PORTS[..]), any::<bool>()).prop_map(|(port, invert)| PortTest { min: port, max: port, invert }),
    ]
}

fn tcp() -> impl Strategy<Value = Tcp> {
    let flags = (select(vec![0x17u8, 0x3f, 0x02, 0]), select(vec![0u8, 0x02, 0x10, 0x12, 0x3f]), any::<bool>());
    let flags = flags.prop_map(|(mask, comp, invert)| FlagsTest { mask, comp, invert });
    let option = (select(vec![1u8, 2, 3, 4, 5, 8, 255]), any::<bool>()).prop_map(|(kind, invert)| OptionTest { kind, invert });
    (port_test(), port_test(), option::of(flags), option::weighted(0.3, option)).prop_map(|(sport, dport, flags, option)| Tcp {
        sport,
        dport,
        flags,
        option,
    })
}

fn udp() -> impl Strategy<Value = Udp> {
    (port_test(), port_test()).prop_map(|(sport, dport)| Udp { sport, dport })
}

fn icmp() -> impl Strategy<Value = Icmp> {
    let codes = prop_oneof![Just((0u8, 255u8)), Just((0, 0)), Just((1, 4)), Just((255, 255))];
    (option::of(select(&ICMP_TYPES[..])), codes, any::<bool>()).prop_map(|(kind, (code_min, code_max), invert)| Icmp {
        kind,
        code_min,
        code_max,
        invert,
    })
}

fn multiport() -> impl Strategy<Value = Match> {
    let side = select(vec![Side::Source, Side::Destination, Side::Either]);
    let span = (select(&PORTS[..]), select(&PORTS[..])).prop_map(|(a, b)| PortSpan { min: a.min(b), max: a.max(b) });
    let test = |(side, ports, invert)| Match::Multiport(Box::new(Multiport { side, ports: Vec::into(ports), invert }));
    (side, vec(span, 1..6), any::<bool>()).prop_map(test)
}

fn target(table: TableName, protocol: ProtocolMatch, first: usize) -> BoxedStrategy<Target> {
    let verdict = if table == TableName::Nat {
        vec![Target::Accept, Target::Return]
    } else {
        vec![Target::Accept, Target::Drop, Target::Return]
    };
    let anywhere = prop_oneof![
        3 => Just(Target::None),
        2 => select(verdict),
        2 => mark_set().prop_map(|(value, mask)| Target::Mark(MarkSet { value, mask })),
        2 => connmark().prop_map(Target::Connmark),
        1 => log().prop_map(|log| Target::Log(Box::new(log))),
        1 => crate::sets::target().prop_map(|set| Target::Set(Box::new(set))),
        1 => Just(Target::Tee(Box::new(Tee { gateway: Ipv4Addr::new(10, 0, 0, 9).into(), out_interface: "eth1".into() }))),
    ]
    .boxed();
    let of_table = match table {
        TableName::Raw => {
            prop_oneof![Just(Target::Notrack), Just(Target::Trace), ct().prop_map(|ct| Target::Ct(Box::new(ct)))].boxed()
        }
        TableName::Mangle if protocol.is_exactly(6) => prop_oneof![label(), bits(), of_tcp()].boxed(),
        TableName::Mangle => prop_oneof![label(), bits(), ttl().prop_map(Target::Ttl)].boxed(),
        // A user chain is reached from every hook here, and no nat target stands at all of them.
        TableName::Nat if first == 0 => nat(),
        TableName::Nat => anywhere.clone(),
        // As REJECT does at each hook of the filter table here, though iptables keeps it out of OUTPUT.
        TableName::Filter if protocol.is_exactly(6) => {
            prop_oneof![reject(true).prop_map(|with| Target::Reject(Reject { with })), synproxy().prop_map(Target::Synproxy)]
                .boxed()
        }
        TableName::Filter => reject(false).prop_map(|with| Target::Reject(Reject { with })).boxed(),
        TableName::Security => label(),
    };
    let onwards: Vec<Target> = CHAINS[first.min(CHAINS.len())..]
        .iter()
        .flat_map(|name| [Target::Jump(ChainName::new(name)), Target::Goto(ChainName::new(name))])
        .collect();
    if onwards.is_empty() {
        return prop_oneof![3 => anywhere, 1 => of_table].boxed();
    }
    prop_oneof![3 => anywhere, 1 => of_table, 2 => select(onwards)].boxed()
}

fn mark_set() -> impl Strategy<Value = (u32, u32)> {
    (select(&MARKS[..]), select(&MARKS[..]))
}

fn connmark() -> impl Strategy<Value = ConnmarkAction> {
    prop_oneof![
        (mark_set(), shift()).prop_map(|((value, mask), shift)| ConnmarkAction::Set { value, mask, shift }),
        (mark_set(), shift()).prop_map(|((nf_mask, ct_mask), shift)| ConnmarkAction::Save { nf_mask, ct_mask, shift }),
        (mark_set(), shift()).prop_map(|((nf_mask, ct_mask), shift)| ConnmarkAction::Restore { nf_mask, ct_mask, shift }),
    ]
}

fn shift() -> impl Strategy<Value = Shift> {
    prop_oneof![3 => Just(Shift(0)), 1 => (-31i8..32).prop_map(Shift)]
}

fn log() -> impl Strategy<Value = Log> {
    (0u8..8, select(vec!["", "dropped: "]), any::<[bool; 5]>()).prop_map(
        |(level, prefix, [tcp_sequence, tcp_options, ip_options, uid, mac_decode])| Log {
            level,
            prefix: prefix.into(),
            tcp_sequence,
            tcp_options,
            ip_options,
            uid,
            mac_decode,
        },
    )
}

fn ct() -> impl Strategy<Value = Ct> {
    let direction = select(vec![ZoneDirection::Both, ZoneDirection::Original, ZoneDirection::Reply]);
    let ids = vec![ZoneId::Number(0), ZoneId::Number(1), ZoneId::Number(65535), ZoneId::FromMark];
    let zone = (select(ids), direction).prop_map(|(id, direction)| Zone { id, direction });
    let helper = select(vec![None, Some("ftp"), Some("tftp")]).prop_map(|name| name.map(Box::from));
    prop_oneof![
        Just(Ct { notrack: true, ..Ct::default() }),
        (option::of(zone), helper).prop_map(|(zone, helper)| Ct { zone, helper, ..Ct::default() }),
    ]
}

fn label() -> BoxedStrategy<Target> {
    let secmark = select(&LABELS[1..]).prop_map(|context| Target::Secmark(Secmark { context: context.into() }));
    prop_oneof![secmark, Just(Target::Connsecmark(Connsecmark::Save)), Just(Target::Connsecmark(Connsecmark::Restore))].boxed()
}

fn tos() -> impl Strategy<Value = Tos> {
    (any::<u8>(), select(vec![0u8, 0xff, 0x3f, 0xfc])).prop_map(|(value, mask)| Tos { value, mask })
}

fn hmark() -> impl Strategy<Value = Hmark> {
    let lengths = || option::of(select(vec![0u8, 1, 24, 32]));
    let ports = || option::of(select(vec![0u16, 1, 0xff, 0xffff]));
    let of_ports = (ports(), ports(), ports(), ports()).prop_map(|(sport_mask, dport_mask, sport, dport)| Hmark {
        sport_mask,
        dport_mask,
        sport,
        dport,
        ..Hmark::default()
    });
    let index = || option::of(select(vec![0, 0xff00, u32::MAX]));
    let of_index = (index(), index()).prop_map(|(spi_mask, spi)| Hmark { spi_mask, spi, ..Hmark::default() });
    let numbers = (any::<u32>(), select(vec![1u32, 3, u32::MAX]), option::of(select(vec![1, u32::MAX])));
    (prop_oneof![of_ports, of_index], lengths(), lengths(), ports(), numbers, any::<bool>()).prop_map(
        |(fields, src_prefix, dst_prefix, proto_mask, (rnd, modulus, offset), ct)| Hmark {
            src_prefix,
            dst_prefix,
            proto_mask,
            rnd,
            modulus,
            offset,
            ct,
            ..fields
        },
    )
}

/// Of TOS, DSCP and ECN, and marks.
fn bits() -> BoxedStrategy<Target> {
    prop_oneof![
        hmark().prop_map(|hmark| Target::Hmark(Box::new(hmark))),
        tos().prop_map(Target::Tos),
        (0u8..64).prop_map(|value| Target::Dscp(rules::targets::Dscp { value })),
        (0u8..4).prop_map(|ect| Target::Ecn(rules::targets::Ecn { ece: None, cwr: None, ect: Some(ect) })),
    ]
    .boxed()
}

/// What changes the TCP header.
fn of_tcp() -> BoxedStrategy<Target> {
    let ecn = (option::of(0u8..4), any::<(Option<bool>, bool)>());
    prop_oneof![
        ecn.prop_map(|(ect, (ece, cwr))| Target::Ecn(rules::targets::Ecn { ece, cwr: Some(cwr), ect })),
        option::of(any::<u16>())
            .prop_map(|mss| Target::Tcpmss(mss.map_or(rules::targets::Tcpmss::Clamp, rules::targets::Tcpmss::Set))),
        vec(2u8..20, 0..4).prop_map(|mut kinds| {
            kinds.sort_unstable();
            kinds.dedup();
            Target::Tcpoptstrip(rules::targets::Tcpoptstrip { kinds: kinds.into() })
        }),
    ]
    .boxed()
}

fn ttl() -> impl Strategy<Value = Ttl> {
    prop_oneof![any::<u8>().prop_map(Ttl::Set), (1u8..=255).prop_map(Ttl::Increase), (1u8..=255).prop_map(Ttl::Decrease)]
}

fn synproxy() -> impl Strategy<Value = Synproxy> {
    let parts = (any::<[bool; 3]>(), any::<Option<u8>>(), any::<Option<u16>>());
    parts.prop_map(|([sack_perm, timestamp, ecn], wscale, mss)| Synproxy { sack_perm, timestamp, wscale, mss, ecn })
}

fn reject(tcp: bool) -> impl Strategy<Value = RejectWith> {
    let mut with = vec![
        RejectWith::IcmpNetUnreachable,
        RejectWith::IcmpHostUnreachable,
        RejectWith::IcmpProtoUnreachable,
        RejectWith::IcmpPortUnreachable,
        RejectWith::IcmpNetProhibited,
        RejectWith::IcmpHostProhibited,
        RejectWith::IcmpAdminProhibited,
    ];
    if tcp {
        with.push(RejectWith::TcpReset);
    }
    select(with)
}

fn nat() -> BoxedStrategy<Target> {
    let addrs = (select(&ADDRESSES[..]), select(&ADDRESSES[..])).prop_map(|(a, b)| {
        let ip = |bits| IpAddr::V4(Ipv4Addr::from_bits(bits));
        (ip(a.min(b)), ip(a.max(b)))
    });
    let ports = || option::of((select(&PORTS[1..]), select(&PORTS[1..])).prop_map(|(a, b)| (a.min(b), a.max(b))));
    let to = (option::of(addrs), ports(), any::<[bool; 3]>()).prop_map(|(addrs, ports, [random, random_fully, persistent])| {
        NatRange { addrs, ports, base_port: None, random, random_fully, persistent, full_cone: false }
    });
    let here = ports().prop_map(|ports| NatRange { ports, ..NatRange::default() });
    let network = (select(&ADDRESSES[..]), 0..=32u8).prop_map(|(bits, prefix_len)| Netmap {
        network: IpAddr::V4(Ipv4Addr::from_bits(bits & u32::MAX.checked_shl(32 - u32::from(prefix_len)).unwrap_or(0))),
        prefix_len,
    });
    let shifted = |range: NatRange| NatRange { base_port: range.ports.map(|_| 1), ..range };
    prop_oneof![
        to.clone().prop_map(|range| Target::Snat(Box::new(range))),
        to.clone().prop_map(|range| Target::Dnat(Box::new(range))),
        to.prop_map(move |range| Target::Dnat(Box::new(shifted(range)))),
        here.clone().prop_map(|range| Target::Masquerade(Box::new(range))),
        here.prop_map(|range| Target::Redirect(Box::new(range))),
        network.prop_map(Target::Netmap),
    ]
    .boxed()
}
