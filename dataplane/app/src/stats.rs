//! What is counted, and the answer to "Stats".

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::conntrack::FlowKind;
use engine::drop::DropCounters;
use engine::handoff::HandoffCounters;
use engine::inbox::Gauges;
use proto::stats;

/// What one worker moved through one port. Written by that worker alone (relaxed load and store), read by the control thread.
#[derive(Debug, Default)]
pub struct Traffic {
    rx_packets: AtomicU64,
    rx_bytes: AtomicU64,
    tx_packets: AtomicU64,
    tx_bytes: AtomicU64,
}

impl Traffic {
    /// Packets came in. Only the worker calls this.
    #[inline]
    pub fn received(&self, packets: u64, bytes: u64) {
        add(&self.rx_packets, packets);
        add(&self.rx_bytes, bytes);
    }

    /// Packets went out. Only the worker calls this.
    #[inline]
    pub fn sent(&self, packets: u64, bytes: u64) {
        add(&self.tx_packets, packets);
        add(&self.tx_bytes, bytes);
    }

    /// As the answer has it.
    pub fn report(&self, port: &str, worker: u32) -> stats::Traffic {
        stats::Traffic {
            port: port.to_owned(),
            worker,
            rx_packets: self.rx_packets.load(Ordering::Relaxed),
            rx_bytes: self.rx_bytes.load(Ordering::Relaxed),
            tx_packets: self.tx_packets.load(Ordering::Relaxed),
            tx_bytes: self.tx_bytes.load(Ordering::Relaxed),
        }
    }
}

fn add(cell: &AtomicU64, n: u64) {
    cell.store(cell.load(Ordering::Relaxed) + n, Ordering::Relaxed);
}

/// A driver's counts as the answer has them. A driver that gives none is reported with zeroes.
pub fn port(name: &str, counts: &dpdk::port::Stats) -> stats::Port {
    stats::Port {
        name: name.to_owned(),
        rx_packets: counts.ipackets,
        rx_bytes: counts.ibytes,
        tx_packets: counts.opackets,
        tx_bytes: counts.obytes,
        rx_missed: counts.imissed,
        rx_errors: counts.ierrors,
        tx_errors: counts.oerrors,
        rx_no_buffer: counts.rx_nombuf,
    }
}

/// Connections by protocol and state, summed over the workers; kinds of which there are none included.
pub fn flows(workers: &[Arc<Gauges>]) -> Vec<stats::Flows> {
    let kinds = FlowKind::ALL.into_iter().map(|kind| (kind.names(), workers.iter().map(|gauges| gauges.flows(kind)).sum()));
    kinds.map(|((protocol, state), count)| stats::Flows { protocol: protocol.into(), state: state.into(), count }).collect()
}

/// What tracking did at each worker.
pub fn tracking(workers: &[Arc<Gauges>]) -> Vec<stats::Tracking> {
    let counts = (0..).zip(workers.iter().map(|gauges| gauges.tally()));
    counts
        .map(|(worker, tally)| stats::Tracking {
            worker,
            found: tally.found,
            invalid: tally.invalid,
            insert_failed: tally.insert_failed,
            drop: tally.drop,
            early_drop: tally.early_drop,
            error: tally.error,
            expect_new: tally.expect_new,
            expect_create: tally.expect_create,
            expect_delete: tally.expect_delete,
        })
        .collect()
}

/// What each worker handed over.
pub fn handoffs(workers: &[Arc<HandoffCounters>]) -> Vec<stats::Handoffs> {
    let counts = workers.iter().map(|counters| counters.get());
    counts
        .enumerate()
        .map(|(worker, count)| stats::Handoffs {
            worker: worker as u32,
            packets: count.sent,
            claims: count.claims,
            claims_refused: count.refused,
        })
        .collect()
}

/// Drops by name, summed over all threads that drop.
pub fn drops<'a>(threads: impl Iterator<Item = &'a DropCounters>) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (reason, count) in threads.flat_map(DropCounters::occurred) {
        *sum.entry(reason.name().to_owned()).or_default() += count;
    }
    sum
}

#[cfg(test)]
mod tests {
    use engine::drop::DropReason;

    use super::*;

    #[test]
    fn drops_of_all_threads_add_up_by_name() {
        let (worker, taps) = (DropCounters::default(), DropCounters::default());
        worker.add(DropReason::NoBuffer, 2);
        taps.add(DropReason::NoBuffer, 3);
        taps.count(DropReason::HostQueueFull);
        let sum = drops([&worker, &taps].into_iter());
        assert_eq!(sum, BTreeMap::from([("NoBuffer".to_owned(), 5), ("HostQueueFull".to_owned(), 1)]));
    }

    #[test]
    fn traffic_grows_by_what_moved() {
        let traffic = Traffic::default();
        traffic.received(2, 120);
        traffic.sent(1, 60);
        traffic.received(1, 40);
        let report = traffic.report("eth0", 3);
        assert_eq!((report.rx_packets, report.rx_bytes, report.tx_packets, report.tx_bytes), (3, 160, 1, 60));
    }
}
