//! The control side: rules to programs by all steps of a publication, and their publication. On a thread of its own, as in the box.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use app::publish::Publisher;
use engine::Snapshot;
use engine::snapshot::TableStates;
use micro::load;
use program::{CounterSlot, Program};
use rules::{RuleSet, TableName};

/// How often the publisher looks whether the worker took a program up.
const TAKE_UP_PAUSE: Duration = Duration::from_micros(20);
/// Slots of the first of two rule sets, each of which has slots of its own.
pub(crate) const SLOTS: u32 = 100_000;

/// The slot of the rule at this place of the FORWARD chain; of its policy without one.
pub(crate) fn slot(set: &RuleSet, table: TableName, place: Option<usize>) -> CounterSlot {
    let chain =
        set.table(table).and_then(|table| table.chains().find(|chain| chain.name.as_str() == "FORWARD")).expect("FORWARD is there");
    let slot = place.map_or(chain.slot, |place| chain.rules[place].slot);
    CounterSlot(slot.expect("each has a slot").0)
}

/// What follows `running` when its rules become these.
pub(crate) fn next(running: &Snapshot, mut program: Program) -> Snapshot {
    program.root.generation = running.program.root.generation + 1;
    let states = TableStates::following(&running.program, &running.states, &program);
    let edition = running.edition.after(&running.program, &program);
    Snapshot { edition, program, states, ..running.clone() }
}

/// Publishes a program, and comes back when the worker runs it, or when it has ended.
pub(crate) fn publish(publisher: &mut Publisher<Snapshot>, program: Program, ended: &AtomicBool) {
    let next = next(publisher.current(), program);
    publisher.publish(Arc::new(next));
    while !publisher.taken_up() && !ended.load(Ordering::Acquire) {
        thread::sleep(TAKE_UP_PAUSE);
    }
    publisher.collect();
}

/// `iptables-restore` of this text, with slots that are not those of the other rules.
pub(crate) fn restore(publisher: &mut Publisher<Snapshot>, text: &str, other: bool, ended: &AtomicBool) {
    edit(publisher, &load::rule_set_from(text, if other { SLOTS } else { 0 }), ended);
}

/// What is left of a change when the rules are read.
pub(crate) fn edit(publisher: &mut Publisher<Snapshot>, set: &RuleSet, ended: &AtomicBool) {
    let program = load::published(set, &publisher.current().program);
    publish(publisher, program, ended);
}

/// Says that a thread has ended, however it did.
pub(crate) struct Ends<'a>(pub(crate) &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
