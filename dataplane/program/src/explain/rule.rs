//! One rule in words.

use std::fmt::{Result, Write};

use packet::Family;
use packet::family::Addr;

use crate::around::{LinkDestination, Side, addrtype};
use crate::connbytes::{ConnbytesTest, Counted};
use crate::connlimit::ConnlimitTest;
use crate::field_test::{AddressTest, FieldTest};
use crate::header_test::{HeaderTest, Invert, L4Test, PortRange, PortSides};
use crate::id::LabelId;
use crate::rule::{ConntrackTest, Directions, MarkOp, Match, Nat, NatKind, RejectWith, Rule, Target, Transfer, ctstate, ctstatus};
use crate::set::{CounterTest, SetSides, SetTest};
use crate::table::{StateInit, Table};

pub(super) fn write<F: Family>(table: &Table<F>, rule: &Rule<F>, labels: &[String], out: &mut String) -> Result {
    let mut parts = Parts { out, any: false };
    header(table, &rule.test, &mut parts)?;
    if !parts.any {
        out.push_str("any");
    }
    let residual = rule.residual.of(&table.matches);
    if !residual.is_empty() {
        out.push_str(" ? ");
        let mut parts = Parts { out, any: false };
        for test in residual {
            one_match(table, test, labels, parts.next())?;
        }
    }
    out.push_str(" => ");
    target(table, &rule.target, labels, out)
}

/// Puts a comma between what is written.
struct Parts<'a> {
    out: &'a mut String,
    any: bool,
}

impl Parts<'_> {
    fn next(&mut self) -> &mut String {
        if self.any {
            self.out.push_str(", ");
        }
        self.any = true;
        self.out
    }
}

pub(super) fn not(inverted: bool) -> &'static str {
    if inverted { "not " } else { "" }
}

fn header<F: Family>(table: &Table<F>, test: &HeaderTest<F>, parts: &mut Parts<'_>) -> Result {
    let inverted = |flag| not(test.invert.contains(flag));
    if test.src_mask != F::Addr::ZERO || test.invert.contains(Invert::SRC) {
        write!(parts.next(), "{}src {}", inverted(Invert::SRC), network(test.src, test.src_mask))?;
    }
    if test.dst_mask != F::Addr::ZERO || test.invert.contains(Invert::DST) {
        write!(parts.next(), "{}dst {}", inverted(Invert::DST), network(test.dst, test.dst_mask))?;
    }
    for (pattern, flag, name) in [(test.in_interface, Invert::IN, "in"), (test.out_interface, Invert::OUT, "out")] {
        if let Some(id) = pattern {
            let pattern = &table.patterns[id.index()];
            write!(parts.next(), "{}{name} {}{}", inverted(flag), pattern.name, if pattern.prefix { "+" } else { "" })?;
        }
    }
    if let Some(number) = test.protocol {
        write!(parts.next(), "{}protocol {number}", inverted(Invert::PROTOCOL))?;
    }
    if test.fragment {
        write!(parts.next(), "{}later fragment", inverted(Invert::FRAGMENT))?;
    }
    for l4 in test.l4.of(&table.l4_tests) {
        transport(&table.port_ranges, l4, parts.next())?;
    }
    Ok(())
}

/// `address/length`, or `address/mask` when the mask has holes.
fn network<A: Addr>(addr: A, mask: A) -> String {
    let prefix = (0..=A::LEN as u8 * 8).find(|len| A::prefix_mask(*len) == mask);
    match prefix {
        Some(len) => format!("{}/{len}", addr.to_ip()),
        None => format!("{}/{}", addr.to_ip(), mask.to_ip()),
    }
}

pub(super) fn ports(range: PortRange) -> String {
    if range.first == range.last { range.first.to_string() } else { format!("{}:{}", range.first, range.last) }
}

fn port_pair(sport: (PortRange, bool), dport: (PortRange, bool), out: &mut String) -> Result {
    for (name, (range, inverted)) in [("sport", sport), ("dport", dport)] {
        if range != PortRange::ANY || inverted {
            write!(out, " {}{name} {}", not(inverted), ports(range))?;
        }
    }
    Ok(())
}

