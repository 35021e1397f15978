//! Which tuples a flow may be given at all, free or not.
//!
//! A translated source must not be an address and port at which a program of the box listens: replies would find the flow and never the
//! program, and whoever can make the box translate could take its place ("port shadow"). The kernel does not look. A source that stays as it
//! is is the sender's own affair: it may be that very program.

use packet::{Family, Tuple, TupleL4};

use crate::host::FamilyHost;

/// May a flow that begins with `original` leave as `tuple`?
pub(super) fn is_eligible<F: Family>(original: &Tuple<F>, tuple: &Tuple<F>, host: &FamilyHost<F>) -> bool {
    let TupleL4::Ports { src: port, .. } = tuple.l4 else { return true };
    let is_kept = original.src == tuple.src && matches!(original.l4, TupleL4::Ports { src, .. } if src == port);
    is_kept || !host.listens(tuple.protocol, tuple.src, port)
}
