//! `-m connmark` (`xt_connmark.c`).

use packet::Family;

use crate::conntrack::Flow;

/// Is the connection's mark, under the mask, this value? A packet without a connection never matches, inverted or not.
pub(crate) fn ask<F: Family>(flow: Option<&Flow<F>>, value: u32, mask: u32, not: bool) -> bool {
    flow.is_some_and(|flow| (flow.mark & mask == value) != not)
}
