//! Random packets at random times: the trackers on the table's own index, looking ahead in bursts, and the same trackers on the model, packet by
//! packet.

use packet::Tuple;
use program::{CtAction, Directions};
use proptest::prelude::*;

use super::frames::{Frame, Tcp};
use super::model::Index;
use super::{Dir, FlowConfig, FlowTable, Packet, Settings, Tracked};
use crate::time::Time;
use packet::Ipv4;

const HOSTS: [u32; 3] = [0x0a01_0002, 0x0a02_0002, 0x0a02_0003];

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    /// Packets of one burst, each with its zone, and whether the rules let it pass.
    Burst(Vec<(Frame, CtAction, bool)>),
    /// Milliseconds pass, and the timers are looked at with this budget.
    Wait(u64, usize),
    /// `conntrack -D` of one of the flows.
    Kill(prop::sample::Index),
}

fn frame() -> impl Strategy<Value = Frame> {
    let ends = || (0usize..3, 0usize..3, 0u16..3, 0u16..3);
    let flags = prop::sample::select(vec![0x02u8, 0x12, 0x10, 0x18, 0x11, 0x14, 0x04, 0x00, 0x03]);
    prop_oneof![
        4 => ends().prop_map(|(a, b, from, to)| Frame::udp(HOSTS[a], HOSTS[b], from, to, b"data")),
        6 => (ends(), flags, 0u32..4, 0u32..4).prop_map(|((a, b, from, to), flags, seq, ack)| {
            Frame::tcp(HOSTS[a], HOSTS[b], from, to, &Tcp { flags, seq, ack, window: 1000, ..Tcp::default() })
        }),
        2 => (ends(), prop::sample::select(vec![0u8, 8, 13, 14, 3])).prop_map(|((a, b, id, _), kind)| {
            Frame::icmp(HOSTS[a], HOSTS[b], kind, 0, id, b"")
        }),
        1 => ends().prop_map(|(a, b, from, to)| Frame::udp(HOSTS[a], HOSTS[b], from, to, b"data").error(HOSTS[b], HOSTS[a], 3, 28)),
        1 => ends().prop_map(|(a, b, _, _)| Frame::raw(HOSTS[a], HOSTS[b], 47, &[0; 8])),
    ]
}

/// Zones that part the same directions. With others in one table a tuple may be two flows' (in the kernel too): one does not know of the other when it
/// is confirmed, and then which one a packet belongs to hangs on chance.
fn zone(directions: Directions) -> impl Strategy<Value = CtAction> {
    let zone = move |zone| CtAction { zone, directions, ..CtAction::default() };
    prop_oneof![6 => Just(zone(1)), 3 => Just(zone(2))]
}

fn step(directions: Directions) -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec((frame(), zone(directions), prop::bool::weighted(0.8)), 1..12).prop_map(Step::Burst),
        3 => (prop::sample::select(vec![0u64, 1, 1_500, 11_000, 31_000, 121_000, 500_000_000]), 1usize..40)
            .prop_map(|(millis, budget)| Step::Wait(millis, budget)),
        1 => any::<prop::sample::Index>().prop_map(Step::Kill),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::sample::select(vec![Directions::Both, Directions::Original, Directions::Reply])
        .prop_flat_map(|directions| prop::collection::vec(step(directions), 1..60))
}

/// One packet of which the rules have this to say.
fn walk(table: &mut FlowTable<Ipv4>, frame: &Frame, zone: CtAction, pass: bool, now: Time) -> Option<(Tracked, bool)> {
    let header = frame.header();
    let packet = Packet {
        header: &header,
        head: &frame.bytes,
        checksum_ok: true,
        zone,
        timeouts: program::TimeoutId::NONE,
        said: Default::default(),
        now,
    };
    let tracked = table.track(&packet, &Settings::default()).ok()?;
    let confirmed = match tracked.flow {
        Some(id) if pass => table.confirm(id, now).is_ok(),
        _ => false,
    };
    if let (Some(id), false) = (tracked.flow, confirmed) {
        table.release(id);
    }
    Some((tracked, confirmed))
}

/// All that can be seen of a table.
fn contents(table: &FlowTable<Ipv4>) -> Vec<String> {
    let line = |(id, flow)| format!("{id:?} {flow:?}");
    table.iter().map(line).collect()
}

proptest! {
    #[test]
    fn the_trackers_on_the_table_do_as_on_the_model(steps in steps()) {
        let config = FlowConfig { capacity: 4000, extras: 4, hash_key: [5, 9] };
        let (mut fast, mut model) = (FlowTable::new(config), FlowTable::new(config));
        model.index = Index::Model(Vec::new());
        let mut now = Time(1_000_000_000);
        for step in &steps {
            match step {
                Step::Burst(packets) => {
                    let headers: Vec<_> = packets.iter().map(|(frame, ..)| frame.header()).collect();
                    fast.look_ahead_at_once(headers.iter());
                    for (frame, zone, pass) in packets {
                        let (here, there) = (walk(&mut fast, frame, *zone, *pass, now), walk(&mut model, frame, *zone, *pass, now));
                        prop_assert_eq!(here, there);
                    }
                }
                Step::Wait(millis, budget) => {
                    now = now.plus_millis(*millis);
                    prop_assert_eq!(fast.expire(now, *budget), model.expire(now, *budget));
                }
                Step::Kill(which) => {
                    let ids: Vec<_> = fast.iter().map(|(id, _)| id).collect();
                    if !ids.is_empty() {
                        let id = *which.get(&ids);
                        fast.kill(id);
                        model.kill(id);
                    }
                }
            }
            prop_assert_eq!(contents(&fast), contents(&model));
            prop_assert_eq!(fast.len(), model.len());
        }
        let seen: Vec<(Tuple<Ipv4>, CtAction)> =
            fast.iter().flat_map(|(_, flow)| [Dir::Original, Dir::Reply].map(|dir| (flow.tuple(dir), flow.zone()))).collect();
        for (tuple, zone) in seen {
            prop_assert_eq!(fast.find(&tuple, zone, now), model.find(&tuple, zone, now));
        }
        // The longest time of a connection is five days: then nothing is left.
        now = now.plus_millis(6 * 86_400_000);
        while fast.expire(now, 1000) > 0 {}
        prop_assert_eq!((fast.len(), fast.extras()), (0, 0));
    }
}
