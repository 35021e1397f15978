//! `-j CONNSECMARK`: copies the label between packet and connection.

/// The direction of the copy. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connsecmark {
    /// `--save`: packet to connection, if that has none yet.
    Save,
    /// `--restore`: connection to packet, if that has none yet.
    Restore,
}
