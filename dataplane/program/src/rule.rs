//! One rule: its header test, what is asked after it, and what is done.

use std::num::NonZeroU16;

use packet::Family;
use serde::{Deserialize, Serialize};

use crate::around::{LinkDestination, Side, TypeTest};
pub use crate::conntrack_test::{ConntrackTest, ctstate, ctstatus};
use crate::event_set::EventSet;
use crate::field_test::FieldTest;
use crate::header_test::{HeaderTest, L4Test};
use crate::helper::Helper;
use crate::id::{ChainId, CounterSlot, IdRange, LabelId, StateSlot};
use crate::limit::LimitSpec;

/// One rule of a chain. What is asked of one whose header test holds stands together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
#[repr(C)]
pub struct Rule<F: Family> {
    /// What [`crate::Table::next`] answers.
    pub test: HeaderTest<F>,
    /// The matches that remain after the header test, in rule order, in [`crate::Table::matches`].
    pub residual: IdRange,
    /// Every match in rule order, the transport tests among them, in the same array: asked instead of `test.l4` and `residual` when the
    /// packet's transport header is cut short or absent, because then the order decides whether the packet is dropped on the spot.
    pub ordered: IdRange,
    /// What is done.
    pub target: Target,
    /// The rule's counter.
    pub counter: CounterSlot,
}

impl<F: Family> Rule<F> {
    /// Does it need connections to be tracked? `matches` are the table's.
    pub(crate) fn needs_tracking(&self, matches: &[Match]) -> bool {
        self.target.needs_tracking() || self.ordered.of(matches).iter().any(Match::needs_tracking)
    }
}

/// Labels that a connection can carry.
pub const LABELS: u8 = 128;

