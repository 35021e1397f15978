//! `-m string`, `-m u32`: what stands anywhere in the packet.

use packet::pieces::Pieces;
use packet::{Family, Header};
use program::ContentTest;

use crate::buffer::Buffer;

/// Of a packet in any number of segments, each of which is read where it lies.
#[inline(never)]
pub(crate) fn ask<F: Family>(test: &ContentTest, buf: &impl Buffer, header: &Header<F>) -> bool {
    test.holds(&Pieces::of(buf.segments()), header)
}
