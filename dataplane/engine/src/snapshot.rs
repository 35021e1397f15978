//! The one root that a worker reads, once per burst: rules, what rules remember, the host, settings.
//!
//! Built aside by the control threads and published by one store; immutable but for the atomics in [`TableStates`].

use core::sync::atomic::AtomicU64;
use std::sync::Arc;

use packet::{Family, FamilyId};
use program::{Program, StateInit, Table, Tables};

use crate::conntrack;
use crate::host::Host;

mod edition;

pub use edition::Edition;
pub(crate) use edition::{Lineage, REMEMBERED};

/// What one table remembers between packets, one cell a [`program::StateSlot`]. Shared by all workers, so that `limit` and `nth` mean the same
/// with one and with sixteen: written with atomic exchanges, read by the same.
#[derive(Debug, Default)]
pub struct TableState {
    cells: Box<[AtomicU64]>,
    /// Which loading of the table it is.
    load: u32,
}

impl TableState {
    /// The cells as the table wants them at its start, in the publication of this number.
    pub fn new(init: &[StateInit], generation: u64) -> Self {
        let cell = |init: &StateInit| match *init {
            StateInit::Nth(position) => crate::stateful::nth::start(position),
            StateInit::Limit(credit) => crate::stateful::limit::start(credit),
            // What is counted stands with the flows.
            StateInit::Connlimit => AtomicU64::new(0),
        };
        Self { cells: init.iter().map(cell).collect(), load: generation as u32 }
    }

    /// Which loading of the table it is: what was remembered of an earlier one counts no more.
    #[inline]
    pub(crate) fn load(&self) -> u32 {
        self.load
    }

    /// A slot's cell.
    #[inline]
    pub fn cell(&self, slot: program::StateSlot) -> &AtomicU64 {
        &self.cells[slot.index()]
    }
}

/// What the tables of a program remember, by family and [`program::TableKind`] number.
#[derive(Clone, Debug, Default)]
pub struct TableStates {
    /// IPv4.
    pub ipv4: [Arc<TableState>; 5],
    /// IPv6.
    pub ipv6: [Arc<TableState>; 5],
}

impl TableStates {
    /// The state of `new`, which follows `old` with its `states`: a table that is the same object keeps what it remembers, a changed one
    /// starts anew (iptables-legacy restarts `limit`, `nth` and `connlimit` of a table with every change of it).
    pub fn following(old: &Program, states: &Self, new: &Program) -> Self {
        let generation = new.root.generation;
        Self {
            ipv4: follow(&old.ipv4, &states.ipv4, &new.ipv4, generation),
            ipv6: follow(&old.ipv6, &states.ipv6, &new.ipv6, generation),
        }
    }
}

fn follow<F: Family>(old: &Tables<F>, states: &[Arc<TableState>; 5], new: &Tables<F>, generation: u64) -> [Arc<TableState>; 5] {
    let same = |a: &Option<Arc<Table<F>>>, b: &Option<Arc<Table<F>>>| match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    };
    core::array::from_fn(|kind| match &new.tables[kind] {
        Some(_) if same(&old.tables[kind], &new.tables[kind]) => states[kind].clone(),
        Some(table) => Arc::new(TableState::new(&table.state, generation)),
        None => Arc::default(),
    })
}

/// Knobs, named as the kernel names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `net.netfilter.nf_conntrack_*`
    pub conntrack: conntrack::Settings,
    /// `net.ipv4.icmp_ratelimit`: milliseconds between ICMP errors to one address, on average; 0 is no limit.
    pub icmp_ratelimit: u32,
    /// `net.ipv6.icmp.ratelimit`: the same of ICMPv6.
    pub icmpv6_ratelimit: u32,
}

impl Settings {
    /// Of a family.
    pub(crate) fn ratelimit(&self, family: FamilyId) -> u32 {
        match family {
            FamilyId::Ipv4 => self.icmp_ratelimit,
            FamilyId::Ipv6 => self.icmpv6_ratelimit,
        }
    }
}

impl Default for Settings {
    /// The kernel's defaults.
    fn default() -> Self {
        Self { conntrack: conntrack::Settings::default(), icmp_ratelimit: 1000, icmpv6_ratelimit: 100 }
    }
}

/// What a worker reads.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Which one it is.
    pub edition: Edition,
    /// The rules. Generation 0 is no program: nothing passes.
    pub program: Program,
    /// What the rules remember.
    pub states: TableStates,
    /// The box.
    pub host: Arc<Host>,
    /// Knobs.
    pub settings: Arc<Settings>,
}
