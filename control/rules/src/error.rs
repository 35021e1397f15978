//! Refusals in iptables' own words, with its exit codes.
//!
//! [`Error`] is typed; [`Error::message`] gives the whole text for standard error, which depends on the name of the program
//! (`iptables`, `ip6tables`, `iptables-restore`...) and, in a restore, on the line.
use std::fmt::Write as _;

/// The version that messages and headers name: the one whose words these are.
pub const VERSION: &str = "v1.8.9 (legacy)";

/// Why a command or a restore was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{problem}")]
pub struct Error {
    /// What is wrong.
    pub problem: Problem,
    /// The line of the restore text, counted from 1; `None` for a command line.
    pub line: Option<u32>,
    /// What was said on standard error before, each line with its line feed.
    pub warnings: String,
    /// What was said on standard output before: what `-v` says of rules, and listings.
    pub stdout: String,
}

/// What is wrong, by the way in which iptables says it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// Wrong use, found before the rule set is asked. Exit code 2.
    #[error("{0}")]
    Usage(#[from] UsageError),
    /// A word that is no option and no value of one. Exit code 2.
    #[error("Bad argument `{0}'")]
    BadArgument(String),
    /// `-4` for ip6tables or `-6` for iptables. Exit code 2.
    #[error("wrong address family")]
    WrongFamily,
    /// The rule set does not allow it: what the kernel says. Exit code 1.
    #[error("{0}")]
    Kernel(#[from] KernelError),
    /// No such table. Exit code 3.
    #[error("can't initialize table `{0}': Table does not exist (do you need to insmod?)")]
    NoTable(String),
    /// `iptables-save -t` with no such table. Exit code 1.
    #[error("Cannot initialize: Table does not exist (do you need to insmod?)")]
    NoTableToSave,
    /// A `:CHAIN POLICY` line that cannot be followed. Exit code 1.
    #[error("Can't set policy `{policy}' on `{chain}': {reason}")]
    SetPolicy {
        /// The policy as written.
        policy: String,
        /// The chain as written.
        chain: String,
        /// What the kernel library says.
        reason: KernelError,
    },
    /// Restore text ended inside a table. Exit code 1.
    #[error("COMMIT expected")]
    CommitExpected,
    /// A line outside of any table, or a command that failed quietly. Exit code 1.
    #[error("line failed")]
    LineFailed,
    /// Option of save or restore that does not exist. Exit code 1.
    #[error("{0}")]
    InvalidOption(String),
    /// `iptables-restore -W` without `-w`. Exit code 1.
    #[error("Option --wait-interval requires option --wait")]
    WaitIntervalAlone,
    /// Words that save does not take. Exit code 1.
    #[error("Unknown arguments found on commandline")]
    UnknownArguments,
}

/// Errors that the kernel, or libiptc in its name, answers with. Exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// A rule that its table, chain or protocol does not allow (EINVAL).
    #[error("Invalid argument")]
    InvalidArgument,
    /// ENOENT.
    #[error("No chain/target/match by that name")]
    NoSuchName,
    /// `-N` of a name that is taken.
    #[error("Chain already exists")]
    ChainExists,
    /// `-E` to a name that is taken, a chain line of a name that is taken.
    #[error("File exists")]
    FileExists,
    /// `-X` of a chain that rules jump to.
    #[error("Too many links")]
    TooManyLinks,
    /// `-X` of a chain with rules.
    #[error("Directory not empty")]
    NotEmpty,
    /// `-P` with a policy that is neither ACCEPT nor DROP.
    #[error("Bad policy name")]
    BadPolicy,
    /// `-P` of a user chain.
    #[error("Bad built-in chain name")]
    BadBuiltin,
    /// `-D` with a number past the end.
    #[error("Index of deletion too big")]
    IndexOfDeletion,
    /// `-I` with a number past the end.
    #[error("Index of insertion too big")]
    IndexOfInsertion,
    /// `-R` with a number past the end.
    #[error("Index of replacement too big")]
    IndexOfReplacement,
    /// `-Z` with a number past the end.
    #[error("Index of counter too big")]
    IndexOfCounter,
    /// `-D` or `-C` of a rule that is not there.
    #[error("Bad rule (does a matching rule exist in that chain?)")]
    BadRule,
    /// A limit whose numbers overflow, a label that connections have no place for (ERANGE).
    #[error("Numerical result out of range")]
    OutOfRange,
    /// Chains that call each other in a circle (ELOOP).
    #[error("Too many levels of symbolic links")]
    Loop,
}

