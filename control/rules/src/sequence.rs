//! The rules of a chain, in blocks that rule sets share: a copy costs as much as there are blocks, and a change one block.
use crate::{Counters, Rule, SlotId};
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::fmt;
use std::ops::{Index, IndexMut, Range};
use std::sync::Arc;

/// A block that would have more rules is parted.
const MOST: usize = 256;

/// Rules from top to bottom.
#[derive(Clone, Default)]
pub struct Rules {
    /// None of them is empty.
    blocks: Vec<Arc<Vec<Rule>>>,
    len: usize,
}

/// In what two sequences differ: between a common beginning and a common end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The position before of the first rule that differs.
    pub at: usize,
    /// So many rules are gone.
    pub removed: usize,
    /// And so many are there in their place.
    pub added: usize,
}

impl Rules {
    /// How many.
    pub fn len(&self) -> usize {
        self.len
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The rule at this position.
    pub fn get(&self, position: usize) -> Option<&Rule> {
        let (block, within) = self.place(position)?;
        self.blocks[block].get(within)
    }

    /// The rule at this position, to change.
    pub fn get_mut(&mut self, position: usize) -> Option<&mut Rule> {
        let (block, within) = self.place(position)?;
        Arc::make_mut(&mut self.blocks[block]).get_mut(within)
    }

    /// From top to bottom. To begin further down (`skip`) costs a step for each block.
    pub fn iter(&self) -> Iter<'_> {
        self.blocks.iter().flat_map(|block| block.iter())
    }

