//! Which connections a command is about.
use std::net::IpAddr;

use proto::flow::{Flow, L4};
use proto::private::Family;

use super::labels::LabelSet;

/// The kernel's status bits that decide something here.
pub(super) const SEEN_REPLY: u32 = 1 << 1;
const SRC_NAT_DONE: u32 = 1 << 7;
const DST_NAT_DONE: u32 = 1 << 8;

/// Everything that was asked of a connection; what is absent holds for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) family: Option<Family>,
    pub(super) orig_src: Option<IpAddr>,
    pub(super) orig_dst: Option<IpAddr>,
    pub(super) reply_src: Option<IpAddr>,
    pub(super) reply_dst: Option<IpAddr>,
    /// Masks of the two original addresses.
    pub(super) mask_src: Option<IpAddr>,
    pub(super) mask_dst: Option<IpAddr>,
    pub(super) protocol: Option<u8>,
    pub(super) ports: Ports,
    pub(super) icmp: Icmp,
    pub(super) state: Option<&'static str>,
    pub(super) mark: Option<(u32, u32)>,
    /// All of these bits.
    pub(super) status: Option<u32>,
    pub(super) zone: Option<u16>,
    pub(super) orig_zone: Option<u16>,
    pub(super) reply_zone: Option<u16>,
    pub(super) src_nat: Option<Nat>,
    pub(super) dst_nat: Option<Nat>,
    pub(super) any_nat: Option<Nat>,
    pub(super) id: Option<u32>,
    /// All of these.
    pub(super) labels: Option<LabelSet>,
}

/// Ports of both directions; GRE's keys are asked for likewise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) orig_src: Option<u16>,
    pub(super) orig_dst: Option<u16>,
    pub(super) reply_src: Option<u16>,
    pub(super) reply_dst: Option<u16>,
}

/// Fields of an ICMP query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Icmp {
    pub(super) kind: Option<u8>,
    pub(super) code: Option<u8>,
    pub(super) id: Option<u16>,
}

/// A translated end: any, or this address, or this address and port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Nat {
    pub(super) address: Option<IpAddr>,
    pub(super) port: Option<u16>,
}

impl Filter {
    /// Is it one of those?
    pub(super) fn takes(&self, flow: &Flow) -> bool {
        self.takes_labelled(flow, flow.labels)
    }

    /// Is it one of those, if these are its labels?
    pub(super) fn takes_labelled(&self, flow: &Flow, labels: u128) -> bool {
        self.takes_whatever_labels(flow) && self.labels.is_none_or(|wanted| wanted.is_among(labels))
    }

    /// Is it one of those but for its labels?
    pub(super) fn takes_whatever_labels(&self, flow: &Flow) -> bool {
        self.takes_addresses(flow)
            && is(self.protocol, flow.protocol)
            && self.ports.take(flow)
            && self.icmp.take(flow.original.l4)
            && self.state.is_none_or(|state| flow.state == state)
            && self.mark.is_none_or(|(value, mask)| flow.mark & mask == value)
            && self.status.is_none_or(|bits| flow.status & bits == bits)
            && self.takes_zone(flow)
            && self.src_nat.is_none_or(|nat| nat.takes_source(flow))
            && self.dst_nat.is_none_or(|nat| nat.takes_destination(flow))
            && self.any_nat.is_none_or(|nat| nat.takes_source(flow) || nat.takes_destination(flow))
            && is(self.id, flow.id)
    }

    /// Is it the one whose original tuple this is?
    pub(super) fn names(&self, flow: &Flow) -> bool {
        let (src, dst) = ports(flow.original.l4);
        is(self.orig_src, flow.original.src)
            && is(self.orig_dst, flow.original.dst)
            && is(self.protocol, flow.protocol)
            && is(self.ports.orig_src, src)
            && is(self.ports.orig_dst, dst)
            && self.icmp.take(flow.original.l4)
            && self.takes_zone(flow)
    }

    fn takes_addresses(&self, flow: &Flow) -> bool {
        let masked = |wanted: Option<IpAddr>, mask: Option<IpAddr>, found: IpAddr| match (wanted, mask) {
            (Some(wanted), Some(mask)) => bits(wanted) & bits(mask) == bits(found) & bits(mask),
            (wanted, _) => is(wanted, found),
        };
        let family = if flow.original.src.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        is(self.family, family)
            && masked(self.orig_src, self.mask_src, flow.original.src)
            && masked(self.orig_dst, self.mask_dst, flow.original.dst)
            && is(self.reply_src, flow.reply.src)
            && is(self.reply_dst, flow.reply.dst)
    }

    /// A zone of one direction is not `--zone`, and one of both is neither `--orig-zone` nor `--reply-zone`: seen so.
    fn takes_zone(&self, flow: &Flow) -> bool {
        let zone = flow.zone;
        let of = |holds: bool| if holds { zone.id } else { 0 };
        let both = zone.original && zone.reply;
        self.zone.is_none_or(|wanted| wanted == of(both))
            && self.orig_zone.is_none_or(|wanted| wanted == of(zone.original && !both))
            && self.reply_zone.is_none_or(|wanted| wanted == of(zone.reply && !both))
    }
}

impl Ports {
    fn take(&self, flow: &Flow) -> bool {
        if *self == Ports::default() {
            return true;
        }
        let (original, reply) = (ports(flow.original.l4), ports(flow.reply.l4));
        // Who has no ports has not port 0 either.
        let has = flow.original.l4 != L4::None;
        has && is(self.orig_src, original.0)
            && is(self.orig_dst, original.1)
            && is(self.reply_src, reply.0)
            && is(self.reply_dst, reply.1)
    }
}

impl Icmp {
    fn take(&self, l4: L4) -> bool {
        match l4 {
            L4::Icmp { kind, code, id } => is(self.kind, kind) && is(self.code, code) && is(self.id, id),
            _ => *self == Icmp::default(),
        }
    }
}

impl Nat {
    fn takes_source(&self, flow: &Flow) -> bool {
        let (now, was) = (flow.reply.dst, flow.original.src);
        let ports = (ports(flow.reply.l4).1, ports(flow.original.l4).0);
        flow.status & SRC_NAT_DONE != 0 && self.takes(now, was, ports)
    }

    fn takes_destination(&self, flow: &Flow) -> bool {
        let (now, was) = (flow.reply.src, flow.original.dst);
        let ports = (ports(flow.reply.l4).0, ports(flow.original.l4).1);
        flow.status & DST_NAT_DONE != 0 && self.takes(now, was, ports)
    }

    /// An end that was `was` and is `now`, with the ports in the same order reversed.
    fn takes(&self, now: IpAddr, was: IpAddr, (port, before): (u16, u16)) -> bool {
        match self.address {
            // A changed port is enough. ICMP's fields count as ports here, so that every query passes: seen so.
            None => now != was || port != before,
            // Who names a port means one that was changed: seen so.
            Some(address) => now != was && now == address && self.port.is_none_or(|wanted| wanted == port && port != before),
        }
    }
}

/// The two numbers that stand where ports stand: source, destination.
fn ports(l4: L4) -> (u16, u16) {
    match l4 {
        L4::Ports(src, dst) | L4::Keys(src, dst) => (src, dst),
        L4::Icmp { kind, code, id } => (id, u16::from_be_bytes([kind, code])),
        L4::None => (0, 0),
    }
}

fn is<T: PartialEq>(wanted: Option<T>, found: T) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}
