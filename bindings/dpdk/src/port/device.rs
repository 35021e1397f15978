//! The device behind a port: what the port and its queues share, and what stops and closes it in the end.
//!
//! # Soundness
//! See [`port`](super): everything that changes the device takes `&mut self`, which nobody has while a queue exists.

use std::fmt::Display;
use std::ptr;

use dpdk_sys as sys;

use crate::eal::Handle;
use crate::error::{Error, strerror};

/// An opened ethdev.
#[derive(Debug)]
pub(crate) struct Device {
    id: u16,
    name: String,
    started: bool,
    /// The driver keeps a pointer to the key that it was configured with.
    rss_key: Box<[u8]>,
    /// Keeps EAL from being cleaned up under the device.
    _eal: Handle,
}

impl Device {
    pub(super) fn new(eal: Handle, id: u16, name: String) -> Self {
        Device { id, name, started: false, rss_key: Box::default(), _eal: eal }
    }

    #[inline(always)]
    pub(crate) fn id(&self) -> u16 {
        self.id
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Stores the key for as long as the device is open, or until the next call; returns where it is, or null for none.
    pub(super) fn keep_rss_key(&mut self, key: Option<&[u8]>) -> *mut u8 {
        self.rss_key = key.unwrap_or_default().into();
        if self.rss_key.is_empty() { ptr::null_mut() } else { self.rss_key.as_mut_ptr() }
    }

    pub(super) fn start(&mut self) -> Result<(), Error> {
        // SAFETY: a configured and stopped port (the caller checked), which nobody else uses.
        self.check("rte_eth_dev_start", unsafe { sys::rte_eth_dev_start(self.id) })?;
        self.started = true;
        Ok(())
    }

    pub(super) fn stop(&mut self) -> Result<(), Error> {
        if !self.started {
            return Ok(());
        }
        // SAFETY: a started port; `&mut self` means that no queue is left that could be polled.
        self.check("rte_eth_dev_stop", unsafe { sys::rte_eth_dev_stop(self.id) })?;
        self.started = false;
        Ok(())
    }

    /// Turns a return code of DPDK into a result.
    pub(super) fn check(&self, call: &'static str, code: i32) -> Result<(), Error> {
        if code < 0 { Err(self.failed(call, &strerror(code))) } else { Ok(()) }
    }

    pub(super) fn failed(&self, call: &'static str, reason: &dyn Display) -> Error {
        Error::Port { port: self.name.clone(), call, reason: reason.to_string() }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // A device that cannot be stopped or closed is left to the end of the process; there is nobody to tell.
        if self.stop().is_ok() {
            // SAFETY: a stopped port; the last reference to it is going.
            let _ = unsafe { sys::rte_eth_dev_close(self.id) };
        }
    }
}
