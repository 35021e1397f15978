//! What the kernel checks when a table is committed: loops of chains, and whether each rule may stand where packets reach it.
//!
//! As in the kernel, a rule that no built-in chain leads to, or that stands behind an unconditional verdict, is reached from no hook:
//! its target may then be one that the hooks would not allow.
use crate::error::KernelError;
use crate::header::FragmentMatch;
use crate::matches::Place;
use crate::table::HookSet;
use crate::{AddrMatch, Chain, Difference, Rule, RuleSet, Table, TableName, Target};
use std::collections::HashMap;

/// Checks every table of a rule set. [`crate::command::Invocation::run`] and [`crate::restore::restore`] have done so already.
pub fn check(set: &RuleSet) -> Result<(), KernelError> {
    set.tables().try_for_each(check_table)
}

/// Checks one table.
pub(crate) fn check_table(table: &Table) -> Result<(), KernelError> {
    let reach = Reach::of(table)?;
    for (index, chain) in reach.chains.iter().enumerate() {
        for (position, rule) in chain.rules.iter().enumerate() {
            let hooks = if position < reach.ends[index] { reach.hooks[index] } else { HookSet::NONE };
            let place = place_of(rule, table.name, hooks);
            rule.matches.iter().try_for_each(|m| m.check(place))?;
            rule.target.check(table.name, hooks, rule)?;
        }
    }
    check_shared(table)
}

/// What rules share by its name must be of one kind: the estimator of RATEEST has one interval and one time constant, the timer of IDLETIMER wakes a
/// machine or does not (its time may be another: it is set anew).
fn check_shared(table: &Table) -> Result<(), KernelError> {
    let (mut estimators, mut timers) = (HashMap::new(), HashMap::new());
    let is_alike = table.chains().flat_map(|chain| &chain.rules).all(|rule| match &rule.target {
        Target::Rateest(rate) => {
            let times = (rate.interval, rate.ewma_log);
            *estimators.entry(&*rate.name).or_insert(times) == times
        }
        Target::Idletimer(timer) => *timers.entry(&*timer.label).or_insert(timer.alarm) == timer.alarm,
        _ => true,
    });
    if is_alike { Ok(()) } else { Err(KernelError::InvalidArgument) }
}

fn place_of(rule: &Rule, table: TableName, hooks: HookSet) -> Place {
    Place { family: rule.header.addresses.family(), table, hooks, protocol: rule.header.protocol }
}

/// Checks a table that follows one that was checked. Where no rule changed that others depend on, only the new ones are looked at.
pub(crate) fn check_following(table: &Table, before: Option<&Table>) -> Result<(), KernelError> {
    if before.is_some_and(|before| is_reached_alike(table, before)) { Ok(()) } else { check_table(table) }
}

/// Does no new rule lead anywhere or need a certain hook, and did none that is gone keep others from being reached?
fn is_reached_alike(table: &Table, before: &Table) -> bool {
    let hooks = HookSet::of(table.name.hooks());
    let is_harmless = |rule: &Rule| {
        let place = place_of(rule, table.name, hooks);
        rule.target.chain().is_none()
            && !matches!(rule.target, Target::Rateest(_) | Target::Idletimer(_))
            && rule.matches.iter().all(|m| m.check(place).is_ok())
            && rule.target.check(table.name, hooks, rule).is_ok()
    };
    table.differing(Some(before)).into_iter().all(|pair| {
        let (Some(now), Some(old)) = pair else { return false };
        let Difference { at, removed, added } = now.rules.difference(&old.rules, Rule::same_spec).unwrap_or_default();
        now.rules.iter().skip(at).take(added).all(is_harmless) && !old.rules.iter().skip(at).take(removed).any(is_final)
    })
}

/// From which hooks each chain is reached, and how far down.
struct Reach<'a> {
    chains: Vec<&'a Chain>,
    by_name: HashMap<&'a str, usize>,
    /// Hooks that lead to the chain.
    hooks: Vec<HookSet>,
    /// Rules before this position can be reached.
    ends: Vec<usize>,
}

/// Where a chain stands in the walk from one hook.
#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Not,
    OnPath,
    Done,
}

