//! HMARK (`xt_HMARK.c`): a mark by which packets are spread, the same for both directions of a conversation.

use packet::family::Addr;
use packet::hashed::{self, Hashed};
use packet::{Family, Header, protocol};
use program::HashMark;

use crate::buffer::Buffer;
use crate::conntrack::hash::source_port;
use crate::conntrack::{Dir, Flow};
use crate::jenkins;

/// What is hashed, of which a part may be left out.
struct Parts<F: Family> {
    ends: [F::Addr; 2],
    ports: Option<u32>,
    protocol: u8,
}

/// The mark of a packet by its own fields, and whether it is that of the next packet of the same flow and direction as well: an index of IPsec is a packet's own,
/// and so is what an ICMP error quotes. `None` where the packet keeps its mark.
pub(crate) fn of_packet<F: Family>(spec: &HashMark<F>, buf: &mut impl Buffer, header: &Header<F>) -> Option<(u32, bool)> {
    if buf.head().len() < buf.len() {
        // A packet that one buffer cannot hold is read as far as the first one goes.
        let _ = buf.pull_up(buf.len());
    }
    let packet = buf.head().get(usize::from(header.l3)..)?;
    let packet = packet.get(..header.len as usize).unwrap_or(packet);
    let Hashed { src, dst, protocol, ports } = hashed::fields::<F>(packet)?;
    let repeats = ports.is_some() && protocol == header.protocol && !matches!(protocol, protocol::AH | protocol::ESP);
    Some((mark(spec, &Parts { ends: [src, dst], ports, protocol }), repeats))
}

/// The mark of a packet by its connection, before all translation of its source and behind all of its destination.
pub(crate) fn of_flow<F: Family>(spec: &HashMark<F>, flow: &Flow<F>) -> u32 {
    let [there, back] = [Dir::Original, Dir::Reply].map(|dir| flow.tuple(dir));
    let ports = u32::from(source_port(there.l4)) << 16 | u32::from(source_port(back.l4));
    // Only IPv4's ICMP is left out.
    let has_ports = there.protocol != protocol::ICMP;
    mark(spec, &Parts { ends: [there.src, back.src], ports: has_ports.then_some(ports), protocol: there.protocol })
}

/// Ends and ports are put in order before they are hashed, each by itself.
fn mark<F: Family>(spec: &HashMark<F>, parts: &Parts<F>) -> u32 {
    let word = |address: F::Addr| (0..F::Addr::LEN / 4).fold(0, |word, at| word ^ address.word(at));
    let [src, dst] = [word(parts.ends[0] & spec.src_mask), word(parts.ends[1] & spec.dst_mask)];
    let ports = parts.ports.map_or(0, |ports| {
        let ports = ports & spec.port_mask | spec.port_set;
        let [one, other] = [ports >> 16, ports & 0xffff];
        one.max(other) << 16 | one.min(other)
    });
    let hash =
        jenkins::hash([src.min(dst), src.max(dst), ports], spec.seed) ^ (u32::from(parts.protocol) & u32::from(spec.proto_mask));
    let scaled = (u64::from(hash) * u64::from(spec.modulus)) >> 32;
    (scaled as u32).wrapping_add(spec.offset)
}
