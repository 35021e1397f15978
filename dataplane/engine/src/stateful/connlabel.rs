//! `-m connlabel` (`xt_connlabel.c`).

use packet::Family;

use crate::conntrack::{ExtrasFull, FlowId, FlowTable, Labels};

/// Does the connection carry the label? With `set` it gets it where it does not. A packet without a connection has none, and matches an inverted
/// test.
pub(crate) fn ask<F: Family>(
    flows: &mut FlowTable<F>,
    id: Option<FlowId>,
    label: u8,
    set: bool,
    not: bool,
) -> Result<bool, ExtrasFull> {
    let Some(id) = id else { return Ok(not) };
    let (wanted, labels) = (Labels::one(label), flows.labels(id));
    if set && !labels.has(wanted) {
        flows.set_labels(id, labels.with(wanted))?;
    }
    Ok((set || labels.has(wanted)) != not)
}
