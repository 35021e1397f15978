//! Prometheus: what the dataplane counts, polled once a second and served over HTTP on the configured address.
//!
//! The dataplane's counts start at nothing when it restarts; Prometheus counters may not go back, so each series goes on from where it
//! was.
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metrics::{Label, counter, describe_counter, describe_gauge, gauge};
use proto::private::Role;
use proto::stats::Stats;

use crate::dataplane::Link;
use crate::state::State;

const INTERVAL: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(200);

/// Names every series.
pub(crate) fn describe() {
    describe_counter!("rampart_packets_total", "Frames by port, worker and direction (rx, tx), as workers count them");
    describe_counter!("rampart_bytes_total", "Bytes of frames by port, worker and direction (rx, tx), as workers count them");
    describe_counter!("rampart_port_packets_total", "Frames by port and direction, as the driver counts them");
    describe_counter!("rampart_port_bytes_total", "Bytes by port and direction, as the driver counts them");
    describe_counter!("rampart_port_errors_total", "Frames lost by port and kind (rx_missed, rx_errors, tx_errors, rx_no_buffer)");
    describe_counter!("rampart_drops_total", "Packets dropped, by the name of the reason");
    describe_counter!(
        "rampart_handoffs_total",
        "Packets that a worker handed to the worker of their flow, by the one that handed over"
    );
    describe_counter!("rampart_claims_total", "Translated tuples that a worker asked another to keep, by outcome (asked, refused)");
    describe_counter!("rampart_early_drops_total", "Connections ended before their time, because nf_conntrack_max was reached");
    describe_counter!(
        "rampart_retraced_total",
        "Packets of known connections that needed no look at the rules: one like them had met them"
    );
    describe_counter!("rampart_conntrack_total", "What connection tracking did, by worker and event, as conntrack -S names it");
    describe_counter!("rampart_log_lines_lost_total", "LOG lines that no room was left for");
    describe_gauge!("rampart_flows", "Tracked connections by protocol and state");
    describe_gauge!("rampart_flow_capacity", "Connections there is room for");
    describe_gauge!("rampart_program_generation", "Generation of the running program");
    describe_gauge!("rampart_dataplane_up", "1 while the dataplane is connected and runs the wanted rules");
    describe_gauge!("rampart_rules", "Wanted rules by family and table");
}

/// Polls until `stop`.
pub(crate) fn run(state: &Arc<State>, stop: &AtomicBool) {
    let mut series = Series::default();
    let mut flows = HashSet::new();
    let mut link: Option<Link> = None;
    while !stop.load(Ordering::Relaxed) {
        let status = state.status();
        gauge!("rampart_dataplane_up").set(if status.enforced { 1.0 } else { 0.0 });
        for table in &status.tables {
            gauge!("rampart_rules", "family" => table.family.clone(), "table" => table.name.clone()).set(table.rules as f64);
        }
        if link.is_none() && status.enforced {
            link = Link::connect(&state.config.dataplane_socket, Role::Observer).ok();
        }
        if let Some(connected) = &mut link {
            match connected.stats() {
                Ok(stats) => export(&stats, &mut series, &mut flows),
                Err(error) => {
                    tracing::debug!("statistics: {error}");
                    link = None;
                }
            }
        }
        for _ in 0..INTERVAL.div_duration_f32(LOOK) as u32 {
            if !stop.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK);
            }
        }
    }
}

/// Counters that never go back.
#[derive(Debug, Default)]
struct Series(HashMap<(&'static str, Vec<Label>), Progress>);

#[derive(Debug, Default)]
struct Progress {
    /// As last read.
    seen: u64,
    /// What earlier lives of the dataplane have counted.
    before: u64,
}

impl Progress {
    fn advance(&mut self, now: u64) -> u64 {
        if now < self.seen {
            self.before += self.seen;
        }
        self.seen = now;
        self.before + now
    }
}

impl Series {
    fn set(&mut self, name: &'static str, labels: &[(&'static str, &str)], value: u64) {
        let labels: Vec<Label> = labels.iter().map(|(key, value)| Label::new(*key, (*value).to_owned())).collect();
        let total = self.0.entry((name, labels.clone())).or_default().advance(value);
        counter!(name, labels).absolute(total);
    }
}

fn export(stats: &Stats, series: &mut Series, known_flows: &mut HashSet<(String, String)>) {
    for traffic in &stats.traffic {
        let worker = traffic.worker.to_string();
        let directions = [("rx", traffic.rx_packets, traffic.rx_bytes), ("tx", traffic.tx_packets, traffic.tx_bytes)];
        for (direction, packets, bytes) in directions {
            let labels = [("port", &*traffic.port), ("worker", &*worker), ("direction", direction)];
            series.set("rampart_packets_total", &labels, packets);
            series.set("rampart_bytes_total", &labels, bytes);
        }
    }
    for port in &stats.ports {
        for (direction, packets, bytes) in [("rx", port.rx_packets, port.rx_bytes), ("tx", port.tx_packets, port.tx_bytes)] {
            let labels = [("port", &*port.name), ("direction", direction)];
            series.set("rampart_port_packets_total", &labels, packets);
            series.set("rampart_port_bytes_total", &labels, bytes);
        }
        let errors = [
            ("rx_missed", port.rx_missed),
            ("rx_errors", port.rx_errors),
            ("tx_errors", port.tx_errors),
            ("rx_no_buffer", port.rx_no_buffer),
        ];
        for (kind, count) in errors {
            series.set("rampart_port_errors_total", &[("port", &*port.name), ("kind", kind)], count);
        }
    }
    for handoffs in &stats.handoffs {
        let worker = handoffs.worker.to_string();
        series.set("rampart_handoffs_total", &[("worker", &*worker)], handoffs.packets);
        series.set("rampart_claims_total", &[("worker", &*worker), ("outcome", "asked")], handoffs.claims);
        series.set("rampart_claims_total", &[("worker", &*worker), ("outcome", "refused")], handoffs.claims_refused);
    }
    for tracking in &stats.tracking {
        let worker = tracking.worker.to_string();
        for (event, count) in tracking.counts() {
            series.set("rampart_conntrack_total", &[("worker", &*worker), ("event", event)], count);
        }
    }
    for (reason, count) in &stats.drops {
        series.set("rampart_drops_total", &[("reason", reason)], *count);
    }
    series.set("rampart_early_drops_total", &[], stats.early_drops);
    series.set("rampart_retraced_total", &[], stats.retraced);
    series.set("rampart_log_lines_lost_total", &[], stats.logs_lost);
    let mut gone = std::mem::take(known_flows);
    for flows in &stats.flows {
        gauge!("rampart_flows", "protocol" => flows.protocol.clone(), "state" => flows.state.clone()).set(flows.count as f64);
        let key = (flows.protocol.clone(), flows.state.clone());
        gone.remove(&key);
        known_flows.insert(key);
    }
    for (protocol, state) in gone {
        gauge!("rampart_flows", "protocol" => protocol.clone(), "state" => state.clone()).set(0.0);
        known_flows.insert((protocol, state));
    }
    gauge!("rampart_flow_capacity").set(stats.flow_capacity as f64);
    gauge!("rampart_program_generation").set(stats.generation as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_goes_on_when_the_dataplane_starts_again() {
        let mut progress = Progress::default();
        assert_eq!([10, 15, 3, 4].map(|now| progress.advance(now)), [10, 15, 18, 19]);
    }
}
