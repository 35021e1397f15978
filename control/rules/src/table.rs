//! Families, hooks and tables: the fixed skeleton that netfilter gives to every rule set.
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address family that a rule set is for: `iptables` or `ip6tables`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// `iptables`.
    Ipv4,
    /// `ip6tables`.
    Ipv6,
}

impl Family {
    /// The name of the main command of this family.
    pub fn program(self) -> &'static str {
        match self {
            Family::Ipv4 => "iptables",
            Family::Ipv6 => "ip6tables",
        }
    }

    /// Bits in an address.
    pub fn address_bits(self) -> u8 {
        match self {
            Family::Ipv4 => 32,
            Family::Ipv6 => 128,
        }
    }

    /// `0.0.0.0` or `::`.
    pub fn unspecified(self) -> IpAddr {
        match self {
            Family::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }

    /// The protocol number of this family's ICMP.
    pub fn icmp_protocol(self) -> u8 {
        match self {
            Family::Ipv4 => 1,
            Family::Ipv6 => 58,
        }
    }
}

/// A point of the packet's walk at which tables are asked. The order is netfilter's numbering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hook {
    /// Every packet that came in, before routing.
    Prerouting,
    /// Packets for this machine.
    Input,
    /// Packets routed through this machine.
    Forward,
    /// Packets made by this machine.
    Output,
    /// Every packet that goes out, after routing.
    Postrouting,
}

impl Hook {
    /// All hooks in netfilter's order.
    pub const ALL: [Hook; 5] = [Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting];

    /// The name of the built-in chain at this hook.
    pub fn chain_name(self) -> &'static str {
        match self {
            Hook::Prerouting => "PREROUTING",
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Output => "OUTPUT",
            Hook::Postrouting => "POSTROUTING",
        }
    }

    /// The hook whose built-in chain has this name.
    pub fn from_chain_name(name: &str) -> Option<Hook> {
        Hook::ALL.into_iter().find(|hook| hook.chain_name() == name)
    }

    /// This hook as one bit of a [`HookSet`].
    pub fn bit(self) -> HookSet {
        HookSet(1 << self as u8)
    }
}

/// A set of hooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HookSet(u8);

impl HookSet {
    /// No hook.
    pub const NONE: HookSet = HookSet(0);
    /// All five hooks.
    pub const ALL: HookSet = HookSet(0x1f);

    /// The set of the given hooks.
    pub const fn of(hooks: &[Hook]) -> HookSet {
        let mut bits = 0;
        let mut i = 0;
        while i < hooks.len() {
            bits |= 1 << hooks[i] as u8;
            i += 1;
        }
        HookSet(bits)
    }

    /// Hooks in either set.
    pub fn union(self, other: HookSet) -> HookSet {
        HookSet(self.0 | other.0)
    }

    /// Whether every hook of this set is in `other`.
    pub fn is_subset_of(self, other: HookSet) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the sets share a hook.
    pub fn intersects(self, other: HookSet) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is no hook in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The five tables, in the order in which a hook asks them (nat stands between mangle and filter).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableName {
    /// Before connection tracking.
    Raw,
    /// Changes of packet fields and marks.
    Mangle,
    /// Address translation; sees the first packet of each connection.
    Nat,
    /// Filtering: the default table.
    Filter,
    /// Mandatory access control labels.
    Security,
}

impl TableName {
    /// All tables in order of evaluation.
    pub const ALL: [TableName; 5] = [TableName::Raw, TableName::Mangle, TableName::Nat, TableName::Filter, TableName::Security];

    /// The word after `-t` and `*`.
    pub fn as_str(self) -> &'static str {
        match self {
            TableName::Raw => "raw",
            TableName::Mangle => "mangle",
            TableName::Nat => "nat",
            TableName::Filter => "filter",
            TableName::Security => "security",
        }
    }

    /// The table of this name.
    pub fn from_name(name: &str) -> Option<TableName> {
        TableName::ALL.into_iter().find(|table| table.as_str() == name)
    }

    /// The hooks at which the table has a built-in chain, in the order in which its chains are listed.
    pub fn hooks(self) -> &'static [Hook] {
        use Hook::*;
        match self {
            TableName::Raw => &[Prerouting, Output],
            TableName::Mangle => &[Prerouting, Input, Forward, Output, Postrouting],
            TableName::Nat => &[Prerouting, Input, Output, Postrouting],
            TableName::Filter | TableName::Security => &[Input, Forward, Output],
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