/// A match that is asked in rule order, after the header test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Match {
    /// A transport test, where it could not be asked beforehand.
    L4(L4Test),
    /// `-m tcp --tcp-option`: is the option there? Hotdrop when the data offset says less than 20 bytes or the options reach past the end
    /// of the packet; a header without options has none (`tcp_find_option` of `xt_tcpudp.c`).
    TcpOption {
        /// Option kind.
        kind: u8,
        /// `!`
        not: bool,
    },
    /// `-m length`, `-m ttl`, `-m hl`, `-m tos`, `-m dscp`, `-m ecn --ecn-ip-ect`
    Field(FieldTest),
    /// `-m iprange`: index into [`crate::Table::address_tests`].
    Address(u32),
    /// `-m ecn --ecn-tcp-ece`, `--ecn-tcp-cwr`: `None` is not asked. Of a later fragment another byte is looked at
    /// (`packet::tcp::flags_at`); a packet that ends within 20 bytes does not pass (`xt_ecn.c`).
    TcpEcn {
        /// Whether ECE must be set.
        ece: Option<bool>,
        /// Whether CWR must be set.
        cwr: Option<bool>,
    },
    /// A test that reads the packet's bytes: index into [`crate::Table::packet_tests`].
    Packet(u32),
    /// `-m mac`: the source address of the frame.
    Mac {
        /// As it travels.
        source: [u8; 6],
        /// `!`
        not: bool,
    },
    /// `-m addrtype`: both tests must hold.
    Addrtype {
        /// `--src-type`
        src: TypeTest,
        /// `--dst-type`
        dst: TypeTest,
        /// Only what belongs to this interface of the packet's counts.
        limit: Option<Side>,
    },
    /// `-m rpfilter`: would an answer leave by the interface that the packet came by?
    Rpfilter {
        /// `--loose`: by any interface.
        loose: bool,
        /// `--validmark`: of a packet with this mark.
        valid_mark: bool,
        /// `--accept-local`: the box's own addresses are right.
        accept_local: bool,
        /// `--invert`
        not: bool,
    },
    /// `-m pkttype`: to whom was the frame addressed?
    Pkttype {
        /// To these.
        to: LinkDestination,
        /// `!`
        not: bool,
    },
    /// `-m devgroup`: does the group of an interface of the packet have these bits under the mask?
    DeviceGroup {
        /// Which interface.
        side: Side,
        /// Wanted; bits outside the mask count for nothing.
        group: u32,
        /// Bits looked at.
        mask: u32,
        /// `!`
        not: bool,
    },
    /// `-m state`, or `-m conntrack` with `--ctstate` alone: bits of [`ctstate`].
    State {
        /// The states asked for.
        mask: u16,
        /// `!`
        not: bool,
    },
    /// `-m conntrack` with anything else: index into [`crate::Table::conntrack_tests`].
    Conntrack(u32),
    /// `-m mark`
    Mark {
        /// Wanted under the mask.
        value: u32,
        /// Bits looked at.
        mask: u32,
        /// `!`
        not: bool,
    },
    /// `-m connmark`
    Connmark {
        /// Wanted under the mask.
        value: u32,
        /// Bits looked at.
        mask: u32,
        /// `!`
        not: bool,
    },
    /// `-m connbytes`: index into [`crate::Table::connbytes_tests`].
    Connbytes(u32),
    /// `-m connlabel`
    Connlabel {
        /// Which label; below [`LABELS`].
        label: u8,
        /// A connection without it gets it, and then it has it.
        set: bool,
        /// `!`
        not: bool,
    },
    /// `-m cluster`: does the connection fall to one of these nodes? A packet without one does not match. It is taken for addressed to the box then, if it came to a
    /// group of stations on its link and is for one alone.
    Cluster {
        /// How many nodes there are: 1 to 32.
        total: u8,
        /// A bit for each of the nodes, from the lowest one.
        nodes: u32,
        /// Turns the hash about.
        seed: u32,
        /// `!`
        not: bool,
    },
    /// `-m connlimit`
    Connlimit {
        /// The rule's lists, kept outside: they begin empty with the table.
        state: StateSlot,
        /// Index into [`crate::Table::connlimit_tests`].
        test: u32,
    },
    /// `-m set`: index into [`crate::Table::set_tests`].
    Set(u32),
    /// `-m selinux`: is this the packet's label?
    Label {
        /// The label.
        label: LabelId,
        /// `!`
        not: bool,
    },
    /// `-m helper`: was the connection announced by one that is read by one of these helpers?
    Helper {
        /// Bits of [`Helper::bit`].
        set: u8,
        /// `!`
        not: bool,
    },
    /// `-m statistic --mode random`: true when 31 random bits are below the threshold.
    Random {
        /// Probability times 2^31.
        threshold: u32,
        /// `!`
        not: bool,
    },
    /// `-m statistic --mode nth`
    Nth {
        /// The position, kept outside; starts at `every - 1 - packet`, see [`crate::StateInit::Nth`].
        state: StateSlot,
        /// Length of the round less one, as the kernel keeps it.
        every: u32,
        /// `!`
        not: bool,
    },
    /// `-m limit`
    Limit {
        /// The bucket, kept outside.
        state: StateSlot,
        /// Its shape.
        spec: LimitSpec,
    },
    /// `-m quota`
    Quota {
        /// The bytes that are left, kept outside.
        state: StateSlot,
        /// `!`
        not: bool,
    },
    /// A match whose memory has a name: index into [`crate::Table::named_tests`].
    Named(u32),
    /// `-m time`: index into [`crate::Table::time_tests`].
    Time(u32),
    /// A test of any byte of the packet: index into [`crate::Table::content_tests`].
    Content(u32),
}

impl Match {
    /// Holds for every packet. In [`Rule::ordered`] alone it stands for what no packet needs to be asked (`-m comment`): a rule without any test is something
    /// else to TRACE ([`crate::eval::Met`]).
    pub const ALWAYS: Self = Self::Mark { value: 0, mask: 0, not: false };

