//! What the daemon's threads share: the wanted rules, the connection to the dataplane, and the one lock round both.
//!
//! Every edit, publication and reading of counters happens under that lock, so edits are one after the other and none is lost. Nobody
//! holds it while talking to a client. Written by client threads (edits), by the connector (connection, adoption) and by the host mirror
//! (snapshot); read by all.
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use proto::host::Snapshot;
use proto::private::NAMED_COUNTERS;
use proto::public::{Dataplane, Status, TableStatus};
use proto::stats::Stats;
use rules::names::NameFiles;
use rules::{Family, RuleSet, TableName};

use crate::apply::{self, ApplyError};
use crate::compiled::Compiled;
use crate::config::Config;
use crate::conntrack::Gate;
use crate::counters::Live;
use crate::dataplane::{Link, LinkError};
use crate::host;
use crate::mirrored;
use crate::names::WithSets;
use crate::sets::KeptSets;
use crate::source::{self, Size};
use crate::store::Writer;
use crate::wanted::{Counted, CountersOf, RuleSets, Wanted};

/// Counter slots that a standalone daemon counts with: those of a dataplane with default limits.
const STANDALONE_SLOTS: u32 = 262_144;

/// How long a request waits for the first contact with the dataplane after the daemon's start.
const FIRST_CONTACT: Duration = Duration::from_secs(3);

/// The daemon's state.
#[derive(Debug)]
pub struct State {
    /// What it was told at its start.
    pub config: Config,
    /// Names of protocols and services.
    pub names: NameFiles,
    /// Sets that rules may name. Who needs their lock and that of the core takes theirs first.
    pub sets: KeptSets,
    /// How many conntrack commands run.
    pub conntrack: Gate,
    /// How many of them watch.
    pub watchers: Gate,
    core: Mutex<Core>,
    changed: Condvar,
    writer: Arc<Writer>,
}

/// What the lock guards.
#[derive(Debug)]
pub struct Core {
    /// The wanted rules; with a connection, they are the running ones.
    pub wanted: Wanted,
    /// The dataplane, while it is connected and runs [`Core::wanted`].
    pub link: Option<Link>,
    /// Counters as last read.
    pub live: Live,
    /// Why nothing is enforced, while `link` is `None`.
    reason: String,
    /// The dataplane was asked once, or there is none to ask.
    settled: bool,
    /// The dataplane that last ran `wanted`, and the program: tells whether it has to be asked for its source.
    last: Option<(u64, u64)>,
    /// What was compiled of `wanted`; a table may be missing.
    compiled: Compiled,
    /// What is known of sets that packets change.
    pub(crate) known: mirrored::Known,
    /// How long the source blob of that program is.
    source: Size,
    /// The newest mirror of the host; `None` before the first, or when it is not mirrored.
    host: Option<Arc<Snapshot>>,
    /// `host` has reached the connected dataplane.
    host_sent: bool,
}

/// Why an edit was not made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is nobody to enforce it.
    #[error("{0}: nothing was changed, because nothing would enforce it")]
    NotEnforced(String),
    /// The dataplane drops what they are about.
    #[error(
        "IPv6 rules are not enforced, so they are refused: the dataplane drops every IPv6 packet, in both directions \
         (ipv6 = true in [dataplane] changes that)"
    )]
    NoIpv6,
    /// The new rules cannot run, or the dataplane did not take them.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// Standalone, and the disk did not take them.
    #[error("the rules were not stored: {0}")]
    Store(String),
}

impl State {
    /// The state at the daemon's start: rules as they were stored.
    pub fn new(config: Config, names: NameFiles, stored: RuleSets, writer: Arc<Writer>) -> Result<State, ApplyError> {
        let wanted = Wanted::fresh(stored, STANDALONE_SLOTS)?;
        let reason = match config.standalone {
            true => "started with --standalone: rules are checked, stored and printed, and nothing is enforced".to_owned(),
            false => format!("no dataplane at {} yet", config.dataplane_socket.display()),
        };
        let core = Core {
            known: mirrored::Known::default(),
            wanted,
            link: None,
            live: Live::default(),
            reason,
            settled: config.standalone,
            last: None,
            compiled: Compiled::default(),
            source: Size::default(),
            host: None,
            host_sent: false,
        };
        Ok(State {
            config,
            names,
            sets: KeptSets::default(),
            conntrack: Gate::of_commands(),
            watchers: Gate::of_watchers(),
            core: Mutex::new(core),
            changed: Condvar::new(),
            writer,
        })
    }

    /// With these sets.
    pub fn with_sets(mut self, sets: KeptSets) -> State {
        self.sets = sets;
        self
    }

    /// The lock. A thread that died with it left whole values behind: all changes are single assignments of finished ones.
    pub fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock, once the dataplane was asked for the first time, so that nobody sees stored rules in place of running ones.
    pub fn lock_settled(&self) -> MutexGuard<'_, Core> {
        let guard = self.changed.wait_timeout_while(self.lock(), FIRST_CONTACT, |core| !core.settled);
        guard.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until the dataplane was asked for the first time. Who holds the lock of the sets must not: the dataplane is given sets then.
    pub fn settle(&self) {
        drop(self.lock_settled());
    }

