//! `conntrack -U`: what it makes of connections.
use proto::flow::{Change, Flow};

use super::labels::LabelSet;

/// Everything that is to be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Update {
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
        self.add.is_some() || self.delete.is_some() && flow.labels != 0 || (flow.mark & !clear) ^ flip != flow.mark
    }

    /// Connections have no place for what they are to get.
    pub(super) fn is_impossible(&self) -> bool {
        self.add.is_some_and(|add| add.beyond)
    }

    /// The connection had no room for its labels.
    pub(super) fn failed_at(&self, flow: &Flow) -> bool {
        self.add.is_some_and(|add| !add.is_among(flow.labels))
    }

    pub(super) fn change(&self) -> Change {
        let (flip, clear) = self.mark.unwrap_or_default();
        let halves = |labels: Option<LabelSet>| labels.unwrap_or_default().halves();
        Change { clear, flip, take_off: halves(self.delete), put_on: halves(self.add) }
    }
}
