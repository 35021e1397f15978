//! The least that an evaluator needs: one packet's facts, what the rules remember, and lists of what was counted and done.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use packet::family::Addr;
use packet::pieces::Pieces;
use packet::{Family, Fragment, Header, Ipv4, L4, Tuple, TupleL4, options};
use program::eval::{Act, Env};
use program::header_test::Answer;
use program::rule::{ctstate, ctstatus};
use program::{
    ConnlimitTest, ConntrackTest, CounterSlot, Directions, InterfaceId, LimitSpec, LinkDestination, Match, NatKind, RejectWith,
    RuleIndex, Shift, Side, StateInit, Table, Transfer, TypeTest, WallTime,
};
use reference::hmark;
use reference::sets::Sets;
use reference::{Connection, ConnectionState, Done, Facts, Tracking, WayBack};
use rules::matches::pkttype;
use rules::targets::{Log, NatRange, Netmap, Target, Tcpmss, Zone, ZoneDirection, ZoneId};

use crate::names::Names;
use crate::packets::INTERFACES;
use crate::sets;

/// A table and what it remembers, by slot.
pub(crate) struct Loaded {
    pub(crate) table: Table<Ipv4>,
    pub(crate) labels: Vec<String>,
    pub(crate) memory: Vec<Remembered>,
    pub(crate) names: Names,
}

/// A remembered value.
pub(crate) enum Remembered {
    Position(u32),
    Bucket { credit: u32, at: u64 },
    Lists(HashMap<u32, HashSet<Tuple<Ipv4>>>),
    Left(u64),
}

impl Loaded {
    pub(crate) fn new(table: Table<Ipv4>, labels: Vec<String>, sets: Sets) -> Self {
        let start = |init: &StateInit| match *init {
            StateInit::Nth(position) => Remembered::Position(position),
            StateInit::Limit(credit) => Remembered::Bucket { credit, at: 0 },
            StateInit::Connlimit => Remembered::Lists(HashMap::new()),
            StateInit::Quota(bytes) => Remembered::Left(bytes),
        };
        let memory = table.state.iter().map(start).collect();
        let names = Names::of(&table, sets);
        Self { table, labels, memory, names }
    }
}

/// One packet in one table.
pub(crate) struct PacketEnv<'a> {
    facts: Facts<Ipv4>,
    memory: &'a mut [Remembered],
    names: &'a mut Names,
    labels: &'a [String],
    now: u64,
    wall: WallTime,
    random: &'a mut dyn FnMut() -> u32,
    counted: Vec<CounterSlot>,
    done: Vec<Done>,
}

impl<'a> PacketEnv<'a> {
    pub(crate) fn new(
        facts: Facts<Ipv4>,
        (memory, names): (&'a mut [Remembered], &'a mut Names),
        labels: &'a [String],
        (now, wall): (u64, WallTime),
        random: &'a mut dyn FnMut() -> u32,
    ) -> Self {
        Self { facts, memory, names, labels, now, wall, random, counted: Vec::new(), done: Vec::new() }
    }

    pub(crate) fn finish(self) -> (Facts<Ipv4>, Vec<CounterSlot>, Vec<Done>) {
        (self.facts, self.counted, self.done)
    }

    fn connection(&mut self) -> Option<&mut Connection<Ipv4>> {
        match &mut self.facts.tracking {
            Tracking::Known(connection) => Some(connection),
            _ => None,
        }
    }

    fn state(&self) -> u16 {
        let connection = match &self.facts.tracking {
            Tracking::Untracked => return ctstate::UNTRACKED,
            Tracking::Invalid | Tracking::Prepared { .. } => return ctstate::INVALID,
            Tracking::Known(connection) => connection,
        };
        let state = match connection.state {
            ConnectionState::New => ctstate::NEW,
            ConnectionState::Established => ctstate::ESTABLISHED,
            ConnectionState::Related => ctstate::RELATED,
        };
        state | if connection.snat { ctstate::SNAT } else { 0 } | if connection.dnat { ctstate::DNAT } else { 0 }
    }

