//! `CONNSECMARK` (`xt_CONNSECMARK.c`): the label, between packet and connection. Neither is ever overwritten.

use packet::Family;
use program::LabelId;

use crate::conntrack::Flow;

const NO_LABEL: LabelId = LabelId(0);

/// `--save`: the connection gets the packet's label, if it has none.
pub(crate) fn save<F: Family>(flow: Option<&mut Flow<F>>, label: LabelId) {
    if let Some(flow) = flow.filter(|flow| flow.label == NO_LABEL) {
        flow.label = label;
    }
}

/// `--restore`: a packet without a label gets the connection's.
pub(crate) fn restore<F: Family>(flow: Option<&mut Flow<F>>, label: &mut LabelId) {
    if let Some(flow) = flow
        && *label == NO_LABEL
    {
        *label = flow.label;
    }
}
