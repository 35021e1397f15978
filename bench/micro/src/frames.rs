//! Ethernet frames, whole and with right checksums.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::PacketBuilder;

/// Link address of the sender.
pub const SENDER: [u8; 6] = [2, 0, 0, 0, 0, 10];
/// Link address of the box.
pub const BOX: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// A UDP frame of `payload` bytes of data.
pub fn udp(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16), payload: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(SENDER, BOX).ipv4(src.0.octets(), dst.0.octets(), 64).udp(src.1, dst.1);
    let mut frame = Vec::new();
    builder.write(&mut frame, &vec![0x5a; payload]).expect("a Vec takes every frame");
    frame
}

/// The same, by IPv6.
pub fn udp6(src: (Ipv6Addr, u16), dst: (Ipv6Addr, u16), payload: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(SENDER, BOX).ipv6(src.0.octets(), dst.0.octets(), 64).udp(src.1, dst.1);
    let mut frame = Vec::new();
    builder.write(&mut frame, &vec![0x5a; payload]).expect("a Vec takes every frame");
    frame
}

/// A TCP frame with ACK set and `payload` bytes of data.
pub fn tcp(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16), payload: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(SENDER, BOX).ipv4(src.0.octets(), dst.0.octets(), 64).tcp(src.1, dst.1, 1, 1024).ack(1);
    let mut frame = Vec::new();
    builder.write(&mut frame, &vec![0x5a; payload]).expect("a Vec takes every frame");
    frame
}
