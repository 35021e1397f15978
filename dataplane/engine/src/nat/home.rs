//! Which source a flow gets when flows are spread over workers: one whose replies come home, else one that another worker keeps for it.
//!
//! The kernel's choice ([`super::choose`]) with one thing more to ask of a tuple: to which worker its replies go. In this order:
//!
//! 1. the tuple as it is, where it lies in the range, and the port where every inside address has one of its own (NETMAP): kept, even if another
//!    worker has to keep it;
//! 2. with an address of the range, the port if it leaves the owner as it is, then the ports that do: the same for every destination, so
//!    that the same inside source has one port towards everybody;
//! 3. any port of the range that comes home for this destination; 4. any port, by asking the other workers in turn.
//!
//! ICMP identifiers and protocols without ports say nothing about the owner: there, one worker is asked for all of them.

use packet::{Family, Tuple, TupleL4};

use super::bind::take;
use super::choose::{Choice, choose, is_found_free, is_free, is_left_to_confirmation, known_translation, pick_address, ports_of};
use super::eligible::is_eligible;
use super::range::{Range, port, port_within, with_port};
use super::shortage::Pool;
use super::{NatCtx, NatError, Side, is_decided};
use crate::conntrack::claims::Keeper;
use crate::conntrack::{Dir, FlowId, FlowTable};
use crate::host::FamilyHost;
use crate::owner::Home;
use crate::time::Time;
use program::CtAction;

/// Ports tried at one worker.
const TRIES: usize = 128;
/// Ports looked at to find those of one worker.
const STEPS: u32 = 1024;
/// In the last tries a finished TCP connection makes room.
const DISPLACING_TRIES: usize = 32;

/// What a flow would be content with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<F: Family> {
    /// Best: the original direction behind the translation.
    tuple: Tuple<F>,
    /// Other ports, if there is a choice.
    ports: Option<Ports>,
    /// Workers that were tried, a bit each.
    tried: u32,
}

/// Ports in the order in which they are tried.
#[derive(Clone, Copy, Debug)]
struct Ports {
    first: u16,
    last: u16,
    offset: u16,
}

impl Ports {
    fn size(self) -> u32 {
        u32::from(self.last - self.first) + 1
    }

    fn at(self, i: u32) -> u16 {
        self.first + ((u32::from(self.offset) + i) % self.size()) as u16
    }
}

/// What became of a source.
pub(crate) enum Source<F: Family> {
    /// It is decided.
    Decided,
    /// This worker is to be asked.
    Ask(u16, Wish<F>),
}

impl<F: Family> Wish<F> {
    /// What was asked for, to be named when nobody has it.
    pub(crate) fn pool(&self) -> Pool<F> {
        let addresses = Some((self.tuple.src, self.tuple.src));
        Pool { kind: None, protocol: self.tuple.protocol, addresses, ports: self.ports.map(|ports| (ports.first, ports.last)) }
    }

    fn candidates(self) -> impl Iterator<Item = Tuple<F>> {
        let others = self
            .ports
            .into_iter()
            .flat_map(move |ports| (0..ports.size().min(STEPS)).map(move |i| with_port(&self.tuple, Side::Src, ports.at(i))));
        core::iter::once(self.tuple).chain(others)
    }

    /// The next worker that has a candidate and was not tried.
    fn elsewhere(mut self, home: &Home) -> Option<(u16, Self)> {
        let owner = |tuple: &Tuple<F>| home.owners().of(tuple);
        let next = self.candidates().map(|tuple| owner(&tuple)).find(|worker| self.tried & 1 << worker == 0)?;
        self.tried |= 1 << next;
        Some((next, self))
    }
}

/// Decides the source of an unconfirmed flow within `range`, or says which worker has to be asked for one. Does nothing when it is decided
/// already.
pub(crate) fn source<F: Family>(
    table: &mut FlowTable<F>,
    home: &Home,
    id: FlowId,
    range: &Range<F>,
    keeps_port: bool,
    ctx: &mut NatCtx<'_, F>,
) -> Result<Source<F>, NatError> {
    let Some(flow) = table.get(id) else { return Ok(Source::Decided) };
    if flow.is_confirmed() || is_decided(flow, Side::Src) {
        return Ok(Source::Decided);
    }
    let zone = flow.zone();
    let Some(current) = flow.tuple(Dir::Reply).invert() else { return Ok(Source::Decided) };
    let me = 1 << home.me();
    let ports = |tuple: &Tuple<F>, ctx: &mut NatCtx<'_, F>| {
        let (first, last) = ports_of(tuple, Side::Src, range, port(tuple, Side::Src)?)?;
        Some(Ports { first, last, offset: ctx.rng.next_u32() as u16 })
    };
    if !range.draws_port() {
        if range.holds_source(&current) {
            if !home.is_mine(&current) {
                let wish = Wish { tuple: current, ports: ports(&current, ctx), tried: 0 };
                return ask(wish.elsewhere(home));
            }
            if is_free(table, id, &current, ctx) || is_left_to_confirmation(table, id, &current, ctx) {
                return Ok(decide(table, id, &current));
            }
        } else if let Some(known) = known_translation(table, &current, zone, range)
            && home.is_mine(&known)
            && is_free(table, id, &known, ctx)
        {
            return Ok(decide(table, id, &known));
        }
    }
    let mut tuple = current;
    if let Some((first, last)) = range.addresses {
        tuple.src = pick_address::<F>(&current, Side::Src, (first, last), range.persistent, zone.zone);
    }
    let may_keep = !range.draws_port() && range.ports.is_none_or(|ports| port_within(&tuple, Side::Src, ports));
    let choice = ports(&tuple, ctx);
    let best = match choice {
        Some(ports) if !may_keep => with_port(&tuple, Side::Src, ports.at(0)),
        _ => tuple,
    };
    if !matches!(tuple.l4, TupleL4::Ports { .. }) {
        if home.is_mine(&tuple) {
            // Whatever is chosen, its replies come home: the choice is as with one worker.
            let Choice { tuple, is_free } = choose(table, id, Side::Src, range, &current, zone, ctx);
            return if is_free { Ok(decide(table, id, &tuple)) } else { Err(NatError::Exhausted) };
        }
        return ask(Wish { tuple: best, ports: choice, tried: 0 }.elsewhere(home));
    }
    if may_keep && keeps_port && !home.is_mine(&tuple) {
        return ask(Wish { tuple, ports: choice, tried: 0 }.elsewhere(home));
    }
    let change = change(table, id, &tuple);
    let comes_home = keeps_port || home.owners().is_kept_by(change);
    if may_keep && comes_home && is_free(table, id, &tuple, ctx) {
        return Ok(decide(table, id, &tuple));
    }
    let wish = Wish { tuple: best, ports: choice, tried: me };
    match at_home(table, home, id, &wish, range.draws_port(), ctx) {
        Some(found) => Ok(decide(table, id, &found)),
        None => ask(wish.elsewhere(home)),
    }
}

