//! Targets, one arm each. A new target does not build until it has its arm.

use packet::family::Addr;
use packet::{Family, FamilyId, npt};
use program::{
    ByteSet, CtAction, Directions, EventSet, Helper, InterfacePattern, LogSpec, MarkOp, Nat, NatKind, RejectWith, SetChange,
    SetSides, Shift, Synproxy, Target, Tee, TimeoutName, TimeoutPlace, Transfer,
};
use rules::ChainName;
use rules::sets::SetFields;
use rules::targets::{
    ConnmarkAction, Connsecmark, Ct, CtEvents, Log, NatRange, Netmap, Reject, Tcpmss, Ttl, ZoneDirection, ZoneId,
};

use super::{Lowering, addr, append};
use crate::error::Reason;

/// The longest time of an element in seconds (`IPSET_MAX_TIMEOUT`); the kernel takes a longer one of a rule for this.
const LONGEST_TIMEOUT: u32 = u32::MAX / 2 / 1000;

/// A set, and what of a packet is an element of it.
fn sides(set: &SetFields) -> SetSides {
    SetSides {
        name: set.name.to_string(),
        sources: set.is_source.iter().enumerate().fold(0, |bits, (at, source)| bits | u8::from(*source) << at),
        // The language knows of six.
        dimensions: set.is_source.len() as u8,
    }
}

