//! The decision of one side of a flow's translation (the kernel's `nf_nat_setup_info`).

use packet::{Family, Tuple};

use super::choose::choose;
use super::{NatCtx, NatError, Range, Side, is_decided};
use crate::conntrack::{Dir, Flow, FlowId, FlowTable};

/// Decides one side of an unconfirmed flow, within `range`. Does nothing when that side is decided, or the flow confirmed, already.
///
/// The destination is taken as the range has it, be the tuple free or not: the source, decided after it, can still make it unique. A source
/// without a free tuple is [`NatError::Exhausted`].
pub fn setup<F: Family>(
    table: &mut FlowTable<F>,
    id: FlowId,
    side: Side,
    range: &Range<F>,
    ctx: &mut NatCtx<'_, F>,
) -> Result<(), NatError> {
    let Some(flow) = table.get(id) else { return Ok(()) };
    if flow.is_confirmed() || is_decided(flow, side) {
        return Ok(());
    }
    let zone = flow.zone();
    let Some(current) = flow.tuple(Dir::Reply).invert() else { return Ok(()) };
    let choice = choose(table, id, side, range, &current, zone, ctx);
    if side == Side::Src && !choice.is_free {
        return Err(NatError::Exhausted);
    }
    take(table, id, side, &choice.tuple);
    Ok(())
}

/// Writes down a decision: the flow's original direction behind the translation.
pub(super) fn take<F: Family>(table: &mut FlowTable<F>, id: FlowId, side: Side, tuple: &Tuple<F>) {
    let (Some(flow), Some(reply)) = (table.get_mut(id), tuple.invert()) else { return };
    if flow.answer_as(&reply) {
        flow.status.set(side.translated());
    }
    flow.status.set(side.done());
    if side == Side::Src {
        table.list_source(id);
    }
}

/// Decides one side of a flow for which no rule did: nothing changes, but for a source port that would clash.
pub fn null_binding<F: Family>(table: &mut FlowTable<F>, id: FlowId, side: Side, ctx: &mut NatCtx<'_, F>) -> Result<(), NatError> {
    let Some(flow) = table.get(id) else { return Ok(()) };
    let range = null_range(flow, side);
    setup(table, id, side, &range, ctx)
}

/// What a side may become for which no rule spoke: what it is, but for a port.
pub(crate) fn null_range<F: Family>(flow: &Flow<F>, side: Side) -> Range<F> {
    let reply = flow.tuple(Dir::Reply);
    Range::keep(match side {
        Side::Src => reply.dst,
        Side::Dst => reply.src,
    })
}
