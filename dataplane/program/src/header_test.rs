//! The part of a rule that looks at header fields alone, and so can be answered by a tree.

use bitflags::bitflags;
use packet::family::Addr;
use packet::{Family, FamilyId, Fragment, Header, L4};
use serde::{Deserialize, Serialize};

use crate::id::{IdRange, InterfaceId, InterfaceSet, PatternId};

bitflags! {
    /// Which tests of the IP part hold when the field does *not* match (`!`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub struct Invert: u8 {
        /// `! -s`
        const SRC = 1;
        /// `! -d`
        const DST = 2;
        /// `! -i`
        const IN = 4;
        /// `! -o`
        const OUT = 8;
        /// `! -p`
        const PROTOCOL = 16;
        /// `! -f`
        const FRAGMENT = 32;
    }
}

/// An interface by name, or by the beginning of one (`eth+`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct InterfacePattern {
    /// The name without the `+`; at most 15 bytes.
    pub name: String,
    /// True for `name+`.
    pub prefix: bool,
}

impl InterfacePattern {
    /// Does an interface of this name match? The nameless interface (`""`) is matched by `+` alone, as in the kernel.
    pub fn matches(&self, name: &str) -> bool {
        if self.prefix { name.starts_with(&self.name) } else { name == self.name }
    }
}

/// Ports from the first to the last, both included. The first above the last matches nothing, as in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PortRange {
    /// Lowest port.
    pub first: u16,
    /// Highest port.
    pub last: u16,
}

impl PortRange {
    /// Every port.
    pub const ANY: Self = Self { first: 0, last: u16::MAX };

    /// Is the port in the range?
    #[inline]
    pub fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }
}

/// Which ports `multiport` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PortSides {
    /// `--sports`
    Source,
    /// `--dports`
    Destination,
    /// `--ports`: either.
    Either,
}

/// A test of the transport header that needs nothing but [`Header::transport`].
///
/// `protocol` conditions are the rule's `-p`; iptables accepts these matches only with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum L4Test {
    /// `-m tcp` but for `--tcp-option`, which is [`crate::Match::TcpOption`].
    Tcp {
        /// `--sport`
        sport: PortRange,
        /// `! --sport`
        not_sport: bool,
        /// `--dport`
        dport: PortRange,
        /// `! --dport`
        not_dport: bool,
        /// `--tcp-flags`: the flags looked at.
        mask: u8,
        /// `--tcp-flags`: those of them that are set.
        set: u8,
        /// `! --tcp-flags`
        not_flags: bool,
    },
    /// `-m udp`
    Udp {
        /// `--sport`
        sport: PortRange,
        /// `! --sport`
        not_sport: bool,
        /// `--dport`
        dport: PortRange,
        /// `! --dport`
        not_dport: bool,
    },
    /// `-m icmp`, `-m icmp6`
    Icmp {
        /// Type; 255 with codes 0 to 255 is any type (`--icmp-type any`).
        kind: u8,
        /// Lowest code.
        code_first: u8,
        /// Highest code.
        code_last: u8,
        /// `! --icmp-type`
        not: bool,
    },
    /// `-m multiport`. The kernel still finds ports where the header is cut behind its fourth byte; here such a packet is dropped on the
    /// spot, as by the other transport tests.
    Multiport {
        /// Which ports are looked at.
        sides: PortSides,
        /// The list, in [`crate::Table::port_ranges`].
        ranges: IdRange,
        /// `! --ports`
        not: bool,
    },
}

/// What a header test says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// The transport header that it needs is lost or cut short: iptables drops the packet here, and no rule or policy counts it.
    HotDrop,
    /// It holds, and iptables drops the packet behind this rule: a test turned round by `!` (of SCTP's chunks, of DCCP's options) found that what it
    /// needs is cut short. The rule counts, and its target acts, if all else holds.
    Doomed,
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl L4Test {
    /// TCP flags that the test looks at: packets that differ in no other field, nor in one of these, get the same answer.
    pub(crate) fn tested_flags(&self) -> u8 {
        match *self {
            // `set` may name a flag that is not looked at: then the test never holds.
            Self::Tcp { mask, .. } => mask,
            Self::Udp { .. } | Self::Icmp { .. } | Self::Multiport { .. } => 0,
        }
    }

    /// Do two tests ask the same, each of a table with these port ranges?
    pub(crate) fn is_same(&self, port_ranges: &[PortRange], other: &Self, other_ranges: &[PortRange]) -> bool {
        match (*self, *other) {
            (Self::Multiport { sides, ranges, not }, Self::Multiport { sides: sides2, ranges: ranges2, not: not2 }) => {
                (sides, not) == (sides2, not2) && ranges.of(port_ranges) == ranges2.of(other_ranges)
            }
            (one, other) => one == other,
        }
    }

    /// Asks the test. `port_ranges` is the table's array.
    #[inline]
    pub fn ask<F: Family>(&self, header: &Header<F>, port_ranges: &[PortRange]) -> Answer {
        match header.transport {
            // Only `tcp` minds, and in IPv4 alone: a fragment that begins inside the TCP header could overwrite its flags (RFC 1858).
            L4::Absent => match (self, header.fragment) {
                (Self::Tcp { .. }, Fragment::Later(8)) if F::ID == FamilyId::Ipv4 => return Answer::HotDrop,
                _ => return Answer::No,
            },
            // `multiport` reads no more than the ports.
            L4::Truncated { ports } if !matches!(self, Self::Multiport { .. }) || ports.is_none() => return Answer::HotDrop,
            _ => {}
        }
        match *self {
            Self::Tcp { sport, not_sport, dport, not_dport, mask, set, not_flags } => match header.transport {
                L4::Tcp { sport: s, dport: d, flags, .. } => {
                    (sport.contains(s) != not_sport && dport.contains(d) != not_dport && (flags & mask == set) != not_flags).into()
                }
                _ => Answer::No,
            },
            Self::Udp { sport, not_sport, dport, not_dport } => match header.transport {
                L4::Udp { sport: s, dport: d, .. } => (sport.contains(s) != not_sport && dport.contains(d) != not_dport).into(),
                _ => Answer::No,
            },
            Self::Icmp { kind, code_first, code_last, not } => match header.transport {
                L4::Icmp { kind: k, code, .. } => {
                    let any = kind == 0xff && F::ICMP == packet::protocol::ICMP;
                    ((any || (k == kind && code_first <= code && code <= code_last)) != not).into()
                }
                _ => Answer::No,
            },
            Self::Multiport { sides, ranges, not } => match (header.ports(), header.transport) {
                (Some((s, d)), _) | (None, L4::Truncated { ports: Some((s, d)) }) => {
                    let listed = |port| ranges.of(port_ranges).iter().any(|r| r.contains(port));
                    let yes = match sides {
                        PortSides::Source => listed(s),
                        PortSides::Destination => listed(d),
                        PortSides::Either => listed(s) || listed(d),
                    };
                    (yes != not).into()
                }
                _ => Answer::No,
            },
        }
    }
}

