//! `CONNMARK` (`xt_connmark.c`): the connection's mark, from a value, from the packet, to the packet.

use packet::Family;
use program::{MarkOp, Shift, Transfer};

use crate::conntrack::Flow;

/// `--set-*`
pub(crate) fn set<F: Family>(flow: Option<&mut Flow<F>>, op: MarkOp, shift: Shift) {
    if let Some(flow) = flow {
        flow.remark(shift.apply(op.apply(flow.mark)));
    }
}

/// `--save-mark`, `--restore-mark`. Without a connection nothing happens.
pub(crate) fn transfer<F: Family>(flow: Option<&mut Flow<F>>, mark: &mut u32, transfer: Transfer, shift: Shift) {
    let Some(flow) = flow else { return };
    match transfer {
        Transfer::Save { ctmask, nfmask } => flow.remark((flow.mark & !ctmask) ^ shift.apply(*mark & nfmask)),
        Transfer::Restore { ctmask, nfmask } => *mark = (*mark & !nfmask) ^ shift.apply(flow.mark & ctmask),
    }
}
