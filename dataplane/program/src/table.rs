//! Tables, chains and the program that names them.

use std::sync::Arc;

use packet::{Family, Header, Ipv4, Ipv6, L4};
use serde::{Deserialize, Serialize};

use crate::byte_set::ByteSet;
use crate::connbytes::ConnbytesTest;
use crate::connlimit::ConnlimitTest;
use crate::content::ContentTest;
use crate::edit::{Known, Origin, TableEdit};
use crate::field_test::AddressTest;
use crate::hash_mark::HashMark;
use crate::header_test::{Answer, HeaderTest, InterfacePattern, Interfaces, L4Test, PortRange};
use crate::id::{ChainId, CounterSlot, IdRange, InterfaceId, InterfaceSet, RuleIndex, TimeoutId};
use crate::named::NamedTest;
use crate::packet_test::PacketTest;
use crate::prefix_change::PrefixChange;
use crate::rule::{ConntrackTest, CtAction, LogSpec, Match, Nat, Rule, Target, TimeoutName};
use crate::set::{SetChange, SetId, SetTest};
use crate::tee::Tee;
use crate::time_test::TimeTest;
use crate::tree::{Machine, Seeker, Tree};

/// The five places at which a packet meets rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Hook {
    /// Before routing.
    Prerouting,
    /// To the box itself.
    Input,
    /// Through the box.
    Forward,
    /// From the box itself.
    Output,
    /// After routing.
    Postrouting,
}

impl Hook {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Prerouting, Self::Input, Self::Forward, Self::Output, Self::Postrouting];

    /// The name of the base chain at this hook.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prerouting => "PREROUTING",
            Self::Input => "INPUT",
            Self::Forward => "FORWARD",
            Self::Output => "OUTPUT",
            Self::Postrouting => "POSTROUTING",
        }
    }
}

/// The five tables, in the order in which a hook asks them (nat's source side comes after security).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TableKind {
    /// raw
    Raw,
    /// mangle
    Mangle,
    /// nat
    Nat,
    /// filter
    Filter,
    /// security
    Security,
}

impl TableKind {
    /// All, by number.
    pub const ALL: [Self; 5] = [Self::Raw, Self::Mangle, Self::Nat, Self::Filter, Self::Security];

    /// Its name, as after `-t`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Mangle => "mangle",
            Self::Nat => "nat",
            Self::Filter => "filter",
            Self::Security => "security",
        }
    }

    /// The hooks at which it has a base chain.
    pub fn hooks(self) -> &'static [Hook] {
        match self {
            Self::Raw => &[Hook::Prerouting, Hook::Output],
            Self::Mangle => &Hook::ALL,
            Self::Nat => &[Hook::Prerouting, Hook::Input, Hook::Output, Hook::Postrouting],
            Self::Filter | Self::Security => &[Hook::Input, Hook::Forward, Hook::Output],
        }
    }
}

/// What becomes of a packet at the end of a base chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Policy {
    /// ACCEPT, else DROP.
    pub accept: bool,
    /// The chain's own counter.
    pub counter: CounterSlot,
}

/// A chain: a run of rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Its name, for explanations only.
    pub name: String,
    /// Its rules in [`Table::rules`].
    pub rules: IdRange,
    /// Base chains have one.
    pub policy: Option<Policy>,
}

/// How a [`crate::StateSlot`] starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StateInit {
    /// `statistic --mode nth`: the position at which the round stands first (`every - 1 - packet` of what was typed).
    Nth(u32),
    /// `limit`: the bucket is full, with this much credit.
    Limit(u32),
    /// `connlimit`: lists of connections by address, all of them empty.
    Connlimit,
    /// `quota`: so many bytes may pass.
    Quota(u64),
}

