//! `--fullcone`: one outside port for an inside one, towards everybody, and open to everybody (RFC 4787: endpoint-independent mapping and
//! filtering), for UDP.
//!
//! A *cone* is the pair of both ends: the first flow of an inside address and port takes an outside one that is no other cone's, every later
//! flow from there gets the same, whatever its destination, and whoever sends to the outside end reaches the inside one. The rules of the
//! filter table still judge who may: a packet let in so is one that was DNATed.
//!
//! Cones are shared by all workers, because their peers' flows are of any of them: two tables without locks, of fixed size, found from either
//! end ([`pairs`]). A cone lives while a flow of it does, and a minute more: each new flow says so, and each worker in rounds for those it
//! has, so many slots at a time ([`Keeper::look`]).

use core::iter;

use packet::{Family, Tuple, TupleL4};

use super::choose::{pick_address, ports_of};
use super::eligible::is_eligible;
use super::range::{Range, with_port};
use super::{NatCtx, Side};
use crate::conntrack::slots::Kept;
use crate::conntrack::{Dir, Flow, FlowTable, Status};
use crate::time::Time;

pub(crate) mod pairs;

use pairs::{End, Pairs};

/// Most cones of a box, and flows for each that there may be: a client in need of a cone has several.
const MOST: u32 = 16_384;
const FLOWS_EACH: u32 = 16;
/// From one round to the next: several within the minute that a cone outlives its last flow.
const EVERY: u64 = 20_000_000_000;
/// Ports tried for a new cone.
const TRIES: u32 = 128;
/// Slots looked at, and flows spoken for, in one round of housekeeping.
const STEPS: usize = 2048;
const FLOWS: usize = 256;

/// The cones of the box. Written and read by all workers; memory set aside at boot.
#[derive(Debug)]
pub(crate) struct Cones<F: Family>(Pairs<F>);

/// There is no outside end left, or no room for a cone.
pub(crate) struct NoCone;

impl<F: Family> Cones<F> {
    /// For a box of so many flows.
    pub(crate) fn new(flows: u32, keys: [[u64; 2]; 2]) -> Self {
        let most = (flows / FLOWS_EACH).min(MOST);
        Self(Pairs::new(most, keys))
    }

    /// The inside end that an outside one stands for.
    pub(crate) fn inside_of(&self, outside: End<F>, zone: u16, now: Time) -> Option<End<F>> {
        self.0.inside_of(outside, zone, now)
    }

    /// The outside end of a flow from `current`'s source: that of its cone, or of a new one within the range.
    pub(crate) fn outside_of(
        &self,
        current: &Tuple<F>,
        range: &Range<F>,
        zone: u16,
        ctx: &mut NatCtx<'_, F>,
    ) -> Result<End<F>, NoCone> {
        let TupleL4::Ports { src: port, .. } = current.l4 else { return Err(NoCone) };
        let inside = (current.src, port);
        if let Some(outside) = self.0.outside_of(inside, zone, ctx.now) {
            let known = with_port(&Tuple { src: outside.0, ..*current }, Side::Src, outside.1);
            if range.holds_source(&known) && is_eligible(current, &known, ctx.host) {
                return Ok(outside);
            }
            // The rule, or the box's own ports, are others now.
            self.0.part(inside, outside, zone);
        }
        let mut tuple = *current;
        if let Some((first, last)) = range.addresses {
            tuple.src = pick_address::<F>(current, Side::Src, (first, last), true, zone);
        }
        let (first, last) = ports_of(&tuple, Side::Src, range, port).ok_or(NoCone)?;
        let size = u32::from(last - first) + 1;
        let start = ctx.rng.below(size);
        let kept = (!range.draws_port() && (first..=last).contains(&port)).then_some(port);
        let others = (0..size.min(TRIES)).map(|i| first + ((start + i) % size) as u16);
        for port in kept.into_iter().chain(others) {
            if !is_eligible(current, &with_port(&tuple, Side::Src, port), ctx.host) {
                continue;
            }
            let outside = (tuple.src, port);
            match self.0.join(inside, outside, zone, ctx.now) {
                Ok(outside) => return Ok(outside),
                Err(Kept::Out) => {}
                Err(Kept::Full) => return Err(NoCone),
            }
        }
        Err(NoCone)
    }
}

/// A worker's word for the cones of its flows.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    at: Option<u32>,
    next: Time,
    swept: [usize; 2],
}

impl Keeper {
    /// Goes on through the flows, and through what is past its time.
    pub(crate) fn look<F: Family>(&mut self, cones: &Cones<F>, flows: &mut FlowTable<F>, now: Time) {
        if cones.0.is_empty() {
            return;
        }
        cones.0.sweep(&mut self.swept, now);
        if self.at.is_none() && now >= self.next {
            (self.at, self.next) = (Some(0), Time(now.0.saturating_add(EVERY)));
        }
        let prolong = |flows: &mut FlowTable<F>, id| {
            if let Some(flow) = flows.get(id).filter(|flow| flow.status().has(Status::FULL_CONE)) {
                inside_ends(flow).for_each(|(end, zone)| cones.0.prolong(end, zone, now));
            }
        };
        self.at = self.at.and_then(|at| flows.sweep(at, FLOWS, STEPS, prolong));
    }
}

/// Where the inside of a flow may be: its source when it went out, the source of its answers when it came in.
fn inside_ends<F: Family>(flow: &Flow<F>) -> impl Iterator<Item = (End<F>, u16)> {
    let end = |dir: Dir| match flow.tuple(dir).l4 {
        TupleL4::Ports { src, .. } => Some(((flow.tuple(dir).src, src), flow.zone_of(Dir::Original))),
        _ => None,
    };
    iter::once(end(Dir::Original)).chain(iter::once(end(Dir::Reply))).flatten().collect::<arrayvec::ArrayVec<_, 2>>().into_iter()
}
