//! `-m selinux` (ours, in no release of iptables): the packet's label, as SECMARK set it or CONNSECMARK restored it.

/// Holds when the packet's label is this context, turned round by `invert`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selinux {
    /// The security context, at most 255 bytes.
    pub context: Box<str>,
    /// `!` was given.
    pub invert: bool,
}
