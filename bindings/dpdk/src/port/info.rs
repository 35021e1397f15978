//! What a port is, what it can do, and what it counted.
//!
//! # Soundness
//! The calls fill structures of plain integers and of pointers to static strings, for which zero is a valid start.

use std::ffi::CStr;
use std::mem;

use dpdk_sys as sys;

use super::Device;
use crate::error::Error;

/// Ethernet header and check sequence.
const ETHERNET_OVERHEAD: u32 = 14 + 4;

/// What a port is and can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The name of the port.
    pub name: String,
    /// The name of its driver, for example `net_ixgbe`.
    pub driver: String,
    /// Its MAC address.
    pub mac: [u8; 6],
    /// The kernel's interface that the driver works on (`net_af_packet`, `net_tap`); 0 if there is none.
    pub if_index: u32,
    /// Most receive queues.
    pub max_rx_queues: u16,
    /// Most transmit queues.
    pub max_tx_queues: u16,
    /// Smallest MTU.
    pub min_mtu: u16,
    /// Largest MTU that [`Port::configure`](super::Port::configure) can set.
    pub max_mtu: u16,
    /// The NIC verifies checksums of IPv4, TCP and UDP.
    pub rx_checksum: bool,
    /// A received packet may span several buffers.
    pub rx_chains: bool,
    /// A packet of several buffers can be sent.
    pub tx_chains: bool,
    /// The NIC spreads TCP and UDP over its queues by a hash.
    pub rss: bool,
    /// Bytes of the hash's key; 0 if the driver does not say.
    pub rss_key_len: u8,
    /// Slots of the table from hash to queue; 0 if there is none.
    pub redirection_slots: u16,
    pub(super) rx_offloads: u64,
    pub(super) rss_types: u64,
}

/// The state of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Packets can pass.
    pub up: bool,
    /// In Mbit/s, if the driver knows it.
    pub speed_mbps: Option<u32>,
    /// Not half duplex.
    pub full_duplex: bool,
}

/// A port's counters, in packets or bytes. Only ever growing while the port is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Packets received.
    pub ipackets: u64,
    /// Packets sent.
    pub opackets: u64,
    /// Bytes received.
    pub ibytes: u64,
    /// Bytes sent.
    pub obytes: u64,
    /// Packets that the NIC dropped because the receive queue was full.
    pub imissed: u64,
    /// Packets received with an error.
    pub ierrors: u64,
    /// Packets that could not be sent.
    pub oerrors: u64,
    /// Receptions that found the pool empty.
    pub rx_nombuf: u64,
}

impl Info {
    /// Whether the MTU is the kernel interface's and is set there: the calls of net_af_packet stop at 1,500 in DPDK 22.11, though
    /// the driver passes what its frames hold.
    pub(super) fn has_host_mtu(&self) -> bool {
        self.driver == "net_af_packet" && self.if_index != 0
    }

    pub(super) fn unsupported(&self, what: String) -> Error {
        Error::Unsupported { port: self.name.clone(), driver: self.driver.clone(), what }
    }
}