fn transport(port_ranges: &[PortRange], test: &L4Test, out: &mut String) -> Result {
    match *test {
        L4Test::Tcp { sport, not_sport, dport, not_dport, mask, set, not_flags } => {
            out.push_str("tcp");
            port_pair((sport, not_sport), (dport, not_dport), out)?;
            if mask != 0 || set != 0 || not_flags {
                write!(out, " {}flags {mask:#04x}/{set:#04x}", not(not_flags))?;
            }
            Ok(())
        }
        L4Test::Udp { sport, not_sport, dport, not_dport } => {
            out.push_str("udp");
            port_pair((sport, not_sport), (dport, not_dport), out)
        }
        L4Test::Icmp { kind, code_first, code_last, not: inverted } => {
            write!(out, "{}icmp type {kind}", not(inverted))?;
            if (code_first, code_last) != (0, u8::MAX) {
                write!(out, " code {code_first}:{code_last}")?;
            }
            Ok(())
        }
        L4Test::Multiport { sides, ranges, not: inverted } => {
            let name = match sides {
                PortSides::Source => "sports",
                PortSides::Destination => "dports",
                PortSides::Either => "ports",
            };
            let list: Vec<_> = ranges.of(port_ranges).iter().map(|range| ports(*range)).collect();
            write!(out, "{}multiport {name} {}", not(inverted), list.join(","))
        }
    }
}

