//! The public socket's frames: lines, and blobs of a length that was said before, each with a limit in bytes and a deadline.
//!
//! The deadline is for the whole line or blob, not for each read, so a peer that sends a byte a second holds nobody for long. Memory
//! grows with what has arrived, not with what was announced.
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// A system call failed.
    #[error("socket: {0}")]
    Io(std::io::Error),
    /// The deadline passed.
    #[error("no complete message within the time limit")]
    TimedOut,
    /// The peer closed the connection in the middle of a message.
    #[error("connection closed in the middle of a message")]
    Closed,
    /// A line without end.
    #[error("line is longer than {0} bytes")]
    TooLong(usize),
}

impl From<std::io::Error> for LineError {
    fn from(error: std::io::Error) -> LineError {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => LineError::TimedOut,
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => LineError::Closed,
            _ => LineError::Io(error),
        }
    }
}

/// A connection with what was read ahead.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    ahead: Vec<u8>,
}

impl Connection {
    /// Takes a connected stream.
    pub fn new(stream: UnixStream) -> Connection {
        Connection { stream, ahead: Vec::new() }
    }

    /// The stream, to watch for its end.
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Reads a line of at most `limit` bytes, without its end. `None` when the peer closed before its first byte.
    pub fn read_line(&mut self, limit: usize, deadline: Instant) -> Result<Option<Vec<u8>>, LineError> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.ahead[searched..].iter().position(|byte| *byte == b'\n') {
                let end = searched + at;
                if end > limit {
                    return Err(LineError::TooLong(limit));
                }
                let rest = self.ahead.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.ahead, rest);
                line.pop();
                return Ok(Some(line));
            }
            searched = self.ahead.len();
            if searched > limit {
                return Err(LineError::TooLong(limit));
            }
            if self.fill(deadline)? == 0 {
                return if self.ahead.is_empty() { Ok(None) } else { Err(LineError::Closed) };
            }
        }
    }

    /// Reads exactly `length` bytes.
    pub fn read_blob(&mut self, length: u64, deadline: Instant) -> Result<Vec<u8>, LineError> {
        while (self.ahead.len() as u64) < length {
            if self.fill(deadline)? == 0 {
                return Err(LineError::Closed);
            }
        }
        let rest = self.ahead.split_off(length as usize);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    /// Writes all bytes.
    pub fn write(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), LineError> {
        while !bytes.is_empty() {
            self.stream.set_write_timeout(Some(remaining(deadline)?))?;
            match self.stream.write(bytes) {
                Ok(0) => return Err(LineError::Closed),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Writes a line and its end.
    pub fn write_line(&mut self, line: &[u8], deadline: Instant) -> Result<(), LineError> {
        self.write(line, deadline)?;
        self.write(b"\n", deadline)
    }

    fn fill(&mut self, deadline: Instant) -> Result<usize, LineError> {
        let mut chunk = [0; 64 * 1024];
        loop {
            self.stream.set_read_timeout(Some(remaining(deadline)?))?;
            match self.stream.read(&mut chunk) {
                Ok(read) => {
                    self.ahead.extend_from_slice(&chunk[..read]);
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn remaining(deadline: Instant) -> Result<Duration, LineError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(LineError::TimedOut) } else { Ok(left) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(200)
    }

    #[test]
    fn lines_and_blobs_come_out_as_they_went_in() {
        let (a, b) = UnixStream::pair().unwrap();
        let (mut a, mut b) = (Connection::new(a), Connection::new(b));
        a.write_line(b"one", soon()).unwrap();
        a.write(b"blob\nblob", soon()).unwrap();
        a.write_line(b"", soon()).unwrap();
        a.write_line(b"two", soon()).unwrap();
        assert_eq!(b.read_line(10, soon()).unwrap().unwrap(), b"one");
        assert_eq!(b.read_blob(9, soon()).unwrap(), b"blob\nblob");
        assert_eq!(b.read_line(10, soon()).unwrap().unwrap(), b"");
        assert_eq!(b.read_line(10, soon()).unwrap().unwrap(), b"two");
        drop(a);
        assert!(b.read_line(10, soon()).unwrap().is_none());
    }

    #[test]
    fn a_line_over_the_limit_is_refused_with_and_without_its_end() {
        for text in [&b"0123456789A\n"[..], b"0123456789A"] {
            let (mut a, b) = UnixStream::pair().unwrap();
            a.write_all(text).unwrap();
            assert!(matches!(Connection::new(b).read_line(10, soon()), Err(LineError::TooLong(10))));
        }
        let (mut a, b) = UnixStream::pair().unwrap();
        a.write_all(b"0123456789\n").unwrap();
        assert_eq!(Connection::new(b).read_line(10, soon()).unwrap().unwrap(), b"0123456789");
    }

    #[test]
    fn a_dripping_peer_meets_the_deadline_of_the_whole_line() {
        let (mut a, b) = UnixStream::pair().unwrap();
        let drip = std::thread::spawn(move || {
            while a.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let started = Instant::now();
        assert!(matches!(Connection::new(b).read_line(1 << 20, started + Duration::from_millis(100)), Err(LineError::TimedOut)));
        assert!(started.elapsed() < Duration::from_secs(2));
        drip.join().unwrap();
    }

    #[test]
    fn a_peer_that_never_reads_meets_the_deadline_of_the_writer() {
        let (a, _b) = UnixStream::pair().unwrap();
        assert!(matches!(Connection::new(a).write(&vec![0; 16 << 20], soon()), Err(LineError::TimedOut)));
    }

    #[test]
    fn a_blob_that_is_cut_short_is_an_error() {
        let (mut a, b) = UnixStream::pair().unwrap();
        a.write_all(b"abc").unwrap();
        drop(a);
        assert!(matches!(Connection::new(b).read_blob(u64::MAX, soon()), Err(LineError::Closed)));
    }
}
