//! Which rules of a chain say again what others said before: a restore mostly repeats what is there.
//!
//! Found are rules that say the same in the same order: a common beginning and end, between them what each side says once and in the same order as
//! the other (patience), and so on between these. That is not always the longest common sequence, but costs no more than sorting.
use crate::sequence::Rules;
use crate::{Counters, Rule, SlotId};
use foldhash::fast::FixedState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::ops::Range;

/// How often gaps are searched for what both sides say once.
const DEPTH: u32 = 8;

/// The rules of a chain, of which those that were there before are those again, with their slots; and the slots of these. What each counts is what
/// it counts in `now`. Rules that have a slot in `now` already are the ones with that slot.
pub(crate) fn resumed(now: &Rules, before: &Rules) -> (Rules, Vec<SlotId>) {
    if now.iter().all(|rule| rule.slot.is_some()) {
        return (now.clone(), Vec::new());
    }
    let (old, new): (Vec<&Rule>, Vec<&Rule>) = (before.iter().collect(), now.iter().collect());
    let taken: HashSet<SlotId, FixedState> = new.iter().filter_map(|rule| rule.slot).collect();
    let is_taken = |old: &Rule| old.slot.is_some_and(|slot| taken.contains(&slot));
    let is_same = |old: &Rule, new: &Rule| new.slot.is_none() && !is_taken(old) && old.same_spec(new);
    let between = |old_range: Range<usize>, new_range: Range<usize>| {
        let (first_old, first_new) = (old_range.start, new_range.start);
        let pairs = align(&old[old_range], &new[new_range], is_same);
        pairs.into_iter().map(move |(old, new)| (first_old + old, first_new + new))
    };
    let mut pairs: Vec<(usize, usize)> = Vec::with_capacity(new.len());
    let (mut from_old, mut from_new) = (0, 0);
    if !taken.is_empty() {
        let slots = old.iter().enumerate().filter_map(|(at, rule)| Some((rule.slot?, at)));
        let places: HashMap<SlotId, usize, FixedState> = slots.collect();
        for (at_new, rule) in new.iter().enumerate() {
            let at_old = rule.slot.and_then(|slot| places.get(&slot).copied()).filter(|at| *at >= from_old);
            if let Some(at_old) = at_old.filter(|at| rule.is_still(old[*at])) {
                pairs.extend(between(from_old..at_old, from_new..at_new));
                pairs.push((at_old, at_new));
                (from_old, from_new) = (at_old + 1, at_new + 1);
            }
        }
    }
    pairs.extend(between(from_old..old.len(), from_new..new.len()));
    let mut rules = before.clone();
    // From the end, so that what is in front stands where it stood.
    let (mut from_old, mut from_new) = (old.len(), new.len());
    let gaps = pairs.iter().rev().map(|(old, new)| (Some((*old, *new)), old + 1, new + 1)).chain([(None, 0, 0)]);
    for (pair, old_end, new_end) in gaps {
        if old_end < from_old || new_end < from_new {
            rules.replace(old_end..from_old, new[new_end..from_new].iter().copied().cloned());
        }
        (from_old, from_new) = pair.unwrap_or_default();
    }
    rules.set_counters(|at| new.get(at).map_or(Counters::default(), |rule| rule.counters));
    let anew = pairs.iter().filter(|(_, at)| new[*at].slot.is_none()).filter_map(|(at, _)| old[*at].slot).collect();
    (rules, anew)
}

/// Pairs of positions of what is the same in both lists, in order.
fn align(old: &[&Rule], new: &[&Rule], is_same: impl Fn(&Rule, &Rule) -> bool) -> Vec<(usize, usize)> {
    let head = old.iter().zip(new).take_while(|(old, new)| is_same(old, new)).count();
    let rest = (&old[head..], &new[head..]);
    let tail = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(|(old, new)| is_same(old, new)).count();
    let keys = |rules: &[&Rule]| -> Vec<u64> {
        let key = |rule: &&Rule| FixedState::default().hash_one((&rule.header, &rule.matches, &rule.target));
        rules.iter().map(key).collect()
    };
    let (old_keys, new_keys) = (keys(&rest.0[..rest.0.len() - tail]), keys(&rest.1[..rest.1.len() - tail]));
    let mut gaps = Gaps { old: &old_keys, new: &new_keys, pairs: Vec::new() };
    gaps.search(0..old_keys.len(), 0..new_keys.len(), DEPTH);
    let between = gaps.pairs.into_iter().map(|(at_old, at_new)| (head + at_old, head + at_new));
    // Two that differ may have one key.
    let between = between.filter(|(at_old, at_new)| is_same(old[*at_old], new[*at_new]));
    let ends = (old.len() - tail..old.len()).zip(new.len() - tail..new.len());
    (0..head).map(|at| (at, at)).chain(between).chain(ends).collect()
}

