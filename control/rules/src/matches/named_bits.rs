//! Sets of things that have names, a bit each.

/// The names and their bits, in the order in which they are printed.
pub(super) struct NamedBits(pub(super) &'static [(&'static str, u32)]);

impl NamedBits {
    /// The bit of this name.
    pub(super) fn exact(&self, name: &str) -> Option<u32> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, bit)| *bit)
    }

    /// The bit of this name in letters of either size.
    pub(super) fn caseless(&self, name: &str) -> Option<u32> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, bit)| *bit)
    }

    /// The bit of the first name that begins so, in letters of either size.
    pub(super) fn begun(&self, beginning: &str) -> Option<u32> {
        let begins = |known: &str| known.get(..beginning.len()).is_some_and(|head| head.eq_ignore_ascii_case(beginning));
        self.0.iter().find(|(known, _)| begins(known)).map(|(_, bit)| *bit)
    }

    /// The names of the bits that are set.
    pub(super) fn list(&self, bits: u32, between: &str) -> String {
        let names: Vec<&str> = self.0.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name).collect();
        names.join(between)
    }
}
