//! What is read from packets that another implementation built, and that no bytes at all make a reader panic.

use crate::build::{L3, Payload, frame, parse, payload};
use packet::{
    Family, Fragment, Header, Ipv4, Ipv6, L4, L4Fault, ParseError, Tuple, TupleL4, checksum, icmp, options, parse as read, set,
};
use proptest::prelude::*;

fn reads_back<F: Family>(src: [u8; 16], dst: [u8; 16], payload: &Payload, data: &[u8]) -> Result<(), TestCaseError> {
    let bytes = frame::<F>(src, dst, 64, payload, data);
    let ethernet = read::ethernet(&bytes).unwrap();
    prop_assert_eq!(ethernet.ethertype, F::ETHERTYPE);
    let header = parse::<F>(&bytes);
    prop_assert_eq!(Some(header.src), packet::family::Addr::read(&src));
    prop_assert_eq!(Some(header.dst), packet::family::Addr::read(&dst));
    prop_assert_eq!(header.len as usize, bytes.len() - L3);
    prop_assert_eq!(header.ttl, 64);
    prop_assert_eq!(header.l4_fault(), None);
    prop_assert_eq!(header.fragment, Fragment::Whole);
    prop_assert!(checksum::l4_verify(&header, [&bytes[..]]));
    match (payload, header.transport) {
        (&Payload::Tcp { sport, dport, seq, syn, mss }, L4::Tcp { sport: s, dport: d, seq: q, flags, .. }) => {
            prop_assert_eq!((sport, dport, seq), (s, d, q));
            prop_assert_eq!(flags, if syn { 0x02 } else { 0x10 });
            prop_assert_eq!(header.tcp_data_len(), Some(data.len() as u32));
            let list = options::tcp::bytes(&bytes, &header).unwrap();
            prop_assert_eq!(options::tcp::mss(list), mss.map(|(value, nops)| (nops, value)));
        }
        (&Payload::Udp { sport, dport }, L4::Udp { sport: s, dport: d, len }) => {
            prop_assert_eq!((sport, dport, data.len() as u16 + 8), (s, d, len));
        }
        (&Payload::Echo { id, seq }, L4::Icmp { kind, code, id: i, seq: q }) => {
            prop_assert_eq!((id, seq, code), (i, q, 0));
            prop_assert!(icmp::inverse::<F>(kind).is_some());
        }
        other => return Err(TestCaseError::fail(format!("{other:?}"))),
    }
    Ok(())
}

/// The quick reading takes what is plain, and whatever it takes of packets in which one byte is another is what the careful one says.
fn plain_is_ip<F: Family>(payload: &Payload, data: &[u8], at: usize, byte: u8, mend: bool) -> Result<(), TestCaseError> {
    let mut bytes = frame::<F>([10; 16], [11; 16], 64, payload, data);
    let is_plain = matches!(payload, Payload::Tcp { .. } | Payload::Udp { .. });
    prop_assert_eq!(read::plain::<F>(&bytes[L3..], L3 as u16), is_plain.then(|| parse::<F>(&bytes)));
    // What the frame holds behind its packet is none of it.
    bytes.extend([7; 9]);
    let at = L3 + at % (bytes.len() - L3);
    bytes[at] = byte;
    if mend && F::HEADER_LEN == 20 {
        let check = checksum::ipv4_header(&bytes[L3..L3 + 20]);
        bytes[L3 + 10..L3 + 12].copy_from_slice(&check.to_be_bytes());
    }
    if let Some(header) = read::plain::<F>(&bytes[L3..], L3 as u16) {
        prop_assert_eq!(read::ip::<F>(&bytes, L3, bytes.len() - L3), Ok(header));
    }
    for cut in L3..bytes.len() {
        if let Some(header) = read::plain::<F>(&bytes[L3..cut], L3 as u16) {
            prop_assert_eq!(read::ip::<F>(&bytes[..cut], L3, cut - L3), Ok(header));
        }
    }
    Ok(())
}

