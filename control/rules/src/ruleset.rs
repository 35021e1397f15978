//! The rule set: tables of chains of rules, as the kernel would hold them.
use crate::{Family, Header, Hook, Match, Rules, TableName, Target, resume};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// All rules of one family.
///
/// A table that was never asked for is absent, as it is from `/proc/net/ip_tables_names`: `iptables-save` does not print it.
/// Cloning is cheap (chains are shared until one is changed), so an edit works on a clone and the caller sees all of it or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSet {
    /// `iptables` or `ip6tables`.
    pub family: Family,
    tables: BTreeMap<TableName, Table>,
}

impl RuleSet {
    /// A rule set with no table loaded.
    pub fn new(family: Family) -> RuleSet {
        RuleSet { family, tables: BTreeMap::new() }
    }

    /// The table, if it is loaded.
    pub fn table(&self, name: TableName) -> Option<&Table> {
        self.tables.get(&name)
    }

    /// The table, loaded with its empty built-in chains if it was not.
    pub fn table_mut(&mut self, name: TableName) -> &mut Table {
        self.tables.entry(name).or_insert_with(|| Table::new(name))
    }

    /// The loaded tables in the order in which a hook asks them.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// The loaded tables, to change.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = &mut Table> {
        self.tables.values_mut()
    }

    /// Sets the counters of everything that has a slot to what `live` says of it. Done before a command that zeroes or restores
    /// counters, it lets the caller see by comparing which ones the command set.
    pub fn load_counters(&mut self, live: impl Fn(SlotId) -> Counters) {
        let is_old = |rule: &Rule| rule.slot.is_some_and(|slot| rule.counters != live(slot));
        for chain in self.tables_mut().flat_map(|table| table.builtin.iter_mut().chain(table.user.values_mut())) {
            let counters = chain.slot.map_or(chain.counters, &live);
            if counters != chain.counters || chain.rules.iter().any(is_old) {
                let chain = Arc::make_mut(chain);
                chain.counters = counters;
                chain.rules.change(0..chain.rules.len(), is_old, |rule| rule.counters = rule.slot.map_or(rule.counters, &live));
            }
        }
    }

    /// The number of rules in all tables.
    pub fn rule_count(&self) -> usize {
        self.tables().flat_map(Table::chains).map(|chain| chain.rules.len()).sum()
    }
}

/// One table: its built-in chains in hook order, then user chains sorted by name (libiptc keeps them so, whatever the input order).
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Which table.
    pub name: TableName,
    builtin: Vec<Arc<Chain>>,
    user: BTreeMap<ChainName, Arc<Chain>>,
}

impl Table {
    /// The table with empty built-in chains of policy ACCEPT.
    pub fn new(name: TableName) -> Table {
        let builtin = name.hooks().iter().map(|hook| Arc::new(Chain::builtin(*hook))).collect();
        Table { name, builtin, user: BTreeMap::new() }
    }

    /// All chains as they are listed: built-in ones in hook order, then user chains by name.
    pub fn chains(&self) -> impl Iterator<Item = &Chain> {
        self.builtin.iter().chain(self.user.values()).map(|chain| &**chain)
    }

    /// All chains, to change. Every chain that is shared with another rule set is copied.
    pub fn chains_mut(&mut self) -> impl Iterator<Item = &mut Chain> {
        self.builtin.iter_mut().chain(self.user.values_mut()).map(Arc::make_mut)
    }

    /// User chains by name.
    pub fn user_chains(&self) -> impl Iterator<Item = &Chain> {
        self.user.values().map(|chain| &**chain)
    }

    /// The built-in chain at this hook, if the table has one.
    pub fn at_hook(&self, hook: Hook) -> Option<&Chain> {
        self.name.hooks().iter().position(|h| *h == hook).map(|index| &*self.builtin[index])
    }

    /// The chain of this name.
    pub fn chain(&self, name: &str) -> Option<&Chain> {
        match self.builtin_index(name) {
            Some(index) => Some(&self.builtin[index]),
            None => self.user.get(name).map(|chain| &**chain),
        }
    }

    /// The chain of this name, to change.
    pub fn chain_mut(&mut self, name: &str) -> Option<&mut Chain> {
        match self.builtin_index(name) {
            Some(index) => Some(Arc::make_mut(&mut self.builtin[index])),
            None => self.user.get_mut(name).map(Arc::make_mut),
        }
    }