impl<F: Family> Lowering<'_, F> {
    /// `protocol` is the rule's.
    pub(super) fn target(&mut self, target: &rules::Target, protocol: Option<u8>) -> Result<Target, Reason> {
        Ok(match target {
            rules::Target::None => Target::Continue,
            rules::Target::Accept => Target::Accept,
            rules::Target::Drop => Target::Drop,
            rules::Target::Return => Target::Return,
            rules::Target::Jump(name) => Target::Jump(self.chain(name)?),
            rules::Target::Goto(name) => Target::Goto(self.chain(name)?),
            rules::Target::Connmark(action) => connmark(action),
            rules::Target::Connsecmark(Connsecmark::Save) => Target::ConnsecmarkSave,
            rules::Target::Connsecmark(Connsecmark::Restore) => Target::ConnsecmarkRestore,
            rules::Target::Ct(ct) => self.attach(ct, protocol)?,
            rules::Target::Dnat(range) => self.nat(NatKind::Destination, range)?,
            rules::Target::Log(log) => self.log(log)?,
            rules::Target::Mark(mark) => Target::Mark(MarkOp { value: mark.value, mask: mark.mask }),
            rules::Target::Masquerade(range) => self.nat(NatKind::Masquerade, range)?,
            rules::Target::Netmap(netmap) => self.netmap(netmap)?,
            rules::Target::Notrack => Target::Notrack,
            rules::Target::Redirect(range) => self.nat(NatKind::Redirect, range)?,
            rules::Target::Reject(reject) => Target::Reject(answer::<F>(reject)?),
            rules::Target::Secmark(secmark) => Target::Secmark(self.label(&secmark.context)?),
            rules::Target::Snat(range) => self.nat(NatKind::Source, range)?,
            rules::Target::Synproxy(proxy) => Target::Synproxy(Synproxy {
                sack_permitted: proxy.sack_perm,
                timestamps: proxy.timestamp,
                ecn: proxy.ecn,
                window_scale: proxy.wscale,
                mss: proxy.mss,
            }),
            rules::Target::Dscp(dscp) => Target::Tos { value: dscp.value << 2, mask: 0xfc },
            rules::Target::Ecn(ecn) if ecn.ece.is_none() && ecn.cwr.is_none() => {
                Target::Tos { value: ecn.ect.unwrap_or(0), mask: if ecn.ect.is_some() { 0x03 } else { 0 } }
            }
            rules::Target::Ecn(ecn) => Target::TcpEcn { ect: ecn.ect, ece: ecn.ece, cwr: ecn.cwr },
            rules::Target::Tcpmss(Tcpmss::Set(mss)) => Target::Tcpmss(Some(*mss)),
            rules::Target::Tcpmss(Tcpmss::Clamp) => Target::Tcpmss(None),
            rules::Target::Tcpoptstrip(strip) => {
                let kinds = ByteSet::of(strip.kinds.iter().copied());
                append(&mut self.table.option_sets, &[kinds], "sets of options").map(|run| Target::Tcpoptstrip(run.first))?
            }
            rules::Target::Tos(tos) => Target::Tos { value: tos.value, mask: tos.mask },
            rules::Target::Ttl(_) if F::ID != FamilyId::Ipv4 => return Err(Reason::OtherFamily("-j TTL")),
            rules::Target::Hl(_) if F::ID != FamilyId::Ipv6 => return Err(Reason::OtherFamily("-j HL")),
            rules::Target::Ttl(change) | rules::Target::Hl(change) => match *change {
                Ttl::Set(ttl) => Target::TtlSet(ttl),
                Ttl::Increase(by) => Target::TtlInc(by),
                Ttl::Decrease(by) => Target::TtlDec(by),
            },
            rules::Target::Audit(_) => return Err(Reason::NotEnforced("-j AUDIT, which tells the audit daemon of a host,")),
            rules::Target::Checksum => {
                return Err(Reason::NotEnforced("-j CHECKSUM, which fills in what every packet leaves with anyway,"));
            }
            rules::Target::Classify(_) => {
                return Err(Reason::NotEnforced("-j CLASSIFY, which names a class of the kernel's own queues,"));
            }
            rules::Target::Clusterip(_) => {
                return Err(Reason::NotEnforced("-j CLUSTERIP, which Linux has given up,"));
            }
            rules::Target::Dnpt(npt) => self.prefixes(npt::Side::Dst, npt)?,
            rules::Target::Hmark(hmark) => self.hash_mark(hmark)?,
            rules::Target::Idletimer(_) => {
                return Err(Reason::NotEnforced("-j IDLETIMER, which starts a timer of the kernel,"));
            }
            rules::Target::Led(_) => return Err(Reason::NotEnforced("-j LED, which switches lights of the machine,")),
            rules::Target::Nflog(_) => return Err(Reason::NotEnforced("-j NFLOG")),
            rules::Target::Nfqueue(_) => return Err(Reason::NotEnforced("-j NFQUEUE")),
            rules::Target::Queue => return Err(Reason::NotEnforced("-j QUEUE")),
            rules::Target::Rateest(_) => return Err(Reason::NotEnforced("-j RATEEST")),
            rules::Target::Set(set) => self.change_sets(set)?,
            rules::Target::Snpt(npt) => self.prefixes(npt::Side::Src, npt)?,
            rules::Target::Tee(tee) => self.copy(tee)?,
            rules::Target::Tproxy(_) => return Err(Reason::NotEnforced("-j TPROXY")),
            rules::Target::Trace => Target::Trace,
            rules::Target::Ulog(_) => return Err(Reason::NotEnforced("-j ULOG, which Linux has given up for NFLOG,")),
        })
    }

    /// `-j SET`.
    fn change_sets(&mut self, set: &rules::targets::Set) -> Result<Target, Reason> {
        let rules::targets::Set { add, exist, timeout, del, map, map_mark: _, map_prio: _, map_queue: _ } = set;
        if map.is_some() {
            return Err(Reason::NotEnforced("-j SET --map-set, which gives packets what a set has beside an element,"));
        }
        let seconds = timeout.map(|seconds| seconds.min(LONGEST_TIMEOUT));
        let change = SetChange { add: add.as_ref().map(sides), renews: *exist, seconds, del: del.as_ref().map(sides) };
        append(&mut self.table.set_changes, &[change], "changes of sets").map(|run| Target::Set(run.first))
    }

    /// `-j TEE`.
    fn copy(&mut self, tee: &rules::targets::Tee) -> Result<Target, Reason> {
        let rules::targets::Tee { gateway, out_interface } = tee;
        let name = InterfacePattern { name: out_interface.to_string(), prefix: false };
        let by = if out_interface.is_empty() { None } else { Some(self.pattern(name)?) };
        let tee = Tee { gateway: addr::<F>(*gateway)?, by };
        append(&mut self.table.tees, &[tee], "TEE rules").map(|run| Target::Tee(run.first))
    }

    fn chain(&self, name: &ChainName) -> Result<program::ChainId, Reason> {
        (self.chains)(name).ok_or_else(|| Reason::NoChain(name.clone()))
    }

    fn log(&mut self, log: &Log) -> Result<Target, Reason> {
        let Log { level, prefix, tcp_sequence, tcp_options, ip_options, uid, mac_decode } = log;
        let spec = LogSpec {
            prefix: prefix.to_string(),
            level: *level,
            tcp_sequence: *tcp_sequence,
            tcp_options: *tcp_options,
            ip_options: *ip_options,
            uid: *uid,
            mac_decode: *mac_decode,
        };
        append(&mut self.table.logs, &[spec], "LOG rules").map(|run| Target::Log(run.first))
    }

    fn nat(&mut self, kind: NatKind, range: &NatRange) -> Result<Target, Reason> {
        let NatRange { addrs, ports, base_port, random, random_fully, persistent, full_cone } = *range;
        let addresses = addrs.map(|(first, last)| Ok((addr::<F>(first)?, addr::<F>(last)?))).transpose()?;
        let nat = Nat { kind, addresses, ports, base_port, random, random_fully, persistent, full_cone };
        self.append_nat(nat)
    }

    /// `CT --notrack` leaves nothing that a zone could part: the kernel ignores all else then.
    fn attach(&mut self, ct: &Ct, protocol: Option<u8>) -> Result<Target, Reason> {
        if ct.notrack {
            return Ok(Target::Notrack);
        }
        let helper = match ct.helper.as_deref() {
            None => None,
            Some(name) => {
                Some(Helper::named(name).ok_or(Reason::NotEnforced("CT --helper with another helper than ftp, sip and tftp"))?)
            }
        };
        let timeout = ct.timeout.as_deref().map(|name| self.timeout(name, protocol.unwrap_or(0))).transpose()?;
        let action = CtAction { helper, timeout, muted: muted(ct), ..CtAction::default() };
        let Some(zone) = ct.zone else { return Ok(Target::Ct(action)) };
        let directions = match zone.direction {
            ZoneDirection::Both => Directions::Both,
            ZoneDirection::Original => Directions::Original,
            ZoneDirection::Reply => Directions::Reply,
        };
        match zone.id {
            ZoneId::Number(zone) => Ok(Target::Ct(CtAction { zone, directions, ..action })),
            ZoneId::FromMark => Ok(Target::CtMarked(CtAction { directions, ..action })),
        }
    }

    /// The place of a timeout policy's name; rules that name the same share it.
    fn timeout(&mut self, name: &str, protocol: u8) -> Result<TimeoutPlace, Reason> {
        let timeouts = &mut self.table.timeouts;
        let at = timeouts.iter().position(|timeout| timeout.name == name && timeout.protocol == protocol).unwrap_or_else(|| {
            timeouts.push(TimeoutName { name: name.to_owned(), protocol });
            timeouts.len() - 1
        });
        TimeoutPlace::of(at).ok_or(Reason::TooMany("timeout policies"))
    }

    fn netmap(&mut self, netmap: &Netmap) -> Result<Target, Reason> {
        let network = addr::<F>(netmap.network)?;
        let last = network | !F::Addr::prefix_mask(netmap.prefix_len);
        self.append_nat(Nat::to(NatKind::Map, Some((network, last))))
    }

    fn append_nat(&mut self, nat: Nat<F>) -> Result<Target, Reason> {
        append(&mut self.table.nats, &[nat], "nat rules").map(|run| Target::Nat(run.first))
    }
}

