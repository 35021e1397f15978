//! Whether a rule holds: its header test, then its matches in their order.

use std::net::IpAddr;

use packet::family::Addr;
use packet::{Family, FamilyId, Fragment, Header, L4, Tuple, TupleL4};
use rules::matches::addrtype;
use rules::matches::connbytes;
use rules::matches::conntrack::{Direction, StatusTest};
use rules::matches::iprange::AddressRange;
use rules::matches::multiport::Side;
use rules::matches::sctp::ChunkHow;
use rules::matches::statistic::Mode;
use rules::matches::{
    Connbytes, Connlabel, Connlimit, Conntrack, Dccp, Ecn, Icmp, Icmp6, MarkTest, Multiport, PortTest, Sctp, SpiTest, StateSet,
    Tcp, Tcpmss,
};
use rules::{AddrMatch, FragmentMatch, Match};

use crate::facts::{Connection, ConnectionState, Facts, Tracking, WayBack};
use crate::memory::{MatchPlace, Memory};
use crate::walk::Surroundings;

/// What a match says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// The packet is dropped on the spot.
    HotDrop,
    /// It holds, and the packet is dropped behind the rule.
    Doomed,
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Self {
        if yes { Answer::Yes } else { Answer::No }
    }
}

/// `-s`, `-d`, `-i`, `-o`, `-p`, `-f`.
pub(crate) fn header<F: Family>(test: &rules::Header, facts: &Facts<F>) -> Answer {
    let header = &facts.header;
    let later = matches!(header.fragment, Fragment::Later(_));
    let asks_protocol = test.protocol.number != 0;
    let here = address(&test.src(), header.src.to_ip())
        && address(&test.dst(), header.dst.to_ip())
        && test.in_interface.holds(&facts.input)
        && test.out_interface.holds(&facts.output)
        && match test.fragment {
            FragmentMatch::Any => true,
            FragmentMatch::Later => later,
            FragmentMatch::NotLater => !later,
        };
    if here && asks_protocol && header.transport == L4::Lost {
        return Answer::HotDrop;
    }
    (here && (!asks_protocol || (test.protocol.number == header.protocol) != test.protocol.invert)).into()
}

fn address(test: &AddrMatch, address: IpAddr) -> bool {
    let same = match (address, test.mask, test.addr) {
        (IpAddr::V4(a), IpAddr::V4(mask), IpAddr::V4(wanted)) => a.to_bits() & mask.to_bits() == wanted.to_bits(),
        (IpAddr::V6(a), IpAddr::V6(mask), IpAddr::V6(wanted)) => a.to_bits() & mask.to_bits() == wanted.to_bits(),
        _ => false,
    };
    same != test.invert
}