fn names<T: Copy + Into<u32>>(mask: T, known: &[(T, &'static str)]) -> String {
    let list: Vec<_> = known.iter().filter(|(bit, _)| mask.into() & (*bit).into() != 0).map(|(_, name)| *name).collect();
    if list.is_empty() { "NONE".into() } else { list.join(",") }
}

fn label(id: LabelId, labels: &[String]) -> String {
    match labels.get(id.index()) {
        Some(text) => format!("{text:?}"),
        None => format!("number {}", id.0),
    }
}

fn one_match<F: Family>(table: &Table<F>, test: &Match, labels: &[String], out: &mut String) -> Result {
    match *test {
        Match::L4(ref l4) => transport(&table.port_ranges, l4, out),
        Match::TcpOption { kind, not: inverted } => write!(out, "{}tcp option {kind}", not(inverted)),
        Match::Field(test) => field(test, out),
        Match::Address(index) => addresses(&table.address_tests[index as usize], out),
        Match::TcpEcn { ece, cwr } => {
            let mut parts = [("ECE", ece), ("CWR", cwr)].into_iter();
            parts.try_for_each(|(name, set)| set.map_or(Ok(()), |set| write!(out, "{}{name} ", not(!set))))?;
            out.push_str("in tcp");
            Ok(())
        }
        Match::Packet(index) => super::bytes::write(&table.packet_tests[index as usize], out),
        Match::Mac { source, not: inverted } => {
            write!(out, "{}mac {}", not(inverted), source.map(|byte| format!("{byte:02x}")).join(":"))
        }
        Match::Addrtype { src, dst, limit } => {
            out.push_str("address type");
            for (side, test) in [("src", src), ("dst", dst)] {
                if test.types != 0 {
                    write!(out, " {}{side} {}", not(test.not), names(test.types, &addrtype::NAMES))?;
                }
            }
            out.push_str(match limit {
                None => "",
                Some(Side::In) => " on in",
                Some(Side::Out) => " on out",
            });
            Ok(())
        }
        Match::Rpfilter { loose, valid_mark, accept_local, not: inverted } => {
            write!(out, "{}way back", not(inverted))?;
            let flags = [(loose, " loose"), (valid_mark, " with mark"), (accept_local, " or local")];
            flags.iter().filter(|(set, _)| *set).try_for_each(|(_, name)| out.write_str(name))
        }
        Match::Pkttype { to, not: inverted } => {
            let to = match to {
                LinkDestination::Host => "host",
                LinkDestination::Broadcast => "all",
                LinkDestination::Multicast => "group",
                LinkDestination::OtherHost => "another host",
            };
            write!(out, "{}frame to {to}", not(inverted))
        }
        Match::State { mask, not: inverted } => write!(out, "{}state {}", not(inverted), names(mask, &ctstate::NAMES)),
        Match::Conntrack(index) => conntrack(&table.conntrack_tests[index as usize], out),
        Match::Mark { value, mask, not: inverted } => write!(out, "{}mark {value:#x}/{mask:#x}", not(inverted)),
        Match::Connmark { value, mask, not: inverted } => write!(out, "{}connmark {value:#x}/{mask:#x}", not(inverted)),
        Match::Connbytes(index) => connbytes(&table.connbytes_tests[index as usize], out),
        Match::Connlabel { label, set, not: inverted } => {
            write!(out, "{}connlabel {label}{}", not(inverted), if set { " set" } else { "" })
        }
        Match::Connlimit { test, .. } => connlimit(&table.connlimit_tests[test as usize], out),
        Match::Set(index) => set(&table.set_tests[index as usize], out),
        Match::Helper { set, not: inverted } => {
            write!(out, "{}helper", not(inverted))?;
            let mut named = crate::Helper::ALL.into_iter().filter(|helper| set & helper.bit() != 0);
            named.try_for_each(|helper| write!(out, " {}", helper.name()))
        }
        Match::Label { label: id, not: inverted } => write!(out, "{}label {}", not(inverted), label(id, labels)),
        Match::Random { threshold, not: inverted } => {
            write!(out, "{}random below {threshold} of {}", not(inverted), 1u32 << 31)
        }
        Match::Nth { state, every, not: inverted } => {
            write!(out, "{}one of {}", not(inverted), u64::from(every) + 1)?;
            match table.state[state.index()] {
                StateInit::Nth(start) => write!(out, " first at {} (state {})", every - start, state.0),
                StateInit::Limit(_) | StateInit::Connlimit | StateInit::Quota(_) => Ok(()),
            }
        }
        Match::Quota { state, not: inverted } => match table.state[state.index()] {
            StateInit::Quota(bytes) => write!(out, "{}within {bytes} bytes (state {})", not(inverted), state.0),
            StateInit::Nth(_) | StateInit::Limit(_) | StateInit::Connlimit => Ok(()),
        },
        Match::Named(index) => super::named::write(&table.named_tests[index as usize], out),
        Match::Cluster { total, nodes, seed, not: inverted } => {
            write!(out, "{}of nodes {nodes:#x} of {total}, by {seed:#x}", not(inverted))
        }
        Match::DeviceGroup { side, group, mask, not: inverted } => {
            let side = if side == Side::In { "in" } else { "out" };
            write!(out, "{}group of {side} {group:#x}/{mask:#x}", not(inverted))
        }
        Match::Content(index) => super::content::write(&table.content_tests[index as usize], out),
        Match::Time(index) => super::time::write(&table.time_tests[index as usize], out),
        Match::Limit { state, spec } => write!(out, "limit cost {} cap {} (state {})", spec.cost, spec.cap, state.0),
    }
}

fn set(test: &SetTest, out: &mut String) -> Result {
    write!(out, "{}in set {}", not(test.not), test.name)?;
    sides(test.sources, test.dimensions, out)?;
    let flags = [
        (test.exceptions, " as exception"),
        (test.keep_counters, " without counting"),
        (test.keep_sub_counters, " without counting in members"),
    ];
    flags.iter().filter(|(set, _)| *set).for_each(|(_, words)| out.push_str(words));
    for (what, of) in [("packets", test.packets), ("bytes", test.bytes)] {
        match of {
            None => {}
            Some(CounterTest::Equal(number)) => write!(out, " with {what} {number}")?,
            Some(CounterTest::NotEqual(number)) => write!(out, " with {what} not {number}")?,
            Some(CounterTest::Less(number)) => write!(out, " with {what} below {number}")?,
            Some(CounterTest::Greater(number)) => write!(out, " with {what} above {number}")?,
        }
    }
    Ok(())
}

/// By what of a packet it is looked for.
fn sides(sources: u8, dimensions: u8, out: &mut String) -> Result {
    for dimension in 0..dimensions {
        let side = if sources >> dimension & 1 != 0 { "src" } else { "dst" };
        write!(out, "{}{side}", if dimension == 0 { " by " } else { "," })?;
    }
    Ok(())
}

fn field(test: FieldTest, out: &mut String) -> Result {
    match test {
        FieldTest::Length { first, last, not: inverted } => write!(out, "{}length {first}:{last}", not(inverted)),
        FieldTest::Ttl { first, last, not: inverted } => write!(out, "{}ttl {first}:{last}", not(inverted)),
        FieldTest::Tos { value, mask, not: inverted } => write!(out, "{}tos {value:#04x}/{mask:#04x}", not(inverted)),
    }
}

fn addresses<F: Family>(test: &AddressTest<F>, out: &mut String) -> Result {
    out.push_str("range");
    for (name, part) in [("src", test.src), ("dst", test.dst)] {
        if let Some((first, last, inverted)) = part {
            write!(out, " {}{name} {}-{}", not(inverted), first.to_ip(), last.to_ip())?;
        }
    }
    Ok(())
}

fn connlimit<F: Family>(test: &ConnlimitTest<F>, out: &mut String) -> Result {
    let (from, than) = (if test.destination { "to" } else { "from" }, if test.above { "more than" } else { "at most" });
    write!(out, "{than} {} connections {from} the address under {}", test.limit, test.mask.to_ip())
}

fn connbytes(test: &ConnbytesTest, out: &mut String) -> Result {
    let whose = match test.original {
        Some(true) => "original ",
        Some(false) => "reply ",
        None => "",
    };
    let what = match test.what {
        Counted::Packets => "packets",
        Counted::Bytes => "bytes",
        Counted::Average => "bytes a packet",
    };
    let (outside, low, high) = if test.to < test.from { ("not ", test.to, test.from) } else { ("", test.from, test.to) };
    write!(out, "connection carried {outside}{low} to {high} {whose}{what}")
}

fn conntrack<F: Family>(test: &ConntrackTest<F>, out: &mut String) -> Result {
    out.push_str("conntrack");
    if let Some((mask, inverted)) = test.state {
        write!(out, " {}state {}", not(inverted), names(mask, &ctstate::NAMES))?;
    }
    if let Some((number, inverted)) = test.protocol {
        write!(out, " {}protocol {number}", not(inverted))?;
    }
    let addresses =
        [("origsrc", test.orig_src), ("origdst", test.orig_dst), ("replsrc", test.repl_src), ("repldst", test.repl_dst)];
    for (name, part) in addresses {
        if let Some((addr, mask, inverted)) = part {
            write!(out, " {}{name} {}", not(inverted), network(addr, mask))?;
        }
    }
    let port_parts = [
        ("origsrcport", test.orig_src_port),
        ("origdstport", test.orig_dst_port),
        ("replsrcport", test.repl_src_port),
        ("repldstport", test.repl_dst_port),
    ];
    for (name, part) in port_parts {
        if let Some((first, last, inverted)) = part {
            write!(out, " {}{name} {}", not(inverted), ports(PortRange { first, last }))?;
        }
    }
    if let Some((mask, inverted)) = test.status {
        write!(out, " {}status {}", not(inverted), names(mask, &ctstatus::NAMES))?;
    }
    if let Some((first, last, inverted)) = test.expire {
        write!(out, " {}expire {first}:{last}", not(inverted))?;
    }
    match test.original {
        Some(true) => out.write_str(" dir ORIGINAL"),
        Some(false) => out.write_str(" dir REPLY"),
        None => Ok(()),
    }
}

fn target<F: Family>(table: &Table<F>, target: &Target, labels: &[String], out: &mut String) -> Result {
    match *target {
        Target::Continue => out.write_str("continue"),
        Target::Accept => out.write_str("accept"),
        Target::Drop => out.write_str("drop"),
        Target::Return => out.write_str("return"),
        Target::Jump(to) => write!(out, "jump {}", table.chains[to.index()].name),
        Target::Goto(to) => write!(out, "goto {}", table.chains[to.index()].name),
        Target::Reject(RejectWith::Unreachable(code)) => write!(out, "reject with unreachable code {code}"),
        Target::Reject(RejectWith::TcpReset) => out.write_str("reject with tcp-reset"),
        Target::Log(index) => {
            let log = &table.logs[index as usize];
            write!(out, "log {:?} level {}", log.prefix, log.level)?;
            let flags = [
                (log.tcp_sequence, " tcp-sequence"),
                (log.tcp_options, " tcp-options"),
                (log.ip_options, " ip-options"),
                (log.uid, " uid"),
                (log.mac_decode, " macdecode"),
            ];
            flags.iter().filter(|(set, _)| *set).try_for_each(|(_, name)| out.write_str(name))
        }
        Target::Npt(index) => super::spread::prefixes(&table.prefix_changes[index as usize], out),
        Target::Hmark(index) => super::spread::hash(&table.hash_marks[index as usize], out),
        Target::Set(index) => {
            let change = &table.set_changes[index as usize];
            let one = |what: &str, set: &SetSides, out: &mut String| {
                write!(out, "{what} set {}", set.name)?;
                sides(set.sources, set.dimensions, out)
            };
            if let Some(set) = &change.add {
                one(if change.renews { "renew in" } else { "add to" }, set, out)?;
                change.seconds.map_or(Ok(()), |seconds| write!(out, " for {seconds}s"))?;
            }
            if let Some(set) = &change.del {
                one(if change.add.is_some() { ", take from" } else { "take from" }, set, out)?;
            }
            Ok(())
        }
        Target::Mark(op) => write!(out, "mark {:#x}/{:#x}", op.value, op.mask),
        Target::SetConnmark(op) => set_connmark(op, out),
        Target::Connmark(moved) => connmark(moved, out),
        Target::SetConnmarkShifted(op, shift) => {
            set_connmark(op, out)?;
            write!(out, " shift {:+}", shift.0)
        }
        Target::ConnmarkShifted(moved, shift) => {
            connmark(moved, out)?;
            write!(out, " shift {:+}", shift.0)
        }
        Target::Synproxy(proxy) => {
            out.write_str("synproxy")?;
            let flags = [(proxy.sack_permitted, " sack-perm"), (proxy.timestamps, " timestamp"), (proxy.ecn, " ecn")];
            flags.iter().filter(|(set, _)| *set).try_for_each(|(_, name)| out.write_str(name))?;
            proxy.window_scale.map_or(Ok(()), |scale| write!(out, " wscale {scale}"))?;
            proxy.mss.map_or(Ok(()), |mss| write!(out, " mss {mss}"))
        }
        Target::Tos { value, mask } => write!(out, "tos {value:#04x}/{mask:#04x}"),
        Target::TcpEcn { ect, ece, cwr } => {
            out.write_str("ecn")?;
            ect.map_or(Ok(()), |ect| write!(out, " ect {ect}"))?;
            let mut flags = [("ece", ece), ("cwr", cwr)].into_iter();
            flags.try_for_each(|(name, to)| to.map_or(Ok(()), |to| write!(out, " {name} {}", u8::from(to))))
        }
        Target::Tcpmss(Some(mss)) => write!(out, "mss at most {mss}"),
        Target::Tcpmss(None) => out.write_str("mss at most what the path takes"),
        Target::Tcpoptstrip(index) => {
            out.write_str("strip tcp options")?;
            table.option_sets[index as usize].kinds().try_for_each(|kind| write!(out, " {kind}"))
        }
        Target::TtlSet(ttl) => write!(out, "ttl set {ttl}"),
        Target::TtlInc(by) => write!(out, "ttl inc {by}"),
        Target::TtlDec(by) => write!(out, "ttl dec {by}"),
        Target::Notrack => out.write_str("notrack"),
        Target::Ct(ct) | Target::CtMarked(ct) => {
            let side = match ct.directions {
                Directions::Both => "",
                Directions::Original => "-orig",
                Directions::Reply => "-reply",
            };
            match target {
                Target::CtMarked(_) => write!(out, "ct zone{side} mark")?,
                _ => write!(out, "ct zone{side} {}", ct.zone)?,
            }
            ct.helper.map_or(Ok(()), |helper| write!(out, " helper {}", helper.name()))?;
            if !ct.muted.is_empty() {
                write!(out, " muted {:#x}", ct.muted.0)?;
            }
            let timeout = ct.timeout.and_then(|at| table.timeouts.get(at.index()));
            timeout.map_or(Ok(()), |timeout| write!(out, " timeout {:?}", timeout.name))
        }
        Target::Nat(index) => nat(&table.nats[index as usize], out),
        Target::Secmark(id) => write!(out, "secmark {}", label(id, labels)),
        Target::ConnsecmarkSave => out.write_str("connsecmark save"),
        Target::ConnsecmarkRestore => out.write_str("connsecmark restore"),
        Target::Tee(index) => {
            let tee = &table.tees[index as usize];
            write!(out, "copy to {}", tee.gateway.to_ip())?;
            tee.by.map_or(Ok(()), |by| write!(out, " by {}", table.patterns[by.index()].name))
        }
        Target::Trace => out.write_str("trace"),
    }
}

fn set_connmark(op: MarkOp, out: &mut String) -> Result {
    write!(out, "connmark {:#x}/{:#x}", op.value, op.mask)
}

fn connmark(moved: Transfer, out: &mut String) -> Result {
    match moved {
        Transfer::Save { ctmask, nfmask } => write!(out, "connmark save nfmask {nfmask:#x} ctmask {ctmask:#x}"),
        Transfer::Restore { ctmask, nfmask } => write!(out, "connmark restore nfmask {nfmask:#x} ctmask {ctmask:#x}"),
    }
}

fn nat<F: Family>(nat: &Nat<F>, out: &mut String) -> Result {
    out.write_str(match nat.kind {
        NatKind::Source => "snat",
        NatKind::Destination => "dnat",
        NatKind::Masquerade => "masquerade",
        NatKind::Redirect => "redirect",
        NatKind::Map => "netmap",
    })?;
    if let Some((first, last)) = nat.addresses {
        write!(out, " to {}", first.to_ip())?;
        if first != last {
            write!(out, "-{}", last.to_ip())?;
        }
    }
    if let Some((first, last)) = nat.ports {
        write!(out, " ports {first}")?;
        if first != last {
            write!(out, "-{last}")?;
        }
    }
    if let Some(base) = nat.base_port {
        write!(out, " base {base}")?;
    }
    let flags = [
        (nat.random, " random"),
        (nat.random_fully, " random-fully"),
        (nat.persistent, " persistent"),
        (nat.full_cone, " fullcone"),
    ];
    flags.iter().filter(|(set, _)| *set).try_for_each(|(_, name)| out.write_str(name))
}
