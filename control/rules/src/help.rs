//! Help: the commands and options, and the options of the extensions that the words named, from their tables.
use crate::options::{Arg, Extension, Opt};
use crate::{Family, Match, Target};
use std::fmt::Write;

const COMMANDS: &str = "\
Commands:
  -A, --append CHAIN                 add the rule at the end of the chain
  -C, --check CHAIN                  tell whether the rule is in the chain
  -D, --delete CHAIN [NUMBER]        take the rule out, by number or by what it says
  -I, --insert CHAIN [NUMBER]        put the rule in, as the first one or under this number
  -R, --replace CHAIN NUMBER         put the rule in the place of another
  -L, --list [CHAIN [NUMBER]]        show rules in columns
  -S, --list-rules [CHAIN [NUMBER]]  show rules as commands
  -F, --flush [CHAIN]                take all rules out
  -Z, --zero [CHAIN [NUMBER]]        set counters to zero
  -N, --new, --new-chain CHAIN       make a chain
  -X, --delete-chain [CHAIN]         take a chain away
  -P, --policy CHAIN TARGET          what happens at the end of a built-in chain: ACCEPT or DROP
  -E, --rename-chain OLD NEW         give a chain another name
  -h, --help                         say this, and what a target and matches take that are named
  [!] -V, --version

Options ([!] may stand before those so marked):
  -4, --ipv4; -6, --ipv6             in restore texts: this line is for one of the families alone
  -t, --table TABLE                  raw, mangle, nat, filter (default) or security
  [!] -p, --protocol PROTOCOL        by name or number
  [!] -s, --source ADDRESS[/MASK][,...]
  [!] -d, --destination ADDRESS[/MASK][,...]
  [!] -i, --in-interface NAME[+]     a closing + stands for anything that follows
  [!] -o, --out-interface NAME[+]
  -m, --match MATCH                  further tests, with options of their own
  -j, --jump TARGET                  a verdict, a target with options of its own, or a chain
  -g, --goto CHAIN                   as a jump, but its end does not come back to this chain
  -c, --set-counters PACKETS BYTES
  -n, --numeric; -x, --exact; --line-numbers; -v, --verbose
  -w, --wait [SECONDS]               taken for scripts' sake: there is no lock to wait for
  --modprobe PROGRAM                 taken likewise: there is no module to load
";

/// The whole text.
pub(crate) fn text(program: &str, family: Family, target: Option<Named>, matches: &[&'static Extension<Match>]) -> String {
    let mut out = format!("{program} {}\n\nUsage: {program} COMMAND [OPTIONS]\n\n{COMMANDS}", crate::error::VERSION);
    if family == Family::Ipv4 {
        out.push_str("  [!] -f, --fragment, --fragments    second and later fragments only\n");
    }
    match target {
        Some(Named::Verdict) => {
            out.push_str("\nstandard match options:\n  (ACCEPT, DROP, QUEUE, RETURN, and no target at all: none)\n")
        }
        Some(Named::Extension(extension)) => push_options("target", extension.name, extension.options, &mut out),
        None => {}
    }
    for extension in matches {
        push_options("match", extension.name, extension.options, &mut out);
    }
    out
}

/// What `-j` named.
pub(crate) enum Named {
    Verdict,
    Extension(&'static Extension<Target>),
}

fn push_options(kind: &str, name: &str, options: &[Opt], out: &mut String) {
    out.push_str(&format!("\n{name} {kind} options:\n"));
    for option in options {
        let refused = if matches!(option.arg, Arg::NotSupported) { " (known, and refused)" } else { "" };
        let line = writeln!(out, "  {}{refused}", option_text(option));
        line.unwrap_or_else(|_| unreachable!("a String takes everything"));
    }
}

/// `[!] --name, --alias VALUE`
fn option_text(option: &Opt) -> String {
    let spellings = std::iter::once(&option.name).chain(option.aliases).map(|name| format!("--{name}"));
    let value = match option.arg {
        Arg::None | Arg::NotSupported => String::new(),
        Arg::Text { .. } => " VALUE".to_owned(),
        Arg::Number { min, max } => format!(" NUMBER ({min}-{max})"),
        Arg::Masked => " VALUE[/MASK]".to_owned(),
        Arg::Ports => " PORT[:PORT]".to_owned(),
        Arg::Seconds => " SECONDS[:SECONDS]".to_owned(),
        Arg::Counts => " COUNT[:[COUNT]]".to_owned(),
        Arg::Prefix => " BITS".to_owned(),
        Arg::Address => " ADDRESS[/MASK]".to_owned(),
        Arg::AddressRange => " ADDRESS[-ADDRESS]".to_owned(),
        Arg::Host => " ADDRESS".to_owned(),
        Arg::Network => " ADDRESS[/BITS]".to_owned(),
        Arg::Port => " PORT".to_owned(),
        Arg::Name { .. } => " NAME".to_owned(),
        Arg::Protocol => " PROTOCOL".to_owned(),
        Arg::Optional { shape, .. } => format!(" [{shape}]"),
        Arg::Pair { shape, .. } | Arg::Own { shape, .. } => format!(" {shape}"),
        Arg::Span { max } => format!(" NUMBER[:[NUMBER]] (0-{max})"),
        Arg::PortList => " PORT[:PORT][,...]".to_owned(),
        Arg::NatTo => " [ADDRESS[-ADDRESS]][:PORT[-PORT]]".to_owned(),
        Arg::NatPorts => " PORT[-PORT]".to_owned(),
    };
    let invert = if option.invert { "[!] " } else { "" };
    format!("{invert}{}{value}", spellings.collect::<Vec<_>>().join(", "))
}

/// An extension, as the page of all of them tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Whether it is a target; a match if not.
    pub is_target: bool,
    /// The word after `-m` or `-j`.
    pub name: &'static str,
    /// The family that has it; both if none.
    pub family: Option<Family>,
    /// Its options as help shows them.
    pub options: Vec<String>,
    /// Options of iptables that are refused by name, without their dashes.
    pub refused: Vec<&'static str>,
}

/// Every extension of the language: matches, then targets, each in the order of their names.
pub fn extensions() -> Vec<Described> {
    let matches = crate::matches::EXTENSIONS.iter().map(|extension| described(false, extension));
    let targets = crate::targets::EXTENSIONS.iter().map(|extension| described(true, extension));
    let mut all: Vec<Described> = matches.chain(targets).collect();
    all.sort_by_key(|one| (one.is_target, one.name, one.family));
    all
}

fn described<T>(is_target: bool, extension: &Extension<T>) -> Described {
    let (refused, taken): (Vec<&Opt>, Vec<&Opt>) =
        extension.options.iter().partition(|option| matches!(option.arg, Arg::NotSupported));
    Described {
        is_target,
        name: extension.name,
        family: extension.family,
        options: taken.into_iter().map(option_text).collect(),
        refused: refused.into_iter().map(|option| option.name).collect(),
    }
}