/// One match.
pub(crate) fn ask<F: Family>(
    test: &Match,
    place: MatchPlace,
    facts: &mut Facts<F>,
    memory: &mut Memory,
    around: &mut Surroundings<'_>,
) -> Answer {
    match test {
        Match::Comment(_) => Answer::Yes,
        Match::Cluster(test) => connection(facts)
            .is_some_and(|c| {
                let node = crate::cluster::node(c.there.src.to_ip(), test.total, test.seed);
                (test.nodes >> node & 1 == 1) != test.invert
            })
            .into(),
        Match::Connbytes(test) => connection(facts).is_some_and(|c| connbytes(test, c.carried)).into(),
        Match::Connlabel(test) => connlabel(test, facts).into(),
        Match::Connlimit(test) => connlimit(test, place, facts, memory),
        Match::Connmark(mark) => connection(facts).is_some_and(|c| marked(mark, c.mark)).into(),
        Match::Conntrack(test) => conntrack(test, facts).into(),
        Match::Devgroup(test) => {
            let holds = |test: Option<MarkTest>, group: u32| {
                test.is_none_or(|test| (group & test.mask == test.value & test.mask) != test.invert)
            };
            let [came_by, leaves_by] = facts.around.groups;
            (holds(test.src, came_by) && holds(test.dst, leaves_by)).into()
        }
        Match::Dscp(test) => ((facts.header.tos >> 2 == test.dscp) != test.invert).into(),
        Match::Ecn(test) => ecn(test, facts).into(),
        Match::Helper(test) => {
            let by = connection(facts).map_or("", |connection| connection.announced_by.as_str());
            ((!by.is_empty() && (test.name.is_empty() || test.name.as_bytes().starts_with(by.as_bytes()))) != test.invert).into()
        }
        Match::Hl(test) | Match::Ttl(test) => test.holds(facts.header.ttl).into(),
        Match::Icmp(test) => icmp(test, &facts.header),
        Match::Icmp6(test) => icmp6(test, &facts.header),
        Match::Iprange(test) => {
            let inside = |part: Option<AddressRange>, address: IpAddr| {
                part.is_none_or(|range| (range.min <= address && address <= range.max) != range.invert)
            };
            (inside(test.src, facts.header.src.to_ip()) && inside(test.dst, facts.header.dst.to_ip())).into()
        }
        Match::Length(test) => {
            let (min, max) = (u32::from(test.min), u32::from(test.max));
            ((min <= facts.header.len && facts.header.len <= max) != test.invert).into()
        }
        Match::Quota(test) => (memory.use_up(place, test.bytes, facts.header.len.into()) != test.invert).into(),
        Match::Time(test) => crate::time::ask(test, around.clock as i64, around.minutes_west).into(),
        Match::Recent(test) => crate::recent::ask(test, facts, memory, around),
        Match::Hashlimit(test) => crate::hashlimit::ask(test, facts, memory, around),
        Match::Limit(limit) => memory.take(place, limit, around.now).into(),
        Match::Mac(test) => facts.frame_source.is_some_and(|source| (source == test.source) != test.invert).into(),
        Match::Mark(mark) => marked(mark, facts.mark).into(),
        Match::Multiport(test) => multiport(test, &facts.header),
        Match::Set(test) => (crate::sets::ask(&mut memory.sets, &test.as_ref().into(), facts) != test.invert).into(),
        Match::Selinux(test) => ((*facts.label == *test.context) != test.invert).into(),
        Match::State(test) => (in_states(&test.states, facts, false) != test.invert).into(),
        Match::Statistic(test) => {
            let chosen = match test.mode {
                Mode::Random { probability } => (around.random)() & 0x7fff_ffff < probability,
                Mode::Nth { every, packet } => {
                    let before = memory.count(place);
                    before % u64::from(every) == u64::from(packet)
                }
            };
            (chosen != test.invert).into()
        }
        Match::String(test) => crate::content::string(test, facts).into(),
        Match::U32(test) => crate::content::words(test, facts).into(),
        Match::Tcp(test) => tcp(test, facts),
        Match::Addrtype(test) => {
            let which = match test.limit {
                None => 0,
                Some(addrtype::Side::In) => 1,
                Some(addrtype::Side::Out) => 2,
            };
            let holds = |test: Option<addrtype::TypeTest>, types: [u16; 3]| {
                test.is_none_or(|test| (types[which] & test.types != 0) != test.invert)
            };
            (holds(test.src, facts.around.src_type) && holds(test.dst, facts.around.dst_type)).into()
        }
        Match::Pkttype(test) => ((facts.around.frame_to == test.to) != test.invert).into(),
        Match::Rpfilter(test) => {
            let right = match facts.around.way_back {
                WayBack::Same => true,
                WayBack::Other => test.loose,
                WayBack::Local => test.accept_local,
                WayBack::None => false,
            };
            (right != test.invert).into()
        }
        Match::Ah(test) => index(test.spi, 4, 4, 12, facts),
        Match::Esp(test) => index(*test, 0, 4, 8, facts),
        Match::Ipcomp(test) => index(test.spi, 2, 2, 4, facts),
        Match::Sctp(test) => sctp(test, facts),
        Match::Dccp(test) => dccp(test, facts),
        Match::Tcpmss(test) => tcpmss(test, facts),
        Match::Tos(test) => ((facts.header.tos & test.mask == test.value) != test.invert).into(),
        Match::Udp(test) => match facts.header.transport {
            L4::Truncated { .. } => Answer::HotDrop,
            L4::Udp { sport, dport, .. } => (port(test.sport, sport) && port(test.dport, dport)).into(),
            _ => Answer::No,
        },
        // Not enforced: the compiler refuses every table that has one, so no case does.
        Match::Bpf(_)
        | Match::Cgroup(_)
        | Match::Cpu(_)
        | Match::Dst(_)
        | Match::Eui64
        | Match::Frag(_)
        | Match::Hbh(_)
        | Match::Ipv6header(_)
        | Match::Ipvs(_)
        | Match::Mh(_)
        | Match::Nfacct(_)
        | Match::Osf(_)
        | Match::Owner(_)
        | Match::Physdev(_)
        | Match::Policy(_)
        | Match::Rateest(_)
        | Match::Realm(_)
        | Match::Rt(_)
        | Match::Socket(_)
        | Match::Srh(_) => unreachable!("{test:?} is in a case"),
    }
}

