//! Rampart as users run it: both daemons and the real commands, the packets on DPDK's own drivers. The same cases, beside the same kernel.
//!
//! - [`appliance`] a namespace in which both daemons run
//! - [`far`] the far ends of its wires, and how one knows that everything has come to rest
//!
//! Datagrams in fragments go through an appliance on net_tap: on net_af_packet the host puts them together before DPDK sees them
//! (docs/deviations.md, `af-packet-fragments`). Everything else goes through one on net_af_packet.

mod appliance;
mod far;

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use net::lab::{Wire, binaries};

use crate::System;
use crate::case::{Case, Step};
use crate::frame::View;
use crate::observed::{Line, Observed};
use crate::world::Port;
use appliance::{Appliance, Effort, Loaded};

/// What this lane leaves out of what the engine in process is asked, and why.
pub const NOT_COMPARED: &[(&str, &str)] = &[
    ("bursts", "the driver may cut a burst in two; bursts are compared in process"),
    ("fragments on net_af_packet", "the host puts datagrams together before DPDK sees them; they are compared on net_tap"),
    ("levels of log lines", "a log that is a file has none; they are compared in process"),
    ("redirects of IPv4", REDIRECTS),
];

/// Why cases with redirects of IPv4 are left out.
const REDIRECTS: &str = "the appliance is told to send none, so that it need not be started anew for most other cases";

/// How long a daemon that seems to have died may take to be seen dead.
const MOURNING: Duration = Duration::from_millis(500);

/// The daemons as a router.
pub struct Processes {
    bin: PathBuf,
    af_packet: Option<Appliance>,
    net_tap: Option<Appliance>,
}

impl Processes {
    /// Uses the programs of `bin`, or those that are built beside this one.
    ///
    /// # Errors
    /// There are no programs.
    pub fn new(bin: Option<PathBuf>) -> Result<Self> {
        let bin = bin.map_or_else(binaries, Ok)?;
        Ok(Self { bin: std::fs::canonicalize(&bin).with_context(|| bin.display().to_string())?, af_packet: None, net_tap: None })
    }

    /// The appliance for a case, started when it is first wanted.
    fn appliance(&mut self, wire: Wire) -> Result<&mut Appliance> {
        let place = match wire {
            Wire::AfPacket => &mut self.af_packet,
            Wire::NetTap => &mut self.net_tap,
        };
        match place {
            Some(appliance) => Ok(appliance),
            none => Ok(none.insert(Appliance::new(wire, &self.bin)?)),
        }
    }

    /// What the cases cost so far, for people to read.
    pub fn effort(&self) -> String {
        let efforts = [&self.af_packet, &self.net_tap].into_iter().flatten().map(|appliance| appliance.effort);
        let all = efforts.fold(Effort::default(), |sum, one| Effort {
            frames: sum.frames + one.frames,
            time: sum.time + one.time,
            restarts: sum.restarts + one.restarts,
        });
        let rate = all.frames as f64 / all.time.as_secs_f64().max(0.001);
        format!(
            "{} packets at {rate:.0} a second, each step waited for; {} restarts of the dataplane between cases",
            all.frames, all.restarts
        )
    }
}

impl System for Processes {
    fn run(&mut self, case: &Case) -> Result<Observed> {
        let fragments = case.has_fragments();
        let appliance = self.appliance(if fragments { Wire::NetTap } else { Wire::AfPacket })?;
        walk(appliance, case, fragments).map_err(|error| match appliance.ended_within(MOURNING) {
            Some(ended) => error.context(format!("{ended:#}")).context(appliance.last_words()),
            None => error.context(appliance.last_words()),
        })
    }

    fn cannot_run(&self, case: &Case) -> Option<&'static str> {
        (case.redirects && !case.ipv6).then_some(REDIRECTS)
    }
}