pub(super) fn read(device: &Device) -> Result<Info, Error> {
    // SAFETY: see the module's head.
    let mut raw: sys::rte_eth_dev_info = unsafe { mem::zeroed() };
    // SAFETY: a valid port id and a structure to fill.
    device.check("rte_eth_dev_info_get", unsafe { sys::rte_eth_dev_info_get(device.id(), &mut raw) })?;
    let mut mac = sys::rte_ether_addr { addr_bytes: [0; 6] };
    // SAFETY: as above.
    device.check("rte_eth_macaddr_get", unsafe { sys::rte_eth_macaddr_get(device.id(), &mut mac) })?;
    let driver = if raw.driver_name.is_null() {
        String::new()
    } else {
        // SAFETY: the driver's name is a static string.
        unsafe { CStr::from_ptr(raw.driver_name) }.to_string_lossy().into_owned()
    };
    let checksum = sys::SHIM_RX_OFFLOAD_IPV4_CKSUM | sys::SHIM_RX_OFFLOAD_TCP_CKSUM | sys::SHIM_RX_OFFLOAD_UDP_CKSUM;
    let spread = sys::SHIM_RSS_TCP | sys::SHIM_RSS_UDP;
    let mut info = Info {
        name: device.name().into(),
        driver,
        mac: mac.addr_bytes,
        if_index: raw.if_index,
        max_rx_queues: raw.max_rx_queues,
        max_tx_queues: raw.max_tx_queues,
        min_mtu: raw.min_mtu,
        max_mtu: raw.max_mtu,
        rx_checksum: raw.rx_offload_capa & checksum == checksum,
        rx_chains: raw.rx_offload_capa & sys::SHIM_RX_OFFLOAD_SCATTER != 0,
        tx_chains: raw.tx_offload_capa & sys::SHIM_TX_OFFLOAD_MULTI_SEGS != 0,
        rss: raw.flow_type_rss_offloads & spread != 0,
        rss_key_len: raw.hash_key_size,
        redirection_slots: raw.reta_size,
        rx_offloads: raw.rx_offload_capa,
        rss_types: raw.flow_type_rss_offloads,
    };
    if !info.has_host_mtu() {
        info.max_mtu = mtu_limit(raw.max_mtu, raw.max_rx_pktlen);
    }
    Ok(info)
}

/// The largest MTU that ethdev lets pass: the driver's own limit, or what its longest frame leaves (the same sum as ethdev's).
fn mtu_limit(max_mtu: u16, max_rx_pktlen: u32) -> u16 {
    let overhead = match max_rx_pktlen.checked_sub(u32::from(max_mtu)) {
        Some(overhead) if overhead > 0 && max_mtu != u16::MAX => overhead,
        _ => ETHERNET_OVERHEAD,
    };
    max_mtu.min(u16::try_from(max_rx_pktlen.saturating_sub(overhead)).unwrap_or(u16::MAX))
}

pub(super) fn link(device: &Device) -> Result<Link, Error> {
    let mut raw = sys::shim_link { speed_mbps: 0, up: 0, full_duplex: 0 };
    // SAFETY: a valid port id and a structure to fill.
    device.check("rte_eth_link_get_nowait", unsafe { sys::shim_eth_link_get_nowait(device.id(), &mut raw) })?;
    let known = raw.speed_mbps != 0 && raw.speed_mbps != u32::MAX;
    Ok(Link { up: raw.up != 0, speed_mbps: known.then_some(raw.speed_mbps), full_duplex: raw.full_duplex != 0 })
}

pub(super) fn stats(device: &Device) -> Result<Stats, Error> {
    // SAFETY: see the module's head.
    let mut raw: sys::rte_eth_stats = unsafe { mem::zeroed() };
    // SAFETY: a valid port id and a structure to fill.
    device.check("rte_eth_stats_get", unsafe { sys::rte_eth_stats_get(device.id(), &mut raw) })?;
    Ok(Stats {
        ipackets: raw.ipackets,
        opackets: raw.opackets,
        ibytes: raw.ibytes,
        obytes: raw.obytes,
        imissed: raw.imissed,
        ierrors: raw.ierrors,
        oerrors: raw.oerrors,
        rx_nombuf: raw.rx_nombuf,
    })
}

#[cfg(test)]
mod tests {
    use super::mtu_limit;

    #[test]
    fn the_longest_frame_limits_the_mtu_where_the_driver_names_no_mtu() {
        assert_eq!(mtu_limit(u16::MAX, 1518), 1500);
        assert_eq!(mtu_limit(u16::MAX, u32::MAX), u16::MAX);
        assert_eq!(mtu_limit(9710, 9728), 9710);
        assert_eq!(mtu_limit(1500, 1000), 982);
    }
}
