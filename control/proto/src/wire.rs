//! The private socket's frames: one SEQPACKET message each, JSON inside, file descriptors beside it; and the sealed memfds in which
//! bulk data travels.
//!
//! A memfd that is not sealed against growing, shrinking, writing and further sealing could change under its reader after it was
//! checked, so [`read_sealed`] refuses it. Even so a reader verifies its own copy, never the shared pages.
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest message, in bytes. Anything bigger travels in a memfd.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// The most file descriptors that one message may carry: ten tables, a source blob, and room.
pub const MAX_FDS: usize = 16;

/// The most bytes that a reader takes from one memfd.
pub const MAX_SEGMENT: u64 = 1 << 30;

/// What can go wrong on the private socket.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// A system call failed.
    #[error("{call}: {source}")]
    Os {
        /// Which call.
        call: &'static str,
        /// Its error.
        source: std::io::Error,
    },
    /// The peer neither read nor wrote within the socket's timeout.
    #[error("no answer within the time limit")]
    TimedOut,
    /// The peer closed the connection.
    #[error("connection closed by peer")]
    Closed,
    /// A message is longer than [`MAX_MESSAGE`].
    #[error("message of {0} bytes is longer than {MAX_MESSAGE}")]
    TooLong(usize),
    /// The kernel cut the message or its descriptors.
    #[error("message or its descriptors were cut: longer than {MAX_MESSAGE} bytes or more than {MAX_FDS} descriptors")]
    Cut,
    /// More descriptors than a message may carry.
    #[error("{0} descriptors in one message, {MAX_FDS} allowed")]
    TooManyFds(usize),
    /// The bytes are not the JSON that was expected.
    #[error("malformed message: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A descriptor that is not a memfd sealed against growing, shrinking, writing and further sealing.
    #[error("segment is not a memfd sealed with grow, shrink, write and seal")]
    NotSealed,
    /// A segment beyond the reader's limit.
    #[error("segment of {size} bytes is larger than {limit}")]
    SegmentTooLarge {
        /// Its size in bytes.
        size: u64,
        /// What the reader takes.
        limit: u64,
    },
    /// The socket path does not fit a Unix socket address.
    #[error("socket path {0} is not usable: a Unix socket path has at most 107 bytes")]
    Path(String),
}

fn os(call: &'static str) -> impl FnOnce(Errno) -> WireError {
    move |errno| match errno {
        Errno::AGAIN => WireError::TimedOut,
        Errno::PIPE | Errno::CONNRESET => WireError::Closed,
        errno => WireError::Os { call, source: errno.into() },
    }
}

fn address(path: &Path) -> Result<SocketAddrUnix, WireError> {
    SocketAddrUnix::new(path).map_err(|_| WireError::Path(path.display().to_string()))
}

/// The listening end. It does not remove an old socket file: whoever holds the instance's lock file does.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
}

impl Listener {
    /// Binds and listens at `path`, which must not exist.
    pub fn bind(path: &Path) -> Result<Listener, WireError> {
        let fd = seqpacket()?;
        rustix::net::bind(&fd, &address(path)?).map_err(os("bind"))?;
        rustix::net::listen(&fd, 8).map_err(os("listen"))?;
        Ok(Listener { fd })
    }

