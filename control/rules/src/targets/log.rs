//! `-j LOG`: one line per packet in the kernel's format; the packet goes on.

/// What is logged and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Log {
    /// Syslog level 0 (emerg) to 7 (debug); 4 (warning) by default.
    pub level: u8,
    /// Text before the line, at most 29 bytes.
    pub prefix: Box<str>,
    /// `--log-tcp-sequence`.
    pub tcp_sequence: bool,
    /// `--log-tcp-options`.
    pub tcp_options: bool,
    /// `--log-ip-options`.
    pub ip_options: bool,
    /// `--log-uid`.
    pub uid: bool,
    /// `--log-macdecode`.
    pub mac_decode: bool,
}
