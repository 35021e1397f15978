//! Matches: the tests behind `-m`, one file each. The enum is closed: what is not here cannot be in a rule set.
pub mod comment;
pub mod conntrack;
pub mod icmp;
pub mod limit;
pub mod mark;
pub mod multiport;
pub mod ports;
pub mod selinux;
pub mod state;
pub mod statistic;
pub mod tcp;
pub mod udp;

pub use comment::Comment;
pub use conntrack::Conntrack;
pub use icmp::Icmp;
pub use limit::Limit;
pub use mark::MarkTest;
pub use multiport::Multiport;
pub use ports::PortTest;
pub use selinux::Selinux;
pub use state::{State, StateSet};
pub use statistic::Statistic;
pub use tcp::Tcp;
pub use udp::Udp;

/// One test of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Match {
    /// `-m comment`.
    Comment(Comment),
    /// `-m connmark`: the mark of the packet's connection; no connection, no match (inverted or not).
    Connmark(MarkTest),
    /// `-m conntrack`.
    Conntrack(Box<Conntrack>),
    /// `-m icmp`.
    Icmp(Icmp),
    /// `-m limit`.
    Limit(Limit),
    /// `-m mark`.
    Mark(MarkTest),
    /// `-m multiport`.
    Multiport(Multiport),
    /// `-m selinux`.
    Selinux(Selinux),
    /// `-m state`.
    State(State),
    /// `-m statistic`.
    Statistic(Statistic),
    /// `-m tcp`.
    Tcp(Tcp),
    /// `-m udp`.
    Udp(Udp),
}
