//! Flows by the source of their original direction, newest first: NAT asks it which translation an inside (address, port) has already.
//!
//! Chains through links in a column beside the slots: only flows whose source NAT is decided touch it, when they begin and when they end. One writer
//! and reader: the worker that owns the table.

const NIL: u32 = u32::MAX;
const UNLINKED: u32 = u32::MAX - 1;

/// A slot's place in its chain.
#[derive(Clone, Copy, Debug)]
struct Link {
    prev: u32,
    next: u32,
}

impl Link {
    /// In no chain.
    const UNLINKED: Self = Self { prev: NIL, next: UNLINKED };
}

/// The chains.
pub(crate) struct Sources {
    heads: Vec<u32>,
    links: Vec<Link>,
}

impl Sources {
    /// Chains for so many slots.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { heads: memory::filled(NIL, capacity.max(8)), links: Vec::with_capacity(capacity) }
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
        self.links[slot as usize] = Link { prev: NIL, next };
        if next != NIL {
            self.links[next as usize].prev = slot;
        }
        self.heads[head] = slot;
    }

    /// Takes a slot out of the chain of its hash, if it is in one.
    pub(crate) fn remove(&mut self, slot: u32, hash: u32) {
        let Link { prev, next } = self.links[slot as usize];
        if next == UNLINKED {
            return;
        }
        match prev {
            NIL => {
                let head = self.head(hash);
                self.heads[head] = next;
            }
            _ => self.links[prev as usize].next = next,
        }
        if next != NIL {
            self.links[next as usize].prev = prev;
        }
        self.links[slot as usize] = Link::UNLINKED;
    }

    /// The slots of a chain: those of this hash, and others that share its head.
    pub(crate) fn chain(&self, hash: u32) -> impl Iterator<Item = u32> {
        let real = |slot: u32| (slot != NIL).then_some(slot);
        core::iter::successors(real(self.heads[self.head(hash)]), move |slot| real(self.links[*slot as usize].next))
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
        sources.remove(1, one);
        assert_eq!(chain(&sources), []);
    }
}