    /// Wakes those who wait for a change.
    pub(crate) fn tell_changed(&self) {
        self.changed.notify_all();
    }

    /// Waits until the wanted rules are enforced and the dataplane knows the host, or until the deadline. Whether they are.
    pub fn wait_ready(&self, deadline: Instant) -> bool {
        let mut core = self.lock();
        loop {
            if core.ready(&self.config) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.config.standalone {
                return false;
            }
            core = self.changed.wait_timeout(core, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Makes `ruleset`, an edit of the wanted rules, the wanted ones: publishes it, or standalone stores it. On error nothing changed. Where it
    /// says counters of rules as well it is an edit of [`Core::current`].
    pub fn commit(&self, core: &mut Core, ruleset: RuleSet, changed: &[TableName], counted: &Counted) -> Result<(), EditError> {
        if counted.of == CountersOf::Policies {
            core.count(&ruleset, changed);
        }
        if core.link.is_none() && !self.config.standalone {
            return Err(EditError::NotEnforced(core.reason.clone()));
        }
        if core.link.as_ref().is_some_and(|link| !link.ipv6) && ruleset.family == Family::Ipv6 && says_something(&ruleset) {
            return Err(EditError::NoIpv6);
        }
        let family = ruleset.family;
        // Of no use where this goes wrong: they may be those of rules that do not run.
        let mut compiled = std::mem::take(&mut core.compiled);
        let to_run = (!self.config.standalone).then_some(&mut compiled);
        let prepared = apply::prepare_edit(&core.wanted, ruleset, changed, (&core.live, counted), to_run, &self.names)?;
        if let Some(link) = &mut core.link {
            match apply::publish(&prepared, link, &mut core.source, &self.names) {
                Ok(generation) => {
                    core.last = Some((link.boot_id, generation));
                    core.live.begin(&counted.anew);
                }
                Err(error) => {
                    if matches!(&error, ApplyError::Link(error) if error.is_fatal()) {
                        core.lose(&error.to_string());
                        self.changed.notify_all();
                    }
                    return Err(error.into());
                }
            }
        }
        // Standalone, counters are stored as well, and a record has those of new rules alone.
        let sets_counters = counted.of == CountersOf::All || !counted.anew.is_empty();
        let record = prepared.record.as_deref().filter(|_| !(self.config.standalone && sets_counters));
        self.writer.submit(prepared.wanted.rules.of(family).clone(), record);
        if core.link.is_none() {
            let error = self.writer.flush();
            if !error.is_empty() {
                return Err(EditError::Store(error));
            }
        }
        core.compiled = compiled;
        core.wanted = prepared.wanted;
        Ok(())
    }

    /// Takes a freshly connected dataplane: adopts what it runs, or gives it the wanted rules if it runs nothing.
    pub fn attach(&self, mut link: Link) -> Result<(), AttachError> {
        self.greet_with_sets(&mut link)?;
        let sets = self.sets.read();
        let mut core = self.lock();
        let core = &mut *core;
        let snapshot = core.host.clone();
        if let Some(snapshot) = &snapshot {
            link.host(&host::named(snapshot, &link.interfaces))?;
        }
        mirrored::give_all(&mut link, &sets, sets.now())?;
        match link.source()? {
            None => {
                let capacity = link.counter_slots;
                let wanted = Wanted::fresh(core.wanted.all_with_counters(&core.live), capacity).map_err(ApplyError::from)?;
                let mut compiled = Compiled::default();
                let prepared = apply::prepare(wanted, &mut compiled)?;
                let generation = apply::publish(&prepared, &mut link, &mut core.source, &self.names)?;
                tracing::info!(
                    generation,
                    rules = prepared.wanted.rules.rule_count(),
                    "published the stored rules to a new dataplane"
                );
                core.wanted = prepared.wanted;
                core.compiled = compiled;
            }
            Some(_) if core.last == Some((link.boot_id, link.generation)) => {
                tracing::info!(generation = link.generation, "connected again; the dataplane runs the wanted rules");
            }
            Some(blob) => {
                let (wanted, size) = source::decode(&blob, link.counter_slots, &WithSets { names: &self.names, sets: &sets })
                    .map_err(AttachError::Source)?;
                tracing::info!(generation = link.generation, rules = wanted.rules.rule_count(), "adopted the running rules");
                wanted.rules.iter().for_each(|rules| self.writer.submit(rules.clone(), None));
                core.wanted = wanted;
                core.compiled = Compiled::default();
                core.source = size;
            }
        }
        if !link.ipv6 && says_something(core.wanted.rules.of(Family::Ipv6)) {
            tracing::error!(
                "the IPv6 rules are not enforced: the dataplane drops every IPv6 packet (ipv6 = true in [dataplane] changes that)"
            );
        }
        core.last = Some((link.boot_id, link.generation));
        core.host_sent = snapshot.is_some();
        core.live = link.counters()?;
        core.link = Some(link);
        core.settled = true;
        self.changed.notify_all();
        Ok(())
    }

    /// The dataplane is not there, or cannot be used.
    pub fn detach(&self, reason: &str) {
        let mut core = self.lock();
        core.lose(reason);
        core.settled = true;
        self.changed.notify_all();
    }

    /// A new mirror of the host: kept, and sent to the dataplane if one is connected.
    pub fn mirror(&self, snapshot: Snapshot) {
        let mut core = self.lock();
        let core = &mut *core;
        let snapshot = Arc::new(snapshot);
        core.host = Some(Arc::clone(&snapshot));
        if let Some(link) = &mut core.link {
            match link.host(&host::named(&snapshot, &link.interfaces)) {
                Ok(()) => core.host_sent = true,
                Err(error) => {
                    tracing::error!("the dataplane did not take the host's routes and neighbours: {error}");
                    if error.is_fatal() {
                        core.lose(&error.to_string());
                    }
                }
            }
        }
        self.changed.notify_all();
    }

    /// What runs.
    pub fn status(&self) -> Status {
        let mut core = self.lock_settled();
        let stats = core.stats();
        let tables = core.wanted.rules.iter().flat_map(|set| set.tables().map(|table| (set.family, table)));
        let tables = tables.map(|(family, table)| TableStatus {
            family: family_name(family).to_owned(),
            name: table.name.to_string(),
            chains: table.chains().count() as u64,
            rules: table.chains().map(|chain| chain.rules.len() as u64).sum(),
        });
        let dataplane = core.link.as_ref().map(|link| Dataplane {
            software: link.software.clone(),
            generation: link.generation,
            interfaces: link.interfaces.iter().map(|interface| interface.name.clone()).collect(),
            counter_slots: link.counter_slots,
            counter_slots_used: core.wanted.slots.used(),
            ipv6: link.ipv6,
        });
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: self.config.name.clone(),
            standalone: self.config.standalone,
            enforced: core.link.is_some(),
            reason: if core.link.is_some() { String::new() } else { core.reason.clone() },
            dataplane,
            stats,
            tables: tables.collect(),
            state_dir: self.config.state_dir.display().to_string(),
            store_error: self.writer.error(),
            metrics: self.config.metrics.map(|address| address.to_string()).unwrap_or_default(),
        }
    }
}

/// Why a connected dataplane cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// It refused something or is gone again.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// It does not take the wanted rules.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// It runs rules that this daemon cannot read.
    #[error(
        "the dataplane runs rules whose source cannot be read ({0}); they stay in force; restart rampart-dataplane to load the stored ones"
    )]
    Source(source::SourceError),
}

