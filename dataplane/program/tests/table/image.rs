//! A table travels as bytes and arrives as it left, or not at all.

use packet::{Ipv4, Ipv6};
use program::eval::{self, Act, Env};
use program::header_test::Answer;
use program::image::{FORMAT, ImageError, decode_table, encode_table};
use program::table::Hook;
use program::verify::Limits;
use program::{CounterSlot, InterfaceId, Match, RuleIndex, Table, TableKind, Target};
use proptest::prelude::*;

use crate::arbitrary::{self, NAMES};
use crate::build::{self, every, on, table, tcp_dport};

fn sample() -> Table<Ipv4> {
    table(
        TableKind::Filter,
        &[vec![on(6, &[tcp_dport(22)], Target::Accept), every(Target::Jump(program::ChainId(3)))], vec![], vec![], vec![]],
    )
}

fn decode(bytes: &[u8]) -> Result<Table<Ipv4>, ImageError> {
    decode_table::<Ipv4>(bytes, &Limits::default())
}

#[test]
fn a_table_arrives_as_it_left() {
    let bytes = encode_table(&sample());
    assert_eq!(decode(&bytes), Ok(sample()));
}

#[test]
fn equal_tables_give_equal_bytes() {
    assert_eq!(encode_table(&sample()), encode_table(&sample().clone()));
}

#[test]
fn a_bound_table_gives_the_bytes_of_an_unbound_one() {
    let mut bound = sample();
    bound.bind(&NAMES);
    assert_eq!(encode_table(&bound), encode_table(&sample()));
}

#[test]
fn every_changed_byte_is_noticed() {
    let bytes = encode_table(&sample());
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(decode(&changed).is_err(), "byte {place}");
    }
}

