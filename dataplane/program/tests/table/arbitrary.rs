//! Any table that passes verification, and any packet.

use std::ops::Range;

use packet::family::Addr;
use packet::npt::{self, Prefixes};
use packet::{Family, FamilyId, Fragment, Header, L4};
use program::packet_test::Span;
use program::rule::{ctstate, ctstatus};
use program::table::{Hook, StateInit};
use program::{
    AddressTest, ByteSet, ChainId, ConnbytesTest, ConnlimitTest, ConntrackTest, ContentTest, Counted, CounterTest, CtAction,
    Directions, EventSet, FieldTest, HashMark, HashlimitGroup, HashlimitRate, HashlimitTest, HeaderTest, Helper, InterfacePattern,
    Invert, L4Test, LabelId, LimitSpec, LinkDestination, MarkOp, Match, NamedTest, Nat, PacketTest, PatternId, PortRange,
    PortSides, PrefixChange, RecentAction, RecentTest, RejectWith, SetChange, SetSides, SetTest, Shift, Side, StateSlot,
    StringTest, Table, TableKind, Target, Tee, TimeTest, TimeoutName, TimeoutPlace, Transfer, TypeTest, WordStep, WordsPart,
    WordsTest,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::build::{self, Line};

/// Interface patterns that every table here has, and the names on the box.
const PATTERNS: [(&str, bool); 4] = [("eth0", false), ("eth", true), ("", true), ("wan", false)];
pub(crate) const NAMES: [&str; 4] = ["", "eth0", "eth1", "wan"];

pub(crate) fn addr<F: Family>() -> impl Strategy<Value = F::Addr> {
    // Few addresses, so that tests and packets meet; now and then any.
    let near = (0u8..4).prop_map(|last| {
        let mut bytes = [0; 16];
        bytes[F::Addr::LEN - 1] = last;
        bytes
    });
    prop_oneof![3 => near, 1 => any::<[u8; 16]>()].prop_map(|bytes| F::Addr::read(&bytes).expect("16 bytes hold any address"))
}

fn network<F: Family>() -> impl Strategy<Value = (F::Addr, F::Addr)> {
    let mask = prop_oneof![(0..=F::Addr::LEN as u8 * 8).prop_map(F::Addr::prefix_mask), addr::<F>()];
    (addr::<F>(), mask).prop_map(|(addr, mask)| (addr & mask, mask))
}

fn port_range() -> impl Strategy<Value = PortRange> {
    let port = || prop_oneof![0u16..4, any::<u16>()];
    (port(), port()).prop_map(|(first, last)| PortRange { first, last })
}

/// What a rule is made of before it is put into a table: kinds of matches by number, ids still open.
#[derive(Clone, Debug)]
struct Raw<F: Family> {
    test: HeaderTest<F>,
    matches: Vec<Ask>,
    target: Do<F>,
}

#[derive(Clone, Debug)]
enum Ask {
    Transport { ranges: (PortRange, PortRange), not: (bool, bool), flags: (u8, u8, bool), multiport: Option<Vec<PortRange>> },
    Plain(Match),
    Nth { every: u32, start: u32, not: bool },
    Limit { average: u32, burst: u32 },
    Quota { bytes: u64, not: bool },
    Recent { hits: u32, seconds: u32, not: bool },
    Time { from: u32, to: u32, flags: bool },
    Content(ContentTest),
    Mss { first: u16, last: u16, not: bool },
    Address { first: u8, last: u8, not: bool, destination: bool },
    Connbytes(ConnbytesTest),
    Set(SetTest),
    Connlimit { limit: u32, prefix: u8, destination: bool, above: bool },
    Conntrack { state: Option<(u16, bool)>, status: Option<(u32, bool)>, original: Option<bool>, port: Option<(u16, u16, bool)> },
}

#[derive(Clone, Debug)]
enum Do<F: Family> {
    Plain(Target),
    Call { chain: prop::sample::Index, goto: bool },
    Log(String),
    Nat { addresses: (F::Addr, F::Addr), ports: Option<(u16, u16)>, random: bool },
    Reject(prop::sample::Index),
    OfTable(prop::sample::Index),
}

fn header_test<F: Family>() -> impl Strategy<Value = HeaderTest<F>> {
    let interface = || option::weighted(0.3, (0..PATTERNS.len() as u16).prop_map(PatternId));
    let protocol = option::of(prop_oneof![Just(6), Just(17), Just(F::ICMP), 1u8..]);
    let fragment = any::<bool>().prop_map(|wanted| wanted && F::ID == FamilyId::Ipv4);
    (network::<F>(), network::<F>(), interface(), interface(), protocol, fragment, any::<u8>()).prop_map(
        |((src, src_mask), (dst, dst_mask), in_interface, out_interface, protocol, fragment, bits)| {
            let mut invert = Invert::from_bits_truncate(bits);
            invert.set(Invert::IN, in_interface.is_some() && invert.contains(Invert::IN));
            invert.set(Invert::OUT, out_interface.is_some() && invert.contains(Invert::OUT));
            invert.set(Invert::PROTOCOL, protocol.is_some() && invert.contains(Invert::PROTOCOL));
            invert.set(Invert::FRAGMENT, fragment && invert.contains(Invert::FRAGMENT));
            HeaderTest {
                src,
                src_mask,
                dst,
                dst_mask,
                in_interface,
                out_interface,
                protocol,
                fragment,
                invert,
                ..HeaderTest::any()
            }
        },
    )
}

fn ask() -> impl Strategy<Value = Ask> {
    let transport =
        ((port_range(), port_range()), any::<(bool, bool)>(), any::<(u8, u8, bool)>(), option::of(vec(port_range(), 1..15)))
            .prop_map(|(ranges, not, flags, multiport)| Ask::Transport { ranges, not, flags, multiport });
    let states = ctstate::NAMES.iter().fold(0, |all, (bit, _)| all | bit);
    let status = ctstatus::NAMES.iter().fold(0, |all, (bit, _)| all | bit);
    let plain = (any::<(u32, u32, bool)>(), 0u8..15).prop_map(move |((value, mask, not), kind)| {
        Ask::Plain(match kind {
            0 => Match::State { mask: value as u16 & states, not },
            1 => Match::Mark { value, mask, not },
            2 => Match::Connmark { value, mask, not },
            3 => Match::Label { label: LabelId(value), not },
            4 => Match::Helper { set: value as u8 & 3, not },
            7 => Match::Field(FieldTest::Length { first: value as u16, last: mask as u16, not }),
            8 => Match::Field(FieldTest::Ttl { first: value as u8, last: mask as u8, not }),
            9 => Match::Field(FieldTest::Tos { value: value as u8, mask: mask as u8, not }),
            10 => Match::Mac { source: [value as u8, 1, 2, 3, 4, mask as u8], not },
            11 => Match::Addrtype {
                src: TypeTest { types: value as u16 & 0xfff, not },
                dst: TypeTest { types: mask as u16 & 0xfff | 1, not: value & 1 != 0 },
                limit: [None, Some(Side::In), Some(Side::Out)][(value % 3) as usize],
            },
            12 => Match::Rpfilter { loose: value & 1 != 0, valid_mark: value & 2 != 0, accept_local: value & 4 != 0, not },
            13 => Match::Pkttype { to: LinkDestination::Multicast, not },
            14 => Match::DeviceGroup { side: if not { Side::In } else { Side::Out }, group: value, mask, not },
            6 => {
                let total = (value % 32 + 1) as u8;
                Match::Cluster { total, nodes: mask & u32::MAX >> (32 - total), seed: value, not }
            }
            5 => Match::Connlabel { label: value as u8 & 127, set: mask & 1 != 0, not },
            _ => Match::Random { threshold: value.min(1 << 31), not },
        })
    });
    let nth = (0u32..5, any::<u32>(), any::<bool>()).prop_map(|(every, n, not)| Ask::Nth { every, start: n % (every + 1), not });
    let limit = (1u32..1_000_000, 1u32..1000).prop_map(|(average, burst)| Ask::Limit { average, burst });
    let conntrack = (
        option::of(any::<(u16, bool)>()),
        option::of(any::<(u32, bool)>()),
        any::<Option<bool>>(),
        option::of(any::<(u16, u16, bool)>()),
    )
        .prop_map(move |(state, bits, original, port)| Ask::Conntrack {
            state: state.map(|(mask, not)| (mask & states, not)),
            status: bits.map(|(mask, not)| (mask & status, not)),
            original,
            port,
        });
    let connbytes = any::<(u64, u64, Option<bool>)>()
        .prop_map(|(from, to, original)| Ask::Connbytes(ConnbytesTest { from, to, what: Counted::Average, original }));
    let connlimit = any::<(u32, u8, bool, bool)>().prop_map(|(limit, prefix, destination, above)| Ask::Connlimit {
        limit,
        prefix,
        destination,
        above,
    });
    let set = (1u8..=6, any::<(u8, bool, bool, bool, u64)>()).prop_map(|(dimensions, (sources, not, exceptions, keep, count))| {
        Ask::Set(SetTest {
            name: format!("s{}", sources % 4),
            sources: sources & ((1 << dimensions) - 1),
            dimensions,
            not,
            exceptions,
            keep_counters: keep,
            keep_sub_counters: exceptions,
            packets: keep.then_some(CounterTest::Greater(count)),
            bytes: not.then_some(CounterTest::NotEqual(count)),
        })
    });
    let address =
        any::<(u8, u8, bool, bool)>().prop_map(|(first, last, not, destination)| Ask::Address { first, last, not, destination });
    let quota = any::<(u64, bool)>().prop_map(|(bytes, not)| Ask::Quota { bytes, not });
    let recent = any::<(u32, u32, bool)>().prop_map(|(hits, seconds, not)| Ask::Recent { hits, seconds, not });
    let time = any::<(u32, u32, bool)>().prop_map(|(from, to, flags)| Ask::Time { from, to, flags });
    let content = content().prop_map(Ask::Content);
    let mss = any::<(u16, u16, bool)>().prop_map(|(first, last, not)| Ask::Mss { first, last, not });
    let remembers = prop_oneof![nth, limit, quota, recent, connlimit, set];
    prop_oneof![4 => transport, 3 => plain, 1 => mss, 1 => time, 1 => content, 1 => address, 3 => remembers, 1 => conntrack, 1 => connbytes]
}

fn content() -> impl Strategy<Value = ContentTest> {
    let string =
        (vec(any::<u8>(), 1..=128), any::<(u16, u16, bool, bool)>()).prop_map(|(pattern, (from, to, ignore_case, not))| {
            ContentTest::String(StringTest::new(&pattern, (from.min(to), from.max(to)), ignore_case, not))
        });
    let step = (0u8..4, any::<u32>()).prop_map(|(step, number)| match step {
        0 => (WordStep::And, number),
        1 => (WordStep::Left, number % 32),
        2 => (WordStep::Right, number % 32),
        _ => (WordStep::At, number),
    });
    let part = (any::<u32>(), vec(step, 0..10), vec(any::<(u32, u32)>(), 0..=10)).prop_map(|(start, steps, values)| WordsPart {
        start,
        steps,
        values,
    });
    let words = (vec(part, 1..=10), any::<bool>()).prop_map(|(parts, not)| ContentTest::Words(WordsTest { parts, not }));
    prop_oneof![string, words]
}

fn to_do<F: Family>() -> impl Strategy<Value = Do<F>> {
    let plain = (0u8..4, any::<(u32, u32)>()).prop_map(|(kind, (value, mask))| {
        Do::Plain(match kind {
            0 => Target::Continue,
            1 => Target::Accept,
            2 => Target::Return,
            _ => Target::Mark(MarkOp { value, mask }),
        })
    });
    let call = any::<(prop::sample::Index, bool)>().prop_map(|(chain, goto)| Do::Call { chain, goto });
    let nat = (addr::<F>(), addr::<F>(), option::of(any::<(u16, u16)>()), any::<bool>()).prop_map(|(a, b, ports, random)| {
        Do::Nat { addresses: (a.min(b), a.max(b)), ports: ports.map(|(a, b)| (a.min(b), a.max(b))), random }
    });
    prop_oneof![
        3 => plain,
        3 => call,
        1 => "[ -~]{0,29}".prop_map(Do::Log),
        1 => nat,
        1 => any::<prop::sample::Index>().prop_map(Do::Reject),
        1 => any::<prop::sample::Index>().prop_map(Do::OfTable),
    ]
}

/// A table that passes verification: whatever is not allowed where it fell becomes something that is.
pub(crate) fn table<F: Family>() -> impl Strategy<Value = Table<F>> {
    let rule =
        (header_test::<F>(), vec(ask(), 0..4), to_do::<F>()).prop_map(|(test, matches, target)| Raw { test, matches, target });
    (prop::sample::select(TableKind::ALL.to_vec()), vec(vec(rule, 0..6), 5..9), any::<[bool; 5]>()).prop_map(
        |(kind, chains, accept)| {
            let mut table = build::empty::<F>(kind);
            let bases = table.chains.len();
            for (chain, accept) in table.chains.iter_mut().zip(accept) {
                let policy = chain.policy.as_mut().expect("base chains have one");
                policy.accept = accept || kind == TableKind::Nat;
            }
            table.patterns = PATTERNS.map(|(name, prefix)| InterfacePattern { name: name.into(), prefix }).to_vec();
            let lines: Vec<Vec<Line<F>>> = chains
                .iter()
                .enumerate()
                .map(|(n, chain)| {
                    let place = Place { hook: kind.hooks().get(n).copied(), callees: n.max(bases - 1) + 1..chains.len() };
                    chain.iter().map(|raw| line(&mut table, raw, &place)).collect()
                })
                .collect();
            build::fill(&mut table, &lines);
            table
        },
    )
}

/// The chain that a rule falls into.
struct Place {
    hook: Option<Hook>,
    /// Chains that it may call: those after it, so that no call closes a loop.
    callees: Range<usize>,
}

fn line<F: Family>(table: &mut Table<F>, raw: &Raw<F>, place: &Place) -> Line<F> {
    let all = raw.matches.iter().filter_map(|ask| asked(table, &raw.test, ask)).collect();
    Line { test: raw.test, all, target: done(table, &raw.test, &raw.target, place) }
}

fn asked<F: Family>(table: &mut Table<F>, test: &HeaderTest<F>, ask: &Ask) -> Option<Match> {
    Some(match ask {
        Ask::Transport { ranges: (sport, dport), not: (not_sport, not_dport), flags: (mask, set, not_flags), multiport } => {
            let (sport, dport, not_sport, not_dport) = (*sport, *dport, *not_sport, *not_dport);
            match multiport {
                Some(list) if test.is_protocol(6) || test.is_protocol(17) => Match::L4(L4Test::Multiport {
                    sides: if not_dport { PortSides::Either } else { PortSides::Destination },
                    ranges: build::append(&mut table.port_ranges, list),
                    not: not_sport,
                }),
                None if test.is_protocol(6) && *mask == 1 => Match::TcpOption { kind: (*set).max(1), not: *not_flags },
                None if test.is_protocol(6) => {
                    Match::L4(L4Test::Tcp { sport, not_sport, dport, not_dport, mask: *mask, set: *set, not_flags: *not_flags })
                }
                None if test.is_protocol(17) => Match::L4(L4Test::Udp { sport, not_sport, dport, not_dport }),
                None if test.is_protocol(F::ICMP) => {
                    Match::L4(L4Test::Icmp { kind: *mask, code_first: *set, code_last: *set, not: *not_flags })
                }
                _ => return None,
            }
        }
        Ask::Plain(test) => *test,
        Ask::Nth { every, start, not } => {
            table.state.push(StateInit::Nth(*start));
            Match::Nth { state: StateSlot(table.state.len() as u32 - 1), every: *every, not: *not }
        }
        Ask::Limit { average, burst } => {
            let spec = LimitSpec::new(*average, *burst)?;
            table.state.push(StateInit::Limit(spec.cap));
            Match::Limit { state: StateSlot(table.state.len() as u32 - 1), spec }
        }
        Ask::Quota { bytes, not } => {
            table.state.push(StateInit::Quota(*bytes));
            Match::Quota { state: StateSlot(table.state.len() as u32 - 1), not: *not }
        }
        // Of the two sorts of names one or the other.
        Ask::Recent { hits, seconds, not } if seconds % 3 == 0 => {
            let mask = if *not { u128::MAX << 96 } else { 0 };
            table.named_tests.push(NamedTest::Hashlimit(HashlimitTest {
                table: "buckets".into(),
                above: *not,
                rate: HashlimitRate::Packets { cost: u64::from(*hits) + 1, cap: u64::from(*hits) + 5 },
                group: HashlimitGroup { src: mask, dst: !0 << 96 & mask, sport: *not, dport: hits % 2 == 0 },
                size: *hits,
                max: *seconds,
                gc_interval: 1,
                expire: 1,
            }));
            Match::Named(table.named_tests.len() as u32 - 1)
        }
        Ask::Recent { hits, seconds, not } => {
            table.named_tests.push(NamedTest::Recent(RecentTest {
                list: "list".into(),
                mask: u128::MAX << 96,
                action: RecentAction::Update,
                not: *not,
                destination: hits % 2 == 0,
                seconds: *seconds,
                hits: *hits % 65_536,
                ttl: *not,
                reap: *seconds > 0,
            }));
            Match::Named(table.named_tests.len() as u32 - 1)
        }
        Ask::Time { from, to, flags } => {
            table.time_tests.push(TimeTest {
                date_start: *from,
                date_stop: *to,
                day_start: from % 86_400,
                day_stop: to % 86_400,
                month_days: from & !1,
                week_days: *to as u8 & !1,
                contiguous: *flags,
                kernel_zone: !*flags,
            });
            Match::Time(table.time_tests.len() as u32 - 1)
        }
        Ask::Content(test) => {
            table.content_tests.push(test.clone());
            Match::Content(table.content_tests.len() as u32 - 1)
        }
        Ask::Address { first, last, not, destination } => {
            let range = Some((F::Addr::prefix_mask(*first), F::Addr::prefix_mask(*last), *not));
            let test = if *destination { AddressTest { src: None, dst: range } } else { AddressTest { src: range, dst: None } };
            table.address_tests.push(test);
            Match::Address(table.address_tests.len() as u32 - 1)
        }
        Ask::Mss { first, last, not } if test.is_protocol(6) => {
            table.packet_tests.push(PacketTest::Mss(Span { first: *first, last: *last, not: *not }));
            Match::Packet(table.packet_tests.len() as u32 - 1)
        }
        Ask::Mss { .. } => return None,
        Ask::Connbytes(test) => {
            table.connbytes_tests.push(*test);
            Match::Connbytes(table.connbytes_tests.len() as u32 - 1)
        }
        Ask::Set(test) => {
            table.set_tests.push(test.clone());
            Match::Set(table.set_tests.len() as u32 - 1)
        }
        Ask::Connlimit { .. } if table.kind == TableKind::Raw => return None,
        Ask::Connlimit { limit, prefix, destination, above } => {
            let test =
                ConnlimitTest { limit: *limit, mask: F::Addr::prefix_mask(*prefix), destination: *destination, above: *above };
            table.connlimit_tests.push(test);
            table.state.push(StateInit::Connlimit);
            Match::Connlimit { state: StateSlot(table.state.len() as u32 - 1), test: table.connlimit_tests.len() as u32 - 1 }
        }
        Ask::Conntrack { state, status, original, port } => {
            let test =
                ConntrackTest { state: *state, status: *status, original: *original, orig_dst_port: *port, ..Default::default() };
            table.conntrack_tests.push(test);
            Match::Conntrack(table.conntrack_tests.len() as u32 - 1)
        }
    })
}

fn done<F: Family>(table: &mut Table<F>, test: &HeaderTest<F>, target: &Do<F>, place: &Place) -> Target {
    let of_table: &[Target] = match table.kind {
        TableKind::Raw => &[
            Target::Notrack,
            Target::Trace,
            Target::Ct(CtAction { zone: 7, directions: Directions::Reply, helper: Some(Helper::Tftp), ..CtAction::default() }),
            Target::Ct(CtAction { muted: EventSet::NEW.with(EventSet::MARK), ..CtAction::default() }),
            Target::CtMarked(CtAction { directions: Directions::Original, ..CtAction::default() }),
            Target::Set(0),
            Target::Drop,
        ],
        TableKind::Mangle => &[
            Target::Tos { value: 16, mask: 255 },
            Target::Tcpmss(None),
            Target::Tcpmss(Some(1000)),
            Target::Tcpoptstrip(0),
            Target::TtlSet(9),
            Target::TtlInc(1),
            Target::TtlDec(255),
            Target::Npt(0),
            Target::Hmark(0),
            Target::Tee(0),
            Target::Drop,
        ],
        TableKind::Nat => &[Target::Accept],
        TableKind::Filter => &[
            Target::Drop,
            Target::Connmark(Transfer::Save { ctmask: 1, nfmask: 2 }),
            Target::ConnmarkShifted(Transfer::Restore { ctmask: 1, nfmask: 2 }, Shift(-31)),
            Target::SetConnmarkShifted(MarkOp { value: 1, mask: 2 }, Shift(31)),
        ],
        TableKind::Security => &[Target::Secmark(LabelId(3)), Target::ConnsecmarkSave, Target::ConnsecmarkRestore, Target::Drop],
    };
    match target {
        Do::Plain(target) => *target,
        Do::Call { chain, goto } if !place.callees.is_empty() => {
            let to = ChainId((place.callees.start + chain.index(place.callees.len())) as u32);
            if *goto { Target::Goto(to) } else { Target::Jump(to) }
        }
        Do::Log(prefix) => {
            table.logs.push(build::log(prefix));
            Target::Log(table.logs.len() as u32 - 1)
        }
        // User chains are called from any hook here, so SNAT stands in POSTROUTING alone; elsewhere only its range stays behind.
        Do::Nat { addresses, ports, random } => {
            table.nats.push(Nat { addresses: Some(*addresses), ports: *ports, random: *random, ..build::snat(addresses.0) });
            if place.hook == Some(Hook::Postrouting) && table.kind == TableKind::Nat {
                Target::Nat(table.nats.len() as u32 - 1)
            } else {
                Target::Continue
            }
        }
        Do::Reject(code) if table.kind == TableKind::Filter => {
            let codes: &[u8] = if F::ID == FamilyId::Ipv4 { &[0, 1, 2, 3, 9, 10, 13] } else { &[0, 1, 3, 4, 5, 6] };
            let with = if test.is_protocol(6) { RejectWith::TcpReset } else { RejectWith::Unreachable(*code.get(codes)) };
            Target::Reject(with)
        }
        Do::OfTable(index) => match (*index.get(of_table), test.protocol) {
            (Target::Ct(action), Some(protocol)) if test.is_protocol(protocol) => {
                table.timeouts.push(TimeoutName { name: "slow".into(), protocol });
                Target::Ct(CtAction { timeout: TimeoutPlace::of(table.timeouts.len() - 1), ..action })
            }
            (Target::Tcpoptstrip(_), Some(6)) if test.is_protocol(6) => {
                table.option_sets.push(ByteSet::of([2, 8, 255]));
                Target::Tcpoptstrip(table.option_sets.len() as u32 - 1)
            }
            (Target::Tee(_), _) => {
                let by = test.in_interface.or(test.out_interface);
                table.tees.push(Tee { gateway: F::Addr::prefix_mask(8), by });
                Target::Tee(table.tees.len() as u32 - 1)
            }
            (Target::Set(_), _) => {
                let set = |name: &str, sources| SetSides { name: name.into(), sources, dimensions: 2 };
                let (add, del) = (Some(set("seen", 2)), test.protocol.map(|_| set("gone", 0)));
                table.set_changes.push(SetChange { add, renews: test.fragment, seconds: test.protocol.map(u32::from), del });
                Target::Set(table.set_changes.len() as u32 - 1)
            }
            // User chains are called from any hook here.
            (Target::Npt(_), _) if F::ID == FamilyId::Ipv4 || !matches!(place.hook, Some(Hook::Prerouting | Hook::Output)) => {
                Target::Continue
            }
            (Target::Npt(_), _) => {
                let prefixes = Prefixes { from: 0xfd01 << 112, from_len: 16, to: 0x2001_0db8_u128 << 96, to_len: 33 };
                table.prefix_changes.push(PrefixChange { side: npt::Side::Dst, prefixes });
                Target::Npt(table.prefix_changes.len() as u32 - 1)
            }
            (Target::Hmark(_), _) => {
                table.hash_marks.push(HashMark {
                    src_mask: test.src_mask,
                    dst_mask: test.dst_mask,
                    port_mask: 0xffff,
                    port_set: 1,
                    proto_mask: 6,
                    seed: 7,
                    modulus: 3,
                    offset: 1,
                    of_connection: test.fragment,
                });
                Target::Hmark(table.hash_marks.len() as u32 - 1)
            }
            (Target::Tcpmss(_) | Target::Tcpoptstrip(_), _) if !test.is_protocol(6) => Target::Continue,
            (target, _) => target,
        },
        Do::Call { .. } | Do::Reject(_) => Target::Continue,
    }
}

/// Any packet, often one that such a table's rules look for.
pub(crate) fn header<F: Family>() -> impl Strategy<Value = Header<F>> {
    let port = || prop_oneof![0u16..4, any::<u16>()];
    let tcp = (port(), port(), any::<(u32, u32, u8, u16)>(), 0u8..61).prop_map(
        |(sport, dport, (seq, ack, flags, window), header_len)| {
            (6, Fragment::Whole, L4::Tcp { sport, dport, seq, ack, flags, window, header_len })
        },
    );
    let udp = (port(), port(), any::<u16>(), prop::sample::select(vec![Fragment::Whole, Fragment::First]))
        .prop_map(|(sport, dport, len, fragment)| (17, fragment, L4::Udp { sport, dport, len }));
    let icmp =
        any::<(u8, u8, u16, u16)>().prop_map(|(kind, code, id, seq)| (F::ICMP, Fragment::Whole, L4::Icmp { kind, code, id, seq }));
    let protocol = || prop_oneof![Just(6u8), Just(17), Just(F::ICMP), any::<u8>()];
    let cut = (protocol(), prop::option::of((port(), port())))
        .prop_map(|(protocol, ports)| (protocol, Fragment::Whole, L4::Truncated { ports }));
    let later = (protocol(), 1u16..4).prop_map(|(protocol, n)| (protocol, Fragment::Later(n * 8), L4::Absent));
    let other = any::<u8>().prop_map(|protocol| (protocol, Fragment::Whole, L4::Other));
    let transport = prop_oneof![3 => tcp, 2 => udp, 1 => icmp, 1 => cut, 1 => later, 1 => other];
    (addr::<F>(), addr::<F>(), transport).prop_map(|(src, dst, (protocol, fragment, transport))| Header {
        src,
        dst,
        fragment,
        ..build::header(protocol, transport)
    })
}
