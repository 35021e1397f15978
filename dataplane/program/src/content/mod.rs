//! Tests that may read any byte of a packet, its data too, in whatever pieces it lies: one file per iptables word.

mod string;
mod words;

use packet::pieces::Pieces;
use packet::{Family, Header};
use serde::{Deserialize, Serialize};

pub use string::StringTest;
pub use words::{WordStep, WordsPart, WordsTest};

/// A test of all bytes of a packet, from its IP header on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ContentTest {
    /// `-m string`
    String(StringTest),
    /// `-m u32`
    Words(WordsTest),
}

impl ContentTest {
    /// Does it hold? The pieces are those of the buffer in which `header` tells where the packet begins.
    pub fn holds<'a, F: Family>(&self, pieces: &Pieces<impl Iterator<Item = &'a [u8]> + Clone>, header: &Header<F>) -> bool {
        let packet = usize::from(header.l3)..usize::from(header.l3) + header.len as usize;
        match self {
            Self::String(test) => test.holds(pieces, packet),
            Self::Words(test) => test.holds(pieces, packet),
        }
    }

    /// What is wrong with it.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::String(test) => test.check(),
            Self::Words(test) => test.check(),
        }
    }
}