    fn conntrack(&mut self, test: &ConntrackTest<Ipv4>) -> bool {
        let state = self.state();
        if test.state.is_some_and(|(mask, not)| (state & mask != 0) == not) {
            return false;
        }
        let Some(c) = self.connection() else { return test.state.is_some() };
        let words = |l4| match l4 {
            TupleL4::Ports { src, dst } | TupleL4::Calls { src, dst } => [src, dst],
            TupleL4::Icmp { kind, code, id } => [id, u16::from_be_bytes([kind, code])],
            TupleL4::Other => [0, 0],
        };
        let status = [
            (c.expected, ctstatus::EXPECTED),
            (c.seen_reply, ctstatus::SEEN_REPLY),
            (c.assured, ctstatus::ASSURED),
            (c.confirmed, ctstatus::CONFIRMED),
        ];
        let status = status.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum::<u32>();
        let left = if c.confirmed { c.seconds_left } else { 0 };
        let nets =
            [(test.orig_src, c.there.src), (test.orig_dst, c.there.dst), (test.repl_src, c.back.src), (test.repl_dst, c.back.dst)];
        let [orig, repl] = [words(c.there.l4), words(c.back.l4)];
        let ports = [
            (test.orig_src_port, orig[0]),
            (test.orig_dst_port, orig[1]),
            (test.repl_src_port, repl[0]),
            (test.repl_dst_port, repl[1]),
        ];
        nets.iter().all(|(test, is)| test.is_none_or(|(addr, mask, not)| (is & mask == addr) != not))
            && ports.iter().all(|(test, is)| test.is_none_or(|(first, last, not)| (first..=last).contains(is) != not))
            && test.protocol.is_none_or(|(number, not)| (number == c.there.protocol) != not)
            && test.status.is_none_or(|(mask, not)| (mask & status != 0) != not)
            && test.expire.is_none_or(|(first, last, not)| (first..=last).contains(&left) != not)
            && test.original.is_none_or(|original| original == c.original)
    }

    fn connmark(&mut self, transfer: Transfer, shift: Shift) {
        let mark = self.facts.mark;
        let Some(c) = self.connection() else { return };
        match transfer {
            Transfer::Save { ctmask, nfmask } => c.mark = (c.mark & !ctmask) ^ shift.apply(mark & nfmask),
            Transfer::Restore { ctmask, nfmask } => {
                let taken = shift.apply(c.mark & ctmask);
                self.facts.mark = (mark & !nfmask) ^ taken;
            }
        }
    }

    fn tcp_option(&self, kind: u8, not: bool) -> Answer {
        match self.facts.header.transport {
            L4::Tcp { header_len: 20.., .. } => match options::tcp::bytes(&self.facts.bytes, &self.facts.header) {
                Some(list) => (options::tcp::contains(list, kind) != not).into(),
                None => Answer::HotDrop,
            },
            // The header match that stands before this one has dropped the others.
            _ => Answer::HotDrop,
        }
    }

    fn connlimit(&mut self, slot: usize, test: &ConnlimitTest<Ipv4>) -> Answer {
        let own = self.connection().map(|c| (c.there, c.confirmed));
        let Some((tuple, has_begun)) = own.or_else(|| Some((Tuple::of(&self.facts.header)?, false))) else {
            return Answer::HotDrop;
        };
        let Remembered::Lists(lists) = &mut self.memory[slot] else { panic!("slot {slot} has no lists") };
        let address = test.address(&self.facts.header);
        match lists.get_mut(&address) {
            Some(_) if has_begun => {}
            Some(list) => drop(list.insert(tuple)),
            None => drop(lists.insert(address, HashSet::from([tuple]))),
        }
        test.holds(lists[&address].len() as u32).into()
    }

    fn take(&mut self, slot: usize, spec: LimitSpec) -> bool {
        let Remembered::Bucket { credit, at } = &mut self.memory[slot] else { panic!("slot {slot} is no bucket") };
        let earned = (self.now - *at) * u64::from(LimitSpec::PER_MILLISECOND);
        *credit = (u64::from(*credit) + earned).min(u64::from(spec.cap)) as u32;
        *at = self.now;
        let enough = *credit >= spec.cost;
        if enough {
            *credit -= spec.cost;
        }
        enough
    }

    fn nth(&mut self, slot: usize, every: u32) -> bool {
        let Remembered::Position(position) = &mut self.memory[slot] else { panic!("slot {slot} is no position") };
        *position = if *position == every { 0 } else { *position + 1 };
        *position == 0
    }
}

