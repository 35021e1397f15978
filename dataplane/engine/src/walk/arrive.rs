//! The first stage, over a whole burst: frames become packets, or go where frames go that are none.

use packet::ether::{self, Ethernet};
use packet::parse::{self, ParseError};
use packet::{Family, FamilyId, Ipv4, Ipv6};
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

fn take<F: Family, B: Buffer>(
    mut buf: B,
    ethernet: &Ethernet,
    origin: Origin,
    port: InterfaceId,
    burst: &mut Burst<F, B>,
) -> Frame<B> {
    match take_ip::<F, B>(&mut buf, ethernet, origin, port) {
        Ok(row) => {
            burst.push(buf, &row);
            Frame::Taken(F::ID)
        }
        Err(reason) => Frame::Ended(reason),
    }
}

/// To whom the frame is; `None` for another station.
fn link(ethernet: &Ethernet, own: [u8; 6]) -> Option<Link> {
    if ethernet.dst == own {
        Some(Link::Host)
    } else if ether::is_multicast(ethernet.dst) {
        Some(Link::Group)
    } else {
        None
    }
}

fn take_ip<F: Family, B: Buffer>(
    buf: &mut B,
    ethernet: &Ethernet,
    origin: Origin,
    port: InterfaceId,
) -> Result<Row<F>, DropReason> {
    let l3 = usize::from(ethernet.header_len);
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
    let header = parse::ip::<F>(buf.head(), l3, packet_len).map_err(reason)?;
    buf.truncate(l3 + header.len as usize);
    let mut row = Row::new(header, origin, port);
    complete_checksum(buf, &row)?;
    if origin == Origin::Host {
        (row.input, row.output) = (InterfaceId::NONE, port);
    }
    Ok(row)
}

/// A stack on this machine may have left the transport checksum to a NIC that the packet never met; every change on the way needs a whole
/// one. UDP that has none stays so: what is left to a NIC is never 0, but drivers say the same of both.
fn complete_checksum<F: Family, B: Buffer>(buf: &mut B, row: &Row<F>) -> Result<(), DropReason> {
    if buf.l4_checksum() == RxChecksum::Partial
        && !packet::checksum::is_absent(&row.header, buf.head())
        && let Some(value) = packet::checksum::l4_compute(&row.header, buf.segments())
    {
        packet::set::l4_checksum(buf.head_mut(), &row.header, value).map_err(|_| DropReason::BufferLayout)?;
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
