//! Flows by the source of their original direction, newest first: NAT asks it which translation an inside (address, port) has already.
//!
//! Chains through links in the slots. One writer and reader: the worker that owns the table.

const NIL: u32 = u32::MAX;
const UNLINKED: u32 = u32::MAX - 1;

/// A slot's place in its chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    prev: u32,
    next: u32,
}

impl Link {
    /// In no chain.
    pub(crate) const UNLINKED: Self = Self { prev: NIL, next: UNLINKED };

    /// In a chain?
    pub(crate) fn is_linked(&self) -> bool {
        self.next != UNLINKED
    }
}

/// Where the links of all slots are.
pub(crate) trait Links {
    /// The link of a slot.
    fn link(&self, slot: u32) -> &Link;
    /// The same, to write.
    fn link_mut(&mut self, slot: u32) -> &mut Link;
}

/// The chains.
pub(crate) struct Sources {
    heads: Vec<u32>,
}

impl Sources {
    /// Chains for so many slots.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { heads: memory::filled(NIL, capacity.max(8)) }
    }

    /// Bytes of the chains of so many slots.
    pub(crate) fn bytes(capacity: usize) -> usize {
        capacity.max(8) * size_of::<u32>()
    }

    /// Has the kernel back them now.
    pub(crate) fn set_aside(&mut self) -> Result<(), memory::Short> {
        memory::set_aside(&mut self.heads)
    }

    fn head(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.heads.len() as u64) >> 32) as usize
    }

    /// Adds a slot that is in no chain.
    pub(crate) fn insert(&mut self, links: &mut impl Links, slot: u32, hash: u32) {
        let head = self.head(hash);
        let next = self.heads[head];
        *links.link_mut(slot) = Link { prev: NIL, next };
        if next != NIL {
            links.link_mut(next).prev = slot;
        }
        self.heads[head] = slot;
    }

    /// Takes a slot out of the chain of its hash, if it is in one.
    pub(crate) fn remove(&mut self, links: &mut impl Links, slot: u32, hash: u32) {
        let Link { prev, next } = *links.link(slot);
        if next == UNLINKED {
            return;
        }
        match prev {
            NIL => {
                let head = self.head(hash);
                self.heads[head] = next;
            }
            _ => links.link_mut(prev).next = next,
        }
        if next != NIL {
            links.link_mut(next).prev = prev;
        }
        *links.link_mut(slot) = Link::UNLINKED;
    }

    /// The slots of a chain: those of this hash, and others that share its head.
    pub(crate) fn chain<'l, L: Links>(&self, links: &'l L, hash: u32) -> impl Iterator<Item = u32> + use<'l, L> {
        let real = |slot: u32| (slot != NIL).then_some(slot);
        core::iter::successors(real(self.heads[self.head(hash)]), move |slot| real(links.link(*slot).next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Links for Vec<Link> {
        fn link(&self, slot: u32) -> &Link {
            &self[slot as usize]
        }

        fn link_mut(&mut self, slot: u32) -> &mut Link {
            &mut self[slot as usize]
        }
    }

    #[test]
    fn newest_first_and_removal_anywhere() {
        let (mut sources, mut links) = (Sources::new(8), vec![Link::UNLINKED; 5]);
        let (one, other) = (5 << 29, 6 << 29);
        (0..4).for_each(|slot| sources.insert(&mut links, slot, one));
        sources.insert(&mut links, 4, other);
        let chain = |s: &Sources, links: &Vec<Link>| s.chain(links, one).collect::<Vec<_>>();
        assert_eq!(chain(&sources, &links), [3, 2, 1, 0]);
        sources.remove(&mut links, 2, one);
        sources.remove(&mut links, 2, one);
        assert_eq!(chain(&sources, &links), [3, 1, 0]);
        assert!(!links[2].is_linked() && links[3].is_linked());
        sources.remove(&mut links, 3, one);
        sources.remove(&mut links, 0, one);
        assert_eq!(chain(&sources, &links), [1]);
        sources.remove(&mut links, 1, one);
        assert_eq!(chain(&sources, &links), []);
    }
}
