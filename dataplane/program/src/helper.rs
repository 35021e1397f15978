//! Connection helpers.

use serde::{Deserialize, Serialize};

/// The connection helpers that the dataplane has, by the kernel's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Helper {
    /// FTP over TCP: the data connections that PORT, EPRT, PASV and EPSV announce.
    Ftp,
    /// TFTP over UDP: the answer from another port.
    Tftp,
    /// SIP over TCP and UDP: calls to registered addresses, and the media of calls.
    Sip,
}

impl Helper {
    /// Every helper.
    pub const ALL: [Self; 3] = [Self::Ftp, Self::Tftp, Self::Sip];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ftp => "ftp",
            Self::Tftp => "tftp",
            Self::Sip => "sip",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|helper| helper.name() == name)
    }

    /// Its bit in sets of helpers.
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }
}