/// Wrong use of the command line. Exit code 2. The texts are iptables'; some end in a line feed of their own, as there.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "each variant's text says what it is")]
pub enum UsageError {
    // Commands and their options.
    #[error("no command specified")]
    NoCommand,
    #[error("unknown option \"{0}\"")]
    UnknownOption(String),
    #[error("unknown arguments found on commandline")]
    UnknownArguments,
    #[error("option \"{0}\" requires an argument")]
    MissingArgument(String),
    #[error("Cannot use -{0} with -{1}")]
    TwoCommands(char, char),
    #[error("Illegal option `-{0}' with this command")]
    IllegalOption(char),
    #[error("multiple -{0} flags not allowed")]
    MultipleFlags(char),
    #[error("cannot have ! before -{0}")]
    InvertedFlag(char),
    #[error("unexpected '!' flag")]
    InvertedCommand,
    #[error("unexpected ! flag before --{0}")]
    UnexpectedInvert(&'static str),
    #[error("multiple consecutive ! not allowed")]
    DoubleInvert,
    #[error("nothing appropriate following !")]
    DanglingInvert,
    #[error("-{0} requires a rule number")]
    NeedsRuleNumber(char),
    #[error("-P requires a chain and a policy")]
    NeedsPolicy,
    #[error("-E requires old-chain-name and new-chain-name")]
    NeedsTwoNames,
    #[error("Invalid rule number `{0}'")]
    RuleNumber(String),
    #[error("-c requires packet and byte counter")]
    NeedsCounters,
    #[error("-c {0} counter not numeric")]
    CounterNotNumeric(&'static str),
    #[error("wait seconds not numeric")]
    WaitNotNumeric,
    #[error("wait interval value required")]
    WaitIntervalMissing,
    #[error("wait interval not numeric")]
    WaitIntervalNotNumeric,
    #[error("--wait-interval only makes sense with --wait\n")]
    WaitIntervalAlone,
    // In both families.
    #[error("You cannot use `-{0}' from iptables-restore")]
    NotInRestore(char),
    #[error("The -t option cannot be used in {0}.\n")]
    TableInRestore(&'static str),
    // Chains.
    #[error("chain name not allowed to start with `{0}'")]
    ChainNameStart(char),
    #[error("chain name may not clash with target name")]
    ChainNameClash,
    #[error("Invalid chain name `{0}'")]
    ChainNameSpace(String),
    #[error("chain name `{0}' too long (must be under 29 chars)")]
    ChainNameLong(String),
    #[error("Invalid chain name `{0}' (28 chars max)")]
    RestoreChainName(String),
    // The header of a rule.
    #[error("unknown protocol \"{0}\" specified")]
    UnknownProtocol(String),
    #[error("rule would never match protocol")]
    NeverMatchesProtocol,
    #[error("host/network `{0}' not found")]
    HostNotFound(String),
    #[error("invalid mask `{0}' specified")]
    InvalidMask(String),
    #[error("! not allowed with multiple source or destination IP addresses")]
    InvertedAddressList,
    #[error("Replacement rule does not specify a unique address")]
    ReplacementNotUnique,
    #[error("Empty interface is likely to be undesired")]
    EmptyInterface,
    #[error("interface name `{0}' must be shorter than IFNAMSIZ (15)")]
    InterfaceNameLong(String),
    #[error("interface name `{0}' has a character that no interface can have")]
    InterfaceName(String),
    #[error("`-f' is not supported in IPv6, use -m frag instead")]
    FragmentInIpv6,
    #[error("Can't use -{0} with {1}\n")]
    InterfaceWithChain(char, &'static str),
    #[error("too many rules for one command: {0} addresses")]
    AddressListLong(usize),
    #[error("too many matches for one rule (at most {0})")]
    TooManyMatches(usize),
    // Finding extensions.
    #[error("Couldn't load match `{0}':No such file or directory\n")]
    NoMatch(String),
    #[error("Couldn't load target `{0}':No such file or directory\n")]
    NoTarget(String),
    #[error("Invalid match name \"{0}\" (28 chars max)")]
    MatchNameLong(String),
    #[error("Invalid target name (too short)")]
    TargetNameShort,
    #[error("Invalid target name `{0}' (28 chars max)")]
    TargetNameLong(String),
    #[error("Invalid target name `{0}'")]
    TargetNameSpace(String),
    #[error("goto '{0}' is not a chain")]
    GotoNotChain(String),
    #[error("{extension}: option \"--{option}\" is known to iptables but not supported by Rampart")]
    OptionNotSupported { extension: &'static str, option: &'static str },
    #[error("\nThe \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n")]
    DropInNat,
    // Options of extensions, by the shared parser.
    #[error("{extension}: option \"--{option}\" must be specified\n")]
    OptionMissing { extension: &'static str, option: &'static str },
    #[error("{extension}: option \"--{option}\" cannot be inverted.\n")]
    OptionInverted { extension: &'static str, option: &'static str },
    #[error("{extension}: option \"--{option}\" can only be used once.\n")]
    OptionRepeated { extension: &'static str, option: &'static str },
    #[error("Only one {0} allowed")]
    OnlyOne(&'static str),
    #[error("{extension}: option \"--{option}\" cannot be used together with \"--{other}\".\n")]
    OptionsExclude { extension: &'static str, option: &'static str, other: &'static str },
    #[error("{extension}: option \"--{option}\" also requires \"--{other}\".\n")]
    OptionRequires { extension: &'static str, option: &'static str, other: &'static str },
    #[error("{extension}: bad integer value for option \"--{option}\", or out of range.\n")]
    BadInteger { extension: &'static str, option: &'static str },
    #[error("{extension}: bad value for option \"--{option}\", or out of range ({min}-{max}).\n")]
    OutOfRange { extension: &'static str, option: &'static str, min: u64, max: u64 },
    #[error("{extension}: bad value for option \"--{option}\" near \"{near}\", or out of range (0-{max}).\n")]
    OutOfRangeNear { extension: &'static str, option: &'static str, near: String, max: u64 },
    #[error("{extension}: Argument to \"--{option}\" has unexpected characters near \"{near}\".\n")]
    UnexpectedCharacters { extension: &'static str, option: &'static str, near: String },
    #[error("{extension}: Too many components for option \"--{option}\" (max: {max})\n")]
    TooManyComponents { extension: &'static str, option: &'static str, max: usize },
    #[error("{extension}: bad value for option \"--{option}\", neither a valid network mask nor valid CIDR (0-{max}).\n")]
    BadPrefix { extension: &'static str, option: &'static str, max: u8 },
    #[error("Argument must have a minimum length of {0} characters\n")]
    TextShort(usize),
    #[error("Port \"{0}\" does not resolve to anything.\n")]
    PortDoesNotResolve(String),
    #[error("getaddrinfo: Name or service not known\n")]
    AddressDoesNotResolve,
    #[error("getaddrinfo: Address family for hostname not supported\n")]
    AddressOfOtherFamily,
    #[error("{extension}: Bad value for \"--{option}\" option: \"{value}\"")]
    BadValue { extension: &'static str, option: &'static str, value: String },
    #[error(
        "{extension}: option \"--{option}\" takes no blanks, quotes or control characters, which could not be restored: {value:?}"
    )]
    UnreadableName { extension: &'static str, option: &'static str, value: String },
    #[error("{0}")]
    Needs(&'static str),
    /// A text that could not be restored: restore texts are read by line.
    #[error("Newlines not allowed in --{0}")]
    LineFeed(&'static str),
    /// An extension's own words about a value.
    #[error("{0}")]
    Own(String),
    // Values of extensions.
    #[error("invalid port/service `{0}' specified")]
    InvalidPort(String),
    #[error("invalid portrange (min > max)")]
    PortRangeBackwards,
    #[error("Unknown TCP flag `{0}'")]
    UnknownTcpFlag(String),
    #[error("Bad TCP option \"{0}\"")]
    BadTcpOption(String),
    #[error("Unknown ICMP type `{0}'")]
    UnknownIcmpType(String),
    #[error("Unknown ICMP code `{0}'")]
    UnknownIcmpCode(String),
    #[error("Ambiguous ICMP type `{0}': `{1}' or `{2}'?")]
    AmbiguousIcmpType(String, &'static str, &'static str),
    #[error("{min} should be less than {max}")]
    Backwards { min: u64, max: u64 },
    #[error("Unknown --{option} `{value}'")]
    UnknownWord { option: &'static str, value: String },
    #[error("Unknown ICMPv6 type `{0}'")]
    UnknownIcmp6Type(String),
    #[error("Unknown ICMPv6 code `{0}'")]
    UnknownIcmp6Code(String),
    #[error("Ambiguous ICMPv6 type `{0}': `{1}' or `{2}'?")]
    AmbiguousIcmp6Type(String, &'static str, &'static str),
    #[error("Bad {kind} \"{value}\"")]
    BadWord { kind: &'static str, value: String },
    #[error("bad rate \"{0}\"'")]
    BadRate(String),
    #[error("Rate too fast \"{0}\"")]
    RateTooFast(String),
    #[error("too many ports specified")]
    TooManyPorts,
    #[error("invalid portrange specified")]
    MultiportRange,
    #[error("unknown reject type \"{0}\"")]
    UnknownRejectType(String),
    #[error("log level \"{0}\" unknown\n")]
    UnknownLogLevel(String),
    #[error("Symbolic name \"{0}\" is unknown")]
    UnknownTosName(String),
    #[error("Illegal value: \"{0}\"")]
    IllegalTos(String),
    #[error("Port `{0}' not valid")]
    NatPort(String),
    #[error("Port range `{0}' funky")]
    NatPortRange(String),
    #[error("Garbage after port value: `{0}'")]
    NatPortGarbage(String),
    #[error("Bad IP address \"{0}\"")]
    BadAddress(String),
    #[error("Cannot parse {0} as a zone ID")]
    ZoneId(String),
    #[error("Unknown event type \"{0}\"")]
    EventType(String),
    #[error("label '{0}' not found or invalid value")]
    NoLabel(String),
    #[error("Invalid context \"{0}\"")]
    BadContext(String),
    // Restore text.
    #[error("{0}: unable to initialize table '{1}'")]
    RestoreTable(&'static str, String),
    #[error("{0}: line {1} table name invalid")]
    RestoreTableName(&'static str, u32),
    #[error("{0}: line {1} chain name invalid")]
    RestoreChainMissing(&'static str, u32),
    #[error("{0}: line {1} policy invalid")]
    RestorePolicy(&'static str, u32),
    #[error("invalid policy counters for chain '{0}'")]
    RestorePolicyCounters(String),
    #[error("error creating chain '{0}':File exists")]
    RestoreChainExists(String),
    #[error("Bad line {0}: need ]")]
    RestoreCounters(u32),
    #[error("Parameter too long!")]
    WordLong,
    #[error("Parser cannot handle more arguments")]
    TooManyWords,
    #[error("what this text asks to be printed is too long (above {0} bytes)")]
    TooMuchPrinted(usize),
}

impl Error {
    /// The code that the program ends with.
    pub fn exit_code(&self) -> i32 {
        match &self.problem {
            Problem::Usage(_) | Problem::BadArgument(_) | Problem::WrongFamily => 2,
            Problem::Kernel(_)
            | Problem::SetPolicy { .. }
            | Problem::CommitExpected
            | Problem::LineFailed
            | Problem::NoTableToSave
            | Problem::InvalidOption(_)
            | Problem::UnknownArguments
            | Problem::WaitIntervalAlone => 1,
            Problem::NoTable(_) => 3,
        }
    }

    /// The same error, said of a line of a restore text.
    pub(crate) fn at_line(self, line: u32) -> Error {
        Error { line: Some(line), ..self }
    }

    /// The same error, with what was said before it.
    pub(crate) fn after(mut self, warnings: &str) -> Error {
        self.warnings.insert_str(0, warnings);
        self
    }

    /// The same error, with what was said on standard output before it.
    pub(crate) fn after_output(self, stdout: String) -> Error {
        Error { stdout, ..self }
    }

    /// The whole text for standard error, line feeds included. `program` is the name under which the user called.
    pub fn message(&self, program: &str) -> String {
        let mut text = self.warnings.clone();
        self.write_message(program, &mut text).unwrap_or_else(|_| unreachable!("a String takes everything"));
        text
    }

    fn write_message(&self, program: &str, out: &mut String) -> std::fmt::Result {
        let line = self.line.unwrap_or(0);
        match &self.problem {
            Problem::Usage(error) => {
                writeln!(out, "{program} {VERSION}: {error}")?;
                self.write_try_help(program, out)
            }
            Problem::BadArgument(_) => {
                writeln!(out, "{}", self.problem)?;
                self.write_try_help(program, out)
            }
            Problem::WrongFamily => self.write_try_help(program, out),
            Problem::Kernel(_) | Problem::LineFailed if self.line.is_some() => {
                writeln!(out, "{program}: line {line} failed")
            }
            Problem::Kernel(error @ (KernelError::InvalidArgument | KernelError::BadPolicy)) => {
                writeln!(out, "{program}: {error}. Run `dmesg' for more information.")
            }
            Problem::Kernel(error) => writeln!(out, "{program}: {error}."),
            Problem::NoTable(table) => {
                let family = if program.starts_with("ip6") { "ip6tables" } else { "iptables" };
                writeln!(
                    out,
                    "{program} {VERSION}: can't initialize {family} table `{table}': Table does not exist (do you need to insmod?)"
                )?;
                writeln!(out, "Perhaps {family} or your kernel needs to be upgraded.")
            }
            Problem::SetPolicy { policy, chain, reason } => {
                writeln!(out, "{program} {VERSION}: Can't set policy `{policy}' on `{chain}' line {line}: {reason}")
            }
            Problem::CommitExpected => writeln!(out, "{program}: COMMIT expected at line {line}"),
            Problem::LineFailed => writeln!(out, "{program}: failed"),
            Problem::NoTableToSave => writeln!(out, "{program} {VERSION}: {}", self.problem),
            Problem::InvalidOption(option) => {
                writeln!(out, "{program}: {option}")?;
                if program.ends_with("save") {
                    writeln!(out, "Look at manual page `{program}.8' for more information.")
                } else {
                    writeln!(out, "Try `{program} -h' for more information.")
                }
            }
            Problem::UnknownArguments | Problem::WaitIntervalAlone => writeln!(out, "{}", self.problem),
        }
    }

    fn write_try_help(&self, program: &str, out: &mut String) -> std::fmt::Result {
        if let Some(line) = self.line {
            writeln!(out, "Error occurred at line: {line}")?;
        }
        writeln!(out, "Try `{program} -h' or '{program} --help' for more information.")
    }
}

impl<P: Into<Problem>> From<P> for Error {
    fn from(problem: P) -> Error {
        Error { problem: problem.into(), line: None, warnings: String::new(), stdout: String::new() }
    }
}