    /// The chains that this table does not share with an earlier state of it, in the order in which they are listed.
    pub fn differing<'a>(&'a self, before: Option<&'a Table>) -> Vec<Pair<'a, Chain>> {
        let mut pairs: Vec<Pair<'_, Arc<Chain>>> =
            self.builtin.iter().enumerate().map(|(at, now)| (Some(now), before.map(|before| &before.builtin[at]))).collect();
        let mut old = before.iter().flat_map(|before| &before.user).peekable();
        for (name, now) in &self.user {
            while let Some((_, gone)) = old.next_if(|(old, _)| *old < name) {
                pairs.push((None, Some(gone)));
            }
            pairs.push((Some(now), old.next_if(|(old, _)| *old == name).map(|(_, old)| old)));
        }
        pairs.extend(old.map(|(_, gone)| (None, Some(gone))));
        pairs.retain(|pair| !matches!(pair, (Some(now), Some(old)) if Arc::ptr_eq(now, old)));
        pairs.into_iter().map(|(now, old)| (now.map(|chain| &**chain), old.map(|chain| &**chain))).collect()
    }

    /// Makes rules that say what those of an earlier state of the table said, in the same order, these again: they have their slots. What each rule
    /// and policy counts stays as it is here. The answer is the slots of rules that had none here, and have that of an earlier one now.
    pub fn resume(&mut self, before: &Table) -> Vec<SlotId> {
        let user = self.user.iter_mut().filter_map(|(name, now)| Some((now, before.user.get(name)?)));
        let mut resumed = Vec::new();
        for (now, old) in self.builtin.iter_mut().zip(&before.builtin).chain(user).filter(|(now, old)| !Arc::ptr_eq(now, old)) {
            let (rules, slots) = resume::resumed(&now.rules, &old.rules);
            resumed.extend(slots);
            let of_chain = |chain: &Chain| (chain.policy, chain.counters, chain.slot);
            if rules.is_shared_with(&old.rules) && of_chain(now) == of_chain(old) {
                *now = Arc::clone(old);
            } else {
                Arc::make_mut(now).rules = rules;
            }
        }
        resumed
    }

    /// Adds an empty user chain. `false` if the name is taken.
    pub fn add_chain(&mut self, name: ChainName) -> bool {
        if self.chain(&name).is_some() {
            return false;
        }
        self.user.insert(name.clone(), Arc::new(Chain::user(name)));
        true
    }

    /// Sets the policy counters of all built-in chains but one to zero. libiptc does so with every commit of a table.
    pub fn reset_policy_counters(&mut self, except: Option<&str>) {
        let is_set = |chain: &&mut Arc<Chain>| chain.counters != Counters::default();
        for chain in self.builtin.iter_mut().filter(is_set).filter(|chain| Some(chain.name.as_str()) != except) {
            Arc::make_mut(chain).counters = Counters::default();
        }
    }

    /// Takes all rules and user chains out; policies and their counters stay.
    pub fn clear(&mut self) {
        self.user.clear();
        for chain in self.builtin.iter_mut().filter(|chain| !chain.rules.is_empty()) {
            Arc::make_mut(chain).rules.clear();
        }
    }

    /// Takes a user chain out, with its rules.
    pub fn remove_chain(&mut self, name: &str) -> Option<Chain> {
        self.user.remove(name).map(Arc::unwrap_or_clone)
    }

    /// Renames a user chain and every jump to it. `false` if there is no such chain or the new name is taken.
    pub fn rename_chain(&mut self, old: &str, new: ChainName) -> bool {
        if self.chain(&new).is_some() {
            return false;
        }
        let Some(mut chain) = self.remove_chain(old) else { return false };
        chain.name = new.clone();
        self.user.insert(new.clone(), Arc::new(chain));
        for chain in self.builtin.iter_mut().chain(self.user.values_mut()) {
            if chain.rules.iter().any(|rule| rule.target.chain().is_some_and(|name| name.as_str() == old)) {
                let calls_it = |rule: &Rule| rule.target.chain().is_some_and(|name| name.as_str() == old);
                let chain = Arc::make_mut(chain);
                chain.rules.change(0..chain.rules.len(), calls_it, |rule| {
                    if let Target::Jump(name) | Target::Goto(name) = &mut rule.target {
                        *name = new.clone();
                    }
                });
            }
        }
        true
    }

    /// Has rules share the names of the chains that they lead to with the chains themselves.
    pub fn share_names(&self, rules: &mut [Rule]) {
        for rule in rules {
            if let Target::Jump(name) | Target::Goto(name) = &mut rule.target
                && let Some(chain) = self.chain(name)
            {
                *name = chain.name.clone();
            }
        }
    }

