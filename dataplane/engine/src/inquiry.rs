//! How a worker works at a question about its flows: some slots, then packets again, then on from there.
//!
//! Promises: a round takes bounded work whatever is asked and however large the table is; a flow that lives from the first page of a listing to the
//! last is on exactly one of them.

use packet::Family;

use crate::conntrack::expect::SlotId;
use crate::conntrack::{FlowId, FlowTable, Next};
use crate::inbox::{Expected, Page, Wish};
use crate::time::Time;

/// Slots looked at in one round: about the time of as many packets.
const STEPS: usize = 64;
/// Slots looked at for one page of a listing: with fewer flows than fit among them it is answered all the same, because others wait.
const PAGE_STEPS: usize = 16_384;

/// Goes on with what was asked; says whether it is done.
pub(crate) fn advance<F: Family>(wish: Wish, page: &mut Page<F>, flows: &mut FlowTable<F>, now: Time) -> bool {
    page.now = now;
    match wish {
        Wish::List { zero } => list(page, flows, zero, now),
        Wish::End => each_named(page, flows, |flows, id| flows.kill_by_hand(id)),
        Wish::Change(change) => each_named(page, flows, |flows, id| flows.change_by_hand(id, &change, now)),
        Wish::Flush => flush(page, flows),
        Wish::ListExpected => list_expected(page, flows, now),
        Wish::EndExpected(id) => end_expected(id, page, flows, now),
        Wish::FlushExpected => flush_expected(page, flows, now),
    }
}

fn list<F: Family>(page: &mut Page<F>, flows: &mut FlowTable<F>, zero: bool, now: Time) -> bool {
    let mut steps = STEPS;
    while page.flows.len() < page.flows.capacity() {
        match flows.next_from(page.from, &mut steps) {
            Next::Flow(id) => {
                page.from = id.slot + 1;
                note(page, flows, id, now);
                if zero {
                    flows.forget_counts(id);
                }
            }
            Next::Paused(at) => {
                page.from = at;
                page.looked += STEPS;
                return page.looked >= PAGE_STEPS;
            }
            Next::End => {
                page.last = true;
                return true;
            }
        }
    }
    true
}

/// The slots are all workers', so that any of them can show all.
fn list_expected<F: Family>(page: &mut Page<F>, flows: &FlowTable<F>, now: Time) -> bool {
    let table = flows.expectations();
    for _ in 0..STEPS {
        if page.from >= table.slots() {
            page.last = true;
            return true;
        }
        if page.expected.len() == page.expected.capacity() {
            return true;
        }
        let found = table.at(page.from).filter(|(_, found)| found.expires > now);
        page.from += 1;
        if let Some((id, expectation)) = found {
            page.expected.push(Expected { id, expectation });
        }
    }
    page.looked += STEPS;
    page.looked >= PAGE_STEPS
}

fn end_expected<F: Family>(id: SlotId, page: &mut Page<F>, flows: &mut FlowTable<F>, now: Time) -> bool {
    if let Some(expectation) = flows.end_expected(id, now)
        && page.expected.len() < page.expected.capacity()
    {
        page.expected.push(Expected { id, expectation });
    }
    true
}

fn flush_expected<F: Family>(page: &mut Page<F>, flows: &mut FlowTable<F>, now: Time) -> bool {
    let slots = flows.expectations().slots();
    let end = slots.min(page.from.saturating_add(STEPS as u32));
    (page.from..end).for_each(|slot| flows.empty_expected(slot, now));
    page.from = end;
    end == slots
}

/// Does something with each named flow that is still in the table, and notes what it was afterwards.
fn each_named<F: Family>(page: &mut Page<F>, flows: &mut FlowTable<F>, change: impl Fn(&mut FlowTable<F>, FlowId)) -> bool {
    let todo = page.ids.len().saturating_sub(page.looked).min(STEPS);
    for at in page.looked..page.looked + todo {
        let id = page.ids[at];
        if flows.is_confirmed(id) && flows.get(id).is_some_and(|flow| flow.expires() > page.now) {
            change(flows, id);
            note(page, flows, id, page.now);
        }
    }
    page.looked += todo;
    page.looked == page.ids.len()
}

/// Notes a flow, unless its time is up and only its timer is late.
fn note<F: Family>(page: &mut Page<F>, flows: &FlowTable<F>, id: FlowId, now: Time) {
    if page.flows.len() < page.flows.capacity()
        && let Some(flow) = flows.get(id)
        && flow.expires() > now
    {
        page.flows.push(flows.listed(id, flow));
    }
}

fn flush<F: Family>(page: &mut Page<F>, flows: &mut FlowTable<F>) -> bool {
    match flows.sweep(page.from, STEPS, STEPS, |flows, id| flows.kill_by_hand(id)) {
        Some(at) => {
            page.from = at;
            false
        }
        None => true,
    }
}
