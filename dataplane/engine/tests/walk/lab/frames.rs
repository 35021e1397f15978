//! Frames for tests, made and read by another implementation than the one under test.

use std::net::{Ipv4Addr, SocketAddrV4};

use etherparse::{
    Ethernet2Header, Icmpv4Type, IpNumber, Ipv4Header, Ipv4HeaderSlice, NetSlice, PacketBuilder, SlicedPacket, TcpHeader,
    TransportSlice, icmpv4,
};

/// What stands behind the IP header.
#[derive(Clone, Debug)]
enum Upper {
    Tcp { sport: u16, dport: u16, flags: &'static str, seq: u32, ack: u32 },
    Udp { sport: u16, dport: u16 },
    Icmp(Icmpv4Type),
    Other(u8),
}

/// One packet to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    src: Ipv4Addr,
    dst: Ipv4Addr,
    ttl: u8,
    tos: u8,
    id: u16,
    df: bool,
    upper: Upper,
    data: Vec<u8>,
}

fn socket(text: &str) -> (Ipv4Addr, u16) {
    let socket: SocketAddrV4 = text.parse().expect("an address and a port");
    (*socket.ip(), socket.port())
}

fn packet(src: Ipv4Addr, dst: Ipv4Addr, upper: Upper) -> Packet {
    Packet { src, dst, ttl: 64, tos: 0, id: 7, df: false, upper, data: Vec::new() }
}

/// A TCP segment; flags are letters of `SAFRPU`.
pub(crate) fn tcp(src: &str, dst: &str, flags: &'static str) -> Packet {
    let ((src, sport), (dst, dport)) = (socket(src), socket(dst));
    packet(src, dst, Upper::Tcp { sport, dport, flags, seq: 1000, ack: if flags.contains('A') { 5001 } else { 0 } })
}

/// A UDP datagram.
pub(crate) fn udp(src: &str, dst: &str) -> Packet {
    let ((src, sport), (dst, dport)) = (socket(src), socket(dst));
    packet(src, dst, Upper::Udp { sport, dport })
}

/// An ICMP message.
pub(crate) fn icmp(src: &str, dst: &str, message: Icmpv4Type) -> Packet {
    let address = |text: &str| text.parse().expect("an address");
    packet(address(src), address(dst), Upper::Icmp(message))
}

/// An echo request with this identifier.
pub(crate) fn ping(src: &str, dst: &str, id: u16) -> Packet {
    icmp(src, dst, Icmpv4Type::EchoRequest(etherparse::IcmpEchoHeader { id, seq: 1 }))
}

/// An echo reply with this identifier.
pub(crate) fn pong(src: &str, dst: &str, id: u16) -> Packet {
    icmp(src, dst, Icmpv4Type::EchoReply(etherparse::IcmpEchoHeader { id, seq: 1 }))
}

/// A packet of another protocol.
pub(crate) fn other(src: &str, dst: &str, protocol: u8) -> Packet {
    let address = |text: &str| text.parse().expect("an address");
    packet(address(src), address(dst), Upper::Other(protocol))
}

impl Packet {
    pub(crate) fn ttl(self, ttl: u8) -> Self {
        Self { ttl, ..self }
    }

    pub(crate) fn tos(self, tos: u8) -> Self {
        Self { tos, ..self }
    }

    pub(crate) fn df(self) -> Self {
        Self { df: true, ..self }
    }

    pub(crate) fn numbers(mut self, new_seq: u32, new_ack: u32) -> Self {
        if let Upper::Tcp { seq, ack, .. } = &mut self.upper {
            (*seq, *ack) = (new_seq, new_ack);
        }
        self
    }

    /// This many bytes of data, none like its neighbour.
    pub(crate) fn data(self, len: usize) -> Self {
        Self { data: (0..len).map(|i| (i * 7 + i / 256) as u8).collect(), ..self }
    }

    /// These bytes as data.
    pub(crate) fn bytes(self, data: &[u8]) -> Self {
        Self { data: data.into(), ..self }
    }

