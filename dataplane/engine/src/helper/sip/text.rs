//! Where things stand in a SIP message (RFC 3261) and in the session description that it carries (RFC 8866), as far as the helper looks.
//!
//! Read as the kernel reads them (`nf_conntrack_sip`): line by line, header names in either case and in their short forms, the first one that
//! can be read. Offsets count from the beginning of the message.

use core::net::{Ipv4Addr, Ipv6Addr};
use core::ops::Range;

use packet::family::Addr;
use packet::{Family, FamilyId};

/// Where a request goes that names no port.
const SIP_PORT: u16 = 5060;

/// What was looked for is not there, is there, or is malformed where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought<T> {
    Absent,
    Malformed,
    Found(T),
}

impl<T> Sought<T> {
    pub(super) fn found(self) -> Option<T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Absent | Self::Malformed => None,
        }
    }
}

/// An address, its port, and the bytes that name both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Uri<F: Family> {
    pub(super) range: Range<usize>,
    pub(super) address: F::Addr,
    pub(super) port: u16,
    /// Where the text goes on behind it.
    pub(super) end: usize,
}

/// Headers that are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Cseq,
    From,
    To,
    Contact,
    ViaUdp,
    ViaTcp,
    Expires,
    ContentLength,
}

impl Head {
    fn names(self) -> (&'static [u8], Option<u8>) {
        match self {
            Self::Cseq => (b"CSeq", None),
            Self::From => (b"From", Some(b'f')),
            Self::To => (b"To", Some(b't')),
            Self::Contact => (b"Contact", Some(b'm')),
            Self::ViaUdp | Self::ViaTcp => (b"Via", Some(b'v')),
            Self::Expires => (b"Expires", None),
            Self::ContentLength => (b"Content-Length", Some(b'l')),
        }
    }

    /// What stands before the value.
    fn before(self) -> Option<&'static [u8]> {
        match self {
            Self::From | Self::To | Self::Contact => Some(b"sip:"),
            Self::ViaUdp => Some(b"UDP "),
            Self::ViaTcp => Some(b"TCP "),
            Self::Cseq | Self::Expires | Self::ContentLength => None,
        }
    }

    fn value<F: Family>(self, text: &[u8], at: usize) -> Option<Range<usize>> {
        match self {
            Self::From | Self::To | Self::Contact => endpoint_behind_user::<F>(text, at),
            Self::ViaUdp | Self::ViaTcp => endpoint::<F>(text, at).map(|end| at..end),
            Self::Cseq | Self::Expires | Self::ContentLength => {
                let end = digits(text, at);
                (end > at).then_some(at..end)
            }
        }
    }
}

/// Lines of a session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Version,
    Owner,
    Connection,
    Media,
}

impl Line {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Version => b"v=",
            Self::Owner => b"o=",
            Self::Connection => b"c=",
            Self::Media => b"m=",
        }
    }
}

fn is_end(byte: u8) -> bool {
    byte == b'\r' || byte == b'\n'
}

fn starts(text: &[u8], at: usize, with: &[u8]) -> bool {
    text.get(at..at + with.len()).is_some_and(|here| here.eq_ignore_ascii_case(with))
}

fn digits(text: &[u8], from: usize) -> usize {
    from + text.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// A decimal number, as far as there are digits; 0 where there are none.
pub(super) fn number(text: &[u8], at: usize) -> u32 {
    let digits = text.get(at..digits(text, at)).unwrap_or_default();
    digits.iter().fold(0u64, |all, digit| all.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))) as u32
}

/// A number as C reads it (0x and 0 change its base), and where it ends; `None` without a digit.
fn any_number(text: &[u8], at: usize) -> Option<(u32, usize)> {
    let (base, from) = match text.get(at..).unwrap_or_default() {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => (16, at + 2),
        [b'0', ..] => (8, at),
        _ => (10, at),
    };
    let mut end = from;
    let mut value = 0u64;
    while let Some(digit) = text.get(end).and_then(|byte| char::from(*byte).to_digit(base)) {
        value = value.wrapping_mul(u64::from(base)).wrapping_add(u64::from(digit));
        end += 1;
    }
    (end > from).then_some((value as u32, end))
}

/// An address, and where it ends. In a URI one of IPv6 stands in brackets.
fn address<F: Family>(text: &[u8], at: usize, bracketed: bool) -> Option<(F::Addr, usize)> {
    let rest = text.get(at..)?;
    match F::ID {
        FamilyId::Ipv4 => {
            let len = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
            let octets = ipv4(rest.get(..len)?)?;
            Some((F::Addr::read(&octets)?, at + len))
        }
        FamilyId::Ipv6 => {
            let opened = usize::from(rest.first() == Some(&b'['));
            if bracketed && opened == 0 {
                return None;
            }
            let inner = &rest[opened..];
            let len = inner.iter().take_while(|byte| byte.is_ascii_hexdigit() || matches!(**byte, b':' | b'.')).count();
            let octets = core::str::from_utf8(&inner[..len]).ok()?.parse::<Ipv6Addr>().ok()?.octets();
            let closed = usize::from(inner.get(len) == Some(&b']'));
            if bracketed && closed == 0 {
                return None;
            }
            Some((F::Addr::read(&octets)?, at + opened + len + closed))
        }
    }
}

