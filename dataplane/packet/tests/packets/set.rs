//! Setters keep every checksum right, and the parsed header true to the bytes.

use crate::build::{L3, Payload, frame, parse, payload};
use packet::family::Addr;
use packet::set::{self, SetError};
use packet::{Family, Header, Ipv4, Ipv6, L4, checksum, hop, icmp, reply};
use proptest::prelude::*;

/// One use of each setter that applies.
#[derive(Clone, Debug)]
enum Change {
    Src([u8; 16]),
    Dst([u8; 16]),
    Sport(u16),
    Dport(u16),
    IcmpId(u16),
    Ttl(u8),
    Tos(u8),
    Mss(u16),
    Seq(u32),
    Ack(u32),
    Id(u16),
    Ecn(Option<bool>, Option<bool>),
}

fn change() -> impl Strategy<Value = Change> {
    let edge16 = prop_oneof![Just(0u16), Just(1), Just(0xffff), any::<u16>()];
    let edge_addr = prop_oneof![Just([0u8; 16]), Just([0xff; 16]), any::<[u8; 16]>()];
    prop_oneof![
        edge_addr.clone().prop_map(Change::Src),
        edge_addr.prop_map(Change::Dst),
        edge16.clone().prop_map(Change::Sport),
        edge16.clone().prop_map(Change::Dport),
        edge16.clone().prop_map(Change::IcmpId),
        any::<u8>().prop_map(Change::Ttl),
        any::<u8>().prop_map(Change::Tos),
        edge16.clone().prop_map(Change::Mss),
        any::<u32>().prop_map(Change::Seq),
        any::<u32>().prop_map(Change::Ack),
        edge16.prop_map(Change::Id),
        any::<(Option<bool>, Option<bool>)>().prop_map(|(ece, cwr)| Change::Ecn(ece, cwr)),
    ]
}

fn apply<F: Family>(change: &Change, head: &mut [u8], header: &mut Header<F>) -> Result<(), SetError> {
    let addr = |bytes: &[u8]| <F::Addr as Addr>::read(bytes).unwrap();
    match change {
        Change::Src(a) => set::src(head, header, addr(a)),
        Change::Dst(a) => set::dst(head, header, addr(a)),
        Change::Sport(p) => set::sport(head, header, *p),
        Change::Dport(p) => set::dport(head, header, *p),
        Change::IcmpId(id) => set::icmp_id(head, header, *id),
        Change::Ttl(ttl) => set::ttl(head, header, *ttl),
        Change::Tos(tos) => set::tos(head, header, *tos),
        Change::Mss(mss) => set::mss(head, header, *mss),
        Change::Seq(seq) => set::tcp_seq(head, header, *seq),
        Change::Ack(ack) => set::tcp_ack(head, header, *ack),
        Change::Id(id) => set::ipv4_id(head, header, *id),
        Change::Ecn(..) if !matches!(header.transport, L4::Tcp { .. }) => Err(SetError::NoSuchField),
        Change::Ecn(ece, cwr) => set::tcp_ecn(head, header, *ece, *cwr),
    }
}

fn stays_right<F: Family>(payload: &Payload, data: &[u8], changes: &[Change]) -> Result<(), TestCaseError> {
    let mut bytes = frame::<F>([10; 16], [11; 16], 64, payload, data);
    let mut header = parse::<F>(&bytes);
    for change in changes {
        let before = bytes.clone();
        if let Err(error) = apply(change, &mut bytes, &mut header) {
            prop_assert_eq!(error, SetError::NoSuchField);
            prop_assert_eq!(&before, &bytes, "nothing is written when nothing applies");
        }
        prop_assert_eq!(header, parse::<F>(&bytes), "{:?}", change);
        prop_assert!(checksum::l4_verify(&header, [&bytes[..]]), "{:?}", change);
        let at = usize::from(header.l4)
            + match header.transport {
                L4::Tcp { .. } => 16,
                L4::Udp { .. } => 6,
                _ => 2,
            };
        let present = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        prop_assert_eq!(checksum::l4_compute(&header, [&bytes[..]]), Some(present), "incremental is what is computed anew");
    }
    Ok(())
}

/// Both ends and a hop less at once are what they are one after another, to the last bit.
fn ends_as_one_by_one<F: Family>(payload: &Payload, data: &[u8], (src, dst): ([u8; 16], [u8; 16]), ports: (u16, u16), bare: bool) {
    let addr = |bytes: &[u8]| <F::Addr as Addr>::read(bytes).unwrap();
    let mut bytes = frame::<F>([10; 16], [11; 16], 64, payload, data);
    let header = parse::<F>(&bytes);
    if bare && matches!(payload, Payload::Udp { .. }) {
        set::l4_checksum(&mut bytes, &header, 0).unwrap();
    }
    let (mut other_bytes, mut other) = (bytes.clone(), header);
    let ends = set::Ends { src: addr(&src), dst: addr(&dst), sport: ports.0, dport: ports.1 };
    let l3 = usize::from(header.l3);
    let result = hop::between(&mut bytes[l3..], &header, &ends);
    if matches!(payload, Payload::Echo { .. }) {
        assert_eq!((result, &bytes), (Err(SetError::NoSuchField), &other_bytes));
        assert_eq!(hop::less::<F>(&mut bytes[l3..]), Ok(()));
        set::ttl(&mut other_bytes, &mut other, 63).unwrap();
        assert_eq!(bytes, other_bytes);
        return;
    }
    assert_eq!(result, Ok(()));
    set::dport(&mut other_bytes, &mut other, ends.dport).unwrap();
    set::dst(&mut other_bytes, &mut other, ends.dst).unwrap();
    set::ttl(&mut other_bytes, &mut other, 63).unwrap();
    set::sport(&mut other_bytes, &mut other, ends.sport).unwrap();
    set::src(&mut other_bytes, &mut other, ends.src).unwrap();
    assert_eq!(bytes, other_bytes);
}

