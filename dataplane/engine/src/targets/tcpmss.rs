//! `TCPMSS` (`xt_TCPMSS.c`).

use packet::options::tcp::{self, MSS_LEN};
use packet::{Family, FamilyId, Header, L4, set};

use super::Changed;
use crate::buffer::Buffer;
use crate::burst::Packet;
use crate::outside::Outside;
use crate::walk::Walk;

/// What a peer may send that announced nothing (RFC 9293 section 3.7.1, RFC 8200 section 8.3).
const fn unannounced<F: Family>() -> u16 {
    match F::ID {
        FamilyId::Ipv4 => 536,
        FamilyId::Ipv6 => 1220,
    }
}

/// Lowers the MSS that the packet announces to `most`. One that announces none and has no data gets an option, if its header has room for one.
pub(crate) fn apply<F: Family, B: Buffer>(buf: &mut B, header: &mut Header<F>, most: u16) -> Changed {
    let L4::Tcp { header_len, .. } = header.transport else { return Changed::Refused };
    if header.l4_fault().is_some() {
        return Changed::Refused;
    }
    let Some(options) = tcp::bytes(buf.head(), header) else { return Changed::OutOfReach };
    if let Some((_, mss)) = tcp::mss(options) {
        return if mss <= most { Changed::Done } else { set::mss(buf.head_mut(), header, most).into() };
    }
    let has_room = usize::from(header_len) < packet::tcp::MAX_HEADER_LEN;
    if u32::from(header_len) < header.l4_len() || !has_room {
        return Changed::Done;
    }
    let end = usize::from(header.l3) + header.len as usize + MSS_LEN;
    if !(buf.append(&[0; MSS_LEN]) && buf.pull_up(end)) {
        return Changed::OutOfReach;
    }
    set::add_mss(buf.head_mut(), header, most.min(unannounced::<F>())).into()
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// The MSS with which packets fit the way there and the way back; `None` where not even headers do.
    pub(crate) fn mss_of_path(&self, packet: &Packet<'_, F, O::Buf>) -> Option<u16> {
        let key = self.route_key(packet);
        let there = self.mtu_towards(&key).unwrap_or_else(|| self.mtu(packet.output, None));
        let back = self.mtu_towards(&crate::route::RouteKey::to(packet.header.src)).unwrap_or(u32::MAX);
        let headers = (F::HEADER_LEN + packet::tcp::HEADER_LEN) as u32;
        let mss = there.min(back).checked_sub(headers).filter(|mss| *mss > 0)?;
        Some(u16::try_from(mss).unwrap_or(u16::MAX))
    }
}
