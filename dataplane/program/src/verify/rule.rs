//! One rule: its links, its values, and whether its target may stand in this table.

use std::collections::TryReserveError;

use packet::family::Addr;
use packet::{Family, FamilyId, npt, protocol};

use super::{Fault, Limits, MAX_LOG_PREFIX, MAX_MATCHES, MAX_PORTS};
use crate::around::addrtype;
use crate::event_set::EventSet;
use crate::header_test::{HeaderTest, Invert, L4Test};
use crate::id::{CounterSlot, IdRange, LabelId};
use crate::packet_test::{self, PacketTest};
use crate::rule::{ConntrackTest, LABELS, LogSpec, Match, Nat, NatKind, RejectWith, Rule, Target, ctstate, ctstatus};
use crate::set::MAX_DIMENSIONS;
use crate::table::{Hook, StateInit, Table, TableKind};

pub(super) fn check<F: Family>(table: &Table<F>, rule: &Rule<F>, limits: &Limits) -> Result<(), Fault> {
    header(table, &rule.test)?;
    let l4 = run("transport tests", rule.test.l4, &table.l4_tests, MAX_MATCHES)?;
    let residual = run("matches", rule.residual, &table.matches, MAX_MATCHES)?;
    let all = run("matches", rule.ordered, &table.matches, MAX_MATCHES)?;
    for test in l4 {
        transport(table, &rule.test, test)?;
    }
    for test in residual.iter().chain(all) {
        one_match(table, &rule.test, test, limits)?;
    }
    same_story(l4, residual, all)?;
    target(table, rule, limits)?;
    counter(rule.counter, limits)
}

pub(super) fn counter(slot: CounterSlot, limits: &Limits) -> Result<(), Fault> {
    if slot.0 < limits.counters {
        Ok(())
    } else {
        Err(Fault::OutOfRange { array: "counter slots", index: slot.0.into(), len: limits.counters as usize })
    }
}

fn run<'a, T>(array: &'static str, range: IdRange, entries: &'a [T], most: u32) -> Result<&'a [T], Fault> {
    if range.len > most {
        return Err(Fault::TooMany { what: array, found: range.len as usize, most: most as usize });
    }
    match range.end() {
        Some(end) if end as usize <= entries.len() => Ok(range.of(entries)),
        _ => {
            let index = u64::from(range.first) + u64::from(range.len);
            Err(Fault::OutOfRange { array, index, len: entries.len() })
        }
    }
}

fn entry<'a, T>(array: &'static str, index: u32, entries: &'a [T]) -> Result<&'a T, Fault> {
    entries.get(index as usize).ok_or(Fault::OutOfRange { array, index: index.into(), len: entries.len() })
}

fn value(good: bool, otherwise: &'static str) -> Result<(), Fault> {
    if good { Ok(()) } else { Err(Fault::Value(otherwise)) }
}

fn header<F: Family>(table: &Table<F>, test: &HeaderTest<F>) -> Result<(), Fault> {
    value(
        test.src & !test.src_mask == F::Addr::ZERO && test.dst & !test.dst_mask == F::Addr::ZERO,
        "address bits outside the mask",
    )?;
    for pattern in [test.in_interface, test.out_interface].into_iter().flatten() {
        entry("interface patterns", pattern.0.into(), &table.patterns)?;
    }
    value(test.protocol != Some(0), "protocol 0 is any protocol, and is not written")?;
    if test.fragment && F::ID == FamilyId::Ipv6 {
        return Err(Fault::ForeignFamily("-f"));
    }
    value(Invert::from_bits(test.invert.bits()).is_some(), "unknown inversion bits")?;
    let idle = (test.in_interface.is_none() && test.invert.contains(Invert::IN))
        || (test.out_interface.is_none() && test.invert.contains(Invert::OUT))
        || (test.protocol.is_none() && test.invert.contains(Invert::PROTOCOL))
        || (!test.fragment && test.invert.contains(Invert::FRAGMENT));
    value(!idle, "an inverted test that is not there")
}

/// The protocols in which `multiport` finds ports.
fn has_ports(number: u8) -> bool {
    matches!(number, protocol::TCP | protocol::UDP | protocol::UDPLITE | protocol::SCTP | protocol::DCCP)
}

