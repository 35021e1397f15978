//! The four texts in which FTP names the far end of a data connection (RFC 959, 1123, 2428), found at the beginning of a segment.
//!
//! Read as the kernel reads them (`nf_conntrack_ftp`): letters in either case; what begins like such a text and does not end like one is
//! [`Search::Cut`], be it cut by the segment's end or malformed.

use core::fmt::Write;
use core::net::Ipv6Addr;

use arrayvec::ArrayString;
use packet::family::Addr;
use packet::{Family, FamilyId};

use crate::conntrack::Dir;

/// How a command names the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `PORT h1,h2,h3,h4,p1,p2`
    Port,
    /// `227 Entering Passive Mode (h1,h2,h3,h4,p1,p2)`
    Pasv,
    /// `EPRT |1|132.235.1.2|6275|`
    Eprt,
    /// `229 Entering Extended Passive Mode (|||6446|)`
    Epsv,
}

/// Where the far end is named, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found<F: Family> {
    pub(super) form: Form,
    /// The bytes that name it.
    pub(super) at: usize,
    pub(super) len: usize,
    pub(super) address: F::Addr,
    pub(super) port: u16,
}

/// What a segment's beginning is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search<F: Family> {
    /// Something else.
    Nothing,
    /// One of the texts, but no end can be read from it.
    Cut,
    /// One of the texts.
    Found(Found<F>),
}

/// How one text looks.
struct Pattern {
    form: Form,
    begins: &'static [u8],
    /// The end is named behind the next one of these; right behind the beginning if there is none.
    behind: Option<u8>,
}

const OF_CLIENT: [Pattern; 2] = [
    Pattern { form: Form::Port, begins: b"PORT", behind: Some(b' ') },
    Pattern { form: Form::Eprt, begins: b"EPRT", behind: Some(b' ') },
];
const OF_SERVER: [Pattern; 2] = [
    Pattern { form: Form::Pasv, begins: b"227 ", behind: None },
    Pattern { form: Form::Epsv, begins: b"229 ", behind: Some(b'(') },
];

/// Looks at the beginning of a segment of this direction. `own` is its sender's address, which stands where a text names none.
pub(super) fn search<F: Family>(dir: Dir, data: &[u8], own: F::Addr) -> Search<F> {
    let patterns = match dir {
        Dir::Original => OF_CLIENT,
        Dir::Reply => OF_SERVER,
    };
    for pattern in patterns {
        let found = pattern.search::<F>(data, own);
        if found != Search::Nothing {
            return found;
        }
    }
    Search::Nothing
}

impl Pattern {
    fn search<F: Family>(&self, data: &[u8], own: F::Addr) -> Search<F> {
        let begins = self.begins;
        let compared = data.len().min(begins.len());
        if data.is_empty() || !data[..compared].eq_ignore_ascii_case(&begins[..compared]) {
            return Search::Nothing;
        }
        let Some(rest) = data.get(begins.len()..).filter(|rest| !rest.is_empty()) else { return Search::Cut };
        let skipped = match self.behind {
            None => Some(0),
            Some(mark) => rest.iter().position(|byte| *byte == mark).map(|at| at + 1),
        };
        let Some(at) = skipped.map(|skipped| begins.len() + skipped) else { return Search::Cut };
        let read = match self.form {
            Form::Port => six_numbers::<F>(&data[at..], own, Some(b'\r')).map(|(end, len)| (0, end, len)),
            Form::Pasv => {
                let digit = data[at..].iter().position(u8::is_ascii_digit);
                digit.and_then(|skip| six_numbers::<F>(&data[at + skip..], own, None).map(|(end, len)| (skip, end, len)))
            }
            Form::Eprt => eprt::<F>(&data[at..], own).map(|(end, len)| (0, end, len)),
            Form::Epsv => epsv(&data[at..]).map(|(port, len)| (0, (own, port), len)),
        };
        match read {
            Some((skip, (address, port), len)) => Search::Found(Found { form: self.form, at: at + skip, len, address, port }),
            None => Search::Cut,
        }
    }
}