impl Core {
    /// The rules of a family with counters read now, for an edit or a listing.
    pub fn current(&mut self, family: Family) -> RuleSet {
        if let Some(link) = &mut self.link {
            match link.counters() {
                Ok(live) => self.live = live,
                Err(error) if error.is_fatal() => self.lose(&format!("connection to the dataplane lost: {error}")),
                Err(error) => tracing::warn!("counters: {error}"),
            }
        }
        self.wanted.with_counters(family, &self.live)
    }

    /// Reads anew what an edit needs to know of counters: not all of them.
    fn count(&mut self, ruleset: &RuleSet, changed: &[TableName]) {
        let Some(link) = &mut self.link else { return };
        let slots = self.wanted.slots_for(ruleset, changed);
        let counted = if slots.len() <= NAMED_COUNTERS {
            link.counters_of(slots.clone()).map(|live| self.live.renew(&slots, &live))
        } else {
            link.counters().map(|live| self.live = live)
        };
        match counted {
            Ok(()) => {}
            Err(error) if error.is_fatal() => self.lose(&format!("connection to the dataplane lost: {error}")),
            Err(error) => tracing::warn!("counters: {error}"),
        }
    }

    /// What the dataplane has counted; `None` while there is none, or when it does not say.
    pub fn stats(&mut self) -> Option<Stats> {
        match self.link.as_mut()?.stats() {
            Ok(stats) => return Some(stats),
            Err(error) if error.is_fatal() => self.lose(&format!("connection to the dataplane lost: {error}")),
            Err(error) => tracing::warn!("statistics: {error}"),
        }
        None
    }

    /// Why nothing is enforced, if nothing is.
    pub fn reason(&self) -> Option<&str> {
        if self.link.is_some() { None } else { Some(&self.reason) }
    }

    fn ready(&self, config: &Config) -> bool {
        self.link.is_some() && (self.host_sent || !config.mirror_host)
    }

    pub(crate) fn lose(&mut self, reason: &str) {
        self.link = None;
        self.host_sent = false;
        self.reason = reason.to_owned();
    }
}

/// Do these rules do anything else than accept everything?
fn says_something(ruleset: &RuleSet) -> bool {
    ruleset
        .tables()
        .flat_map(|table| table.chains())
        .any(|chain| !chain.is_builtin() || !chain.rules.is_empty() || chain.policy == Some(rules::Policy::Drop))
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "ipv4",
        Family::Ipv6 => "ipv6",
    }
}
