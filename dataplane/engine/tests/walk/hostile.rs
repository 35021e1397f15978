//! Whatever comes in, nothing panics, nothing leaks, and what goes out is whole.

use engine::sim::{Event, Shape};
use proptest::prelude::*;

use crate::lab::frames::{Packet, icmp, other, ping, tcp, udp};
use crate::lab::{Box, ETH0, ETH1, ETH2, Lab, mac};

/// Rules that need no connections.
const STATELESS: &str = "*mangle\n-A PREROUTING -p icmp -j MARK --set-mark 5\n-A OUTPUT -j TOS --set-tos 16\nCOMMIT\n\
    *filter\n:sub -\n-A FORWARD -m limit --limit 1/hour -g sub\n-A FORWARD -m statistic --mode nth --every 3 --packet 0 -j REJECT\n\
    -A sub -p tcp -j REJECT --reject-with tcp-reset\n-A sub -j LOG\n-A OUTPUT -p icmp -j REJECT\nCOMMIT\n";

const RULES: &str = "*raw\n-A PREROUTING -p tcp --tcp-option 8 -j CT --zone 3\nCOMMIT\n\
    *mangle\n-A PREROUTING -p udp -m multiport --ports 1:100 -j TOS --set-tos 8\n-A PREROUTING -p 47 -j TTL --ttl-dec 3\nCOMMIT\n\
    *nat\n-A PREROUTING -d 10.0.0.1 -p tcp -j DNAT --to-destination 192.168.1.2-192.168.1.4:1-65535\n\
    -A PREROUTING -d 10.0.0.1 -p icmp -j REDIRECT\n-A POSTROUTING -j MASQUERADE --random\nCOMMIT\n\
    *filter\n-A FORWARD -j LOG --log-ip-options --log-tcp-options --log-tcp-sequence\n-A FORWARD -p udp --dport 7 -j REJECT\n\
    -A FORWARD -m conntrack --ctstate INVALID -j REJECT\nCOMMIT\n";

fn packets() -> impl Strategy<Value = Packet> {
    let ip = prop::sample::select(vec!["10.0.0.1", "8.8.8.8", "192.168.1.2", "10.0.0.255", "224.0.0.1"]);
    prop_oneof![
        (any::<u16>(), ip.clone(), prop::sample::select(vec!["S", "A", "SFRPU", ""])).prop_map(|(port, dst, flags)| tcp(
            &format!("10.0.0.2:{port}"),
            &format!("{dst}:80"),
            flags
        )),
        (any::<u16>(), ip.clone())
            .prop_map(|(port, dst)| udp("10.0.0.2:4000", &format!("{dst}:{port}")).data(usize::from(port % 2000))),
        (any::<u16>(), ip.clone()).prop_map(|(id, dst)| ping("10.0.0.2", dst, id)),
        (any::<u8>(), ip.clone()).prop_map(|(protocol, dst)| other("10.0.0.2", dst, protocol).data(64)),
        (any::<u8>(), any::<u8>(), ip, prop::collection::vec(any::<u8>(), 0..100)).prop_map(|(kind, code, dst, data)| {
            let message = etherparse::Icmpv4Type::Unknown { type_u8: kind, code_u8: code, bytes5to8: [0; 4] };
            icmp("10.0.0.2", dst, message).bytes(&data)
        }),
    ]
}

/// A frame with some of its bytes changed, perhaps its end cut off, perhaps its IP checksum mended.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (packets(), changes, prop::option::of(any::<prop::sample::Index>()), any::<bool>()).prop_map(|(packet, changes, cut, mend)| {
        let mut frame = packet.frame();
        frame[..6].copy_from_slice(&mac(ETH0));
        for (at, value) in changes {
            // Mostly the headers: that is where the walk looks.
            let at = at.index(frame.len().min(80));
            frame[at] = value;
        }
        if let Some(cut) = cut {
            frame.truncate(cut.index(frame.len() + 1));
        }
        let header_len = frame.get(14).map_or(0, |byte| usize::from(byte & 0xf) * 4);
        if mend && header_len >= 20 && frame.len() >= 14 + header_len {
            let sum = packet::checksum::ipv4_header(&frame[14..14 + header_len]);
            frame[24..26].copy_from_slice(&sum.to_be_bytes());
        }
        frame
    })
}

