//! The packets: 60 bytes, which are 64 on the wire, with right checksums, written straight into the buffer that is sent.

use std::net::Ipv4Addr;

use micro::frames;
use packet::checksum::{fold, partial};
use packet::{Ipv4, Tuple, TupleL4, protocol};

/// The box's own address outside, behind which clients can be hidden.
pub const BOX_OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// Bytes of a frame.
pub const FRAME: usize = 60;

/// Clients: from 100.64.0.0 on.
const CLIENTS: u32 = 0x6440_0000;
/// Flows of each.
pub const FLOWS_OF_A_CLIENT: u32 = 64;
/// Servers: from 198.18.0.0 on, each for as many flows as there are [`PORTS`]: a port of the box is never wanted twice for one server.
const SERVERS: u32 = 0xc612_0000;
const PORTS: u32 = 32_768;
/// Where the servers listen.
const SERVICE: u16 = 443;
/// Initial sequence numbers of both ends.
const CLIENT_ISN: u32 = 1000;
const SERVER_ISN: u32 = 5000;

/// Flags of TCP.
const SYN: u16 = 0x02;
const ACK: u16 = 0x10;
const PUSH: u16 = 0x08;
/// Length of a TCP header without options, in the word that has the flags.
const BARE: u16 = 5 << 12;

/// Where the fields are in a frame without options.
const IP: usize = 14;
const IP_SUM: usize = 24;
const SRC: usize = 26;
const DST: usize = 30;
const L4: usize = 34;
const SEQ: usize = 38;
const FLAGS: usize = 46;
const TCP_SUM: usize = 50;
const UDP_SUM: usize = 40;

/// Whose flow it is.
pub fn client(flow: u32) -> u32 {
    CLIENTS + flow / FLOWS_OF_A_CLIENT
}

/// Who sent a frame.
///
/// # Panics
/// When it is shorter than [`FRAME`].
pub fn sender(frame: &[u8]) -> u32 {
    word(frame, SRC)
}

fn word(frame: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(frame[at..at + 4].try_into().expect("four bytes"))
}

/// What differs between the packets of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    src: u32,
    dst: u32,
    sport: u16,
    dport: u16,
    seq: u32,
    ack: u32,
    flags: u16,
}

impl Fields {
    /// The first packet of a flow.
    pub fn first(flow: u32) -> Self {
        Self {
            src: client(flow),
            dst: SERVERS + flow / PORTS,
            sport: 1024 + (flow % PORTS) as u16,
            dport: SERVICE,
            seq: CLIENT_ISN,
            ack: 0,
            flags: SYN,
        }
    }

    /// The server's answer to it, by way of the box's own address when that stands for the client.
    pub fn answer(flow: u32, translated: bool) -> Self {
        let Self { src, dst, sport, dport, .. } = Self::first(flow);
        let client = if translated { u32::from(BOX_OUTSIDE) } else { src };
        Self { src: dst, dst: client, sport: dport, dport: sport, seq: SERVER_ISN, ack: CLIENT_ISN + 1, flags: SYN | ACK }
    }

    /// The server's answer to a first packet as it came out of the box, whoever that says that it is from.
    ///
    /// # Panics
    /// When the frame is shorter than [`FRAME`].
    pub fn answering(frame: &[u8]) -> Self {
        let half = |at: usize| u16::from_be_bytes(frame[at..at + 2].try_into().expect("two bytes"));
        Self {
            src: word(frame, DST),
            dst: word(frame, SRC),
            sport: half(L4 + 2),
            dport: half(L4),
            seq: SERVER_ISN,
            ack: CLIENT_ISN + 1,
            flags: SYN | ACK,
        }
    }

    /// The ends of a flow, in the direction in which it begins.
    pub fn tuple(&self) -> Tuple<Ipv4> {
        let l4 = TupleL4::Ports { src: self.sport, dst: self.dport };
        Tuple { src: self.src, dst: self.dst, protocol: protocol::TCP, l4 }
    }

    /// The first packet of somebody elsewhere.
    pub fn from(src: u32) -> Self {
        Self { src, ..Self::first(0) }
    }

