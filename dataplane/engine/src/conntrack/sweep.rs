//! Looking at every flow, some at a time.

use packet::Family;

use super::{FlowId, FlowTable, Next};

impl<F: Family> FlowTable<F> {
    /// Shows the next flows from a slot on, at most `most`, looking at no more than `steps` slots. Says where to go on; `None` at the end.
    pub(crate) fn sweep(
        &mut self,
        from: u32,
        most: usize,
        mut steps: usize,
        mut each: impl FnMut(&mut Self, FlowId),
    ) -> Option<u32> {
        let mut at = from;
        for _ in 0..most {
            match self.next_from(at, &mut steps) {
                Next::Flow(id) => {
                    each(self, id);
                    at = id.slot + 1;
                }
                Next::Paused(slot) => return Some(slot),
                Next::End => return None,
            }
        }
        Some(at)
    }
}