fn walk(appliance: &mut Appliance, case: &Case, fragments: bool) -> Result<Observed> {
    appliance.clean()?;
    if !case.sets.is_empty() {
        appliance.ipset(&case.sets)?;
    }
    if let Loaded::Refused(reason) = appliance.load(case)? {
        appliance.forget_sets(case)?;
        return Ok(Observed { refused: Some(reason), ..Observed::default() });
    }
    if fragments {
        // Pieces of which others are missing would meet those of the next case.
        appliance.taint();
    }
    let before = appliance.delivered(case.ipv6)?;
    let mut observed = Observed::default();
    let log = appliance.log_end()?;
    for (number, step) in case.steps.iter().enumerate() {
        let frames = match step {
            Step::Packets(port, frames) => appliance.inject(*port, frames)?,
            Step::Answer { to, with } => {
                let sent = observed.steps[*to].first();
                match sent.and_then(|(port, frame)| Some((*port, with.to(*port, frame)?))) {
                    Some((port, frame)) => appliance.inject(port, &[frame])?,
                    None => Vec::new(),
                }
            }
            Step::Local(packet) => appliance.send(packet)?,
            Step::Ipset(command) => {
                appliance.ipset(command)?;
                Vec::new()
            }
            Step::Advance(millis) => {
                thread::sleep(Duration::from_millis(*millis));
                appliance.inject(Port::Eth0, &[])?
            }
        };
        if case.ipv6 && (case.redirects || frames.iter().any(|(_, frame)| is_redirect(frame))) {
            // It remembers whom it has told.
            appliance.taint();
        }
        observed.steps.push(frames);
        if case.logs() {
            let lines = appliance.log_lines(log, case.ipv6)?.into_iter().skip(observed.logs.len());
            let lines: Vec<Line> = lines.map(|text| Line { step: number, level: None, text }).collect();
            observed.logs.extend(lines);
        }
    }
    if !case.sets.is_empty() {
        observed.sets = appliance.elements()?;
    }
    observed.counters = appliance.counters(case.ipv6)?;
    observed.entries = appliance.entries(case)?;
    observed.delivered = appliance.delivered(case.ipv6)? - before;
    appliance.forget_sets(case)?;
    Ok(observed)
}

