//! Putting datagrams together (`net/ipv4/ip_fragment.c`, `nf_conntrack_reasm.c`, `inet_fragment.c`): all of them while connections are tracked,
//! else those for the box. Rules then see whole packets.
//!
//! As in the kernel: an exact duplicate is ignored, and a partial overlap ends the whole datagram. So does in IPv4 a piece that contradicts where
//! the datagram ends; in IPv6 that piece alone ends, and one that does not end where another can begin ends the others and goes on as it is, for
//! its receiver to complain of. A datagram has 30 seconds, in IPv6 60. Bounded in datagrams and in pieces of each; what does not fit is dropped.
//!
//! Written and read by the worker alone. All memory is allocated when it is made.

use arrayvec::ArrayVec;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use packet::{Family, FamilyId, Fragment, Header, checksum, ipv6, parse};
use program::LabelId;

use crate::buffer::Buffer;
use crate::drop::DropReason;
use crate::time::Time;

/// Most pieces of one datagram: 64 KiB in pieces of 1,024 bytes.
pub(crate) const PIECES: usize = 64;
/// `net.ipv4.ipfrag_time`, `net.netfilter.nf_conntrack_frag6_timeout`
const fn lifetime_ms(family: FamilyId) -> u64 {
    match family {
        FamilyId::Ipv4 => 30_000,
        FamilyId::Ipv6 => 60_000,
    }
}
/// How often datagrams are looked at for their end.
const LOOK_EVERY_MS: u64 = 100;
/// Longest IPv4 packet, and most bytes behind an IPv6 header.
const LONGEST: u32 = 65_535;

/// How a datagram came: what is needed to cut it in the same way again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Data bytes of each piece, in order. Empty for a packet that came whole.
    pub(crate) sizes: ArrayVec<u16, PIECES>,
    /// Length of the longest piece, header included.
    pub(crate) longest: u32,
}

impl Cut {
    /// The datagram is one piece from now on: it is cut again, into pieces no longer than they were, but not as it came.
    pub(crate) fn melt(&mut self) {
        if !self.sizes.is_empty() {
            self.sizes.clear();
            // No piece is that long.
            self.sizes.push(u16::MAX);
        }
    }

    /// The same, if the first piece had less data than this: what is asked to be in one piece is taken from the next one.
    pub(crate) fn melt_below(&mut self, len: usize) {
        if self.sizes.first().is_some_and(|first| usize::from(*first) < len) {
            self.melt();
        }
    }
}

/// What tells datagrams apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key<F: Family> {
    src: F::Addr,
    dst: F::Addr,
    id: u32,
    /// IPv4's. In IPv6 identifications are the pair of addresses'.
    protocol: u8,
    /// From the box's own stack.
    own: bool,
}

/// What rules have written on a fragment before it was kept. The whole datagram has what its first fragment had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notes {
    pub(crate) mark: u32,
    pub(crate) label: LabelId,
    pub(crate) told: bool,
}

struct Piece<F: Family, B> {
    offset: u32,
    len: u32,
    /// Where its data begins in the frame.
    data_at: usize,
    /// Pieces that came in order, each right behind the one before, share a run: a duplicate of any part of a run is ignored.
    run: u32,
    header: Header<F>,
    notes: Notes,
    buf: B,
}

struct Datagram<F: Family, B> {
    key: Key<F>,
    since: Time,
    /// In the order of their offsets, without overlap.
    pieces: ArrayVec<Piece<F, B>, PIECES>,
    /// One past the last byte known of.
    end: u32,
    /// The piece without more-fragments was seen.
    last_seen: bool,
    /// Bytes that are there.
    have: u32,
    longest: u32,
    longest_df: u32,
    /// The ECN field's values seen, a bit each.
    ecn: u8,
    runs: u32,
}

/// What became of a fragment.
pub(crate) enum Gathered<F: Family, B> {
    /// It waits for the others.
    Kept,
    /// It completed its datagram.
    Whole(B, Header<F>, Notes),
    /// It goes on as it came, and so many packets that waited for it end.
    AsItCame(B, u64),
    /// It ends so many packets, itself included.
    Ended(DropReason, u64),
}

/// Datagrams whose time is up.
pub(crate) struct Expired<F: Family, B> {
    /// How many fragments end.
    pub(crate) pieces: u64,
    /// The first one, if it had come.
    pub(crate) first: Option<(B, Header<F>)>,
}

