//! DPDK's environment abstraction layer: started once, cleaned up when nothing uses it any more.
//!
//! # Soundness
//! DPDK memory is only valid between `rte_eal_init` and `rte_eal_cleanup`. Every value that refers to it holds a [`Handle`], except
//! [`Mbuf`](crate::mbuf::Mbuf)s, for which the pools are asked. Clean-up runs only when the last handle is the [`Eal`]'s own and
//! every pool has all its buffers back; otherwise the memory stays mapped until the process ends, which is always safe. The count
//! of a pool cannot be wrong at that point: only threads with an lcore id have a cache in a pool, a registered thread holds a
//! handle, and [`Eal`] cannot leave the thread that started EAL, which is the only other one with an lcore id.

use std::ffi::{CStr, CString, c_char, c_int};
use std::marker::PhantomData;
use std::mem;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dpdk_sys as sys;

use crate::error::{Error, errno, strerror};

/// Set by the first [`Eal::init`], never cleared: DPDK does not support a second start, not even after a failed one.
static STARTED: AtomicBool = AtomicBool::new(false);

/// The running EAL. Dropping it cleans up if nothing is in use, see [`Eal::shutdown`].
#[derive(Debug)]
pub struct Eal {
    handle: Handle,
    /// Stays on the thread that started EAL (see the module's head).
    not_send: PhantomData<*const ()>,
}

/// A share in the running EAL: what pools, ports, queues and registrations hold, and what other threads are given to make them.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Every pool ever made; written by [`Handle::adopt`], read at clean-up.
    pools: Mutex<Vec<Pool>>,
    /// Ports that a [`Port`](crate::port::Port) owns; written by those.
    ports: Mutex<Vec<u16>>,
}

#[derive(Debug)]
struct Pool(NonNull<sys::rte_mempool>);

// SAFETY: a mempool may be used from any thread; the pointer stays valid until clean-up.
unsafe impl Send for Pool {}

impl Eal {
    /// Starts EAL with these arguments (without a program name), for example `["--no-pci", "--vdev=net_null0"]`.
    ///
    /// EAL pins the calling thread to its main core, and threads that are started later inherit that until they choose their own.
    /// Devices are probed here, so `-a` and `--vdev` belong into the arguments. `--no-huge` and `--in-memory` exclude each other;
    /// `--help` ends the process.
    ///
    /// # Errors
    /// [`Error::EalStartedTwice`] from the second call on, even if the first one failed; [`Error::EalInit`] with DPDK's reason.
    pub fn init(args: &[String]) -> Result<Self, Error> {
        let mut argv = Vec::with_capacity(args.len() + 2);
        argv.push(c"rampart".to_owned());
        for arg in args {
            argv.push(CString::new(arg.as_str()).map_err(|_| Error::Nul { what: "EAL argument", text: arg.clone() })?);
        }
        if STARTED.swap(true, Ordering::SeqCst) {
            return Err(Error::EalStartedTwice);
        }
        let count = argv.len() as c_int;
        // EAL permutes the list and keeps pointers into the strings, so both live for ever.
        let mut list: Vec<*mut c_char> = argv.into_iter().map(CString::into_raw).collect();
        list.push(std::ptr::null_mut());
        let list = Vec::leak(list);
        // SAFETY: a NULL-terminated list of NUL-terminated strings that are never freed; the guard above makes this the first call.
        if unsafe { sys::rte_eal_init(count, list.as_mut_ptr()) } < 0 {
            let code = errno();
            return Err(Error::EalInit { reason: strerror(code), remedy: remedy(code) });
        }
        let shared = Shared { pools: Mutex::default(), ports: Mutex::default() };
        Ok(Eal { handle: Handle(Arc::new(shared)), not_send: PhantomData })
    }

    /// A share in this EAL, to make pools, ports and registrations with.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Whether EAL runs on huge pages (false with `--no-huge`).
    pub fn has_hugepages(&self) -> bool {
        // SAFETY: EAL runs as long as `self` does.
        unsafe { sys::rte_eal_has_hugepages() != 0 }
    }

    /// Gives everything back to the system: devices, huge pages, runtime files.
    ///
    /// # Errors
    /// [`Error::StillInUse`] if a handle or a packet buffer is left; nothing is cleaned up then, and the operating system takes
    /// it all back when the process ends.
    pub fn shutdown(self) -> Result<(), Error> {
        let result = self.clean_up();
        // Clean-up was tried and must not be tried again; the handle's memory is not needed any more, EAL's state is static.
        mem::forget(self);
        result
    }

    fn clean_up(&self) -> Result<(), Error> {
        let handles = Arc::strong_count(&self.handle.0) - 1;
        let pools = self.handle.0.pools.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: pools are freed by rte_eal_cleanup only.
        let mbufs = pools.iter().map(|pool| u64::from(unsafe { sys::rte_mempool_in_use_count(pool.0.as_ptr()) })).sum();
        if handles > 0 || mbufs > 0 {
            return Err(Error::StillInUse { handles, mbufs });
        }
        // SAFETY: no handle and no mbuf exists, and none can be made without a handle (see the module's head).
        match unsafe { sys::rte_eal_cleanup() } {
            0 => Ok(()),
            code => Err(Error::EalInit { reason: strerror(code), remedy: "rte_eal_cleanup was refused; end the process" }),
        }
    }
}

impl Drop for Eal {
    fn drop(&mut self) {
        // Still in use means: stay mapped until the process ends. Who wants to know calls `shutdown`.
        let _ = self.clean_up();
    }
}

impl Handle {
    /// Remembers a pool for the check before clean-up.
    pub(crate) fn adopt(&self, pool: NonNull<sys::rte_mempool>) {
        self.0.pools.lock().unwrap_or_else(PoisonError::into_inner).push(Pool(pool));
    }

    /// Makes the caller the only owner of the port; false if it has one already.
    pub(crate) fn claim_port(&self, id: u16) -> bool {
        let mut ports = self.0.ports.lock().unwrap_or_else(PoisonError::into_inner);
        let free = !ports.contains(&id);
        if free {
            ports.push(id);
        }
        free
    }
}

/// The version of the DPDK library that is loaded, for example `DPDK 22.11.11`.
pub fn version() -> String {
    // SAFETY: returns a static string; needs no EAL.
    unsafe { CStr::from_ptr(sys::rte_version()) }.to_string_lossy().into_owned()
}

/// What usually mends a refused start, by the errno values that `rte_eal_init` documents.
fn remedy(code: i32) -> &'static str {
    match code {
        libc::EPERM | libc::EACCES => {
            "run it as root, or give the user the huge pages, the device files and CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK"
        }
        libc::EAGAIN => "is another process running with the same --file-prefix?",
        libc::ENOMEM => "reserve huge pages (sysctl vm.nr_hugepages) and mount a hugetlbfs, or pass --no-huge with -m <megabytes>",
        libc::ENODEV => {
            "no such device: check the -a and --vdev arguments, and that the device is bound to a driver that DPDK can use"
        }
        libc::EINVAL => {
            "check the EAL arguments (--no-huge and --in-memory exclude each other); EAL has printed which one it refused above"
        }
        _ => "EAL has printed the details above; missing huge pages are the usual cause (reserve them, or pass --no-huge)",
    }
}
