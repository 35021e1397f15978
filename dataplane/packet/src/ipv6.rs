//! The IPv6 header and the extension headers behind it.

use crate::bytes::{read16, read32, write16};
use crate::family::{Addr, Family};
use crate::header::{Fragment, Header, L4};
use crate::parse::ParseError;
use crate::protocol;

/// Length in bytes of the fixed header.
pub const HEADER_LEN: usize = 40;
/// Where the payload length stands.
pub const PAYLOAD_LEN_AT: usize = 4;
/// Where the next header's number stands.
pub const NEXT_HEADER_AT: usize = 6;
/// Where the hop limit stands.
pub const HOP_LIMIT_AT: usize = 7;
/// Length of the fragment header.
pub const FRAGMENT_HEADER_LEN: usize = 8;

/// What stands behind the extension headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Upper {
    pub(crate) protocol: u8,
    /// Offset from the IPv6 header; at most the packet's length, even where an extension header says that it goes on.
    pub(crate) at: usize,
    pub(crate) fragment: Fragment,
    pub(crate) more_fragments: bool,
    pub(crate) id: u32,
    /// The headers break off: the packet ends inside one, or it is a later piece that begins with one.
    pub(crate) is_lost: bool,
}

/// The packet goes on, but this many bytes of it must be contiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need(pub(crate) usize);

/// The checks of `ipv6_rcv`, then the fields. See [`crate::ipv4::checked`].
pub(crate) fn checked<F: Family>(bytes: &[u8], l3: usize, frame_len: usize) -> Result<Header<F>, ParseError> {
    if frame_len < HEADER_LEN {
        return Err(ParseError::HeaderTruncated);
    }
    let fixed: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(ParseError::NotContiguous)?;
    if fixed[0] >> 4 != 6 {
        return Err(ParseError::Version);
    }
    let payload = read16(fixed, PAYLOAD_LEN_AT).ok_or(ParseError::NotContiguous)?;
    let total = match payload {
        // Its length would stand in an option (RFC 2675). Where none does the packet is as long as its frame.
        0 if fixed[NEXT_HEADER_AT] == protocol::HOP_BY_HOP => frame_len,
        payload => HEADER_LEN + usize::from(payload),
    };
    if total > frame_len {
        return Err(ParseError::TotalLength);
    }
    if fixed[NEXT_HEADER_AT] == protocol::HOP_BY_HOP {
        let length = bytes.get(HEADER_LEN + 1).ok_or(ParseError::NotContiguous);
        let cut = total < HEADER_LEN + 8 || total < HEADER_LEN + (usize::from(*length?) + 1) * 8;
        if cut {
            return Err(ParseError::HopByHop);
        }
    }
    fields(bytes.get(..total).unwrap_or(bytes), l3, total)
}

/// The fields of a packet without extension headers that all checks find right; `None` for any other. The transport header is not read yet.
#[inline(always)]
pub(crate) fn plain<F: Family>(packet: &[u8], l3: u16, header: &mut Header<F>) -> bool {
    let Some(fixed) = packet.first_chunk::<HEADER_LEN>() else { return false };
    let total = HEADER_LEN + usize::from(u16::from_be_bytes([fixed[PAYLOAD_LEN_AT], fixed[PAYLOAD_LEN_AT + 1]]));
    let right = fixed[0] >> 4 == 6 && total <= packet.len();
    let (Some(src), Some(dst), true) = (F::Addr::read(&fixed[F::SRC_AT..]), F::Addr::read(&fixed[F::DST_AT..]), right) else {
        return false;
    };
    (header.src, header.dst) = (src, dst);
    (header.protocol, header.tos, header.ttl) = (fixed[NEXT_HEADER_AT], fixed[0] << 4 | fixed[1] >> 4, fixed[HOP_LIMIT_AT]);
    (header.l3, header.l4, header.len, header.id) = (l3, l3 + HEADER_LEN as u16, total as u32, 0);
    (header.dont_fragment, header.more_fragments, header.fragment) = (true, false, Fragment::Whole);
    true
}

