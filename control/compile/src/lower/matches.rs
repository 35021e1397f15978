//! Matches, one arm each. A new match does not build until it has its arm.

use ::packet::family::Addr;
use ::packet::{Family, FamilyId};
use program::packet_test::Span;
use program::rule::{ctstate, ctstatus};
use program::{
    AddressTest, ConnbytesTest, ConnlimitTest, ConntrackTest, Counted, CounterTest, FieldTest, Helper, L4Test, LimitSpec, Match,
    PacketTest, PortRange, PortSides, StateInit, TableKind, TypeTest,
};
use rules::AddrMatch;
use rules::matches::addrtype;
use rules::matches::connbytes;
use rules::matches::conntrack::{Direction, StatusTest};
use rules::matches::iprange::AddressRange;
use rules::matches::multiport::Side;
use rules::matches::pkttype::LinkDestination;
use rules::matches::set;
use rules::matches::statistic::Mode;
use rules::matches::ttl::{Comparison, TtlTest};
use rules::matches::{
    Addrtype, Connbytes, Connlimit, Conntrack, Icmp, Icmp6, Iprange, Limit, MarkTest, Multiport, PortTest, SetTest, StateSet,
    Statistic, Tcp, Udp,
};

use super::{Lowering, addr, append, named, packet_test as packet};
use crate::error::Reason;

