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
            ["udp", data] => Self::Udp { data: data.parse()? },
            ["echo"] => Self::Echo,
            ["error", kind, code, quote] => Self::Error { kind: kind.parse()?, code: code.parse()?, quote: quote.parse()? },
            _ => bail!("no answer: {words:?}"),
        })
    }
}
