//! What is wanted of a port, and what it gets: the offloads are chosen here, from the wish and from what the driver can do.
//!
//! # Soundness
//! The only unsafe call makes a structure of zeroes, which is DPDK's own default for it.

use std::mem;

use dpdk_sys as sys;

use super::Info;
use crate::error::Error;
use crate::mbuf::HEADROOM;
use crate::mempool::Mempool;

/// Ethernet header, two VLAN tags and the check sequence: what a frame has beyond the MTU.
const FRAME_OVERHEAD: usize = 14 + 2 * 4 + 4;

/// Drivers that make chains, or none, as they need, without naming the offload.
const CHAIN_WITHOUT_ASKING: [&str; 3] = ["net_pcap", "net_ring", "net_null"];

/// What is wanted of a port.
#[derive(Clone, Debug)]
pub struct PortConfig {
    /// Receive queues, one per worker.
    pub rx_queues: u16,
    /// Transmit queues, one per worker.
    pub tx_queues: u16,
    /// Wanted length of a receive queue; adjusted to what the driver allows.
    pub rx_descriptors: u16,
    /// Wanted length of a transmit queue; adjusted likewise.
    pub tx_descriptors: u16,
    /// Largest IP packet, in bytes.
    pub mtu: u16,
    /// Let the NIC verify checksums, where it can do all of IPv4, TCP and UDP.
    pub rx_checksum: bool,
    /// Let the NIC spread packets over the receive queues, where it can.
    pub rss: Option<Rss>,
}

/// How the NIC hashes: over addresses, and over ports where there are any.
#[derive(Clone, Debug, Default)]
pub struct Rss {
    /// The Toeplitz key; None is the driver's own.
    pub key: Option<Vec<u8>>,
}

/// What a port got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Receive queues.
    pub rx_queues: u16,
    /// Transmit queues.
    pub tx_queues: u16,
    /// Length of a receive queue.
    pub rx_descriptors: u16,
    /// Length of a transmit queue.
    pub tx_descriptors: u16,
    /// Largest IP packet, in bytes.
    pub mtu: u16,
    /// The NIC verifies checksums; else they are reported as unknown.
    pub rx_checksum: bool,
    /// A received packet may span several buffers.
    pub rx_chains: bool,
    /// A packet of several buffers can be sent; else it must be made contiguous before.
    pub tx_chains: bool,
    /// The NIC was programmed to spread packets as asked. If not, the queue of a packet says nothing about its flow.
    pub rss: bool,
}

/// Chooses the settings and writes them as DPDK wants them; only the address of the RSS key is left to the caller.
pub(super) fn choose(info: &Info, config: &PortConfig, pools: &[Mempool]) -> Result<(Settings, sys::rte_eth_conf), Error> {
    check_queues(info, config, pools)?;
    if !(info.min_mtu..=info.max_mtu).contains(&config.mtu) {
        return Err(info.unsupported(format!("an MTU of {} is not in {} to {}", config.mtu, info.min_mtu, info.max_mtu)));
    }
    // SAFETY: plain integers and pointers, for which zero means "default".
    let mut raw: sys::rte_eth_conf = unsafe { mem::zeroed() };
    // Zero is "the default": the interface's own MTU rules, and ethdev would refuse a larger one.
    raw.rxmode.mtu = if info.has_host_mtu() { 0 } else { u32::from(config.mtu) };

    let room = pools.iter().map(|pool| usize::from(pool.data_room().saturating_sub(HEADROOM))).min().unwrap_or(0);
    let fits = usize::from(config.mtu) + FRAME_OVERHEAD <= room;
    if !fits && info.rx_chains {
        raw.rxmode.offloads |= sys::SHIM_RX_OFFLOAD_SCATTER;
    } else if !fits && !CHAIN_WITHOUT_ASKING.contains(&info.driver.as_str()) {
        return Err(info.unsupported(format!(
            "it cannot receive into chains, so frames for an MTU of {} need buffers of {} bytes and these have {room}",
            config.mtu,
            usize::from(config.mtu) + FRAME_OVERHEAD,
        )));
    }
    if info.tx_chains {
        raw.txmode.offloads |= sys::SHIM_TX_OFFLOAD_MULTI_SEGS;
    }
    let rx_checksum = config.rx_checksum && info.rx_checksum;
    if rx_checksum {
        raw.rxmode.offloads |= sys::SHIM_RX_OFFLOAD_IPV4_CKSUM | sys::SHIM_RX_OFFLOAD_TCP_CKSUM | sys::SHIM_RX_OFFLOAD_UDP_CKSUM;
    }
    let mut rss = false;
    if let Some(wish) = config.rss.as_ref().filter(|_| info.rss) {
        set_rss(&mut raw, info, wish)?;
        rss = true;
    }
    let settings = Settings {
        rx_queues: config.rx_queues,
        tx_queues: config.tx_queues,
        rx_descriptors: config.rx_descriptors,
        tx_descriptors: config.tx_descriptors,
        mtu: config.mtu,
        rx_checksum,
        rx_chains: !fits,
        tx_chains: info.tx_chains || CHAIN_WITHOUT_ASKING.contains(&info.driver.as_str()),
        rss,
    };
    Ok((settings, raw))
}

fn check_queues(info: &Info, config: &PortConfig, pools: &[Mempool]) -> Result<(), Error> {
    for (what, wanted, most) in
        [("receive", config.rx_queues, info.max_rx_queues), ("transmit", config.tx_queues, info.max_tx_queues)]
    {
        if !(1..=most).contains(&wanted) {
            return Err(info.unsupported(format!("{wanted} {what} queues are not in 1 to {most}")));
        }
    }
    if pools.len() != 1 && pools.len() != usize::from(config.rx_queues) {
        return Err(info.unsupported(format!("{} pools cannot feed {} receive queues", pools.len(), config.rx_queues)));
    }
    Ok(())
}

fn set_rss(raw: &mut sys::rte_eth_conf, info: &Info, wish: &Rss) -> Result<(), Error> {
    let conf = &mut raw.rx_adv_conf.rss_conf;
    if let Some(key) = &wish.key {
        if info.rss_key_len != 0 && key.len() != usize::from(info.rss_key_len) {
            return Err(info.unsupported(format!("an RSS key of {} bytes was given, it takes {}", key.len(), info.rss_key_len)));
        }
        conf.rss_key_len = u8::try_from(key.len())
            .map_err(|_| info.unsupported(format!("an RSS key of {} bytes is longer than any NIC takes", key.len())))?;
    }
    conf.rss_hf = (sys::SHIM_RSS_IP | sys::SHIM_RSS_TCP | sys::SHIM_RSS_UDP) & info.rss_types;
    raw.rxmode.mq_mode = sys::rte_eth_rx_mq_mode::RTE_ETH_MQ_RX_RSS;
    raw.rxmode.offloads |= sys::SHIM_RX_OFFLOAD_RSS_HASH & info.rx_offloads;
    Ok(())
}