    /// The client's next packet, so many bytes into what it says.
    pub fn data(flow: u32, position: u32) -> Self {
        Self { seq: CLIENT_ISN + 1 + position, ack: SERVER_ISN + 1, flags: PUSH | ACK, ..Self::first(flow) }
    }
}

/// A frame with its fields left open, and the sums over the rest of it.
pub struct Stamp {
    frame: [u8; FRAME],
    ip: u32,
    l4: u32,
    tcp: bool,
}

impl Stamp {
    /// Of TCP, or else of UDP.
    pub fn new(tcp: bool) -> Self {
        let (anybody, port) = (Ipv4Addr::UNSPECIFIED, 0);
        let (made, sum, number) = if tcp {
            (frames::tcp((anybody, port), (anybody, port), FRAME - 54), TCP_SUM, protocol::TCP)
        } else {
            (frames::udp((anybody, port), (anybody, port), FRAME - 42), UDP_SUM, protocol::UDP)
        };
        let mut frame: [u8; FRAME] = made.try_into().expect("the payload fills it up");
        frame[IP_SUM..][..2].fill(0);
        frame[sum..][..2].fill(0);
        if tcp {
            frame[SEQ..FLAGS + 2].fill(0);
        }
        let ip = partial(&frame[IP..L4], 0);
        let l4 = partial(&frame[L4..], u32::from(number) + (FRAME - L4) as u32);
        Self { frame, ip, l4, tcp }
    }

    /// Writes a packet.
    pub fn write(&self, fields: &Fields, out: &mut [u8]) {
        let Fields { src, dst, sport, dport, seq, ack, flags } = *fields;
        out.copy_from_slice(&self.frame);
        out[SRC..][..4].copy_from_slice(&src.to_be_bytes());
        out[DST..][..4].copy_from_slice(&dst.to_be_bytes());
        out[L4..][..2].copy_from_slice(&sport.to_be_bytes());
        out[L4 + 2..][..2].copy_from_slice(&dport.to_be_bytes());
        let halves = |word: u32| (word >> 16) + (word & 0xffff);
        let addresses = halves(src) + halves(dst);
        let mut l4 = self.l4 + addresses + u32::from(sport) + u32::from(dport);
        if self.tcp {
            out[SEQ..][..4].copy_from_slice(&seq.to_be_bytes());
            out[SEQ + 4..][..4].copy_from_slice(&ack.to_be_bytes());
            out[FLAGS..][..2].copy_from_slice(&(BARE | flags).to_be_bytes());
            l4 += halves(seq) + halves(ack) + u32::from(BARE | flags);
        }
        let sum = if self.tcp { TCP_SUM } else { UDP_SUM };
        out[sum..][..2].copy_from_slice(&fold(l4).to_be_bytes());
        out[IP_SUM..][..2].copy_from_slice(&fold(self.ip + addresses).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stamped_is_what_a_library_makes() {
        for flow in [0, 63, 64, 40_000, 999_999] {
            let fields = Fields { flags: ACK, seq: 1, ack: 1, ..Fields::data(flow, 77) };
            let (src, dst) = ((fields.src.into(), fields.sport), (fields.dst.into(), fields.dport));
            let mut out = [0; FRAME];
            Stamp::new(true).write(&fields, &mut out);
            assert_eq!(out[..], frames::tcp(src, dst, FRAME - 54));
            Stamp::new(false).write(&fields, &mut out);
            assert_eq!(out[..], frames::udp(src, dst, FRAME - 42));
        }
    }

    #[test]
    fn an_answer_goes_back_to_where_the_first_packet_came_from() {
        let mut out = [0; FRAME];
        Stamp::new(true).write(&Fields::first(70_000), &mut out);
        assert_eq!(Fields::answering(&out), Fields::answer(70_000, false));
    }

    #[test]
    fn no_two_flows_want_one_port_of_the_box_for_one_server() {
        let ends: std::collections::HashSet<_> = (0..200_000).map(Fields::first).map(|fields| (fields.dst, fields.sport)).collect();
        assert_eq!(ends.len(), 200_000);
    }
}
