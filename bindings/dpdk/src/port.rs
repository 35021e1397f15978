//! A network port: found by name, configured, started; starting it yields its queues.
//!
//! Ports are probed when EAL starts (`-a <pci address>`, `--vdev=<driver><n>,...`), so their number and names are known before
//! the first one is opened. [`vdev`](crate::vdev) writes the arguments of the software drivers that need care.
//!
//! # Soundness
//! One [`Port`] value exists per port (the handle keeps the list), and it alone changes the device. Its queues share the device
//! through an `Arc`: configuring, starting and stopping need the only reference to it, so none of them can happen while a thread
//! may be polling. The device is stopped and closed when the port and all its queues are gone, whichever goes last. A `Port` is
//! not `Sync`: drivers promise nothing about two threads asking for statistics at once; asking while others poll is allowed.

mod device;
mod info;
mod settings;

use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::mem;
use std::ptr;
use std::sync::Arc;

use dpdk_sys as sys;

pub(crate) use device::Device;
pub use info::{Info, Link, Stats};
pub use settings::{PortConfig, Rss, Settings};

use crate::eal::Handle;
use crate::error::Error;
use crate::host_mtu;
use crate::mempool::Mempool;
use crate::queue::{RxQueue, TxQueue};

/// How DPDK says that a driver has no such call.
const NOT_SUPPORTED: i32 = -libc::ENOTSUP;

/// A port that this process drives.
#[derive(Debug)]
pub struct Port {
    device: Arc<Device>,
    /// What the last successful [`Port::configure`] set up.
    settings: Option<Settings>,
    not_sync: PhantomData<Cell<()>>,
}

impl Port {
    /// The names of all ports, in the order of their ids.
    pub fn names(_eal: &Handle) -> Vec<String> {
        let mut names = Vec::new();
        let mut id = 0;
        loop {
            // SAFETY: EAL runs (the handle). 0 is RTE_ETH_DEV_NO_OWNER.
            let found = unsafe { sys::rte_eth_find_next_owned_by(id, 0) };
            if found >= u64::from(sys::RTE_MAX_ETHPORTS) {
                return names;
            }
            let found = found as u16;
            let mut buffer = [0; sys::RTE_ETH_NAME_MAX_LEN as usize];
            // SAFETY: the buffer has the length that DPDK asks for.
            if unsafe { sys::rte_eth_dev_get_name_by_port(found, buffer.as_mut_ptr()) } != 0 {
                return names;
            }
            // SAFETY: DPDK wrote a NUL-terminated string.
            names.push(unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_string_lossy().into_owned());
            id = found + 1;
        }
    }

    /// Takes the port with this name: a PCI address (`0000:3b:00.0`) or the name given to `--vdev` (`net_tap0`).
    ///
    /// # Errors
    /// [`Error::NoSuchPort`], [`Error::PortTaken`].
    pub fn by_name(eal: &Handle, name: &str) -> Result<Self, Error> {
        let c_name = CString::new(name).map_err(|_| Error::Nul { what: "port name", text: name.into() })?;
        let mut id = 0;
        // SAFETY: EAL runs (the handle); a NUL-terminated name and a place for the id.
        if unsafe { sys::rte_eth_dev_get_port_by_name(c_name.as_ptr(), &mut id) } != 0 {
            return Err(Error::NoSuchPort { name: name.into(), present: Port::names(eal) });
        }
        if !eal.claim_port(id) {
            return Err(Error::PortTaken(name.into()));
        }
        Ok(Port { device: Arc::new(Device::new(eal.clone(), id, name.into())), settings: None, not_sync: PhantomData })
    }

    /// The number that DPDK gave to the port; received packets carry it.
    pub fn id(&self) -> u16 {
        self.device.id()
    }

    /// The name that it was found by.
    pub fn name(&self) -> &str {
        self.device.name()
    }

    /// The memory node that the port is attached to, to make its pools there; None if it does not matter.
    pub fn socket(&self) -> Option<i32> {
        // SAFETY: a valid port id.
        let socket = unsafe { sys::rte_eth_dev_socket_id(self.id()) };
        (socket >= 0).then_some(socket)
    }

    /// What the port is and can do.
    ///
    /// # Errors
    /// [`Error::Port`] if the driver does not answer.
    pub fn info(&self) -> Result<Info, Error> {
        info::read(&self.device)
    }