fn transport<F: Family>(table: &Table<F>, header: &HeaderTest<F>, test: &L4Test) -> Result<(), Fault> {
    let of = |good: bool, name| if good { Ok(()) } else { Err(Fault::Protocol(name)) };
    match *test {
        L4Test::Tcp { .. } => of(header.is_protocol(protocol::TCP), "tcp"),
        L4Test::Udp { .. } => of(header.is_protocol(protocol::UDP), "udp"),
        L4Test::Icmp { .. } => of(header.is_protocol(F::ICMP), "icmp"),
        L4Test::Multiport { ranges, .. } => {
            run("port ranges", ranges, &table.port_ranges, MAX_PORTS)?;
            of(header.protocol.is_some_and(|number| has_ports(number) && header.is_protocol(number)), "multiport")
        }
    }
}

fn one_match<F: Family>(table: &Table<F>, header: &HeaderTest<F>, test: &Match, limits: &Limits) -> Result<(), Fault> {
    match *test {
        Match::L4(ref l4) => transport(table, header, l4),
        Match::TcpOption { .. } if !header.is_protocol(protocol::TCP) => Err(Fault::Protocol("tcp option")),
        Match::TcpOption { kind, .. } => value(kind != 0, "TCP option 0 is the end of the list, not an option"),
        Match::TcpEcn { .. } if !header.is_protocol(protocol::TCP) => Err(Fault::Protocol("tcp ecn")),
        Match::Field(_) | Match::TcpEcn { .. } | Match::Mac { .. } => Ok(()),
        Match::Address(index) => entry("address tests", index, &table.address_tests).map(drop),
        Match::Packet(index) => packet(header, entry("packet tests", index, &table.packet_tests)?),
        Match::Addrtype { src, dst, .. } => {
            let known = addrtype::NAMES.iter().fold(0, |all, (bit, _)| all | bit);
            value((src.types | dst.types) & !known == 0, "unknown types of addresses")?;
            value(src.types | dst.types != 0, "a test of no address's type")
        }
        Match::Rpfilter { .. } | Match::Pkttype { .. } | Match::DeviceGroup { .. } => Ok(()),
        Match::State { mask, .. } => states(mask),
        Match::Conntrack(index) => conntrack(entry("conntrack tests", index, &table.conntrack_tests)?),
        Match::Connbytes(index) => entry("connbytes tests", index, &table.connbytes_tests).map(drop),
        Match::Connlabel { label, .. } => value(label < LABELS, "a label that connections have no place for"),
        Match::Cluster { total, nodes, .. } => {
            value((1..=32).contains(&total), "a cluster of no node, or of more than 32")?;
            value(u64::from(nodes) < 1 << total, "a node that the cluster does not have")
        }
        Match::Connlimit { state, test } => {
            value(table.kind != TableKind::Raw, "connlimit before packets have connections")?;
            entry("connlimit tests", test, &table.connlimit_tests)?;
            match entry("state slots", state.0, &table.state)? {
                StateInit::Connlimit => Ok(()),
                _ => Err(Fault::State(state.0)),
            }
        }
        Match::Mark { .. } | Match::Connmark { .. } => Ok(()),
        Match::Set(index) => {
            let test = entry("tests of sets", index, &table.set_tests)?;
            sides(test.sources, test.dimensions)
        }
        Match::Label { label: id, .. } => label(id, limits),
        Match::Helper { set, .. } => {
            value(u32::from(set) < 1 << crate::Helper::ALL.len(), "a helper that the dataplane does not have")
        }
        Match::Random { threshold, .. } => value(threshold <= 1 << 31, "a probability above 1"),
        Match::Nth { state, every, .. } => match entry("state slots", state.0, &table.state)? {
            StateInit::Nth(start) if *start <= every => Ok(()),
            _ => Err(Fault::State(state.0)),
        },
        Match::Quota { state, .. } => match entry("state slots", state.0, &table.state)? {
            StateInit::Quota(_) => Ok(()),
            _ => Err(Fault::State(state.0)),
        },
        Match::Named(index) => entry("named tests", index, &table.named_tests)?.check::<F>().map_err(Fault::Value),
        Match::Content(index) => entry("tests of contents", index, &table.content_tests)?.check().map_err(Fault::Value),
        Match::Time(index) => entry("time tests", index, &table.time_tests)?.check().map_err(Fault::Value),
        Match::Limit { state, spec } => {
            value(spec.cost != 0 && spec.cap >= spec.cost, "a bucket that never lets a packet pass")?;
            match entry("state slots", state.0, &table.state)? {
                StateInit::Limit(start) if *start == spec.cap => Ok(()),
                _ => Err(Fault::State(state.0)),
            }
        }
    }
}

