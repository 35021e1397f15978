//! Packets for the tests, made by another implementation than the one under test.

use etherparse::PacketBuilder;
use packet::{Family, FamilyId, Header};
use proptest::prelude::*;

pub(crate) const L3: usize = packet::ether::HEADER_LEN;

/// What a built packet carries.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Tcp { sport: u16, dport: u16, seq: u32, syn: bool, mss: Option<(u16, usize)> },
    Udp { sport: u16, dport: u16 },
    Echo { id: u16, seq: u16 },
}

pub(crate) fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        (any::<u16>(), any::<u16>(), any::<u32>(), any::<bool>(), proptest::option::of((any::<u16>(), 0usize..3)))
            .prop_map(|(sport, dport, seq, syn, mss)| Payload::Tcp { sport, dport, seq, syn, mss }),
        (any::<u16>(), any::<u16>()).prop_map(|(sport, dport)| Payload::Udp { sport, dport }),
        (any::<u16>(), any::<u16>()).prop_map(|(id, seq)| Payload::Echo { id, seq }),
    ]
}

/// A frame of family `F` with this payload and data. Addresses are taken from the low bytes for IPv4.
pub(crate) fn frame<F: Family>(src: [u8; 16], dst: [u8; 16], ttl: u8, payload: &Payload, data: &[u8]) -> Vec<u8> {
    let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let ip = match F::ID {
        FamilyId::Ipv4 => link.ipv4(src[..4].try_into().unwrap(), dst[..4].try_into().unwrap(), ttl),
        FamilyId::Ipv6 => link.ipv6(src, dst, ttl),
    };
    let mut out = Vec::new();
    match *payload {
        Payload::Tcp { sport, dport, seq, syn, mss } => {
            let mut tcp = ip.tcp(sport, dport, seq, 1000);
            if syn {
                tcp = tcp.syn();
            } else {
                tcp = tcp.ack(seq ^ 0x5555);
            }
            if let Some((mss, nops)) = mss {
                let mut options = vec![1; nops];
                options.extend([2, 4]);
                options.extend(mss.to_be_bytes());
                tcp = tcp.options_raw(&options).unwrap();
            }
            tcp.write(&mut out, data).unwrap();
        }
        Payload::Udp { sport, dport } => ip.udp(sport, dport).write(&mut out, data).unwrap(),
        Payload::Echo { id, seq } => match F::ID {
            FamilyId::Ipv4 => ip.icmpv4_echo_request(id, seq).write(&mut out, data).unwrap(),
            FamilyId::Ipv6 => ip.icmpv6_echo_request(id, seq).write(&mut out, data).unwrap(),
        },
    }
    out
}

/// Parses a frame that holds one packet.
pub(crate) fn parse<F: Family>(frame: &[u8]) -> Header<F> {
    packet::parse::ip::<F>(frame, L3, frame.len() - L3).unwrap()
}
