//! `-m connlimit` (`xt_connlimit.c`): how many connections of one address have come to this rule, and live.

use packet::{Family, Header, Tuple};
use program::{ConnlimitTest, CtAction, StateSlot};

use crate::conntrack::counted::{Key, Rules};
use crate::conntrack::{Dir, FlowId, FlowTable};
use crate::drop::DropReason;
use crate::time::Time;

/// Counts a packet for its list, and compares. As in the kernel a packet that tracking did not give a connection is looked for by its own tuple,
/// and one for which there is nothing to count is dropped on the spot.
pub(crate) fn ask<F: Family>(
    test: &ConnlimitTest<F>,
    (rules, state): (Rules, StateSlot),
    flows: &mut FlowTable<F>,
    flow: Option<FlowId>,
    header: &Header<F>,
    now: Time,
) -> Result<bool, DropReason> {
    let zone = flow.and_then(|id| flows.get(id)).map_or(0, |flow| flow.zone().zone);
    let (flow, found) = match flow {
        Some(id) => (Some(id), Dir::Original),
        None => {
            let tuple = Tuple::of(header).ok_or(DropReason::HotDrop)?;
            flows.find(&tuple, CtAction::default(), now).map_or((None, Dir::Original), |(id, dir)| (Some(id), dir))
        }
    };
    match flows.count_for(flow, found, &Key { rules, state, address: test.address(header), zone }) {
        Ok(0) => Err(DropReason::HotDrop),
        Ok(connections) => Ok(test.holds(connections)),
        Err(uncounted) => Err(uncounted.into()),
    }
}