/// The fields, with no check but that the headers are there. `len` is what the packet's length shall be.
pub(crate) fn fields<F: Family>(bytes: &[u8], l3: usize, len: usize) -> Result<Header<F>, ParseError> {
    let fixed: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(ParseError::NotContiguous)?;
    let upper = upper(bytes, len).map_err(|Need(_)| ParseError::NotContiguous)?;
    Ok(Header {
        src: fixed.get(F::SRC_AT..).and_then(F::Addr::read).ok_or(ParseError::NotContiguous)?,
        dst: fixed.get(F::DST_AT..).and_then(F::Addr::read).ok_or(ParseError::NotContiguous)?,
        protocol: upper.protocol,
        tos: fixed[0] << 4 | fixed[1] >> 4,
        ttl: fixed[HOP_LIMIT_AT],
        l3: u16::try_from(l3).map_err(|_| ParseError::NotContiguous)?,
        l4: u16::try_from(l3 + upper.at).map_err(|_| ParseError::NotContiguous)?,
        len: len as u32,
        id: upper.id,
        dont_fragment: true,
        more_fragments: upper.more_fragments,
        fragment: upper.fragment,
        transport: if upper.is_lost { L4::Lost } else { L4::Absent },
    })
}

/// Walks the extension headers as `ipv6_find_hdr` does: hop-by-hop, routing, destination options, AH (looked past, not at) and fragment. Of each no more
/// has to be there than what leads on. A later fragment ends the walk.
pub(crate) fn upper(bytes: &[u8], len: usize) -> Result<Upper, Need> {
    let mut next = *bytes.get(NEXT_HEADER_AT).ok_or(Need(HEADER_LEN))?;
    let mut at = HEADER_LEN;
    let mut upper = Upper { protocol: next, at, fragment: Fragment::Whole, more_fragments: false, id: 0, is_lost: false };
    while is_extension(next) {
        let least = if next == protocol::FRAGMENT { 4 } else { 2 };
        if at + least > len {
            upper.is_lost = true;
            break;
        }
        let end = len.min(at + 8);
        let header = bytes.get(at..end).ok_or(Need(end))?;
        let &[follows, length] = header.first_chunk().ok_or(Need(end))?;
        at += match next {
            protocol::AH => (usize::from(length) + 2) * 4,
            protocol::FRAGMENT => {
                let word = read16(header, 2).ok_or(Need(end))?;
                upper.id = read32(header, 4).unwrap_or_default();
                upper.more_fragments = word & 1 != 0;
                upper.fragment = Fragment::at(word & !7, upper.more_fragments);
                FRAGMENT_HEADER_LEN
            }
            _ => (usize::from(length) + 1) * 8,
        };
        upper.protocol = follows;
        next = follows;
        if matches!(upper.fragment, Fragment::Later(_)) {
            upper.is_lost = is_extension(follows);
            break;
        }
    }
    upper.at = at.min(len);
    Ok(upper)
}

/// What became of the search for a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// It begins here, in bytes from the IPv6 header.
    At(usize),
    /// The packet has none, or it is a later piece of one.
    Nowhere,
    /// The headers break off before it.
    Lost,
}

/// Looks for the first extension header of a number (`ipv6_find_hdr`). `packet` ends where the packet does.
pub fn find(packet: &[u8], wanted: u8) -> Sought {
    let Some(mut next) = packet.get(NEXT_HEADER_AT).copied() else { return Sought::Lost };
    let mut at = HEADER_LEN;
    loop {
        if !is_extension(next) {
            return if next == wanted { Sought::At(at) } else { Sought::Nowhere };
        }
        let Some(&[follows, length]) = packet.get(at..).and_then(<[u8]>::first_chunk) else { return Sought::Lost };
        let len = match next {
            protocol::FRAGMENT => {
                let Some(word) = read16(packet, at + 2) else { return Sought::Lost };
                if word & !7 != 0 {
                    return if next == wanted { Sought::At(at) } else { Sought::Nowhere };
                }
                FRAGMENT_HEADER_LEN
            }
            protocol::AH => (usize::from(length) + 2) * 4,
            _ => (usize::from(length) + 1) * 8,
        };
        if next == wanted {
            return Sought::At(at);
        }
        (next, at) = (follows, at + len);
    }
}