/// A TCP packet without data gets an MSS option; all else of it stays.
fn gains_an_mss<F: Family>(options: &[u8], value: u16) -> Result<(), TestCaseError> {
    let mut bytes = frame_with_options::<F>(options);
    let before = (bytes.clone(), parse::<F>(&bytes));
    let mut header = before.1;
    bytes.extend([0; 4]);
    let result = set::add_mss(&mut bytes, &mut header, value);
    if options.len() > 36 {
        prop_assert_eq!((result, &bytes[..bytes.len() - 4]), (Err(SetError::NoSuchField), &before.0[..]));
        return Ok(());
    }
    prop_assert_eq!(result, Ok(()));
    prop_assert_eq!(header, parse::<F>(&bytes));
    prop_assert_eq!(header.len, before.1.len + 4);
    let at = usize::from(header.l4) + 20;
    let [high, low] = value.to_be_bytes();
    prop_assert_eq!(&bytes[at..at + 4], &[2, 4, high, low]);
    prop_assert_eq!(&bytes[at + 4..], &before.0[at..]);
    let present = u16::from_be_bytes([bytes[at - 4], bytes[at - 3]]);
    prop_assert_eq!(checksum::l4_compute(&header, [&bytes[..]]), Some(present));
    Ok(())
}

/// Options are taken out at whatever place they stand, and the checksum stays right.
fn loses_options<F: Family>(options: &[u8], kinds: &[u8]) -> Result<(), TestCaseError> {
    let mut bytes = frame_with_options::<F>(options);
    let (before, header) = (bytes.clone(), parse::<F>(&bytes));
    prop_assert_eq!(set::strip_options(&mut bytes, &header, |kind| kinds.contains(&kind)), Ok(()));
    let at = usize::from(header.l4) + 20;
    prop_assert!(checksum::l4_verify(&header, [&bytes[..]]));
    prop_assert_eq!((&bytes[..at - 4], &bytes[at - 2..at]), (&before[..at - 4], &before[at - 2..at]));
    for (was, is) in before[at..].iter().zip(&bytes[at..]) {
        prop_assert!(was == is || *is == 1);
    }
    let left = packet::options::tcp::loose_walk(&bytes[at..])
        .filter(|(at2, len)| kinds.contains(&bytes[at + at2]) && at2 + len <= bytes.len() - at && at2 + 1 < bytes.len() - at);
    prop_assert_eq!(left.count(), 0);
    Ok(())
}

fn frame_with_options<F: Family>(options: &[u8]) -> Vec<u8> {
    let payload = Payload::Tcp { sport: 1, dport: 2, seq: 3, syn: true, mss: None };
    let mut options = options.to_vec();
    options.resize(options.len().next_multiple_of(4), 1);
    let mut bytes = frame::<F>([10; 16], [11; 16], 64, &payload, &options);
    // What was data becomes options.
    let l4 = usize::from(parse::<F>(&bytes).l4);
    bytes[l4 + 12] = ((20 + options.len() / 4 * 4) << 2) as u8;
    let header = parse::<F>(&bytes);
    let check = checksum::l4_compute(&header, [&bytes[..]]).unwrap();
    set::l4_checksum(&mut bytes, &header, check).unwrap();
    bytes
}