/// What is between a common beginning and a common end.
struct Gaps<'a> {
    old: &'a [u64],
    new: &'a [u64],
    /// What was found, in order.
    pairs: Vec<(usize, usize)>,
}

impl Gaps<'_> {
    fn search(&mut self, old: Range<usize>, new: Range<usize>, depth: u32) {
        let (olds, news) = (&self.old[old.clone()], &self.new[new.clone()]);
        let head = olds.iter().zip(news).take_while(|(old, new)| old == new).count();
        let (olds, news) = (&olds[head..], &news[head..]);
        let tail = olds.iter().rev().zip(news.iter().rev()).take_while(|(old, new)| old == new).count();
        self.pairs.extend((0..head).map(|at| (old.start + at, new.start + at)));
        let (mut at_old, mut at_new) = (old.start + head, new.start + head);
        let (end_old, end_new) = (old.end - tail, new.end - tail);
        let once = if depth > 0 { self.once(at_old..end_old, at_new..end_new) } else { Vec::new() };
        if !once.is_empty() {
            for (next_old, next_new) in once {
                self.search(at_old..next_old, at_new..next_new, depth - 1);
                self.pairs.push((next_old, next_new));
                (at_old, at_new) = (next_old + 1, next_new + 1);
            }
            self.search(at_old..end_old, at_new..end_new, depth - 1);
        }
        self.pairs.extend((0..tail).map(|at| (end_old + at, end_new + at)));
    }

    /// Of what both sides have once, the most that stand in the same order.
    fn once(&self, old: Range<usize>, new: Range<usize>) -> Vec<(usize, usize)> {
        if old.is_empty() || new.is_empty() {
            return Vec::new();
        }
        // By key, where it stands on each side, while it stands there once.
        let mut places: HashMap<u64, [Place; 2], FixedState> = HashMap::default();
        for (side, keys, range) in [(0, self.old, old.clone()), (1, self.new, new)] {
            for at in range {
                let place = &mut places.entry(keys[at]).or_insert([Place::Nowhere; 2])[side];
                *place = if matches!(place, Place::Nowhere) { Place::Once(at) } else { Place::Often };
            }
        }
        let pairs = old.filter_map(|at| match places[&self.old[at]] {
            [Place::Once(_), Place::Once(new)] => Some((at, new)),
            _ => None,
        });
        in_order(&pairs.collect::<Vec<_>>())
    }
}

#[derive(Clone, Copy)]
enum Place {
    Nowhere,
    Once(usize),
    Often,
}

