//! ICMP: types, what is an error, and the packet that an error quotes. The parts that both families have are written once, here.

use crate::bytes::read16;
use crate::family::{Family, FamilyId};
use crate::header::{Header, L4};
use crate::{icmp6, ipv4, ipv6, parse};

/// Length in bytes of a header, and where a quoted packet begins.
pub const HEADER_LEN: usize = 8;
/// Where the checksum stands.
pub const CHECKSUM_AT: usize = 2;

/// Types of ICMP for IPv4.
pub mod kind {
    /// Echo reply.
    pub const ECHO_REPLY: u8 = 0;
    /// Destination unreachable.
    pub const UNREACHABLE: u8 = 3;
    /// Source quench.
    pub const SOURCE_QUENCH: u8 = 4;
    /// Redirect.
    pub const REDIRECT: u8 = 5;
    /// Echo request.
    pub const ECHO: u8 = 8;
    /// Time exceeded.
    pub const TIME_EXCEEDED: u8 = 11;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 12;
    /// Timestamp request.
    pub const TIMESTAMP: u8 = 13;
    /// Timestamp reply.
    pub const TIMESTAMP_REPLY: u8 = 14;
    /// Information request.
    pub const INFO: u8 = 15;
    /// Information reply.
    pub const INFO_REPLY: u8 = 16;
    /// Address mask request.
    pub const ADDRESS_MASK: u8 = 17;
    /// Address mask reply, and the greatest type that the kernel knows.
    pub const ADDRESS_MASK_REPLY: u8 = 18;
}

/// Code of [`kind::UNREACHABLE`]: fragmentation needed and DF set.
pub const FRAGMENTATION_NEEDED: u8 = 4;

/// Reads the header; `None` when fewer than [`HEADER_LEN`] bytes are there.
pub(crate) fn read(bytes: &[u8]) -> Option<L4> {
    let header: &[u8; HEADER_LEN] = bytes.first_chunk()?;
    Some(L4::Icmp { kind: header[0], code: header[1], id: read16(header, 4)?, seq: read16(header, 6)? })
}

/// Does a message of this type quote a packet that connection tracking then looks up (the kernel's `nf_conntrack_icmp_error`)?
pub fn is_error<F: Family>(kind: u8) -> bool {
    match F::ID {
        FamilyId::Ipv4 => {
            matches!(kind, kind::UNREACHABLE | kind::SOURCE_QUENCH | kind::REDIRECT | kind::TIME_EXCEEDED | kind::PARAMETER_PROBLEM)
        }
        FamilyId::Ipv6 => icmp6::is_error(kind),
    }
}

/// Is a message of this type never answered with an ICMP error? Errors, and in IPv4 every type that the kernel does not know to be a query. (RFC 4443
/// forbids answers to IPv6's redirects too, but the kernel answers them.)
pub fn forbids_error<F: Family>(kind: u8) -> bool {
    match F::ID {
        FamilyId::Ipv4 => !matches!(kind, kind::ECHO_REPLY | kind::ECHO | kind::TIMESTAMP..=kind::ADDRESS_MASK_REPLY),
        FamilyId::Ipv6 => icmp6::is_error(kind),
    }
}

/// The type that answers this one, for the types that open a flow or answer one.
pub fn inverse<F: Family>(kind: u8) -> Option<u8> {
    match F::ID {
        FamilyId::Ipv4 => Some(match kind {
            kind::ECHO => kind::ECHO_REPLY,
            kind::ECHO_REPLY => kind::ECHO,
            kind::TIMESTAMP => kind::TIMESTAMP_REPLY,
            kind::TIMESTAMP_REPLY => kind::TIMESTAMP,
            kind::INFO => kind::INFO_REPLY,
            kind::INFO_REPLY => kind::INFO,
            kind::ADDRESS_MASK => kind::ADDRESS_MASK_REPLY,
            kind::ADDRESS_MASK_REPLY => kind::ADDRESS_MASK,
            _ => return None,
        }),
        FamilyId::Ipv6 => icmp6::inverse(kind),
    }
}

/// The header of the packet that an ICMP error quotes, with offsets into the same `head`; `None` when this is no error or its quote holds
/// no whole IP header.
///
/// The quote is read as leniently as the kernel does: its checksums and total length are not looked at, and four bytes of TCP or UDP are
/// enough for ports ([`L4::Ports`] then, when the whole transport header is not there). `len` is what is quoted, not what was sent. A
/// quoted later fragment has [`L4::Absent`], a quote that is cut sooner [`L4::Truncated`] without ports.
pub fn inner<F: Family>(head: &[u8], header: &Header<F>) -> Option<Header<F>> {
    match header.transport {
        L4::Icmp { kind, .. } if is_error::<F>(kind) => {}
        _ => return None,
    }
    let l3 = usize::from(header.l4) + HEADER_LEN;
    let end = usize::from(header.l3) + header.len as usize;
    let len = end.checked_sub(l3)?;
    let bytes = head.get(l3..)?;
    let bytes = bytes.get(..len).unwrap_or(bytes);
    let ip = match F::ID {
        FamilyId::Ipv4 => ipv4::fields::<F>(bytes, l3, len).ok()?,
        FamilyId::Ipv6 => ipv6::fields::<F>(bytes, l3, len).ok()?,
    };
    let transport = parse::quoted_transport(&ip, bytes.get(usize::from(ip.l4) - l3..)?);
    Some(Header { transport, ..ip })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::{Ipv4, Ipv6};

    #[test]
    fn queries_and_answers_name_each_other() {
        for kind in 0..=255 {
            if let Some(answer) = inverse::<Ipv4>(kind) {
                assert_eq!(inverse::<Ipv4>(answer), Some(kind));
                assert!(!is_error::<Ipv4>(kind));
            }
            if let Some(answer) = inverse::<Ipv6>(kind) {
                assert_eq!(inverse::<Ipv6>(answer), Some(kind));
                assert!(!is_error::<Ipv6>(kind));
            }
        }
    }

    #[test]
    fn errors_are_never_answered() {
        for kind in 0..=255 {
            assert!(!is_error::<Ipv4>(kind) || forbids_error::<Ipv4>(kind));
            assert!(!is_error::<Ipv6>(kind) || forbids_error::<Ipv6>(kind));
        }
        assert!(!forbids_error::<Ipv4>(kind::ECHO));
        assert!([128, 137, 200, 255].iter().all(|kind| !forbids_error::<Ipv6>(*kind)) && forbids_error::<Ipv6>(127));
        assert!(forbids_error::<Ipv4>(19), "an unknown type counts as an error");
    }
}