    /// The same, to change. All blocks that are shared are copied.
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        self.blocks.iter_mut().flat_map(|block| Arc::make_mut(block).iter_mut())
    }

    /// Changes those rules in a range of which `is_to_change` is true; what has none of them stays shared.
    pub fn change(&mut self, range: Range<usize>, is_to_change: impl Fn(&Rule) -> bool, mut change: impl FnMut(&mut Rule)) {
        let mut first = 0;
        for block in &mut self.blocks {
            let start = range.start.saturating_sub(first).min(block.len());
            let end = range.end.saturating_sub(first).min(block.len());
            first += block.len();
            if block[start..end].iter().any(&is_to_change) {
                Arc::make_mut(block)[start..end].iter_mut().filter(|rule| is_to_change(rule)).for_each(&mut change);
            }
        }
    }

    /// One more at the end.
    pub fn push(&mut self, rule: Rule) {
        self.replace(self.len..self.len, [rule]);
    }

    /// One more at this position.
    ///
    /// # Panics
    /// When it is beyond the end.
    pub fn insert(&mut self, position: usize, rule: Rule) {
        self.replace(position..position, [rule]);
    }

    /// Takes a rule out.
    ///
    /// # Panics
    /// When there is none at this position.
    pub fn remove(&mut self, position: usize) -> Rule {
        let rule = self[position].clone();
        self.replace(position..position + 1, []);
        rule
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Puts others in the place of these.
    ///
    /// # Panics
    /// When the range is not within the rules.
    pub fn replace(&mut self, range: Range<usize>, others: impl IntoIterator<Item = Rule>) {
        assert!(range.start <= range.end && range.end <= self.len, "rules {range:?} of {}", self.len);
        if !range.is_empty() {
            self.cut(&range);
        }
        // At the end, it is the last block that they are added to.
        let at_end = || self.blocks.split_last().map_or((0, 0), |(last, before)| (before.len(), last.len()));
        let (at, within) = if range.start == self.len { at_end() } else { self.place(range.start).unwrap_or_default() };
        let mut others = others.into_iter().peekable();
        if others.peek().is_none() {
            return;
        }
        if self.blocks.is_empty() {
            // Many chains stay with one.
            self.blocks.reserve_exact(1);
            self.blocks.push(Arc::default());
        }
        let block = Arc::make_mut(&mut self.blocks[at]);
        let before = block.len();
        // Many chains have a rule or two: what the vector itself would set aside for more is more than they are.
        let coming = others.size_hint().0;
        if block.capacity() - before < coming {
            block.reserve_exact(coming.max((before / 4).min(MOST.saturating_sub(before))));
        }
        block.splice(within..within, others);
        self.len += block.len() - before;
        if block.len() > MOST {
            // What grows at its end leaves full blocks behind.
            let most = if within == before { MOST } else { block.len().div_ceil(block.len().div_ceil(MOST)) };
            let rest: Vec<Rule> = block.split_off(most);
            block.shrink_to_fit();
            let mut rest = rest.into_iter();
            let parts = std::iter::from_fn(|| Some(rest.by_ref().take(most).collect::<Vec<_>>()).filter(|part| !part.is_empty()));
            self.blocks.splice(at + 1..at + 1, parts.map(Arc::new));
        }
    }

    /// Takes these rules out. Where little is left of two blocks they become one.
    fn cut(&mut self, range: &Range<usize>) {
        let mut first = 0;
        self.blocks.retain_mut(|block| {
            let start = range.start.saturating_sub(first).min(block.len());
            let end = range.end.saturating_sub(first).min(block.len());
            first += block.len();
            if end - start == block.len() {
                return false;
            }
            if start < end {
                Arc::make_mut(block).drain(start..end);
            }
            true
        });
        self.len -= range.end - range.start;
        let (at, _) = self.place(range.start).unwrap_or_default();
        if let Some([block, next]) = self.blocks.get(at..at + 2)
            && block.len() + next.len() <= MOST / 2
        {
            let next = self.blocks.remove(at + 1);
            Arc::make_mut(&mut self.blocks[at]).extend_from_slice(&next);
        }
    }

    /// Where these rules differ from others; `None` where they do not. `is_same` is not asked of rules that both share.
    pub fn difference(&self, before: &Rules, is_same: impl Fn(&Rule, &Rule) -> bool) -> Option<Difference> {
        let is_same = |now: &Rule, old: &Rule| std::ptr::eq(now, old) || is_same(now, old);
        let shared = self.blocks.iter().zip(&before.blocks).take_while(|(now, old)| Arc::ptr_eq(now, old));
        let first = shared.clone().count();
        let at: usize = shared.map(|(now, _)| now.len()).sum();
        let (now, old) = (&self.blocks[first..], &before.blocks[first..]);
        let last = now.iter().rev().zip(old.iter().rev()).take_while(|(now, old)| Arc::ptr_eq(now, old)).count();
        let rules = |blocks| Vec::from_iter(<[Arc<Vec<Rule>>]>::iter(blocks).flat_map(|block| block.iter()));
        let (now, old) = (rules(&now[..now.len() - last]), rules(&old[..old.len() - last]));
        let ahead = now.iter().zip(&old).take_while(|(now, old)| is_same(now, old)).count();
        let (now, old) = (&now[ahead..], &old[ahead..]);
        let behind = now.iter().rev().zip(old.iter().rev()).take_while(|(now, old)| is_same(now, old)).count();
        let difference = Difference { at: at + ahead, removed: old.len() - behind, added: now.len() - behind };
        (difference.removed + difference.added > 0).then_some(difference)
    }

    /// All places at which these rules are not still those of before ([`Rule::is_still`]), from top to bottom; each with the position at which it is now.
    pub fn differences(&self, before: &Rules) -> Vec<(Difference, usize)> {
        let Some(Difference { at: first, removed, added }) = self.difference(before, Rule::is_still) else { return Vec::new() };
        let old: Vec<&Rule> = before.iter().skip(first).take(removed).collect();
        let slots = old.iter().enumerate().filter_map(|(at, rule)| Some((rule.slot?, at)));
        let places: HashMap<SlotId, usize, FixedState> = if added > 0 { slots.collect() } else { HashMap::default() };
        let mut differences = Vec::new();
        let mut add = |(old, new): (usize, usize), (end_old, end_new): (usize, usize)| {
            let difference = Difference { at: first + old, removed: end_old - old, added: end_new - new };
            differences.extend((difference.removed + difference.added > 0).then_some((difference, first + new)));
        };
        let (mut from_old, mut from_new) = (0, 0);
        for (at_new, rule) in self.iter().skip(first).take(added).enumerate() {
            let at_old = rule.slot.and_then(|slot| places.get(&slot).copied()).filter(|at| *at >= from_old);
            let is_kept = |at: &usize| std::ptr::eq(rule, old[*at]) || rule.is_still(old[*at]);
            if let Some(at_old) = at_old.filter(is_kept) {
                add((from_old, from_new), (at_old, at_new));
                (from_old, from_new) = (at_old + 1, at_new + 1);
            }
        }
        add((from_old, from_new), (removed, added));
        differences
    }

    /// Sets what each rule counts, by its position. What has nothing to set stays shared.
    pub fn set_counters(&mut self, of: impl Fn(usize) -> Counters) {
        let mut first = 0;
        for block in &mut self.blocks {
            if block.iter().zip(first..).any(|(rule, at)| rule.counters != of(at)) {
                Arc::make_mut(block).iter_mut().zip(first..).for_each(|(rule, at)| rule.counters = of(at));
            }
            first += block.len();
        }
    }

    /// Are they the very same rules as these?
    pub(crate) fn is_shared_with(&self, other: &Rules) -> bool {
        let mut pairs = self.blocks.iter().zip(&other.blocks);
        self.blocks.len() == other.blocks.len() && pairs.all(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// The block of a position, and the place in it.
    fn place(&self, position: usize) -> Option<(usize, usize)> {
        let mut left = position;
        for (at, block) in self.blocks.iter().enumerate() {
            if left < block.len() {
                return Some((at, left));
            }
            left -= block.len();
        }
        None
    }
}

/// Rules from top to bottom.
pub type Iter<'a> = std::iter::FlatMap<
    std::slice::Iter<'a, Arc<Vec<Rule>>>,
    std::slice::Iter<'a, Rule>,
    fn(&'a Arc<Vec<Rule>>) -> std::slice::Iter<'a, Rule>,
>;

/// Rules from top to bottom, to change.
pub type IterMut<'a> = std::iter::FlatMap<
    std::slice::IterMut<'a, Arc<Vec<Rule>>>,
    std::slice::IterMut<'a, Rule>,
    fn(&'a mut Arc<Vec<Rule>>) -> std::slice::IterMut<'a, Rule>,
>;

impl Index<usize> for Rules {
    type Output = Rule;
    fn index(&self, position: usize) -> &Rule {
        match self.get(position) {
            Some(rule) => rule,
            None => panic!("rule {position} of {}", self.len),
        }
    }
}

impl IndexMut<usize> for Rules {
    fn index_mut(&mut self, position: usize) -> &mut Rule {
        let len = self.len;
        match self.get_mut(position) {
            Some(rule) => rule,
            None => panic!("rule {position} of {len}"),
        }
    }
}

impl Extend<Rule> for Rules {
    fn extend<I: IntoIterator<Item = Rule>>(&mut self, rules: I) {
        self.replace(self.len..self.len, rules);
    }
}

impl FromIterator<Rule> for Rules {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Rules {
        let mut all = Rules::default();
        all.extend(rules);
        all
    }
}

impl<'a> IntoIterator for &'a Rules {
    type Item = &'a Rule;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Rules {
    type Item = &'a mut Rule;
    type IntoIter = IterMut<'a>;
    fn into_iter(self) -> IterMut<'a> {
        self.iter_mut()
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Rules) -> bool {
        self.len == other.len && self.difference(other, |one, other| one == other).is_none()
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Family;
    use proptest::prelude::*;

    fn rule(n: u64) -> Rule {
        Rule { counters: Counters { packets: n, bytes: 0 }, ..Rule::any(Family::Ipv4) }
    }

    fn numbers(rules: &Rules) -> Vec<u64> {
        rules.iter().map(|rule| rule.counters.packets).collect()
    }

    fn check(rules: &Rules, wanted: &[u64]) {
        assert_eq!(numbers(rules), wanted);
        assert_eq!(rules.len(), wanted.len());
        assert!(rules.blocks.iter().all(|block| (1..=MOST).contains(&block.len())));
    }

    #[test]
    fn a_rule_is_small_and_blocks_have_little_room_for_more() {
        assert!(size_of::<Rule>() <= 208 && size_of::<crate::Match>() <= 32 && size_of::<crate::Target>() <= 32);
        let room = |rules: &Rules| -> usize { rules.blocks.iter().map(|block| block.capacity()).sum() };
        let mut rules = Rules::default();
        for count in 1..=2 {
            rules.push(rule(count));
            assert_eq!(room(&rules), count as usize, "a chain of one rule or two has no room for others");
        }
        (2..10_000).for_each(|n| rules.push(rule(n)));
        assert!(room(&rules) <= 10_000 + MOST, "{}", room(&rules));
    }

    #[test]
    fn a_copy_that_was_changed_shares_the_other_blocks() {
        let rules: Rules = (0..10_000).map(rule).collect();
        assert_eq!(rules.blocks.len(), 10_000usize.div_ceil(MOST));
        let mut other = rules.clone();
        other.insert(5_000, rule(7));
        let shared = rules.blocks.iter().filter(|one| other.blocks.iter().any(|other| Arc::ptr_eq(one, other)));
        assert_eq!(shared.count(), rules.blocks.len() - 1);
        other.change(0..other.len(), |rule| rule.counters.packets == 9_999, |rule| rule.counters.bytes = 1);
        assert_eq!(other[10_000].counters.bytes, 1);
        assert_eq!(rules[9_999].counters.bytes, 0);
    }

    proptest! {
        /// What a vector of numbers is after the same edits; and the difference names a range outside of which both are the same.
        #[test]
        fn edits_do_what_they_do_to_a_vector(
            start in 0..1_500u64,
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..700usize, 0..600u64), 0..12),
        ) {
            let mut wanted: Vec<u64> = (0..start).collect();
            let mut rules: Rules = wanted.iter().copied().map(rule).collect();
            for (n, (at, removed, added)) in (1..).zip(edits) {
                let before = (rules.clone(), wanted.clone());
                let at = at.index(wanted.len() + 1);
                let end = (at + removed).min(wanted.len());
                let new = (0..added).map(|m| n * 1_000_000 + m);
                wanted.splice(at..end, new.clone());
                rules.replace(at..end, new.map(rule));
                check(&rules, &wanted);
                prop_assert_eq!(numbers(&before.0), before.1.clone());
                let found = rules.difference(&before.0, |one, other| one == other).unwrap_or_default();
                let expected = Difference { at, removed: end - at, added: added as usize };
                prop_assert_eq!(found, if expected.removed + expected.added == 0 { Difference::default() } else { expected });
            }
        }

        /// What each difference says, done from the end, makes the rules of those before.
        #[test]
        fn differences_lead_from_one_to_the_other(
            old in prop::sample::subsequence((0..60u32).collect::<Vec<_>>(), 0..60),
            new in prop::sample::subsequence((0..60u32).collect::<Vec<_>>(), 0..60),
            moved in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())),
        ) {
            let mut new = new;
            if let Some((from, to)) = moved.filter(|_| !new.is_empty()) {
                let one = new.remove(from.index(new.len()));
                new.insert(to.index(new.len() + 1), one);
            }
            let rules = |slots: &[u32]| -> Rules {
                slots.iter().map(|slot| Rule { slot: Some(SlotId(*slot)), ..Rule::any(Family::Ipv4) }).collect()
            };
            let (before, now) = (rules(&old), rules(&new));
            let differences = now.differences(&before);
            prop_assert!(differences.windows(2).all(|pair| pair[0].0.at + pair[0].0.removed < pair[1].0.at));
            let mut made = old.clone();
            for (Difference { at, removed, added }, now) in differences.iter().rev() {
                made.splice(*at..at + removed, new[*now..now + added].iter().copied());
            }
            prop_assert_eq!(&made, &new);
            if moved.is_none() {
                let kept = old.len() - differences.iter().map(|(difference, _)| difference.removed).sum::<usize>();
                prop_assert_eq!(kept, old.iter().filter(|slot| new.contains(slot)).count());
            }
        }
    }
}
