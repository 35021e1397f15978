//! Flows by the source of their original direction, newest first: NAT asks it which translation an inside (address, port) has already.
//!
//! Chains through links in a column beside the slots: only flows whose source NAT is decided touch it, when they begin and when they end. One writer
//! and reader: the worker that owns the table.

/// Bits of a slot's number; the two above them in each of a link's numbers are its tag's.
const SLOT_BITS: u32 = 30;
const SLOT: u32 = (1 << SLOT_BITS) - 1;
const NIL: u32 = SLOT;
const UNLINKED: u32 = SLOT - 1;
/// Most slots.
pub(crate) const SLOTS: u32 = UNLINKED;

/// A slot's place in its chain, and four bits of its hash: of the flows that share a head with another source few have to be looked at.
#[derive(Clone, Copy, Debug)]
struct Link {
    prev: u32,
    next: u32,
}

impl Link {
    /// In no chain.
    const UNLINKED: Self = Self { prev: NIL, next: UNLINKED };

    fn new(next: u32, hash: u32) -> Self {
        let tag = |bits: u32| (bits & 3) << SLOT_BITS;
        Self { prev: NIL | tag(hash >> 2), next: next | tag(hash) }
    }

    fn prev(self) -> u32 {
        self.prev & SLOT
    }

    fn next(self) -> u32 {
        self.next & SLOT
    }

    fn set_prev(&mut self, slot: u32) {
        self.prev = self.prev & !SLOT | slot;
    }

    fn set_next(&mut self, slot: u32) {
        self.next = self.next & !SLOT | slot;
    }

    /// Can it be of this hash?
    fn fits(self, hash: u32) -> bool {
        (self.prev >> SLOT_BITS) << 2 | self.next >> SLOT_BITS == hash & 15
    }
}

/// The chains.
pub(crate) struct Sources {
    heads: Vec<u32>,
    links: Vec<Link>,
    /// How many slots are in a chain.
    linked: u32,
}

impl Sources {
    /// Chains for so many slots.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { heads: memory::filled(NIL, capacity.max(8)), links: Vec::with_capacity(capacity), linked: 0 }
    }

    /// Bytes of the chains of so many slots.
    pub(crate) fn bytes(capacity: usize) -> usize {
        capacity.max(8) * size_of::<u32>() + capacity * size_of::<Link>()
    }

    /// Has the kernel back them now.
    pub(crate) fn set_aside(&mut self) -> Result<(), memory::Short> {
        memory::set_aside(&mut self.heads)?;
        memory::set_aside(self.links.spare_capacity_mut())
    }

    /// There is one more slot.
    pub(crate) fn add(&mut self) {
        self.links.push(Link::UNLINKED);
    }

    fn head(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.heads.len() as u64) >> 32) as usize
    }

    /// Adds a slot that is in no chain.
    pub(crate) fn insert(&mut self, slot: u32, hash: u32) {
        let head = self.head(hash);
        let next = self.heads[head];
        self.links[slot as usize] = Link::new(next, hash);
        if next != NIL {
            self.links[next as usize].set_prev(slot);
        }
        self.heads[head] = slot;
        self.linked += 1;
    }

    /// Takes a slot out of the chain of its hash, if it is in one.
    pub(crate) fn remove(&mut self, slot: u32, hash: u32) {
        let (prev, next) = (self.links[slot as usize].prev(), self.links[slot as usize].next());
        if next == UNLINKED {
            return;
        }
        self.linked -= 1;
        match prev {
            NIL => {
                let head = self.head(hash);
                self.heads[head] = next;
            }
            _ => self.links[prev as usize].set_next(next),
        }
        if next != NIL {
            self.links[next as usize].set_prev(prev);
        }
        self.links[slot as usize] = Link::UNLINKED;
    }

    /// The slots of a chain: those of this hash, and a few that share its head.
    pub(crate) fn chain(&self, hash: u32) -> impl Iterator<Item = u32> {
        let real = |slot: u32| (slot != NIL).then_some(slot);
        core::iter::successors(real(self.heads[self.head(hash)]), move |slot| real(self.links[*slot as usize].next()))
            .filter(move |slot| self.links[*slot as usize].fits(hash))
    }

    /// Is no slot in any chain?
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.linked == 0
    }

    /// Brings the head of a chain near.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u32) {
        memory::prefetch(&self.heads[self.head(hash)]);
    }

    /// Brings near what follows the head, which was.
    #[inline]
    pub(crate) fn prefetch_first(&self, hash: u32) {
        if let Some(link) = self.links.get(self.heads[self.head(hash)] as usize) {
            memory::prefetch(link);
        }
    }

    /// Brings a slot's place near.
    #[inline]
    pub(crate) fn prefetch_slot(&self, slot: u32) {
        memory::prefetch(&self.links[slot as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_and_removal_anywhere() {
        let mut sources = Sources::new(8);
        (0..5).for_each(|_| sources.add());
        let (one, other) = (5 << 29, 6 << 29);
        (0..4).for_each(|slot| sources.insert(slot, one));
        sources.insert(4, other);
        let chain = |sources: &Sources| sources.chain(one).collect::<Vec<_>>();
        assert_eq!(chain(&sources), [3, 2, 1, 0]);
        sources.remove(2, one);
        sources.remove(2, one);
        assert_eq!(chain(&sources), [3, 1, 0]);
        sources.remove(3, one);
        sources.remove(0, one);
        assert_eq!(chain(&sources), [1]);
        assert!(!sources.is_empty());
        sources.remove(1, one);
        sources.remove(4, other);
        assert_eq!(chain(&sources), []);
        assert!(sources.is_empty());
    }

    #[test]
    fn of_those_that_share_a_head_the_others_are_passed_over() {
        let mut sources = Sources::new(8);
        (0..32).for_each(|_| sources.add());
        let hash = |slot: u32| (5 << 29) | (slot % 16);
        (0..32).for_each(|slot| sources.insert(slot, hash(slot)));
        for slot in 0..16 {
            assert_eq!(sources.chain(hash(slot)).collect::<Vec<_>>(), [slot + 16, slot]);
        }
        (0..32).step_by(3).for_each(|slot| sources.remove(slot, hash(slot)));
        for slot in 0..16 {
            let left: Vec<u32> = [slot + 16, slot].into_iter().filter(|slot| slot % 3 != 0).collect();
            assert_eq!(sources.chain(hash(slot)).collect::<Vec<_>>(), left);
        }
    }
}
