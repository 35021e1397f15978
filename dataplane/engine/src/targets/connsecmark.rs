//! `CONNSECMARK` (`xt_CONNSECMARK.c`): the label, between packet and connection. Neither is ever overwritten.

use packet::Family;
use program::LabelId;

use crate::conntrack::{ExtrasFull, FlowId, FlowTable};
use crate::events::Changes;

const NO_LABEL: LabelId = LabelId(0);

/// `--save`: the connection gets the packet's label, if it has none.
pub(crate) fn save<F: Family>(flows: &mut FlowTable<F>, id: Option<FlowId>, label: LabelId) -> Result<(), ExtrasFull> {
    let Some(id) = id.filter(|id| label != NO_LABEL && flows.extra(*id).label == NO_LABEL) else { return Ok(()) };
    if let Some(extra) = flows.extra_mut(id)? {
        extra.label = label;
    }
    if let Some(flow) = flows.get_mut(id) {
        flow.note(Changes::LABEL);
    }
    Ok(())
}

/// `--restore`: a packet without a label gets the connection's.
pub(crate) fn restore<F: Family>(flows: &FlowTable<F>, id: Option<FlowId>, label: &mut LabelId) {
    if let Some(id) = id
        && *label == NO_LABEL
    {
        *label = flows.extra(id).label;
    }
}