/// Datagrams in the making.
pub(crate) struct Reassembly<F: Family, B> {
    index: HashMap<Key<F>, u32, FixedState>,
    slots: Vec<Option<Datagram<F, B>>>,
    free: Vec<u32>,
    look_at: Time,
}

impl<F: Family, B: Buffer> Reassembly<F, B> {
    /// Room for so many datagrams. The seed keys the index.
    pub(crate) fn new(datagrams: usize, seed: u64) -> Self {
        Self {
            index: HashMap::with_capacity_and_hasher(datagrams, FixedState::with_seed(seed)),
            slots: (0..datagrams).map(|_| None).collect(),
            free: (0..datagrams as u32).rev().collect(),
            look_at: Time::default(),
        }
    }

    /// Takes a fragment. `own` is set for what the box's own stack sends; `cut` tells how a completed datagram came.
    pub(crate) fn gather(
        &mut self,
        buf: B,
        header: &Header<F>,
        notes: Notes,
        own: bool,
        now: Time,
        cut: &mut Cut,
    ) -> Gathered<F, B> {
        let Some(data_at) = data_at(buf.head(), header) else { return Gathered::Ended(DropReason::FragmentInvalid, 1) };
        let protocol = if F::ID == FamilyId::Ipv4 { header.protocol } else { 0 };
        let key = Key { src: header.src, dst: header.dst, id: header.id, protocol, own };
        let slot = match self.index.get(&key) {
            Some(slot) => *slot,
            None => match self.free.pop() {
                Some(slot) => {
                    self.slots[slot as usize] = Some(Datagram::new(key, now));
                    self.index.insert(key, slot);
                    slot
                }
                None => return Gathered::Ended(DropReason::FragmentMemory, 1),
            },
        };
        let Some(datagram) = &mut self.slots[slot as usize] else { return Gathered::Ended(DropReason::FragmentMemory, 1) };
        match datagram.add(buf, header, data_at, notes) {
            Added::Waits => Gathered::Kept,
            Added::Refused(reason) => Gathered::Ended(reason, 1),
            Added::Unfit(buf) => {
                let pieces = self.remove(slot).map_or(0, |datagram| datagram.pieces.len());
                Gathered::AsItCame(buf, pieces as u64)
            }
            Added::Broken(reason) => {
                let pieces = self.remove(slot).map_or(0, |datagram| datagram.pieces.len());
                Gathered::Ended(reason, pieces as u64 + 1)
            }
            Added::Complete => {
                let Some(datagram) = self.remove(slot) else { return Gathered::Kept };
                let pieces = datagram.pieces.len() as u64;
                match datagram.put_together(cut) {
                    Ok((buf, header, notes)) => Gathered::Whole(buf, header, notes),
                    Err(reason) => Gathered::Ended(reason, pieces),
                }
            }
        }
    }

    fn remove(&mut self, slot: u32) -> Option<Datagram<F, B>> {
        let datagram = self.slots[slot as usize].take()?;
        self.index.remove(&datagram.key);
        self.free.push(slot);
        Some(datagram)
    }

    /// A datagram whose time is up, if there is one. To be asked until there is none.
    pub(crate) fn expire(&mut self, now: Time) -> Option<Expired<F, B>> {
        if now < self.look_at || self.index.is_empty() {
            return None;
        }
        let old = |datagram: &Datagram<F, B>| now >= datagram.since.plus_millis(lifetime_ms(F::ID));
        let Some(slot) = self.slots.iter().position(|slot| slot.as_ref().is_some_and(old)) else {
            self.look_at = now.plus_millis(LOOK_EVERY_MS);
            return None;
        };
        let mut datagram = self.remove(slot as u32)?;
        let pieces = datagram.pieces.len() as u64;
        let first = (datagram.pieces.first().is_some_and(|piece| piece.offset == 0)).then(|| datagram.pieces.swap_remove(0));
        Some(Expired { pieces, first: first.map(|piece| (piece.buf, piece.header)) })
    }
}

/// What became of a piece.
enum Added<B> {
    Waits,
    Complete,
    /// No piece can follow where it ends: it ends its datagram, and goes on as it is.
    Unfit(B),
    /// The piece alone ends.
    Refused(DropReason),
    /// The whole datagram ends.
    Broken(DropReason),
}