/// One iptables table, compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Table<F: Family> {
    /// Which one.
    pub kind: TableKind,
    /// The base chain of each hook, by [`Hook`] number.
    pub hooks: [Option<ChainId>; 5],
    /// Chains.
    pub chains: Vec<Chain>,
    /// Rules of all chains, each chain's in a row.
    pub rules: Vec<Rule<F>>,
    /// Transport tests that [`HeaderTest::l4`] names.
    pub l4_tests: Vec<L4Test>,
    /// Lists of `multiport`.
    pub port_ranges: Vec<PortRange>,
    /// What [`Rule::residual`] and [`Rule::ordered`] name.
    pub matches: Vec<Match>,
    /// What [`Match::Address`] names.
    pub address_tests: Vec<AddressTest<F>>,
    /// What [`Match::Packet`] names.
    pub packet_tests: Vec<PacketTest>,
    /// What [`Match::Conntrack`] names.
    pub conntrack_tests: Vec<ConntrackTest<F>>,
    /// `-m connbytes`.
    pub connbytes_tests: Vec<ConnbytesTest>,
    /// What [`Match::Connlimit`] names.
    pub connlimit_tests: Vec<ConnlimitTest<F>>,
    /// What [`Match::Named`] names.
    pub named_tests: Vec<NamedTest>,
    /// What [`Match::Set`] names.
    pub set_tests: Vec<SetTest>,
    /// What [`Target::Set`](crate::Target::Set) names.
    pub set_changes: Vec<SetChange>,
    /// What [`Match::Time`] names.
    pub time_tests: Vec<TimeTest>,
    /// What [`Match::Content`] names.
    pub content_tests: Vec<ContentTest>,
    /// What [`crate::Target::Nat`] names.
    pub nats: Vec<Nat<F>>,
    /// What [`crate::Target::Tcpoptstrip`] names.
    pub option_sets: Vec<ByteSet>,
    /// What [`crate::Target::Npt`] names.
    pub prefix_changes: Vec<PrefixChange>,
    /// What [`crate::Target::Hmark`] names.
    pub hash_marks: Vec<HashMark<F>>,
    /// What [`crate::Target::Tee`] names.
    pub tees: Vec<Tee<F>>,
    /// What [`crate::Target::Log`] names.
    pub logs: Vec<LogSpec>,
    /// What [`CtAction::timeout`] names.
    pub timeouts: Vec<TimeoutName>,
    /// What [`crate::PatternId`] names.
    pub patterns: Vec<InterfacePattern>,
    /// What the table remembers, by [`crate::StateSlot`].
    pub state: Vec<StateInit>,
    /// True when a rule needs connections to be tracked (nat, ctstate, connmark, CT ...).
    pub needs_tracking: bool,
    /// The interfaces of this box that each pattern names: filled by [`Table::bind`], not part of the image.
    #[serde(skip)]
    pub bound: Vec<InterfaceSet>,
    /// The policies of this dataplane that [`Table::timeouts`] names: filled by [`Table::bind_timeouts`], not part of the image.
    #[serde(skip)]
    pub bound_timeouts: Vec<TimeoutId>,
    /// The sets of this dataplane that [`Table::set_tests`] names: filled by [`Table::bind_sets`], not part of the image.
    #[serde(skip)]
    pub bound_sets: Vec<SetId>,
    /// The same of [`Table::set_changes`], in the order of [`SetChange::sets`].
    #[serde(skip)]
    pub bound_changes: Vec<[SetId; 2]>,
    /// How [`Table::next`] finds rules: made by [`Table::bind`], not part of the image. An empty one leaves them to be asked one by one.
    #[serde(skip)]
    pub tree: Tree<F>,
    /// TCP flags that some rule looks at: found by [`Table::bind`], not part of the image. Before that, all.
    #[serde(skip, default = "every_flag")]
    pub tested_flags: u8,
    /// Does a rule have packets told of (TRACE)? Found by [`Table::bind`], not part of the image.
    #[serde(skip)]
    pub tells: bool,
    /// What an edit need not find out again: made by the first one ([`Table::edited`]), not part of the image.
    #[serde(skip)]
    pub known: Option<Known>,
    /// Which table it is: not part of the image.
    #[serde(skip)]
    pub origin: Origin,
}

fn every_flag() -> u8 {
    0xff
}

impl<F: Family> Table<F> {
    /// A table without chains.
    pub fn empty(kind: TableKind) -> Self {
        Self {
            kind,
            hooks: [None; 5],
            chains: Vec::new(),
            rules: Vec::new(),
            l4_tests: Vec::new(),
            port_ranges: Vec::new(),
            matches: Vec::new(),
            address_tests: Vec::new(),
            packet_tests: Vec::new(),
            conntrack_tests: Vec::new(),
            connbytes_tests: Vec::new(),
            connlimit_tests: Vec::new(),
            named_tests: Vec::new(),
            set_tests: Vec::new(),
            set_changes: Vec::new(),
            time_tests: Vec::new(),
            content_tests: Vec::new(),
            nats: Vec::new(),
            option_sets: Vec::new(),
            prefix_changes: Vec::new(),
            hash_marks: Vec::new(),
            tees: Vec::new(),
            logs: Vec::new(),
            timeouts: Vec::new(),
            patterns: Vec::new(),
            state: Vec::new(),
            needs_tracking: false,
            bound: Vec::new(),
            bound_timeouts: Vec::new(),
            bound_sets: Vec::new(),
            bound_changes: Vec::new(),
            tree: Tree::default(),
            tested_flags: every_flag(),
            tells: false,
            known: None,
            origin: Origin::default(),
        }
    }

