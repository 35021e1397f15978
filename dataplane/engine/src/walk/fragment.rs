//! Cutting a packet that is too long for its next link (`ip_fragment`).

use arrayvec::ArrayVec;
use packet::{Family, FamilyId, Header, set};

use super::{Walk, Way};
use crate::buffer::Buffer;
use crate::burst::Packet;
use crate::drop::DropReason;
use crate::outside::Outside;

/// Longest IPv4 header in bytes, with an Ethernet header before it.
const FRONT: usize = 14 + 60;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Sends the packet in pieces of at most `mtu` bytes. IPv6 packets are never cut by a router.
    pub(crate) fn fragment(&mut self, packet: Packet<'_, F, O::Buf>, mtu: u32, way: Way) {
        if F::ID == FamilyId::Ipv6 {
            return self.drops.count(DropReason::MtuExceeded);
        }
        let whole = *packet.header;
        let (l3, l4) = (usize::from(whole.l3), usize::from(whole.l4));
        let front_len = l4 - l3 + 14;
        let step = self.step(mtu, l4 - l3);
        let mut front = [0; FRONT];
        let fits = step.most > 0 && l3 >= 14 && front_len <= FRONT && packet.buf.head().len() >= l4;
        if !fits {
            return self.drops.count(DropReason::FragmentFailed);
        }
        front[..front_len].copy_from_slice(&packet.buf.head()[l3 - 14..l4]);
        let data_len = whole.l4_len() as usize;
        let first_offset = match whole.fragment {
            packet::Fragment::Later(offset) => usize::from(offset),
            _ => 0,
        };
        let mut done = 0;
        let mut sizes = if step.as_it_came { self.cut.sizes.clone() } else { ArrayVec::new() }.into_iter();
        while done < data_len {
            let len = sizes.next().map_or(step.most, usize::from).min(data_len - done);
            let piece = Piece {
                from: l4 + done,
                len,
                offset: first_offset + done,
                more: whole.more_fragments || done + len < data_len,
                as_it_came: step.as_it_came,
            };
            let Some((buf, header)) = self.piece(&packet.buf, &whole, &front[..front_len], piece) else {
                return self.drops.count(DropReason::FragmentFailed);
            };
            if done == 0 {
                keep_copied_options(&mut front[34..front_len]);
            }
            *packet.header = header;
            let row = Packet {
                buf,
                header: &mut *packet.header,
                origin: packet.origin,
                input: packet.input,
                output: &mut *packet.output,
                next_hop: &mut *packet.next_hop,
                to_many: &mut *packet.to_many,
                mark: &mut *packet.mark,
                label: &mut *packet.label,
                connection: &mut *packet.connection,
            };
            self.hand_over(row, way);
            done += len;
        }
    }

    /// How to cut: as the packet came, if it came in pieces and they fit; else as large as goes.
    fn step(&self, mtu: u32, header_len: usize) -> Step {
        let sizes = &self.cut.sizes;
        let mtu = if sizes.is_empty() { mtu } else { mtu.min(self.cut.longest) };
        let room = (mtu as usize).saturating_sub(header_len);
        let last = sizes.len().saturating_sub(1);
        let fits = |(i, size): (usize, &u16)| usize::from(*size) <= room && (size % 8 == 0 || i == last);
        Step { most: room & !7, as_it_came: !sizes.is_empty() && sizes.iter().enumerate().all(fits) }
    }

    fn piece(&mut self, from: &O::Buf, whole: &Header<F>, front: &[u8], piece: Piece) -> Option<(O::Buf, Header<F>)> {
        let mut buf = self.out.alloc()?;
        let mut header = *whole;
        (header.l3, header.l4) = (14, front.len() as u16);
        let mut written = buf.append(front);
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
        let head = buf.head_mut();
        let len = (front.len() - 14 + piece.len) as u16;
        let set = set::ipv4_total_len(head, &mut header, len).is_ok()
            && set::ipv4_fragment(head, &mut header, piece.offset as u16, piece.more).is_ok()
            && (!piece.as_it_came || set::ipv4_may_fragment(head, &mut header).is_ok());
        (written && left == 0 && set).then_some((buf, header))
    }
}

/// How a packet is cut.
#[derive(Clone, Copy)]
struct Step {
    /// Most data bytes in a piece, a multiple of 8.
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