impl<F: Family, B: Buffer> Datagram<F, B> {
    fn new(key: Key<F>, since: Time) -> Self {
        Self { key, since, pieces: ArrayVec::new(), end: 0, last_seen: false, have: 0, longest: 0, longest_df: 0, ecn: 0, runs: 0 }
    }

    /// `ip_frag_queue`, `nf_ct_frag6_queue`
    fn add(&mut self, mut buf: B, header: &Header<F>, data_at: usize, notes: Notes) -> Added<B> {
        let offset = match header.fragment {
            Fragment::Later(offset) => u32::from(offset),
            Fragment::First | Fragment::Whole => 0,
        };
        let mut len = (usize::from(header.l3) + header.len as usize).saturating_sub(data_at) as u32;
        let invalid = match F::ID {
            FamilyId::Ipv4 => Added::Broken(DropReason::FragmentInvalid),
            FamilyId::Ipv6 => Added::Refused(DropReason::FragmentInvalid),
        };
        if F::ID == FamilyId::Ipv6 && offset + len > LONGEST {
            return invalid;
        }
        if header.more_fragments {
            match F::ID {
                FamilyId::Ipv4 => len &= !7,
                FamilyId::Ipv6 if !len.is_multiple_of(8) => return Added::Unfit(buf),
                FamilyId::Ipv6 => {}
            }
            if offset + len > self.end {
                if self.last_seen {
                    return invalid;
                }
                self.end = offset + len;
            }
        } else {
            if offset + len < self.end || (self.last_seen && offset + len != self.end) {
                return invalid;
            }
            self.last_seen = true;
            self.end = offset + len;
        }
        if len == 0 {
            return invalid;
        }
        let at = self.pieces.partition_point(|piece| piece.offset < offset + len);
        let before = at.checked_sub(1).map(|before| &self.pieces[before]);
        if let Some(before) = before
            && before.offset + before.len > offset
        {
            let covered = self.run_covers(before.run, offset, len);
            return if covered {
                Added::Refused(DropReason::FragmentDuplicate)
            } else {
                Added::Broken(DropReason::FragmentOverlap)
            };
        }
        if self.pieces.is_full() {
            return Added::Refused(DropReason::FragmentMemory);
        }
        let run = match before {
            Some(before) if at == self.pieces.len() && before.offset + before.len == offset => before.run,
            _ => {
                self.runs += 1;
                self.runs
            }
        };
        buf.truncate(data_at + len as usize);
        self.pieces.insert(at, Piece { offset, len, data_at, run, header: *header, notes, buf });
        self.have += len;
        self.longest = self.longest.max(header.len);
        if header.dont_fragment {
            self.longest_df = self.longest_df.max(header.len);
        }
        self.ecn |= 1 << (header.tos & 3);
        let complete = self.last_seen && self.have == self.end && self.pieces[0].offset == 0;
        if complete { Added::Complete } else { Added::Waits }
    }

    /// Is all of it in one run already?
    fn run_covers(&self, run: u32, offset: u32, len: u32) -> bool {
        let mut of_run = self.pieces.iter().filter(|piece| piece.run == run);
        let first = of_run.next().map_or(0, |piece| piece.offset);
        let end = self.pieces.iter().rfind(|piece| piece.run == run).map_or(0, |piece| piece.offset + piece.len);
        first <= offset && offset + len <= end
    }

