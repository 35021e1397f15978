//! `--fullcone`: one outside port for an inside one, towards everybody, and open to everybody (RFC 4787: endpoint-independent mapping and
//! filtering), for UDP.
//!
//! A *cone* is the pair of both ends: the first flow of an inside address and port takes an outside one that is no other cone's, every later
//! flow from there gets the same, whatever its destination, and whoever sends to the outside end reaches the inside one. The rules of the
//! filter table still judge who may: a packet let in so is one that was DNATed.
//!
//! Cones are shared by all workers, because their peers' flows are of any of them: two tables without locks, of fixed size, found from either
//! end ([`Expectations`], which announce to whoever asks and are never taken). A cone lives while a flow of it does, and [`LIFE`] more:
//! each worker says so for its own flows, so many slots a round ([`Keeper::look`]).

use core::iter;

use packet::{Family, Tuple, TupleL4, protocol};
use program::{Helper, LabelId};

use super::choose::{pick_address, ports_of};
use super::eligible::is_eligible;
use super::range::{Range, with_port};
use super::{NatCtx, Side};
use crate::conntrack::expect::{Ends, Expectation, Expectations, Follow, Master, Refused};
use crate::conntrack::{Dir, Flow, FlowId, FlowTable, Status};
use crate::time::Time;

/// Most cones of a box, and flows for each that there may be: a client in need of a cone has several.
const MOST: u32 = 16_384;
const FLOWS_EACH: u32 = 16;
/// How long a cone outlives its last flow: the worker's rounds come oftener.
const LIFE: u64 = 60_000_000_000;
const EVERY: u64 = 20_000_000_000;
/// Ports tried for a new cone.
const TRIES: u32 = 128;
/// Slots looked at, and flows spoken for, in one round of housekeeping.
const STEPS: usize = 2048;
const FLOWS: usize = 256;

/// An address and a UDP port.
type End<F> = (<F as Family>::Addr, u16);

/// The cones of the box. Written and read by all workers; memory set aside at boot.
#[derive(Debug)]
pub(crate) struct Cones<F: Family> {
    by_inside: Expectations<F>,
    by_outside: Expectations<F>,
}

/// There is no outside end left, or no room for a cone.
pub(crate) struct NoCone;

impl<F: Family> Cones<F> {
    /// For a box of so many flows.
    pub(crate) fn new(flows: u32, keys: [[u64; 2]; 2]) -> Self {
        let most = (flows / FLOWS_EACH).min(MOST);
        Self { by_inside: Expectations::new(most, keys[0]), by_outside: Expectations::new(most, keys[1]) }
    }

    /// The inside end that an outside one stands for.
    pub(crate) fn inside_of(&self, outside: End<F>, zone: u16, now: Time) -> Option<End<F>> {
        other_end(&self.by_outside, outside, zone, now)
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
        if let Some(outside) = other_end(&self.by_inside, inside, zone, ctx.now) {
            let known = with_port(&Tuple { src: outside.0, ..*current }, Side::Src, outside.1);
            if range.holds_source(&known) && is_eligible(current, &known, ctx.host) {
                return Ok(outside);
            }
            // The rule, or the box's own ports, are others now.
            self.forget(inside, outside, zone, ctx.now);
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
            match self.by_outside.announce(&cone(outside, inside, zone, ctx.now), ctx.now) {
                Ok(_) => return self.enter(inside, outside, zone, ctx.now),
                Err(Refused::Busy | Refused::Known) => {}
                Err(Refused::Full) => return Err(NoCone),
            }
        }
        Err(NoCone)
    }

    /// The outside end is this inside one's now, unless another worker gave it one at the same time.
    fn enter(&self, inside: End<F>, outside: End<F>, zone: u16, now: Time) -> Result<End<F>, NoCone> {
        if self.by_inside.announce(&cone(inside, outside, zone, now), now).is_ok() {
            return Ok(outside);
        }
        self.by_outside.withdraw(ends(outside), zone, now);
        other_end(&self.by_inside, inside, zone, now).ok_or(NoCone)
    }

    fn forget(&self, inside: End<F>, outside: End<F>, zone: u16, now: Time) {
        self.by_inside.withdraw(ends(inside), zone, now);
        self.by_outside.withdraw(ends(outside), zone, now);
    }

    /// A flow of the cone lives.
    fn prolong(&self, inside: End<F>, zone: u16, now: Time) {
        if let Some(outside) = other_end(&self.by_inside, inside, zone, now) {
            let until = Time(now.0.saturating_add(LIFE));
            self.by_inside.prolong(ends(inside), zone, now, until);
            self.by_outside.prolong(ends(outside), zone, now, until);
        }
    }
}

fn ends<F: Family>((dst, dport): End<F>) -> Ends<F> {
    Ends { src: None, sport: None, dst, dport, protocol: protocol::UDP }
}

fn cone<F: Family>(from: End<F>, to: End<F>, zone: u16, now: Time) -> Expectation<F> {
    Expectation {
        ends: ends(from),
        zone,
        // Nobody's: it ends by its time.
        master: Master { worker: 0, flow: FlowId { slot: 0, generation: 0 }, helper: Helper::ALL[0] },
        class: 0,
        mark: 0,
        label: LabelId(0),
        dir: Dir::Original,
        follow: Some(Follow { source: to.0, only_from: None, pairs: false, destination: to }),
        helper: None,
        stays: true,
        is_open: true,
        expires: Time(now.0.saturating_add(LIFE)),
    }
}

fn other_end<F: Family>(table: &Expectations<F>, end: End<F>, zone: u16, now: Time) -> Option<End<F>> {
    if table.is_empty() {
        return None;
    }
    Some(table.find(&ends(end), zone, now)?.follow?.destination)
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
        if cones.by_inside.is_empty() && cones.by_outside.is_empty() {
            return;
        }
        self.swept[0] = cones.by_inside.sweep(self.swept[0], now);
        self.swept[1] = cones.by_outside.sweep(self.swept[1], now);
        if self.at.is_none() && now >= self.next {
            (self.at, self.next) = (Some(0), Time(now.0.saturating_add(EVERY)));
        }
        let prolong = |flows: &mut FlowTable<F>, id| {
            if let Some(flow) = flows.get(id).filter(|flow| flow.status().has(Status::FULL_CONE)) {
                inside_ends(flow).for_each(|(end, zone)| cones.prolong(end, zone, now));
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
