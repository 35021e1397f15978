//! Packets that come at a fixed pace into a ring, by a clock that goes on only while the worker works or waits for them: what the machine
//! does with the processor meanwhile is no loss of the box.

/// Places of the ring, as a NIC's.
pub(crate) const RING: u64 = 4096;

/// The ring from outside.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// Nanoseconds between two packets.
    pace: f64,
    /// Of the time since the last one.
    rest: f64,
    waiting: u64,
    /// Most that ever waited.
    pub(crate) most: u64,
    /// Packets that found the ring full.
    pub(crate) lost: u64,
}

impl Arrivals {
    /// A packet every so many nanoseconds.
    pub(crate) fn new(pace: f64) -> Self {
        Self { pace, rest: 0.0, waiting: 0, most: 0, lost: 0 }
    }

    /// Lets so many nanoseconds pass.
    pub(crate) fn pass(&mut self, nanoseconds: f64) {
        let came = (self.rest + nanoseconds) / self.pace;
        self.rest = came.fract() * self.pace;
        self.waiting += came as u64;
        let over = self.waiting.saturating_sub(RING);
        self.lost += over;
        self.waiting -= over;
        self.most = self.most.max(self.waiting);
    }

    /// Takes up to so many packets; waits for one when there are none, and says for how many nanoseconds.
    pub(crate) fn take(&mut self, most: usize) -> (usize, f64) {
        let mut waited = 0.0;
        while self.waiting == 0 {
            // Never nothing, whatever the sum was rounded to.
            let until = (self.pace - self.rest).max(self.pace / 1024.0);
            self.pass(until);
            waited += until;
        }
        let taken = self.waiting.min(most as u64);
        self.waiting -= taken;
        (taken as usize, waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_come_as_fit_into_the_time() {
        let mut arrivals = Arrivals::new(10.0);
        for _ in 0..100 {
            arrivals.pass(6.5);
        }
        assert_eq!((arrivals.take(60), arrivals.take(60)), ((60, 0.0), (5, 0.0)));
        assert_eq!((arrivals.lost, arrivals.most), (0, 65));
    }

    #[test]
    fn what_finds_the_ring_full_is_lost() {
        let mut arrivals = Arrivals::new(1.0);
        arrivals.pass(RING as f64 + 7.0);
        assert_eq!((arrivals.lost, arrivals.most), (7, RING));
        assert_eq!(arrivals.take(64).0, 64);
        arrivals.pass(65.0);
        assert_eq!(arrivals.lost, 8);
    }

    #[test]
    fn a_worker_that_has_nothing_to_do_waits_for_the_next_packet() {
        let mut arrivals = Arrivals::new(10.0);
        arrivals.pass(3.0);
        assert_eq!(arrivals.take(64), (1, 7.0));
        for _ in 0..1000 {
            assert_eq!(arrivals.take(64), (1, 10.0));
        }
        assert_eq!(arrivals.lost, 0);
    }
}
