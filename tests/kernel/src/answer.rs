//! Answers to what a system sent out. With NAT a port may be chosen freely, so an answer is made from the frame at hand, for each system
//! its own.

use anyhow::{Context, Result, bail};

use crate::frame::{ETHERNET, Ip, View, frame, word};
use crate::world::Port;

/// What the receiver of a frame sends back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A TCP segment with the ports swapped.
    Tcp {
        /// Its flags.
        flags: u8,
        /// Its sequence number.
        seq: u32,
        /// Its acknowledgment number.
        ack: u32,
        /// Bytes of data.
        data: usize,
    },
    /// A TCP segment with the ports swapped, that acknowledges a number counted from the frame's own.
    Back {
        /// Its flags.
        flags: u8,
        /// Its sequence number.
        seq: u32,
        /// By how much its acknowledgment number is ahead of the frame's sequence number.
        ahead: u32,
        /// Bytes of data.
        data: usize,
        /// A timestamp, which echoes the frame's; none where the frame has none.
        stamp: Option<u32>,
        /// The edges of a selective acknowledgement, counted like `ahead`.
        sack: Option<(u32, u32)>,
        /// A window scale.
        scale: Option<u8>,
    },
    /// A UDP datagram with the ports swapped.
    Udp {
        /// Bytes of data.
        data: usize,
    },
    /// The reply to an ICMP query: the type that answers it, all else the same.
    Echo,
    /// An ICMP error about it.
    Error {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// How many bytes of the packet are quoted.
        quote: usize,
    },
}

impl Answer {
    /// The frame that comes back by the port by which `sent` left; `None` where such an answer makes no sense.
    pub fn to(&self, port: Port, sent: &[u8]) -> Option<Vec<u8>> {
        let view = View::of_frame(sent)?;
        let mac = sent[..6].try_into().ok()?;
        let ports = || Some((word(view.bytes, view.l4)?, word(view.bytes, view.l4 + 2)?));
        let (src, dst) = (view.dst, view.src);
        let ip = match *self {
            Self::Tcp { flags, seq, ack, data } if view.protocol == 6 && !view.later => {
                let (to, from) = ports()?;
                Ip::tcp((src, from), (dst, to), flags, seq, ack, &[], &vec![b'r'; data])
            }
            Self::Back { flags, seq, ahead, data, stamp, sack, scale } if view.protocol == 6 && !view.later => {
                let (to, from) = ports()?;
                let segment = view.bytes.get(view.l4..)?;
                let number = u32::from_be_bytes(segment.get(4..8)?.try_into().ok()?);
                let mut options = Vec::new();
                if let (Some(value), Some(echo)) = (stamp, timestamp(segment)) {
                    options.extend([1, 1, 8, 10]);
                    options.extend(value.to_be_bytes());
                    options.extend(echo);
                }
                if let Some((left, right)) = sack {
                    options.extend([1, 1, 5, 10]);
                    [left, right].iter().for_each(|edge| options.extend(number.wrapping_add(*edge).to_be_bytes()));
                }
                options.extend(scale.map(|scale| [1, 3, 3, scale]).into_iter().flatten());
                Ip::tcp((src, from), (dst, to), flags, seq, number.wrapping_add(ahead), &options, &vec![b'r'; data])
            }
            Self::Udp { data } if view.protocol == 17 && !view.later => {
                let (to, from) = ports()?;
                Ip::udp((src, from), (dst, to), &vec![b'r'; data])
            }
            Self::Echo => {
                let kind = match (view.src.is_ipv6(), view.icmp_kind()?) {
                    // In ICMP's words: see `Ip::icmp`.
                    (false, 8) | (true, 128) => 0,
                    (false, query @ (13 | 15 | 17)) => query + 1,
                    _ => return None,
                };
                let message = view.bytes.get(view.l4..)?;
                let rest = message.get(4..8)?.try_into().ok()?;
                Ip::icmp(src, dst, kind, 0, rest, &message[8..])
            }
            Self::Error { kind, code, quote } => {
                let rest = if (kind, code) == (3, 4) { [0, 0, 5, 0] } else { [0; 4] };
                Ip::icmp(src, dst, kind, code, rest, &view.bytes[..quote.min(view.bytes.len())])
            }
            _ => return None,
        };
        debug_assert!(sent.len() >= ETHERNET);
        Some(frame(port, mac, &ip.packet()))
    }

    pub(crate) fn words(&self) -> String {
        match self {
            Self::Tcp { flags, seq, ack, data } => format!("tcp {flags:02x} {seq} {ack} {data}"),
            Self::Back { flags, seq, ahead, data, stamp, sack, scale } => {
                let stamp = stamp.map_or_else(|| "-".to_owned(), |stamp| stamp.to_string());
                let sack = sack.map_or_else(|| "-".to_owned(), |(left, right)| format!("{left}:{right}"));
                let scale = scale.map_or_else(|| "-".to_owned(), |scale| scale.to_string());
                format!("back {flags:02x} {seq} {ahead} {data} {stamp} {sack} {scale}")
            }
            Self::Udp { data } => format!("udp {data}"),
            Self::Echo => "echo".to_owned(),
            Self::Error { kind, code, quote } => format!("error {kind} {code} {quote}"),
        }
    }

    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        Ok(match words {
            ["tcp", flags, seq, ack, data] => Self::Tcp {
                flags: u8::from_str_radix(flags, 16).context("flags are two hexadecimal digits")?,
                seq: seq.parse()?,
                ack: ack.parse()?,
                data: data.parse()?,
            },
            ["back", flags, seq, ahead, data, stamp, sack, scale] => Self::Back {
                flags: u8::from_str_radix(flags, 16).context("flags are two hexadecimal digits")?,
                seq: seq.parse()?,
                ahead: ahead.parse()?,
                data: data.parse()?,
                stamp: (*stamp != "-").then(|| stamp.parse()).transpose()?,
                sack: match sack.split_once(':') {
                    Some((left, right)) => Some((left.parse()?, right.parse()?)),
                    None => None,
                },
                scale: (*scale != "-").then(|| scale.parse()).transpose()?,
            },
            ["udp", data] => Self::Udp { data: data.parse()? },
            ["echo"] => Self::Echo,
            ["error", kind, code, quote] => Self::Error { kind: kind.parse()?, code: code.parse()?, quote: quote.parse()? },
            _ => bail!("no answer: {words:?}"),
        })
    }
}

/// The value of a segment's timestamp, where one of the lists stands that SYNs and their answers have.
fn timestamp(segment: &[u8]) -> Option<[u8; 4]> {
    let end = usize::from(segment.get(12)? >> 4) * 4;
    let options = segment.get(20..end)?;
    let at = options.windows(2).step_by(2).position(|two| two == [8, 10])? * 2;
    options.get(at + 2..at + 6)?.try_into().ok()
}
