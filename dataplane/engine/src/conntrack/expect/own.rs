//! What one flow expects: its handles to the table.

use arrayvec::ArrayVec;
use packet::Family;

use super::{Expectation, Expectations, MOST_OF_ONE, Refused};
use crate::conntrack::slots::SlotId;
use crate::time::Time;

/// What one flow expects: handles, oldest first. Handles of what was taken or ran out of time are dropped by the next change.
#[derive(Clone, Debug, Default)]
pub struct Own(ArrayVec<(u8, SlotId), MOST_OF_ONE>);

impl Own {
    /// Announces a flow. At most `most` of its class: the oldest one gives way. With `or_known`, it is [`Refused::Known`] when another flow has
    /// announced the very same.
    pub fn expect<F: Family>(
        &mut self,
        table: &Expectations<F>,
        new: &Expectation<F>,
        most: usize,
        or_known: bool,
        now: Time,
    ) -> Result<(), Refused> {
        let mut other_class = false;
        self.0.retain(|(class, id)| match table.slots.get(*id) {
            // The same again: it begins anew.
            Some(old) if *class == new.class && old.ends == new.ends => {
                table.slots.remove(*id);
                false
            }
            Some(old) => {
                other_class |= old.ends == new.ends && old.expires > now;
                old.expires > now
            }
            None => false,
        });
        match table.clash(new, now) {
            _ if other_class => return Err(Refused::Known),
            Some(other) if or_known && other.ends == new.ends && other.master != new.master => return Err(Refused::Known),
            Some(_) => return Err(Refused::Busy),
            None => {}
        }
        let of_class = |list: &ArrayVec<(u8, SlotId), MOST_OF_ONE>| list.iter().filter(|(class, _)| *class == new.class).count();
        if of_class(&self.0) >= most
            && let Some(oldest) = self.0.iter().position(|(class, _)| *class == new.class)
        {
            table.slots.remove(self.0.remove(oldest).1);
        }
        if self.0.is_full() {
            return Err(Refused::Full);
        }
        let id = table.insert(new, now)?;
        self.0.push((new.class, id));
        Ok(())
    }

    /// The flow ends, and with it all that it expects.
    pub(crate) fn clear<F: Family>(&mut self, table: &Expectations<F>) {
        self.0.drain(..).for_each(|(_, id)| table.slots.remove(id));
    }

    /// Opens one that fits, until then; `false` when there is none.
    pub(crate) fn reopen<F: Family>(
        &mut self,
        table: &Expectations<F>,
        until: Time,
        now: Time,
        fits: impl Fn(&Expectation<F>) -> bool,
    ) -> bool {
        for (_, id) in &mut self.0 {
            let Some(old) = table.slots.get(*id).filter(|old| old.expires > now && fits(old)) else { continue };
            table.slots.remove(*id);
            let Ok(again) = table.insert(&Expectation { is_open: true, expires: until, ..old }, now) else { return false };
            *id = again;
            return true;
        }
        false
    }

    /// What is of such a class is expected no more.
    pub(crate) fn forget<F: Family>(&mut self, table: &Expectations<F>, which: impl Fn(u8) -> bool) {
        self.0.retain(|(class, id)| {
            let goes = which(*class);
            if goes {
                table.slots.remove(*id);
            }
            !goes
        });
    }

    /// The last one is expected no more.
    pub(crate) fn forget_last<F: Family>(&mut self, table: &Expectations<F>) {
        if let Some((_, id)) = self.0.pop() {
            table.slots.remove(id);
        }
    }

    /// The handles.
    pub(crate) fn iter(&self) -> impl Iterator<Item = SlotId> + '_ {
        self.0.iter().map(|(_, id)| *id)
    }
}
