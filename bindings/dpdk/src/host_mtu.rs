//! The MTU of a kernel interface that a software driver works on.
//!
//! DPDK 22.11 refuses any MTU above 1,500 for net_af_packet before the driver is asked, though the driver passes whatever fits its
//! frames. So the interface is asked directly, which is all that the driver itself would do.
//!
//! # Soundness
//! `ioctl` reads and writes one `ifreq`, which is zeroed and holds a name of at most its size.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Sets the MTU of the interface, if it is another one.
pub(crate) fn set(if_index: u32, mtu: u16) -> io::Result<()> {
    // SAFETY: creates a file descriptor, which is checked below.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: plain integers and bytes, for which zero is a value.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    // SAFETY: the field has IF_NAMESIZE bytes, as the call wants.
    if unsafe { libc::if_indextoname(if_index, request.ifr_name.as_mut_ptr()) }.is_null() {
        return Err(io::Error::last_os_error());
    }
    let present = mtu_call(&socket, libc::SIOCGIFMTU, &mut request)?;
    if *present != libc::c_int::from(mtu) {
        *present = libc::c_int::from(mtu);
        mtu_call(&socket, libc::SIOCSIFMTU, &mut request)?;
    }
    Ok(())
}

/// One of the two requests about the MTU; the interface's name is in `request`.
fn mtu_call<'a>(socket: &OwnedFd, name: libc::Ioctl, request: &'a mut libc::ifreq) -> io::Result<&'a mut libc::c_int> {
    // SAFETY: an open socket, and an ifreq with a NUL-terminated name.
    if unsafe { libc::ioctl(socket.as_raw_fd(), name, &mut *request) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: both requests are about the MTU, which is that member of the union.
    Ok(unsafe { &mut request.ifr_ifru.ifru_mtu })
}
