//! The first stage, over a whole burst: frames become packets, or go where frames go that are none.

use packet::ether::{self, Ethernet};
use packet::parse::{self, ParseError};
use packet::{Family, FamilyId, Header, Ipv4, Ipv6};
use program::InterfaceId;

use crate::buffer::{Buffer, RxChecksum};
use crate::burst::{Burst, Link, Origin, Row};
use crate::drop::DropReason;
use crate::outside::Outside;
use crate::snapshot::Snapshot;

/// What a frame turned out to be.
pub(crate) enum Frame<B> {
    /// A packet of this family, in its burst now.
    Taken(FamilyId),
    /// Not IP: it passes unjudged, to the other side of its port.
    NotIp(B),
    /// It ends here.
    Ended(DropReason),
}

/// From which side of a port a frame comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The wire.
    Wire,
    /// The TAP.
    Host,
}

/// Takes one frame apart. Packets are added to their family's burst, with their headers contiguous and what is behind their end cut off. Without
/// a burst for IPv6 none of its packets passes.
#[inline]
pub(crate) fn frame<O: Outside>(
    snap: &Snapshot,
    from: From,
    port: InterfaceId,
    buf: O::Buf,
    ipv4: &mut Burst<Ipv4, O::Buf>,
    ipv6: Option<&mut Burst<Ipv6, O::Buf>>,
    out: &mut O,
) -> Frame<O::Buf> {
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
        Ipv6::ETHERTYPE if ipv6.is_some() => {}
        Ipv6::ETHERTYPE => return Frame::Ended(DropReason::Ipv6NotEnforced),
        _ => return Frame::NotIp(buf),
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
    match ipv6 {
        Some(burst) if ethernet.ethertype == Ipv6::ETHERTYPE => take(buf, &ethernet, origin, port, burst),
        _ => take(buf, &ethernet, origin, port, ipv4),
    }
}

#[inline]
fn take<F: Family, B: Buffer>(
    mut buf: B,
    ethernet: &Ethernet,
    origin: Origin,
    port: InterfaceId,
    burst: &mut Burst<F, B>,
) -> Frame<B> {
    match read::<F, B>(&mut buf, usize::from(ethernet.header_len)) {
        Ok(header) => {
            let mut row = Row::new(header, origin, port);
            if origin == Origin::Host {
                (row.input, row.output) = (InterfaceId::NONE, port);
            }
            burst.push(buf, row);
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
    buf.truncate(l3 + header.len as usize);
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
