//! A table, or an edit of one, as bytes: what goes through a sealed memfd from control to dataplane.
//!
//! ```text
//! offset  bytes  what
//!      0      4  magic "RMPT"; "RMPE" for an edit
//!      4      2  format version, little endian
//!      6      1  family: 4 or 6
//!      7      1  table: place in TableKind::ALL
//!      8      4  payload length, little endian
//!     12     32  SHA-256 of bytes 0 to 11 and of the payload
//!     44      .  payload: the table, or the edit, in postcard's format
//! ```
//!
//! Equal tables give equal bytes, so a writer can tell by comparison which tables changed. Written by rampartd, read by the dataplane. The
//! reader believes nothing: a wrong byte anywhere is an error, never a panic, and memory grows with the bytes that are really there, not
//! with a length that they claim.

use packet::{Family, FamilyId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::edit::TableEdit;
use crate::table::{Table, TableKind};
use crate::verify::{self, Limits, VerifyError};

/// The version of the format that this program writes, and the only one that it reads. It changes whenever any type inside a table does.
pub const FORMAT: u16 = 22;
/// Longest payload in bytes: about four million rules.
pub const MAX_PAYLOAD: usize = 256 << 20;

const TABLE: [u8; 4] = *b"RMPT";
const EDIT: [u8; 4] = *b"RMPE";
const LABEL: usize = 12;
const DIGEST: usize = 32;
const HEADER: usize = LABEL + DIGEST;

/// Why bytes are not a table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ImageError {
    /// Not even a header.
    #[error("the image is cut short: {found} bytes, and the header alone has {HEADER}")]
    Short {
        /// Bytes given.
        found: usize,
    },
    /// Another kind of file.
    #[error("not the image that was announced: it does not begin with {0:?}")]
    Magic(&'static str),
    /// Written by a newer program.
    #[error("the image has format {found}, and this dataplane knows {known}: update the dataplane")]
    TooNew {
        /// Version of the image.
        found: u16,
        /// Newest version known here.
        known: u16,
    },
    /// Written by an older program.
    #[error("the image has format {found}, and this dataplane knows {known}: update rampartd")]
    TooOld {
        /// Version of the image.
        found: u16,
        /// Oldest version known here.
        known: u16,
    },
    /// Made for the other address family.
    #[error("the image is for address family {found}, wanted was {wanted}")]
    Family {
        /// Family byte of the image.
        found: u8,
        /// Family byte wanted.
        wanted: u8,
    },
    /// The header's table number does not exist, or is not that of the payload.
    #[error("the image's header names table number {found}, which its payload is not")]
    Kind {
        /// Number in the header.
        found: u8,
    },
    /// The payload has another length than the header says, or one past [`MAX_PAYLOAD`].
    #[error("the image claims a payload of {claimed} bytes and has {found} (at most {MAX_PAYLOAD} are taken)")]
    Length {
        /// Length in the header.
        claimed: u32,
        /// Bytes there are.
        found: usize,
    },
    /// A byte changed on the way.
    #[error("the image is damaged: its SHA-256 does not fit")]
    Digest,
    /// The payload is not a table.
    #[error("the image's payload cannot be read: {0}")]
    Payload(#[from] postcard::Error),
    /// Bytes are left behind the table.
    #[error("{0} bytes are left behind the table")]
    Trailing(usize),
    /// The payload is a table that may not be run.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// The table as bytes. One longer than [`MAX_PAYLOAD`] is written all the same, and refused by every reader.
///
/// # Panics
/// Never: every type inside a table has a form in postcard.
pub fn encode_table<F: Family>(table: &Table<F>) -> Vec<u8> {
    encode::<F>(TABLE, table.kind, table)
}

/// An edit as bytes.
///
/// # Panics
/// Never: every type inside an edit has a form in postcard.
pub fn encode_edit<F: Family>(edit: &TableEdit<F>) -> Vec<u8> {
    encode::<F>(EDIT, edit.added.kind, edit)
}

fn encode<F: Family>(magic: [u8; 4], kind: TableKind, value: &impl Serialize) -> Vec<u8> {
    let payload =
        postcard::to_allocvec(value).expect("a table holds only integers, booleans, strings, enums and sequences of known length");
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend_from_slice(&magic);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.push(family_byte(F::ID));
    bytes.push(kind as u8);
    bytes.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    let digest = digest(&bytes, &payload);
    bytes.extend_from_slice(&digest);
    bytes.extend_from_slice(&payload);
    bytes
}

/// Reads bytes back into a table that has passed [`verify::table`]. Its interface patterns are not bound yet.
pub fn decode_table<F: Family>(bytes: &[u8], limits: &Limits) -> Result<Table<F>, ImageError> {
    let table = decode::<F, Table<F>>((TABLE, "RMPT"), bytes, |table| table.kind)?;
    verify::table(&table, limits)?;
    Ok(table)
}

/// Reads bytes back into an edit. What it says is looked at where it is made ([`Table::edited`]).
pub fn decode_edit<F: Family>(bytes: &[u8]) -> Result<TableEdit<F>, ImageError> {
    decode::<F, TableEdit<F>>((EDIT, "RMPE"), bytes, |edit| edit.added.kind)
}

fn decode<F: Family, T: DeserializeOwned>(
    (magic, name): ([u8; 4], &'static str),
    bytes: &[u8],
    kind_of: impl Fn(&T) -> TableKind,
) -> Result<T, ImageError> {
    let Some((header, payload)) = bytes.split_at_checked(HEADER) else { return Err(ImageError::Short { found: bytes.len() }) };
    let (label, wanted) = header.split_at(LABEL);
    if label[..4] != magic {
        return Err(ImageError::Magic(name));
    }
    let found = u16::from_le_bytes([label[4], label[5]]);
    if found > FORMAT {
        return Err(ImageError::TooNew { found, known: FORMAT });
    }
    if found < FORMAT {
        return Err(ImageError::TooOld { found, known: FORMAT });
    }
    if label[6] != family_byte(F::ID) {
        return Err(ImageError::Family { found: label[6], wanted: family_byte(F::ID) });
    }
    let claimed = u32::from_le_bytes([label[8], label[9], label[10], label[11]]);
    if claimed as usize != payload.len() || payload.len() > MAX_PAYLOAD {
        return Err(ImageError::Length { claimed, found: payload.len() });
    }
    if digest(label, payload) != wanted {
        return Err(ImageError::Digest);
    }
    let (value, rest) = postcard::take_from_bytes::<T>(payload)?;
    if !rest.is_empty() {
        return Err(ImageError::Trailing(rest.len()));
    }
    if kind_of(&value) as u8 != label[7] {
        return Err(ImageError::Kind { found: label[7] });
    }
    Ok(value)
}

fn family_byte(family: FamilyId) -> u8 {
    match family {
        FamilyId::Ipv4 => 4,
        FamilyId::Ipv6 => 6,
    }
}

fn digest(label: &[u8], payload: &[u8]) -> [u8; DIGEST] {
    Sha256::new().chain_update(label).chain_update(payload).finalize().into()
}
