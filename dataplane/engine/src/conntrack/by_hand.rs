//! What an operator does to a flow.

use packet::Family;

use super::entry::{FlowId, Status};
use super::table::FlowTable;
use crate::events::Changes;
use crate::inbox::Change;
use crate::time::Time;

/// The longest that a flow can be given: 2^31 - 1 of the kernel's ticks, at 250 a second.
const MOST_SECONDS: u32 = (i32::MAX / 250) as u32;

impl<F: Family> FlowTable<F> {
    /// An operator changes a flow. As in the kernel that is told of whatever it was, if all could be done; who asked sees the flow as it is then.
    pub(crate) fn change_by_hand(&mut self, id: FlowId, change: &Change, now: Time) {
        let Some(flow) = self.get(id) else { return };
        let before = flow.status;
        if change.seconds.is_some() && before.has(Status::FIXED_TIMEOUT) {
            return;
        }
        let in_order = !change.expected || before.has(Status::EXPECTED);
        self.update(id, now, |flow| {
            if let Some(seconds) = change.seconds {
                flow.expire_at(now.plus_millis(u64::from(seconds.min(MOST_SECONDS)) * 1000));
            }
            if in_order {
                flow.status.set(change.status);
            }
        });
        if !in_order {
            return;
        }
        // Without room for labels the rest is changed all the same.
        let _ = self.set_labels(id, self.labels(id).without(change.off).with(change.on));
        let Some(flow) = self.get_mut(id) else { return };
        flow.mark = (flow.mark & !change.mask) ^ change.value;
        flow.note(Changes::MARK.with(Changes::STATE).with(Changes::BY_HAND));
        self.tell_changes(id);
    }

    /// An operator ends a flow.
    pub(crate) fn kill_by_hand(&mut self, id: FlowId) {
        if let Some(flow) = self.get_mut(id) {
            flow.note(Changes::BY_HAND);
        }
        self.kill(id);
    }
}