fn port(test: PortTest, port: u16) -> bool {
    (test.min <= port && port <= test.max) != test.invert
}

fn marked(test: &MarkTest, mark: u32) -> bool {
    (mark & test.mask == test.value) != test.invert
}

/// The flags are those at their place behind the IP header, even if this is a later fragment; of IPv6 those behind no header at all.
fn ecn<F: Family>(test: &Ecn, facts: &Facts<F>) -> bool {
    let is_lost = F::ID == FamilyId::Ipv6 && matches!(facts.header.fragment, Fragment::Later(_));
    let at = usize::from(if is_lost { facts.header.l3 } else { facts.header.l4 });
    let end = usize::from(facts.header.l3) + facts.header.len as usize;
    let byte = facts.bytes.get(at + 13).filter(|_| at + 20 <= end);
    let flag =
        |wanted: Option<bool>, bit: u8| wanted.is_none_or(|wanted| byte.is_some_and(|byte| (byte >> bit & 1 == 1) == wanted));
    let bits = test.ect.is_none_or(|ect| (facts.header.tos & 3 == ect.ect) != ect.invert);
    flag(test.ece, 6) && flag(test.cwr, 7) && bits
}

fn connlabel<F: Family>(test: &Connlabel, facts: &mut Facts<F>) -> bool {
    let Tracking::Known(connection) = &mut facts.tracking else { return test.invert };
    let bit = 1u128 << test.label;
    if test.set {
        connection.labels |= bit;
    }
    (connection.labels & bit != 0) != test.invert
}

fn connbytes(test: &Connbytes, carried: [(u64, u64); 2]) -> bool {
    let counted: Vec<(u64, u64)> = match test.direction {
        connbytes::Direction::Original => vec![carried[0]],
        connbytes::Direction::Reply => vec![carried[1]],
        connbytes::Direction::Both => carried.to_vec(),
    };
    let packets: u64 = counted.iter().fold(0, |sum, (packets, _)| sum.wrapping_add(*packets));
    let bytes: u64 = counted.iter().fold(0, |sum, (_, bytes)| sum.wrapping_add(*bytes));
    let count = match test.mode {
        connbytes::Mode::Packets => packets,
        connbytes::Mode::Bytes => bytes,
        connbytes::Mode::Average if packets == 0 => 0,
        connbytes::Mode::Average => bytes / packets,
    };
    let inside = test.from.min(test.to) <= count && count <= test.from.max(test.to);
    inside == (test.from <= test.to)
}

/// A packet without a connection has none behind it that could be looked for: it is one of its own.
fn connlimit<F: Family>(test: &Connlimit, place: MatchPlace, facts: &Facts<F>, memory: &mut Memory) -> Answer {
    let own = connection(facts);
    let Some(tuple) = own.map(|c| c.there).or_else(|| Tuple::of(&facts.header)) else { return Answer::HotDrop };
    let address = if test.destination { facts.header.dst } else { facts.header.src };
    let prefix = u32::from(test.prefix);
    let network = match address.to_ip() {
        IpAddr::V4(address) => u128::from(address.to_bits().checked_shr(32 - prefix).unwrap_or(0)),
        IpAddr::V6(address) => address.to_bits().checked_shr(128 - prefix).unwrap_or(0),
    };
    let has_begun = own.is_some_and(|c| c.confirmed);
    let connections = memory.connect((place, network), format!("{tuple:?}"), has_begun);
    ((connections as u64 > u64::from(test.limit)) == test.above).into()
}