/// Is this a redirect of IPv6?
fn is_redirect(frame: &[u8]) -> bool {
    View::of_frame(frame).is_some_and(|view| view.src.is_ipv6() && view.icmp_kind() == Some(137))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::frame::Ip;
    use crate::world::{in_family, ipv6};

    /// Enough to see a race that is lost once in a few hundred steps.
    const STEPS: usize = 4000;

    fn datagram() -> Vec<Vec<u8>> {
        vec![Ip::udp(([10, 0, 0, 2], 1000), ([10, 0, 1, 2], 53), b"hello").frame(Port::Eth0)]
    }

    fn datagram_of_ipv6(to: Ipv4Addr) -> Vec<u8> {
        Ip::udp((ipv6(Ipv4Addr::new(10, 0, 0, 2)), 1000), (ipv6(to), 53), b"hello").frame(Port::Eth0)
    }

    fn accept_everything() -> Case {
        Case { steps: vec![Step::Packets(Port::Eth0, datagram())], ..Case::default() }
    }

    fn appliance(wire: Wire) -> Appliance {
        Appliance::new(wire, &binaries().expect("the programs are built")).unwrap_or_else(|error| panic!("{error:?}"))
    }

    #[test]
    #[ignore = "needs namespaces and the programs: make test-kernel-processes-short"]
    fn with_the_dataplane_stopped_nothing_answers() {
        for wire in [Wire::AfPacket, Wire::NetTap] {
            let mut appliance = appliance(wire);
            let (answered, out) = appliance.try_inject(Port::Eth0, &datagram(), Duration::from_secs(3)).unwrap();
            assert!(answered && out.len() == 1 && out[0].0 == Port::Eth1, "{wire:?} passes a datagram: {out:?}");
            let of_ipv6 = [datagram_of_ipv6(Ipv4Addr::new(10, 0, 1, 2))];
            let (answered, out) = appliance.try_inject(Port::Eth0, &of_ipv6, Duration::from_secs(3)).unwrap();
            assert!(answered && out.len() == 1 && out[0].0 == Port::Eth1, "{wire:?} passes one of IPv6: {out:?}");
            let delivered = [false, true].map(|ipv6| appliance.delivered(ipv6).unwrap());
            appliance.stop_dataplane().unwrap();
            if wire == Wire::NetTap {
                // Its devices went with it: there is no wire to send to.
                continue;
            }
            for port in Port::ALL {
                let to_the_box = [false, true].map(|ipv6| {
                    let [host, own] = [port.neighbours().next().unwrap(), port.addresses()[0]].map(|end| in_family(ipv6, end));
                    Ip::icmp(host, own, 8, 0, [0, 1, 0, 1], b"ping").frame(port)
                });
                let frames = [datagram(), of_ipv6.to_vec(), to_the_box.to_vec()].concat();
                let seen = appliance.try_inject(port, &frames, Duration::from_millis(300)).unwrap();
                assert_eq!(seen, (false, Vec::new()), "by {}", port.name());
            }
            assert_eq!([false, true].map(|ipv6| appliance.delivered(ipv6).unwrap()), delivered);
        }
    }

    #[test]
    #[ignore = "needs namespaces and the programs: make test-kernel-processes-short"]
    fn a_daemon_that_dies_is_an_error_with_its_name_and_its_last_words() {
        for (control, name) in [(false, "rampart-dataplane ended: signal: 9"), (true, "rampartd ended: signal: 9")] {
            let mut system = Processes::new(None).unwrap();
            let alive = system.run(&accept_everything()).unwrap();
            assert_eq!(alive.steps[0].len(), 1);
            system.af_packet.as_ref().unwrap().crash(control);
            let error = format!("{:?}", system.run(&accept_everything()).unwrap_err());
            assert!(error.contains(name) && error.contains("ready; every packet is dropped"), "{error}");
        }
    }

    #[test]
    #[ignore = "needs namespaces and the programs: make test-kernel-processes-short"]
    fn a_dataplane_that_dies_within_a_step_is_an_error_and_no_empty_answer() {
        let mut appliance = appliance(Wire::AfPacket);
        appliance.crash(false);
        let error = appliance.inject(Port::Eth0, &datagram()).unwrap_err();
        assert!(format!("{error:#}").contains("rampart-dataplane ended: signal: 9"), "{error:#}");
    }

    #[test]
    #[ignore = "needs namespaces and the programs: make test-kernel-processes-short"]
    fn connections_of_one_case_are_not_there_in_the_next() {
        let reply = Ip::udp(([10, 0, 1, 2], 53), ([10, 0, 0, 2], 1000), b"hello").frame(Port::Eth1);
        let rules = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i eth0 -j ACCEPT\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n";
        let case = |frames: &[(Port, Vec<u8>)]| Case {
            rules: rules.to_owned(),
            steps: frames.iter().map(|(port, frame)| Step::Packets(*port, vec![frame.clone()])).collect(),
            ..Case::default()
        };
        let mut system = Processes::new(None).unwrap();
        let both = system.run(&case(&[(Port::Eth0, datagram()[0].clone()), (Port::Eth1, reply.clone())])).unwrap();
        assert_eq!(both.steps.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(both.counters["filter FORWARD 2"], (1, 33));
        let alone = system.run(&case(&[(Port::Eth1, reply)])).unwrap();
        assert_eq!((alone.steps[0].len(), alone.counters["filter FORWARD 0"]), (0, (1, 33)));
    }

    #[test]
    #[ignore = "needs namespaces and the programs: make test-kernel-processes-short"]
    fn whom_one_case_told_of_a_better_way_the_next_one_tells_again() {
        let steps = vec![Step::Packets(Port::Eth0, vec![datagram_of_ipv6(Ipv4Addr::new(10, 0, 0, 6)); 7])];
        let case = Case { ipv6: true, steps, ..Case::default() };
        let mut kernel = crate::linux::Linux::new().unwrap();
        let mut system = Processes::new(None).unwrap();
        for _ in 0..2 {
            let ours = system.run(&case).unwrap();
            assert_eq!(ours.steps[0].len(), 7 + 6, "six redirects at once");
            assert_eq!(crate::compare::compare(&case, &kernel.run(&case).unwrap(), &ours), []);
        }
    }

    #[test]
    #[ignore = "needs namespaces and the programs: make test-kernel-processes-short"]
    fn rules_that_are_restored_as_they_are_begin_anew_as_in_the_kernel() {
        let mut kernel = crate::linux::Linux::new().unwrap();
        let mut system = Processes::new(None).unwrap();
        let every_second = "*filter\n-A FORWARD -m statistic --mode nth --every 2 --packet 0 -j DROP\nCOMMIT\n";
        let once = "*filter\n-A FORWARD -m limit --limit 1/day --limit-burst 1 -j ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n";
        for rules in [every_second, once] {
            let case = Case { rules: rules.to_owned(), ..accept_everything() };
            for round in 0..3 {
                let theirs = kernel.run(&case).unwrap();
                let ours = system.run(&case).unwrap();
                assert_eq!(crate::compare::compare(&case, &theirs, &ours), [], "round {round} of {rules}");
            }
        }
    }

    #[test]
    #[ignore = "needs namespaces and the programs: make test-kernel-processes-short"]
    fn what_a_step_sends_out_is_there_when_the_step_ends() {
        for wire in [Wire::AfPacket, Wire::NetTap] {
            let mut appliance = appliance(wire);
            let late = (0..STEPS).filter(|_| appliance.inject(Port::Eth0, &datagram()).unwrap().len() != 1).count();
            assert_eq!(late, 0, "of {STEPS} steps on {wire:?}");
        }
    }
}
