//! Masqueraded flows end when what they were given goes: the address, or the interface.
//!
//! The kernel ends them when it takes the address away or the interface down; not for a lost carrier. Here a worker that finds another host
//! in its snapshot goes through its flows once, so many slots a round. What decides is the host as it is now: an address that went and came
//! back between two looks of the mirror ends nothing.
//!
//! One writer: the worker.

use packet::Family;
use program::InterfaceId;

use crate::conntrack::{Dir, FlowTable};
use crate::host::{FamilyHost, Host};

/// Slots looked at, and flows ended, in one round of housekeeping.
const STEPS: usize = 2048;
const ENDS: usize = 256;

/// How far a worker has come.
#[derive(Debug, Default)]
pub(crate) struct Departures {
    /// The host that the flows were last compared with.
    seen: u64,
    /// Where the comparison goes on.
    at: Option<u32>,
}

impl Departures {
    /// Ends flows whose source the host does not have any more.
    pub(crate) fn look<F: Family>(&mut self, flows: &mut FlowTable<F>, host: &Host, family: &FamilyHost<F>) {
        if self.seen != family.serial() {
            (self.seen, self.at) = (family.serial(), Some(0));
        }
        let end = |flows: &mut FlowTable<F>, id| {
            if let (Some(interface), Some(flow)) = (flows.masqueraded(id), flows.get(id))
                && is_gone(flow.tuple(Dir::Reply).dst, interface, host, family)
            {
                flows.kill(id);
            }
        };
        self.at = self.at.and_then(|at| flows.sweep(at, ENDS, STEPS, end));
    }
}

/// Was a source taken from this interface that is there no more?
fn is_gone<F: Family>(address: F::Addr, interface: InterfaceId, host: &Host, family: &FamilyHost<F>) -> bool {
    let is_up = host.interface(interface).is_some_and(|interface| interface.up);
    let mut own = family.addresses(interface).peekable();
    // An interface without addresses lends itself another one's.
    let has_it = match own.peek() {
        Some(_) => own.any(|own| own.address == address),
        None => family.has(address),
    };
    !is_up || !has_it
}