    /// Must what stands behind this match in its rule be asked after it? It remembers the packets that reach it, or may drop the packet on
    /// the spot, so a transport test behind it may not move into the header test.
    pub fn holds_back(&self) -> bool {
        match self {
            Self::TcpOption { .. }
            | Self::Packet(_)
            | Self::Connlabel { set: true, .. }
            | Self::Cluster { .. }
            | Self::Connlimit { .. }
            | Self::Set(_)
            | Self::Random { .. }
            | Self::Nth { .. }
            | Self::Limit { .. }
            | Self::Quota { .. }
            | Self::Named(_) => true,
            Self::L4(_)
            | Self::Field(_)
            | Self::Address(_)
            | Self::TcpEcn { .. }
            | Self::Mac { .. }
            | Self::Addrtype { .. }
            | Self::Rpfilter { .. }
            | Self::Pkttype { .. }
            | Self::DeviceGroup { .. }
            | Self::State { .. }
            | Self::Conntrack(_)
            | Self::Mark { .. }
            | Self::Connmark { .. }
            | Self::Connbytes(_)
            | Self::Connlabel { set: false, .. }
            | Self::Label { .. }
            | Self::Helper { .. }
            | Self::Time(_)
            | Self::Content(_) => false,
        }
    }

    /// Does it need connections to be tracked?
    pub fn needs_tracking(&self) -> bool {
        match self {
            Self::State { .. }
            | Self::Conntrack(_)
            | Self::Connmark { .. }
            | Self::Connbytes(_)
            | Self::Connlabel { .. }
            | Self::Cluster { .. }
            | Self::Connlimit { .. }
            | Self::Helper { .. } => true,
            Self::L4(_)
            | Self::TcpOption { .. }
            | Self::Field(_)
            | Self::Address(_)
            | Self::TcpEcn { .. }
            | Self::Packet(_)
            | Self::Mac { .. }
            | Self::Addrtype { .. }
            | Self::Rpfilter { .. }
            | Self::Pkttype { .. }
            | Self::DeviceGroup { .. }
            | Self::Mark { .. }
            | Self::Set(_)
            | Self::Label { .. }
            | Self::Random { .. }
            | Self::Nth { .. }
            | Self::Limit { .. }
            | Self::Quota { .. }
            | Self::Named(_)
            | Self::Time(_)
            | Self::Content(_) => false,
        }
    }

    /// The value that it remembers.
    pub fn state(&self) -> Option<StateSlot> {
        match *self {
            Self::Connlimit { state, .. } | Self::Nth { state, .. } | Self::Limit { state, .. } | Self::Quota { state, .. } => {
                Some(state)
            }
            _ => None,
        }
    }
}

impl Target {
    /// Does it need connections to be tracked? NOTRACK alone does not.
    pub fn needs_tracking(&self) -> bool {
        match self {
            Self::SetConnmark(_)
            | Self::Connmark(_)
            | Self::SetConnmarkShifted(..)
            | Self::ConnmarkShifted(..)
            | Self::Ct(_)
            | Self::CtMarked(_)
            | Self::Nat(_)
            | Self::Synproxy(_)
            | Self::ConnsecmarkSave
            | Self::ConnsecmarkRestore => true,
            Self::Continue
            | Self::Accept
            | Self::Drop
            | Self::Return
            | Self::Jump(_)
            | Self::Goto(_)
            | Self::Reject(_)
            | Self::Log(_)
            | Self::Npt(_)
            // Where nothing else has connections tracked, none has a connection, as in the kernel.
            | Self::Hmark(_)
            | Self::Set(_)
            | Self::Mark(_)
            | Self::Tos { .. }
            | Self::TcpEcn { .. }
            | Self::Tcpmss(_)
            | Self::Tcpoptstrip(_)
            | Self::TtlSet(_)
            | Self::TtlInc(_)
            | Self::TtlDec(_)
            | Self::Notrack
            | Self::Secmark(_)
            | Self::Tee(_)
            | Self::Trace => false,
        }
    }
}

/// `mark = (mark & !mask) ^ value`: every form of `MARK --set-*` comes down to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MarkOp {
    /// XORed in.
    pub value: u32,
    /// Cleared before.
    pub mask: u32,
}

impl MarkOp {
    /// The new mark.
    #[inline]
    pub fn apply(self, mark: u32) -> u32 {
        (mark & !self.mask) ^ self.value
    }
}

/// `CONNMARK`'s and `CONNSECMARK`'s ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Transfer {
    /// `--save-mark`: ctmark = (ctmark & !ctmask) ^ (nfmark & nfmask).
    Save {
        /// Bits of the connection's mark that are cleared before.
        ctmask: u32,
        /// Bits of the packet's mark that are taken.
        nfmask: u32,
    },
    /// `--restore-mark`: nfmark = (nfmark & !nfmask) ^ (ctmark & ctmask).
    Restore {
        /// Bits of the connection's mark that are taken.
        ctmask: u32,
        /// Bits of the packet's mark that are cleared before.
        nfmask: u32,
    },
}