    /// Resolves the interface patterns against the names of this box's interfaces, `names[i]` being that of interface `i`, and makes the tree by
    /// which rules are found. Entry 0, no interface, is taken for the empty name whatever it says; entries past [`InterfaceId::MAX`] are not seen.
    pub fn bind(&mut self, names: &[&str]) {
        self.resolve(names);
        self.tree = Tree::of(self);
    }

    /// The same for a table that follows another one: what did not change is kept of its trees.
    pub fn bind_following(&mut self, names: &[&str], before: &Self) {
        self.resolve(names);
        self.tree = Tree::following(self, before);
    }

    /// The same for a table that an edit made of another one, of which it has the bindings. What is taken from `before` is known to be the same.
    pub fn bind_edited(&mut self, names: &[&str], before: &Self, edit: &TableEdit<F>) {
        self.resolve_patterns(names);
        // Of rules that have gone as well: a connection's packets are told apart by more flags than need be.
        self.tested_flags = before.tested_flags | edit.added.flags();
        self.tells = (before.tells || edit.added.has_trace()) && self.has_trace();
        let made = edit.made();
        self.tree = Tree::edited(self, before, &made);
        self.origin = Origin::edited(&before.origin, made);
    }

    fn resolve(&mut self, names: &[&str]) {
        self.resolve_patterns(names);
        self.tested_flags = self.flags();
        self.tells = self.has_trace();
    }

    fn has_trace(&self) -> bool {
        self.kind == TableKind::Raw && self.rules.iter().any(|rule| rule.target == Target::Trace)
    }

    fn resolve_patterns(&mut self, names: &[&str]) {
        let ids = (1..=InterfaceId::MAX).map(InterfaceId);
        self.bound = self
            .patterns
            .iter()
            .map(|pattern| {
                let nameless = if pattern.matches("") { InterfaceId::NONE.bit() } else { 0 };
                let named = names.iter().skip(1).zip(ids.clone()).filter(|(name, _)| pattern.matches(name));
                named.fold(nameless, |set, (_, id)| set | id.bit())
            })
            .collect();
    }

    /// TCP flags that its tests look at.
    fn flags(&self) -> u8 {
        let in_matches = self.matches.iter().filter_map(|test| match test {
            Match::L4(test) => Some(test),
            _ => None,
        });
        self.l4_tests.iter().chain(in_matches).fold(0, |flags, test| flags | test.tested_flags())
    }

    /// Resolves the names of timeout policies.
    ///
    /// # Errors
    /// What `resolve` says of the first name that it does not know.
    pub fn bind_timeouts<E>(&mut self, resolve: impl Fn(&TimeoutName) -> Result<TimeoutId, E>) -> Result<(), E> {
        self.bound_timeouts = self.timeouts.iter().map(resolve).collect::<Result<_, E>>()?;
        Ok(())
    }

    /// Resolves the names of sets. Rules that edits took out have theirs still, of which there may be none any more.
    pub fn bind_sets(&mut self, resolve: impl Fn(&str) -> Option<SetId>) {
        let place = |name: &str| resolve(name).unwrap_or(SetId::NONE);
        self.bound_sets = self.set_tests.iter().map(|test| place(&test.name)).collect();
        let places = |change: &SetChange| change.sets().map(|set| set.map_or(SetId::NONE, |set| place(&set.name)));
        self.bound_changes = self.set_changes.iter().map(places).collect();
    }

    /// What a packet changes of sets, and where those are here.
    #[inline]
    pub fn set_change(&self, index: u32) -> (&SetChange, [SetId; 2]) {
        let index = index as usize;
        (&self.set_changes[index], self.bound_changes.get(index).copied().unwrap_or([SetId::NONE; 2]))
    }

    /// Names of all sets that its rules ask or change.
    pub fn set_names(&self) -> impl Iterator<Item = &str> {
        let changed = self.set_changes.iter().flat_map(SetChange::sets).flatten().map(|set| set.name.as_str());
        self.set_tests.iter().map(|test| test.name.as_str()).chain(changed)
    }

    /// A test of a set, and which set that is here.
    #[inline]
    pub fn set_test(&self, index: u32) -> (&SetTest, SetId) {
        let index = index as usize;
        (&self.set_tests[index], self.bound_sets.get(index).copied().unwrap_or(SetId::NONE))
    }

    /// The timeout policy of a `CT` rule.
    #[inline]
    pub fn timeout_of(&self, action: CtAction) -> TimeoutId {
        action.timeout.and_then(|at| self.bound_timeouts.get(at.index()).copied()).unwrap_or(TimeoutId::NONE)
    }

