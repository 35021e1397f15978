//! Cutting a packet that is too long for its next link (`ip_fragment`, `ip6_fragment`).

use arrayvec::ArrayVec;
use packet::{Family, FamilyId, Header, ipv6, set};

use super::{Walk, Way};
use crate::buffer::Buffer;
use crate::burst::Packet;
use crate::drop::DropReason;
use crate::outside::Outside;

/// Longest front of a packet that is cut, in bytes: an Ethernet header, an IPv6 header and 256 bytes of extension headers.
const FRONT: usize = 14 + 40 + 256;
/// No link of IPv6 has less, so no piece has to be shorter.
const IPV6_LEAST_MTU: u32 = 1280;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Sends the packet in pieces of at most `mtu` bytes. An IPv6 packet is cut again only if it came in pieces, and into none longer than they were.
    #[inline(never)]
    pub(crate) fn fragment(&mut self, packet: Packet<'_, F, O::Buf>, mtu: u32, way: Way) {
        let whole = packet.header;
        let Some(front) = Front::of(packet.buf.head(), &whole, || self.rng.next_u64() as u32) else {
            return self.drops.count(DropReason::FragmentFailed);
        };
        let mut front = front;
        let step = self.step(mtu, front.bytes.len() - 14);
        if step.most < 8 {
            return self.drops.count(DropReason::FragmentFailed);
        }
        let data_len = (usize::from(whole.l3) + whole.len as usize).saturating_sub(front.data_at);
        let first_offset = match whole.fragment {
            packet::Fragment::Later(offset) => usize::from(offset),
            _ => 0,
        };
        let mut done = 0;
        let mut sizes = if step.as_it_came { self.cut.sizes.clone() } else { ArrayVec::new() }.into_iter();
        while done < data_len {
            let left = data_len - done;
            // Where another piece follows, it has to begin at a multiple of eight.
            let most = if left > step.most { step.most & !7 } else { step.most };
            let len = sizes.next().map_or(most, usize::from).min(left);
            let piece = Piece {
                from: front.data_at + done,
                len,
                offset: first_offset + done,
                more: whole.more_fragments || done + len < data_len,
                as_it_came: step.as_it_came,
            };
            let Some((buf, header)) = self.piece(&packet.buf, &whole, &front, piece) else {
                return self.drops.count(DropReason::FragmentFailed);
            };
            if done == 0 && F::ID == FamilyId::Ipv4 {
                keep_copied_options(&mut front.bytes[34..]);
            }
            packet.row.header = header;
            self.hand_over(packet.row.packet(buf), way);
            done += len;
        }
    }

    /// How to cut: as the packet came, if it came in pieces and they fit; else as large as goes.
    fn step(&self, mtu: u32, header_len: usize) -> Step {
        let sizes = &self.cut.sizes;
        let longest = if F::ID == FamilyId::Ipv6 { self.cut.longest.max(IPV6_LEAST_MTU) } else { self.cut.longest };
        let mtu = if sizes.is_empty() { mtu } else { mtu.min(longest) };
        let room = (mtu as usize).saturating_sub(header_len);
        let last = sizes.len().saturating_sub(1);
        let fits = |(i, size): (usize, &u16)| usize::from(*size) <= room && (size % 8 == 0 || i == last);
        Step { most: room, as_it_came: !sizes.is_empty() && sizes.iter().enumerate().all(fits) }
    }

    fn piece(&mut self, from: &O::Buf, whole: &Header<F>, front: &Front, piece: Piece) -> Option<(O::Buf, Header<F>)> {
        let mut buf = self.out.alloc()?;
        let mut header = *whole;
        (header.l3, header.l4) = (14, front.bytes.len() as u16);
        let mut written = buf.append(&front.bytes);
        let (mut skip, mut left) = (piece.from, piece.len);
        for segment in from.segments() {
            let bytes = segment.get(skip..).unwrap_or_default();
            skip = skip.saturating_sub(segment.len());
            let bytes = &bytes[..bytes.len().min(left)];
            if !bytes.is_empty() && !buf.append(bytes) {
                let mut more = self.out.alloc()?;
                written &= more.append(bytes) && buf.chain(more).is_ok();
            }
            left -= bytes.len();
        }
        let set = front.seal(buf.head_mut(), &mut header, piece);
        (written && left == 0 && set).then_some((buf, header))
    }
}