    /// Waits for the next connection. The listening descriptor may be made non-blocking; then [`WireError::TimedOut`] means none waits.
    pub fn accept(&self) -> Result<Socket, WireError> {
        let fd = rustix::io::retry_on_intr(|| rustix::net::accept_with(&self.fd, SocketFlags::CLOEXEC)).map_err(os("accept"))?;
        Ok(Socket { fd })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// One connection.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Socket {
    /// Connects to the listener at `path`.
    pub fn connect(path: &Path) -> Result<Socket, WireError> {
        let fd = seqpacket()?;
        rustix::net::connect(&fd, &address(path)?).map_err(os("connect"))?;
        Ok(Socket { fd })
    }

    /// Two connected ends, for tests.
    pub fn pair() -> Result<(Socket, Socket), WireError> {
        let (a, b) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(os("socketpair"))?;
        Ok((Socket { fd: a }, Socket { fd: b }))
    }

    /// How long one send or receive may take; `None` waits without end.
    pub fn set_timeout(&self, limit: Option<Duration>) -> Result<(), WireError> {
        sockopt::set_socket_timeout(&self.fd, Timeout::Recv, limit).map_err(os("SO_RCVTIMEO"))?;
        sockopt::set_socket_timeout(&self.fd, Timeout::Send, limit).map_err(os("SO_SNDTIMEO"))
    }

    /// The user id of the process at the other end, as it was when it connected.
    pub fn peer_uid(&self) -> Result<u32, WireError> {
        Ok(sockopt::socket_peercred(&self.fd).map_err(os("SO_PEERCRED"))?.uid.as_raw())
    }

    /// Sends one message with its descriptors.
    pub fn send<T: Serialize>(&self, message: &T, fds: &[BorrowedFd<'_>]) -> Result<(), WireError> {
        let bytes = serde_json::to_vec(message)?;
        self.send_bytes(&bytes, fds)
    }

    /// Sends one message that is bytes already.
    pub fn send_bytes(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), WireError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(WireError::TooLong(bytes.len()));
        }
        if fds.len() > MAX_FDS {
            return Err(WireError::TooManyFds(fds.len()));
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(WireError::TooManyFds(fds.len()));
        }
        let iov = [IoSlice::new(bytes)];
        rustix::io::retry_on_intr(|| rustix::net::sendmsg(&self.fd, &iov, &mut control, SendFlags::NOSIGNAL))
            .map_err(os("sendmsg"))?;
        Ok(())
    }

    /// Receives one message with its descriptors. [`WireError::Closed`] at the end of the connection.
    pub fn recv<T: DeserializeOwned>(&self) -> Result<(T, Vec<OwnedFd>), WireError> {
        let (bytes, fds) = self.recv_bytes()?;
        Ok((serde_json::from_slice(&bytes)?, fds))
    }

    /// Receives one message as bytes.
    pub fn recv_bytes(&self) -> Result<(Vec<u8>, Vec<OwnedFd>), WireError> {
        let mut bytes = vec![0; MAX_MESSAGE];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::io::retry_on_intr(|| {
            rustix::net::recvmsg(&self.fd, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)
        })
        .map_err(os("recvmsg"))?;
        let fds: Vec<OwnedFd> = control
            .drain()
            .filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(fds) => Some(fds),
                _ => None,
            })
            .flatten()
            .collect();
        if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
            return Err(WireError::Cut);
        }
        if received.bytes == 0 {
            return Err(WireError::Closed);
        }
        bytes.truncate(received.bytes);
        Ok((bytes, fds))
    }
}

fn seqpacket() -> Result<OwnedFd, WireError> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(os("socket"))
}

/// The seals that every segment carries.
pub fn all_seals() -> SealFlags {
    SealFlags::GROW | SealFlags::SHRINK | SealFlags::WRITE | SealFlags::SEAL
}

/// Puts `bytes` into a new memfd and seals it. `name` shows in `/proc/<pid>/fd`.
pub fn sealed(name: &str, bytes: &[u8]) -> Result<OwnedFd, WireError> {
    let fd = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).map_err(os("memfd_create"))?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::write(&fd, rest)).map_err(os("write to memfd"))?;
        rest = &rest[written..];
    }
    rustix::fs::fcntl_add_seals(&fd, all_seals()).map_err(os("F_ADD_SEALS"))?;
    Ok(fd)
}

/// Whether the descriptor is a memfd with [`all_seals`].
pub fn check_sealed(fd: impl AsFd) -> Result<(), WireError> {
    match rustix::fs::fcntl_get_seals(fd) {
        Ok(seals) if seals.contains(all_seals()) => Ok(()),
        _ => Err(WireError::NotSealed),
    }
}

