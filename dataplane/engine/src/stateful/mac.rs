//! `-m mac`: the source address of the frame in which the packet came (`xt_mac.c`).

use packet::parse;

/// Is it this one? A buffer without a frame's header never passes.
pub(crate) fn ask(head: &[u8], source: [u8; 6], not: bool) -> bool {
    parse::ethernet(head).is_ok_and(|frame| (frame.src == source) != not)
}
