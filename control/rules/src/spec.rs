//! The values of a rule's header: protocols, addresses, masks, lists of addresses, interfaces.
use crate::error::UsageError;
use crate::header::{AddrMatch, InterfaceMatch, InterfaceName, Shown, prefix_len, prefix_mask};
use crate::names::{Builtin, Names};
use crate::{Family, number};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A protocol by number (any base) or by name, `all` included.
pub(crate) fn protocol_number(text: &str, names: &dyn Names) -> Result<u8, UsageError> {
    number::byte(text)
        .or_else(|| names.protocol_number(text))
        .or_else(|| Builtin.protocol_number(text))
        .ok_or_else(|| UsageError::UnknownProtocol(text.to_owned()))
}

/// The name of a protocol as rules print it.
pub(crate) fn protocol_name(number: u8, names: &dyn Names) -> String {
    names.protocol_name(number).map_or_else(|| number.to_string(), str::to_owned)
}

/// An address. IPv4 networks may leave out closing bytes (`10`, `192.168`); `localhost` is the loopback address; other names are not
/// resolved.
pub(crate) fn read_network(text: &str, family: Family) -> Option<IpAddr> {
    match family {
        Family::Ipv4 if text == "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Family::Ipv6 if text == "localhost" => Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        Family::Ipv4 => {
            let mut bytes = [0; 4];
            let words: Vec<&str> = text.split('.').collect();
            if words.len() > bytes.len() {
                return None;
            }
            for (byte, word) in bytes.iter_mut().zip(words) {
                *byte = number::byte(word)?;
            }
            Some(IpAddr::V4(Ipv4Addr::from(bytes)))
        }
        Family::Ipv6 => text.parse().map(IpAddr::V6).ok(),
    }
}

/// An address of a rule: as a network, or else in any of the forms in which the C library reads one (`0x0a000001`, `10.1.515`).
fn read_host(text: &str, family: Family) -> Option<IpAddr> {
    let other = || (family == Family::Ipv4).then(|| number::ipv4(text).map(IpAddr::V4)).flatten();
    read_network(text, family).or_else(other)
}

/// The part after `/`: a prefix length or a mask of any form.
pub(crate) fn read_mask(text: &str, family: Family) -> Result<IpAddr, UsageError> {
    let mask = match family {
        Family::Ipv4 if text.matches('.').count() == 3 => read_network(text, family),
        Family::Ipv6 if text.contains(':') => read_network(text, family),
        _ => number::byte(text).and_then(|len| prefix_mask(family, len)),
    };
    mask.ok_or_else(|| UsageError::InvalidMask(text.to_owned()))
}

/// `-s` or `-d`: addresses with masks, parted by commas.
pub(crate) fn read_addresses(text: &str, invert: bool, family: Family) -> Result<Vec<AddrMatch>, UsageError> {
    let mut list = Vec::new();
    for word in text.split(',') {
        let word = word.trim_start();
        let (name, mask) = match word.rsplit_once('/') {
            Some((name, mask)) => (name, read_mask(mask, family)?),
            None => (word, prefix_mask(family, family.address_bits()).unwrap_or(family.unspecified())),
        };
        // With an empty mask the address does not matter, not even whether it is one (`any/0`).
        let addr = if mask.is_unspecified() { Some(family.unspecified()) } else { read_host(name, family) };
        let test = addr.and_then(|addr| AddrMatch::new(addr, mask, invert));
        list.push(test.ok_or_else(|| UsageError::HostNotFound(name.to_owned()))?);
    }
    Ok(list)
}

/// `address/mask` as `-S` prints it.
pub(crate) fn network_text(test: &AddrMatch) -> String {
    match prefix_len(test.mask) {
        Some(len) => format!("{}/{len}", Shown(test.addr)),
        None => format!("{}/{}", Shown(test.addr), Shown(test.mask)),
    }
}

/// `-i` or `-o`. The second part is iptables' warning about a strange name.
pub(crate) fn read_interface(text: &str, invert: bool) -> Result<(InterfaceMatch, Option<String>), UsageError> {
    if text.is_empty() {
        return Err(UsageError::EmptyInterface);
    }
    let is_long = || UsageError::InterfaceNameLong(text.to_owned());
    if text.len() > 15 {
        return Err(is_long());
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"') {
        // The real one takes them with a warning, and then saves what it cannot restore.
        return Err(UsageError::InterfaceName(text.to_owned()));
    }
    let warning = text
        .contains('/')
        .then(|| format!("Warning: weird character in interface `{text}' ('/' and ' ' are not allowed by the kernel).\n"));
    let (name, wildcard) = match text.strip_suffix('+') {
        Some(name) => (name, true),
        None => (text, false),
    };
    Ok((InterfaceMatch { name: InterfaceName::new(name).ok_or_else(is_long)?, wildcard, invert }, warning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<String, UsageError> {
        let list = read_addresses(text, false, Family::Ipv4)?;
        Ok(list.iter().map(network_text).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn networks_in_every_form() {
        assert_eq!(shown("10/8").as_deref(), Ok("10.0.0.0/8"));
        assert_eq!(shown("1.2.3/24").as_deref(), Ok("1.2.3.0/24"));
        assert_eq!(shown("1.2.3.4/255.255.0.255").as_deref(), Ok("1.2.0.4/255.255.0.255"));
        assert_eq!(shown("any/0").as_deref(), Ok("0.0.0.0/0"));
        assert_eq!(shown("1.2.3.4, 5.6.7.8/16").as_deref(), Ok("1.2.3.4/32 5.6.0.0/16"));
        assert_eq!(shown("1.2.3.4/33"), Err(UsageError::InvalidMask("33".to_owned())));
        assert_eq!(shown("1.2.3.4.5"), Err(UsageError::HostNotFound("1.2.3.4.5".to_owned())));
    }
}
