//! What matches remember under a name ([`program::named`]): made when the first rule names it, kept as long as one does, whatever becomes of the
//! tables.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use packet::family::Addr;
use packet::{Family, FamilyId};
use program::{HashlimitTest, Match, NamedTest, Program, Table, Tables};
use siphasher::sip::SipHasher13;

use crate::hashlimit::Buckets;
use crate::recent;
use crate::snapshot::{TableState, TableStates};

/// What a test asks.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    /// `-m hashlimit`
    Hashlimit(Arc<Buckets>),
    /// `-m recent`
    Recent(Arc<recent::List>),
}

impl Named {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Recent(one), Self::Recent(other)) => Arc::ptr_eq(one, other),
            (Self::Hashlimit(one), Self::Hashlimit(other)) => Arc::ptr_eq(one, other),
            (Self::Recent(_), Self::Hashlimit(_)) | (Self::Hashlimit(_), Self::Recent(_)) => false,
        }
    }
}

/// What is under the names of some tests, by their places; nothing for a test that is of no rule any more.
pub(crate) type Memories = Box<[Option<Named>]>;

/// Are they the same?
pub(crate) fn are_same(one: &Memories, other: &Memories) -> bool {
    let is_same = |(one, other): (&Option<Named>, &Option<Named>)| match (one, other) {
        (Some(one), Some(other)) => one.is(other),
        (None, None) => true,
        _ => false,
    };
    one.len() == other.len() && one.iter().zip(other).all(is_same)
}

/// The hash by which things of a name are found: addresses come from whoever sends, and must not steer where they stand.
#[derive(Clone)]
pub(crate) struct NamedHash(SipHasher13);

impl core::fmt::Debug for NamedHash {
    /// Without the key.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NamedHash").finish_non_exhaustive()
    }
}

impl NamedHash {
    pub(crate) fn new(key: [u64; 2]) -> Self {
        Self(SipHasher13::new_with_keys(key[0], key[1]))
    }

    pub(crate) fn of(&self, bytes: &[u8]) -> u32 {
        self.0.hash(bytes) as u32
    }
}

impl recent::Address {
    /// By which it is found.
    pub(crate) fn hash(self, hash: &NamedHash) -> u32 {
        let mut bytes = [u8::from(self.is_ipv6); 17];
        bytes[..16].copy_from_slice(&self.bits.to_be_bytes());
        hash.of(&bytes)
    }
}

/// An address as the highest of 128 bits.
pub(crate) fn bits<A: Addr>(address: A) -> u128 {
    let mut bytes = [0; 16];
    address.write(&mut bytes);
    u128::from_be_bytes(bytes)
}

/// All that has a name in a program. Lists of `recent` are both families', tables of `hashlimit` are one's.
#[derive(Default)]
pub(crate) struct Names {
    recent: HashMap<String, Arc<recent::List>>,
    buckets: HashMap<(FamilyId, String), Arc<Buckets>>,
}

impl Names {
    /// Of a program that follows `old` with its `states`.
    pub(crate) fn following(old: &Program, states: &TableStates, new: &Program) -> Self {
        let mut wanted = Wanted::default();
        wanted.look_through(&new.ipv4);
        wanted.look_through(&new.ipv6);
        let mut names = Self::default();
        if wanted.is_empty() {
            return names;
        }
        let mut before = Self::running(old, states);
        for (name, (mask, times)) in wanted.recent {
            // One whose addresses need more times begins anew, with the bits that count in it.
            let list = match before.recent.remove(name) {
                Some(list) if list.times() >= times => list,
                Some(list) => Arc::new(recent::List::new(times, list.mask())),
                None => Arc::new(recent::List::new(times, mask)),
            };
            names.recent.insert(name.to_owned(), list);
        }
        for ((family, name), test) in wanted.buckets {
            let key = (family, name.to_owned());
            let buckets = before.buckets.remove(&key).unwrap_or_else(|| Arc::new(Buckets::new(test)));
            names.buckets.insert(key, buckets);
        }
        names
    }

    /// Of a program that runs with its `states`.
    pub(crate) fn running(program: &Program, states: &TableStates) -> Self {
        let mut names = Self::default();
        names.collect(&program.ipv4, &states.ipv4);
        names.collect(&program.ipv6, &states.ipv6);
        names
    }

    /// The lists of `recent`, in the order of their names.
    pub(crate) fn into_recent(self) -> impl Iterator<Item = (String, Arc<recent::List>)> {
        self.recent.into_iter().collect::<BTreeMap<_, _>>().into_iter()
    }

    /// What the tests of a table ask.
    pub(crate) fn of<F: Family>(&self, table: &Table<F>) -> Memories {
        let named = |test: &NamedTest| match test {
            NamedTest::Hashlimit(test) => self.buckets.get(&(F::ID, test.table.clone())).cloned().map(Named::Hashlimit),
            NamedTest::Recent(test) => self.recent.get(&test.list).cloned().map(Named::Recent),
        };
        table.named_tests.iter().map(named).collect()
    }

    /// What tables have.
    fn collect<F: Family>(&mut self, tables: &Tables<F>, states: &[Arc<TableState>; 5]) {
        for (table, state) in tables.tables.iter().zip(states) {
            let Some(table) = table else { continue };
            for (test, named) in table.named_tests.iter().zip(state.memories()) {
                match (test, named) {
                    (NamedTest::Recent(test), Some(Named::Recent(list))) => {
                        self.recent.insert(test.list.clone(), list.clone());
                    }
                    (NamedTest::Hashlimit(test), Some(Named::Hashlimit(buckets))) => {
                        self.buckets.insert((F::ID, test.table.clone()), buckets.clone());
                    }
                    (NamedTest::Recent(_) | NamedTest::Hashlimit(_), _) => {}
                }
            }
        }
    }
}

/// What the rules of a program name.
#[derive(Default)]
struct Wanted<'a> {
    /// The bits that count, as the first rule says, and the most times that any says.
    recent: HashMap<&'a str, (u128, u32)>,
    /// The first rule of each.
    buckets: HashMap<(FamilyId, &'a str), &'a HashlimitTest>,
}

impl<'a> Wanted<'a> {
    fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.buckets.is_empty()
    }

    /// Rules in the order in which the kernel checks them. (Of several tables in one restore it checks the one that stands first there first.)
    fn look_through<F: Family>(&mut self, tables: &'a Tables<F>) {
        for table in tables.tables.iter().flatten().filter(|table| !table.named_tests.is_empty()) {
            let rules = table.chains.iter().flat_map(|chain| chain.rules.of(&table.rules));
            for test in rules.flat_map(|rule| rule.ordered.of(&table.matches)) {
                if let Match::Named(index) = test {
                    self.add(F::ID, &table.named_tests[*index as usize]);
                }
            }
        }
    }

    fn add(&mut self, family: FamilyId, test: &'a NamedTest) {
        match test {
            NamedTest::Recent(test) => {
                let (_, times) = self.recent.entry(&test.list).or_insert((test.mask, 0));
                *times = test.times().max(*times);
            }
            NamedTest::Hashlimit(test) => {
                self.buckets.entry((family, &test.table)).or_insert(test);
            }
        }
    }
}