fn interface(name: &str) -> InterfaceId {
    InterfaceId(INTERFACES.iter().position(|known| *known == name).map_or(0, |at| at as u16 + 1))
}

impl Env<Ipv4> for PacketEnv<'_> {
    fn header(&self) -> &Header<Ipv4> {
        &self.facts.header
    }

    fn interfaces(&self) -> (InterfaceId, InterfaceId) {
        (interface(&self.facts.input), interface(&self.facts.output))
    }

    fn ask(&mut self, table: &Table<Ipv4>, test: &Match) -> Answer {
        match *test {
            Match::L4(test) => test.ask(&self.facts.header, &table.port_ranges),
            Match::TcpOption { kind, not } => self.tcp_option(kind, not),
            Match::Field(test) => test.holds(&self.facts.header).into(),
            Match::Address(index) => table.address_tests[index as usize].holds(&self.facts.header).into(),
            Match::TcpEcn { ece, cwr } => {
                let flags = packet::tcp::flags_at(&self.facts.bytes, &self.facts.header);
                let is =
                    |wanted: Option<bool>, bit| wanted.is_none_or(|wanted| flags.is_some_and(|set| (set & bit != 0) == wanted));
                (is(ece, 0x40) && is(cwr, 0x80)).into()
            }
            Match::Packet(index) => table.packet_tests[index as usize].ask(&self.facts.bytes, &self.facts.header),
            Match::Mac { source, not } => self.facts.frame_source.is_some_and(|it| (it == source) != not).into(),
            Match::Addrtype { src, dst, limit } => {
                let around = &self.facts.around;
                let at = limit.map_or(0, |side| if side == Side::In { 1 } else { 2 });
                let holds = |test: TypeTest, is: [u16; 3]| test.types == 0 || (test.types & is[at] != 0) != test.not;
                (holds(src, around.src_type) && holds(dst, around.dst_type)).into()
            }
            Match::Rpfilter { loose, accept_local, not, .. } => {
                let way = self.facts.around.way_back;
                let right = way == WayBack::Same || loose && way == WayBack::Other || accept_local && way == WayBack::Local;
                (right != not).into()
            }
            Match::Pkttype { to, not } => {
                let is = match self.facts.around.frame_to {
                    pkttype::LinkDestination::Unicast => LinkDestination::Host,
                    pkttype::LinkDestination::Broadcast => LinkDestination::Broadcast,
                    pkttype::LinkDestination::Multicast => LinkDestination::Multicast,
                    pkttype::LinkDestination::OtherHost => LinkDestination::OtherHost,
                };
                ((is == to) != not).into()
            }
            Match::DeviceGroup { side, group, mask, not } => {
                let on = self.facts.around.groups[usize::from(side == Side::Out)];
                (((on ^ group) & mask == 0) != not).into()
            }
            Match::State { mask, not } => ((self.state() & mask != 0) != not).into(),
            Match::Conntrack(index) => self.conntrack(&table.conntrack_tests[index as usize]).into(),
            Match::Mark { value, mask, not } => ((self.facts.mark & mask == value) != not).into(),
            Match::Connmark { value, mask, not } => self.connection().is_some_and(|c| (c.mark & mask == value) != not).into(),
            Match::Connbytes(index) => {
                let test = &table.connbytes_tests[index as usize];
                self.connection().is_some_and(|c| test.holds(c.carried[0], c.carried[1])).into()
            }
            Match::Connlabel { label, set, not } => match self.connection() {
                None => not.into(),
                Some(c) => {
                    let had = c.labels >> label & 1 == 1;
                    c.labels |= u128::from(set) << label;
                    ((had || set) != not).into()
                }
            },
            Match::Connlimit { state, test } => self.connlimit(state.index(), &table.connlimit_tests[test as usize]),
            Match::Set(index) => sets::ask(&mut self.names.sets, &table.set_tests[index as usize], &self.facts).into(),
            Match::Label { label, not } => ((self.labels[label.index()] == self.facts.label) != not).into(),
            Match::Helper { set, not } => {
                let by = self.connection().and_then(|c| program::Helper::named(&c.announced_by));
                (by.is_some_and(|helper| set & helper.bit() != 0) != not).into()
            }
            Match::Random { threshold, not } => (((self.random)() & 0x7fff_ffff < threshold) != not).into(),
            Match::Nth { state, every, not } => (self.nth(state.index(), every) != not).into(),
            Match::Quota { state, not } => {
                let Remembered::Left(left) = &mut self.memory[state.index()] else { panic!("{state:?} is no quota") };
                let bytes = u64::from(self.facts.header.len);
                let fits = *left >= bytes;
                *left = if fits { *left - bytes } else { 0 };
                (fits != not).into()
            }
            Match::Cluster { total, nodes, seed, not } => self
                .connection()
                .is_some_and(|c| (nodes >> reference::cluster::node(c.there.src.to_ip(), total, seed) & 1 == 1) != not)
                .into(),
            Match::Content(index) => {
                let pieces = Pieces::of(self.facts.bytes.chunks(7));
                table.content_tests[index as usize].holds(&pieces, &self.facts.header).into()
            }
            Match::Time(index) => table.time_tests[index as usize].holds(self.wall).into(),
            Match::Named(index) => self.names.ask(&table.named_tests[index as usize], &self.facts, self.now),
            Match::Limit { state, spec } => self.take(state.index(), spec).into(),
        }
    }

    fn count(&mut self, counter: CounterSlot) {
        self.counted.push(counter);
    }

    fn act(&mut self, table: &Table<Ipv4>, _rule: RuleIndex, target: &program::Target) -> Act {
        use program::Target as T;
        let (mark, label) = (self.facts.mark, self.facts.label.clone());
        match *target {
            T::Continue | T::Accept | T::Drop | T::Return | T::Jump(_) | T::Goto(_) => panic!("the evaluator does this itself"),
            T::Reject(with) => {
                self.done.push(Done::Rejected(answer(with)));
                return Act::Drop;
            }
            T::Nat(index) => {
                self.done.push(Done::Translated(translated(&table.nats[index as usize])));
                return Act::Accept;
            }
            T::Log(index) => {
                let log = &table.logs[index as usize];
                self.done.push(Done::Logged(Log {
                    level: log.level,
                    prefix: log.prefix.as_str().into(),
                    tcp_sequence: log.tcp_sequence,
                    tcp_options: log.tcp_options,
                    ip_options: log.ip_options,
                    uid: log.uid,
                    mac_decode: log.mac_decode,
                }));
            }
            T::Set(index) => sets::change(&mut self.names.sets, &table.set_changes[index as usize], &self.facts),
            T::Npt(_) => panic!("no case is IPv6"),
            T::Hmark(index) => {
                let test = &table.hash_marks[index as usize];
                let spec = hmark::Spec {
                    addresses: [test.src_mask, test.dst_mask],
                    ports: test.port_mask,
                    set: test.port_set,
                    protocol: test.proto_mask,
                    seed: test.seed,
                    modulus: test.modulus,
                    offset: test.offset,
                };
                let fields = if test.of_connection {
                    self.connection().map(|c| hmark::Fields::of_connection(&c.there, &c.back))
                } else {
                    hmark::Fields::of_packet(&self.facts.bytes, &self.facts.header)
                };
                self.facts.mark = fields.map_or(mark, |fields| hmark::mark(&spec, &fields));
            }
            T::Mark(op) => self.facts.mark = op.apply(mark),
            T::SetConnmark(op) => {
                if let Some(c) = self.connection() {
                    c.mark = op.apply(c.mark);
                }
            }
            T::SetConnmarkShifted(op, shift) => {
                if let Some(c) = self.connection() {
                    c.mark = shift.apply(op.apply(c.mark));
                }
            }
            T::Connmark(transfer) => self.connmark(transfer, Shift::default()),
            T::ConnmarkShifted(transfer, shift) => self.connmark(transfer, shift),
            T::Synproxy(proxy) => self.done.push(Done::Proxied(rules::targets::Synproxy {
                sack_perm: proxy.sack_permitted,
                timestamp: proxy.timestamps,
                wscale: proxy.window_scale,
                mss: proxy.mss,
                ecn: proxy.ecn,
            })),
            T::Tos { value, mask } => self.facts.header.tos = (self.facts.header.tos & !mask) ^ value,
            T::TcpEcn { ect, ece, cwr } => {
                let tos = self.facts.header.tos;
                self.facts.header.tos = ect.map_or(tos, |ect| tos & 0xfc | ect);
                if packet::tcp::flags_at(&self.facts.bytes, &self.facts.header).is_none() {
                    return Act::Drop;
                }
                self.done.push(Done::Congestion(ece, cwr));
            }
            T::Tcpmss(_) | T::Tcpoptstrip(_) if matches!(self.facts.header.fragment, Fragment::Later(_)) => {}
            T::Tcpmss(_) | T::Tcpoptstrip(_) if options::tcp::bytes(&self.facts.bytes, &self.facts.header).is_none() => {
                return Act::Drop;
            }
            T::Tcpmss(mss) => self.done.push(Done::Mss(mss.map_or(Tcpmss::Clamp, Tcpmss::Set))),
            T::Tcpoptstrip(index) => self.done.push(Done::Stripped(table.option_sets[index as usize].kinds().collect())),
            T::TtlSet(ttl) => self.facts.header.ttl = ttl,
            T::TtlInc(by) => self.facts.header.ttl = self.facts.header.ttl.saturating_add(by),
            T::TtlDec(by) => self.facts.header.ttl = self.facts.header.ttl.saturating_sub(by),
            T::Notrack if self.facts.tracking == Tracking::Invalid => self.facts.tracking = Tracking::Untracked,
            T::Ct(action) | T::CtMarked(action) if self.facts.tracking == Tracking::Invalid => {
                let direction = match action.directions {
                    Directions::Both => ZoneDirection::Both,
                    Directions::Original => ZoneDirection::Original,
                    Directions::Reply => ZoneDirection::Reply,
                };
                let id = if matches!(target, T::CtMarked(_)) { ZoneId::FromMark } else { ZoneId::Number(action.zone) };
                self.facts.tracking = Tracking::Prepared {
                    zone: Zone { id, direction },
                    helper: action.helper.map_or("", program::Helper::name).to_owned(),
                };
            }
            T::Tee(_) => {}
            T::Trace => return Act::Tell,
            T::Notrack | T::Ct(_) | T::CtMarked(_) => {}
            T::Secmark(to) => self.facts.label = self.labels[to.index()].clone(),
            T::ConnsecmarkSave => {
                if let Some(c) = self.connection().filter(|c| c.label.is_empty()) {
                    c.label = label;
                }
            }
            T::ConnsecmarkRestore => {
                if label.is_empty()
                    && let Some(c) = self.connection()
                {
                    self.facts.label = c.label.clone();
                }
            }
        }
        Act::Continue
    }
}