/// Numbers, parted by `separator`, up to `end` (`None`: up to anything else). How many bytes they take, without what ends them. Their size is
/// not looked at.
fn numbers<const N: usize>(data: &[u8], separator: u8, end: Option<u8>) -> Option<([u32; N], usize)> {
    let mut read = [0u32; N];
    let mut at = 0;
    for (len, &byte) in data.iter().enumerate() {
        if byte.is_ascii_digit() {
            read[at] = read[at].wrapping_mul(10).wrapping_add(u32::from(byte - b'0'));
        } else if byte == separator {
            at += 1;
            if at == N {
                return None;
            }
        } else {
            let ends = end.is_none_or(|end| byte == end);
            return (ends && at == N - 1).then_some((read, len));
        }
    }
    None
}

fn ipv4([a, b, c, d]: [u32; 4]) -> u32 {
    a << 24 | b << 16 | c << 8 | d
}

/// `h1,h2,h3,h4,p1,p2`
fn six_numbers<F: Family>(data: &[u8], own: F::Addr, end: Option<u8>) -> Option<((F::Addr, u16), usize)> {
    let ([a, b, c, d, high, low], len) = numbers::<6>(data, b',', end)?;
    // In a connection over IPv6 the kernel writes these four bytes over the beginning of the address.
    let mut bytes = [0; 16];
    own.write(&mut bytes);
    bytes[..4].copy_from_slice(&ipv4([a, b, c, d]).to_be_bytes());
    Some(((F::Addr::read(&bytes)?, (high << 8 | low) as u16), len))
}

/// A delimiter of RFC 2428.
fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_graphic() && !byte.is_ascii_digit()
}

/// `|1|132.235.1.2|6275|` or `|2|1080::8:800:200C:417A|5282|`
fn eprt<F: Family>(data: &[u8], own: F::Addr) -> Option<((F::Addr, u16), usize)> {
    let [delimiter, family, second, rest @ ..] = data else { return None };
    if rest.is_empty() || !is_delimiter(*delimiter) || second != delimiter {
        return None;
    }
    let mut bytes = [0; 16];
    own.write(&mut bytes);
    let len = match (F::ID, family) {
        (FamilyId::Ipv4, b'1') => {
            let (read, len) = numbers::<4>(rest, b'.', Some(*delimiter))?;
            bytes[..4].copy_from_slice(&ipv4(read).to_be_bytes());
            len
        }
        (FamilyId::Ipv6, b'2') => {
            let len = rest.iter().position(|byte| byte == delimiter)?;
            let text = core::str::from_utf8(&rest[..len]).ok()?;
            bytes = text.parse::<Ipv6Addr>().ok()?.octets();
            len
        }
        _ => return None,
    };
    let address = F::Addr::read(&bytes)?;
    let (port, end) = port(data, 3 + len + 1, *delimiter)?;
    Some(((address, port), end))
}

/// `|||6446|`
fn epsv(data: &[u8]) -> Option<(u16, usize)> {
    let [delimiter, second, third, _, ..] = data else { return None };
    let parted = is_delimiter(*delimiter) && second == delimiter && third == delimiter;
    if parted { port(data, 3, *delimiter) } else { None }
}

/// A port from `start` to the delimiter, and where that ends. 0 is no port.
fn port(data: &[u8], start: usize, delimiter: u8) -> Option<(u16, usize)> {
    let mut port = 0u16;
    for (at, &byte) in data.iter().enumerate().skip(start) {
        if byte == delimiter {
            return (port != 0).then_some((port, at + 1));
        }
        if !byte.is_ascii_digit() {
            return None;
        }
        port = port.wrapping_mul(10).wrapping_add(u16::from(byte - b'0'));
    }
    None
}

/// Longest text that names an end: an IPv6 address in full, a port, delimiters.
pub(super) const LONGEST: usize = 64;

/// The text that names another end in the same form.
pub(super) fn text<F: Family>(form: Form, address: F::Addr, port: u16) -> Option<ArrayString<LONGEST>> {
    let mut bytes = [0; 16];
    address.write(&mut bytes);
    let [a, b, c, d, ..] = bytes;
    let mut text = ArrayString::new();
    let written = match form {
        Form::Port | Form::Pasv => write!(text, "{a},{b},{c},{d},{},{}", port >> 8, port & 0xff),
        Form::Eprt if F::ID == FamilyId::Ipv4 => write!(text, "|1|{a}.{b}.{c}.{d}|{port}|"),
        Form::Eprt => full_ipv6(&mut text, &bytes).and_then(|()| write!(text, "{port}|")),
        Form::Epsv => write!(text, "|||{port}|"),
    };
    written.ok().map(|()| text)
}

