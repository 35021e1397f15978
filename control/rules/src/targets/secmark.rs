//! `-j SECMARK`: gives the packet a label.

/// `SECMARK`: sets the packet's label. The packet goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Secmark {
    /// The security context, at most 255 bytes.
    pub context: Box<str>,
}
