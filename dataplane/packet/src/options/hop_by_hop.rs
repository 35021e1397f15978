//! IPv6's hop-by-hop options (RFC 8200 section 4.3), checked as the kernel checks those of a packet that came in (`ipv6_parse_hopopts`). Only the
//! header that follows the IPv6 header is read: one that stands elsewhere is nobody's on the way.

use crate::bytes::{read16, read32};
use crate::family::{Family, FamilyId};
use crate::header::Header;
use crate::ipv6::{HEADER_LEN, NEXT_HEADER_AT, PAYLOAD_LEN_AT};
use crate::protocol;

/// Kinds.
pub mod kind {
    /// One byte of padding.
    pub const PAD1: u8 = 0;
    /// Bytes of padding.
    pub const PADN: u8 = 1;
    /// Router alert.
    pub const ROUTER_ALERT: u8 = 5;
    /// Security labels (CALIPSO), which nobody here has.
    pub const CALIPSO: u8 = 7;
    /// Telemetry (IOAM), which no interface takes part in.
    pub const IOAM: u8 = 0x31;
    /// The length of a packet that is longer than its header can say.
    pub const JUMBO: u8 = 0xc2;
}

/// Codes of ICMPv6's parameter problem.
pub mod code {
    /// A field is wrong.
    pub const FIELD: u8 = 0;
    /// An option is unknown.
    pub const OPTION: u8 = 2;
}

/// Bytes of padding that may stand in a row: as many as any alignment needs.
const PADDING: usize = 7;
/// Options beside padding that a packet may have (`max_hbh_opts_number`).
const MOST: usize = 8;

/// The packet is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadOption {
    /// Nothing is said.
    Silent,
    /// The sender is told by an ICMPv6 parameter problem.
    Told {
        /// The problem's code.
        code: u8,
        /// What is wrong: an offset in bytes from the IPv6 header.
        pointer: u32,
        /// Also when the packet was for many.
        by_groups: bool,
    },
}

/// The packet's hop-by-hop header; `None` without one.
pub fn bytes<'a, F: Family>(head: &'a [u8], header: &Header<F>) -> Option<&'a [u8]> {
    let packet = head.get(usize::from(header.l3)..)?;
    if F::ID != FamilyId::Ipv6 || *packet.get(NEXT_HEADER_AT)? != protocol::HOP_BY_HOP {
        return None;
    }
    let length = usize::from(*packet.get(HEADER_LEN + 1)?);
    packet.get(HEADER_LEN..HEADER_LEN + (length + 1) * 8)
}

/// The payload length as it stands in the header.
pub fn payload_len<F: Family>(head: &[u8], header: &Header<F>) -> Option<u16> {
    read16(head, usize::from(header.l3) + PAYLOAD_LEN_AT)
}

/// Checks the options of this header, which begin at its third byte.
pub fn check(header: &[u8], payload_len: u16) -> Result<(), BadOption> {
    let (mut at, mut padding, mut options) = (2, 0, 0);
    while let Some(&kind) = header.get(at) {
        if kind == kind::PAD1 {
            padding += 1;
            at += 1;
        } else {
            let len = header.get(at + 1).map(|len| usize::from(*len) + 2);
            let option = len.and_then(|len| header.get(at..at + len)).ok_or(BadOption::Silent)?;
            if kind == kind::PADN {
                padding += option.len();
                if option[2..].iter().any(|byte| *byte != 0) {
                    return Err(BadOption::Silent);
                }
            } else {
                options += 1;
                if options > MOST {
                    return Err(BadOption::Silent);
                }
                read(option, HEADER_LEN + at, payload_len)?;
                padding = 0;
            }
            at += option.len();
        }
        if padding > PADDING {
            return Err(BadOption::Silent);
        }
    }
    Ok(())
}

/// One option that is no padding, at this offset from the IPv6 header.
fn read(option: &[u8], at: usize, payload_len: u16) -> Result<(), BadOption> {
    let told = |code, pointer: usize, by_groups| Err(BadOption::Told { code, pointer: pointer as u32, by_groups });
    let data = &option[2..];
    match option[0] {
        kind::ROUTER_ALERT if data.len() == 2 => Ok(()),
        kind::IOAM if at.is_multiple_of(4) => Ok(()),
        kind::ROUTER_ALERT | kind::CALIPSO | kind::IOAM => Err(BadOption::Silent),
        kind::JUMBO => match read32(data, 0) {
            Some(len) if data.len() == 4 && at % 4 == 2 => {
                if len <= u32::from(u16::MAX) {
                    told(code::FIELD, at + 2, false)
                } else if payload_len != 0 {
                    told(code::FIELD, at, false)
                } else {
                    // No frame that comes here is as long.
                    Err(BadOption::Silent)
                }
            }
            _ => Err(BadOption::Silent),
        },
        // What is to be done with an unknown one stands in its top bits.
        unknown => match unknown >> 6 {
            0 => Ok(()),
            1 => Err(BadOption::Silent),
            action => told(code::OPTION, at, action == 2),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `recorded/hop_by_hop.txt`: options of UDP packets as they went through a Linux 6.18 router, in hex, and what became of the packet: `fwd`,
    /// `drop`, or the ICMPv6 error's type, code and pointer.
    #[test]
    fn options_fare_as_they_did_in_linux() {
        let recorded = include_str!("recorded/hop_by_hop.txt");
        let mut told = 0;
        for line in recorded.lines() {
            let (options, fate) = line.split_once(' ').expect("options and their fate");
            let byte = |at| u8::from_str_radix(&options[at..at + 2], 16).expect("hex");
            let mut header = vec![17, ((options.len() / 2 + 2) / 8 - 1) as u8];
            header.extend((0..options.len()).step_by(2).map(byte));
            let ours = match check(&header, header.len() as u16 + 12) {
                Ok(()) => "fwd".to_owned(),
                Err(BadOption::Silent) => "drop".to_owned(),
                Err(BadOption::Told { code, pointer, .. }) => format!("4/{code}@{pointer}"),
            };
            told += usize::from(fate.starts_with('4'));
            assert_eq!(ours, fate, "{options}");
        }
        assert!(recorded.lines().count() > 1000 && told > 200, "{told} of the recorded are answered");
    }

    #[test]
    fn groups_are_told_of_an_option_that_asks_for_it() {
        let of = |kind: u8| check(&[17, 0, kind, 4, 0, 0, 0, 0], 20);
        assert_eq!(of(0x9e), Err(BadOption::Told { code: code::OPTION, pointer: 42, by_groups: true }));
        assert_eq!(of(0xde), Err(BadOption::Told { code: code::OPTION, pointer: 42, by_groups: false }));
    }

    #[test]
    fn a_length_of_its_own_is_more_than_the_header_can_say() {
        let of = |len: u32, payload_len| {
            let mut header = vec![17, 0, kind::JUMBO, 4];
            header.extend(len.to_be_bytes());
            check(&header, payload_len)
        };
        let told = |pointer| Err(BadOption::Told { code: code::FIELD, pointer, by_groups: false });
        assert_eq!((of(65_535, 0), of(65_536, 0), of(65_536, 20)), (told(44), Err(BadOption::Silent), told(42)));
    }
}