/// By how many bits CONNMARK shifts a mark: to the left, or to the right if it is less than 0. At most 31 either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shift(pub i8);

impl Shift {
    /// The mark, shifted; zeros come in.
    #[inline]
    pub fn apply(self, mark: u32) -> u32 {
        let bits = u32::from(self.0.unsigned_abs());
        let shifted = if self.0 < 0 { mark.checked_shr(bits) } else { mark.checked_shl(bits) };
        shifted.unwrap_or(0)
    }
}

/// What REJECT answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RejectWith {
    /// An ICMP (or ICMPv6) destination unreachable of this code.
    Unreachable(u8),
    /// A TCP RST.
    TcpReset,
}

/// What LOG prints round the packet: index is a place in [`crate::Table::logs`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogSpec {
    /// At most 29 bytes.
    pub prefix: String,
    /// Syslog level 0..=7; 4 when none was given.
    pub level: u8,
    /// `--log-tcp-sequence`
    pub tcp_sequence: bool,
    /// `--log-tcp-options`
    pub tcp_options: bool,
    /// `--log-ip-options`
    pub ip_options: bool,
    /// `--log-uid`: nothing to print for packets that come in; for those of the box it is not known here.
    pub uid: bool,
    /// `--log-macdecode`
    pub mac_decode: bool,
}

/// What a nat target does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NatKind {
    /// SNAT
    Source,
    /// DNAT
    Destination,
    /// MASQUERADE
    Masquerade,
    /// REDIRECT
    Redirect,
    /// NETMAP: the destination where packets come in, the source where they leave.
    Map,
}

/// A nat target: index is a place in [`crate::Table::nats`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Nat<F: Family> {
    /// Which side is rewritten, and where the address comes from.
    pub kind: NatKind,
    /// `--to-source`, `--to-destination`: first and last address. NETMAP: of the network, whose host bits are those in which they differ.
    pub addresses: Option<(F::Addr, F::Addr)>,
    /// Port (or ICMP id) range: first and last.
    pub ports: Option<(u16, u16)>,
    /// DNAT's `--to-destination addr:first-last/base`: port = first + (dport - base).
    pub base_port: Option<u16>,
    /// `--random`
    pub random: bool,
    /// `--random-fully`
    pub random_fully: bool,
    /// `--persistent`
    pub persistent: bool,
    /// `--fullcone`, of SNAT and MASQUERADE, for UDP: one outside port towards everybody.
    pub full_cone: bool,
}

impl<F: Family> Nat<F> {
    /// A target that has no more than addresses.
    pub fn to(kind: NatKind, addresses: Option<(F::Addr, F::Addr)>) -> Self {
        Self {
            kind,
            addresses,
            ports: None,
            base_port: None,
            random: false,
            random_fully: false,
            persistent: false,
            full_cone: false,
        }
    }
}

/// `CT`: what is attached before tracking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CtAction {
    /// `--zone`, for both directions or one.
    pub zone: u16,
    /// The directions that the zone parts.
    pub directions: Directions,
    /// `--helper`
    pub helper: Option<Helper>,
    /// `--timeout`: place in [`crate::Table::timeouts`].
    pub timeout: Option<TimeoutPlace>,
    /// What `--ctevents` and `--expevents` leave out.
    pub muted: EventSet,
}

/// A place in [`crate::Table::timeouts`]. One more than the index, so that having none takes no room: a flow carries an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeoutPlace(NonZeroU16);

impl TimeoutPlace {
    /// Of this index, if there can be so many.
    pub fn of(index: usize) -> Option<Self> {
        u16::try_from(index + 1).ok().and_then(NonZeroU16::new).map(Self)
    }

    /// The index.
    #[inline]
    pub fn index(self) -> usize {
        usize::from(self.0.get()) - 1
    }
}

