//! Which counter slot of the dataplane belongs to which rule.
//!
//! A rule or a built-in chain keeps its slot for life, across publications. A slot that an edit sets free is given out again only by a
//! later edit, because until its publication the old program still counts in it; when no other is left it is reused at once, and the new
//! rule may then show a few packets of the old one.

/// The slots of one dataplane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    capacity: u32,
    /// Slots from here on were never given out.
    next: u32,
    free: Vec<u32>,
}

/// Every slot is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all {capacity} counter slots are in use: a rule and a built-in chain need one each ([dataplane.limits] counters)")]
pub struct SlotsFull {
    /// How many there are.
    pub capacity: u32,
}

impl Slots {
    /// All slots below `capacity` are free.
    pub fn new(capacity: u32) -> Slots {
        Slots { capacity, next: 0, free: Vec::new() }
    }

    /// All slots below `capacity` but `used` are free.
    pub fn with_used(capacity: u32, used: &[u32]) -> Slots {
        let next = used.iter().map(|slot| slot.saturating_add(1)).max().unwrap_or(0);
        let mut taken = vec![false; next as usize];
        for slot in used {
            taken[*slot as usize] = true;
        }
        let free = (0..next).rev().filter(|slot| !taken[*slot as usize]).collect();
        Slots { capacity, next, free }
    }

    /// How many slots are given out.
    pub fn used(&self) -> u32 {
        self.next - self.free.len() as u32
    }

    /// How many slots there are.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Which will be taken next, in this order; fewer where not so many are free.
    pub fn coming(&self, count: usize) -> impl Iterator<Item = u32> {
        self.free.iter().rev().copied().chain(self.next..self.capacity).take(count)
    }

    /// Takes a free slot; `released` are those that this edit sets free, the last resort.
    pub fn take(&mut self, released: &mut Vec<u32>) -> Result<u32, SlotsFull> {
        if let Some(slot) = self.free.pop() {
            return Ok(slot);
        }
        if self.next < self.capacity {
            self.next += 1;
            return Ok(self.next - 1);
        }
        released.pop().ok_or(SlotsFull { capacity: self.capacity })
    }

    /// Gives slots back.
    pub fn release(&mut self, slots: Vec<u32>) {
        self.free.extend(slots);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_slot_is_given_out_twice() {
        let mut slots = Slots::new(3);
        let mut given: Vec<u32> = (0..3).map(|_| slots.take(&mut Vec::new()).unwrap()).collect();
        given.sort();
        assert_eq!(given, [0, 1, 2]);
        assert_eq!(slots.take(&mut Vec::new()), Err(SlotsFull { capacity: 3 }));
        slots.release(vec![1]);
        assert_eq!(slots.used(), 2);
        assert_eq!(slots.take(&mut Vec::new()), Ok(1));
    }

    #[test]
    fn a_slot_released_by_the_same_edit_is_the_last_resort() {
        let mut slots = Slots::new(2);
        slots.take(&mut Vec::new()).unwrap();
        let mut released = vec![0];
        assert_eq!(slots.take(&mut released), Ok(1));
        assert_eq!(slots.take(&mut released), Ok(0));
        assert!(released.is_empty());
    }

    #[test]
    fn adopted_slots_are_taken_and_the_holes_between_them_free() {
        let mut slots = Slots::with_used(10, &[1, 4]);
        assert_eq!(slots.used(), 2);
        let coming: Vec<u32> = slots.coming(20).collect();
        let given: Vec<u32> = (0..8).map(|_| slots.take(&mut Vec::new()).unwrap()).collect();
        assert_eq!(given, [0, 2, 3, 5, 6, 7, 8, 9]);
        assert_eq!(coming, given);
    }
}
