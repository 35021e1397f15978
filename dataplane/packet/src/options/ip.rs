//! IPv4 options (RFC 791 section 3.1), checked as the kernel checks those of a packet that came in (`__ip_options_compile`).

use crate::family::{Family, FamilyId};
use crate::header::Header;
use crate::ipv4::HEADER_LEN;

/// Kinds.
pub mod kind {
    /// The list ends here.
    pub const END: u8 = 0;
    /// One byte of padding.
    pub const NOP: u8 = 1;
    /// Record route.
    pub const RECORD_ROUTE: u8 = 7;
    /// Timestamp.
    pub const TIMESTAMP: u8 = 68;
    /// Loose source route.
    pub const LOOSE_SOURCE_ROUTE: u8 = 131;
    /// Strict source route.
    pub const STRICT_SOURCE_ROUTE: u8 = 137;
    /// Router alert.
    pub const ROUTER_ALERT: u8 = 148;
}

/// What a packet's options ask for. Offsets are those of the option's kind byte, in bytes from the IP header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IpOptions {
    /// A source route, loose or strict.
    pub source_route: Option<u8>,
    /// Record route.
    pub record_route: Option<u8>,
    /// Timestamp.
    pub timestamp: Option<u8>,
    /// The end of the list, if it stands before the end of the header.
    pub end: Option<u8>,
    /// Router alert with value 0.
    pub router_alert: bool,
}

/// The options are wrong: the packet is dropped and answered with an ICMP parameter problem (12/0) that points at this byte of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadOption {
    /// Offset in bytes from the IP header.
    pub pointer: u8,
}

/// The options of an IPv4 packet, as bytes: empty for most. `None` for IPv6 and where the head ends inside them.
pub fn bytes<'a, F: Family>(head: &'a [u8], header: &Header<F>) -> Option<&'a [u8]> {
    match F::ID {
        FamilyId::Ipv4 => head.get(usize::from(header.l3) + HEADER_LEN..usize::from(header.l4)),
        FamilyId::Ipv6 => None,
    }
}

/// Checks the options.
pub fn check(bytes: &[u8]) -> Result<IpOptions, BadOption> {
    let mut found = IpOptions::default();
    let mut at = 0;
    let bad = |at: usize| BadOption { pointer: (HEADER_LEN + at) as u8 };
    while let Some(&kind) = bytes.get(at) {
        match kind {
            kind::END => {
                found.end = Some((HEADER_LEN + at) as u8);
                break;
            }
            kind::NOP => {
                at += 1;
                continue;
            }
            _ => {}
        }
        let len = bytes.get(at + 1).map_or(0, |len| usize::from(*len));
        let Some(option) = bytes.get(at..at + len).filter(|option| option.len() >= 2) else { return Err(bad(at)) };
        let here = (HEADER_LEN + at) as u8;
        match kind {
            kind::LOOSE_SOURCE_ROUTE | kind::STRICT_SOURCE_ROUTE => {
                pointer_at_least(option, 3, 4).map_err(|fault| bad(at + fault))?;
                once(&mut found.source_route, here).ok_or(bad(at))?;
            }
            kind::RECORD_ROUTE => {
                once(&mut found.record_route, here).ok_or(bad(at))?;
                let pointer = pointer_at_least(option, 3, 4).map_err(|fault| bad(at + fault))?;
                if pointer <= len && pointer + 3 > len {
                    return Err(bad(at + 2));
                }
            }
            kind::TIMESTAMP => {
                once(&mut found.timestamp, here).ok_or(bad(at))?;
                let pointer = pointer_at_least(option, 4, 5).map_err(|fault| bad(at + fault))?;
                check_timestamp(option, pointer).map_err(|fault| bad(at + fault))?;
            }
            kind::ROUTER_ALERT if len < 4 => return Err(bad(at + 1)),
            kind::ROUTER_ALERT => found.router_alert |= option[2..4] == [0, 0],
            _ => {}
        }
        at += len;
    }
    Ok(found)
}

/// An option may stand once.
fn once(place: &mut Option<u8>, at: u8) -> Option<()> {
    match place {
        Some(_) => None,
        None => {
            *place = Some(at);
            Some(())
        }
    }
}

/// The option's pointer, at least `least`, in an option of at least `len` bytes; the error is the offset of what is wrong.
fn pointer_at_least(option: &[u8], len: usize, least: usize) -> Result<usize, usize> {
    match option.get(2).map(|pointer| usize::from(*pointer)) {
        Some(pointer) if option.len() >= len => {
            if pointer >= least {
                Ok(pointer)
            } else {
                Err(2)
            }
        }
        _ => Err(1),
    }
}

/// A timestamp's room and overflow count (flags: 0 time alone, 1 with address, 3 prespecified addresses).
fn check_timestamp(option: &[u8], pointer: usize) -> Result<(), usize> {
    let flags = option.get(3).ok_or(1usize)?;
    let len = option.len();
    if pointer <= len {
        let room = if matches!(flags & 0x0f, 1 | 3) { 7 } else { 3 };
        if pointer + room > len {
            return Err(2);
        }
    } else if flags & 0x0f != 3 && flags >> 4 == 15 {
        return Err(3);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_options_are_found() {
        let options = [1, 7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0];
        let found = check(&options).unwrap();
        assert_eq!(found.record_route, Some(21));
        assert!(found.router_alert);
        assert_eq!(found.source_route, None);
        assert_eq!(check(&[131, 7, 4, 10, 0, 0, 1, 0]).unwrap().source_route, Some(20));
        assert_eq!(check(&[68, 8, 5, 0, 0, 0, 0, 0]).unwrap().timestamp, Some(20));
        assert_eq!(check(&[]), Ok(IpOptions::default()));
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        assert_eq!(check(&[7, 44, 4, 0]), Err(BadOption { pointer: 20 }), "longer than the header");
        assert_eq!(check(&[1, 1, 1, 7]), Err(BadOption { pointer: 23 }), "no length");
        assert_eq!(check(&[7, 4, 3, 0]), Err(BadOption { pointer: 22 }), "pointer before the data");
        assert_eq!(check(&[68, 4, 5, 0xf0]), Err(BadOption { pointer: 23 }), "overflow count is full");
        assert_eq!(check(&[148, 2, 0, 0]), Err(BadOption { pointer: 21 }));
        assert_eq!(check(&[7, 3, 4, 7, 3, 4]), Err(BadOption { pointer: 23 }), "twice");
    }
}
