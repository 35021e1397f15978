//! The TAP interface that stands for a port in the kernel: what `ip`, tcpdump and the box's own programs see of it.
//!
//! A TAP lives as long as this process; it is owned by the exception thread ([`crate::exception`]), which alone reads and writes it.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};

use arrayvec::ArrayVec;
use dpdk::mbuf::Mbuf;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

/// Pieces of one packet that are handed to the kernel without copying them together; mbuf chains of 9,000-byte packets have five.
const MAX_PIECES: usize = 64;

/// A TAP.
pub struct Tap {
    name: String,
    device: SyncDevice,
}

/// Whether the kernel still has the TAP under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TapState {
    /// All is well.
    Present,
    /// Somebody renamed it: rules, routes and addresses of the name mean something else now.
    Renamed(String),
    /// Somebody deleted it.
    Gone,
}

/// A TAP could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the TAP {name:?}: {reason}: {remedy}")]
pub struct TapError {
    name: String,
    reason: io::Error,
    remedy: &'static str,
}

impl Tap {
    /// Makes the TAP with the port's Ethernet address and MTU, and sets it up. A persistent TAP of that name is taken over.
    ///
    /// # Errors
    /// What the kernel refuses, and what mends it.
    pub fn open(name: &str, mac: [u8; 6], mtu: u16) -> Result<Self, TapError> {
        let refused = |reason: io::Error| TapError { name: name.to_owned(), remedy: remedy(&reason), reason };
        let device = DeviceBuilder::new()
            .name(name)
            .layer(Layer::L2)
            .packet_information(false)
            .mtu(mtu)
            .mac_addr(mac)
            .enable(true)
            .build_sync()
            .map_err(refused)?;
        device.set_nonblocking(true).map_err(refused)?;
        Ok(Self { name: name.to_owned(), device })
    }

    /// The name that it was made with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One frame that the kernel sends, or `None` when there is none now. `room` must hold the longest frame.
    ///
    /// # Errors
    /// The kernel's; the TAP may be gone, see [`Tap::state`].
    pub fn read<'a>(&self, room: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
        match self.device.recv(room) {
            Ok(0) => Ok(None),
            Ok(len) => Ok(Some(&room[..len])),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Hands the kernel one frame. It may be longer than the MTU: datagrams are put together before they are delivered.
    ///
    /// # Errors
    /// The kernel's; the TAP may be down or gone, see [`Tap::state`].
    pub fn write(&self, packet: &Mbuf) -> io::Result<()> {
        if packet.segment_count() > MAX_PIECES {
            // A datagram of many small fragments.
            let mut whole = vec![0; packet.len()];
            packet.read(0, &mut whole);
            return self.device.send(&whole).map(drop);
        }
        let pieces: ArrayVec<IoSlice<'_>, MAX_PIECES> = packet.segments().map(IoSlice::new).collect();
        self.device.send_vectored(&pieces).map(drop)
    }

    /// Asks the kernel under which name it has the TAP now.
    pub fn state(&self) -> TapState {
        match self.device.name() {
            Ok(name) if name == self.name => TapState::Present,
            Ok(name) => TapState::Renamed(name),
            Err(_) => TapState::Gone,
        }
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

fn remedy(reason: &io::Error) -> &'static str {
    match reason.kind() {
        ErrorKind::NotFound => "there is no /dev/net/tun; run `modprobe tun`",
        ErrorKind::PermissionDenied => {
            "run as root, or `setcap cap_net_admin,cap_net_raw+ep rampart-dataplane` and `chmod 666 /dev/net/tun`, or try it inside \
             `unshare -Urnm`"
        }
        ErrorKind::ResourceBusy => "another process holds a TAP of this name; stop it (is another dataplane running?) or set `tap`",
        ErrorKind::InvalidInput => "an interface of this name exists and is no TAP; rename it or set `tap` for the port",
        _ => "the kernel refused it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_what_mends_it() {
        assert!(remedy(&ErrorKind::NotFound.into()).contains("modprobe tun"));
        assert!(remedy(&ErrorKind::PermissionDenied.into()).contains("setcap"));
        assert!(remedy(&ErrorKind::ResourceBusy.into()).contains("another process"));
    }
}
