//! What memory gives here, for comparison: a packet that needs four lines which are nowhere near, and writes to one of them.

use std::hint::black_box;

use dpdk::clock::Clock;
use micro::classes::Chance;
use report::Slices;

/// Bytes of a line, and of all.
const LINE: usize = 64;
const MEMORY: usize = 256 << 20;
/// Packets whose lines are wanted together.
const BATCH: usize = 64;
const LINES: usize = 4;
const SLICES: usize = 100;
const WARM_UP: usize = 20;
const BATCHES: usize = 128;

/// Nanoseconds a packet.
pub(crate) fn measure(clock: &Clock) -> Slices {
    const WORDS: usize = LINE / 8;
    let mut memory = memory::filled(1u64, MEMORY / 8);
    let mut chance = Chance(2);
    let mut slice = || {
        let mut cycles = 0;
        for _ in 0..BATCHES {
            let lines: [[usize; LINES]; BATCH] =
                std::array::from_fn(|_| std::array::from_fn(|_| chance.below((MEMORY / LINE) as u32) as usize * WORDS));
            let start = clock.cycles();
            for line in lines.as_flattened() {
                memory::prefetch(&memory[*line]);
            }
            let mut sum = 0u64;
            for [written, read @ ..] in &lines {
                memory[*written] += 1;
                sum += read.iter().map(|line| memory[*line]).sum::<u64>();
            }
            black_box(sum);
            cycles += clock.cycles() - start;
        }
        cycles as f64 * 1e9 / clock.hz() as f64 / (BATCHES * BATCH) as f64
    };
    // The first ones find the memory's pages.
    let slices: Vec<f64> = (0..WARM_UP + SLICES).map(|_| slice()).collect();
    Slices::of(slices[WARM_UP..].to_vec())
}