/// The header tests of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct HeaderTest<F: Family> {
    /// `-s`: address under [`HeaderTest::src_mask`].
    pub src: F::Addr,
    /// Mask of `-s`; any bits.
    pub src_mask: F::Addr,
    /// `-d`: address under [`HeaderTest::dst_mask`].
    pub dst: F::Addr,
    /// Mask of `-d`; any bits.
    pub dst_mask: F::Addr,
    /// `-i`
    pub in_interface: Option<PatternId>,
    /// `-o`
    pub out_interface: Option<PatternId>,
    /// `-p`; `None` is any. IPv4's `-p 0` is any too, and is `None` here.
    pub protocol: Option<u8>,
    /// `-f`: later fragments.
    pub fragment: bool,
    /// Which of the above are inverted.
    pub invert: Invert,
    /// Transport tests that may be asked before everything else, in [`crate::Table::l4_tests`].
    pub l4: IdRange,
}

/// The sets that a table's patterns stand for, by [`PatternId`], on this box.
#[derive(Clone, Copy, Debug)]
pub struct Interfaces<'a> {
    /// The set of each pattern.
    pub sets: &'a [InterfaceSet],
    /// Where the packet came in.
    pub input: InterfaceId,
    /// Where it is going, once that is known.
    pub output: InterfaceId,
}

impl Interfaces<'_> {
    /// Does the pattern name this interface? A table that was never bound names none.
    #[inline]
    fn named(&self, pattern: PatternId, interface: InterfaceId) -> bool {
        self.sets.get(pattern.index()).is_some_and(|set| set & interface.bit() != 0)
    }
}

impl<F: Family> HeaderTest<F> {
    /// The test that every packet passes.
    pub fn any() -> Self {
        Self::default()
    }

    /// Does every packet pass it, whatever its header?
    #[inline]
    pub fn is_any(&self) -> bool {
        let addresses = self.src_mask | self.dst_mask | self.src | self.dst;
        addresses == F::Addr::ZERO
            && self.protocol.is_none()
            && self.in_interface.is_none()
            && self.out_interface.is_none()
            && !self.fragment
            && self.invert.is_empty()
            && self.l4.len == 0
    }

    /// Is the rule's `-p` exactly this protocol, not inverted?
    pub fn is_protocol(&self, number: u8) -> bool {
        self.protocol == Some(number) && !self.invert.contains(Invert::PROTOCOL)
    }

    /// Does the rule ask for a protocol, and the packet has lost its own? The kernel drops it on the spot.
    #[inline]
    pub fn is_lost(&self, header: &Header<F>) -> bool {
        header.transport == L4::Lost && self.protocol.is_some()
    }

    /// Tests the IP part: everything but [`HeaderTest::l4`]. It holds as well where nothing but the protocol is missing, for [`HeaderTest::is_lost`]
    /// to drop the packet.
    #[inline]
    pub fn ip_part(&self, header: &Header<F>, interfaces: Interfaces<'_>) -> bool {
        let inverted = |flag: Invert| self.invert.contains(flag);
        ((header.src & self.src_mask == self.src) != inverted(Invert::SRC))
            && ((header.dst & self.dst_mask == self.dst) != inverted(Invert::DST))
            && self.in_interface.is_none_or(|p| interfaces.named(p, interfaces.input) != inverted(Invert::IN))
            && self.out_interface.is_none_or(|p| interfaces.named(p, interfaces.output) != inverted(Invert::OUT))
            && self.protocol.is_none_or(|p| (p == header.protocol) != inverted(Invert::PROTOCOL) || header.transport == L4::Lost)
            && (!self.fragment || matches!(header.fragment, Fragment::Later(_)) != inverted(Invert::FRAGMENT))
    }
}
