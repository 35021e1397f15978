//! Which snapshot it is, and by which edits of the rules it came from those before.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use packet::{Family, Ipv4, Ipv6};
use program::{Change, Program, Tables};

/// Edits that are remembered. Who has missed more has missed all.
pub(crate) const REMEMBERED: usize = 64;

/// Which snapshot it is. What a worker remembers of packets holds for the snapshot under which they walked, and is told from that of all others by
/// this alone: whoever changes a snapshot gives it a new one.
#[derive(Clone, Debug)]
pub struct Edition {
    number: u64,
    pub(crate) ipv4: Lineage<Ipv4>,
    pub(crate) ipv6: Lineage<Ipv6>,
}

impl Edition {
    /// One that no other snapshot of this process has, and that has nothing to do with any of them.
    #[expect(clippy::new_without_default, reason = "each is another: there is no default one")]
    pub fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self { number: LAST.fetch_add(1, Ordering::Relaxed) + 1, ipv4: Lineage::default(), ipv6: Lineage::default() }
    }

    /// One of a snapshot that is another only by its rules: `now` instead of `before`.
    #[must_use]
    pub fn after(&self, before: &Program, now: &Program) -> Self {
        let ipv4 = self.ipv4.after(self.number, &before.ipv4, &now.ipv4);
        let ipv6 = self.ipv6.after(self.number, &before.ipv6, &now.ipv6);
        Self { ipv4, ipv6, ..Self::new() }
    }

    /// Its number, which is none of [`Edition::NONE`].
    #[inline]
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The number of no edition.
    pub(crate) const NONE: u64 = 0;
}

/// The last edits of a family's rules, oldest first, each with the number of the edition that it changed.
#[derive(Clone, Debug)]
pub(crate) struct Lineage<F: Family>(Vec<(u64, Arc<Change<F>>)>);

impl<F: Family> Default for Lineage<F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<F: Family> Lineage<F> {
    fn after(&self, number: u64, before: &Tables<F>, now: &Tables<F>) -> Self {
        let Some(change) = Change::between(before, now) else { return Self::default() };
        let forgotten = (self.0.len() + 1).saturating_sub(REMEMBERED);
        let last = (number, Arc::new(change));
        Self(self.0[forgotten..].iter().cloned().chain([last]).collect())
    }

    /// How many edits lead from the edition of this number to this one; `None` where something else does.
    pub(crate) fn since(&self, number: u64) -> Option<usize> {
        self.0.iter().rev().position(|(from, _)| *from == number).map(|later| later + 1)
    }

    /// The last so many edits, if that many are remembered.
    pub(crate) fn last(&self, many: usize) -> Option<impl ExactSizeIterator<Item = &Change<F>>> {
        let from = self.0.len().checked_sub(many)?;
        Some(self.0[from..].iter().map(|(_, change)| &**change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_lead_from_edition_to_edition_until_everything_may_have_changed() {
        let rules = Program::default();
        let first = Edition::new();
        let second = first.after(&rules, &rules);
        let third = second.after(&rules, &rules);
        let since = |edition: &Edition, from: &Edition| edition.ipv4.since(from.number());
        assert_eq!([since(&third, &first), since(&third, &second), since(&second, &first)], [Some(2), Some(1), Some(1)]);
        assert_eq!([since(&third, &third), since(&first, &second), since(&Edition::new(), &first)], [None; 3]);
        let other = Program {
            ipv4: Tables { tables: [Some(Arc::new(program::Table::empty(program::TableKind::Raw))), None, None, None, None] },
            ..Program::default()
        };
        let fourth = third.after(&rules, &other);
        assert_eq!(
            (since(&fourth, &third), fourth.ipv6.since(third.number())),
            (None, Some(1)),
            "of the other family nothing changed"
        );
    }

    #[test]
    fn only_so_many_edits_are_remembered() {
        let rules = Program::default();
        let first = Edition::new();
        let second = first.after(&rules, &rules);
        let last = (1..REMEMBERED).fold(second.clone(), |edition, _| edition.after(&rules, &rules));
        assert_eq!((last.ipv4.since(first.number()), last.ipv4.since(second.number())), (Some(REMEMBERED), Some(REMEMBERED - 1)));
        let more = last.after(&rules, &rules);
        assert_eq!((more.ipv4.since(first.number()), more.ipv4.since(second.number())), (None, Some(REMEMBERED)));
        assert!(more.ipv4.last(REMEMBERED).is_some() && more.ipv4.last(REMEMBERED + 1).is_none());
    }
}
