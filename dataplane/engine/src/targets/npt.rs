//! SNPT and DNPT (`ip6t_NPT.c`): another network's prefix, without tracking. Transport checksums stay as they are.

use packet::npt::{self, Translated};
use packet::set::SetError;
use packet::{Family, Header};
use program::PrefixChange;

use crate::buffer::Buffer;

/// Gives the packet the prefix. What an error quotes gets it where the quoted header ends within so many bytes from the packet's own header on.
pub(crate) fn apply<F: Family>(
    buf: &mut impl Buffer,
    header: &mut Header<F>,
    change: &PrefixChange,
    first: usize,
) -> Result<Translated, SetError> {
    let wanted = usize::from(header.l3) + npt::REACH.min(header.len as usize);
    if buf.head().len() < wanted && !buf.pull_up(wanted) {
        return Err(SetError::OutOfReach);
    }
    npt::translate(buf.head_mut(), header, &change.prefixes, change.side, first)
}
