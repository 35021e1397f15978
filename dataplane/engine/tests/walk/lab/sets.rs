//! A set of addresses, `blocked`, and another one, `other`, which rules may name.

use engine::Time;
use program::set::{Beside, ElementEdit};
use program::{SetEdit, SetPart, SetSpec};
use rules::names::{Names, SetFamily};

use super::{Lab, ip};

/// Names, and those of the sets.
pub(super) struct Named<'a>(pub(super) &'a dyn Names);

impl Names for Named<'_> {
    fn behind(&self) -> Option<&dyn Names> {
        Some(self.0)
    }

    fn set_family(&self, name: &str) -> Option<SetFamily> {
        ["blocked", "other"].contains(&name).then_some(SetFamily::Ipv4)
    }
}

impl Lab {
    pub(super) fn make_sets(&mut self) {
        let spec = |part| SetSpec {
            family: Some(packet::FamilyId::Ipv4),
            parts: vec![part],
            dimensions: 1,
            mask: u128::from(u32::MAX),
            mark_mask: 0,
            nothing_is_none: false,
            has_mac: false,
            counters: true,
            taking: Default::default(),
        };
        let create = |name: &str, part| SetEdit::Create { name: name.to_owned(), spec: spec(part) };
        self.tell(&[create("blocked", SetPart::Address), create("other", SetPart::Address)]);
    }

    /// Sets change, between two bursts.
    pub(crate) fn tell(&mut self, edits: &[SetEdit]) {
        self.follow();
        let now: Time = self.sim.now;
        self.sets.apply(edits, now, &|_| false).expect("the edits make sense");
        if let Some(directory) = self.sets.directory() {
            self.sim.snapshot.sets = directory;
            self.sets.settle();
        }
    }

    /// Puts into the tables what packets have changed, between two bursts.
    pub(crate) fn follow(&mut self) {
        let (now, snapshot) = (self.sim.now, &mut self.sim.snapshot);
        self.sets.follow_packets(now, |sets| snapshot.sets = sets);
    }

    /// Is an address in a set, as its table says?
    pub(crate) fn has(&self, set: &str, address: &str) -> bool {
        self.counted(set, address).is_some()
    }

    /// An address comes into a set for so many milliseconds, or for ever.
    pub(crate) fn add(&mut self, set: &str, address: &str, millis: u64) {
        self.become_of(set, address, Some(Beside { expires_in: millis, ..Beside::default() }));
    }

    /// It goes.
    pub(crate) fn del(&mut self, set: &str, address: &str) {
        self.become_of(set, address, None);
    }

    fn become_of(&mut self, set: &str, address: &str, beside: Option<Beside>) {
        let edit = ElementEdit { key: ip(address).to_be_bytes().to_vec(), beside };
        self.tell(&[SetEdit::Elements { name: set.to_owned(), edits: vec![edit] }]);
    }

    /// Packets that an address of a set has counted; none where it is not there.
    pub(crate) fn counted(&self, set: &str, address: &str) -> Option<u64> {
        let counts = self.sets.counts(set).expect("there is such a set");
        counts.iter().find(|count| count.key == ip(address).to_be_bytes()).map(|count| count.packets)
    }
}