/// Asks for all that can be asked of `bytes`; there is nothing to see but that it returns.
fn survives<F: Family>(bytes: &[u8], l3: usize, packet_len: usize) {
    let need = read::need::<F>(bytes, l3, packet_len);
    assert!(need <= l3 + packet_len);
    let _ = read::ethernet(bytes);
    let Ok(mut header) = read::ip::<F>(bytes, l3, packet_len) else { return };
    assert!(header.len as usize <= packet_len);
    ask_all(bytes, &header);
    let mut copy = bytes.to_vec();
    if let Some(mut inner) = icmp::inner(bytes, &header) {
        ask_all(bytes, &inner);
        set::quoted(&mut copy, &header, &mut inner, |head, inner| set_all(head, inner));
    }
    set_all(&mut copy, &mut header);
    let mut out = [0; 1280];
    let error = packet::reply::IcmpError::<F> { src: header.dst, kind: 3, code: 0, rest: 0, id: 1 };
    let _ = packet::reply::icmp_error(&mut out, &error, &header, [bytes]);
    let _ = packet::reply::tcp_reset(&mut out, &header, 0);
    let _ = packet::reply::checksum_allows(&header, [bytes]);
}

fn ask_all<F: Family>(bytes: &[u8], header: &Header<F>) {
    let _ = (header.l4_fault(), header.tcp_data_len(), header.ports());
    let _ = Tuple::of(header).and_then(|t| t.invert()).map(|t| t.xor_words());
    let _ = checksum::l4_verify(header, [bytes]);
    let _ = checksum::l4_compute(header, [bytes]);
    if let Some(list) = options::tcp::bytes(bytes, header) {
        let _ = (options::tcp::TcpOptions::read(list), options::tcp::contains(list, 7));
    }
    if let Some(list) = options::ip::bytes(bytes, header) {
        let _ = options::ip::check(list);
    }
}

fn set_all<F: Family>(head: &mut [u8], header: &mut Header<F>) {
    let _ = set::src(head, header, F::Addr::default());
    let _ = set::dst(head, header, F::Addr::default());
    let _ = (set::sport(head, header, 1), set::dport(head, header, 2), set::icmp_id(head, header, 3));
    let _ = (set::ttl(head, header, 1), set::tos(head, header, 2), set::mss(head, header, 3));
    let _ = (set::tcp_seq(head, header, 1), set::tcp_ack(head, header, 2), set::l4_checksum(head, header, 3));
    let _ = (set::ipv4_id(head, header, 1), set::ipv4_fragment(head, header, 16, true), set::ipv4_total_len(head, header, 9));
}

/// Bytes that look like an IPv4 packet more often than chance would have it: version, length and checksum are right.
fn nearly_ipv4() -> impl Strategy<Value = Vec<u8>> {
    (
        proptest::collection::vec(any::<u8>(), 34..160),
        5u8..16,
        proptest::sample::select(vec![1u8, 6, 17, 33, 47, 132, 136]),
        any::<bool>(),
    )
        .prop_map(|(mut bytes, words, protocol, whole)| {
            let len = bytes.len() - L3;
            let header_len = usize::from(words) * 4;
            bytes[L3] = 0x40 | words;
            bytes[L3 + 2..L3 + 4].copy_from_slice(&(len as u16).to_be_bytes());
            if whole {
                bytes[L3 + 6..L3 + 8].fill(0);
            }
            bytes[L3 + 9] = protocol;
            if header_len <= len {
                let check = checksum::ipv4_header(&bytes[L3..L3 + header_len]);
                bytes[L3 + 10..L3 + 12].copy_from_slice(&check.to_be_bytes());
                if protocol == 1 && header_len + 40 < len {
                    bytes[L3 + header_len] = 3;
                    bytes[L3 + header_len + 8] = 0x45;
                }
            }
            bytes
        })
}