fn connmark(action: &ConnmarkAction) -> Target {
    match *action {
        ConnmarkAction::Set { value, mask, shift } => match shift.0 {
            0 => Target::SetConnmark(MarkOp { value, mask }),
            bits => Target::SetConnmarkShifted(MarkOp { value, mask }, Shift(bits)),
        },
        ConnmarkAction::Save { nf_mask, ct_mask, shift } => moved(Transfer::Save { ctmask: ct_mask, nfmask: nf_mask }, shift.0),
        ConnmarkAction::Restore { nf_mask, ct_mask, shift } => {
            moved(Transfer::Restore { ctmask: ct_mask, nfmask: nf_mask }, shift.0)
        }
    }
}

fn moved(transfer: Transfer, bits: i8) -> Target {
    if bits == 0 { Target::Connmark(transfer) } else { Target::ConnmarkShifted(transfer, Shift(bits)) }
}

fn answer<F: Family>(reject: &Reject) -> Result<RejectWith, Reason> {
    use rules::targets::RejectWith as With;
    let (family, code) = match reject.with {
        With::TcpReset => return Ok(RejectWith::TcpReset),
        With::IcmpNetUnreachable => (FamilyId::Ipv4, 0),
        With::IcmpHostUnreachable => (FamilyId::Ipv4, 1),
        With::IcmpProtoUnreachable => (FamilyId::Ipv4, 2),
        With::IcmpPortUnreachable => (FamilyId::Ipv4, 3),
        With::IcmpNetProhibited => (FamilyId::Ipv4, 9),
        With::IcmpHostProhibited => (FamilyId::Ipv4, 10),
        With::IcmpAdminProhibited => (FamilyId::Ipv4, 13),
        With::Icmp6NoRoute => (FamilyId::Ipv6, 0),
        With::Icmp6AdmProhibited => (FamilyId::Ipv6, 1),
        With::Icmp6AddrUnreachable => (FamilyId::Ipv6, 3),
        With::Icmp6PortUnreachable => (FamilyId::Ipv6, 4),
        With::Icmp6PolicyFail => (FamilyId::Ipv6, 5),
        With::Icmp6RejectRoute => (FamilyId::Ipv6, 6),
    };
    if family == F::ID { Ok(RejectWith::Unreachable(code)) } else { Err(Reason::OtherFamily("--reject-with")) }
}

/// Who names some events leaves out all others, those of the kind that it does not name included.
fn muted(ct: &Ct) -> EventSet {
    if ct.ctevents.is_none() && !ct.expevents {
        return EventSet::default();
    }
    let expected = if ct.expevents { EventSet::EXPECT_NEW } else { EventSet::default() };
    EventSet::ALL.without(EventSet(ct.ctevents.map_or(0, CtEvents::bits)).with(expected))
}