fn packet<F: Family>(header: &HeaderTest<F>, test: &PacketTest) -> Result<(), Fault> {
    if let Some((number, name)) = test.protocol()
        && !header.is_protocol(number)
    {
        return Err(Fault::Protocol(name));
    }
    if let Some((family, name)) = test.family()
        && family != F::ID
    {
        return Err(Fault::ForeignFamily(name));
    }
    let many = |what, found: usize, most: usize| {
        if found <= most { Ok(()) } else { Err(Fault::TooMany { what, found, most }) }
    };
    match test {
        PacketTest::Routing { addresses, .. } => many("addresses of a routing header", addresses.len(), packet_test::MOST),
        PacketTest::Options { options, .. } => many("options of a header", options.len(), packet_test::MOST),
        PacketTest::Sctp { chunks: Some(chunks), .. } => many("flags of chunks", chunks.flags.len(), 256),
        _ => Ok(()),
    }
}

fn label(id: LabelId, limits: &Limits) -> Result<(), Fault> {
    if id.0 < limits.labels {
        Ok(())
    } else {
        Err(Fault::OutOfRange { array: "labels", index: id.0.into(), len: limits.labels as usize })
    }
}

fn states(mask: u16) -> Result<(), Fault> {
    let known = ctstate::NAMES.iter().fold(0, |all, (bit, _)| all | bit);
    value(mask & !known == 0, "unknown connection states")
}

fn conntrack<F: Family>(test: &ConntrackTest<F>) -> Result<(), Fault> {
    if let Some((mask, _)) = test.state {
        states(mask)?;
    }
    if let Some((mask, _)) = test.status {
        let known = ctstatus::NAMES.iter().fold(0, |all, (bit, _)| all | bit);
        value(mask & !known == 0, "unknown connection status")?;
    }
    for (addr, mask, _) in [test.orig_src, test.orig_dst, test.repl_src, test.repl_dst].into_iter().flatten() {
        value(addr & !mask == F::Addr::ZERO, "address bits outside the mask")?;
    }
    Ok(())
}

fn log(log: &LogSpec) -> Result<(), Fault> {
    if log.prefix.len() > MAX_LOG_PREFIX {
        return Err(Fault::TooMany { what: "bytes of a log prefix", found: log.prefix.len(), most: MAX_LOG_PREFIX });
    }
    value(log.level <= 7, "a log level above 7")
}

fn nat<F: Family>(nat: &Nat<F>) -> Result<(), Fault> {
    if let Some((first, last)) = nat.addresses {
        value(
            !matches!(nat.kind, NatKind::Masquerade | NatKind::Redirect),
            "MASQUERADE and REDIRECT choose the address themselves",
        )?;
        value(first <= last, "an address range that runs backwards")?;
    }
    value(
        !nat.full_cone || matches!(nat.kind, NatKind::Source | NatKind::Masquerade),
        "a full cone of something else than a source",
    )?;
    if nat.kind == NatKind::Map {
        return value(is_network(nat), "NETMAP's addresses are no network, or it has more than addresses");
    }
    if let Some(ports) = nat.ports {
        value(ports.0 <= ports.1, "a port range that runs backwards")?;
    }
    value(
        nat.base_port.is_none() || (nat.kind == NatKind::Destination && nat.ports.is_some()),
        "a base port without a DNAT port range",
    )
}

/// Are the transport tests of the header and the residual matches together the ordered list, with nothing before a test of the header that
/// must be asked before it?
fn same_story(l4: &[L4Test], residual: &[Match], all: &[Match]) -> Result<(), Fault> {
    let (mut l4, mut residual) = (l4.iter(), residual.iter());
    let mut held_back = false;
    for test in all {
        let in_header = match test {
            Match::L4(test) if !held_back => l4.next() == Some(test),
            _ => false,
        };
        // What every packet passes need not be asked.
        let is_left_out = *test == Match::ALWAYS && residual.clone().next() != Some(test);
        if !in_header && !is_left_out && residual.next() != Some(test) {
            return Err(Fault::Ordered);
        }
        held_back |= test.holds_back();
    }
    if l4.next().is_none() && residual.next().is_none() { Ok(()) } else { Err(Fault::Ordered) }
}

/// Which sides of a packet are meant by a set's dimensions.
fn sides(sources: u8, dimensions: u8) -> Result<(), Fault> {
    value((1..=MAX_DIMENSIONS).contains(&dimensions), "no dimension of a set, or more than 6")?;
    value(u32::from(sources) < 1 << dimensions, "a source of a dimension that is not asked for")
}

