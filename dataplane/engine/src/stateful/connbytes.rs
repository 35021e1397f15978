//! `-m connbytes` (`xt_connbytes.c`).

use program::ConnbytesTest;

use crate::conntrack::Counts;

/// Is what the connection has carried, this packet included, as the test wants it? A packet without a connection never matches.
pub(crate) fn ask(test: &ConnbytesTest, counts: Option<[Counts; 2]>) -> bool {
    counts.is_some_and(|[original, reply]| test.holds((original.packets, original.bytes), (reply.packets, reply.bytes)))
}