impl<F: Family> Lowering<'_, F> {
    /// Lowers a match to what is asked for it, in this order.
    pub(super) fn one_match(&mut self, test: &rules::Match, all: &mut Vec<Match>) -> Result<(), Reason> {
        match test {
            rules::Match::Addrtype(test) => all.push(addrtype(test)),
            rules::Match::Ah(test) => all.push(self.packet(packet::ah::<F>(test))?),
            rules::Match::Bpf(_) => return Err(Reason::NotEnforced("-m bpf, which runs a program of the user's,")),
            rules::Match::Cgroup(_) => return Err(Reason::NotEnforced("-m cgroup, which asks for the local socket of a packet,")),
            rules::Match::Cluster(test) => {
                all.push(Match::Cluster { total: test.total, nodes: test.nodes, seed: test.seed, not: test.invert });
            }
            rules::Match::Comment(_) => {}
            rules::Match::Connbytes(test) => all.push(self.connbytes(test)?),
            rules::Match::Connlabel(test) => {
                let label = u8::try_from(test.label).map_err(|_| Reason::NotEnforced("a label above 127"))?;
                all.push(Match::Connlabel { label, set: test.set, not: test.invert });
            }
            rules::Match::Connlimit(test) => all.push(self.connlimit(test)?),
            rules::Match::Connmark(mark) => {
                all.push(Match::Connmark { value: mark.value, mask: mark.mask, not: mark.invert });
            }
            rules::Match::Conntrack(conntrack) => all.push(self.conntrack(conntrack)?),
            rules::Match::Cpu(_) => {
                return Err(Reason::NotEnforced("-m cpu, which asks for the processor in place of the packet,"));
            }
            rules::Match::Dccp(test) => all.push(self.packet(packet::dccp(test))?),
            rules::Match::Devgroup(test) => {
                for (side, test) in [(program::Side::In, test.src), (program::Side::Out, test.dst)] {
                    all.extend(test.map(|MarkTest { value, mask, invert }| Match::DeviceGroup {
                        side,
                        group: value,
                        mask,
                        not: invert,
                    }));
                }
            }
            rules::Match::Dscp(test) => all.push(tos(test.dscp << 2, 0xfc, test.invert)),
            rules::Match::Dst(test) => all.push(self.packet(packet::options(test, true))?),
            rules::Match::Ecn(test) => {
                if test.ece.is_some() || test.cwr.is_some() {
                    all.push(Match::TcpEcn { ece: test.ece, cwr: test.cwr });
                }
                all.extend(test.ect.map(|test| tos(test.ect, 0x03, test.invert)));
            }
            rules::Match::Esp(test) => all.push(self.packet(PacketTest::Esp(packet::spi(*test)))?),
            rules::Match::Eui64 => all.push(self.packet(PacketTest::Eui64)?),
            rules::Match::Frag(test) => all.push(self.packet(packet::fragment(test))?),
            rules::Match::Hashlimit(test) => all.push(self.named(named::hashlimit::<F>(test)?)?),
            rules::Match::Hbh(test) => all.push(self.packet(packet::options(test, false))?),
            rules::Match::Helper(test) => {
                let named = Helper::ALL.into_iter().filter(|helper| test.names(helper.name()));
                all.push(Match::Helper { set: named.fold(0, |set, helper| set | helper.bit()), not: test.invert });
            }
            rules::Match::Hl(test) | rules::Match::Ttl(test) => all.push(Match::Field(ttl(*test))),
            rules::Match::Icmp(icmp) => all.push(Match::L4(self.icmp(icmp)?)),
            rules::Match::Icmp6(icmp) => all.push(Match::L4(self.icmp6(icmp)?)),
            rules::Match::Ipcomp(test) => all.push(self.packet(PacketTest::Ipcomp(packet::spi(test.spi)))?),
            rules::Match::Iprange(test) => all.push(self.iprange(test)?),
            rules::Match::Ipv6header(test) => all.push(self.packet(packet::headers(test))?),
            rules::Match::Ipvs(_) => return Err(Reason::NotEnforced("-m ipvs, which asks for a virtual server of the kernel,")),
            rules::Match::Length(test) => {
                all.push(Match::Field(FieldTest::Length { first: test.min, last: test.max, not: test.invert }));
            }
            rules::Match::Limit(limit) => all.push(self.limit(limit)?),
            rules::Match::Mac(test) => all.push(Match::Mac { source: test.source, not: test.invert }),
            rules::Match::Mark(mark) => all.push(Match::Mark { value: mark.value, mask: mark.mask, not: mark.invert }),
            rules::Match::Mh(test) => all.push(self.packet(packet::mobility(test))?),
            rules::Match::Multiport(multiport) => all.push(Match::L4(self.multiport(multiport)?)),
            rules::Match::Nfacct(_) => return Err(Reason::NotEnforced("-m nfacct, which counts in an object of the kernel,")),
            rules::Match::Osf(_) => return Err(Reason::NotEnforced("-m osf, whose fingerprints are kept in the kernel,")),
            rules::Match::Owner(_) => return Err(Reason::NotEnforced("-m owner, which asks for the local socket of a packet,")),
            rules::Match::Physdev(_) => return Err(Reason::NotEnforced("-m physdev, which asks for the port of a bridge,")),
            rules::Match::Pkttype(test) => {
                let to = match test.to {
                    LinkDestination::Unicast => program::LinkDestination::Host,
                    LinkDestination::Broadcast => program::LinkDestination::Broadcast,
                    LinkDestination::Multicast => program::LinkDestination::Multicast,
                    LinkDestination::OtherHost => program::LinkDestination::OtherHost,
                };
                all.push(Match::Pkttype { to, not: test.invert });
            }
            rules::Match::Policy(_) => return Err(Reason::NotEnforced("-m policy, which asks for IPsec of the kernel,")),
            rules::Match::Quota(test) => {
                all.push(Match::Quota { state: self.state(StateInit::Quota(test.bytes))?, not: test.invert });
            }
            rules::Match::Rateest(_) => return Err(Reason::NotEnforced("-m rateest")),
            rules::Match::Realm(_) => {
                return Err(Reason::NotEnforced("-m realm, which asks for what the kernel has written at a route,"));
            }
            rules::Match::Recent(test) => all.push(self.named(named::recent(test))?),
            rules::Match::Rpfilter(test) => all.push(Match::Rpfilter {
                loose: test.loose,
                valid_mark: test.valid_mark,
                accept_local: test.accept_local,
                not: test.invert,
            }),
            rules::Match::Rt(test) => all.push(self.packet(packet::routing(test))?),
            rules::Match::Sctp(test) => all.push(self.packet(packet::sctp(test))?),
            rules::Match::Selinux(selinux) => {
                all.push(Match::Label { label: self.label(&selinux.context)?, not: selinux.invert });
            }
            rules::Match::Set(test) => all.push(self.set(test)?),
            rules::Match::Socket(_) => return Err(Reason::NotEnforced("-m socket, which asks for a local socket,")),
            rules::Match::Srh(test) => all.push(self.packet(PacketTest::Segments(packet::segments(test)))?),
            rules::Match::State(state) => all.push(Match::State { mask: states(&state.states), not: state.invert }),
            rules::Match::Statistic(statistic) => all.push(self.statistic(statistic)?),
            rules::Match::String(test) => all.push(self.string(test)?),
            rules::Match::Tcp(tcp) => {
                all.push(Match::L4(tcp_header(tcp)));
                if let Some(option) = tcp.option {
                    all.push(Match::TcpOption { kind: option.kind, not: option.invert });
                }
            }
            rules::Match::Tcpmss(test) => {
                all.push(self.packet(PacketTest::Mss(Span { first: test.min, last: test.max, not: test.invert }))?);
            }
            rules::Match::Time(test) => all.push(self.time(test)?),
            rules::Match::Tos(test) => all.push(tos(test.value, test.mask, test.invert)),
            rules::Match::U32(test) => all.push(self.words(test)?),
            rules::Match::Udp(udp) => all.push(Match::L4(udp_header(udp))),
        }
        Ok(())
    }

    fn connbytes(&mut self, test: &Connbytes) -> Result<Match, Reason> {
        let what = match test.mode {
            connbytes::Mode::Packets => Counted::Packets,
            connbytes::Mode::Bytes => Counted::Bytes,
            connbytes::Mode::Average => Counted::Average,
        };
        let original = match test.direction {
            connbytes::Direction::Original => Some(true),
            connbytes::Direction::Reply => Some(false),
            connbytes::Direction::Both => None,
        };
        let test = ConnbytesTest { from: test.from, to: test.to, what, original };
        append(&mut self.table.connbytes_tests, &[test], "connbytes tests").map(|run| Match::Connbytes(run.first))
    }

    fn connlimit(&mut self, test: &Connlimit) -> Result<Match, Reason> {
        if self.table.kind == TableKind::Raw {
            return Err(Reason::NotEnforced("-m connlimit in the raw table, where packets have no connection yet,"));
        }
        let mask = F::Addr::prefix_mask(test.prefix);
        let test = ConnlimitTest { limit: test.limit, mask, destination: test.destination, above: test.above };
        let state = self.state(StateInit::Connlimit)?;
        let test = append(&mut self.table.connlimit_tests, &[test], "connlimit tests")?.first;
        Ok(Match::Connlimit { state, test })
    }

    fn set(&mut self, test: &SetTest) -> Result<Match, Reason> {
        let counter = |test: set::CounterTest| match test {
            set::CounterTest::Equal(number) => CounterTest::Equal(number),
            set::CounterTest::NotEqual(number) => CounterTest::NotEqual(number),
            set::CounterTest::Less(number) => CounterTest::Less(number),
            set::CounterTest::Greater(number) => CounterTest::Greater(number),
        };
        let sides = &test.set.is_source;
        let test = program::SetTest {
            name: test.set.name.to_string(),
            sources: sides.iter().enumerate().fold(0, |bits, (at, source)| bits | u8::from(*source) << at),
            // The language knows of six.
            dimensions: sides.len() as u8,
            not: test.invert,
            exceptions: test.return_nomatch,
            keep_counters: test.keep_counters,
            keep_sub_counters: test.keep_sub_counters,
            packets: test.packets.map(counter),
            bytes: test.bytes.map(counter),
        };
        append(&mut self.table.set_tests, &[test], "tests of sets").map(|run| Match::Set(run.first))
    }

    fn packet(&mut self, test: PacketTest) -> Result<Match, Reason> {
        append(&mut self.table.packet_tests, &[test], "packet tests").map(|run| Match::Packet(run.first))
    }

    fn iprange(&mut self, test: &Iprange) -> Result<Match, Reason> {
        let range = |part: Option<AddressRange>| part.map(|it| Ok((addr::<F>(it.min)?, addr::<F>(it.max)?, it.invert))).transpose();
        let test = AddressTest { src: range(test.src)?, dst: range(test.dst)? };
        append(&mut self.table.address_tests, &[test], "address tests").map(|run| Match::Address(run.first))
    }

    fn icmp(&self, icmp: &Icmp) -> Result<L4Test, Reason> {
        if F::ID != FamilyId::Ipv4 {
            return Err(Reason::OtherFamily("-m icmp"));
        }
        let (kind, code_first, code_last) = match icmp.kind {
            Some(kind) => (kind, icmp.code_min, icmp.code_max),
            None => (u8::MAX, 0, u8::MAX),
        };
        Ok(L4Test::Icmp { kind, code_first, code_last, not: icmp.invert })
    }

    fn icmp6(&self, icmp: &Icmp6) -> Result<L4Test, Reason> {
        if F::ID != FamilyId::Ipv6 {
            return Err(Reason::OtherFamily("-m icmp6"));
        }
        Ok(L4Test::Icmp { kind: icmp.kind, code_first: icmp.code_min, code_last: icmp.code_max, not: icmp.invert })
    }

    fn multiport(&mut self, multiport: &Multiport) -> Result<L4Test, Reason> {
        let sides = match multiport.side {
            Side::Source => PortSides::Source,
            Side::Destination => PortSides::Destination,
            Side::Either => PortSides::Either,
        };
        let list: Vec<_> = multiport.ports.iter().map(|span| PortRange { first: span.min, last: span.max }).collect();
        let ranges = append(&mut self.table.port_ranges, &list, "ports")?;
        Ok(L4Test::Multiport { sides, ranges, not: multiport.invert })
    }

    fn limit(&mut self, limit: &Limit) -> Result<Match, Reason> {
        let spec = LimitSpec::new(limit.average, limit.burst)
            .ok_or(Reason::Value("the limit's burst is 0, or so long at this rate that it cannot be counted"))?;
        let state = self.state(StateInit::Limit(spec.cap))?;
        Ok(Match::Limit { state, spec })
    }

    /// `every` is kept less one and the position starts at `every - packet`, so that it first wraps on packet number `packet`.
    fn statistic(&mut self, statistic: &Statistic) -> Result<Match, Reason> {
        let not = statistic.invert;
        match statistic.mode {
            Mode::Random { probability } => Ok(Match::Random { threshold: probability, not }),
            Mode::Nth { every, packet } => {
                let last = every.checked_sub(1).ok_or(Reason::Value("one of zero packets"))?;
                let start = last.checked_sub(packet).ok_or(Reason::Value("the first packet of nth lies outside its round"))?;
                let state = self.state(StateInit::Nth(start))?;
                Ok(Match::Nth { state, every: last, not })
            }
        }
    }

    fn conntrack(&mut self, conntrack: &Conntrack) -> Result<Match, Reason> {
        let tuple = conntrack.tuple();
        let state = conntrack.state.map(|test| (states(&test.states), test.invert));
        let network =
            |part: Option<AddrMatch>| part.map(|test| Ok((addr::<F>(test.addr)?, addr::<F>(test.mask)?, test.invert))).transpose();
        let ports = |part: Option<PortTest>| part.map(|test| (test.min, test.max, test.invert));
        let test = ConntrackTest {
            state,
            protocol: conntrack.proto.map(|test| (test.number, test.invert)),
            orig_src: network(tuple.orig_src)?,
            orig_dst: network(tuple.orig_dst)?,
            repl_src: network(tuple.repl_src)?,
            repl_dst: network(tuple.repl_dst)?,
            orig_src_port: ports(tuple.orig_src_port),
            orig_dst_port: ports(tuple.orig_dst_port),
            repl_src_port: ports(tuple.repl_src_port),
            repl_dst_port: ports(tuple.repl_dst_port),
            status: conntrack.status.map(|test| (status(&test), test.invert)),
            expire: conntrack.expire.map(|test| (test.min, test.max, test.invert)),
            original: conntrack.direction.map(|direction| direction == Direction::Original),
        };
        match state {
            Some((mask, not)) if test == (ConntrackTest { state, ..ConntrackTest::default() }) => Ok(Match::State { mask, not }),
            _ => append(&mut self.table.conntrack_tests, &[test], "conntrack tests").map(|run| Match::Conntrack(run.first)),
        }
    }
}

