//! `conntrack -U`: what it makes of connections.
use proto::flow::{Change, Flow};

use super::labels::LabelSet;

/// Bits of a connection's status that stand in the way of a change, or cannot be changed.
const EXPECTED: u32 = 1;
const FIXED_TIMEOUT: u32 = 1 << 10;

/// Everything that is to be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Update {
    /// `-t`
    pub(super) timeout: Option<u32>,
    /// `-u`: bits that are to be set.
    pub(super) status: u32,
    /// `-m`: bits of the mark to flip, bits to clear first.
    pub(super) mark: Option<(u32, u32)>,
    /// `--label-add`
    pub(super) add: Option<LabelSet>,
    /// `--label-del`
    pub(super) delete: Option<LabelSet>,
}

impl Update {
    /// Is there something to do with this connection? As in the reference, who has the mark already needs none, who has no labels loses none, and to
    /// who has the label already it is given again.
    pub(super) fn alters(&self, flow: &Flow) -> bool {
        let (flip, clear) = self.mark.unwrap_or_default();
        self.timeout.is_some_and(|timeout| timeout != flow.timeout)
            || self.status & !flow.status != 0
            || self.add.is_some()
            || self.delete.is_some() && flow.labels != 0
            || (flow.mark & !clear) ^ flip != flow.mark
    }

    /// Connections have no place for what they are to get.
    pub(super) fn is_impossible(&self) -> bool {
        self.add.is_some_and(|add| add.beyond)
    }

    /// Why it could not be done with a connection that was and is such, in the kernel's words.
    pub(super) fn failure(&self, was: &Flow, is: &Flow) -> Option<&'static str> {
        if self.timeout.is_some() && was.status & FIXED_TIMEOUT != 0 {
            return Some("sorry, you must be root or get CAP_NET_ADMIN capability to do this");
        }
        if self.status & EXPECTED & !was.status != 0 {
            return Some("Device or resource busy");
        }
        self.add.is_some_and(|add| !add.is_among(is.labels)).then_some("No space left on device")
    }

    pub(super) fn change(&self) -> Change {
        let (flip, clear) = self.mark.unwrap_or_default();
        let halves = |labels: Option<LabelSet>| labels.unwrap_or_default().halves();
        Change { timeout: self.timeout, status: self.status, clear, flip, take_off: halves(self.delete), put_on: halves(self.add) }
    }
}
