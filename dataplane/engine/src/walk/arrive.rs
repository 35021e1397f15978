//! The first stage, over a whole burst: frames become packets, or go where frames go that are none.

use arrayvec::ArrayVec;
use packet::ether::{self, Ethernet};
use packet::parse::{self, ParseError};
use packet::{Family, FamilyId, Header, Ipv4, Ipv6};
use program::InterfaceId;

use super::retrace::is_plain;
use crate::buffer::{Buffer, RxChecksum};
use crate::burst::{Arrival, Burst, Link, Origin};
use crate::drop::DropReason;
use crate::outside::Outside;
use crate::snapshot::Snapshot;
use crate::worker::BURST;

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A packet of this family, in its burst now.
    Taken(FamilyId),
    /// Not IP: it passes unjudged, to the other side of its port.
    NotIp,
    /// It ends here.
    Ended(DropReason),
}

/// Frames that came one behind the other and turned out to be the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// What each of them is.
    pub(crate) frame: Frame,
    /// So many, at least one.
    pub(crate) count: u8,
}

/// From which side of a port a frame comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The wire.
    Wire,
    /// The TAP.
    Host,
}

/// Where frames that came together go.
pub(crate) struct Sorted<'b, B> {
    /// What they turned out to be, in their order.
    pub(crate) runs: &'b mut ArrayVec<Run, BURST>,
    /// Packets.
    pub(crate) ipv4: &'b mut Burst<Ipv4, B>,
    /// Without it no packet of IPv6 passes.
    pub(crate) ipv6: Option<&'b mut Burst<Ipv6, B>>,
    /// What is not IP, in its order.
    pub(crate) others: &'b mut ArrayVec<B, BURST>,
}

/// Takes frames that came in from one side of a port apart. Packets are added to their family's burst, with their headers contiguous and what is behind their
/// end cut off.
// A loop of its own, and what most frames are within it: the registers suffice.
#[inline(never)]
pub(crate) fn sort<O: Outside>(
    snap: &Snapshot,
    from: From,
    port: InterfaceId,
    frames: impl Iterator<Item = O::Buf>,
    into: &mut Sorted<'_, O::Buf>,
    out: &mut O,
) {
    let own = snap.host.interface(port).map(|interface| interface.mac);
    let usual = own.filter(|_| from == From::Wire && snap.program.root.generation != 0).map(|mac| station(&mac));
    let (begun, mut plain_ones) = (into.runs.len(), 0);
    for buf in frames {
        let taken = match usual {
            Some(own) => plain(buf, own, into.ipv4),
            None => Err(buf),
        };
        match taken {
            Ok(()) => plain_ones += 1,
            Err(buf) => {
                add(into.runs, begun, Run { frame: PLAIN, count: core::mem::take(&mut plain_ones) });
                let frame = frame(snap, from, port, buf, into, out);
                add(into.runs, begun, Run { frame, count: 1 });
            }
        }
    }
    add(into.runs, begun, Run { frame: PLAIN, count: plain_ones });
}

/// What [`plain`] takes.
const PLAIN: Frame = Frame::Taken(FamilyId::Ipv4);

/// Adds frames behind the runs, of which those from number `begun` on may still become longer.
fn add(runs: &mut ArrayVec<Run, BURST>, begun: usize, more: Run) {
    match runs[begun..].last_mut() {
        Some(last) if last.frame == more.frame => last.count += more.count,
        _ if more.count > 0 => runs.push(more),
        _ => {}
    }
}

/// Takes a frame that is as most are, else gives it back.
#[inline(always)]
fn plain<B: Buffer>(mut buf: B, own: u64, burst: &mut Burst<Ipv4, B>) -> Result<(), B> {
    let place = burst.next();
    let arrival = &mut *place.arrival;
    let header = &mut arrival.header;
    if !usual(&buf, own).is_some_and(|packet| parse::plain_into(packet, ether::HEADER_LEN as u16, header)) {
        return Err(buf);
    }
    cut(&mut buf, ether::HEADER_LEN + header.len as usize);
    arrival.origin = Origin::Wire(Link::Host);
    // All else that makes a packet so is known.
    arrival.is_plain = header.ttl > 1;
    place.fill(buf);
    Ok(())
}

/// A station's address as the upper bits of a number: what is left of a frame's first eight bytes, read as one, without the last two.
fn station(&[a, b, c, d, e, f]: &[u8; 6]) -> u64 {
    u64::from_le_bytes([0, 0, a, b, c, d, e, f])
}

/// The packet, if the frame holds nothing but a packet of IPv4 to this station, in one piece, its own, with a whole checksum.
#[inline(always)]
fn usual<B: Buffer>(buf: &B, own: u64) -> Option<&[u8]> {
    let head = buf.head();
    if head.len() < ether::HEADER_LEN + packet::ipv4::HEADER_LEN {
        return None;
    }
    let (ethernet, packet) = head.split_first_chunk::<{ ether::HEADER_LEN }>()?;
    let &[a, b, c, d, e, f, g, h, ..] = ethernet;
    let ours = u64::from_le_bytes([a, b, c, d, e, f, g, h]) << 16 == own && ethernet[12..] == Ipv4::ETHERTYPE.to_be_bytes();
    (ours && buf.is_usual()).then_some(packet)
}

/// Cuts off what is behind a packet's end: short frames are filled up on the wire.
#[inline(always)]
fn cut<B: Buffer>(buf: &mut B, end: usize) {
    if end < buf.len() {
        buf.truncate(end);
    }
}

