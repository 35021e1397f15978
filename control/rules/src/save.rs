//! Save form: rules as the commands that make them (`-S`, `iptables-save`).
use crate::command::Host;
use crate::error::{Error, Problem, VERSION};
use crate::getopt::{self, Getopt, Long, Step, Takes};
use crate::header::{FragmentMatch, InterfaceMatch};
use crate::{AddrMatch, Chain, Counters, Family, Rule, RuleSet, Table, TableName, spec};
use std::fmt::Write;

/// How a rule's counters are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterForm {
    /// Not at all.
    None,
    /// `[packets:bytes] ` in front: `iptables-save -c`.
    InFront,
    /// ` -c packets bytes` before the target: `-S -v`.
    AsOption,
}

/// Adds one rule as the `-A` command that makes it, without line feed.
pub fn push_rule(chain: &str, rule: &Rule, form: CounterForm, host: &Host<'_>, out: &mut String) {
    let Counters { packets, bytes } = host.counters(rule.counters, rule.slot);
    if form == CounterForm::InFront {
        push(out, format_args!("[{packets}:{bytes}] "));
    }
    out.push_str("-A ");
    out.push_str(chain);
    let header = &rule.header;
    let [src, dst] = header.addresses.both();
    push_address("-s", &src, out);
    push_address("-d", &dst, out);
    push_interface("-i", &header.in_interface, out);
    push_interface("-o", &header.out_interface, out);
    if !header.protocol.is_any() {
        out.push_str(if header.protocol.invert { " ! -p " } else { " -p " });
        match host.names.protocol_name(header.protocol.number) {
            Some(name) => out.push_str(name),
            None => push(out, format_args!("{}", header.protocol.number)),
        }
    }
    match header.fragment {
        FragmentMatch::Any => {}
        FragmentMatch::Later => out.push_str(" -f"),
        FragmentMatch::NotLater => out.push_str(" ! -f"),
    }
    rule.matches.iter().for_each(|m| m.save(host.names, out));
    if form == CounterForm::AsOption {
        push(out, format_args!(" -c {packets} {bytes}"));
    }
    rule.target.save(out);
}

fn push_address(option: &str, test: &AddrMatch, out: &mut String) {
    if !test.is_any() {
        let not = if test.invert { " !" } else { "" };
        push(out, format_args!("{not} {option} {}", spec::network_text(test)));
    }
}

fn push_interface(option: &str, test: &InterfaceMatch, out: &mut String) {
    if !test.is_unnamed() {
        let not = if test.invert { " !" } else { "" };
        let plus = if test.wildcard { "+" } else { "" };
        push(out, format_args!("{not} {option} {}{plus}", test.name));
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).unwrap_or_else(|_| unreachable!("a String takes everything"));
}

/// `-S`: policies and chains, then rules; only one chain, or one rule of it, if so wished.
pub(crate) fn push_rules(table: &Table, only: Option<&str>, number: Option<u32>, verbose: bool, host: &Host<'_>, out: &mut String) {
    let chains = || table.chains().filter(move |chain| only.is_none_or(|name| *chain.name == *name));
    if number.is_none() {
        chains().for_each(|chain| push_chain_command(chain, verbose, host, out));
    }
    let form = if verbose { CounterForm::AsOption } else { CounterForm::None };
    for chain in chains() {
        for (index, rule) in chain.rules.iter().enumerate() {
            if number.is_none_or(|number| number as usize == index + 1) {
                push_rule(&chain.name, rule, form, host, out);
                out.push('\n');
            }
        }
    }
}

fn push_chain_command(chain: &Chain, verbose: bool, host: &Host<'_>, out: &mut String) {
    match chain.policy {
        Some(policy) => {
            push(out, format_args!("-P {} {}", chain.name, policy.as_str()));
            if verbose {
                let Counters { packets, bytes } = host.counters(chain.counters, chain.slot);
                push(out, format_args!(" -c {packets} {bytes}"));
            }
        }
        None => push(out, format_args!("-N {}", chain.name)),
    }
    out.push('\n');
}