    /// Sets the port up: queues, MTU, offloads. `pools` feed the receive queues: one for all, or one for each.
    ///
    /// What a driver lacks is either refused or shows in the returned [`Settings`]; nothing is silently different.
    ///
    /// # Errors
    /// [`Error::QueuesInUse`] while a worker holds a queue; [`Error::Unsupported`] for what the driver cannot do, in words;
    /// [`Error::Port`] for what it refuses.
    pub fn configure(&mut self, config: &PortConfig, pools: &[Mempool]) -> Result<&Settings, Error> {
        self.stop()?;
        self.settings = None;
        let info = self.info()?;
        let (settings, mut raw) = settings::choose(&info, config, pools)?;
        let device = Arc::get_mut(&mut self.device).ok_or_else(|| Error::QueuesInUse(info.name.clone()))?;
        raw.rx_adv_conf.rss_conf.rss_key = device.keep_rss_key(config.rss.as_ref().and_then(|rss| rss.key.as_deref()));

        if info.has_host_mtu() {
            host_mtu::set(info.if_index, settings.mtu).map_err(|error| device.failed("setting the interface's MTU", &error))?;
        }
        let id = device.id();
        // SAFETY: the port is stopped and nobody else uses it; DPDK copies the structure, and the key that it points to is kept by
        // the device.
        device.check("rte_eth_dev_configure", unsafe {
            sys::rte_eth_dev_configure(id, settings.rx_queues, settings.tx_queues, &raw)
        })?;
        let (mut rx_descriptors, mut tx_descriptors) = (config.rx_descriptors, config.tx_descriptors);
        // SAFETY: a configured port, two numbers to adjust.
        device.check("rte_eth_dev_adjust_nb_rx_tx_desc", unsafe {
            sys::rte_eth_dev_adjust_nb_rx_tx_desc(id, &mut rx_descriptors, &mut tx_descriptors)
        })?;
        // SAFETY: a valid port id.
        let socket = unsafe { sys::rte_eth_dev_socket_id(id) } as u32;
        for queue in 0..settings.rx_queues {
            let pool = &pools[usize::from(queue) % pools.len()];
            // SAFETY: a configured and stopped port, a pool that lives as long as EAL; no configuration means the driver's defaults
            // plus the offloads of the port.
            device.check("rte_eth_rx_queue_setup", unsafe {
                sys::rte_eth_rx_queue_setup(id, queue, rx_descriptors, socket, ptr::null(), pool.as_ptr())
            })?;
        }
        for queue in 0..settings.tx_queues {
            // SAFETY: as above.
            device.check("rte_eth_tx_queue_setup", unsafe {
                sys::rte_eth_tx_queue_setup(id, queue, tx_descriptors, socket, ptr::null())
            })?;
        }
        Ok(self.settings.insert(Settings { rx_descriptors, tx_descriptors, ..settings }))
    }

    /// Starts the port, in promiscuous mode (a router's ports are told apart by the walk, not by the NIC), and hands out its queues.
    ///
    /// # Errors
    /// [`Error::NotConfigured`], [`Error::QueuesInUse`], [`Error::Port`].
    pub fn start(&mut self) -> Result<(Vec<RxQueue>, Vec<TxQueue>), Error> {
        self.stop()?;
        let settings = self.settings.as_ref().ok_or_else(|| Error::NotConfigured(self.device.name().into()))?;
        let Some(device) = Arc::get_mut(&mut self.device) else {
            return Err(Error::QueuesInUse(self.device.name().into()));
        };
        device.start()?;
        // SAFETY: a started port.
        match unsafe { sys::rte_eth_promiscuous_enable(device.id()) } {
            // A driver without the call has no address filter that would have to be opened.
            NOT_SUPPORTED => {}
            code => device.check("rte_eth_promiscuous_enable", code)?,
        }
        let rx = (0..settings.rx_queues).map(|queue| RxQueue::new(self.device.clone(), queue)).collect();
        let tx = (0..settings.tx_queues).map(|queue| TxQueue::new(self.device.clone(), queue, settings.tx_chains)).collect();
        Ok((rx, tx))
    }

    /// Stops the port; it can be started or configured again. Does nothing if it does not run.
    ///
    /// # Errors
    /// [`Error::QueuesInUse`] until every queue was dropped.
    pub fn stop(&mut self) -> Result<(), Error> {
        match Arc::get_mut(&mut self.device) {
            Some(device) => device.stop(),
            None => Err(Error::QueuesInUse(self.device.name().into())),
        }
    }

    /// Tells the NIC which queue gets the packets of each slot of its redirection table (slot = hash modulo the table's size). The
    /// port must run.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the table does not have this size; [`Error::Port`] if the driver has no such call.
    pub fn set_redirection(&mut self, queues: &[u16]) -> Result<(), Error> {
        const GROUP: usize = 64;
        let info = self.info()?;
        if queues.len() != usize::from(info.redirection_slots) {
            return Err(info.unsupported(format!(
                "a redirection table of {} slots was given, the NIC's has {}",
                queues.len(),
                info.redirection_slots
            )));
        }
        let mut groups: Vec<sys::rte_eth_rss_reta_entry64> = queues
            .chunks(GROUP)
            .map(|chunk| {
                // SAFETY: plain integers, for which zero is a value.
                let mut group: sys::rte_eth_rss_reta_entry64 = unsafe { mem::zeroed() };
                group.mask = if chunk.len() == GROUP { u64::MAX } else { (1 << chunk.len()) - 1 };
                group.reta[..chunk.len()].copy_from_slice(chunk);
                group
            })
            .collect();
        // SAFETY: a valid port id, and as many groups as the table has slots / 64, rounded up.
        let code = unsafe { sys::rte_eth_dev_rss_reta_update(self.id(), groups.as_mut_ptr(), info.redirection_slots) };
        self.device.check("rte_eth_dev_rss_reta_update", code)
    }

    /// The state of the link, without waiting for it.
    ///
    /// # Errors
    /// [`Error::Port`] if the driver does not answer.
    pub fn link(&self) -> Result<Link, Error> {
        info::link(&self.device)
    }

    /// The port's counters since it was probed. May be read while workers poll the queues.
    ///
    /// # Errors
    /// [`Error::Port`] if the driver does not answer.
    pub fn stats(&self) -> Result<Stats, Error> {
        info::stats(&self.device)
    }
}
