//! What of a packet HMARK makes a mark of (`xt_HMARK.c`): addresses, protocol, and the ports or the index of IPsec; of an ICMP error those of the packet that it
//! quotes.

use crate::bytes::read32;
use crate::family::{Addr, Family, FamilyId};
use crate::{icmp, icmp6, ipv4, ipv6, protocol};

/// The fields, as they stand in the packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hashed<F: Family> {
    /// Source address.
    pub src: F::Addr,
    /// Destination address.
    pub dst: F::Addr,
    /// Protocol, behind IPv6's extension headers; an authentication header is none of these.
    pub protocol: u8,
    /// Both ports, the source's first, or the security parameter index. ICMP and fragments have none.
    pub ports: Option<u32>,
}

/// The fields of a packet. In IPv6 all are 0 where extension headers break off.
///
/// `packet` begins at the IP header and ends where the packet does. `None` where an ICMP error quotes less than an IP header: such a packet gets no mark.
pub fn fields<F: Family>(packet: &[u8]) -> Option<Hashed<F>> {
    match F::ID {
        FamilyId::Ipv4 => ipv4_fields(packet),
        FamilyId::Ipv6 => ipv6_fields(packet),
    }
}

/// Of a header and what its packet carries.
fn of<F: Family>(ip: &[u8], protocol: u8, transport: Option<&[u8]>) -> Option<Hashed<F>> {
    let [src, dst] = [F::SRC_AT, F::DST_AT].map(|at| ip.get(at..).and_then(F::Addr::read));
    let at = match protocol {
        protocol::TCP | protocol::UDP | protocol::UDPLITE | protocol::SCTP | protocol::DCCP | protocol::ESP => Some(0),
        protocol::AH => Some(4),
        _ => None,
    };
    let ports = at.zip(transport).and_then(|(at, bytes)| read32(bytes, at));
    Some(Hashed { src: src?, dst: dst?, protocol, ports })
}

fn ipv4_fields<F: Family>(packet: &[u8]) -> Option<Hashed<F>> {
    let header_len = |ip: &[u8]| usize::from(ip[0] & 0xf) * 4;
    let mut ip = packet.get(..ipv4::HEADER_LEN).map(|_| packet)?;
    if ip[ipv4::PROTOCOL_AT] == protocol::ICMP {
        // A later fragment is read as if it began with the message.
        let message = ip.get(header_len(ip)..).and_then(<[u8]>::first_chunk::<{ icmp::HEADER_LEN }>);
        if message.is_some_and(|[kind, ..]| icmp::is_error::<crate::Ipv4>(*kind)) {
            ip = &ip[header_len(ip) + icmp::HEADER_LEN..];
            ip.get(..ipv4::HEADER_LEN)?;
        }
    }
    let protocol = ip[ipv4::PROTOCOL_AT];
    let is_fragment = u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff != 0;
    of(ip, protocol, ip.get(header_len(ip)..).filter(|_| !is_fragment))
}

fn ipv6_fields<F: Family>(packet: &[u8]) -> Option<Hashed<F>> {
    let Some(mut last) = ipv6::last(packet) else { return Some(Hashed::default()) };
    let mut ip = packet;
    if last.protocol == protocol::ICMPV6 && !last.is_fragment {
        let message = ip.get(last.at..).and_then(<[u8]>::first_chunk::<{ icmp::HEADER_LEN }>);
        if message.is_some_and(|[kind, ..]| *kind != 0 && icmp6::is_error(*kind)) {
            ip = &ip[last.at + icmp::HEADER_LEN..];
            ip.get(..ipv6::HEADER_LEN).filter(|ip| ip[0] >> 4 == 6)?;
            last = ipv6::last(ip)?;
        }
    }
    of(ip, last.protocol, ip.get(last.at..).filter(|_| !last.is_fragment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ipv4, Ipv6};

    fn ipv4(protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
        let mut ip = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        ip[6..8].copy_from_slice(&fragment.to_be_bytes());
        [&ip, payload].concat()
    }

    fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut ip = vec![0x60, 0, 0, 0, 0, payload.len() as u8, next, 64];
        ip.extend([0x20; 16].iter().chain(&[0x30; 16]));
        [&ip, payload].concat()
    }

    #[test]
    fn whole_packets_have_ports_and_pieces_have_none() {
        let ports = |fragment| fields::<Ipv4>(&ipv4(protocol::UDP, fragment, &[0, 7, 0, 9, 0, 8, 0, 0])).expect("a packet").ports;
        assert_eq!([0x4000, 0x2000, 1].map(ports), [Some(0x0007_0009), None, None]);
        let index = fields::<Ipv4>(&ipv4(protocol::AH, 0, &[6, 4, 0, 0, 0, 0, 1, 2])).expect("a packet");
        assert_eq!(index.ports, Some(0x102));
        assert_eq!(fields::<Ipv4>(&ipv4(protocol::TCP, 0, &[0, 7])).expect("a packet").ports, None, "cut short");
    }

    #[test]
    fn an_error_has_the_fields_of_what_it_quotes() {
        let quoted = ipv4(protocol::TCP, 0, &[0, 80, 1, 0]);
        let error = ipv4(protocol::ICMP, 0, &[&[3, 1, 0, 0, 0, 0, 0, 0][..], &quoted].concat());
        let found = fields::<Ipv4>(&error).expect("a packet");
        assert_eq!((found.protocol, found.ports), (protocol::TCP, Some(0x0050_0100)));
        assert_eq!(fields::<Ipv4>(&error[..40]), None, "less than a header");
        let echo = ipv4(protocol::ICMP, 0, &[&[8, 0, 0, 0, 0, 0, 0, 0][..], &quoted].concat());
        assert_eq!(fields::<Ipv4>(&echo).expect("a packet").protocol, protocol::ICMP);
    }

    #[test]
    fn extension_headers_are_passed_up_to_an_authentication_header() {
        let fields = |next, payload: &[u8]| fields::<Ipv6>(&ipv6(next, payload)).expect("a packet");
        let options = [protocol::UDP, 0, 1, 4, 0, 0, 0, 0, 0, 7, 0, 9];
        assert_eq!(fields(protocol::HOP_BY_HOP, &options).ports, Some(0x0007_0009));
        let ah = [protocol::UDP, 1, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 7, 0, 9];
        assert_eq!((fields(protocol::AH, &ah).protocol, fields(protocol::AH, &ah).ports), (protocol::AH, Some(0x102)));
        let broken = fields(protocol::HOP_BY_HOP, &[protocol::UDP, 200, 0, 0]);
        assert_eq!((broken.protocol, broken.ports), (protocol::UDP, None));
        assert_eq!(fields(protocol::HOP_BY_HOP, &[protocol::ROUTING, 200, 0, 0]), Hashed::default());
    }
}