proptest! {
    #[test]
    fn fields_of_ipv4(src: [u8; 16], dst: [u8; 16], payload in payload(), data in proptest::collection::vec(any::<u8>(), 0..200)) {
        reads_back::<Ipv4>(src, dst, &payload, &data)?;
    }

    #[test]
    fn fields_of_ipv6(src: [u8; 16], dst: [u8; 16], payload in payload(), data in proptest::collection::vec(any::<u8>(), 0..200)) {
        reads_back::<Ipv6>(src, dst, &payload, &data)?;
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), l3 in 0usize..220, more in 0usize..100) {
        let packet_len = bytes.len().saturating_sub(l3) + more;
        survives::<Ipv4>(&bytes, l3, packet_len);
        survives::<Ipv6>(&bytes, l3, packet_len);
    }

    #[test]
    fn nearly_right_packets_never_panic(bytes in nearly_ipv4(), cut in 0usize..160) {
        survives::<Ipv4>(&bytes, L3, bytes.len() - L3);
        // The head holds only the first bytes of the packet.
        let head = &bytes[..cut.min(bytes.len())];
        survives::<Ipv4>(head, L3, bytes.len() - L3);
    }

    #[test]
    fn nearly_right_ipv6_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 54..200), chain in proptest::collection::vec(
        proptest::sample::select(vec![0u8, 43, 44, 51, 60, 58, 6]), 1..6), cut in 0usize..200) {
        bytes[L3] = 0x60;
        let len = bytes.len() - L3 - 40;
        bytes[L3 + 4..L3 + 6].copy_from_slice(&(len as u16).to_be_bytes());
        bytes[L3 + 6] = chain[0];
        for (i, next) in chain[1..].iter().enumerate() {
            if let Some(place) = bytes.get_mut(L3 + 40 + i * 8..L3 + 42 + i * 8) {
                place.copy_from_slice(&[*next, 0]);
            }
        }
        survives::<Ipv6>(&bytes, L3, bytes.len() - L3);
        survives::<Ipv6>(&bytes[..cut.min(bytes.len())], L3, bytes.len() - L3);
    }

    #[test]
    fn plain_packets_are_read_as_all_are(payload in payload(), data in proptest::collection::vec(any::<u8>(), 0..40),
        at in 0usize..48, byte: u8, mend: bool) {
        plain_is_ip::<Ipv4>(&payload, &data, at, byte, mend)?;
        plain_is_ip::<Ipv6>(&payload, &data, at, byte, mend)?;
    }

    /// Pulling up what is asked for, again and again, ends with headers that can be read.
    #[test]
    fn need_is_enough(payload in payload(), data in proptest::collection::vec(any::<u8>(), 0..300)) {
        let bytes = frame::<Ipv4>([10; 16], [11; 16], 64, &payload, &data);
        let len = bytes.len() - L3;
        let mut have = 0;
        loop {
            let need = read::need::<Ipv4>(&bytes[..have], L3, len);
            if need <= have {
                break;
            }
            have = need;
        }
        prop_assert_eq!(read::ip::<Ipv4>(&bytes[..have], L3, len), Ok(parse::<Ipv4>(&bytes)));
    }
}

fn udp() -> Vec<u8> {
    frame::<Ipv4>([10; 16], [11; 16], 64, &Payload::Udp { sport: 1, dport: 2 }, b"0123456789abcdef")
}

fn with(mut bytes: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    change(&mut bytes[L3..]);
    let words = usize::from(bytes[L3] & 15).max(5) * 4;
    let check = checksum::ipv4_header(&bytes[L3..L3 + words]);
    bytes[L3 + 10..L3 + 12].copy_from_slice(&check.to_be_bytes());
    bytes
}

fn fault(bytes: &[u8]) -> Option<ParseError> {
    read::ip::<Ipv4>(bytes, L3, bytes.len() - L3).err()
}

#[test]
fn what_the_kernel_drops_at_input_is_refused_by_name() {
    let mut bad_sum = udp();
    bad_sum[L3 + 10] ^= 1;
    assert_eq!(fault(&bad_sum), Some(ParseError::HeaderChecksum));
    assert_eq!(fault(&with(udp(), |ip| ip[0] = 0x65)), Some(ParseError::Version));
    assert_eq!(fault(&with(udp(), |ip| ip[0] = 0x44)), Some(ParseError::HeaderLength));
    assert_eq!(fault(&with(udp(), |ip| ip[3] += 1)), Some(ParseError::TotalLength));
    assert_eq!(fault(&with(udp(), |ip| ip[3] = 19)), Some(ParseError::TotalLength));
    assert_eq!(fault(&udp()[..L3 + 19]), Some(ParseError::HeaderTruncated));
    assert_eq!(fault(&with(udp(), |ip| ip[6] = 0x80)), None, "the reserved flag passes");
}