/// The header at which a walk through extension headers ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    /// Its number: a transport protocol, an authentication header, or of a later piece of a datagram what its fragment header names.
    pub protocol: u8,
    /// Where it begins, in bytes from the IPv6 header; of a later piece where its fragment header does.
    pub at: usize,
    /// There was a fragment header.
    pub is_fragment: bool,
}

/// Goes through the extension headers up to an authentication header (`ipv6_find_hdr` for no header in particular). `packet` ends where the packet does.
/// `None` where they break off, and where more of them stand in a later piece.
pub fn last(packet: &[u8]) -> Option<Last> {
    let mut last = Last { protocol: *packet.get(NEXT_HEADER_AT)?, at: HEADER_LEN, is_fragment: false };
    loop {
        if !is_extension(last.protocol) {
            return Some(last);
        }
        let &[follows, length] = packet.get(last.at..)?.first_chunk()?;
        if last.protocol == protocol::AH {
            return Some(last);
        }
        let len = if last.protocol == protocol::FRAGMENT {
            last.is_fragment = true;
            if read16(packet, last.at + 2)? & !7 != 0 {
                return (!is_extension(follows)).then_some(Last { protocol: follows, ..last });
            }
            FRAGMENT_HEADER_LEN
        } else {
            (usize::from(length) + 1) * 8
        };
        (last.protocol, last.at) = (follows, last.at + len);
    }
}

/// The headers that a packet has, as `-m ipv6header` names them: hop-by-hop options 128, destination options 64, routing 32, fragment 16,
/// authentication 8, encapsulation 4, none 2, a protocol 1. `None` where they break off.
pub fn headers(packet: &[u8]) -> Option<u8> {
    let mut next = *packet.get(NEXT_HEADER_AT)?;
    let (mut at, mut found) = (HEADER_LEN, 0);
    while is_extension(next) || matches!(next, protocol::ESP | protocol::NO_NEXT_HEADER) {
        if next == protocol::NO_NEXT_HEADER {
            return Some(found | 2);
        }
        let &[follows, length] = packet.get(at..)?.first_chunk()?;
        let (bit, len) = match next {
            protocol::ESP => return Some(found | 4),
            protocol::HOP_BY_HOP => (128, (usize::from(length) + 1) * 8),
            protocol::DESTINATION_OPTIONS => (64, (usize::from(length) + 1) * 8),
            protocol::ROUTING => (32, (usize::from(length) + 1) * 8),
            protocol::FRAGMENT => (16, FRAGMENT_HEADER_LEN),
            _ => (8, (usize::from(length) + 2) * 4),
        };
        found |= bit;
        (next, at) = (follows, at + len);
        if at > packet.len() {
            break;
        }
    }
    Some(if matches!(next, protocol::ESP | protocol::NO_NEXT_HEADER) { found } else { found | 1 })
}

/// Reads the fragment header that begins here: reserved bits, offset and flags as they stand, identification.
pub fn fragment(header: &[u8; FRAGMENT_HEADER_LEN]) -> (u8, u16, u32) {
    (header[1], read16(header, 2).unwrap_or_default(), read32(header, 4).unwrap_or_default())
}

/// A place between the headers of a packet: offsets from the IPv6 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the number of the header at [`Place::at`] stands.
    pub named_at: usize,
    /// Where that header begins.
    pub at: usize,
}

/// Where the fragment header stands; `None` without a whole one within these bytes.
pub fn fragment_header(packet: &[u8]) -> Option<Place> {
    fragment_place(packet).filter(|place| place.at + FRAGMENT_HEADER_LEN <= packet.len())
}