fn ports(test: PortTest) -> (PortRange, bool) {
    (PortRange { first: test.min, last: test.max }, test.invert)
}

fn addrtype(test: &Addrtype) -> Match {
    let types = |test: Option<addrtype::TypeTest>| {
        test.map_or(TypeTest::default(), |test| TypeTest { types: test.types, not: test.invert })
    };
    let limit = test.limit.map(|side| match side {
        addrtype::Side::In => program::Side::In,
        addrtype::Side::Out => program::Side::Out,
    });
    Match::Addrtype { src: types(test.src), dst: types(test.dst), limit }
}

fn tos(value: u8, mask: u8, not: bool) -> Match {
    Match::Field(FieldTest::Tos { value, mask, not })
}

/// A comparison as a range; one that cannot hold begins above its end.
fn ttl(test: TtlTest) -> FieldTest {
    let TtlTest { is, value } = test;
    let (first, last) = match is {
        Comparison::Equal | Comparison::NotEqual => (value, value),
        Comparison::Less => value.checked_sub(1).map_or((1, 0), |last| (0, last)),
        Comparison::Greater => value.checked_add(1).map_or((1, 0), |first| (first, u8::MAX)),
    };
    FieldTest::Ttl { first, last, not: is == Comparison::NotEqual }
}

fn tcp_header(tcp: &Tcp) -> L4Test {
    let (sport, not_sport) = ports(tcp.sport);
    let (dport, not_dport) = ports(tcp.dport);
    let (mask, set, not_flags) = tcp.flags.map_or((0, 0, false), |flags| (flags.mask, flags.comp, flags.invert));
    L4Test::Tcp { sport, not_sport, dport, not_dport, mask, set, not_flags }
}