#[test]
fn padding_is_not_part_of_the_packet() {
    let mut padded = udp();
    let len = padded.len() - L3;
    padded.extend([0xaa; 20]);
    let header = parse::<Ipv4>(&padded);
    assert_eq!(header.len as usize, len);
    assert!(checksum::l4_verify(&header, [&padded[..]]));
}

#[test]
fn fragments_are_told_apart() {
    let at = |word: u16| {
        let bytes = with(udp(), |ip| ip[6..8].copy_from_slice(&word.to_be_bytes()));
        let header = parse::<Ipv4>(&bytes);
        (header.fragment, matches!(header.transport, L4::Absent))
    };
    assert_eq!(at(0x4000), (Fragment::Whole, false));
    assert_eq!(at(0x2000), (Fragment::First, false));
    assert_eq!(at(0x2001), (Fragment::Later(8), true));
    assert_eq!(at(0x1fff), (Fragment::Later(65528), true));
}

#[test]
fn cut_transport_headers_are_truncated() {
    for (protocol, least) in [(6u8, 20usize), (17, 8), (1, 8), (132, 12), (136, 8)] {
        for len in [0, least - 1, least] {
            let bytes = vec![0u8; L3 + 20 + len];
            let bytes = with(bytes, |ip| {
                ip[0] = 0x45;
                ip[3] = 20 + len as u8;
                ip[9] = protocol;
            });
            let header = parse::<Ipv4>(&bytes);
            assert_eq!(matches!(header.transport, L4::Truncated { .. }), len < least, "protocol {protocol}, {len} bytes");
            assert_eq!(Tuple::of(&header).is_none(), len < least);
        }
    }
}

#[test]
fn a_cut_header_keeps_the_ports_that_are_there() {
    for (protocol, len, ports) in
        [(6u8, 3, None), (6, 4, Some((5, 80))), (6, 19, Some((5, 80))), (17, 7, Some((5, 80))), (1, 7, None)]
    {
        let bytes = with([&[0; L3 + 20][..], &[0, 5, 0, 80], &[0; 15]].concat(), |ip| {
            ip[0] = 0x45;
            ip[3] = 20 + len;
            ip[9] = protocol;
        });
        let header = parse::<Ipv4>(&bytes);
        assert_eq!(header.transport, L4::Truncated { ports }, "protocol {protocol}, {len} bytes and padding");
        assert_eq!(header.ports(), None);
    }
}

#[test]
fn faults_that_connection_tracking_minds() {
    let length = |len: u8| parse::<Ipv4>(&with(udp(), |ip| ip[25] = len)).l4_fault();
    assert_eq!(length(24), None);
    assert_eq!(length(20), None, "shorter than the data is right");
    assert_eq!(length(25), Some(L4Fault::UdpLength));
    assert_eq!(length(7), Some(L4Fault::UdpLength));
    let tcp = frame::<Ipv4>([10; 16], [11; 16], 64, &Payload::Tcp { sport: 1, dport: 2, seq: 3, syn: true, mss: None }, b"");
    let offset = |words: u8| parse::<Ipv4>(&with(tcp.clone(), |ip| ip[32] = words << 4)).l4_fault();
    assert_eq!(offset(5), None);
    assert_eq!(offset(4), Some(L4Fault::TcpDataOffset));
    assert_eq!(offset(6), Some(L4Fault::TcpDataOffset));
}