/// What every piece of a packet begins with: a frame's header and the packet's, up to where pieces differ.
struct Front {
    bytes: ArrayVec<u8, FRONT>,
    /// Where the data begins in the whole packet's frame.
    data_at: usize,
    /// In IPv6 the place of the fragment header, the number of what follows it, and the datagram's identification.
    fragment: Option<(ipv6::Place, u8, u32)>,
}

impl Front {
    /// Of a whole packet; `None` where that is longer than any that is cut.
    fn of<F: Family>(head: &[u8], whole: &Header<F>, id: impl FnOnce() -> u32) -> Option<Self> {
        let (l3, l4) = (usize::from(whole.l3), usize::from(whole.l4));
        let mut bytes = ArrayVec::new();
        let (data_at, fragment) = match F::ID {
            FamilyId::Ipv4 => (l4, None),
            FamilyId::Ipv6 => {
                let packet = head.get(l3..)?;
                let place = ipv6::unfragmentable(packet)?;
                (l3 + place.at, Some((place, *packet.get(place.named_at)?, id())))
            }
        };
        bytes.try_extend_from_slice(head.get(l3.checked_sub(14)?..data_at)?).ok()?;
        if fragment.is_some() {
            bytes.try_extend_from_slice(&[0; ipv6::FRAGMENT_HEADER_LEN]).ok()?;
        }
        Some(Self { bytes, data_at, fragment })
    }

    /// Makes it the front of one piece, with all its data behind it.
    fn seal<F: Family>(&self, head: &mut [u8], header: &mut Header<F>, piece: Piece) -> bool {
        let len = self.bytes.len() - 14 + piece.len;
        let (offset, more) = (piece.offset as u16, piece.more);
        let Some((place, next, id)) = self.fragment else {
            return set::ipv4_total_len(head, header, len as u16).is_ok()
                && set::ipv4_fragment(head, header, offset, more).is_ok()
                && (!piece.as_it_came || set::ipv4_may_fragment(head, header).is_ok());
        };
        (header.len, header.id, header.more_fragments) = (len as u32, id, more);
        header.fragment = packet::Fragment::at(offset & !7, more);
        let piece = ipv6::Piece { id, offset, more, len: piece.len };
        head.get_mut(14..).and_then(|packet| ipv6::put_fragment_header(packet, place, next, piece)).is_some()
    }
}

/// How a packet is cut.
#[derive(Clone, Copy)]
struct Step {
    /// Most data bytes in a piece.
    most: usize,
    /// In the pieces that it came in.
    as_it_came: bool,
}

/// One piece of a packet.
#[derive(Clone, Copy)]
struct Piece {
    /// Where its data begins in the frame.
    from: usize,
    /// How much data.
    len: usize,
    /// Its offset in the datagram.
    offset: usize,
    /// Are there more behind it?
    more: bool,
    /// A piece that goes on as it came may be cut by others from here on, whatever it said before (`ip_fraglist_init`).
    as_it_came: bool,
}

/// Only the first piece carries options that do not say that they are copied; in the others they become padding
/// (`ip_options_fragment`).
fn keep_copied_options(options: &mut [u8]) {
    const NOP: u8 = 1;
    let mut at = 0;
    while let Some(&kind) = options.get(at) {
        match kind {
            0 => return,
            NOP => at += 1,
            _ => {
                let len = options.get(at + 1).map_or(0, |len| usize::from(*len));
                let Some(option) = options.get_mut(at..at + len).filter(|option| option.len() >= 2) else { return };
                if kind & 0x80 == 0 {
                    option.fill(NOP);
                }
                at += len;
            }
        }
    }
}
