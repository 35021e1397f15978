//! `-j REJECT`: drop, and tell the sender.

/// The answer that the sender gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reject {
    /// Which one.
    pub with: RejectWith,
}

/// `--reject-with`. The first group is IPv4's, the second IPv6's, `tcp-reset` is both's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectWith {
    /// ICMP 3/0.
    IcmpNetUnreachable,
    /// ICMP 3/1.
    IcmpHostUnreachable,
    /// ICMP 3/2.
    IcmpProtoUnreachable,
    /// ICMP 3/3, the default.
    IcmpPortUnreachable,
    /// ICMP 3/9.
    IcmpNetProhibited,
    /// ICMP 3/10.
    IcmpHostProhibited,
    /// ICMP 3/13.
    IcmpAdminProhibited,
    /// ICMPv6 1/0.
    Icmp6NoRoute,
    /// ICMPv6 1/1.
    Icmp6AdmProhibited,
    /// ICMPv6 1/3.
    Icmp6AddrUnreachable,
    /// ICMPv6 1/4, the default.
    Icmp6PortUnreachable,
    /// ICMPv6 1/5.
    Icmp6PolicyFail,
    /// ICMPv6 1/6.
    Icmp6RejectRoute,
    /// A TCP RST; needs `-p tcp`.
    TcpReset,
}
