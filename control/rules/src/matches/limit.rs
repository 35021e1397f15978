//! `-m limit`: a token bucket per rule.

/// Holds while the rule's bucket has a token. Full at the start; state restarts with every change of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Time to earn one token in units of 1/10000 s, as the kernel keeps it (`--limit 1/second` is 10000); never 0.
    pub average: u32,
    /// Tokens that the bucket holds; never 0.
    pub burst: u32,
}