    /// The frame, to a station that is filled in when it is sent.
    pub(crate) fn frame(&self) -> Vec<u8> {
        let mut ip = Ipv4Header {
            time_to_live: self.ttl,
            source: self.src.octets(),
            destination: self.dst.octets(),
            identification: self.id,
            dont_fragment: self.df,
            ..Ipv4Header::default()
        };
        ip.dscp = (self.tos >> 2).try_into().expect("six bits");
        ip.ecn = (self.tos & 3).try_into().expect("two bits");
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 0x99], [0; 6])
            .ip(etherparse::IpHeaders::Ipv4(ip, etherparse::Ipv4Extensions::default()));
        let mut frame = Vec::new();
        match &self.upper {
            Upper::Tcp { sport, dport, flags, seq, ack } => {
                let mut header = TcpHeader::new(*sport, *dport, *seq, 64_000);
                header.acknowledgment_number = *ack;
                for flag in flags.chars() {
                    match flag {
                        'S' => header.syn = true,
                        'A' => header.ack = true,
                        'F' => header.fin = true,
                        'R' => header.rst = true,
                        'P' => header.psh = true,
                        'U' => header.urg = true,
                        other => panic!("no flag {other}"),
                    }
                }
                builder.tcp_header(header).write(&mut frame, &self.data)
            }
            Upper::Udp { sport, dport } => builder.udp(*sport, *dport).write(&mut frame, &self.data),
            Upper::Icmp(message) => builder.icmpv4(message.clone()).write(&mut frame, &self.data),
            Upper::Other(protocol) => builder.write(&mut frame, IpNumber(*protocol), &self.data),
        }
        .expect("a packet that fits");
        frame
    }
}

/// What a frame is, in a line: addresses and ports, protocol, and what is unusual about it. Wrong checksums are said.
pub(crate) fn describe(frame: &[u8]) -> String {
    let sliced = match SlicedPacket::from_ethernet(frame) {
        Ok(sliced) => sliced,
        Err(error) => return format!("not a packet: {error}"),
    };
    let Some(NetSlice::Ipv4(ip)) = &sliced.net else {
        let ethernet = Ethernet2Header::from_slice(frame).expect("an Ethernet header").0;
        return format!("ethertype {:04x}", ethernet.ether_type.0);
    };
    let header = ip.header();
    let mut line = one_packet(&header, &sliced.transport);
    let mut say = |text: String| line.push_str(&text);
    if header.ttl() != 64 {
        say(format!(" ttl {}", header.ttl()));
    }
    let tos = header.slice()[1];
    if tos != 0 {
        say(format!(" tos {tos:#04x}"));
    }
    if header.more_fragments() || header.fragments_offset().value() != 0 {
        let end = if header.more_fragments() { "+" } else { "" };
        say(format!(" fragment {}{end}", header.fragments_offset().value() * 8));
    }
    if !ip_checksum_is_right(&header) {
        say(" BAD IP CHECKSUM".into());
    }
    if !header.more_fragments() && !transport_checksum_is_right(&header, &sliced.transport) {
        say(" BAD CHECKSUM".into());
    }
    line
}