/// Goes on after another worker had nothing.
pub(crate) fn refused<F: Family>(
    table: &mut FlowTable<F>,
    home: &Home,
    id: FlowId,
    mut wish: Wish<F>,
    ctx: &mut NatCtx<'_, F>,
) -> Result<Source<F>, NatError> {
    let me = 1 << home.me();
    if wish.tried & me == 0 {
        wish.tried |= me;
        if let Some(found) = at_home(table, home, id, &wish, false, ctx) {
            return Ok(decide(table, id, &found));
        }
    }
    ask(wish.elsewhere(home))
}

/// Another worker keeps this tuple for the flow now.
pub(crate) fn granted<F: Family>(table: &mut FlowTable<F>, id: FlowId, tuple: &Tuple<F>) {
    take(table, id, Side::Src, tuple);
    table.note_claim(id);
}

/// The arbiter's part: takes the best of the wish that hashes here and is free for another worker's flow, which begins with `original`.
pub(crate) fn grant<F: Family>(
    table: &mut FlowTable<F>,
    home: &Home,
    wish: &Wish<F>,
    (original, zone, keeper): (&Tuple<F>, CtAction, Keeper),
    host: &FamilyHost<F>,
    now: Time,
) -> Option<Tuple<F>> {
    let mine = wish.candidates().filter(|tuple| home.is_mine(tuple) && is_eligible(original, tuple, host)).take(TRIES);
    mine.into_iter().find(|tuple| tuple.invert().is_some_and(|reply| table.grant(&reply, zone, original, keeper, now)))
}

fn decide<F: Family>(table: &mut FlowTable<F>, id: FlowId, tuple: &Tuple<F>) -> Source<F> {
    take(table, id, Side::Src, tuple);
    Source::Decided
}

fn ask<F: Family>(next: Option<(u16, Wish<F>)>) -> Result<Source<F>, NatError> {
    next.map(|(worker, wish)| Source::Ask(worker, wish)).ok_or(NatError::Exhausted)
}

/// By which words the tuple differs from the one by which the flow is owned.
fn change<F: Family>(table: &FlowTable<F>, id: FlowId, tuple: &Tuple<F>) -> u16 {
    table.get(id).map_or(0, |flow| flow.tuple(Dir::Original).xor_words() ^ tuple.xor_words())
}

/// A free tuple whose replies come home.
fn at_home<F: Family>(
    table: &mut FlowTable<F>,
    home: &Home,
    id: FlowId,
    wish: &Wish<F>,
    drawn: bool,
    ctx: &mut NatCtx<'_, F>,
) -> Option<Tuple<F>> {
    let (TupleL4::Ports { src: kept, .. }, Some(ports)) = (wish.tuple.l4, wish.ports) else { return None };
    let base = kept ^ change(table, id, &wish.tuple);
    let strides = home.owners().strides();
    let start = if drawn { ctx.rng.below(strides.len() as u32) as usize } else { 0 };
    let (behind, before) = strides.split_at(start);
    let fitting = before.iter().chain(behind).map(|stride| base ^ stride).filter(|port| (ports.first..=ports.last).contains(port));
    for port in fitting.take(TRIES) {
        let tuple = with_port(&wish.tuple, Side::Src, port);
        if is_free(table, id, &tuple, ctx) {
            return Some(tuple);
        }
    }
    for (nth, tuple) in wish.candidates().skip(1).filter(|tuple| home.is_mine(tuple)).take(TRIES).enumerate() {
        let is_late = nth + DISPLACING_TRIES >= TRIES.min(usize::from(ports.last - ports.first));
        if is_found_free(table, id, &tuple, is_late, ctx) {
            return Some(tuple);
        }
    }
    None
}
