//! `-m connbytes` (`xt_connbytes.c`).

use packet::Family;
use program::ConnbytesTest;

use crate::conntrack::{Dir, Flow};

/// Is what the connection has carried, this packet included, as the test wants it? A packet without a connection never matches.
pub(crate) fn ask<F: Family>(test: &ConnbytesTest, flow: Option<&Flow<F>>) -> bool {
    let counts = |flow: &Flow<F>, dir| (flow.half(dir).packets(), flow.half(dir).bytes());
    flow.is_some_and(|flow| test.holds(counts(flow, Dir::Original), counts(flow, Dir::Reply)))
}
