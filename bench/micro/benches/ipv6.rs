//! Finding the first rule for a packet of IPv6, among the rules of `tree.rs` with every address put into 2001:db8::/32.
//!
//! A measured "iteration" is one lookup; the packets are about rules drawn at random.

use std::cell::Cell;
use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use micro::classes::{self, Class};
use micro::load;
use micro::world::{INSIDE, OUTSIDE};
use packet::{Header, Ipv4, Ipv6};
use program::header_test::Interfaces;
use program::{Hook, TableKind};

const PACKETS: usize = 16_384;

/// The first bits, and how many they are.
const NETWORK: u128 = 0x2001_0db8 << 96;
const BITS: u8 = 32;

/// That address behind the first bits.
fn behind(address: u32) -> u128 {
    NETWORK | u128::from(address) << 64
}

/// The rules with their addresses in the other family.
fn text(rules: &str) -> String {
    let word = |word: &str| {
        let ipv4 =
            word.split_once('/').and_then(|(address, bits)| Some((address.parse::<Ipv4Addr>().ok()?, bits.parse::<u8>().ok()?)));
        match ipv4 {
            Some((address, bits)) => format!("{}/{}", Ipv6Addr::from(behind(address.into())), BITS + bits),
            None if word == "icmp" => "ipv6-icmp".to_owned(),
            None => word.to_owned(),
        }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n";
    rules.lines().map(line).collect()
}

/// The packet with its addresses in the other family.
fn header(of: &Header<Ipv4>) -> Header<Ipv6> {
    let Header { src, dst, protocol, tos, ttl, l3, l4, len, id, dont_fragment, more_fragments, fragment, transport } = *of;
    let (src, dst) = (behind(src), behind(dst));
    Header { src, dst, protocol, tos, ttl, l3, l4, len, id, dont_fragment, more_fragments, fragment, transport }
}

fn looking_up(c: &mut Criterion) {
    let mut group = c.benchmark_group("tree/lookup of IPv6");
    for class in [Class::Acl, Class::Firewall, Class::Chain] {
        for count in [10_000, 100_000] {
            let rules = classes::rules(class, count);
            let packets: Vec<_> = classes::packets(&rules, PACKETS).iter().map(header).collect();
            let program = load::program_ipv6(&text(&classes::text(&rules)));
            let table = program.ipv6.get(TableKind::Filter).expect("there is a filter table");
            let chain = table.base_chain(Hook::Forward).expect("it has this hook");
            let interfaces = Interfaces { sets: &table.bound, input: INSIDE, output: OUTSIDE };
            let at = Cell::new(0);
            let next = || {
                at.set((at.get() + 1) % PACKETS);
                &packets[at.get()]
            };
            let mut found = 0;
            for packet in packets.iter().take(1000) {
                let rule = table.next(chain, 0, packet, interfaces);
                assert_eq!(rule, table.next_in_row(chain, 0, packet, interfaces));
                found += u32::from(rule.is_some());
            }
            assert!(found > 900, "the packets are about the rules");
            group.bench_function(BenchmarkId::new(class.name(), count), |b| {
                b.iter(|| table.next(chain, 0, black_box(next()), interfaces));
            });
        }
    }
    group.finish();
}

criterion_group! { name = benches; config = micro::criterion(); targets = looking_up }
criterion_main!(benches);