const LONG: &[Long] = &[
    ("counters", 'c', Takes::Nothing),
    ("version", 'V', Takes::Nothing),
    ("dump", 'd', Takes::Nothing),
    ("table", 't', Takes::Value),
    ("modprobe", 'M', Takes::Value),
    ("file", 'f', Takes::Value),
];

/// Options of `iptables-save`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-c`: counters of rules too.
    pub counters: bool,
    /// `-t`: this table only.
    pub table: Option<String>,
    /// `-f`: the file to write to, for the caller to open.
    pub file: Option<String>,
    /// `-V`: print the version and nothing else.
    pub version: bool,
}

impl Options {
    /// Reads the words of the command line, the program's own name left out.
    pub fn parse(words: &[String]) -> Result<Options, Error> {
        let mut options = Options::default();
        let mut walk = Getopt::new(words);
        let mut has_words = false;
        while let Some(step) = walk.step() {
            let (letter, long, attached) = match step {
                Step::Word(_) => {
                    has_words = true;
                    continue;
                }
                Step::Short(letter) => (letter, None, None),
                Step::Long(name, value) => {
                    let found = getopt::find_long(LONG, name, value.is_some()).map_err(Problem::InvalidOption)?;
                    (found.1, Some(found.0), value)
                }
            };
            let missing = || Problem::InvalidOption(getopt::missing_value(long, letter));
            match letter {
                'c' => options.counters = true,
                'V' => {
                    options.version = true;
                    return Ok(options);
                }
                'd' => {}
                't' => options.table = Some(walk.value(attached).ok_or_else(missing)?.to_owned()),
                'f' => options.file = Some(walk.value(attached).ok_or_else(missing)?.to_owned()),
                'M' => {
                    walk.value(attached).ok_or_else(missing)?;
                }
                _ => return Err(Problem::InvalidOption(format!("invalid option -- '{letter}'")).into()),
            }
        }
        if has_words || walk.has_rest() {
            return Err(Problem::UnknownArguments.into());
        }
        Ok(options)
    }
}

/// `iptables-save`: every loaded table, or the one asked for. `stamp` is the time for the comment lines (`Mon Nov 23 20:09:05 2026`);
/// without it there are none.
pub fn save(set: &RuleSet, options: &Options, stamp: Option<&str>, host: &Host<'_>) -> Result<String, Error> {
    let program = save_program(set.family);
    if options.version {
        return Ok(format!("{program} {VERSION}\n"));
    }
    let mut out = String::new();
    match &options.table {
        None => set.tables().for_each(|table| push_table(table, options.counters, program, stamp, host, &mut out)),
        Some(name) => {
            let name = TableName::from_name(name).ok_or(Problem::NoTableToSave)?;
            match set.table(name) {
                Some(table) => push_table(table, options.counters, program, stamp, host, &mut out),
                None => push_table(&Table::new(name), options.counters, program, stamp, host, &mut out),
            }
        }
    }
    Ok(out)
}

fn save_program(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables-save",
        Family::Ipv6 => "ip6tables-save",
    }
}

fn push_table(table: &Table, with_counters: bool, program: &str, stamp: Option<&str>, host: &Host<'_>, out: &mut String) {
    if let Some(stamp) = stamp {
        // The version alone, as the real one writes it here.
        let version = VERSION.split(' ').next().unwrap_or(VERSION);
        push(out, format_args!("# Generated by {program} {version} on {stamp}\n"));
    }
    push(out, format_args!("*{}\n", table.name));
    for chain in table.chains() {
        let policy = chain.policy.map_or("-", |policy| policy.as_str());
        let Counters { packets, bytes } = match chain.policy {
            Some(_) => host.counters(chain.counters, chain.slot),
            None => Counters::default(),
        };
        push(out, format_args!(":{} {policy} [{packets}:{bytes}]\n", chain.name));
    }
    let form = if with_counters { CounterForm::InFront } else { CounterForm::None };
    for chain in table.chains() {
        for rule in &chain.rules {
            push_rule(&chain.name, rule, form, host, out);
            out.push('\n');
        }
    }
    out.push_str("COMMIT\n");
    if let Some(stamp) = stamp {
        push(out, format_args!("# Completed on {stamp}\n"));
    }
}