fn target<F: Family>(table: &Table<F>, rule: &Rule<F>, limits: &Limits) -> Result<(), Fault> {
    match rule.target {
        Target::Jump(to) | Target::Goto(to) => {
            let chain = entry("chains", to.0, &table.chains)?;
            if chain.policy.is_some() { Err(Fault::JumpToBase) } else { Ok(()) }
        }
        Target::Drop if table.kind == TableKind::Nat => Err(Fault::NatDrops),
        Target::Continue | Target::Accept | Target::Drop | Target::Return => Ok(()),
        Target::Mark(_) | Target::SetConnmark(_) | Target::Connmark(_) => Ok(()),
        Target::SetConnmarkShifted(_, shift) | Target::ConnmarkShifted(_, shift) => {
            let found = usize::from(shift.0.unsigned_abs());
            if found < 32 { Ok(()) } else { Err(Fault::TooMany { what: "bits by which a mark is shifted", found, most: 31 }) }
        }
        Target::Log(index) => log(entry("logs", index, &table.logs)?),
        Target::Npt(index) => {
            let change = entry("changes of prefixes", index, &table.prefix_changes)?;
            only(table, npt_name(change.side), &[TableKind::Mangle])?;
            if F::ID != FamilyId::Ipv6 {
                return Err(Fault::ForeignFamily(npt_name(change.side)));
            }
            value(change.has_networks(), "a prefix of more than 64 bits, or with bits behind it")
        }
        Target::Hmark(index) => {
            let spec = entry("marks of hashes", index, &table.hash_marks)?;
            value(spec.modulus != 0, "a mark of none")
        }
        Target::Set(index) => {
            let change = entry("changes of sets", index, &table.set_changes)?;
            value(change.sets() != [None, None], "a change of no set")?;
            change.sets().into_iter().flatten().try_for_each(|set| sides(set.sources, set.dimensions))
        }
        Target::Reject(with) => {
            only(table, "REJECT", &[TableKind::Filter])?;
            match with {
                RejectWith::TcpReset if !rule.test.is_protocol(protocol::TCP) => Err(Fault::Protocol("REJECT with tcp-reset")),
                RejectWith::TcpReset => Ok(()),
                RejectWith::Unreachable(code) => {
                    value(unreachable_codes::<F>().contains(&code), "a code that REJECT does not send")
                }
            }
        }
        Target::Synproxy(_) if rule.test.is_protocol(protocol::TCP) => Ok(()),
        Target::Synproxy(_) => Err(Fault::Protocol("SYNPROXY")),
        Target::Tos { .. } => only(table, "TOS", &[TableKind::Mangle]),
        Target::TcpEcn { .. } | Target::Tcpmss(_) | Target::Tcpoptstrip(_) if !rule.test.is_protocol(protocol::TCP) => {
            Err(Fault::Protocol("a change of the TCP header"))
        }
        Target::TcpEcn { ect, .. } => {
            only(table, "ECN", &[TableKind::Mangle])?;
            if F::ID == FamilyId::Ipv6 {
                return Err(Fault::ForeignFamily("ECN"));
            }
            value(ect.is_none_or(|ect| ect <= 3), "an ECN codepoint above 3")
        }
        Target::Tcpmss(_) => Ok(()),
        Target::Tcpoptstrip(index) => {
            only(table, "TCPOPTSTRIP", &[TableKind::Mangle])?;
            entry("option sets", index, &table.option_sets).map(drop)
        }
        Target::TtlSet(_) | Target::TtlInc(_) | Target::TtlDec(_) => only(table, "TTL", &[TableKind::Mangle]),
        Target::Notrack => only(table, "CT", &[TableKind::Raw]),
        Target::Tee(index) => {
            let tee = entry("copies", index, &table.tees)?;
            if let Some(pattern) = tee.by {
                entry("interface patterns", pattern.0.into(), &table.patterns)?;
            }
            value(tee.gateway != F::Addr::ZERO, "a copy for no gateway")
        }
        Target::Trace => only(table, "TRACE", &[TableKind::Raw]),
        Target::Ct(action) | Target::CtMarked(action) => {
            only(table, "CT", &[TableKind::Raw])?;
            value(action.muted.without(EventSet::ALL).is_empty(), "events that CT does not know")?;
            let Some(at) = action.timeout else { return Ok(()) };
            let timeout = entry("timeout policies", at.index() as u32, &table.timeouts)?;
            if rule.test.is_protocol(timeout.protocol) { Ok(()) } else { Err(Fault::Protocol("CT --timeout")) }
        }
        Target::Nat(index) => {
            let range = entry("nat ranges", index, &table.nats)?;
            only(table, nat_name(range.kind), &[TableKind::Nat])?;
            nat(range)
        }
        Target::Secmark(id) => only(table, "SECMARK", &[TableKind::Mangle, TableKind::Security]).and_then(|()| label(id, limits)),
        Target::ConnsecmarkSave | Target::ConnsecmarkRestore => {
            only(table, "CONNSECMARK", &[TableKind::Mangle, TableKind::Security])
        }
    }
}

