//! `HMARK`: one of so many marks, by Bob Jenkins' lookup3 (public domain) of what is chosen of a packet.

use std::net::IpAddr;

use packet::family::Addr;
use packet::hashed::{self, Hashed};
use packet::{Family, Header, Tuple, TupleL4};
use rules::targets::Hmark;

/// What is chosen, and of how many marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Bits that count of the source and the destination, as an IPv4 address.
    pub addresses: [u32; 2],
    /// Bits that count of both ports, the source's above.
    pub ports: u32,
    /// Those that are set in them.
    pub set: u32,
    /// Bits that count of the protocol.
    pub protocol: u16,
    /// Turns the hash about.
    pub seed: u32,
    /// How many marks there are.
    pub modulus: u32,
    /// The first one.
    pub offset: u32,
}

impl From<&Hmark> for Spec {
    fn from(test: &Hmark) -> Self {
        let mask = |len: Option<u8>| len.map_or(0, |len| u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0));
        let pair = |src: Option<u16>, dst: Option<u16>| u32::from(src.unwrap_or(0)) * 65536 + u32::from(dst.unwrap_or(0));
        Self {
            addresses: [mask(test.src_prefix), mask(test.dst_prefix)],
            ports: test.spi_mask.unwrap_or_else(|| pair(test.sport_mask, test.dport_mask)),
            set: test.spi.unwrap_or_else(|| pair(test.sport, test.dport)),
            protocol: test.proto_mask.unwrap_or(0),
            seed: test.rnd,
            modulus: test.modulus,
            offset: test.offset.unwrap_or(0),
        }
    }
}

/// What a mark is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    addresses: [u32; 2],
    ports: Option<u32>,
    protocol: u8,
}

fn ipv4(address: impl Addr) -> u32 {
    match address.to_ip() {
        IpAddr::V4(address) => address.to_bits(),
        IpAddr::V6(_) => unreachable!("the model's cases are IPv4"),
    }
}

impl Fields {
    /// Those of a packet.
    pub fn of_packet<F: Family>(bytes: &[u8], header: &Header<F>) -> Option<Self> {
        let packet = bytes.get(usize::from(header.l3)..)?;
        let packet = &packet[..packet.len().min(header.len as usize)];
        let Hashed { src, dst, protocol, ports } = hashed::fields::<F>(packet)?;
        Some(Self { addresses: [ipv4(src), ipv4(dst)], ports, protocol })
    }

    /// Those of a connection: the source of its first packet, and that of the answers.
    pub fn of_connection<F: Family>(there: &Tuple<F>, back: &Tuple<F>) -> Self {
        let own = |l4| match l4 {
            TupleL4::Ports { src, .. } | TupleL4::Calls { src, .. } => src,
            TupleL4::Icmp { id, .. } => id,
            TupleL4::Other => 0,
        };
        let ports = u32::from(own(there.l4)) * 65536 + u32::from(own(back.l4));
        let ports = (there.protocol != 1).then_some(ports);
        Self { addresses: [ipv4(there.src), ipv4(back.src)], ports, protocol: there.protocol }
    }
}

/// The mark.
pub fn mark(spec: &Spec, fields: &Fields) -> u32 {
    let mut addresses = [fields.addresses[0] & spec.addresses[0], fields.addresses[1] & spec.addresses[1]];
    addresses.sort();
    let mut ports = [0u32; 2];
    if let Some(both) = fields.ports {
        let both = both & spec.ports | spec.set;
        ports = [both / 65536, both % 65536];
        ports.sort();
    }
    let hash = crate::cluster::lookup3([addresses[0], addresses[1], ports[1] * 65536 + ports[0]], 12, spec.seed);
    let hash = hash ^ u32::from(u16::from(fields.protocol) & spec.protocol);
    (((u64::from(hash) * u64::from(spec.modulus)) >> 32) as u32).wrapping_add(spec.offset)
}
