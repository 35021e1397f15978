//! Chooses how a node is divided.
//!
//! Of each dimension the numbers are tried that part the boxes' ends about evenly and cut few of them; of the boxes that reach over several
//! children all are repeated in each, or those over at most half of the children, or none: the others are the rest. What promises the shortest
//! way, by a rough estimate, is taken.

use core::ops::Range;

use super::node::BOUNDS;
use super::space::{Boxes, Region, Span};

/// Of more boxes than this, so many, drawn at random, speak for all.
const SAMPLE: usize = 512;
/// A division that leaves more than this of the boxes together is none.
const TOO_LONG: f32 = 0.9;

/// How a node is divided.
pub(super) struct Division {
    pub(super) dimension: usize,
    pub(super) cut: Cut,
    /// How long the way is from here, by estimate.
    cost: f32,
}

/// Where its children part.
pub(super) enum Cut {
    /// At some numbers.
    Bounds {
        /// The last number of each child but the last one.
        bounds: Vec<u32>,
        /// Boxes that reach over more children than this go to the rest.
        widest: usize,
    },
    /// Each number, less so many last bits, has its own; boxes with more than one go to the rest.
    Keys { shift: u8 },
}

/// The key of a box that has one alone.
pub(super) fn key(span: Span, shift: u8) -> Option<u32> {
    (span.first >> shift == span.last >> shift).then_some(span.first >> shift)
}

/// Last bits that a hash may leave out.
const SHIFTS: [u8; 6] = [0, 4, 8, 12, 16, 20];
/// A hash is not worth its slots for fewer boxes.
const MANY: usize = 16;
/// And is longer than a branch by the look at its slot.
const SLOT: f32 = 0.2;

/// What there is to divide, and with which means.
pub(super) struct Choosing<'a> {
    pub(super) boxes: &'a Boxes,
    pub(super) dimensions: Range<usize>,
    /// No division is needed for so few boxes.
    pub(super) short: usize,
    /// May there be a rest?
    pub(super) rest: bool,
    /// Entries that repetition may add.
    pub(super) spare: usize,
}

impl Choosing<'_> {
    /// The division with the shortest way, by a hash as well where `keys`; `None` where none is shorter than a leaf of all.
    pub(super) fn choose(&self, ids: &[u32], space: &Region, keys: bool) -> Option<Division> {
        let sample = sample(ids);
        let scale = ids.len() as f32 / sample.len() as f32;
        let most = (2 * ids.len() / self.short).clamp(1, BOUNDS);
        let mut best: Option<Division> = None;
        for dimension in self.dimensions.clone() {
            let spans: Vec<Span> = sample.iter().map(|id| self.boxes.span(*id, dimension).and(space[dimension])).collect();
            if spans.iter().all(|span| *span == spans[0]) {
                continue;
            }
            let bounds = bounds(&spans, space[dimension], most);
            let reaches: Vec<(usize, usize)> = spans.iter().map(|span| reach(*span, &bounds)).collect();
            let children = bounds.len() + 1;
            let kept = if self.rest { &[children, children.div_ceil(2), 1][..] } else { &[children][..] };
            for &widest in kept {
                let Some(cost) = self.cost(&reaches, children, widest, scale) else { continue };
                if best.as_ref().is_none_or(|best| cost < best.cost) {
                    best = Some(Division { dimension, cut: Cut::Bounds { bounds: bounds.clone(), widest }, cost });
                }
            }
            for shift in SHIFTS.into_iter().take_while(|_| keys && ids.len() >= MANY) {
                let Some(cost) = self.cost_of_keys(&spans, shift, scale) else { continue };
                if best.as_ref().is_none_or(|best| cost < best.cost) {
                    best = Some(Division { dimension, cut: Cut::Keys { shift }, cost });
                }
            }
        }
        best
    }

    /// How long the way is by a hash.
    fn cost_of_keys(&self, spans: &[Span], shift: u8, scale: f32) -> Option<f32> {
        let mut keys: Vec<u32> = spans.iter().filter_map(|span| key(*span, shift)).collect();
        let rest = (spans.len() - keys.len()) as f32;
        if rest > 0.0 && !self.rest || rest > TOO_LONG * spans.len() as f32 {
            return None;
        }
        keys.sort_unstable();
        // Of the boxes that were drawn those with the same key say how many there are of each in all.
        let pairs: usize = keys.chunk_by(|one, other| one == other).map(|same| same.len() * (same.len() - 1)).sum();
        let others = pairs as f32 / keys.len().max(1) as f32;
        if others > TOO_LONG * spans.len() as f32 {
            return None;
        }
        let child = others + 1.0 / scale;
        Some(1.0 + SLOT + self.way(child * scale) + if rest > 0.0 { 0.5 + self.way(rest * scale) } else { 0.0 })
    }

    /// How long the way through so many boxes is.
    fn way(&self, boxes: f32) -> f32 {
        let short = self.short as f32;
        if boxes <= short { 0.5 + boxes / (2.0 * short) } else { 1.0 + (boxes / short).log2() / 3.0 }
    }

    /// How long the way is with this division, in nodes and by estimate; `None` where it does not help, or repeats too much.
    fn cost(&self, reaches: &[(usize, usize)], children: usize, widest: usize, scale: f32) -> Option<f32> {
        let mut all_sizes = [0u32; BOUNDS + 1];
        let sizes = &mut all_sizes[..children];
        let mut rest = 0u32;
        for &(from, to) in reaches {
            if to - from >= widest {
                rest += 1;
            } else {
                sizes[from..=to].iter_mut().for_each(|size| *size += 1);
            }
        }
        let total: u32 = sizes.iter().sum();
        let squares: u64 = sizes.iter().map(|size| u64::from(*size) * u64::from(*size)).sum();
        let count = reaches.len() as f32;
        // Packets go where rules are: the size of a child weighs as often as it has boxes.
        let child = if total == 0 { 0.0 } else { squares as f32 / total as f32 };
        let longest = child.max(rest as f32);
        if longest > TOO_LONG * count {
            return None;
        }
        let added = (total + rest) as f32 - count;
        if added * scale > self.spare as f32 {
            return None;
        }
        let way = |boxes: f32| self.way(boxes * scale);
        let repeated = 0.25 * (1.0 + added / count).log2();
        Some(1.0 + way(child) + repeated + if rest > 0 { 0.5 + way(rest as f32) } else { 0.0 })
    }
}