fn udp_header(udp: &Udp) -> L4Test {
    let (sport, not_sport) = ports(udp.sport);
    let (dport, not_dport) = ports(udp.dport);
    L4Test::Udp { sport, not_sport, dport, not_dport }
}

fn states(set: &StateSet) -> u16 {
    let StateSet { invalid, new, related, established, untracked, snat, dnat } = *set;
    let bits = [
        (invalid, ctstate::INVALID),
        (new, ctstate::NEW),
        (related, ctstate::RELATED),
        (established, ctstate::ESTABLISHED),
        (untracked, ctstate::UNTRACKED),
        (snat, ctstate::SNAT),
        (dnat, ctstate::DNAT),
    ];
    bits.iter().filter(|(wanted, _)| *wanted).fold(0, |mask, (_, bit)| mask | bit)
}

fn status(test: &StatusTest) -> u32 {
    let StatusTest { expected, seen_reply, assured, confirmed, invert: _ } = *test;
    let bits = [
        (expected, ctstatus::EXPECTED),
        (seen_reply, ctstatus::SEEN_REPLY),
        (assured, ctstatus::ASSURED),
        (confirmed, ctstatus::CONFIRMED),
    ];
    bits.iter().filter(|(wanted, _)| *wanted).fold(0, |mask, (_, bit)| mask | bit)
}