/// Every group with four digits, as the kernel writes them here.
fn full_ipv6(text: &mut ArrayString<LONGEST>, bytes: &[u8; 16]) -> core::fmt::Result {
    text.write_str("|2|")?;
    for (i, [high, low]) in bytes.as_chunks::<2>().0.iter().enumerate() {
        write!(text, "{}{high:02x}{low:02x}", if i == 0 { "" } else { ":" })?;
    }
    text.write_str("|")
}

#[cfg(test)]
mod tests {
    use packet::{Ipv4, Ipv6};
    use proptest::prelude::*;

    use super::*;

    const CLIENT: u32 = 0x0a00_0002;

    fn client(text: &str) -> Search<Ipv4> {
        search(Dir::Original, text.as_bytes(), CLIENT)
    }

    fn server(text: &str) -> Search<Ipv4> {
        search(Dir::Reply, text.as_bytes(), CLIENT)
    }

    fn found(form: Form, (at, len): (usize, usize), address: u32, port: u16) -> Search<Ipv4> {
        Search::Found(Found { form, at, len, address, port })
    }

    #[test]
    fn each_form_is_read() {
        assert_eq!(client("PORT 10,0,0,2,7,208\r\n"), found(Form::Port, (5, 14), CLIENT, 2000));
        assert_eq!(client("eprt |1|10.0.0.9|2001|\r\n"), found(Form::Eprt, (5, 17), 0x0a00_0009, 2001));
        assert_eq!(server("227 Entering Passive Mode (1,2,3,4,0,21).\r\n"), found(Form::Pasv, (27, 12), 0x0102_0304, 21));
        assert_eq!(server("227 =1,2,3,4,0,21\r\n"), found(Form::Pasv, (5, 12), 0x0102_0304, 21));
        assert_eq!(server("229 ok (!!!2121!)\r\n"), found(Form::Epsv, (8, 8), CLIENT, 2121));
        assert_eq!(
            search::<Ipv6>(Dir::Original, b"EPRT |2|2001:db8::5|99|\r\n", 1),
            Search::Found(Found { form: Form::Eprt, at: 5, len: 18, address: 0x2001_0db8 << 96 | 5, port: 99 })
        );
    }

    #[test]
    fn what_only_begins_like_one_is_cut() {
        for text in [
            "P",
            "po",
            "PORT",
            "PORT ",
            "PORTX",
            "PORT 1,2,3,4,5,6",
            "PORT 1,2,3,4,5\r\n",
            "PORT 1,2,3,4,5,6\n",
            "EPRT |1|1.2.3.4|\r\n",
        ] {
            assert_eq!(client(text), Search::Cut, "{text:?}");
        }
        for text in ["2", "227", "227 none\r\n", "229 (|||0|)\r\n", "229 (||21|)\r\n", "229 |||21|\r\n"] {
            assert_eq!(server(text), Search::Cut, "{text:?}");
        }
    }

    #[test]
    fn all_else_is_nothing() {
        for text in ["", "USER PORT\r\n", "227 (1,2,3,4,5,6)\r\n", " PORT 1,2,3,4,5,6\r\n"] {
            assert_eq!(client(text), Search::Nothing, "{text:?}");
        }
        assert_eq!(server("PORT 1,2,3,4,5,6\r\n"), Search::Nothing);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (form, before, after) in [(Form::Port, "PORT ", "\r\n"), (Form::Eprt, "EPRT ", "\r\n")] {
            let text = text::<Ipv4>(form, 0x0102_0304, 65_000).expect("it fits");
            assert_eq!(client(&format!("{before}{text}{after}")), found(form, (5, text.len()), 0x0102_0304, 65_000));
        }
        let longest = text::<Ipv6>(Form::Eprt, u128::MAX, 65_535).expect("it fits");
        assert_eq!(longest.as_str(), "|2|ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff|65535|");
    }

    proptest! {
        #[test]
        fn nothing_is_read_outside_of_the_segment(begin in "(PORT |EPRT |227 |229 )?", rest in proptest::collection::vec(any::<u8>(), 0..80)) {
            let data = [begin.as_bytes(), &rest].concat();
            for dir in [Dir::Original, Dir::Reply] {
                if let Search::Found(found) = search::<Ipv4>(dir, &data, 7) {
                    prop_assert!(found.len > 0 && found.at + found.len <= data.len());
                }
                let _ = search::<Ipv6>(dir, &data, 7);
            }
        }
    }
}