/// Where a fragment header should stand, be it there or cut off; `None` where none is named within these bytes.
pub fn fragment_place(packet: &[u8]) -> Option<Place> {
    let mut place = Place { named_at: NEXT_HEADER_AT, at: HEADER_LEN };
    loop {
        match *packet.get(place.named_at)? {
            protocol::FRAGMENT => return (place.at <= packet.len()).then_some(place),
            next if is_extension(next) => place = behind(packet, next, place)?,
            _ => return None,
        }
    }
}

/// Where a fragment header has to stand (`ip6_find_1stfragopt`): behind hop-by-hop options, a routing header and the destination options before it.
pub fn unfragmentable(packet: &[u8]) -> Option<Place> {
    let mut place = Place { named_at: NEXT_HEADER_AT, at: HEADER_LEN };
    let mut routing = false;
    loop {
        match *packet.get(place.named_at)? {
            protocol::DESTINATION_OPTIONS if routing => return Some(place),
            next @ (protocol::HOP_BY_HOP | protocol::ROUTING | protocol::DESTINATION_OPTIONS) => {
                routing |= next == protocol::ROUTING;
                place = behind(packet, next, place)?;
            }
            _ => return Some(place),
        }
    }
}

fn behind(packet: &[u8], next: u8, place: Place) -> Option<Place> {
    let length = usize::from(*packet.get(place.at + 1)?);
    let length = if next == protocol::AH { (length + 2) * 4 } else { (length + 1) * 8 };
    Some(Place { named_at: place.at, at: place.at + length })
}

/// Moves the front of a packet (`l3` bytes of frame, and the headers up to the fragment header) over its fragment header, and makes it the front of a
/// whole packet with so much payload. The first eight bytes of the frame are to be cut off then.
pub fn take_fragment_header(head: &mut [u8], l3: usize, place: Place, payload_len: u16) -> Option<()> {
    let next = *head.get(l3 + place.at)?;
    let front = head.get_mut(..l3 + place.at + FRAGMENT_HEADER_LEN)?;
    front.copy_within(..l3 + place.at, FRAGMENT_HEADER_LEN);
    let packet = front.get_mut(l3 + FRAGMENT_HEADER_LEN..)?;
    *packet.get_mut(place.named_at)? = next;
    write16(packet, PAYLOAD_LEN_AT, payload_len)
}

/// Adds ECN bits to the traffic class.
pub fn add_ecn(packet: &mut [u8], ecn: u8) -> Option<()> {
    *packet.get_mut(1)? |= (ecn & 3) << 4;
    Some(())
}

/// What is different in each piece of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Of the datagram.
    pub id: u32,
    /// In bytes, a multiple of 8.
    pub offset: u16,
    /// More pieces follow.
    pub more: bool,
    /// Bytes of data.
    pub len: usize,
}

/// Makes the front of a packet (the headers up to `place`, and eight bytes behind them) the front of one of its pieces. `next` is the number of the header
/// that stood at `place`.
pub fn put_fragment_header(packet: &mut [u8], place: Place, next: u8, piece: Piece) -> Option<()> {
    *packet.get_mut(place.named_at)? = protocol::FRAGMENT;
    let header: &mut [u8; FRAGMENT_HEADER_LEN] = packet.get_mut(place.at..)?.first_chunk_mut()?;
    (header[0], header[1]) = (next, 0);
    write16(header, 2, piece.offset & !7 | u16::from(piece.more))?;
    header[4..].copy_from_slice(&piece.id.to_be_bytes());
    let payload = place.at + FRAGMENT_HEADER_LEN - HEADER_LEN + piece.len;
    write16(packet, PAYLOAD_LEN_AT, u16::try_from(payload).ok()?)
}

fn is_extension(next: u8) -> bool {
    matches!(next, protocol::HOP_BY_HOP | protocol::ROUTING | protocol::FRAGMENT | protocol::AH | protocol::DESTINATION_OPTIONS)
}