    /// `ip_frag_reasm`
    fn put_together(self, cut: &mut Cut) -> Result<(B, Header<F>, Notes), DropReason> {
        let ecn = ecn_of(self.ecn).ok_or(DropReason::FragmentInvalid)?;
        cut.sizes.clear();
        cut.longest = self.longest;
        let mut pieces = self.pieces.into_iter();
        let first = pieces.next().ok_or(DropReason::FragmentInvalid)?;
        let (l3, front) = (usize::from(first.header.l3), first.data_at);
        let mut whole = first.buf;
        cut.sizes.push(first.len as u16);
        for piece in pieces {
            let mut buf = piece.buf;
            cut.sizes.push(piece.len as u16);
            if !buf.trim_front(piece.data_at) || whole.chain(buf).is_err() {
                return Err(DropReason::BufferLayout);
            }
        }
        match F::ID {
            FamilyId::Ipv4 => {
                // Don't-fragment holds for the whole only if the longest piece had it.
                let may_not_be_cut = self.longest_df == self.longest;
                ipv4_front(whole.head_mut().get_mut(l3..front), self.end, ecn, may_not_be_cut)?;
            }
            FamilyId::Ipv6 => ipv6_front(&mut whole, l3, self.end, ecn, cut)?,
        }
        let packet_len = whole.len() - l3;
        let need = parse::need::<F>(whole.head(), l3, packet_len);
        if whole.head().len() < need && !whole.pull_up(need) {
            return Err(DropReason::BufferLayout);
        }
        whole.set_l4_checksum(crate::buffer::RxChecksum::Unknown);
        let header = parse::ip::<F>(whole.head(), l3, packet_len).map_err(|_| DropReason::FragmentInvalid)?;
        Ok((whole, header, first.notes))
    }
}

/// Where the data of a piece begins in its frame.
fn data_at<F: Family>(head: &[u8], header: &Header<F>) -> Option<usize> {
    match F::ID {
        FamilyId::Ipv4 => Some(usize::from(header.l4)),
        // Extension headers behind the fragment header are data.
        FamilyId::Ipv6 => {
            let l3 = usize::from(header.l3);
            ipv6::fragment_header(head.get(l3..)?).map(|place| l3 + place.at + ipv6::FRAGMENT_HEADER_LEN)
        }
    }
}

/// Makes the first piece's header that of a datagram with so many bytes of data.
fn ipv4_front(header: Option<&mut [u8]>, data_len: u32, ecn: u8, may_not_be_cut: bool) -> Result<(), DropReason> {
    let header = header.ok_or(DropReason::BufferLayout)?;
    let total = header.len() as u32 + data_len;
    if total > LONGEST {
        return Err(DropReason::FragmentInvalid);
    }
    header[1] |= ecn;
    header[2..4].copy_from_slice(&(total as u16).to_be_bytes());
    let flags = if may_not_be_cut { 0x4000u16 } else { 0 };
    header[6..8].copy_from_slice(&flags.to_be_bytes());
    let check = checksum::ipv4_header(header);
    header[10..12].copy_from_slice(&check.to_be_bytes());
    Ok(())
}

/// Takes the fragment header out of the first piece and makes its header that of the datagram (`nf_ct_frag6_reasm`).
fn ipv6_front<B: Buffer>(whole: &mut B, l3: usize, data_len: u32, ecn: u8, cut: &mut Cut) -> Result<(), DropReason> {
    let layout = DropReason::BufferLayout;
    let place = whole.head().get(l3..).and_then(ipv6::fragment_header).ok_or(layout)?;
    let payload_len = (place.at - ipv6::HEADER_LEN) as u32 + data_len;
    let payload_len = u16::try_from(payload_len).map_err(|_| DropReason::FragmentInvalid)?;
    ipv6::take_fragment_header(whole.head_mut(), l3, place, payload_len).ok_or(layout)?;
    if !whole.trim_front(ipv6::FRAGMENT_HEADER_LEN) {
        return Err(layout);
    }
    let packet = whole.head_mut().get_mut(l3..).ok_or(layout)?;
    ipv6::add_ecn(packet, ecn).ok_or(layout)?;
    if ipv6::HEADER_LEN as u32 + u32::from(payload_len) <= cut.longest {
        // It is not cut again where it needs no more room than its longest piece did.
        cut.sizes.clear();
    } else if let (Some(first), Some(front)) = (cut.sizes.first_mut(), ipv6::unfragmentable(packet)) {
        // Headers that came as data of the first piece, and now belong before the fragment header.
        *first = (usize::from(*first) + place.at).saturating_sub(front.at) as u16;
    }
    Ok(())
}

/// The ECN field of the whole, to be added to the first piece's (RFC 3168 section 5.3); `None` for pieces that cannot belong together.
fn ecn_of(seen: u8) -> Option<u8> {
    const NOT_ECT: u8 = 1;
    const CE: u8 = 8;
    match seen {
        NOT_ECT => Some(0),
        seen if seen & NOT_ECT != 0 => None,
        seen if seen & CE != 0 => Some(3),
        _ => Some(0),
    }
}
