//! The box's own answers, field by field as the kernel sends them.

use crate::build::{L3, Payload, frame, parse};
use packet::reply::{self, IcmpError};
use packet::tcp::flags::{ACK, RST};
use packet::{Family, Ipv4, Ipv6, L4, checksum, icmp, set};

fn answer<F: Family>(packet: &[u8]) -> packet::Header<F> {
    let header = packet::parse::ip::<F>(packet, 0, packet.len()).unwrap();
    assert_eq!(header.len as usize, packet.len());
    assert!(checksum::l4_verify(&header, [packet]));
    header
}

fn tcp(syn: bool) -> Payload {
    Payload::Tcp { sport: 40000, dport: 80, seq: 1000, syn, mss: Some((1460, 0)) }
}

#[test]
fn a_syn_gets_a_reset_that_acknowledges_it() {
    let bytes = frame::<Ipv4>([10; 16], [11; 16], 9, &tcp(true), b"");
    let mut header = parse::<Ipv4>(&bytes);
    header.tos = 0x10;
    let mut out = [0xaa; 60];
    let len = reply::tcp_reset(&mut out, &header, 0).unwrap();
    assert_eq!(len, 40);
    let reset = answer::<Ipv4>(&out[..len]);
    assert_eq!((reset.src, reset.dst), (header.dst, header.src));
    assert_eq!((reset.ttl, reset.tos, reset.id, reset.dont_fragment), (64, 0, 0, true));
    let expected = L4::Tcp { sport: 80, dport: 40000, seq: 0, ack: 1001, flags: RST | ACK, window: 0, header_len: 20 };
    assert_eq!(reset.transport, expected);
}

#[test]
fn a_segment_with_ack_gets_a_reset_at_that_number() {
    let bytes = frame::<Ipv4>([10; 16], [11; 16], 9, &tcp(false), b"hello");
    let mut out = [0; 40];
    let len = reply::tcp_reset(&mut out, &parse::<Ipv4>(&bytes), 0).unwrap();
    let L4::Tcp { seq, ack, flags, .. } = answer::<Ipv4>(&out[..len]).transport else { panic!("not TCP") };
    assert_eq!((seq, ack, flags), (1000 ^ 0x5555, 0, RST));
}

#[test]
fn data_of_a_segment_without_ack_is_acknowledged() {
    let mut bytes = frame::<Ipv4>([10; 16], [11; 16], 9, &tcp(true), b"hello");
    bytes[L3 + 20 + 13] = 0x03;
    let mut out = [0; 40];
    reply::tcp_reset(&mut out, &parse::<Ipv4>(&bytes), 0).unwrap();
    let L4::Tcp { ack, .. } = answer::<Ipv4>(&out).transport else { panic!("not TCP") };
    assert_eq!(ack, 1000 + 5 + 2);
}

#[test]
fn no_reset_answers_a_reset_or_anything_but_tcp() {
    let mut bytes = frame::<Ipv4>([10; 16], [11; 16], 9, &tcp(true), b"");
    bytes[L3 + 20 + 13] = RST;
    assert_eq!(reply::tcp_reset(&mut [0; 40], &parse::<Ipv4>(&bytes), 0), None);
    let udp = frame::<Ipv4>([10; 16], [11; 16], 9, &Payload::Udp { sport: 1, dport: 2 }, b"");
    assert_eq!(reply::tcp_reset(&mut [0; 40], &parse::<Ipv4>(&udp), 0), None);
}

#[test]
fn an_error_quotes_up_to_576_bytes() {
    for size in [0, 100, 2000] {
        let bytes = frame::<Ipv4>([10; 16], [11; 16], 9, &Payload::Udp { sport: 1, dport: 2 }, &vec![5; size]);
        let mut header = parse::<Ipv4>(&bytes);
        header.tos = 0xff;
        let error = IcmpError::<Ipv4> { src: 0x0102_0304, kind: 3, code: 10, rest: 1500, id: 77 };
        let mut out = [0xaa; 600];
        // However the packet lies in memory.
        let segments = [&bytes[..20], &bytes[20..35], &bytes[35..]];
        let len = reply::icmp_error(&mut out, &error, &header, segments).unwrap();
        assert_eq!(len, (28 + bytes.len() - L3).min(576));
        let sent = answer::<Ipv4>(&out[..len]);
        assert_eq!((sent.src, sent.dst, sent.ttl, sent.tos, sent.id), (0x0102_0304, header.src, 64, 0xde, 77));
        assert!(!sent.dont_fragment);
        assert_eq!(sent.transport, L4::Icmp { kind: 3, code: 10, id: 0, seq: 1500 });
        assert_eq!(out[28..len], bytes[L3..L3 + len - 28]);
        let inner = icmp::inner(&out[..len], &sent).unwrap();
        assert_eq!(inner.ports(), Some((1, 2)));
    }
}

