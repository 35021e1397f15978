//! Running a command: the edit of a table, in libiptc's steps and with its refusals, then the kernel's check.
use crate::command::{Command, Host, Invocation, Outcome, Show, ShowForm, Zero};
use crate::error::{Error, KernelError, UsageError};
use crate::{Chain, ChainName, Counters, Policy, Rule, RuleSet, Table, Target, check, list, parse, save};
use std::collections::HashMap;

/// The longest name that iptables lets a chain be renamed to: longer than a new one's, and than a restore text can say.
const RENAME_MAX: usize = 31;

impl Invocation {
    /// Does the command show or change counters of rules that are there? Another one does not look at them.
    pub fn reads_counters(&self) -> bool {
        matches!(self.command, Command::Show(_))
    }

    /// Runs the command on a copy of the rule set: the caller sees all of its effect or, with an error, nothing.
    pub fn run(&self, set: &RuleSet, host: &Host<'_>) -> Result<Outcome, Error> {
        let mut outcome = Outcome { stderr: self.warnings.clone(), ..Outcome::default() };
        match self.work(set, host, &mut outcome) {
            Ok(()) => Ok(outcome),
            Err(error) => Err(error.after(&self.warnings).after_output(outcome.stdout)),
        }
    }

    fn work(&self, set: &RuleSet, host: &Host<'_>, outcome: &mut Outcome) -> Result<(), Error> {
        let mut edited = set.clone();
        let was_loaded = set.table(self.table).is_some();
        let changed = match &self.command {
            Command::Print(text) => {
                outcome.stdout.push_str(text);
                return Ok(());
            }
            Command::Nothing => return Ok(()),
            _ => self.edit(edited.table_mut(self.table), host, &mut outcome.stdout)?,
        };
        if changed {
            let policy_of = match &self.command {
                Command::Policy { chain, .. } => Some(chain.as_str()),
                _ => None,
            };
            let table = edited.table_mut(self.table);
            table.reset_policy_counters(policy_of);
            check::check_following(table, set.table(self.table))?;
            outcome.changed.push(self.table);
        }
        if changed || !was_loaded {
            outcome.ruleset = Some(edited);
        }
        Ok(())
    }

    /// Does the command's work on its table. `Ok(true)` if it may have changed something.
    pub(crate) fn edit(&self, table: &mut Table, host: &Host<'_>, stdout: &mut String) -> Result<bool, Error> {
        match &self.command {
            Command::Append { chain, rules } => {
                let target = self.prepare(table, rules, host, stdout)?;
                let chain = chain_mut(table, chain)?;
                target.allowed()?;
                chain.rules.extend(rules.iter().map(|rule| target.kept(rule)));
            }
            Command::Insert { chain, number, rules } => {
                let target = self.prepare(table, rules, host, stdout)?;
                let chain = chain_mut(table, chain)?;
                let position = *number as usize - 1;
                if position > chain.rules.len() {
                    return Err(KernelError::IndexOfInsertion.into());
                }
                target.allowed()?;
                // One after the other at the same place, so the last of the list comes to stand first.
                chain.rules.replace(position..position, rules.iter().rev().map(|rule| target.kept(rule)));
            }
            Command::Replace { chain, number, rule } => {
                let target = self.prepare(table, std::slice::from_ref(&**rule), host, stdout)?;
                let chain = chain_mut(table, chain)?;
                let place = chain.rules.get_mut(*number as usize - 1).ok_or(KernelError::IndexOfReplacement)?;
                target.allowed()?;
                *place = target.kept(rule);
            }
            Command::Delete { chain, rules } => {
                let target = self.prepare(table, rules, host, stdout)?;
                let chain = table.chain_mut(chain).ok_or(KernelError::BadRule)?;
                target.allowed()?;
                for rule in rules {
                    let position = chain.rules.iter().position(|other| other.same_spec(rule));
                    chain.rules.remove(position.ok_or_else(|| not_there(rule))?);
                }
            }
            Command::DeleteNumber { chain, number } => {
                let chain = chain_mut(table, chain)?;
                let position = *number as usize - 1;
                if position >= chain.rules.len() {
                    return Err(KernelError::IndexOfDeletion.into());
                }
                chain.rules.remove(position);
            }
            Command::Check { chain, rules } => {
                let target = self.prepare(table, rules, host, stdout)?;
                let chain = table.chain(chain).ok_or(KernelError::BadRule)?;
                target.allowed()?;
                let is_there = |rule: &&Rule| chain.rules.iter().any(|other| other.same_spec(rule));
                // Of several it is the last that is not there.
                return rules.iter().rfind(|rule| !is_there(rule)).map_or(Ok(false), |rule| Err(not_there(rule).into()));
            }
            Command::Show(show) => return self.show(table, show, host, stdout),
            Command::Flush { chain: Some(chain) } => {
                say_chain(self.verbose > 0, "Flushing", chain, stdout);
                chain_mut(table, chain)?.rules.clear();
            }
            Command::Flush { chain: None } => table.chains_mut().for_each(|chain| {
                say_chain(self.verbose > 0, "Flushing", &chain.name, stdout);
                chain.rules.clear();
            }),
            Command::NewChain { chain } => {
                if !table.add_chain(chain.clone()) {
                    return Err(KernelError::ChainExists.into());
                }
            }
            Command::DeleteChain { chain } => return self.delete_chains(table, chain.as_ref(), stdout),
            Command::RenameChain { old, new } => rename_chain(table, old, new)?,
            Command::Policy { chain, policy, counters } => set_policy(table, chain, policy, *counters)?,
            Command::Print(text) => {
                stdout.push_str(text);
                return Ok(false);
            }
            Command::Nothing => return Ok(false),
        }
        Ok(true)
    }