/// Four numbers below 256 of at most three digits.
fn ipv4(text: &[u8]) -> Option<[u8; 4]> {
    core::str::from_utf8(text).ok()?.parse::<Ipv4Addr>().ok().map(|address| address.octets())
}

/// Where an address with or without a port ends.
fn endpoint<F: Family>(text: &[u8], at: usize) -> Option<usize> {
    let (_, end) = address::<F>(text, at, true)?;
    Some(if text.get(end) == Some(&b':') { digits(text, end + 1) } else { end })
}

/// As [`endpoint`], behind what stands before `@`.
fn endpoint_behind_user<F: Family>(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let stop = rest.iter().position(|byte| *byte == b'@' || is_end(*byte));
    let from = match stop {
        Some(stop) if rest[stop] == b'@' => at + stop + 1,
        _ => at,
    };
    endpoint::<F>(text, from).map(|end| from..end)
}

/// Address and port of what begins at `at`; no port is SIP's own, one below 1024 is none.
fn uri<F: Family>(text: &[u8], range: Range<usize>) -> Option<Uri<F>> {
    let (address, end) = address::<F>(text, range.start, true)?;
    if text.get(end) != Some(&b':') {
        return Some(Uri { range, address, port: SIP_PORT, end });
    }
    let port = u16::try_from(number(text, end + 1)).ok().filter(|port| *port >= 1024)?;
    Some(Uri { range, address, port, end: digits(text, end + 1) })
}

/// The address that a request line names.
pub(super) fn request_uri<F: Family>(text: &[u8]) -> Option<Uri<F>> {
    let method = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if method == 0 {
        return None;
    }
    let mut at = method + 1;
    while at + 4 < text.len() {
        if is_end(text[at]) {
            return None;
        }
        if starts(text, at, b"sip:") {
            at += 4;
            break;
        }
        at += 1;
    }
    let range = endpoint_behind_user::<F>(text, at)?;
    let found = uri::<F>(text, range)?;
    Some(Uri { range: found.range.start..found.end, ..found })
}

/// The value of the next header of this kind behind `from`.
pub(super) fn header<F: Family>(text: &[u8], from: usize, head: Head) -> Sought<Range<usize>> {
    let (name, short) = head.names();
    for line in (Lines { text, at: from }) {
        if matches!(text[line], b' ' | b'\t') {
            continue;
        }
        let is_short =
            |short: u8| text.len() - line >= 2 && text[line].eq_ignore_ascii_case(&short) && !text[line + 1].is_ascii_alphabetic();
        let behind = if starts(text, line, name) {
            line + name.len()
        } else if short.is_some_and(is_short) {
            line + 1
        } else {
            continue;
        };
        let Some(colon) = skip_blanks(text, behind).filter(|at| text[*at] == b':' && at + 1 < text.len()) else { break };
        let Some(mut at) = skip_blanks(text, colon + 1) else { break };
        if let Some(before) = head.before() {
            match search(text, at, text.len(), before) {
                Some(found) => at = found + before.len(),
                None => return Sought::Malformed,
            }
        }
        return head.value::<F>(text, at).map_or(Sought::Malformed, Sought::Found);
    }
    Sought::Absent
}

/// Beginnings of lines behind an offset, without the one at the offset.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            if !is_end(byte) {
                continue;
            }
            if byte == b'\r' && *self.text.get(self.at)? == b'\n' {
                self.at += 1;
            }
            let line = self.at;
            self.text.get(line)?;
            // What begins a line may be the end of an empty one.
            self.at += 1;
            return Some(line);
        }
        None
    }
}

/// Behind blanks, and line ends that a blank follows.
fn skip_blanks(text: &[u8], mut at: usize) -> Option<usize> {
    while let Some(&byte) = text.get(at) {
        if byte == b' ' {
            at += 1;
        } else if is_end(byte) {
            at = continued(text, at)?;
        } else {
            return Some(at);
        }
    }
    None
}