impl<'a> Reach<'a> {
    fn of(table: &'a Table) -> Result<Reach<'a>, KernelError> {
        let chains: Vec<&Chain> = table.chains().collect();
        let mut by_name = HashMap::with_capacity(chains.len());
        for (index, chain) in chains.iter().enumerate() {
            by_name.insert(chain.name.as_str(), index);
        }
        let ends = chains.iter().map(|chain| reachable_rules(chain)).collect();
        let mut reach = Reach { hooks: vec![HookSet::NONE; chains.len()], chains, by_name, ends };
        for (start, hook) in table.name.hooks().iter().enumerate() {
            reach.walk(start, hook.bit())?;
        }
        Ok(reach)
    }

    /// Marks what is reached from a built-in chain. A chain met again on its own path is a loop.
    fn walk(&mut self, start: usize, hook: HookSet) -> Result<(), KernelError> {
        let mut visits = vec![Visit::Not; self.chains.len()];
        visits[start] = Visit::OnPath;
        let reached = |index: usize| self.chains[index].rules.iter().take(self.ends[index]);
        let mut path = vec![(start, reached(start))];
        while let Some((index, rules)) = path.last_mut() {
            let Some(name) = rules.find_map(|rule| rule.target.chain()) else {
                visits[*index] = Visit::Done;
                self.hooks[*index] = self.hooks[*index].union(hook);
                path.pop();
                continue;
            };
            let next = *self.by_name.get(name.as_str()).ok_or(KernelError::NoSuchName)?;
            if self.chains[next].is_builtin() {
                return Err(KernelError::InvalidArgument);
            }
            match visits[next] {
                Visit::OnPath => return Err(KernelError::Loop),
                Visit::Done => {}
                Visit::Not => {
                    visits[next] = Visit::OnPath;
                    path.push((next, reached(next)));
                }
            }
        }
        Ok(())
    }
}

/// The number of rules up to and with the first unconditional verdict.
fn reachable_rules(chain: &Chain) -> usize {
    chain.rules.iter().position(is_final).map_or(chain.rules.len(), |position| position + 1)
}

fn is_final(rule: &Rule) -> bool {
    matches!(rule.target, Target::Accept | Target::Drop | Target::Queue | Target::Return) && is_unconditional(rule)
}

fn is_unconditional(rule: &Rule) -> bool {
    let header = &rule.header;
    rule.matches.is_empty()
        && header.addresses.both().iter().all(AddrMatch::is_any)
        && header.in_interface.is_any()
        && header.out_interface.is_any()
        && header.protocol.is_any()
        && header.fragment == FragmentMatch::Any
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Family;
    use crate::command::Host;
    use crate::error::Problem;
    use crate::names::Builtin;
    use crate::restore;

    /// What the check says of a nat or filter table with these lines.
    fn verdict(table: &str, lines: &[&str]) -> Result<(), Problem> {
        let host = Host { names: &Builtin, live: None };
        let text = format!("*{table}\n:A - [0:0]\n:B - [0:0]\n{}\nCOMMIT\n", lines.join("\n"));
        let outcome = restore::restore(&RuleSet::new(Family::Ipv4), &text, &restore::Options::default(), &host);
        outcome.map(|_| ()).map_err(|error| error.problem)
    }

    #[test]
    fn chains_that_call_each_other_are_a_loop_once_they_are_reached() {
        assert_eq!(verdict("filter", &["-A A -j B", "-A B -j A"]), Ok(()));
        assert_eq!(verdict("filter", &["-A A -j B", "-A B -j A", "-A INPUT -j A"]), Err(KernelError::Loop.into()));
        assert_eq!(verdict("filter", &["-A A -g A", "-A INPUT -g A"]), Err(KernelError::Loop.into()));
        assert_eq!(verdict("filter", &["-A INPUT -j A", "-A INPUT -j A", "-A A -j B", "-A FORWARD -j B"]), Ok(()));
    }

    #[test]
    fn a_jump_behind_an_unconditional_verdict_is_never_taken() {
        assert_eq!(verdict("filter", &["-A A -j RETURN", "-A A -j A", "-A INPUT -j A"]), Ok(()));
        assert_eq!(verdict("filter", &["-A A -p tcp -j RETURN", "-A A -j A", "-A INPUT -j A"]), Err(KernelError::Loop.into()));
    }

    #[test]
    fn a_target_must_be_allowed_at_every_hook_that_reaches_it() {
        let masquerade = "-A A -j MASQUERADE";
        assert_eq!(verdict("nat", &[masquerade]), Ok(()));
        assert_eq!(verdict("nat", &[masquerade, "-A B -j A", "-A POSTROUTING -j B"]), Ok(()));
        let from_input = verdict("nat", &[masquerade, "-A B -j A", "-A POSTROUTING -j B", "-A INPUT -j B"]);
        assert_eq!(from_input, Err(KernelError::InvalidArgument.into()));
        assert_eq!(verdict("nat", &["-A PREROUTING -j ACCEPT", "-A PREROUTING -j MASQUERADE"]), Ok(()));
    }

    #[test]
    fn an_edit_is_checked_as_the_whole_table_is() {
        let host = Host { names: &Builtin, live: None };
        let base = "*nat\n:A - [0:0]\n:B - [0:0]\n-A A -j MASQUERADE\n-A B -j ACCEPT\n-A B -j A\n-A POSTROUTING -j B\n-A PREROUTING -j B\nCOMMIT\n";
        let base =
            restore::restore(&RuleSet::new(Family::Ipv4), base, &restore::Options::default(), &host).unwrap().ruleset.unwrap();
        let edit = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            crate::parse(Family::Ipv4, &words, &Builtin).unwrap().run(&base, &host).map(|_| ()).map_err(|error| error.problem)
        };
        assert_eq!(edit("-t nat -A INPUT -s 10.0.0.1 -j ACCEPT"), Ok(()));
        assert_eq!(edit("-t nat -I POSTROUTING -j MASQUERADE"), Ok(()));
        for refused in [
            // What stood before MASQUERADE kept packets of PREROUTING from it.
            "-t nat -D B 1",
            "-t nat -R B 1 -s 10.0.0.1 -j ACCEPT",
            "-t nat -A INPUT -j MASQUERADE",
            "-t nat -I B -j A",
            "-t nat -I B -j B",
            "-t nat -I INPUT -j A",
            "-t nat -A A -j REJECT",
            "-t nat -A INPUT -p udp -m tcp --dport 1",
        ] {
            let invalid = [KernelError::InvalidArgument.into(), KernelError::Loop.into()];
            assert!(edit(refused).is_err_and(|problem| invalid.contains(&problem)), "{refused}");
        }
    }

