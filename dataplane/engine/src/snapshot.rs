//! The one root that a worker reads, once per burst: rules, what rules remember, the host, settings.
//!
//! Built aside by the control threads and published by one store; immutable but for the atomics in [`TableStates`].

use core::sync::atomic::AtomicU64;
use std::sync::Arc;

use packet::{Family, FamilyId};
use program::{Program, StateInit, Table, Tables};

use crate::conntrack;
use crate::host::Host;
use crate::named::{Memories, Named, Names, are_same};
use crate::sets::Directory;

mod edition;

pub use edition::Edition;
pub(crate) use edition::{Lineage, REMEMBERED};

/// What one table remembers between packets, one cell a [`program::StateSlot`]. Shared by all workers, so that `limit` and `nth` mean the same
/// with one and with sixteen: written with atomic exchanges, read by the same.
#[derive(Debug, Default)]
pub struct TableState {
    cells: Arc<[AtomicU64]>,
    /// Which loading of the table it is.
    load: u32,
    /// What [`program::Match::Named`] asks, which outlives the table.
    named: Memories,
}

impl TableState {
    /// The cells as the table wants them at its start, in the publication of this number.
    fn new(init: &[StateInit], generation: u64, named: Memories) -> Self {
        let cell = |init: &StateInit| match *init {
            StateInit::Nth(position) => crate::stateful::nth::start(position),
            StateInit::Limit(credit) => crate::stateful::limit::start(credit),
            // What is counted stands with the flows.
            StateInit::Connlimit => AtomicU64::new(0),
            StateInit::Quota(bytes) => crate::stateful::quota::start(bytes),
        };
        Self { cells: init.iter().map(cell).collect(), load: generation as u32, named }
    }

    /// The same, but for what has a name.
    fn with(&self, named: Memories) -> Self {
        Self { cells: self.cells.clone(), load: self.load, named }
    }

    /// What a test of a rule asks that has a name.
    #[inline]
    pub(crate) fn named(&self, index: u32) -> Option<&Named> {
        self.named.get(index as usize).and_then(Option::as_ref)
    }

    /// The same of all tests.
    pub(crate) fn memories(&self) -> &[Option<Named>] {
        &self.named
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
    /// starts anew (iptables-legacy restarts `limit`, `nth`, `quota` and `connlimit` of a table with every change of it). What has a name stays as long
    /// as a rule says it.
    pub fn following(old: &Program, states: &Self, new: &Program) -> Self {
        let generation = new.root.generation;
        let names = Names::following(old, states, new);
        Self {
            ipv4: follow(&old.ipv4, &states.ipv4, &new.ipv4, generation, &names),
            ipv6: follow(&old.ipv6, &states.ipv6, &new.ipv6, generation, &names),
        }
    }
}

fn follow<F: Family>(
    old: &Tables<F>,
    states: &[Arc<TableState>; 5],
    new: &Tables<F>,
    generation: u64,
    names: &Names,
) -> [Arc<TableState>; 5] {
    let same = |a: &Option<Arc<Table<F>>>, b: &Option<Arc<Table<F>>>| match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    };
    core::array::from_fn(|kind| {
        let Some(table) = &new.tables[kind] else { return Arc::default() };
        let named = names.of(table);
        if !same(&old.tables[kind], &new.tables[kind]) {
            Arc::new(TableState::new(&table.state, generation, named))
        } else if are_same(&states[kind].named, &named) {
            states[kind].clone()
        } else {
            Arc::new(states[kind].with(named))
        }
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
    /// Sets that rules ask for. What stands in a set may change while the snapshot stays.
    pub sets: Arc<Directory>,
    /// Knobs.
    pub settings: Arc<Settings>,
}