/// A line that goes on: where its text does.
fn continued(text: &[u8], at: usize) -> Option<usize> {
    let pair = text.get(at) == Some(&b'\r') && text.get(at + 1) == Some(&b'\n');
    let mut at = at + if pair { 2 } else { 1 };
    if !matches!(text.get(at)?, b' ' | b'\t') {
        return None;
    }
    while matches!(text.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    (at < text.len()).then_some(at)
}

/// Where `needle` stands in the rest of a header, before `limit`.
fn search(text: &[u8], mut at: usize, limit: usize, needle: &[u8]) -> Option<usize> {
    let last = limit.checked_sub(needle.len())?;
    while at < last {
        if is_end(text[at]) {
            at = continued(text, at)?;
            if at >= last {
                return None;
            }
        }
        if starts(text, at, needle) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The place of a walk through all headers of a kind, of which each may hold several values.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    at: usize,
    inside: bool,
}

/// The address in the first header of this kind.
pub(super) fn header_uri<F: Family>(text: &[u8], head: Head) -> Sought<Uri<F>> {
    next_uri::<F>(text, head, None)
}

/// The address in the next header of this kind, or in the same one behind a comma.
pub(super) fn next_uri<F: Family>(text: &[u8], head: Head, mut walk: Option<&mut Walk>) -> Sought<Uri<F>> {
    let range = match walk_headers::<F>(text, head, walk.as_deref_mut()) {
        Some(range) => range,
        None => return Sought::Absent,
    };
    let Some(found) = uri::<F>(text, range) else { return Sought::Absent };
    if let Some(walk) = walk {
        walk.at = found.end;
    }
    Sought::Found(found)
}

fn walk_headers<F: Family>(text: &[u8], head: Head, walk: Option<&mut Walk>) -> Option<Range<usize>> {
    let mut at = walk.as_deref().map_or(0, |walk| walk.at);
    if walk.as_deref().is_some_and(|walk| walk.inside) {
        // Only a value that cannot be read is stepped over.
        while let Some(comma) = search(text, at, text.len(), b",") {
            let Some(before) = head.before() else { break };
            let Some(found) = search(text, comma, text.len(), before) else { break };
            match head.value::<F>(text, found + before.len()) {
                Some(range) => return Some(range),
                None => at = found + before.len(),
            }
        }
    }
    loop {
        match header::<F>(text, at, head) {
            Sought::Found(range) => {
                if let Some(walk) = walk {
                    walk.inside = true;
                }
                return Some(range);
            }
            Sought::Absent => {
                if let Some(walk) = walk {
                    walk.inside = false;
                }
                return None;
            }
            Sought::Malformed => {
                // On to the next line.
                let mut lines = Lines { text, at };
                at = loop {
                    let line = lines.next()?;
                    if is_header_line(text, line, head) {
                        break line;
                    }
                };
            }
        }
    }
}

fn is_header_line(text: &[u8], line: usize, head: Head) -> bool {
    let (name, short) = head.names();
    starts(text, line, name) || short.is_some_and(|short| starts(text, line, &[short]))
}

/// Before the next comma of the header.
fn element_end(text: &[u8], from: usize) -> usize {
    search(text, from, text.len(), b",").unwrap_or(text.len())
}

fn parameter(text: &[u8], from: usize, name: &[u8]) -> Option<(usize, usize)> {
    let limit = element_end(text, from);
    search(text, from, limit, name).map(|at| (at + name.len(), limit))
}

/// A parameter that is an address.
pub(super) fn address_parameter<F: Family>(
    text: &[u8],
    from: usize,
    name: &[u8],
    bracketed: bool,
) -> Option<(F::Addr, Range<usize>)> {
    let (at, _) = parameter(text, from, name)?;
    let (found, end) = address::<F>(text, at, bracketed)?;
    Some((found, at..end))
}

/// A parameter that is a number.
pub(super) fn number_parameter(text: &[u8], from: usize, name: &[u8]) -> Sought<(u32, Range<usize>)> {
    let Some((at, _)) = parameter(text, from, name) else { return Sought::Absent };
    any_number(text, at).map_or(Sought::Malformed, |(value, end)| Sought::Found((value, at..end)))
}

/// Does the `transport` parameter, if there is one, name this protocol?
pub(super) fn is_transport(text: &[u8], from: usize, protocol: u8) -> bool {
    match parameter(text, from, b"transport=") {
        None => true,
        Some((at, _)) if starts(text, at, b"TCP") => protocol == packet::protocol::TCP,
        Some((at, _)) if starts(text, at, b"UDP") => protocol == packet::protocol::UDP,
        Some(_) => false,
    }
}

/// The value of the next line of this kind behind `from`, and before one of the kind `until`.
pub(super) fn line<F: Family>(text: &[u8], from: usize, kind: Line, until: Option<Line>) -> Option<Range<usize>> {
    let lines = Lines { text, at: from };
    for at in lines {
        if until.is_some_and(|until| starts(text, at, until.name())) {
            return None;
        }
        if !starts(text, at, kind.name()) {
            continue;
        }
        let at = at + 2;
        return match kind {
            Line::Version => Some(at..digits(text, at)).filter(|range| !range.is_empty()),
            Line::Media => {
                let word = at + text[at..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
                (text.get(word) == Some(&b' ')).then(|| at..digits(text, word + 1))
            }
            Line::Owner | Line::Connection => {
                let network: &[u8] = if F::ID == FamilyId::Ipv4 { b"IN IP4 " } else { b"IN IP6 " };
                let end = at + text[at..].iter().position(|byte| is_end(*byte)).unwrap_or(text.len() - at);
                let last = text.len().checked_sub(network.len())?;
                let found = (at..end.min(last)).find(|at| text[*at..].starts_with(network))? + network.len();
                address::<F>(text, found, false).map(|(_, end)| found..end)
            }
        };
    }
    None
}

/// The address of a line, and its bytes.
pub(super) fn line_address<F: Family>(
    text: &[u8],
    from: usize,
    kind: Line,
    until: Option<Line>,
) -> Option<(F::Addr, Range<usize>)> {
    let range = line::<F>(text, from, kind, until)?;
    address::<F>(text, range.start, false).map(|(found, _)| (found, range))
}

#[cfg(test)]
mod tests {
    use packet::{Ipv4, Ipv6};

    use super::*;

    const TEXT: &[u8] = b"REGISTER sip:b@10.0.1.2:5090;x SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.2:5070;rport=0x13c4;received=9.9.9.9\r\n\
        Contact: <sip:a@1.2.3.4>;expires=7,\r\n <sip:5.6.7.8:6000>\r\nm : sip:c@9.9.9.9\r\nMax: 1\r\nCSeq: 42 REGISTER\r\n\r\n\
        v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\nm=audio 7000 RTP/AVP 0\r\nc=IN IP4 10.0.0.3\r\n";

    fn at(range: Range<usize>) -> &'static str {
        core::str::from_utf8(&TEXT[range]).expect("ASCII")
    }

    #[test]
    fn the_request_and_its_way_are_found() {
        let uri = request_uri::<Ipv4>(TEXT).expect("it is there");
        assert_eq!((at(uri.range), uri.port), ("10.0.1.2:5090", 5090));
        let via = header_uri::<Ipv4>(TEXT, Head::ViaUdp).found().expect("in its short form");
        assert_eq!((via.address, via.port), (0x0a00_0002, 5070));
        let Sought::Found((port, range)) = number_parameter(TEXT, via.range.end, b"rport=") else { panic!("no rport") };
        assert_eq!((port, at(range)), (5060, "0x13c4"));
        assert_eq!(address_parameter::<Ipv4>(TEXT, via.range.end, b"received=", false).map(|found| at(found.1)), Some("9.9.9.9"));
        assert_eq!(header::<Ipv4>(TEXT, 0, Head::Cseq).found().map(at), Some("42"));
        assert_eq!(header::<Ipv4>(TEXT, 0, Head::Expires), Sought::Absent);
    }

    #[test]
    fn contacts_are_walked_through_commas_and_headers() {
        let mut walk = Walk::default();
        let mut found = Vec::new();
        while let Sought::Found(uri) = next_uri::<Ipv4>(TEXT, Head::Contact, Some(&mut walk)) {
            found.push((at(uri.range), uri.port));
        }
        assert_eq!(found, [("1.2.3.4", 5060), ("5.6.7.8:6000", 6000), ("9.9.9.9", 5060)]);
    }

    #[test]
    fn a_description_is_read_up_to_its_next_part() {
        let begin = line::<Ipv4>(TEXT, 0, Line::Version, None).expect("it begins").start;
        assert_eq!(line::<Ipv4>(TEXT, begin, Line::Owner, Some(Line::Media)).map(at), Some("10.0.0.2"));
        assert_eq!(line::<Ipv4>(TEXT, begin, Line::Connection, Some(Line::Media)), None, "it belongs to the medium");
        let medium = line::<Ipv4>(TEXT, begin, Line::Media, None).expect("one medium");
        assert_eq!(at(medium.clone()), "audio 7000");
        assert_eq!(
            line_address::<Ipv4>(TEXT, medium.start, Line::Connection, Some(Line::Media)).map(|found| found.0),
            Some(0x0a00_0003)
        );
    }

    #[test]
    fn ipv6_stands_in_brackets_where_a_port_may_follow() {
        let text = b"INVITE sip:b@[2001:db8::2]:5070 SIP/2.0\r\nc=IN IP6 2001:db8::3\r\n";
        assert_eq!(request_uri::<Ipv6>(text).map(|uri| (uri.address, uri.port)), Some((0x2001_0db8 << 96 | 2, 5070)));
        assert_eq!(request_uri::<Ipv6>(b"INVITE sip:b@2001:db8::2 SIP/2.0\r\n"), None);
        assert_eq!(line_address::<Ipv6>(text, 0, Line::Connection, None).map(|found| found.0), Some(0x2001_0db8 << 96 | 3));
    }
}
