//! Sets in a list of sets: names in an order that users choose.
use crate::element::Written;
use crate::fault::Refusal;
use crate::options::{Given, Header};
use crate::set::{When, renewed};
use crate::table::{Beside, Extra};

/// A list of sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    pub(crate) items: Vec<Item>,
}

/// A set in it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: Box<str>,
    pub(crate) beside: Beside,
}

/// The set that another is to stand before (`true`) or after.
pub(crate) type Reference<'a> = Option<(bool, &'a str)>;

/// What was written of another set, in the element or behind it.
pub(crate) fn reference<'a>(written: &'a Written, given: &'a Given) -> Reference<'a> {
    let named = written.reference.as_ref().or(given.reference.as_ref())?;
    Some((named.0, &named.1))
}

impl List {
    fn place(&self, name: &str) -> Option<usize> {
        self.items.iter().position(|item| &*item.name == name)
    }

    /// Names all sets that there are; the caller has seen that they exist.
    pub(crate) fn add(
        &mut self,
        header: &Header,
        name: &str,
        reference: Reference<'_>,
        given: &Given,
        when: When,
    ) -> Result<(), Refusal> {
        let next_to = match reference {
            Some((before, other)) => Some((before, self.place(other).ok_or(Refusal::ListReferenceMissing)?)),
            None => None,
        };
        let has_extra = header.timeout.is_some() || header.counters || header.comment || header.skbinfo;
        let extra = |before: Option<&Extra>| has_extra.then(|| Box::new(renewed(header, given, before, None, when.now)));
        if let Some(at) = self.place(name) {
            let is_in_place = next_to.is_none_or(|(before, other)| if before { at + 1 == other } else { at == other + 1 });
            if !when.exist {
                return Err(Refusal::Exists);
            }
            if !is_in_place {
                return Err(Refusal::ListReferenceMissing);
            }
            self.items[at].beside = extra(self.items[at].beside.as_deref());
            return Ok(());
        }
        let at = match next_to {
            Some((true, other)) => other,
            Some((false, other)) => other + 1,
            None => self.items.len(),
        };
        self.items.insert(at, Item { name: Box::from(name), beside: extra(None) });
        Ok(())
    }

    pub(crate) fn delete(&mut self, name: &str, reference: Reference<'_>, when: When) -> Result<(), Refusal> {
        match self.place(name) {
            Some(at) if self.is_next_to(at, reference) => {
                self.items.remove(at);
                Ok(())
            }
            Some(_) => Err(Refusal::ListReferenceMissing),
            None if reference.is_some() => Err(Refusal::ListReferenceMissing),
            None if when.exist => Ok(()),
            None => Err(Refusal::Missing),
        }
    }

    pub(crate) fn test(&self, name: &str, reference: Reference<'_>) -> bool {
        self.place(name).is_some_and(|at| self.is_next_to(at, reference))
    }

    fn is_next_to(&self, at: usize, reference: Reference<'_>) -> bool {
        reference.is_none_or(|(before, other)| {
            let neighbour = if before { self.items.get(at + 1) } else { at.checked_sub(1).and_then(|at| self.items.get(at)) };
            neighbour.is_some_and(|item| &*item.name == other)
        })
    }
}