fn one_packet(header: &Ipv4HeaderSlice<'_>, transport: &Option<TransportSlice<'_>>) -> String {
    let (src, dst) = (header.source_addr(), header.destination_addr());
    match transport {
        Some(TransportSlice::Tcp(tcp)) => {
            let flags: String =
                [(tcp.syn(), 'S'), (tcp.ack(), 'A'), (tcp.fin(), 'F'), (tcp.rst(), 'R'), (tcp.psh(), 'P'), (tcp.urg(), 'U')]
                    .iter()
                    .filter(|(set, _)| *set)
                    .map(|(_, letter)| *letter)
                    .collect();
            format!("{src}:{} > {dst}:{} tcp {flags}", tcp.source_port(), tcp.destination_port())
        }
        Some(TransportSlice::Udp(udp)) => format!("{src}:{} > {dst}:{} udp", udp.source_port(), udp.destination_port()),
        Some(TransportSlice::Icmpv4(message)) => {
            let (kind, code) = (message.type_u8(), message.code_u8());
            let rest = message.bytes5to8();
            let head = format!("{src} > {dst} icmp {kind}/{code}");
            match kind {
                icmpv4::TYPE_ECHO_REPLY | icmpv4::TYPE_ECHO_REQUEST => {
                    format!("{head} id {}", u16::from_be_bytes([rest[0], rest[1]]))
                }
                icmpv4::TYPE_DEST_UNREACH if code == 4 => {
                    format!("{head} mtu {} [{}]", u16::from_be_bytes([rest[2], rest[3]]), quote(message.payload()))
                }
                icmpv4::TYPE_REDIRECT => format!("{head} to {} [{}]", Ipv4Addr::from(rest), quote(message.payload())),
                icmpv4::TYPE_PARAMETER_PROBLEM => format!("{head} at {} [{}]", rest[0], quote(message.payload())),
                icmpv4::TYPE_DEST_UNREACH | icmpv4::TYPE_TIME_EXCEEDED => format!("{head} [{}]", quote(message.payload())),
                _ => head,
            }
        }
        None => format!("{src} > {dst} proto {}", header.protocol().0),
        Some(_) => format!("{src} > {dst} unexpected"),
    }
}

/// The packet that an ICMP error quotes: its addresses, ports and TTL. Its checksums are checked as far as they are there.
fn quote(bytes: &[u8]) -> String {
    let Ok(header) = Ipv4HeaderSlice::from_slice(bytes) else { return "cut".into() };
    let bad = if ip_checksum_is_right(&header) { "" } else { " BAD IP CHECKSUM" };
    let (src, dst) = (header.source_addr(), header.destination_addr());
    let behind = &bytes[header.slice().len()..];
    let word = |at: usize| u16::from_be_bytes([behind[at], behind[at + 1]]);
    match header.protocol().0 {
        6 | 17 if behind.len() >= 4 => format!("{src}:{} > {dst}:{} ttl {}{bad}", word(0), word(2), header.ttl()),
        1 if behind.len() >= 8 => {
            format!("{src} > {dst} icmp {}/{} id {} ttl {}{bad}", behind[0], behind[1], word(4), header.ttl())
        }
        protocol => format!("{src} > {dst} proto {protocol} ttl {}{bad}", header.ttl()),
    }
}

fn ip_checksum_is_right(header: &Ipv4HeaderSlice<'_>) -> bool {
    etherparse::checksum::Sum16BitWords::new().add_slice(header.slice()).ones_complement() == 0
}

fn transport_checksum_is_right(ip: &Ipv4HeaderSlice<'_>, transport: &Option<TransportSlice<'_>>) -> bool {
    let (src, dst) = (ip.source(), ip.destination());
    match transport {
        Some(TransportSlice::Tcp(tcp)) => {
            tcp.to_header().calc_checksum_ipv4_raw(src, dst, tcp.payload()).is_ok_and(|sum| sum == tcp.checksum())
        }
        Some(TransportSlice::Udp(udp)) => {
            udp.checksum() == 0
                || udp.to_header().calc_checksum_ipv4_raw(src, dst, udp.payload()).is_ok_and(|sum| sum == udp.checksum())
        }
        Some(TransportSlice::Icmpv4(message)) => {
            etherparse::checksum::Sum16BitWords::new().add_slice(message.slice()).ones_complement() == 0
        }
        _ => true,
    }
}

/// What a TCP segment or datagram carries: for TCP its numbers first; then its data as text. Wrong checksums are said.
pub(crate) fn said(frame: &[u8]) -> String {
    let bad = if describe(frame).contains("BAD") { "BAD CHECKSUM " } else { "" };
    match SlicedPacket::from_ethernet(frame).ok().and_then(|sliced| sliced.transport) {
        Some(TransportSlice::Tcp(tcp)) => {
            let text = String::from_utf8_lossy(tcp.payload()).into_owned();
            format!("{bad}{} {} {}", tcp.sequence_number(), tcp.acknowledgment_number(), text.trim_end())
        }
        Some(TransportSlice::Udp(udp)) => format!("{bad}{}", String::from_utf8_lossy(udp.payload())),
        _ => describe(frame),
    }
}