fn tcp<F: Family>(test: &Tcp, facts: &Facts<F>) -> Answer {
    let (sport, dport, flags, header_len) = match facts.header.transport {
        // A fragment that begins inside the TCP header could overwrite what the first one showed.
        L4::Absent if F::ID == FamilyId::Ipv4 && facts.header.fragment == Fragment::Later(8) => return Answer::HotDrop,
        L4::Truncated { .. } => return Answer::HotDrop,
        L4::Tcp { sport, dport, flags, header_len, .. } => (sport, dport, flags, header_len),
        _ => return Answer::No,
    };
    if !port(test.sport, sport) || !port(test.dport, dport) {
        return Answer::No;
    }
    if test.flags.is_some_and(|wanted| (flags & wanted.mask == wanted.comp) == wanted.invert) {
        return Answer::No;
    }
    match test.option {
        None => Answer::Yes,
        Some(_) if header_len < 20 => Answer::HotDrop,
        Some(_) if u32::from(header_len) > facts.header.l4_len() => Answer::HotDrop,
        Some(option) => {
            let at = usize::from(facts.header.l4);
            (has_option(&facts.bytes[at + 20..at + usize::from(header_len)], option.kind) != option.invert).into()
        }
    }
}

/// The packet behind its IP header; `None` for a later fragment.
fn payload<F: Family>(facts: &Facts<F>) -> Option<&[u8]> {
    let (at, end) = (usize::from(facts.header.l4), usize::from(facts.header.l3) + facts.header.len as usize);
    if matches!(facts.header.fragment, Fragment::Later(_)) { None } else { Some(&facts.bytes[at.min(end)..end]) }
}

/// A number of `size` bytes at `at` of a header of `least` bytes.
fn index<F: Family>(test: SpiTest, at: usize, size: usize, least: usize, facts: &Facts<F>) -> Answer {
    let Some(bytes) = payload(facts) else { return Answer::No };
    if bytes.len() < least {
        return Answer::HotDrop;
    }
    let is = bytes[at..at + size].iter().fold(0, |sum, byte| sum * 256 + u32::from(*byte));
    ((test.min <= is && is <= test.max) != test.invert).into()
}

fn sctp<F: Family>(test: &Sctp, facts: &Facts<F>) -> Answer {
    let Some(bytes) = payload(facts) else { return Answer::No };
    if bytes.len() < 12 {
        return Answer::HotDrop;
    }
    let (sport, dport) = (u16::from_be_bytes([bytes[0], bytes[1]]), u16::from_be_bytes([bytes[2], bytes[3]]));
    if test.sport.is_some_and(|test| !port(test, sport)) || test.dport.is_some_and(|test| !port(test, dport)) {
        return Answer::No;
    }
    let Some(chunks) = &test.chunks else { return Answer::Yes };
    let mut seen = Vec::new();
    let mut rest = &bytes[12..];
    // Whether a chunk is one of the test's, its flags included.
    let counts = |kind: u8, flags: u8| {
        let of_type = chunks.types.iter().find(|chunk| chunk.kind == kind);
        of_type.map_or(chunks.every, |chunk| flags & chunk.mask == chunk.set)
    };
    let holds = loop {
        let cut_short = if chunks.invert { Answer::Doomed } else { Answer::HotDrop };
        let &[kind, flags, high, low, ..] = rest else { return cut_short };
        let len = usize::from(u16::from_be_bytes([high, low]));
        if len == 0 {
            return cut_short;
        }
        match chunks.how {
            ChunkHow::Any if counts(kind, flags) => break true,
            ChunkHow::Only if !counts(kind, flags) => break false,
            _ if counts(kind, flags) => seen.push(kind),
            _ => {}
        }
        rest = rest.get(len.div_ceil(4) * 4..).unwrap_or_default();
        if rest.is_empty() {
            break match chunks.how {
                ChunkHow::Any => false,
                ChunkHow::Only => true,
                ChunkHow::All => (0..=255)
                    .all(|kind| !(chunks.every || chunks.types.iter().any(|chunk| chunk.kind == kind)) || seen.contains(&kind)),
            };
        }
    };
    (holds != chunks.invert).into()
}

