//! `-m pkttype` (`xt_pkttype.c`): to whom the frame was addressed on its link.

use packet::{ether, parse};
use program::LinkDestination;

use crate::burst::{Link, Origin};

/// To whom? What the box sends itself is taken for addressed to it.
pub(crate) fn of(origin: Origin, head: &[u8]) -> LinkDestination {
    match origin {
        Origin::Wire(Link::Host) | Origin::Host | Origin::Own => LinkDestination::Host,
        Origin::Wire(Link::Group) if parse::ethernet(head).is_ok_and(|frame| frame.dst == ether::BROADCAST) => {
            LinkDestination::Broadcast
        }
        Origin::Wire(Link::Group) => LinkDestination::Multicast,
    }
}