/// The first and the last child that a span reaches into.
pub(super) fn reach(span: Span, bounds: &[u32]) -> (usize, usize) {
    let child = |value: u32| bounds.iter().filter(|bound| value > **bound).count();
    (child(span.first), child(span.last))
}

/// Numbers that part the ends of these spans about evenly, and cut few of them, lowest first; at most `most`.
fn bounds(spans: &[Span], within: Span, most: usize) -> Vec<u32> {
    let mut firsts: Vec<u32> = spans.iter().map(|span| span.first).collect();
    let mut lasts: Vec<u32> = spans.iter().map(|span| span.last).collect();
    firsts.sort_unstable();
    lasts.sort_unstable();
    // Where a child may end: before a span, or with one.
    let before = firsts.iter().filter(|first| **first > within.first).map(|first| first - 1);
    let mut ends: Vec<u32> = before.chain(lasts.iter().copied().filter(|last| *last < within.last)).collect();
    ends.sort_unstable();
    let mut distinct = ends.clone();
    distinct.dedup();
    if distinct.len() <= most {
        return distinct;
    }
    let cut = |end: u32| firsts.partition_point(|first| *first <= end) - lasts.partition_point(|last| *last <= end);
    // Around each of the numbers that part the ends evenly, the one that cuts the fewest.
    let at = |half: usize| ends[(half * ends.len() / (2 * most + 2)).min(ends.len() - 1)];
    let mut chosen: Vec<u32> = Vec::with_capacity(most);
    for n in 1..=most {
        let (lowest, highest) = (at(2 * n - 1), at(2 * n + 1));
        let window = &distinct[distinct.partition_point(|end| *end < lowest)..distinct.partition_point(|end| *end <= highest)];
        let middle = at(2 * n);
        let best = window.iter().copied().min_by_key(|end| (cut(*end), end.abs_diff(middle)));
        chosen.extend(best.filter(|best| chosen.last().is_none_or(|last| last < best)));
    }
    chosen
}

/// All of them, or [`SAMPLE`] drawn evenly.
fn sample(ids: &[u32]) -> Vec<u32> {
    if ids.len() <= SAMPLE {
        return ids.to_vec();
    }
    // A fixed order without a period: rule sets have one.
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    (0..SAMPLE)
        .map(|_| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            ids[((state >> 33) as usize * ids.len()) >> 31]
        })
        .collect()
}