    fn builtin_index(&self, name: &str) -> Option<usize> {
        self.name.hooks().iter().position(|hook| hook.chain_name() == name)
    }
}

/// Something as it is now and as it was; `None` where it is not there.
pub type Pair<'a, T> = (Option<&'a T>, Option<&'a T>);

/// The name of a chain. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainName(Arc<str>);

impl ChainName {
    /// A name as it stands; the parser checks what users type.
    pub fn new(name: &str) -> ChainName {
        ChainName(Arc::from(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for ChainName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ChainName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One chain.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its name.
    pub name: ChainName,
    /// What happens at the end of a built-in chain; `None` for user chains, which return.
    pub policy: Option<Policy>,
    /// Packets that met the policy.
    pub counters: Counters,
    /// Where the live policy counters stand; given by the daemon, never printed, ignored by `==`.
    pub slot: Option<SlotId>,
    /// The rules from top to bottom.
    pub rules: Rules,
}

impl Chain {
    fn builtin(hook: Hook) -> Chain {
        Chain { policy: Some(Policy::Accept), ..Chain::user(ChainName::new(hook.chain_name())) }
    }

    fn user(name: ChainName) -> Chain {
        Chain { name, policy: None, counters: Counters::default(), slot: None, rules: Rules::default() }
    }

    /// Whether netfilter made it; user chains have no policy.
    pub fn is_builtin(&self) -> bool {
        self.policy.is_some()
    }

    /// The hook of a built-in chain.
    pub fn hook(&self) -> Option<Hook> {
        self.policy.and_then(|_| Hook::from_chain_name(&self.name))
    }
}

impl PartialEq for Chain {
    fn eq(&self, other: &Chain) -> bool {
        self.name == other.name && self.policy == other.policy && self.counters == other.counters && self.rules == other.rules
    }
}

/// What a built-in chain does with a packet that reaches its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Lets it pass.
    Accept,
    /// Drops it.
    Drop,
}

impl Policy {
    /// `ACCEPT` or `DROP`.
    pub fn as_str(self) -> &'static str {
        match self {
            Policy::Accept => "ACCEPT",
            Policy::Drop => "DROP",
        }
    }
}

/// Packets and bytes (of the IP packet, without link layer) that a rule or a policy has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counters {
    /// Number of packets.
    pub packets: u64,
    /// Bytes of the IP packets.
    pub bytes: u64,
}

/// Where the live counters and the state of a rule stand in the dataplane: a stable id given by the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// One rule.
///
/// `==` compares what the rule says and its counters, not its slot; [`Rule::same_spec`] leaves the counters out too.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it has counted, as far as this rule set knows (the dataplane knows more).
    pub counters: Counters,
    /// Its slot; a new rule has none until the daemon gives it one.
    pub slot: Option<SlotId>,
    /// The header test.
    pub header: Header,
    /// Further tests in the order in which they are evaluated.
    pub matches: Box<[Match]>,
    /// What it does when all tests hold.
    pub target: Target,
}

/// There may be hundreds of thousands.
const _: () = assert!(size_of::<Rule>() <= 128 && size_of::<Match>() <= 24 && size_of::<Target>() <= 24);

impl Rule {
    /// The rule that matches everything and only counts.
    pub fn any(family: Family) -> Rule {
        Rule {
            counters: Counters::default(),
            slot: None,
            header: Header::any(family),
            matches: Box::default(),
            target: Target::None,
        }
    }

    /// The sets that it names, as often as it does.
    pub fn sets(&self) -> impl Iterator<Item = &str> {
        let tested = self.matches.iter().filter_map(|test| match test {
            Match::Set(test) => Some(&test.set),
            _ => None,
        });
        let changed = match &self.target {
            Target::Set(set) => [&set.add, &set.del, &set.map],
            _ => [&None, &None, &None],
        };
        tested.chain(changed.into_iter().flatten()).map(|set| &*set.name)
    }

    /// Whether it is this one that was there before: it has the same slot, and says the same.
    pub fn is_still(&self, before: &Rule) -> bool {
        self.slot.is_some() && self.slot == before.slot && self.same_spec(before)
    }

    /// Whether the two rules say the same: what `-D` and `-C` look for.
    pub fn same_spec(&self, other: &Rule) -> bool {
        self.header == other.header && self.matches == other.matches && self.target == other.target
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.counters == other.counters && self.same_spec(other)
    }
}