#[test]
fn ipv6_looks_past_extension_headers() {
    let mut bytes = vec![0u8; L3 + 40];
    bytes[L3] = 0x60;
    bytes[L3 + 6] = 0;
    bytes.extend([60, 0, 0, 0, 0, 0, 0, 0]); // hop-by-hop
    bytes.extend([51, 0, 0, 0, 0, 0, 0, 0]); // destination options
    bytes.extend([44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // AH counts in words
    bytes.extend([17, 0, 0x00, 0x01, 0, 0, 0, 9]); // fragment 0, more to come
    bytes.extend([0, 53, 0, 54, 0, 8, 0, 0]);
    let len = (bytes.len() - L3 - 40) as u8;
    bytes[L3 + 5] = len;
    let header = parse::<Ipv6>(&bytes);
    assert_eq!((header.protocol, header.id, header.fragment), (17, 9, Fragment::First));
    assert_eq!(header.ports(), Some((53, 54)));
    bytes[L3 + 40 + 16 + 12 + 3] = 0x08;
    let later = parse::<Ipv6>(&bytes);
    assert_eq!((later.protocol, later.fragment, later.transport), (17, Fragment::Later(8), L4::Absent));
    bytes[L3 + 41] = 9;
    assert_eq!(read::ip::<Ipv6>(&bytes, L3, bytes.len() - L3), Err(ParseError::HopByHop));
}

/// As Linux 6.18 was seen to take them, by which rules with `-p` met them and which dropped them.
#[test]
fn ipv6_extension_headers_lead_on_wherever_their_number_is_there() {
    let with = |next: u8, payload: &[u8]| {
        let mut bytes = vec![0u8; L3 + 40];
        (bytes[L3], bytes[L3 + 5], bytes[L3 + 6]) = (0x60, payload.len() as u8, next);
        bytes.extend(payload);
        parse::<Ipv6>(&bytes)
    };
    let cut = L4::Truncated { ports: None };
    for (what, next, payload, protocol, transport) in [
        ("options that claim more than there is", 60, &[17, 200, 1, 4, 0, 0, 0, 0][..], 17, cut),
        ("two bytes of options", 60, &[17, 0], 17, cut),
        ("one byte of options", 60, &[17], 60, L4::Lost),
        ("options behind such", 60, &[60, 200, 1, 4, 0, 0, 0, 0], 60, L4::Lost),
        ("four bytes of a fragment header", 44, &[17, 0, 0, 0], 17, cut),
        ("three bytes of a fragment header", 44, &[17, 0, 0], 44, L4::Lost),
        ("a later piece of options", 44, &[60, 0, 0, 16, 0, 0, 0, 9, 0, 0], 60, L4::Lost),
        ("a later piece of nothing", 44, &[59, 0, 0, 16, 0, 0, 0, 9, 0, 0], 59, L4::Absent),
    ] {
        let header = with(next, payload);
        assert_eq!((header.protocol, header.transport), (protocol, transport), "{what}");
        assert!(usize::from(header.l4) <= L3 + header.len as usize, "{what}");
    }
}

/// An ICMP error about `quote`.
fn error_about(kind: u8, quote: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0u8; L3 + 28];
    bytes.extend_from_slice(quote);
    let len = (bytes.len() - L3) as u16;
    bytes[L3 + 20] = kind;
    with(bytes, |ip| {
        ip[0] = 0x45;
        ip[2..4].copy_from_slice(&len.to_be_bytes());
        ip[9] = 1;
    })
}

#[test]
fn quoted_packets_are_read_leniently() {
    let tcp = frame::<Ipv4>([10; 16], [11; 16], 64, &Payload::Tcp { sport: 5, dport: 6, seq: 3, syn: true, mss: None }, b"xy");
    let ip = &tcp[L3..];
    let inner = |quote: &[u8]| {
        let bytes = error_about(3, quote);
        icmp::inner(&bytes, &parse::<Ipv4>(&bytes))
    };
    let whole = inner(ip).unwrap();
    assert!(matches!(whole.transport, L4::Tcp { sport: 5, dport: 6, .. }));
    assert_eq!(usize::from(whole.l3), L3 + 28);
    let cut = inner(&ip[..28]).unwrap();
    assert_eq!(cut.transport, L4::Ports { sport: 5, dport: 6 });
    assert_eq!(Tuple::of(&cut).unwrap().l4, TupleL4::Ports { src: 5, dst: 6 });
    assert_eq!(inner(&ip[..24]).unwrap().transport, L4::Ports { sport: 5, dport: 6 });
    assert_eq!(inner(&ip[..23]).unwrap().transport, L4::Truncated { ports: None });
    assert_eq!(inner(&ip[..20]).and_then(|h| Tuple::of(&h)), None);
    assert_eq!(inner(&ip[..19]), None);
    let mut bad_sum = ip.to_vec();
    bad_sum[10] ^= 0xff;
    assert!(inner(&bad_sum).is_some(), "its checksum is not looked at");
    let query = error_about(8, ip);
    assert_eq!(icmp::inner(&query, &parse::<Ipv4>(&query)), None, "a query quotes nothing");
}
