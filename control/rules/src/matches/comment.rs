//! `-m comment`: text for the reader; always holds.

/// A comment of at most 255 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Comment {
    /// The text as given, without quotes.
    pub text: Box<str>,
}
