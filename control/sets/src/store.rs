//! All sets, by name and in the order in which they are listed.
use std::collections::HashMap;

use rules::names::SetFamily;

use crate::fault::Refusal;
use crate::set::{Members, Set};
use crate::types::Storage;

/// The most sets, as in the kernel.
const SETS_MAX: usize = 65534;

/// All sets.
///
/// A set has a place, which it keeps through `rename`; a new one gets the first that is free. What a place holds may be exchanged (`swap`), but
/// not who refers to it: rules and lists of sets name sets by their names, and a name stays with its place.
#[derive(Clone, Debug, Default)]
pub struct Sets {
    places: Vec<Option<(Box<str>, Set)>>,
    by_name: HashMap<Box<str>, usize>,
}

impl Sets {
    /// The set of this name.
    pub fn get(&self, name: &str) -> Option<&Set> {
        self.places.get(*self.by_name.get(name)?)?.as_ref().map(|(_, set)| set)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Set> {
        self.places.get_mut(*self.by_name.get(name)?)?.as_mut().map(|(_, set)| set)
    }

    /// Whose addresses the set of this name has; `None` if there is none.
    pub fn family(&self, name: &str) -> Option<SetFamily> {
        self.get(name).map(Set::family)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// All, in the order of their places; lists of sets behind all others, so that what they name is there when they are restored.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Set)> {
        let of = |lists: bool| {
            let sets = self.places.iter().flatten();
            sets.filter(move |(_, set)| (set.kind.storage == Storage::List) == lists).map(|(name, set)| (&**name, set))
        };
        of(false).chain(of(true))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Set> {
        self.places.iter_mut().flatten().map(|(_, set)| set)
    }

    /// Lists that have this set among theirs.
    pub(crate) fn lists_with(&self, name: &str) -> u64 {
        let has = |set: &Set| matches!(&set.members, Members::List(list) if list.items.iter().any(|item| &*item.name == name));
        self.places.iter().flatten().filter(|(_, set)| has(set)).count() as u64
    }

    pub(crate) fn insert(&mut self, name: &str, set: Set) -> Result<(), Refusal> {
        if self.by_name.len() >= SETS_MAX {
            return Err(Refusal::TooManySets);
        }
        let free = self.places.iter().position(Option::is_none).unwrap_or(self.places.len());
        if free == self.places.len() {
            self.places.push(None);
        }
        self.places[free] = Some((Box::from(name), set));
        self.by_name.insert(Box::from(name), free);
        Ok(())
    }

    pub(crate) fn remove(&mut self, name: &str) {
        if let Some(place) = self.by_name.remove(name) {
            self.places[place] = None;
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Sets::default();
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if let Some(place) = self.by_name.remove(from) {
            if let Some((name, _)) = &mut self.places[place] {
                *name = Box::from(to);
            }
            self.by_name.insert(Box::from(to), place);
        }
    }

    pub(crate) fn swap(&mut self, one: &str, other: &str) {
        let (Some(one), Some(other)) = (self.by_name.get(one).copied(), self.by_name.get(other).copied()) else { return };
        self.places.swap(one, other);
        let names = [one, other].map(|place| self.places[place].as_ref().map(|(name, _)| name.clone()));
        let [first, second] = names;
        for (place, name) in [(one, second), (other, first)] {
            if let (Some((own, _)), Some(name)) = (&mut self.places[place], name) {
                *own = name;
            }
        }
    }
}