    /// What every command with a rule does first: find the chains that are jumped to, and with `-v` say the rules again.
    fn prepare(&self, table: &Table, rules: &[Rule], host: &Host<'_>, stdout: &mut String) -> Result<JumpTo, Error> {
        let name = rules.first().and_then(|rule| rule.target.chain().map(|name| (name, &rule.target)));
        let jump = match name.map(|(name, target)| (table.chain(name), name, target)) {
            Some((None, name, Target::Goto(_))) => return Err(UsageError::GotoNotChain(name.to_string()).into()),
            Some((None, name, _)) => return Err(UsageError::NoTarget(name.to_string()).into()),
            Some((Some(chain), ..)) if chain.is_builtin() => JumpTo::Builtin,
            Some((Some(chain), ..)) => JumpTo::Chain(chain.name.clone()),
            None => JumpTo::Nowhere,
        };
        if self.verbose > 0 {
            rules.iter().for_each(|rule| list::push_rule_in_words(rule, self.family, host, stdout));
        }
        Ok(jump)
    }

    /// `Ok(true)` if there was a chain to delete.
    fn delete_chains(&self, table: &mut Table, chain: Option<&ChainName>, stdout: &mut String) -> Result<bool, Error> {
        let names = match chain {
            Some(name) => vec![name.clone()],
            None => table.user_chains().map(|chain| chain.name.clone()).collect(),
        };
        let references = references(table);
        let mut done = Ok(!names.is_empty());
        for name in names {
            say_chain(self.verbose > 0, "Deleting", &name, stdout);
            let chain = table.chain(&name).ok_or(KernelError::NoSuchName)?;
            let reason = match () {
                () if chain.is_builtin() => KernelError::InvalidArgument,
                () if references.contains_key(&name) => KernelError::TooManyLinks,
                () if !chain.rules.is_empty() => KernelError::NotEmpty,
                () => {
                    table.remove_chain(&name);
                    continue;
                }
            };
            // The others are tried all the same, and of several reasons the last one is said.
            done = Err(reason.into());
        }
        done
    }

    fn show(&self, table: &mut Table, show: &Show, host: &Host<'_>, stdout: &mut String) -> Result<bool, Error> {
        if let Some(name) = show.chain.as_ref().filter(|_| show.form.is_some()) {
            table.chain(name).ok_or(KernelError::NoSuchName)?;
        }
        match show.form {
            Some(ShowForm::List { numeric, exact, line_numbers }) => {
                let style = list::Style { numeric, exact, line_numbers, verbose: self.verbose > 0 };
                list::push_table(table, self.family, show.chain.as_deref(), show.number, style, host, stdout);
            }
            Some(ShowForm::Rules) => {
                let verbose = self.verbose > 0;
                save::push_rules(table, show.chain.as_deref(), show.number, verbose, host, stdout);
            }
            None => {}
        }
        if let Some(zero) = show.zero {
            self.zero(table, show, zero, stdout)?;
        }
        Ok(show.zero.is_some())
    }