    #[test]
    fn what_rules_share_by_its_name_is_of_one_kind() {
        let rate = |name: &str, interval: &str, log: &str| {
            format!("-A A -j RATEEST --rateest-name {name} --rateest-interval {interval} --rateest-ewmalog {log}")
        };
        let first = rate("a", "250ms", "1s");
        let with = |other: &str| verdict("mangle", &[&first, "-A A -j IDLETIMER --timeout 5 --label x", other]);
        for taken in [
            &first,
            &rate("b", "500ms", "1s"),
            "-A B -j IDLETIMER --timeout 9 --label x",
            "-A B -j IDLETIMER --timeout 9 --label y --alarm",
        ] {
            assert_eq!(with(taken), Ok(()), "{taken}");
        }
        for refused in [&rate("a", "500ms", "1s"), &rate("a", "250ms", "2s"), "-A B -j IDLETIMER --timeout 5 --label x --alarm"] {
            assert_eq!(with(refused), Err(KernelError::InvalidArgument.into()), "{refused}");
        }
        // An edit of one rule sees what the others say.
        let host = Host { names: &Builtin, live: None };
        let base = restore::restore(
            &RuleSet::new(Family::Ipv4),
            "*filter\n-A INPUT -j IDLETIMER --timeout 5 --label x\nCOMMIT\n",
            &restore::Options::default(),
            &host,
        );
        let words = ["-A", "OUTPUT", "-j", "IDLETIMER", "--timeout", "5", "--label", "x", "--alarm"].map(str::to_owned);
        let edit = crate::parse(Family::Ipv4, &words, &Builtin).unwrap();
        assert!(edit.run(&base.unwrap().ruleset.unwrap(), &host).is_err());
    }

    #[test]
    fn a_match_of_a_protocol_needs_that_protocol_wherever_it_stands() {
        assert_eq!(verdict("filter", &["-A A -m tcp --dport 1"]), Err(KernelError::InvalidArgument.into()));
        assert_eq!(verdict("filter", &["-A A ! -p tcp --dport 1"]), Err(KernelError::InvalidArgument.into()));
    }
}