#[test]
fn a_cut_or_longer_image_is_refused() {
    let bytes = encode_table(&sample());
    for len in 0..bytes.len() {
        assert!(decode(&bytes[..len]).is_err(), "{len} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(decode(&longer), Err(ImageError::Length { .. })));
    assert_eq!(decode(b""), Err(ImageError::Short { found: 0 }));
    assert_eq!(decode(&[b'#'; 100]), Err(ImageError::Magic("RMPT")));
}

#[test]
fn another_format_is_refused_by_number() {
    let mut bytes = encode_table(&sample());
    bytes[4..6].copy_from_slice(&(FORMAT + 1).to_le_bytes());
    assert_eq!(decode(&bytes), Err(ImageError::TooNew { found: FORMAT + 1, known: FORMAT }));
    bytes[4..6].copy_from_slice(&0u16.to_le_bytes());
    assert_eq!(decode(&bytes), Err(ImageError::TooOld { found: 0, known: FORMAT }));
}

#[test]
fn the_other_family_is_refused() {
    let bytes = encode_table(&sample());
    assert_eq!(decode_table::<Ipv6>(&bytes, &Limits::default()), Err(ImageError::Family { found: 4, wanted: 6 }));
}

#[test]
fn a_table_that_may_not_be_run_is_refused() {
    let mut bad = sample();
    bad.rules[1].target = Target::Jump(program::ChainId(99));
    assert!(matches!(decode(&encode_table(&bad)), Err(ImageError::Verify(_))));
    let few = Limits { counters: 1, labels: 1 };
    assert!(matches!(decode_table::<Ipv4>(&encode_table(&sample()), &few), Err(ImageError::Verify(_))));
}

/// The image again, with a digest that fits the bytes as they are now.
fn sealed_again(mut bytes: Vec<u8>) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    if bytes.len() >= 44 {
        let length = (bytes.len() - 44) as u32;
        bytes[8..12].copy_from_slice(&length.to_le_bytes());
        let digest = Sha256::new().chain_update(&bytes[..12]).chain_update(&bytes[44..]).finalize();
        bytes[12..44].copy_from_slice(&digest);
    }
    bytes
}

#[test]
fn a_lying_length_inside_the_payload_is_refused_without_taking_memory() {
    let bytes = encode_table(&build::empty::<Ipv4>(TableKind::Raw));
    for place in 44..bytes.len() {
        let mut lying = bytes.clone();
        // The longest length that a varint can tell, in place of what was there.
        lying.splice(place..=place, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        assert!(decode(&sealed_again(lying)).is_err(), "byte {place}");
    }
}

/// A packet that answers matches by drawing lots.
struct Lots<F: packet::Family> {
    header: packet::Header<F>,
    interfaces: (InterfaceId, InterfaceId),
    lots: u64,
}

impl<F: packet::Family> Lots<F> {
    fn draw(&mut self) -> u64 {
        self.lots = self.lots.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.lots >> 60
    }
}

impl<F: packet::Family> Env<F> for Lots<F> {
    fn header(&self) -> &packet::Header<F> {
        &self.header
    }

    fn interfaces(&self) -> (InterfaceId, InterfaceId) {
        self.interfaces
    }

    fn ask(&mut self, _: &Table<F>, _: &Match) -> Answer {
        match self.draw() {
            0 => Answer::HotDrop,
            1..6 => Answer::No,
            _ => Answer::Yes,
        }
    }

    fn count(&mut self, _: CounterSlot) {}

    fn act(&mut self, _: &Table<F>, _: RuleIndex, _: &Target) -> Act {
        match self.draw() {
            0 => Act::Drop,
            1..4 => Act::Accept,
            _ => Act::Continue,
        }
    }
}

fn runs_through<F: packet::Family>(table: &Table<F>, headers: &[packet::Header<F>], lots: u64) {
    for header in headers {
        for hook in Hook::ALL {
            let interfaces = (InterfaceId((lots % 5) as u16), InterfaceId((lots % 70) as u16));
            eval::run(table, hook, &mut Lots { header: *header, interfaces, lots });
            let sets = program::header_test::Interfaces { sets: &table.bound, input: interfaces.0, output: interfaces.1 };
            program::explain::path(table, hook, header, sets);
        }
    }
}

proptest! {
    #[test]
    fn any_table_arrives_as_it_left(v4 in arbitrary::table::<Ipv4>(), v6 in arbitrary::table::<Ipv6>()) {
        prop_assert_eq!(decode(&encode_table(&v4)), Ok(v4));
        prop_assert_eq!(decode_table::<Ipv6>(&encode_table(&v6), &Limits::default()), Ok(v6));
    }

    #[test]
    fn verified_tables_never_panic(
        mut table in arbitrary::table::<Ipv4>(),
        headers in prop::collection::vec(arbitrary::header::<Ipv4>(), 1..8),
        lots in any::<u64>(),
    ) {
        runs_through(&table, &headers, lots);
        table.bind(&NAMES);
        runs_through(&table, &headers, lots);
        program::explain::table(&table, &[]);
    }

    #[test]
    fn mutated_images_never_panic_and_what_passes_runs(
        table in arbitrary::table::<Ipv4>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..3),
        headers in prop::collection::vec(arbitrary::header::<Ipv4>(), 1..4),
        lots in any::<u64>(),
    ) {
        let mut bytes = encode_table(&table);
        for (place, byte, kind) in changes {
            let place = 44 + place.index(bytes.len() - 44);
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ if bytes.len() > 45 => { bytes.remove(place); }
                _ => {}
            }
        }
        if let Ok(passed) = decode(&sealed_again(bytes)) {
            runs_through(&passed, &headers, lots);
            program::explain::table(&passed, &[]);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut image = encode_table(&sample())[..44].to_vec();
        image.extend_from_slice(&bytes);
        prop_assert!(decode(&bytes).is_err());
        let _ = decode(&sealed_again(image));
    }

    /// What the header test and the residual matches say together is what asking everything in rule order says, for every packet whose
    /// transport header is whole.
    #[test]
    fn both_lists_of_matches_mean_the_same(
        table in arbitrary::table::<Ipv4>(),
        header in arbitrary::header::<Ipv4>(),
    ) {
        prop_assume!(!program::table::needs_order(&header));
        for rule in &table.rules {
            let l4 = |test: &Match| match test {
                Match::L4(test) => Some(test.ask(&header, &table.port_ranges) == Answer::Yes),
                _ => None,
            };
            let split = rule.test.l4.of(&table.l4_tests).iter().all(|test| test.ask(&header, &table.port_ranges) == Answer::Yes)
                && rule.residual.of(&table.matches).iter().filter_map(l4).all(|yes| yes);
            let whole = rule.ordered.of(&table.matches).iter().filter_map(l4).all(|yes| yes);
            prop_assert_eq!(split, whole);
        }
    }
}