    fn zero(&self, table: &mut Table, show: &Show, zero: Zero, stdout: &mut String) -> Result<(), Error> {
        let verbose = self.verbose > 0;
        let zero_chain = |chain: &mut Chain| {
            chain.counters = Counters::default();
            let is_set = |rule: &Rule| rule.counters != Counters::default();
            chain.rules.change(0..chain.rules.len(), is_set, |rule| rule.counters = Counters::default());
        };
        match (&show.chain, zero, show.number) {
            (Some(name), Zero::Rule, Some(number)) => {
                let chain = chain_mut(table, name)?;
                let rule = chain.rules.get_mut(number as usize - 1).ok_or(KernelError::IndexOfCounter)?;
                rule.counters = Counters::default();
            }
            (Some(name), ..) => {
                say_chain(verbose, "Zeroing", name, stdout);
                zero_chain(chain_mut(table, name)?);
            }
            (None, ..) => table.chains_mut().for_each(|chain| {
                say_chain(verbose, "Zeroing", &chain.name, stdout);
                zero_chain(chain);
            }),
        }
        Ok(())
    }
}

/// Where a rule jumps to. What is not allowed is said after the rule's place was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum JumpTo {
    Nowhere,
    Chain(ChainName),
    Builtin,
}

impl JumpTo {
    fn allowed(&self) -> Result<(), KernelError> {
        if *self == JumpTo::Builtin { Err(KernelError::InvalidArgument) } else { Ok(()) }
    }

    /// A rule as it is kept: it shares the name with the chain itself.
    fn kept(&self, rule: &Rule) -> Rule {
        let mut rule = rule.clone();
        if let (Target::Jump(name) | Target::Goto(name), JumpTo::Chain(shared)) = (&mut rule.target, self) {
            *name = shared.clone();
        }
        rule
    }
}

/// What libiptc says where a rule is not found: it depends on the last thing that it did, which for all but verdicts was to look for a target.
fn not_there(rule: &Rule) -> KernelError {
    match rule.target {
        Target::None | Target::Accept | Target::Drop | Target::Return | Target::Queue => KernelError::BadRule,
        _ => KernelError::NoSuchName,
    }
}

/// What `-v` says of a chain before something is done to it, even if it turns out that there is none of that name.
fn say_chain(verbose: bool, doing: &str, name: &str, stdout: &mut String) {
    if verbose {
        stdout.push_str(&format!("{doing} chain `{name}'\n"));
    }
}

/// How many rules of the table jump or go to each chain.
pub(crate) fn references(table: &Table) -> HashMap<ChainName, u32> {
    let mut references = HashMap::new();
    for name in table.chains().flat_map(|chain| &chain.rules).filter_map(|rule| rule.target.chain()) {
        match references.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                references.insert(name.clone(), 1);
            }
        }
    }
    references
}

/// Sets the policy and the policy's counters of a built-in chain.
pub(crate) fn set_policy(table: &mut Table, chain: &str, policy: &str, counters: Counters) -> Result<(), KernelError> {
    let chain = table.chain_mut(chain).filter(|chain| chain.is_builtin()).ok_or(KernelError::BadBuiltin)?;
    chain.policy = Some(match policy {
        "ACCEPT" => Policy::Accept,
        "DROP" => Policy::Drop,
        _ => return Err(KernelError::BadPolicy),
    });
    chain.counters = counters;
    Ok(())
}

fn rename_chain(table: &mut Table, old: &ChainName, new: &ChainName) -> Result<(), Error> {
    if table.chain(new).is_some() {
        return Err(KernelError::FileExists.into());
    }
    if table.chain(old).is_none_or(Chain::is_builtin) {
        return Err(KernelError::NoSuchName.into());
    }
    if new.len() > RENAME_MAX {
        return Err(KernelError::InvalidArgument.into());
    }
    // What could not be read back, which the real one takes, or cuts.
    if new.len() > parse::NAME_MAX {
        return Err(UsageError::ChainNameLong(new.to_string()).into());
    }
    if new.is_empty() {
        return Err(UsageError::ChainNameSpace(String::new()).into());
    }
    parse::check_writable(new)?;
    if crate::targets::is_target_name(new) {
        return Err(KernelError::FileExists.into());
    }
    table.rename_chain(old, new.clone());
    Ok(())
}

fn chain_mut<'a>(table: &'a mut Table, name: &str) -> Result<&'a mut Chain, KernelError> {
    table.chain_mut(name).ok_or(KernelError::NoSuchName)
}