fn only<F: Family>(table: &Table<F>, target: &'static str, kinds: &[TableKind]) -> Result<(), Fault> {
    if kinds.contains(&table.kind) { Ok(()) } else { Err(Fault::TargetTable { target, table: table.kind }) }
}

/// The codes that `ipt_REJECT.c` and `ip6t_REJECT.c` know.
fn unreachable_codes<F: Family>() -> &'static [u8] {
    match F::ID {
        FamilyId::Ipv4 => &[0, 1, 2, 3, 9, 10, 13],
        FamilyId::Ipv6 => &[0, 1, 3, 4, 5, 6],
    }
}

/// From the first to the last address of one prefix, and nothing else.
fn is_network<F: Family>(nat: &Nat<F>) -> bool {
    let Some((first, last)) = nat.addresses else { return false };
    let network = (0..=8 * F::Addr::LEN as u8).any(|len| {
        let mask = F::Addr::prefix_mask(len);
        first & !mask == F::Addr::ZERO && first | !mask == last
    });
    network && *nat == Nat::to(NatKind::Map, Some((first, last)))
}

fn nat_name(kind: NatKind) -> &'static str {
    match kind {
        NatKind::Source => "SNAT",
        NatKind::Destination => "DNAT",
        NatKind::Masquerade => "MASQUERADE",
        NatKind::Redirect => "REDIRECT",
        NatKind::Map => "NETMAP",
    }
}

fn npt_name(side: npt::Side) -> &'static str {
    match side {
        npt::Side::Src => "SNPT",
        npt::Side::Dst => "DNPT",
    }
}

/// May the target stand where packets of this hook come by?
pub(super) fn target_hook<F: Family>(table: &Table<F>, target: &Target, hook: Hook) -> Result<(), Fault> {
    let (name, hooks): (_, &[Hook]) = match target {
        Target::Nat(index) => match entry("nat ranges", *index, &table.nats)?.kind {
            kind @ NatKind::Source => (nat_name(kind), &[Hook::Input, Hook::Postrouting]),
            kind @ NatKind::Map => (nat_name(kind), &[Hook::Prerouting, Hook::Output, Hook::Input, Hook::Postrouting]),
            kind @ NatKind::Masquerade => (nat_name(kind), &[Hook::Postrouting]),
            kind @ (NatKind::Destination | NatKind::Redirect) => (nat_name(kind), &[Hook::Prerouting, Hook::Output]),
        },
        Target::Npt(index) => match entry("changes of prefixes", *index, &table.prefix_changes)?.side {
            side @ npt::Side::Src => (npt_name(side), &[Hook::Input, Hook::Postrouting]),
            side @ npt::Side::Dst => (npt_name(side), &[Hook::Prerouting, Hook::Output]),
        },
        // REJECT, CT and the like are bound to tables whose hooks all suit them.
        _ => return Ok(()),
    };
    if hooks.contains(&hook) { Ok(()) } else { Err(Fault::TargetHook { target: name, hook }) }
}

/// Which rule each remembered value belongs to.
pub(super) struct StateOwners {
    /// The first slot that may be claimed.
    first: usize,
    owners: Vec<Option<u32>>,
}

impl StateOwners {
    /// Of so many slots, from one on.
    pub(super) fn from(first: usize, slots: usize) -> Result<Self, TryReserveError> {
        let mut owners = Vec::new();
        owners.try_reserve_exact(slots)?;
        owners.resize(slots, None);
        Ok(Self { first, owners })
    }

    /// The rule takes the slots of its matches; its links are known to be good.
    pub(super) fn claim<F: Family>(&mut self, table: &Table<F>, rule: &Rule<F>, index: u32) -> Result<(), Fault> {
        let mut mine = [None; 2];
        for (list, seen) in [rule.residual, rule.ordered].into_iter().zip(&mut mine) {
            for slot in list.of(&table.matches).iter().filter_map(Match::state) {
                // Twice in one list would be two tests on one value.
                if *seen >= Some(slot) {
                    return Err(Fault::State(slot.0));
                }
                *seen = Some(slot);
                let owner = slot.index().checked_sub(self.first).and_then(|at| self.owners.get_mut(at));
                match owner.ok_or(Fault::State(slot.0))?.replace(index) {
                    Some(other) if other != index => return Err(Fault::State(slot.0)),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}
