//! The options that a protocol brings: what they are called there.

/// An option that a protocol brings, in the reference's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    OrigPortSrc,
    OrigPortDst,
    ReplyPortSrc,
    ReplyPortDst,
    /// Ports of an expectation that is to be made, and which of their bits count.
    MaskPortSrc,
    MaskPortDst,
    State,
    TuplePortSrc,
    TuplePortDst,
    OrigTag,
    ReplyTag,
    /// Which end of a DCCP connection the first packet came from.
    Role,
    IcmpType,
    IcmpCode,
    IcmpId,
}

impl Field {
    /// A port of a connection, or one of GRE's keys.
    pub(super) fn is_port(self) -> bool {
        matches!(self, Field::OrigPortSrc | Field::OrigPortDst | Field::ReplyPortSrc | Field::ReplyPortDst)
    }

    /// Belongs to making a connection or an expectation, and to nothing else.
    pub(super) fn makes(self) -> bool {
        use Field::*;
        matches!(self, MaskPortSrc | MaskPortDst | TuplePortSrc | TuplePortDst | Role)
    }
}

type Names = [(&'static str, Field)];

/// The first name of a field is the one that messages use.
const PORTS: &Names = &[
    ("sport", Field::OrigPortSrc),
    ("orig-port-src", Field::OrigPortSrc),
    ("dport", Field::OrigPortDst),
    ("orig-port-dst", Field::OrigPortDst),
    ("reply-port-src", Field::ReplyPortSrc),
    ("reply-port-dst", Field::ReplyPortDst),
    ("mask-port-src", Field::MaskPortSrc),
    ("mask-port-dst", Field::MaskPortDst),
    ("tuple-port-src", Field::TuplePortSrc),
    ("tuple-port-dst", Field::TuplePortDst),
];
const STATE: &Names = &[("state", Field::State)];
const SCTP: &Names = &[("state", Field::State), ("orig-vtag", Field::OrigTag), ("reply-vtag", Field::ReplyTag)];
const DCCP: &Names = &[("state", Field::State), ("role", Field::Role)];
const ICMP: &Names = &[("icmp-type", Field::IcmpType), ("icmp-code", Field::IcmpCode), ("icmp-id", Field::IcmpId)];
const ICMPV6: &Names = &[("icmpv6-type", Field::IcmpType), ("icmpv6-code", Field::IcmpCode), ("icmpv6-id", Field::IcmpId)];
const GRE: &Names = &[
    ("srckey", Field::OrigPortSrc),
    ("orig-key-src", Field::OrigPortSrc),
    ("dstkey", Field::OrigPortDst),
    ("orig-key-dst", Field::OrigPortDst),
    ("reply-key-src", Field::ReplyPortSrc),
    ("reply-key-dst", Field::ReplyPortDst),
    ("mask-key-src", Field::MaskPortSrc),
    ("mask-key-dst", Field::MaskPortDst),
    ("tuple-key-src", Field::TuplePortSrc),
    ("tuple-key-dst", Field::TuplePortDst),
];

/// The options of a protocol.
pub(super) fn of(protocol: Option<u8>) -> impl Iterator<Item = (&'static str, Field)> {
    let lists: [&Names; 2] = match protocol {
        Some(6) => [PORTS, STATE],
        Some(132) => [PORTS, SCTP],
        Some(33) => [PORTS, DCCP],
        Some(17 | 136) => [PORTS, &[]],
        Some(1) => [ICMP, &[]],
        Some(58) => [ICMPV6, &[]],
        Some(47) => [GRE, &[]],
        _ => [&[], &[]],
    };
    lists.into_iter().flatten().copied()
}
