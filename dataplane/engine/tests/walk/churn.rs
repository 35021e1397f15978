//! An hour of coming and going, by a given clock: nothing is left behind.

use engine::rng::Rng;
use engine::sim::Shape;

use crate::lab::frames::{ping, tcp, udp};
use crate::lab::{ETH0, ETH2, FLOW_EXTRAS, Lab};

/// Everybody behind 16 ports of one address, with labels on what goes to port 80.
const RULES: &str = "*nat\n-A POSTROUTING -o eth2 -p udp -j SNAT --to-source 203.0.113.1:2000-2015\n\
    -A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n\
    *security\n-A FORWARD -p tcp --dport 80 -j SECMARK --selctx user_u:object_r:httpd_t:s0\n\
    -A FORWARD -p tcp --dport 80 -j CONNSECMARK --save\nCOMMIT\n\
    *filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A FORWARD -i eth0 -j ACCEPT\nCOMMIT\n";
const HOUR: u64 = 3_600_000;

/// How many new clients find a port of the pool towards one server.
fn ports_to_be_had(lab: &mut Lab, server: &str) -> usize {
    (0..20).filter(|i| !lab.wire(ETH0, &udp(&format!("10.0.0.2:{}", 40_000 + i), server)).is_empty()).count()
}

#[test]
fn an_hour_of_churn_leaves_no_flow_port_label_or_buffer() {
    let mut lab = Lab::new(RULES);
    let mut rng = Rng::new(7);
    let start = lab.sim.now.millis();
    let (mut sent, mut most) = (0, 0);
    while lab.sim.now.millis() < start + HOUR {
        let client = format!("10.0.0.2:{}", 1000 + rng.below(3000));
        let server = format!("8.8.8.8:{}", [53, 80, 443][rng.below(3) as usize]);
        let out = match rng.below(8) {
            0..3 => lab.wire(ETH0, &udp(&client, &server)),
            3 => lab.wire(ETH0, &ping("10.0.0.2", "8.8.8.8", rng.below(9) as u16)),
            // Nobody knows this neighbour: the packet waits, then ends.
            4 => lab.wire(ETH0, &udp(&client, "192.168.1.77:9")),
            _ => {
                let flags = ["S", "A", "FA", "R"][rng.below(4) as usize];
                lab.wire(ETH0, &tcp(&client, &server, flags).numbers(rng.below(3), rng.below(3)))
            }
        };
        sent += out.len();
        // Half of them get an answer.
        if let (Some(line), 0) = (out.first(), rng.below(2))
            && let Some((from, to)) = line.strip_prefix("eth2: ").and_then(|line| line.split_once(" > "))
            && let Some((to, rest)) = to.split_once(' ')
        {
            match rest.split(' ').next() {
                Some("udp") => drop(lab.wire(ETH2, &udp(to, from))),
                Some("tcp") => drop(lab.wire(ETH2, &tcp(to, from, ["SA", "A", "RA", "FA"][rng.below(4) as usize]).numbers(0, 2))),
                _ => {}
            }
        }
        // Now and then the first half of a datagram, of which the rest never comes.
        if rng.below(16) == 0 {
            let mut frame = udp(&client, &server).frame();
            frame[20] |= 0x20;
            let sum = packet::checksum::ipv4_header(&{
                let mut header = frame[14..34].to_vec();
                header[10..12].fill(0);
                header
            });
            frame[24..26].copy_from_slice(&sum.to_be_bytes());
            lab.sim.wire(ETH0, &[frame], &Shape::default());
        }
        most = most.max(lab.flows());
        assert!(lab.sim.worker.flows().extras() <= FLOW_EXTRAS as usize);
        lab.advance(u64::from(rng.below(1000)));
    }
    assert!(sent > 2000 && most > 30, "there was traffic: {sent} packets, {most} flows at a time");
    let drops = lab.drops();
    assert!(drops.iter().any(|drop| drop.0 == "NatExhausted"), "the pool was too small now and then: {drops:?}");
    assert!(drops.iter().any(|drop| drop.0 == "ConntrackExtrasFull"), "and so was the slab of labels: {drops:?}");

    // The longest time of a connection is five days.
    for days in [0, 2, 2, 2] {
        lab.advance(days * 86_400_000);
        (0..100).for_each(|_| drop(lab.advance(1000)));
    }
    let flows = lab.sim.worker.flows();
    assert_eq!((flows.len(), flows.extras(), flows.iter().count()), (0, 0, 0));
    assert_eq!((lab.sim.outside.live(), lab.sim.worker.gauges().waiting()), (0, 0), "no buffer is kept");
    assert_eq!(ports_to_be_had(&mut lab, "8.8.8.8:53"), 16, "every port of the pool is free again");
}
