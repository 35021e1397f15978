//! What is wrong with a command, in the words of ipset 7.17.

/// Whose words and messages these are.
pub(crate) const PROGRAM: &str = "ipset v7.17";

/// What a message begins with when the words are wrong.
const SYNTAX: &str = "Syntax error: ";

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The words make no command: exit code 2, and a hint at the help.
    Usage(String),
    /// They do, and it could not be carried out: exit code 1.
    Failed(String),
}

impl Fault {
    /// A message of which each line is one of these.
    pub(crate) fn lines(lines: &[String]) -> Fault {
        Fault::Failed(lines.join("\n"))
    }

    pub(crate) fn syntax(what: impl std::fmt::Display) -> Fault {
        Fault::Failed(format!("{SYNTAX}{what}"))
    }

    /// Is it the words that are wrong, whatever sets there are?
    pub(crate) fn is_of_words(&self) -> bool {
        match self {
            Fault::Usage(_) => true,
            Fault::Failed(text) => text.starts_with(SYNTAX),
        }
    }

    /// What the program exits with.
    pub fn exit_code(&self) -> i32 {
        match self {
            Fault::Usage(_) => 2,
            Fault::Failed(_) => 1,
        }
    }

    /// The message; `line` is that of the text which the command stood in.
    pub fn message(&self, line: Option<usize>) -> String {
        match (self, line) {
            (Fault::Usage(text), _) => format!("{PROGRAM}: {text}\nTry `ipset help' for more information.\n"),
            (Fault::Failed(text), Some(line)) => format!("{PROGRAM}: Error in line {line}: {text}\n"),
            (Fault::Failed(text), None) => format!("{PROGRAM}: {text}\n"),
        }
    }
}

/// What the kernel refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoSet,
    SetExists,
    InUse,
    RenameToOther,
    RenameInUse,
    NoSecondSet,
    SwapTypes,
    Exists,
    Missing,
    OutOfRange,
    RangeTooLong,
    Full,
    NullElement,
    Prefix,
    WholeRange,
    Protocol,
    Netmask,
    Markmask,
    Memory,
    Invalid,
    TooManySets,
    TooWide,
    Denied,
    NoTimeouts,
    NoCounters,
    NoComments,
    NoMarks,
    ListNoSet,
    ListInList,
    ListNoReference,
    ListReferenceMissing,
}

impl Refusal {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Refusal::NoSet => "The set with the given name does not exist",
            Refusal::SetExists => "Set cannot be created: set with the same name already exists",
            Refusal::InUse => "Set cannot be destroyed: it is in use by a kernel component",
            Refusal::RenameToOther => "Set cannot be renamed: a set with the new name already exists",
            Refusal::RenameInUse => "Set cannot be renamed: it is in use by another system",
            Refusal::NoSecondSet => "Sets cannot be swapped: the second set does not exist",
            Refusal::SwapTypes => "The sets cannot be swapped: their type does not match",
            Refusal::Exists => "Element cannot be added to the set: it's already added",
            Refusal::Missing => "Element cannot be deleted from the set: it's not added",
            Refusal::OutOfRange => "Element is out of the range of the set",
            Refusal::RangeTooLong => "The range you specified exceeds the size limit of the set type",
            Refusal::Full => "Hash is full, cannot add more elements",
            Refusal::NullElement => "Null-valued element, cannot be stored in a hash type of set",
            Refusal::Prefix => "The value of the CIDR parameter of the IP address is invalid",
            Refusal::WholeRange => "Invalid range, covers the whole address space",
            Refusal::Protocol => "Invalid protocol specified",
            Refusal::Netmask => "The value of the netmask parameter is invalid",
            Refusal::Markmask => "The value of the markmask parameter is invalid",
            Refusal::Memory => "Kernel error received: Cannot allocate memory",
            Refusal::Invalid => "Kernel error received: Invalid argument",
            Refusal::TooManySets => "Kernel error received: maximal number of sets reached, cannot create more.",
            Refusal::TooWide => "The specified range is too large, split it up into smaller ranges",
            Refusal::Denied => "Kernel error received: Operation not permitted",
            Refusal::NoTimeouts => "Timeout cannot be used: set was created without timeout support",
            Refusal::NoCounters => "Packet/byte counters cannot be used: set was created without counter support",
            Refusal::NoComments => "Comment cannot be used: set was created without comment support",
            Refusal::NoMarks => "Skbinfo mapping cannot be used: set was created without skbinfo support",
            Refusal::ListNoSet => "Set to be added/deleted/tested as element does not exist.",
            Refusal::ListInList => "Sets with list:set type cannot be added to the set.",
            Refusal::ListNoReference => "The set to which you referred with 'before' or 'after' does not exist.",
            Refusal::ListReferenceMissing => "The set to which you referred with 'before' or 'after' is not added to the set.",
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        Fault::Failed(refusal.text().to_owned())
    }
}
