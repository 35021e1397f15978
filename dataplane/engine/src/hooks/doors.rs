//! What a packet meets at each table's hooks, as far as it is the same for all packets: told once for each edition of what the worker reads.

use packet::Family;
use program::eval::Base;
use program::{ChainId, CounterSlot, Hook, Table, TableKind, Tables};

use crate::snapshot::Edition;

/// What stands before a packet at one hook of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Nothing: such a table was never loaded, or has no chain here.
    Open,
    /// A policy that lets all pass, and counts.
    Counted(CounterSlot),
    /// A policy that drops all, and counts.
    Shut(CounterSlot),
    /// The rules of this chain.
    Rules(ChainId),
    /// The same, and its policy, where a rule has packets told of (TRACE): all doors of all tables are so then.
    Told(ChainId),
}

impl Door {
    /// What stands before packets of which nothing is told.
    pub(crate) fn of<F: Family>(table: &Table<F>, hook: Hook) -> Self {
        match Base::of(table, hook) {
            Base::Nothing => Self::Open,
            Base::Policy(policy) if policy.accept => Self::Counted(policy.counter),
            Base::Policy(policy) => Self::Shut(policy.counter),
            Base::Rules(chain) => Self::Rules(chain),
        }
    }
}

/// Those of all tables of a family.
pub(crate) struct Doors {
    /// By [`TableKind`] and [`Hook`].
    doors: [[Door; 5]; 5],
    /// Of this edition.
    edition: u64,
}

impl Doors {
    /// Those of no edition: nothing passes.
    pub(crate) const fn shut() -> Self {
        Self { doors: [[Door::Shut(CounterSlot(0)); 5]; 5], edition: Edition::NONE }
    }

    /// Those of these tables, which the edition of this number says.
    #[inline]
    pub(crate) fn follow<F: Family>(&mut self, edition: u64, tables: &Tables<F>) {
        if edition != self.edition {
            self.look(tables);
            self.edition = edition;
        }
    }

    #[cold]
    fn look<F: Family>(&mut self, tables: &Tables<F>) {
        let told = tables.get(TableKind::Raw).is_some_and(|raw| raw.tells);
        for (doors, table) in self.doors.iter_mut().zip(&tables.tables) {
            for (door, hook) in doors.iter_mut().zip(Hook::ALL) {
                let Some(table) = table.as_deref() else {
                    *door = Door::Open;
                    continue;
                };
                *door = match table.base_chain(hook) {
                    Some(chain) if told => Door::Told(chain),
                    _ => Door::of(table, hook),
                };
            }
        }
    }

    /// What stands there.
    #[inline(always)]
    pub(crate) fn at(&self, kind: TableKind, hook: Hook) -> Door {
        self.doors[kind as usize][hook as usize]
    }
}
