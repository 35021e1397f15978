//! What the trees of rules take in memory, and how much longer the worst packet looks for its rule than others do.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result};
use micro::classes::{self, Class};
use micro::load;
use micro::world::{INSIDE, OUTSIDE};
use program::header_test::Interfaces;
use program::{Hook, TableKind};
use report::{Figure, Slices};

/// Packets that are looked at.
const PACKETS: usize = 16_384;
/// Lookups of one packet that are timed together, and how often; the fastest counts.
const LOOKUPS: u32 = 16;
const TIMES: usize = 5;

/// Of so many rules of each class that has a bar: bytes a rule, and lookups of single packets, whose rules are near after the first time.
pub(crate) fn measure(count: u32) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for class in [Class::Acl, Class::Firewall, Class::Chain] {
        let rules = classes::rules(class, count);
        let program = load::program(&classes::text(&rules));
        let table = program.ipv4.get(TableKind::Filter).context("there is a filter table")?;
        let chain = table.base_chain(Hook::Forward).context("it has this hook")?;
        let interfaces = Interfaces { sets: &table.bound, input: INSIDE, output: OUTSIDE };
        let lookups: Vec<f64> = classes::packets(&rules, PACKETS)
            .iter()
            .map(|packet| {
                let time = |_| {
                    let start = Instant::now();
                    for _ in 0..LOOKUPS {
                        black_box(table.next(chain, 0, black_box(packet), interfaces));
                    }
                    start.elapsed().as_nanos() as f64 / f64::from(LOOKUPS)
                };
                (0..TIMES).map(time).fold(f64::MAX, f64::min)
            })
            .collect();
        let lookups = Slices::of(lookups);
        let figure = |what: &str, value: f64, unit: &str| Figure {
            name: format!("{} {count}, {what}", class.name()),
            value,
            unit: unit.to_owned(),
        };
        figures.extend([
            figure("bytes a rule", table.tree.bytes() as f64 / f64::from(count), "bytes"),
            figure("a packet again and again, median", lookups.median, "ns"),
            figure("a packet again and again, worst", lookups.worst, "ns"),
        ]);
    }
    Ok(figures)
}
