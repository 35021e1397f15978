//! The traces themselves, in two halves: those that are recorded, and those that were before everything may have changed.

use super::{Key, Leave, Trace};

/// Where a trace stands: its half in the lowest bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(super) u32);

impl Place {
    fn new(half: usize, at: usize) -> Self {
        Self((at << 1 | half) as u32)
    }

    #[inline]
    fn half(self) -> usize {
        self.0 as usize & 1
    }

    #[inline]
    fn at(self) -> usize {
        self.0 as usize >> 1
    }
}

/// Both halves, one trace of one behind one of the other, so that a place is an index. Nothing is allocated once it is made.
pub(super) struct Halves {
    traces: Vec<Trace>,
    /// How many traces each has.
    counts: [usize; 2],
    /// Which one is recorded into.
    current: usize,
    /// Most of them in a half.
    room: usize,
}

impl Halves {
    /// Room for so many in each.
    pub(super) fn new(room: usize) -> Self {
        Self { traces: Vec::with_capacity(2 * room), counts: [0; 2], current: 0, room }
    }

    /// Has the half that is recorded into so much room that it need not begin anew at the next edit?
    pub(super) fn is_roomy(&self) -> bool {
        self.counts[self.current] <= self.room / 4 * 3
    }

    /// Is it full?
    pub(super) fn is_full(&self) -> bool {
        self.counts[self.current] >= self.room
    }

    /// Is this place in it?
    #[inline]
    pub(super) fn is_current(&self, place: Place) -> bool {
        place.half() == self.current
    }

    /// The other half is recorded into from now on, from its beginning.
    pub(super) fn turn(&mut self) {
        self.current = 1 - self.current;
        self.counts[self.current] = 0;
    }

    /// The trace at this place, if there is one.
    #[inline]
    pub(super) fn get(&self, place: Place) -> Option<&Trace> {
        if place.at() < self.counts[place.half()] { self.traces.get(place.0 as usize) } else { None }
    }

    /// The same, to be counted in.
    #[inline]
    pub(super) fn get_mut(&mut self, place: Place) -> Option<&mut Trace> {
        if place.at() < self.counts[place.half()] { self.traces.get_mut(place.0 as usize) } else { None }
    }

    /// The trace at a place that was given out since the last [`Halves::turn`], which `place` may be; any other trace, or none, for other numbers.
    #[inline(always)]
    pub(super) fn given(&mut self, place: u64) -> Option<&mut Trace> {
        self.traces.get_mut(place as usize)
    }

    /// The traces of the half that is recorded into: number `at`.
    pub(super) fn recorded(&self, at: u32) -> (Place, &Trace) {
        let place = Place::new(self.current, at as usize);
        (place, &self.traces[place.0 as usize])
    }

    /// Adds one to that half: its number there.
    ///
    /// # Panics
    /// When it is [full](Halves::is_full).
    pub(super) fn push(&mut self, trace: Trace) -> u32 {
        assert!(!self.is_full(), "whoever records asks");
        let at = self.counts[self.current];
        let place = Place::new(self.current, at);
        if place.0 as usize >= self.traces.len() {
            self.traces.resize(place.0 as usize + 1, Trace::BLANK);
        }
        self.traces[place.0 as usize] = trace;
        self.counts[self.current] += 1;
        at as u32
    }
}

impl Trace {
    /// Stands where none has been recorded yet. No number leads to it.
    const BLANK: Self = Self {
        key: Key { marks: u64::MAX, rest: u64::MAX },
        leave: Leave { mtu: 0, output: program::InterfaceId::NONE, frame: [0; packet::ether::HEADER_LEN] },
        packets: 0,
        bytes: 0,
        guards: arrayvec::ArrayVec::new_const(),
        counters: arrayvec::ArrayVec::new_const(),
    };
}
