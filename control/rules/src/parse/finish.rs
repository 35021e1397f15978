//! When all words were read: what is missing, what does not go together, and the command that comes of it.
use super::{NAME_MAX, Parser, context_of};
use crate::command::{Command, Invocation, Show, ShowForm, Zero};
use crate::error::{Error, Problem, UsageError};
use crate::getopt::Getopt;
use crate::{Addresses, ChainName, Header, Hook, Match, Rule, TableName, Target, spec};

/// Options that [`ALLOWED`] speaks of, in the order in which they are checked.
const FLAGS: &str = "nsdpjvxio0cf";
/// Which options each command takes.
const ALLOWED: &[(char, &str)] = &[
    ('A', "sdpjviocf"),
    ('I', "sdpjviocf"),
    ('R', "sdpjviocf"),
    ('D', "sdpjviof"),
    ('C', "sdpjviof"),
    ('#', "v"),
    ('L', "nvx0"),
    ('S', "v"),
    ('F', "v"),
    ('Z', "v"),
    ('z', "v"),
    ('N', "v"),
    ('X', "v"),
    ('E', "v"),
    ('P', "vc"),
];
/// The most rules that one command may make out of lists of addresses.
const RULES_MAX: usize = 65_536;

impl Parser<'_> {
    pub(super) fn finish(&mut self, walk: &Getopt<'_>) -> Result<Invocation, Error> {
        if self.wait_interval && !self.wait {
            return Err(UsageError::WaitIntervalAlone.into());
        }
        let drops = self.policy.as_deref() == Some("DROP") || self.jump.as_deref() == Some("DROP");
        if self.table == "nat" && drops {
            return Err(UsageError::DropInNat.into());
        }
        let context = context_of(self.family, self.names, &self.header, &self.warnings);
        let matches = self.matches.iter().map(|pending| pending.finish(&context)).collect::<Result<Vec<_>, _>>()?;
        let target = self.target.as_ref().map(|pending| pending.finish(&context)).transpose()?;
        if walk.has_rest() {
            return Err(UsageError::UnknownArguments.into());
        }
        let command = *self.commands.first().ok_or(UsageError::NoCommand)?;
        if self.invert {
            return Err(UsageError::DanglingInvert.into());
        }
        let rules = if "ADICR".contains(command) {
            let target = self.take_target(target);
            self.rules(command, matches, target)?
        } else {
            // Addresses are looked at all the same.
            self.rules(command, Vec::new(), Target::None)?;
            Vec::new()
        };
        self.check_flags()?;
        if let Some(chain) = self.chain.as_ref().filter(|chain| chain.len() > NAME_MAX) {
            return Err(UsageError::ChainNameLong(chain.clone()).into());
        }
        if "ADICR".contains(command) {
            self.check_interfaces()?;
        }
        let table = TableName::from_name(&self.table).ok_or_else(|| Problem::NoTable(self.table.clone()))?;
        let command = self.command(command, rules)?;
        Ok(self.invocation(table, command))
    }

    fn take_target(&mut self, extension: Option<Target>) -> Target {
        match (extension.or_else(|| self.verdict.take()), &self.jump) {
            (Some(target), _) => target,
            (None, Some(name)) if self.is_goto => Target::Goto(ChainName::new(name)),
            (None, Some(name)) => Target::Jump(ChainName::new(name)),
            (None, None) => Target::None,
        }
    }

    /// One rule for each pair of addresses.
    fn rules(&self, command: char, matches: Vec<Match>, target: Target) -> Result<Vec<Rule>, UsageError> {
        let addresses = |given: &Option<(String, bool)>| match given {
            Some((text, invert)) => spec::read_addresses(text, *invert, self.family),
            None => Ok(vec![crate::AddrMatch::any(self.family)]),
        };
        let (sources, destinations) = (addresses(&self.source)?, addresses(&self.destination)?);
        let is_inverted = |given: &Option<(String, bool)>| given.as_ref().is_some_and(|(_, invert)| *invert);
        if (sources.len() > 1 || destinations.len() > 1) && (is_inverted(&self.source) || is_inverted(&self.destination)) {
            return Err(UsageError::InvertedAddressList);
        }
        let count = sources.len().saturating_mul(destinations.len());
        if command == 'R' && count != 1 {
            return Err(UsageError::ReplacementNotUnique);
        }
        if count > RULES_MAX {
            return Err(UsageError::AddressListLong(count));
        }
        let header = self.header.clone();
        let rule = Rule { counters: self.counters, slot: None, header, matches: matches.into_boxed_slice(), target };
        if let ([src], [dst]) = (sources.as_slice(), destinations.as_slice()) {
            return Ok(vec![Rule { header: Header { addresses: Addresses::new(*src, *dst), ..rule.header }, ..rule }]);
        }
        let pairs = sources.iter().flat_map(|src| destinations.iter().map(move |dst| (*src, *dst)));
        let with = |(src, dst)| {
            let mut rule = rule.clone();
            rule.header.addresses = Addresses::new(src, dst);
            rule
        };
        Ok(pairs.map(with).collect())
    }

    /// Every option must be allowed by one of the commands.
    fn check_flags(&self) -> Result<(), UsageError> {
        for flag in FLAGS.chars().filter(|flag| self.flags.contains(flag)) {
            let allows = |(command, flags): &(char, &str)| self.commands.contains(command) && flags.contains(flag);
            if !ALLOWED.iter().any(allows) {
                return Err(UsageError::IllegalOption(flag));
            }
        }
        Ok(())
    }

    /// Some built-in chains have no incoming, some no outgoing interface.
    fn check_interfaces(&self) -> Result<(), UsageError> {
        let chain = self.chain.as_deref().unwrap_or("");
        let (letter, given, hook) = match Hook::from_chain_name(chain) {
            Some(hook @ (Hook::Prerouting | Hook::Input)) => ('o', self.flags.contains(&'o'), hook),
            Some(hook @ (Hook::Postrouting | Hook::Output)) => ('i', self.flags.contains(&'i'), hook),
            _ => return Ok(()),
        };
        if given { Err(UsageError::InterfaceWithChain(letter, hook.chain_name())) } else { Ok(()) }
    }

    fn command(&self, letter: char, mut rules: Vec<Rule>) -> Result<Command, UsageError> {
        let optional = self.chain.as_deref().map(ChainName::new);
        let chain = optional.clone().unwrap_or_else(|| ChainName::new(""));
        let number = self.number;
        Ok(match letter {
            'A' => Command::Append { chain, rules },
            'I' => Command::Insert { chain, number: number.unwrap_or(1), rules },
            'D' => Command::Delete { chain, rules },
            'C' => Command::Check { chain, rules },
            'R' => Command::Replace {
                chain,
                number: number.ok_or(UsageError::NeedsRuleNumber('R'))?,
                rule: Box::new(rules.pop().ok_or(UsageError::ReplacementNotUnique)?),
            },
            '#' => Command::DeleteNumber { chain, number: number.ok_or(UsageError::NeedsRuleNumber('D'))? },
            'F' => Command::Flush { chain: optional },
            'N' => Command::NewChain { chain },
            'X' => Command::DeleteChain { chain: optional },
            'E' => Command::RenameChain { old: chain, new: ChainName::new(self.new_name.as_deref().unwrap_or("")) },
            'P' => Command::Policy { chain, policy: self.policy.clone().unwrap_or_default(), counters: self.counters },
            _ => {
                let form = if self.commands.contains(&'L') {
                    Some(ShowForm::List {
                        numeric: self.flags.contains(&'n'),
                        exact: self.flags.contains(&'x'),
                        line_numbers: self.flags.contains(&'0'),
                    })
                } else {
                    self.commands.contains(&'S').then_some(ShowForm::Rules)
                };
                let zero = match () {
                    () if self.commands.contains(&'Z') => Some(Zero::Chain),
                    () if self.commands.contains(&'z') => Some(Zero::Rule),
                    () => None,
                };
                Command::Show(Show { chain: optional, number, form, zero })
            }
        })
    }
}
