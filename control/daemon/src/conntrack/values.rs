//! The values of options, in the reference's spellings.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use rules::names::Names;
use rules::number;

use super::options::Error;
use super::print::Output;
use super::watch::Kinds;

fn usage<T>(message: String) -> Result<T, Error> {
    Err(Error::Usage(message))
}

/// An address; one of IPv4 in each of its spellings.
pub(super) fn address(text: &str) -> Result<IpAddr, Error> {
    let known = number::ipv4(text).map(IpAddr::V4).or_else(|| text.parse().ok());
    known.ok_or_else(|| Error::Usage(format!("Invalid IP address `{text}'")))
}

/// An address, and the mask of its prefix length if one stands behind it.
pub(super) fn prefix(text: &str) -> Result<(IpAddr, Option<IpAddr>), Error> {
    let Some((text, length)) = text.split_once('/') else { return Ok((address(text)?, None)) };
    let address = address(text)?;
    let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
    let length = match length.parse::<u32>() {
        Ok(length) if length <= bits => length,
        _ => return usage("Invalid netmask".to_owned()),
    };
    let mask = match address {
        IpAddr::V4(_) => Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - length).unwrap_or(0)).into(),
        IpAddr::V6(_) => Ipv6Addr::from_bits(u128::MAX.checked_shl(128 - length).unwrap_or(0)).into(),
    };
    Ok((address, Some(mask)))
}

/// A protocol by name or number.
pub(super) fn protocol(text: &str, names: &dyn Names) -> Result<u8, Error> {
    let known = number(text, "").ok().or_else(|| names.protocol_number(&text.to_ascii_lowercase()));
    known.ok_or_else(|| Error::Usage(format!("`{text}' unsupported protocol")))
}

/// A port.
pub(super) fn port(text: &str) -> Result<u16, Error> {
    decimal(text, "port")
}

/// A number in the spellings of C: decimal, `0x` hexadecimal, `0` octal.
pub(super) fn number<T: TryFrom<u64>>(text: &str, what: &str) -> Result<T, Error> {
    let number = number::whole(text, 0, u64::MAX).and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| Error::Usage(format!("Invalid {what} `{text}'")))
}

/// A decimal number.
pub(super) fn decimal<T: FromStr>(text: &str, what: &str) -> Result<T, Error> {
    text.parse().or_else(|_| usage(format!("Invalid {what} `{text}'")))
}

/// A mark, and the mask behind it.
pub(super) fn mark(text: &str) -> Result<(u32, Option<u32>), Error> {
    match text.split_once('/') {
        Some((value, mask)) => Ok((number(value, "mark")?, Some(number(mask, "mark")?))),
        None => Ok((number(text, "mark")?, None)),
    }
}

/// An address, and a port behind it. A port stands behind an IPv4 address, or behind an IPv6 address in brackets.
pub(super) fn nat(text: &str) -> Result<(IpAddr, Option<&str>), Error> {
    let (place, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((place, rest)) => (place, rest.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((place, port)) if !port.contains(':') => (place, Some(port)),
            _ => (text, None),
        },
    };
    Ok((address(place)?, port))
}

/// Several words, as the reference takes such a list apart.
fn each(mut text: &str, mut take: impl FnMut(&str) -> Option<Result<(), Error>>) -> Result<(), Error> {
    let bad = |word: &str| Err(Error::Usage(format!("Bad parameter `{word}'")));
    while let Some(comma) = text.find(',').filter(|comma| *comma > 0) {
        take(&text[..comma]).unwrap_or_else(|| bad(&text[..comma]))?;
        text = &text[comma + 1..];
    }
    if text.is_empty() {
        return bad(text);
    }
    take(text).unwrap_or_else(|| bad(text))
}

/// The name that begins with the word, whatever its case.
fn known<T: Copy>(word: &str, names: &[(&str, T)]) -> Option<T> {
    let begins = |name: &str| name.get(..word.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(word));
    names.iter().find(|(name, _)| begins(name)).map(|(_, value)| *value)
}