#[test]
fn ipv6_answers_carry_the_pseudo_header() {
    let bytes = frame::<Ipv6>([1; 16], [2; 16], 9, &tcp(true), &[0; 2000]);
    let header = parse::<Ipv6>(&bytes);
    let mut out = [0; 1400];
    let error = IcmpError::<Ipv6> { src: 9, kind: 1, code: 4, rest: 0, id: 0 };
    let len = reply::icmp_error(&mut out, &error, &header, [&bytes[..]]).unwrap();
    assert_eq!(len, 1280);
    assert!(icmp::inner(&out[..len], &answer::<Ipv6>(&out[..len])).is_some());
    let len = reply::tcp_reset(&mut out, &header, 0).unwrap();
    assert_eq!(answer::<Ipv6>(&out[..len]).ttl, 64);
}

#[test]
fn errors_and_later_fragments_get_no_error() {
    let mut bytes = frame::<Ipv4>([10; 16], [11; 16], 9, &Payload::Echo { id: 1, seq: 2 }, b"ping");
    assert!(reply::may_send_error(&parse::<Ipv4>(&bytes), &bytes));
    for kind in [3, 4, 5, 11, 12, 19, 255] {
        bytes[L3 + 20] = kind;
        assert!(!reply::may_send_error(&parse::<Ipv4>(&bytes), &bytes), "type {kind}");
    }
    let mut header = parse::<Ipv4>(&bytes);
    set::ipv4_fragment(&mut bytes, &mut header, 8, false).unwrap();
    assert!(!reply::may_send_error(&parse::<Ipv4>(&bytes), &bytes));
}

#[test]
fn later_fragments_of_ipv6_may_get_an_error() {
    for of in [17, 58] {
        let mut bytes = frame::<Ipv6>([1; 16], [2; 16], 9, &Payload::Udp { sport: 1, dport: 2 }, b"");
        bytes[L3 + 6] = 44;
        bytes[L3 + 40..].copy_from_slice(&[of, 0, 0, 9, 0, 0, 0, 1]);
        assert!(reply::may_send_error(&parse::<Ipv6>(&bytes), &bytes), "of protocol {of}");
    }
}

#[test]
fn an_icmp_header_that_is_cut_may_get_an_error_if_its_type_is_there() {
    let whole = frame::<Ipv4>([10; 16], [11; 16], 9, &Payload::Echo { id: 1, seq: 2 }, b"");
    for (len, kind, may) in [(0, 8, false), (1, 8, true), (4, 8, true), (4, 3, false)] {
        let mut bytes = whole[..L3 + 20 + len].to_vec();
        bytes[L3 + 2..L3 + 4].copy_from_slice(&(20 + len as u16).to_be_bytes());
        bytes[L3 + 10..L3 + 12].fill(0);
        let check = packet::checksum::ipv4_header(&bytes[L3..L3 + 20]);
        bytes[L3 + 10..L3 + 12].copy_from_slice(&check.to_be_bytes());
        if let Some(first) = bytes.get_mut(L3 + 20) {
            *first = kind;
        }
        assert_eq!(reply::may_send_error(&parse::<Ipv4>(&bytes), &bytes), may, "{len} bytes of type {kind}");
    }
}

#[test]
fn a_wrong_checksum_gets_no_answer() {
    let mut bytes = frame::<Ipv4>([10; 16], [11; 16], 9, &Payload::Udp { sport: 1, dport: 2 }, b"data");
    let header = parse::<Ipv4>(&bytes);
    assert!(reply::checksum_allows(&header, [&bytes[..]]));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert!(!reply::checksum_allows(&header, [&bytes[..]]));
    set::l4_checksum(&mut bytes, &header, 0).unwrap();
    assert!(reply::checksum_allows(&header, [&bytes[..]]), "no checksum at all is right");
    let mut first = packet::Header { fragment: packet::Fragment::First, ..header };
    bytes[L3 + 27] = 1;
    assert!(!reply::checksum_allows(&first, [&bytes[..]]), "a first fragment never sums up");
    first.protocol = packet::protocol::SCTP;
    assert!(reply::checksum_allows(&first, [&bytes[..]]), "SCTP's checksum is of another kind");
}
