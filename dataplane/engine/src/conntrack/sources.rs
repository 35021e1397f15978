//! Flows by the source of their original direction, newest first: NAT asks it which translation an inside (address, port) has already.
//!
//! Chains through an array beside the slots. One writer and reader: the worker that owns the table.

const NIL: u32 = u32::MAX;
const UNLINKED: u32 = u32::MAX - 1;

#[derive(Clone, Copy)]
struct Link {
    prev: u32,
    next: u32,
    bucket: u32,
}

/// The chains.
pub(crate) struct Sources {
    heads: Vec<u32>,
    links: Vec<Link>,
}

impl Sources {
    /// Chains for slots below `capacity`.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { heads: vec![NIL; capacity.max(8).next_power_of_two()], links: Vec::with_capacity(capacity) }
    }

    /// Makes room for one more slot: the next number.
    pub(crate) fn add_slot(&mut self) {
        debug_assert!(self.links.len() < self.links.capacity(), "slots are counted by the table");
        self.links.push(Link { prev: NIL, next: NIL, bucket: UNLINKED });
    }

    /// Adds a slot that is in no chain.
    pub(crate) fn insert(&mut self, slot: u32, hash: u32) {
        let bucket = hash & (self.heads.len() - 1) as u32;
        let next = self.heads[bucket as usize];
        self.links[slot as usize] = Link { prev: NIL, next, bucket };
        if next != NIL {
            self.links[next as usize].prev = slot;
        }
        self.heads[bucket as usize] = slot;
    }

    /// Takes a slot out of its chain, if it is in one.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Link { prev, next, bucket } = self.links[slot as usize];
        if bucket == UNLINKED {
            return;
        }
        match prev {
            NIL => self.heads[bucket as usize] = next,
            _ => self.links[prev as usize].next = next,
        }
        if next != NIL {
            self.links[next as usize].prev = prev;
        }
        self.links[slot as usize].bucket = UNLINKED;
    }

    /// The slots of a chain: those of this hash, and others that share its bucket.
    pub(crate) fn chain(&self, hash: u32) -> impl Iterator<Item = u32> {
        let first = self.heads[(hash & (self.heads.len() - 1) as u32) as usize];
        let real = |slot: u32| (slot != NIL).then_some(slot);
        core::iter::successors(real(first), move |slot| real(self.links[*slot as usize].next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_and_removal_anywhere() {
        let mut sources = Sources::new(8);
        (0..5).for_each(|_| sources.add_slot());
        (0..4).for_each(|slot| sources.insert(slot, 5));
        sources.insert(4, 6);
        let chain = |s: &Sources| s.chain(5).collect::<Vec<_>>();
        assert_eq!(chain(&sources), [3, 2, 1, 0]);
        sources.remove(2);
        sources.remove(2);
        assert_eq!(chain(&sources), [3, 1, 0]);
        sources.remove(3);
        sources.remove(0);
        assert_eq!(chain(&sources), [1]);
        sources.remove(1);
        assert_eq!(chain(&sources), []);
    }
}