/// A timeout policy that a rule names. The policies themselves are the dataplane's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeoutName {
    /// Its name.
    pub name: String,
    /// The protocol of the rule.
    pub protocol: u8,
}

/// Directions of a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Directions {
    /// `--zone`
    #[default]
    Both,
    /// `--zone-orig`
    Original,
    /// `--zone-reply`
    Reply,
}

/// `SYNPROXY`: what is said for the server, of what the client asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Synproxy {
    /// `--sack-perm`
    pub sack_permitted: bool,
    /// `--timestamp`
    pub timestamps: bool,
    /// `--ecn`
    pub ecn: bool,
    /// `--wscale`
    pub window_scale: Option<u8>,
    /// `--mss`
    pub mss: Option<u16>,
}

/// What a rule does with the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Target {
    /// No target: the rule counts, and the next one is asked.
    Continue,
    /// ACCEPT: this table is done.
    Accept,
    /// DROP
    Drop,
    /// RETURN
    Return,
    /// `-j CHAIN`
    Jump(ChainId),
    /// `-g CHAIN`
    Goto(ChainId),
    /// REJECT
    Reject(RejectWith),
    /// LOG: index into [`crate::Table::logs`].
    Log(u32),
    /// MARK
    Mark(MarkOp),
    /// CONNMARK `--set-*`
    SetConnmark(MarkOp),
    /// CONNMARK `--save-mark`, `--restore-mark`
    Connmark(Transfer),
    /// CONNMARK `--set-*` with a shift of what comes of it.
    SetConnmarkShifted(MarkOp, Shift),
    /// CONNMARK `--save-mark`, `--restore-mark` with a shift of what is taken.
    ConnmarkShifted(Transfer, Shift),
    /// TOS: `tos = (tos & !mask) ^ value`
    Tos {
        /// XORed in.
        value: u8,
        /// Cleared before.
        mask: u8,
    },
    /// ECN, but for what it does to the IP header alone, which is [`Target::Tos`]. `None` stays.
    TcpEcn {
        /// `--ecn-ip-ect`, of packets of all protocols.
        ect: Option<u8>,
        /// `--ecn-tcp-ece`
        ece: Option<bool>,
        /// `--ecn-tcp-cwr`
        cwr: Option<bool>,
    },
    /// TCPMSS: lowers the MSS that a packet announces to this, or to what fits the MTU of its way there and back.
    Tcpmss(Option<u16>),
    /// TCPOPTSTRIP: the kinds of options that become no-operations, by index into [`crate::Table::option_sets`].
    Tcpoptstrip(u32),
    /// TTL or HL `--ttl-set`
    TtlSet(u8),
    /// `--ttl-inc`: stops at 255.
    TtlInc(u8),
    /// `--ttl-dec`: stops at 0.
    TtlDec(u8),
    /// NOTRACK, `CT --notrack`
    Notrack,
    /// `CT` otherwise.
    Ct(CtAction),
    /// `CT` with a zone `mark`: as the action says, but its zone is the low half of the mark that the packet has when it is tracked.
    CtMarked(CtAction),
    /// SNAT, DNAT, MASQUERADE, REDIRECT: index into [`crate::Table::nats`].
    Nat(u32),
    /// SYNPROXY
    Synproxy(Synproxy),
    /// SECMARK
    Secmark(LabelId),
    /// CONNSECMARK `--save`: copies the label to the connection if that has none.
    ConnsecmarkSave,
    /// CONNSECMARK `--restore`: copies the connection's label to a packet without one.
    ConnsecmarkRestore,
    /// SNPT, DNPT: index into [`crate::Table::prefix_changes`].
    Npt(u32),
    /// HMARK: index into [`crate::Table::hash_marks`].
    Hmark(u32),
    /// SET: index into [`crate::Table::set_changes`].
    Set(u32),
    /// TEE: index into [`crate::Table::tees`].
    Tee(u32),
    /// TRACE: what rules the packet meets from here on is told in the log.
    Trace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_cleared_then_flipped() {
        assert_eq!(MarkOp { value: 0x0f, mask: 0xff }.apply(0x1234), 0x120f);
        assert_eq!(MarkOp { value: 0xff, mask: 0 }.apply(0x0f), 0xf0, "--xor-mark");
    }
}