/// Status bits, and what is wrong with words that the reference takes and ignores.
pub(super) fn status(text: &str) -> Result<(u32, Result<(), Error>), Error> {
    const NAMES: &[(&str, Option<u32>)] = &[
        ("SRC_NAT", None),
        ("DST_NAT", None),
        ("ASSURED", Some(1 << 2)),
        ("SEEN_REPLY", Some(1 << 1)),
        ("UNSET", Some(0)),
        ("FIXED_TIMEOUT", Some(1 << 10)),
        ("EXPECTED", Some(1)),
        ("OFFLOAD", Some(1 << 14)),
        ("HW_OFFLOAD", Some(1 << 15)),
    ];
    let (mut bits, mut sense) = (0, Ok(()));
    each(text, |word| {
        match known(word, NAMES)? {
            Some(bit) => bits |= bit,
            None => {
                let what = format!("the status `{word}' (--src-nat, --dst-nat say what is translated)");
                sense = Err(Error::Unsupported(what));
            }
        }
        Some(Ok(()))
    })?;
    Ok((bits, sense))
}

/// What a line shows.
pub(super) fn output(text: &str, output: &mut Output) -> Result<(), Error> {
    #[derive(Clone, Copy)]
    enum Word {
        Extended,
        Id,
        Timestamp,
        KernelTimestamp,
        Labels,
        Xml,
        Save,
        Userspace,
    }
    const NAMES: &[(&str, Word)] = &[
        ("xml", Word::Xml),
        ("extended", Word::Extended),
        ("timestamp", Word::Timestamp),
        ("id", Word::Id),
        ("ktimestamp", Word::KernelTimestamp),
        ("labels", Word::Labels),
        ("save", Word::Save),
        ("userspace", Word::Userspace),
    ];
    each(text, |word| {
        let set = match known(word, NAMES)? {
            Word::Extended => &mut output.extended,
            Word::Id => &mut output.id,
            Word::Timestamp => &mut output.timestamp,
            Word::KernelTimestamp => &mut output.ktimestamp,
            Word::Labels => &mut output.labels,
            Word::Xml => &mut output.xml,
            Word::Save => &mut output.save,
            // Who did what by hand is told in any case.
            Word::Userspace => return Some(Ok(())),
        };
        *set = true;
        Some(Ok(()))
    })?;
    let Output { extended, id, timestamp, ktimestamp, labels, xml, save } = *output;
    if save && (extended || id || timestamp || ktimestamp || labels || xml) {
        return Err(Error::Together("cannot combine save output with any other output type, use -o save only".to_owned()));
    }
    Ok(())
}

/// The kinds of events that are to be shown.
pub(super) fn kinds(text: &str) -> Result<Kinds, Error> {
    #[derive(Clone, Copy)]
    enum Word {
        All,
        New,
        Updates,
        Destroy,
    }
    const NAMES: &[(&str, Word)] =
        &[("ALL", Word::All), ("NEW", Word::New), ("UPDATES", Word::Updates), ("DESTROY", Word::Destroy)];
    let mut kinds = Kinds::NONE;
    each(text, |word| {
        match known(word, NAMES)? {
            Word::All => kinds = Kinds::ALL,
            Word::New => kinds.new = true,
            Word::Updates => kinds.updates = true,
            Word::Destroy => kinds.destroy = true,
        }
        Some(Ok(()))
    })?;
    Ok(kinds)
}

/// The state of a protocol that has states.
pub(super) fn state(text: &str, protocol: Option<u8>) -> Result<&'static str, Error> {
    const TCP: &[&str] =
        &["NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2"];
    const SCTP: &[&str] = &[
        "NONE",
        "CLOSED",
        "COOKIE_WAIT",
        "COOKIE_ECHOED",
        "ESTABLISHED",
        "SHUTDOWN_SENT",
        "SHUTDOWN_RECD",
        "SHUTDOWN_ACK_SENT",
        "HEARTBEAT_SENT",
    ];
    const DCCP: &[&str] =
        &["NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE", "INVALID"];
    let (name, states) = match protocol {
        Some(6) => ("unknown TCP", TCP),
        Some(33) => ("Unknown DCCP", DCCP),
        _ => ("unknown SCTP", SCTP),
    };
    let text = if text == "LISTEN" && protocol == Some(6) { "SYN_SENT2" } else { text };
    states.iter().find(|state| **state == text).copied().ok_or_else(|| Error::Usage(format!("{name} state `{text}'")))
}
