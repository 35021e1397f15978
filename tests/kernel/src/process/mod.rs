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
use crate::observed::Observed;
use appliance::{Appliance, Loaded};

/// Kinds of difference that the daemons cannot show, and why.
pub const NOT_COMPARED: &[(&str, &str)] = &[("connections", "Rampart has no command yet that lists them")];

/// What else only this lane leaves out, and why.
pub const ALSO_NOT_COMPARED: &[(&str, &str)] = &[
    ("bursts", "the driver may cut a burst in two; bursts are compared in process"),
    ("fragments on net_af_packet", "the host puts datagrams together before DPDK sees them; they are compared on net_tap"),
];

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

    /// How often the dataplanes were started anew, because connections of an earlier case were left.
    pub fn restarts(&self) -> usize {
        [&self.af_packet, &self.net_tap].into_iter().flatten().map(Appliance::restarts).sum()
    }
}

impl System for Processes {
    fn run(&mut self, case: &Case) -> Result<Observed> {
        let fragments = has_fragments(case);
        let appliance = self.appliance(if fragments { Wire::NetTap } else { Wire::AfPacket })?;
        let observed = walk(appliance, case, fragments);
        observed.with_context(|| appliance.last_words())
    }

    fn cannot_show(&self) -> &'static [(&'static str, &'static str)] {
        NOT_COMPARED
    }
}

fn walk(appliance: &mut Appliance, case: &Case, fragments: bool) -> Result<Observed> {
    appliance.clean()?;
    if let Loaded::Refused(reason) = appliance.load(&case.all_tables())? {
        return Ok(Observed { refused: Some(reason), ..Observed::default() });
    }
    if fragments {
        // Pieces of which others are missing would meet those of the next case.
        appliance.taint();
    }
    let before = appliance.delivered()?;
    let mut observed = Observed::default();
    for step in &case.steps {
        let frames = match step {
            Step::Packets(port, frames) => appliance.inject(*port, frames)?,
            Step::Answer { to, with } => {
                let sent = observed.steps[*to].first();
                match sent.and_then(|(port, frame)| Some((*port, with.to(*port, frame)?))) {
                    Some((port, frame)) => appliance.inject(port, &[frame])?,
                    None => Vec::new(),
                }
            }
            Step::Advance(millis) => {
                thread::sleep(Duration::from_millis(*millis));
                appliance.inject(crate::world::Port::Eth0, &[])?
            }
        };
        observed.steps.push(frames);
    }
    observed.counters = appliance.counters()?;
    observed.delivered = appliance.delivered()? - before;
    Ok(observed)
}

fn has_fragments(case: &Case) -> bool {
    case.steps.iter().any(|step| match step {
        Step::Packets(_, frames) => frames.iter().filter_map(|frame| View::of_frame(frame)).any(|view| view.is_fragment()),
        Step::Answer { .. } | Step::Advance(_) => false,
    })
}