fn dccp<F: Family>(test: &Dccp, facts: &Facts<F>) -> Answer {
    let Some(bytes) = payload(facts) else { return Answer::No };
    if bytes.len() < 12 {
        return Answer::HotDrop;
    }
    let (sport, dport) = (u16::from_be_bytes([bytes[0], bytes[1]]), u16::from_be_bytes([bytes[2], bytes[3]]));
    if test.sport.is_some_and(|test| !port(test, sport)) || test.dport.is_some_and(|test| !port(test, dport)) {
        return Answer::No;
    }
    let (kind, extended) = (bytes[8] / 2 % 16, bytes[8] % 2 == 1);
    if test.types.is_some_and(|types| (types.types >> kind & 1 == 1) == types.invert) {
        return Answer::No;
    }
    let Some(option) = test.option else { return Answer::Yes };
    let basic = if extended { 16 } else { 12 };
    let own = match kind {
        2 => 0,
        0 => 4,
        3..=6 | 8 | 9 => 8,
        _ => 12,
    };
    let end = usize::from(bytes[4]) * 4;
    let options = if end == basic + own { Some(&[][..]) } else { bytes.get(basic + own..end) };
    match options {
        Some(list) => (has_option(list, option.kind) != option.invert).into(),
        None if option.invert => Answer::Doomed,
        None => Answer::HotDrop,
    }
}

/// Of a later fragment as well, whose data is taken for a header; in IPv6 the packet from its front.
fn tcpmss<F: Family>(test: &Tcpmss, facts: &Facts<F>) -> Answer {
    let is_lost = F::ID == FamilyId::Ipv6 && matches!(facts.header.fragment, Fragment::Later(_));
    let at = usize::from(if is_lost { facts.header.l3 } else { facts.header.l4 });
    let end = usize::from(facts.header.l3) + facts.header.len as usize;
    let bytes = &facts.bytes[at.min(end)..end];
    if bytes.len() < 20 {
        return Answer::HotDrop;
    }
    let len = usize::from(bytes[12] / 16) * 4;
    if len < 20 || bytes.len() < len {
        return Answer::HotDrop;
    }
    let mut list = &bytes[20..len];
    loop {
        match list {
            [] => return test.invert.into(),
            [2, 4, high, low, ..] => {
                let mss = u16::from(*high) * 256 + u16::from(*low);
                return ((test.min <= mss && mss <= test.max) != test.invert).into();
            }
            [0 | 1, ..] | [_] | [_, 0, ..] => list = &list[1..],
            [_, len, ..] => list = list.get(usize::from(*len)..).unwrap_or_default(),
        }
    }
}

/// `tcp_find_option`: it looks at the kind byte, steps one byte over kinds 0 and 1, and by the length over others (one where that is 0).
fn has_option(mut list: &[u8], kind: u8) -> bool {
    while let [here, rest @ ..] = list {
        if *here == kind {
            return true;
        }
        let step = match (here, rest.first()) {
            (0 | 1, _) | (_, None | Some(0)) => 1,
            (_, Some(len)) => usize::from(*len),
        };
        list = list.get(step..).unwrap_or_default();
    }
    false
}

fn icmp<F: Family>(test: &Icmp, header: &Header<F>) -> Answer {
    match header.transport {
        L4::Truncated { .. } => Answer::HotDrop,
        L4::Icmp { kind, code, .. } => {
            let inside = match test.kind {
                None | Some(255) => true,
                Some(wanted) => kind == wanted && test.code_min <= code && code <= test.code_max,
            };
            (inside != test.invert).into()
        }
        _ => Answer::No,
    }
}

fn icmp6<F: Family>(test: &Icmp6, header: &Header<F>) -> Answer {
    match header.transport {
        L4::Truncated { .. } => Answer::HotDrop,
        L4::Icmp { kind, code, .. } => {
            let inside = kind == test.kind && test.code_min <= code && code <= test.code_max;
            (inside != test.invert).into()
        }
        _ => Answer::No,
    }
}