    /// The next rule of `chain` at position `from` or later whose header test holds for this packet, as a place in [`Table::rules`].
    ///
    /// This is the only way to rules. `from` is where the packet has come to: a rule that it cannot have come to, because an earlier one that holds for
    /// it ended its way through the chain, may be passed over. When the packet's transport header is cut short or absent ([`needs_order`]), a rule is returned as
    /// soon as its IP part holds, and the caller asks [`Rule::ordered`].
    #[inline]
    pub fn next(&self, chain: ChainId, from: u32, header: &Header<F>, interfaces: Interfaces<'_>) -> Option<RuleIndex> {
        match self.tree.next(self, chain, from, header, interfaces) {
            Some(found) => found,
            None => self.next_in_row(chain, from, header, interfaces),
        }
    }

    /// For each packet of a burst what [`Table::next`] answers from the beginning of `chain`. In a long chain ([`Table::is_long`]) the packets are
    /// looked up in step, so that none waits alone for memory.
    ///
    /// # Panics
    /// When there is less room for answers than there are packets.
    pub fn first_of_many<M: Machine>(&self, chain: ChainId, seekers: &[Seeker<'_, F>], found: &mut [Option<RuleIndex>]) {
        self.tree.first_of_many::<M>(self, chain, seekers, &mut found[..seekers.len()]);
    }

    /// Is there something to gain from looking a burst up together?
    pub fn is_long(&self, chain: ChainId) -> bool {
        self.tree.is_long(chain)
    }

    /// What [`Table::next`] answers, by asking each rule in turn: for a table without a tree, and to tell whether a tree is right.
    #[inline(never)]
    pub fn next_in_row(&self, chain: ChainId, from: u32, header: &Header<F>, interfaces: Interfaces<'_>) -> Option<RuleIndex> {
        let run = self.chains[chain.index()].rules;
        (run.first + from.min(run.len)..run.first + run.len).map(RuleIndex).find(|rule| self.rule_holds(*rule, header, interfaces))
    }

    /// Does the header test of a rule hold, as far as it is asked of such a packet?
    #[inline]
    pub(crate) fn rule_holds(&self, rule: RuleIndex, header: &Header<F>, interfaces: Interfaces<'_>) -> bool {
        let test = &self.rules[rule.index()].test;
        test.ip_part(header, interfaces) && (needs_order(header) || self.l4_part(test, header))
    }

    /// The same, for those who need their registers for what is more frequent.
    #[inline(never)]
    pub(crate) fn rule_holds_at_last(&self, rule: RuleIndex, header: &Header<F>, interfaces: Interfaces<'_>) -> bool {
        self.rule_holds(rule, header, interfaces)
    }

    fn l4_part(&self, test: &HeaderTest<F>, header: &Header<F>) -> bool {
        test.l4.of(&self.l4_tests).iter().all(|t| t.ask(header, &self.port_ranges) == Answer::Yes)
    }

    /// Does a rule of this table need connections to be tracked? What [`Table::needs_tracking`] must say.
    ///
    /// As in the kernel, it is the rules that ask for tracking: an empty nat table does not.
    pub fn rules_need_tracking(&self) -> bool {
        self.rules.iter().any(|rule| rule.needs_tracking(&self.matches))
    }

    /// The base chain of a hook.
    #[inline]
    pub fn base_chain(&self, hook: Hook) -> Option<ChainId> {
        self.hooks[hook as usize]
    }
}

/// Must this packet's matches be asked in rule order, because a transport test may drop it on the spot?
#[inline]
pub fn needs_order<F: Family>(header: &Header<F>) -> bool {
    matches!(header.transport, L4::Truncated { .. } | L4::Absent | L4::Lost)
}

/// The tables of one family; `None` is a table that was never loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables<F: Family> {
    /// By [`TableKind`] number.
    pub tables: [Option<Arc<Table<F>>>; 5],
}

impl<F: Family> Tables<F> {
    /// A table.
    #[inline]
    pub fn get(&self, kind: TableKind) -> Option<&Arc<Table<F>>> {
        self.tables[kind as usize].as_ref()
    }

    /// TCP flags that some rule looks at.
    pub fn tested_flags(&self) -> u8 {
        self.tables.iter().flatten().fold(0, |flags, table| flags | table.tested_flags)
    }

    /// Must connections be tracked?
    pub fn needs_tracking(&self) -> bool {
        self.tables.iter().flatten().any(|t| t.needs_tracking)
    }
}

/// What a publication says beside its tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Grows by one with each publication.
    pub generation: u64,
    /// Security labels by [`crate::LabelId`]; entry 0 is the empty label.
    pub labels: Vec<String>,
}

/// Everything that the workers enforce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// What it says of itself.
    pub root: Root,
    /// IPv4.
    pub ipv4: Tables<Ipv4>,
    /// IPv6.
    pub ipv6: Tables<Ipv6>,
}