/// Checks the seals of a segment and copies it out. `limit` is in bytes; [`MAX_SEGMENT`] where nothing smaller is known.
pub fn read_sealed(fd: impl AsFd, limit: u64) -> Result<Vec<u8>, WireError> {
    let fd = fd.as_fd();
    check_sealed(fd)?;
    let size = rustix::fs::fstat(fd).map_err(os("fstat"))?.st_size as u64;
    if size > limit {
        return Err(WireError::SegmentTooLarge { size, limit });
    }
    let mut bytes = vec![0; size as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        let read = rustix::io::retry_on_intr(|| rustix::io::pread(fd, &mut bytes[filled..], filled as u64))
            .map_err(os("read of memfd"))?;
        if read == 0 {
            return Err(WireError::Cut);
        }
        filled += read;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_message_arrives_whole_with_its_descriptors() {
        let (a, b) = Socket::pair().unwrap();
        let segment = sealed("t", b"hello").unwrap();
        a.send(&vec![1, 2, 3], &[segment.as_fd(), segment.as_fd()]).unwrap();
        let (numbers, fds): (Vec<i32>, _) = b.recv().unwrap();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(fds.len(), 2);
        assert_eq!(read_sealed(&fds[1], MAX_SEGMENT).unwrap(), b"hello");
    }

    #[test]
    fn a_message_of_the_greatest_length_passes_and_one_more_byte_does_not() {
        let (a, b) = Socket::pair().unwrap();
        a.send_bytes(&vec![b'x'; MAX_MESSAGE], &[]).unwrap();
        assert_eq!(b.recv_bytes().unwrap().0.len(), MAX_MESSAGE);
        assert!(matches!(a.send_bytes(&vec![b'x'; MAX_MESSAGE + 1], &[]), Err(WireError::TooLong(_))));
    }

    #[test]
    fn an_overlong_message_from_a_stranger_is_an_error_not_a_cut_message() {
        let (a, b) = Socket::pair().unwrap();
        rustix::net::send(&a, &vec![b'x'; MAX_MESSAGE + 1], SendFlags::empty()).unwrap();
        assert!(matches!(b.recv_bytes(), Err(WireError::Cut)));
    }

    #[test]
    fn descriptors_beyond_the_limit_are_an_error() {
        let (a, _b) = Socket::pair().unwrap();
        let segment = sealed("t", b"").unwrap();
        assert!(matches!(a.send(&1, &[segment.as_fd(); MAX_FDS + 1]), Err(WireError::TooManyFds(_))));
    }

    #[test]
    fn a_peer_that_is_gone_is_closed_and_one_that_is_silent_times_out() {
        let (a, b) = Socket::pair().unwrap();
        b.set_timeout(Some(Duration::from_millis(20))).unwrap();
        assert!(matches!(b.recv_bytes(), Err(WireError::TimedOut)));
        drop(a);
        assert!(matches!(b.recv_bytes(), Err(WireError::Closed)));
        assert!(matches!(b.send(&1, &[]), Err(WireError::Closed)));
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let (a, b) = Socket::pair().unwrap();
        a.send_bytes(b"{", &[]).unwrap();
        assert!(matches!(b.recv::<i32>(), Err(WireError::Malformed(_))));
    }

    #[test]
    fn a_sealed_segment_cannot_be_written() {
        let segment = sealed("t", b"abc").unwrap();
        let mut file = std::fs::File::from(segment.try_clone().unwrap());
        assert!(file.write_all(b"x").is_err());
        assert!(file.set_len(0).is_err());
        assert!(file.set_len(10).is_err());
    }

    #[test]
    fn a_segment_without_all_seals_is_refused() {
        let fd = rustix::fs::memfd_create("t", MemfdFlags::ALLOW_SEALING).unwrap();
        assert!(matches!(read_sealed(&fd, MAX_SEGMENT), Err(WireError::NotSealed)));
        rustix::fs::fcntl_add_seals(&fd, SealFlags::GROW | SealFlags::SHRINK | SealFlags::WRITE).unwrap();
        assert!(matches!(read_sealed(&fd, MAX_SEGMENT), Err(WireError::NotSealed)));
        rustix::fs::fcntl_add_seals(&fd, SealFlags::SEAL).unwrap();
        assert_eq!(read_sealed(&fd, MAX_SEGMENT).unwrap(), b"");
    }

    #[test]
    fn a_file_or_a_pipe_is_not_a_segment() {
        let file = tempfile::tempfile().unwrap();
        assert!(matches!(check_sealed(&file), Err(WireError::NotSealed)));
        let (reader, _writer) = std::io::pipe().unwrap();
        assert!(matches!(check_sealed(&reader), Err(WireError::NotSealed)));
    }

    #[test]
    fn a_segment_beyond_the_limit_is_refused() {
        let segment = sealed("t", b"abcd").unwrap();
        assert!(matches!(read_sealed(&segment, 3), Err(WireError::SegmentTooLarge { size: 4, limit: 3 })));
    }

    #[test]
    fn a_listener_gives_connections_with_the_uid_of_their_peer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = Listener::bind(&path).unwrap();
        let client = Socket::connect(&path).unwrap();
        let server = listener.accept().unwrap();
        assert_eq!(server.peer_uid().unwrap(), rustix::process::geteuid().as_raw());
        client.send(&7, &[]).unwrap();
        assert_eq!(server.recv::<i32>().unwrap().0, 7);
    }
}