/// The most pairs whose second numbers grow as the first ones do.
fn in_order(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // Of the sequences of each length the one that ends with the least number; and before each pair the one that leads to it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, (_, new)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *new);
        before.push(length.checked_sub(1).map(|last| ends[last]));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut found: Vec<(usize, usize)> =
        std::iter::successors(ends.last().copied(), |at| before[*at]).map(|at| pairs[at]).collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Family;
    use proptest::prelude::*;
    use proptest::sample::Index;

    /// A rule that says this number, and counts what it is told.
    fn rule(says: u8, slot: Option<u32>, counted: u64) -> Rule {
        let mut rule =
            Rule { slot: slot.map(SlotId), counters: Counters { packets: counted, bytes: 0 }, ..Rule::any(Family::Ipv4) };
        rule.header.protocol.number = says;
        rule
    }

    fn said(rules: &Rules) -> Vec<(u8, Option<u32>, u64)> {
        rules.iter().map(|rule| (rule.header.protocol.number, rule.slot.map(|slot| slot.0), rule.counters.packets)).collect()
    }

    fn before(says: &[u8]) -> Rules {
        says.iter().zip(100..).map(|(says, slot)| rule(*says, Some(slot), 9)).collect()
    }

    #[test]
    fn what_is_said_again_is_the_same_rule_and_counts_what_it_is_told() {
        let old = before(&[1, 2, 3, 4, 5]);
        let new: Rules =
            [(1, 0), (9, 7), (3, 5), (5, 0), (4, 0)].into_iter().map(|(says, counted)| rule(says, None, counted)).collect();
        let (rules, anew) = resumed(&new, &old);
        assert_eq!(said(&rules), [(1, Some(100), 0), (9, None, 7), (3, Some(102), 5), (5, Some(104), 0), (4, None, 0)]);
        assert_eq!(anew, [100, 102, 104].map(SlotId));
    }

    #[test]
    fn rules_that_are_said_alike_are_told_by_their_order() {
        let (rules, _) = resumed(&(0..997).map(|_| rule(6, None, 9)).collect(), &before(&[6; 1000]));
        assert!(said(&rules).into_iter().eq((0..997).map(|n| (6, Some(100 + n), 9))));
    }

    #[test]
    fn what_has_its_slot_still_keeps_it_and_nobody_else_gets_it() {
        let old = before(&[1, 2, 2, 3]);
        // The first 2 is another one than that of slot 101, which was kept.
        let new = [(2, None, 0), (2, Some(101), 8), (3, None, 0)].map(|(says, slot, counted)| rule(says, slot, counted));
        let (rules, anew) = resumed(&new.into_iter().collect(), &old);
        assert_eq!(said(&rules), [(2, None, 0), (2, Some(101), 8), (3, Some(103), 0)]);
        assert_eq!(anew, [SlotId(103)]);
    }

    #[test]
    fn blocks_without_a_difference_stay_shared() {
        let old: Rules = (0..2000).map(|n| rule((n % 250) as u8, Some(n), 0)).collect();
        let mut new: Rules = (0..2000).map(|n| rule((n % 250) as u8, None, 0)).collect();
        let same = resumed(&new, &old).0;
        assert!(same.is_shared_with(&old));
        new.remove(1000);
        let (rules, anew) = resumed(&new, &old);
        assert_eq!((rules.len(), anew.len()), (1999, 1999));
        assert!(!rules.is_shared_with(&old));
        assert_eq!(rules.differences(&old), [(crate::Difference { at: 1000, removed: 1, added: 0 }, 1000)]);
    }

    /// The length of the longest common sequence.
    fn longest(old: &[u8], new: &[u8]) -> usize {
        let mut row = vec![0; new.len() + 1];
        for one in old {
            let mut last = 0;
            for (at, other) in new.iter().enumerate() {
                let above = row[at + 1];
                row[at + 1] = if one == other { last + 1 } else { above.max(row[at]) };
                last = above;
            }
        }
        row[new.len()]
    }

    proptest! {
        #[test]
        fn whatever_is_restored_each_rule_says_what_the_text_does(
            old in prop::collection::vec(0..30u8, 0..60),
            new in prop::collection::vec((0..30u8, 0..3u64), 0..60),
        ) {
            let before = before(&old);
            let now: Rules = new.iter().map(|(says, counted)| rule(*says, None, *counted)).collect();
            let (rules, anew) = resumed(&now, &before);
            let said = said(&rules);
            prop_assert!(said.iter().map(|(says, _, counted)| (*says, *counted)).eq(new.iter().copied()));
            let kept: Vec<u32> = said.iter().filter_map(|(_, slot, _)| *slot).collect();
            prop_assert!(kept.is_sorted_by(|one, next| one < next), "in the order in which they were");
            prop_assert_eq!(kept.clone(), anew.into_iter().map(|slot| slot.0).collect::<Vec<_>>());
            for (says, slot, _) in &said {
                prop_assert!(slot.is_none_or(|slot| old[slot as usize - 100] == *says));
            }
        }

        /// Rules of which none is there twice: found is as much as can be.
        #[test]
        fn of_a_text_with_some_lines_changed_all_others_are_found(
            count in 1..250u8, edits in prop::collection::vec((any::<Index>(), 0..3u8), 0..12),
        ) {
            let old: Vec<u8> = (0..count).collect();
            let mut new = old.clone();
            let mut next = 250..=255;
            for (at, what) in edits {
                let at = at.index(new.len() + 1).min(new.len());
                match (what, next.next()) {
                    (0, Some(other)) => new.insert(at, other),
                    (1, Some(other)) if at < new.len() => new[at] = other,
                    _ if at < new.len() => drop(new.remove(at)),
                    _ => {}
                }
            }
            let now = new.iter().map(|says| rule(*says, None, 0)).collect();
            let kept = resumed(&now, &before(&old)).1.len();
            prop_assert_eq!(kept, longest(&old, &new));
        }
    }
}