fn answer(with: RejectWith) -> rules::targets::RejectWith {
    use rules::targets::RejectWith as With;
    match with {
        RejectWith::TcpReset => With::TcpReset,
        RejectWith::Unreachable(0) => With::IcmpNetUnreachable,
        RejectWith::Unreachable(1) => With::IcmpHostUnreachable,
        RejectWith::Unreachable(2) => With::IcmpProtoUnreachable,
        RejectWith::Unreachable(3) => With::IcmpPortUnreachable,
        RejectWith::Unreachable(9) => With::IcmpNetProhibited,
        RejectWith::Unreachable(10) => With::IcmpHostProhibited,
        RejectWith::Unreachable(13) => With::IcmpAdminProhibited,
        RejectWith::Unreachable(code) => panic!("REJECT never sends code {code}"),
    }
}

fn translated(nat: &program::Nat<Ipv4>) -> Target {
    let ip = |addr: <Ipv4 as Family>::Addr| -> IpAddr { addr.to_ip() };
    let range = NatRange {
        addrs: nat.addresses.map(|(first, last)| (ip(first), ip(last))),
        ports: nat.ports,
        base_port: nat.base_port,
        random: nat.random,
        random_fully: nat.random_fully,
        persistent: nat.persistent,
        full_cone: nat.full_cone,
    };
    match nat.kind {
        NatKind::Source => Target::Snat(Box::new(range)),
        NatKind::Destination => Target::Dnat(Box::new(range)),
        NatKind::Masquerade => Target::Masquerade(Box::new(range)),
        NatKind::Redirect => Target::Redirect(Box::new(range)),
        NatKind::Map => {
            let (first, last) = nat.addresses.expect("NETMAP has a network");
            Target::Netmap(Netmap { network: ip(first), prefix_len: (first ^ last).leading_zeros() as u8 })
        }
    }
}