fn shapes() -> impl Strategy<Value = Shape> {
    (prop::collection::vec(1usize..100, 0..6), any::<bool>()).prop_map(|(segments, shared)| Shape {
        segments,
        shared,
        ..Shape::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_frame_harms(frames in prop::collection::vec((frames(), shapes(), any::<bool>()), 1..30)) {
        let mut lab = Lab::new(RULES);
        let mut events = Vec::new();
        let mut sent = 0;
        for (frame, shape, from_wire) in frames {
            if from_wire {
                lab.sim.wire(ETH0, &[frame], &shape);
            } else {
                lab.sim.host(ETH0, &[frame], &shape);
            }
            sent += 1;
            events.extend(lab.sim.events());
        }
        for _ in 0..40 {
            lab.sim.advance(1000);
            events.extend(lab.sim.events());
        }
        prop_assert_eq!(lab.sim.outside.live(), 0, "a buffer was lost");
        let dropped: u64 = lab.drops().iter().map(|(_, n)| n).sum();
        let out = events.iter().filter(|event| matches!(event, Event::Transmit { .. } | Event::Deliver { .. })).count() as u64;
        prop_assert!(out + dropped >= sent, "a packet ended without a name: {} out, {:?}", out, lab.drops());
        for event in &events {
            if let Event::Transmit { port, frame } = event && [ETH1, ETH2].contains(port) {
                let line = crate::lab::frames::describe(frame);
                prop_assert!(!line.contains("BAD IP CHECKSUM"), "{}", line);
            }
            if let Event::Log(record) = event {
                prop_assert!(record.line(|_| "eth").starts_with("IN="));
            }
        }
    }
    #[test]
    fn nothing_that_changes_under_traffic_harms(steps in prop::collection::vec(steps(), 1..40)) {
        let mut lab = Lab::new(RULES);
        for step in steps {
            match step {
                Step::Frame(port, frame, shape) => lab.sim.wire(port, &[frame], &shape),
                Step::Own(port, frame, shape) => lab.sim.host(port, &[frame], &shape),
                Step::Rules(text) => lab.load(text),
                Step::Host(change) => {
                    let mut host = Box::default();
                    change(&mut host);
                    lab.rehost(&host);
                }
                Step::Time(millis) => lab.sim.advance(millis),
            }
            lab.sim.events();
        }
        // The longest time of a connection is five days.
        for days in [0, 2, 2, 2] {
            lab.sim.advance(days * 86_400_000);
            (0..100).for_each(|_| lab.sim.advance(1000));
        }
        lab.sim.events();
        prop_assert_eq!((lab.sim.outside.live(), lab.flows()), (0, 0), "a buffer or a connection was lost");
    }
}

/// One thing that happens to a box.
#[derive(Clone, Debug)]
enum Step {
    Frame(program::InterfaceId, Vec<u8>, Shape),
    Own(program::InterfaceId, Vec<u8>, Shape),
    Rules(&'static str),
    Host(fn(&mut Box)),
    Time(u64),
}

fn steps() -> impl Strategy<Value = Step> {
    let changes: Vec<fn(&mut Box)> = vec![
        |_| {},
        |host| host.interfaces[1].up = false,
        |host| host.interfaces[1].mtu = 68,
        |host| host.interfaces[0].mtu = 20,
        |host| host.parts.neighbours.clear(),
        |host| host.parts.routes.clear(),
        |host| host.parts.addresses.clear(),
        |host| host.parts.routes.iter_mut().for_each(|route| route.mtu = Some(30)),
        |host| host.interfaces.iter_mut().for_each(|interface| interface.forwarding = false),
    ];
    let frame = || (prop::sample::select(vec![ETH0, ETH1, ETH2, program::InterfaceId(9)]), frames(), shapes());
    prop_oneof![
        12 => frame().prop_map(|(port, mut frame, shape)| {
            if let Some(station) = frame.get_mut(..6) {
                station.copy_from_slice(&mac(port));
            }
            Step::Frame(port, frame, shape)
        }),
        4 => frame().prop_map(|(port, frame, shape)| Step::Own(port, frame, shape)),
        1 => prop::sample::select(vec![RULES, STATELESS, ""]).prop_map(Step::Rules),
        2 => prop::sample::select(changes).prop_map(Step::Host),
        2 => prop::sample::select(vec![1, 999, 31_000, 500_000]).prop_map(Step::Time),
    ]
}