proptest! {
    #[test]
    fn both_ends_at_once(
        payload in payload(), data in proptest::collection::vec(any::<u8>(), 0..64), src: [u8; 16], dst: [u8; 16], ports: (u16, u16),
        keep: (bool, bool), bare: bool,
    ) {
        let ends = (if keep.0 { [10; 16] } else { src }, if keep.1 { [11; 16] } else { dst });
        ends_as_one_by_one::<Ipv4>(&payload, &data, ends, ports, bare);
        ends_as_one_by_one::<Ipv6>(&payload, &data, ends, ports, bare);
    }

    #[test]
    fn an_mss_is_added(options in proptest::collection::vec(any::<u8>(), 0..=40), value: u16) {
        gains_an_mss::<Ipv4>(&options, value)?;
        gains_an_mss::<Ipv6>(&options, value)?;
    }

    #[test]
    fn options_are_taken_out(
        options in proptest::collection::vec(prop_oneof![3 => 0u8..6, 1 => any::<u8>()], 0..=40), kinds in proptest::collection::vec(2u8..8, 0..4),
    ) {
        loses_options::<Ipv4>(&options, &kinds)?;
        loses_options::<Ipv6>(&options, &kinds)?;
    }

    #[test]
    fn ipv4_stays_right(payload in payload(), data in proptest::collection::vec(any::<u8>(), 0..64), changes in proptest::collection::vec(change(), 1..12)) {
        stays_right::<Ipv4>(&payload, &data, &changes)?;
    }

    #[test]
    fn ipv6_stays_right(payload in payload(), data in proptest::collection::vec(any::<u8>(), 0..64), changes in proptest::collection::vec(change(), 1..12)) {
        stays_right::<Ipv6>(&payload, &data, &changes)?;
    }

    #[test]
    fn a_change_inside_a_quote_keeps_the_errors_own_checksum(
        payload in payload(), data in proptest::collection::vec(any::<u8>(), 0..64), cut in 28usize..120,
        changes in proptest::collection::vec(change(), 1..6),
    ) {
        let original = frame::<Ipv4>([10; 16], [11; 16], 64, &payload, &data);
        let quoted = &original[..original.len().min(L3 + cut)];
        // The whole packet, its quote cut by hand: routers quote as little as 8 bytes behind the IP header.
        let mut header = parse::<Ipv4>(&original);
        header.len = (quoted.len() - L3) as u32;
        let mut error = vec![0; L3 + 576];
        let what = reply::IcmpError::<Ipv4> { src: 1, kind: 3, code: 1, rest: 0, id: 7 };
        let len = reply::icmp_error(&mut error[L3..], &what, &header, [quoted]).unwrap();
        error.truncate(L3 + len);

        let outer = parse::<Ipv4>(&error);
        let mut inner = icmp::inner(&error, &outer).unwrap();
        for change in &changes {
            let _ = set::quoted(&mut error, &outer, &mut inner, |head, inner| apply(change, head, inner));
        }
        prop_assert!(checksum::l4_verify(&outer, [&error[..]]));
        prop_assert_eq!(icmp::inner(&error, &outer), Some(inner));
        prop_assert_eq!(checksum::fold(checksum::partial(&error[L3 + 28..L3 + 48], 0)), 0, "the quoted IP header's checksum");
        // What was quoted whole is right inside, too.
        if quoted.len() == original.len() {
            prop_assert!(checksum::l4_verify(&inner, [&error[..]]));
        }
    }
}

#[test]
fn udp_without_a_checksum_stays_without() {
    let mut bytes = frame::<Ipv4>([10; 16], [11; 16], 64, &Payload::Udp { sport: 1, dport: 2 }, b"data");
    let mut header = parse::<Ipv4>(&bytes);
    set::l4_checksum(&mut bytes, &header, 0).unwrap();
    set::src(&mut bytes, &mut header, 5).unwrap();
    set::dport(&mut bytes, &mut header, 99).unwrap();
    assert_eq!(bytes[L3 + 26..L3 + 28], [0, 0]);
    assert!(checksum::l4_verify(&header, [&bytes[..]]));
}

#[test]
fn a_first_fragment_keeps_the_checksum_of_its_datagram() {
    let whole = frame::<Ipv4>([10; 16], [11; 16], 64, &Payload::Udp { sport: 1, dport: 2 }, &[7; 40]);
    let mut first = whole[..L3 + 36].to_vec();
    first[L3 + 3] = 36;
    first[L3 + 6] = 0x20;
    let check = checksum::ipv4_header(&first[L3..L3 + 20]);
    first[L3 + 10..L3 + 12].copy_from_slice(&check.to_be_bytes());
    let mut header = parse::<Ipv4>(&first);
    set::dst(&mut first, &mut header, 0x0102_0304).unwrap();
    set::dport(&mut first, &mut header, 9999).unwrap();
    // The datagram as it would be with the same change made to it whole.
    let mut same = whole.clone();
    let mut whole_header = parse::<Ipv4>(&same);
    set::dst(&mut same, &mut whole_header, 0x0102_0304).unwrap();
    set::dport(&mut same, &mut whole_header, 9999).unwrap();
    assert_eq!(first[L3 + 20..], same[L3 + 20..L3 + 36]);
}

#[test]
fn a_later_fragments_data_is_never_touched() {
    let mut bytes = frame::<Ipv4>([10; 16], [11; 16], 64, &Payload::Udp { sport: 1, dport: 2 }, &[7; 40]);
    let mut header = parse::<Ipv4>(&bytes);
    set::ipv4_fragment(&mut bytes, &mut header, 48, true).unwrap();
    let mut header = parse::<Ipv4>(&bytes);
    let data = bytes[L3 + 20..].to_vec();
    set::src(&mut bytes, &mut header, 5).unwrap();
    assert_eq!(set::sport(&mut bytes, &mut header, 5), Err(SetError::NoSuchField));
    assert_eq!(bytes[L3 + 20..], data);
    assert_eq!(parse::<Ipv4>(&bytes), header);
}
