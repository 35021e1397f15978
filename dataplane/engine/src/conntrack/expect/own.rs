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
    /// announced the very same. What is expected no more is given to `ended`.
    pub fn expect<F: Family>(
        &mut self,
        table: &Expectations<F>,
        new: &Expectation<F>,
        most: usize,
        or_known: bool,
        now: Time,
        mut ended: impl FnMut(&Expectation<F>),
    ) -> Result<(), Refused> {
        let mut other_class = false;
        self.0.retain(|(class, id)| match table.slots.get(*id) {
            // The same again: it begins anew.
            Some(old) if *class == new.class && old.ends == new.ends => {
                table.slots.remove(*id).iter().for_each(&mut ended);
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
            table.slots.remove(self.0.remove(oldest).1).iter().for_each(&mut ended);
        }
        if self.0.is_full() {
            return Err(Refused::Full);
        }
        let id = table.insert(new, now)?;
        self.0.push((new.class, id));
        Ok(())
    }

    /// The flow ends, and with it all that it expects.
    pub(crate) fn clear<F: Family>(&mut self, table: &Expectations<F>, mut ended: impl FnMut(&Expectation<F>)) {
        self.0.drain(..).filter_map(|(_, id)| table.slots.remove(id)).for_each(|gone| ended(&gone));
    }

    /// Opens one that fits, until then; `false` when there is none. As in the kernel it is the same one still: nothing is made and nothing ends.
    pub(crate) fn reopen<F: Family>(
        &mut self,
        table: &Expectations<F>,
        until: Time,
        now: Time,
        fits: impl Fn(&Expectation<F>) -> bool,
        mut ended: impl FnMut(&Expectation<F>),
    ) -> bool {
        for (_, id) in &mut self.0 {
            if !table.slots.get(*id).is_some_and(|old| old.expires > now && fits(&old)) {
                continue;
            }
            let Some(old) = table.slots.remove(*id) else { continue };
            let Ok(again) = table.insert(&Expectation { is_open: true, expires: until, ..old }, now) else {
                ended(&old);
                return false;
            };
            *id = again;
            return true;
        }
        false
    }

    /// What is of such a class is expected no more.
    pub(crate) fn forget<F: Family>(
        &mut self,
        table: &Expectations<F>,
        which: impl Fn(u8) -> bool,
        mut ended: impl FnMut(&Expectation<F>),
    ) {
        self.0.retain(|(class, id)| {
            let goes = which(*class);
            if goes {
                table.slots.remove(*id).iter().for_each(&mut ended);
            }
            !goes
        });
    }

    /// The last one is expected no more.
    pub(crate) fn forget_last<F: Family>(&mut self, table: &Expectations<F>) -> Option<Expectation<F>> {
        let (_, id) = self.0.pop()?;
        table.slots.remove(id)
    }

    /// The handles.
    pub(crate) fn iter(&self) -> impl Iterator<Item = SlotId> + '_ {
        self.0.iter().map(|(_, id)| *id)
    }
}