fn multiport<F: Family>(test: &Multiport, header: &Header<F>) -> Answer {
    let (sport, dport) = match header.transport {
        L4::Tcp { sport, dport, .. } | L4::Udp { sport, dport, .. } | L4::Ports { sport, dport } => (sport, dport),
        // It reads no more than the ports.
        L4::Truncated { ports: Some(ports) } => ports,
        L4::Truncated { ports: None } => return Answer::HotDrop,
        L4::Absent | L4::Lost | L4::Icmp { .. } | L4::EnhancedGre { .. } | L4::Other => return Answer::No,
    };
    let listed = |port: u16| test.ports.iter().any(|span| span.min <= port && port <= span.max);
    let inside = match test.side {
        Side::Source => listed(sport),
        Side::Destination => listed(dport),
        Side::Either => listed(sport) || listed(dport),
    };
    (inside != test.invert).into()
}

fn connection<F: Family>(facts: &Facts<F>) -> Option<&Connection<F>> {
    match &facts.tracking {
        Tracking::Known(connection) => Some(connection),
        _ => None,
    }
}

/// Is one of the packet's states in the set? `-m state` does not know of translation.
fn in_states<F: Family>(set: &StateSet, facts: &Facts<F>, translation: bool) -> bool {
    match &facts.tracking {
        Tracking::Untracked => set.untracked,
        Tracking::Invalid | Tracking::Prepared { .. } => set.invalid,
        Tracking::Known(connection) => {
            let state = match connection.state {
                ConnectionState::New => set.new,
                ConnectionState::Established => set.established,
                ConnectionState::Related => set.related,
            };
            state || (translation && (set.snat && connection.snat || set.dnat && connection.dnat))
        }
    }
}

fn conntrack<F: Family>(test: &Conntrack, facts: &Facts<F>) -> bool {
    if test.state.is_some_and(|state| in_states(&state.states, facts, true) == state.invert) {
        return false;
    }
    // Without a connection, the state alone decides, and all else is as if it had not been asked.
    let Some(connection) = connection(facts) else { return test.state.is_some() };
    let asked = test.tuple();
    let (there, back) = (&connection.there, &connection.back);
    let net = |wanted: &Option<AddrMatch>, is: F::Addr| wanted.as_ref().is_none_or(|test| address(test, is.to_ip()));
    let range = |wanted: Option<PortTest>, is: u16| wanted.is_none_or(|test| port(test, is));
    let left = if connection.confirmed { connection.seconds_left } else { 0 };
    test.direction.is_none_or(|wanted| connection.original == (wanted == Direction::Original))
        && test.proto.is_none_or(|proto| (there.protocol == proto.number) != proto.invert)
        && net(&asked.orig_src, there.src)
        && net(&asked.orig_dst, there.dst)
        && net(&asked.repl_src, back.src)
        && net(&asked.repl_dst, back.dst)
        && range(asked.orig_src_port, places(there).0)
        && range(asked.orig_dst_port, places(there).1)
        && range(asked.repl_src_port, places(back).0)
        && range(asked.repl_dst_port, places(back).1)
        && test.status.is_none_or(|wanted| has_status(&wanted, connection) != wanted.invert)
        && test.expire.is_none_or(|wanted| (wanted.min <= left && left <= wanted.max) != wanted.invert)
}

fn has_status<F: Family>(wanted: &StatusTest, connection: &Connection<F>) -> bool {
    wanted.expected && connection.expected
        || wanted.seen_reply && connection.seen_reply
        || wanted.assured && connection.assured
        || wanted.confirmed && connection.confirmed
}

/// What the kernel's tuple holds in the places of the ports: of ICMP the identifier, and type and code in one word.
fn places<F: Family>(tuple: &Tuple<F>) -> (u16, u16) {
    match tuple.l4 {
        TupleL4::Ports { src, dst } | TupleL4::Calls { src, dst } => (src, dst),
        TupleL4::Icmp { kind, code, id } => (id, u16::from(kind) << 8 | u16::from(code)),
        TupleL4::Other => (0, 0),
    }
}