/// Takes one frame apart, whatever it is.
#[inline(never)]
fn frame<O: Outside>(
    snap: &Snapshot,
    from: From,
    port: InterfaceId,
    buf: O::Buf,
    into: &mut Sorted<'_, O::Buf>,
    out: &mut O,
) -> Frame {
    let Some(interface) = snap.host.interface(port) else { return Frame::Ended(DropReason::UnknownInterface) };
    let mut buf = buf;
    if buf.head().len() < ether::HEADER_LEN + 4 {
        // A head this short is rare; the least frame is longer.
        let least = buf.len().min(ether::HEADER_LEN + 4);
        if !buf.pull_up(least) {
            return Frame::Ended(DropReason::BufferLayout);
        }
    }
    let Ok(ethernet) = parse::ethernet(buf.head()) else { return Frame::Ended(DropReason::EthernetTruncated) };
    if ethernet.vlan.is_some() {
        return Frame::Ended(DropReason::UnknownVlan);
    }
    match ethernet.ethertype {
        Ipv4::ETHERTYPE => {}
        Ipv6::ETHERTYPE if into.ipv6.is_some() => {}
        Ipv6::ETHERTYPE => return Frame::Ended(DropReason::Ipv6NotEnforced),
        _ => {
            into.others.push(buf);
            return Frame::NotIp;
        }
    }
    if snap.program.root.generation == 0 {
        return Frame::Ended(DropReason::NoProgram);
    }
    let origin = match from {
        From::Host => Origin::Host,
        From::Wire => match link(&ethernet, interface.mac) {
            Some(link) => Origin::Wire(link),
            None => return Frame::Ended(DropReason::OtherHost),
        },
    };
    if buf.is_shared() {
        match out.copy(&buf) {
            Some(copy) => buf = copy,
            None => return Frame::Ended(DropReason::NoBuffer),
        }
    }
    match &mut into.ipv6 {
        Some(burst) if ethernet.ethertype == Ipv6::ETHERTYPE => take(buf, &ethernet, origin, burst),
        _ => take(buf, &ethernet, origin, into.ipv4),
    }
}

#[inline]
fn take<F: Family, B: Buffer>(mut buf: B, ethernet: &Ethernet, origin: Origin, burst: &mut Burst<F, B>) -> Frame {
    match read::<F, B>(&mut buf, usize::from(ethernet.header_len)) {
        Ok(header) => {
            let is_plain = origin == Origin::Wire(Link::Host) && is_plain(&header);
            let place = burst.next();
            *place.arrival = Arrival { header, origin, is_plain };
            place.fill(buf);
            Frame::Taken(F::ID)
        }
        Err(reason) => Frame::Ended(reason),
    }
}

/// To whom the frame is; `None` for another station.
#[inline]
fn link(ethernet: &Ethernet, own: [u8; 6]) -> Option<Link> {
    if ethernet.dst == own {
        Some(Link::Host)
    } else if ether::is_multicast(ethernet.dst) {
        Some(Link::Group)
    } else {
        None
    }
}

/// The packet's fields. Its headers are contiguous then, its checksum is whole, and what was behind its end is cut off.
#[inline]
fn read<F: Family, B: Buffer>(buf: &mut B, l3: usize) -> Result<Header<F>, DropReason> {
    let head = buf.head();
    let plain = if head.len() == buf.len() { head.get(l3..).and_then(|packet| parse::plain(packet, l3 as u16)) } else { None };
    let header = match plain {
        Some(header) => header,
        None => read_any(buf, l3)?,
    };
    cut(buf, l3 + header.len as usize);
    if buf.l4_checksum() == RxChecksum::Partial {
        complete_checksum(buf, &header)?;
    }
    Ok(header)
}

fn read_any<F: Family, B: Buffer>(buf: &mut B, l3: usize) -> Result<Header<F>, DropReason> {
    let packet_len = buf.len() - l3;
    // The need grows as headers come into sight: the fixed header, its options, the transport header.
    for _ in 0..4 {
        let need = parse::need::<F>(buf.head(), l3, packet_len);
        if buf.head().len() >= need {
            break;
        }
        if !buf.pull_up(need) {
            return Err(DropReason::BufferLayout);
        }
    }
    parse::ip::<F>(buf.head(), l3, packet_len).map_err(reason)
}

/// A stack on this machine may have left the transport checksum to a NIC that the packet never met; every change on the way needs a whole
/// one. UDP that has none stays so: what is left to a NIC is never 0, but drivers say the same of both.
fn complete_checksum<F: Family, B: Buffer>(buf: &mut B, header: &Header<F>) -> Result<(), DropReason> {
    if !packet::checksum::is_absent(header, buf.head())
        && let Some(value) = packet::checksum::l4_compute(header, buf.segments())
    {
        packet::set::l4_checksum(buf.head_mut(), header, value).map_err(|_| DropReason::BufferLayout)?;
        buf.set_l4_checksum(RxChecksum::Good);
    }
    Ok(())
}

fn reason(error: ParseError) -> DropReason {
    match error {
        ParseError::FrameTooShort => DropReason::EthernetTruncated,
        ParseError::HeaderTruncated | ParseError::HopByHop => DropReason::IpTruncated,
        ParseError::Version => DropReason::IpVersion,
        ParseError::HeaderLength => DropReason::IpHeaderLength,
        ParseError::TotalLength => DropReason::IpTotalLength,
        ParseError::HeaderChecksum => DropReason::IpChecksum,
        ParseError::NotContiguous => DropReason::BufferLayout,
    }
}
