//! From sealed segments to the snapshot that the workers read. Whatever is wrong with a request, the running snapshot stays as it is.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use engine::Snapshot;
use engine::Time;
use engine::conntrack::Policy;
use engine::counters::Count;
use engine::lists::{self, RecentList};
use engine::sets::{SetFault, Sets};
use engine::shared::Shared;
use engine::snapshot::Edition;
use engine::snapshot::{Settings, TableStates};
use packet::{FamilyId, Ipv4, Ipv6};
use program::image::{self, ImageError};
use program::tree::TreeFault;
use program::verify::Limits;
use program::{CounterSlot, EditError, Program, Root, SetId, Table, TableEdit, Tables, TimeoutId, TimeoutName, set};
use proto::private::{Family, Form, Publish, RecentChange, RecentEntry, TableKind, TableRef};
use proto::{host as mirror, wire};

use crate::config::Config;
use crate::groups::Groups;
use crate::host::{self, HostError, PortIdentity};
use crate::publish::{Publisher, Reader};

/// Longest table image and source blob, in bytes: some millions of rules.
const MAX_SEGMENT: u64 = wire::MAX_SEGMENT;
/// Longest mirror of the host, in bytes: a full routing table as JSON.
const MAX_MIRROR: u64 = 512 << 20;
/// How often the publisher looks whether the workers took a program up.
const TAKE_UP_PAUSE: Duration = Duration::from_micros(20);

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The sender thinks of another program as the running one.
    #[error("the program is based on generation {based_on}, but generation {running} is running; send every table")]
    BasedOn {
        /// What the sender said.
        based_on: u64,
        /// What runs.
        running: u64,
    },
    /// A table stands twice.
    #[error("table {0:?} of {1:?} stands twice in one publication")]
    Twice(TableKind, Family),
    /// IPv6.
    #[error("IPv6 tables are refused: every IPv6 packet is dropped (ipv6 = true in [dataplane] changes that)")]
    Ipv6,
    /// The number of descriptors does not fit.
    #[error(
        "{found} descriptors came with the message, {wanted} were announced (one per changed table, one for slots, and the source)"
    )]
    Descriptors {
        /// Came.
        found: usize,
        /// Announced.
        wanted: usize,
    },
    /// A slot that is to begin anew is none.
    #[error("the slots that are to begin anew are not numbers of slots, of which there are {0}")]
    Slots(u32),
    /// An unchanged table that was never loaded.
    #[error("table {0:?} is to stay unchanged, or to be edited, but is not loaded")]
    NotLoaded(TableKind),
    /// A label got another meaning.
    #[error("security label {0} changed its meaning; labels keep their ids")]
    Label(usize),
    /// A segment is not sealed, too large, or cannot be read.
    #[error("{what}: {reason}")]
    Segment {
        /// Which one.
        what: String,
        /// What is wrong.
        reason: wire::WireError,
    },
    /// An image cannot be run here.
    #[error("image of table {kind:?}: {reason}")]
    Image {
        /// Which table.
        kind: TableKind,
        /// What is wrong.
        reason: ImageError,
    },
    /// An image is of another table than announced.
    #[error("the image announced as table {announced:?} is of table {found:?}")]
    OtherTable {
        /// In the message.
        announced: TableKind,
        /// In the image.
        found: program::TableKind,
    },
    /// An edit cannot be made of the running table.
    #[error("edit of table {kind:?}: {reason}; send the whole table")]
    Edit {
        /// Which table.
        kind: TableKind,
        /// What is wrong.
        reason: EditError,
    },
    /// The tree that was made of a table does not answer as its rules do.
    #[error("table {kind:?} cannot be searched, and is not used (an error of this program, please report it): {fault}")]
    Tree {
        /// Which table.
        kind: TableKind,
        /// What is wrong.
        fault: TreeFault,
    },
    /// A rule names a timeout policy that is not configured, or one of another protocol or family.
    #[error("{0}")]
    Timeout(String),
    /// A rule names a set that is not there.
    #[error("a rule names the set {0:?}, which is not there")]
    NoSet(String),
    /// Edits of sets that are none.
    #[error("edits of sets cannot be read: {0}")]
    SetEdits(String),
    /// One that cannot be made.
    #[error("sets: {0}")]
    Sets(#[from] SetFault),
    /// The mirror is not what it should be.
    #[error("the host's state cannot be read: {0}")]
    Mirror(#[from] serde_json::Error),
    /// The mirror makes no sense.
    #[error("the host's state makes no sense: {0}")]
    Host(#[from] HostError),
}

/// What runs, and all that a new snapshot is made of. On the control thread.
pub struct Publication {
    publisher: Publisher<Snapshot>,
    ports: Vec<PortIdentity>,
    config: Arc<Config>,
    source: Vec<u8>,
    /// What rampartd sent last.
    mirror: Option<mirror::Snapshot>,
    /// The multicast groups joined on the TAPs.
    groups: Groups,
    /// Counter slots that a program ever named: `0..used_slots`.
    used_slots: u32,
    /// What edits are made in.
    spares: Spares,
    /// Sets that rules may name.
    sets: Sets,
    /// Of slots that have begun anew, what they had counted until then.
    begun: Vec<Count>,
}

/// The tables before the running ones. What an edit does to a long table costs little, but a copy of it would not: so there are two of each, and the one
/// that workers have left is edited twice to be the next one.
#[derive(Default)]
struct Spares {
    ipv4: [Option<Spare<Ipv4>>; 5],
    ipv6: [Option<Spare<Ipv6>>; 5],
}

/// A table, and what makes the running one of it; nothing where it is a copy of that one.
struct Spare<F: packet::Family> {
    table: Arc<Table<F>>,
    edit: Option<TableEdit<F>>,
}

impl Publication {
    /// The snapshot before the first program: nothing passes.
    ///
    /// # Errors
    /// When the static sections of the configuration make no host.
    pub fn new(ports: Vec<PortIdentity>, config: Arc<Config>, settings: Settings, sets: Sets) -> Result<Self, HostError> {
        let host = Arc::new(host::build(&ports, &config.dataplane, None, &Groups::default())?);
        let first = Snapshot {
            edition: Edition::new(),
            program: Program::default(),
            states: TableStates::default(),
            host,
            sets: Arc::default(),
            settings: Arc::new(settings),
        };
        Ok(Self {
            publisher: Publisher::new(Arc::new(first)),
            ports,
            config,
            source: Vec::new(),
            mirror: None,
            groups: Groups::default(),
            used_slots: 0,
            spares: Spares::default(),
            sets,
            begun: Vec::new(),
        })
    }

    /// A reader for one more worker.
    pub fn reader(&mut self) -> Reader<Snapshot> {
        self.publisher.reader()
    }

    /// The ports.
    pub fn ports(&self) -> &[PortIdentity] {
        &self.ports
    }

    /// The running program; 0 before the first.
    pub fn generation(&self) -> u64 {
        self.publisher.current().program.root.generation
    }

    /// What the workers work with.
    pub fn running(&self) -> &Snapshot {
        self.publisher.current()
    }

    /// The source blob of the running program.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// Counter slots that are worth reading: `0..used_slots`.
    pub fn used_slots(&self) -> u32 {
        self.used_slots
    }

    /// Counter slots that there are.
    pub fn counter_slots(&self) -> u32 {
        *self.config.dataplane.limits.counters.get_ref()
    }

    /// Frees snapshots that no worker holds any more.
    pub fn collect(&mut self) {
        self.publisher.collect();
    }

    /// What a slot counts, of what the workers have counted in it.
    pub fn since_begun(&self, slot: CounterSlot, counted: Count) -> Count {
        let begun = self.begun.get(slot.index()).copied().unwrap_or_default();
        Count { packets: counted.packets.wrapping_sub(begun.packets), bytes: counted.bytes.wrapping_sub(begun.bytes) }
    }

    /// Makes these tables the running program, and returns its generation when every worker runs it. `counted` says what the workers have counted in a
    /// slot: those that begin anew do so in the moment before the first worker can take up the program, so that nothing is lost of what it counts.
    ///
    /// # Errors
    /// Why nothing changed.
    pub fn publish(&mut self, request: &Publish, fds: &[OwnedFd], counted: impl Fn(CounterSlot) -> Count) -> Result<u64, Refusal> {
        let running = self.publisher.current().clone();
        let root = next_root(&running.program.root, request)?;
        let spares = std::mem::take(&mut self.spares);
        let Taken { ipv4, ipv6, source, used_slots, spares, begin } = self.take(&running, request, fds, spares)?;
        let generation = root.generation;
        let program = Program { root, ipv4, ipv6 };
        let states = TableStates::following(&running.program, &running.states, &program);
        let edition = running.edition.after(&running.program, &program);
        // Sets that packets change are ready for it before the first one can.
        self.sets.open(changed_sets(&program.ipv4).chain(changed_sets(&program.ipv6)).collect());
        let sets = self.sets.directory();
        let is_changed = sets.is_some();
        let sets = sets.unwrap_or_else(|| running.sets.clone());
        let next = Snapshot { edition, program, states, sets, ..Snapshot::clone(&running) };
        drop(running);
        let next = Arc::new(next);
        if let Some(last) = begin.iter().max().filter(|last| last.index() >= self.begun.len()) {
            self.begun.resize(last.index() + 1, Count::default());
        }
        begin.iter().for_each(|slot| self.begun[slot.index()] = counted(*slot));
        self.publisher.publish(next);
        match request.source_goes_on {
            true => self.source.extend_from_slice(&source),
            false => self.source = source,
        }
        self.used_slots = self.used_slots.max(used_slots);
        self.spares = spares;
        wait(&mut self.publisher);
        if is_changed {
            self.sets.settle();
        }
        Ok(generation)
    }

    /// Takes what changes of sets: every packet from then on finds them so. Where only elements come and go the workers read what they read before.
    ///
    /// # Errors
    /// What could not be taken. Of `whole` sets nothing has changed then, else what was said before it has.
    pub fn set_sets(&mut self, whole: bool, fds: &[OwnedFd], now: Time) -> Result<(), Refusal> {
        let [fd] = fds else { return Err(Refusal::Descriptors { found: fds.len(), wanted: 1 }) };
        let bytes = read(fd, "edits of sets", MAX_SEGMENT)?;
        let edits = set::decode(&bytes).map_err(|error| Refusal::SetEdits(error.to_string()))?;
        // What packets did before it.
        self.follow_packets(now);
        let program = &self.publisher.current().program;
        let is_used = |id: SetId| names(&program.ipv4, id) || names(&program.ipv6, id);
        let taken = match whole {
            true => self.sets.replace(&edits, now, &is_used),
            false => self.sets.apply(&edits, now, &is_used),
        };
        self.publish_sets();
        Ok(taken?)
    }

    /// Makes workers go by a new directory of sets, if there is one.
    fn publish_sets(&mut self) {
        if let Some(sets) = self.sets.directory() {
            let next = Snapshot { sets, ..Snapshot::clone(self.publisher.current()) };
            self.publisher.publish(Arc::new(next));
            wait(&mut self.publisher);
            self.sets.settle();
        }
    }

    /// Do packets change sets?
    pub fn follows_packets(&self) -> bool {
        self.sets.is_open()
    }

    /// Puts into the tables of sets what packets have changed.
    pub fn follow_packets(&mut self, now: Time) {
        let Self { publisher, sets, .. } = self;
        sets.follow_packets(now, |sets| {
            publisher.publish(Arc::new(Snapshot { sets, ..Snapshot::clone(publisher.current()) }));
            wait(publisher);
        });
    }

    /// What packets have changed of sets since the sender said that it knows all until this number.
    pub fn sets_by_packets(&mut self, known: u64, now: Time) -> set::ByPackets {
        self.follow_packets(now);
        self.sets.by_packets(known, now)
    }

    /// What to warn of: sets that were full.
    pub fn set_shortages(&mut self) -> Vec<String> {
        self.sets.shortages()
    }

    /// What elements of these sets have counted.
    pub fn set_counts(&self, names: &[String]) -> set::Counts {
        names.iter().filter_map(|name| Some((name.clone(), self.sets.counts(name)?))).collect()
    }

    /// The names of the lists of `recent` that rules name.
    pub fn recent_lists(&self) -> Vec<String> {
        RecentList::names(self.running())
    }

    /// What is in a list of `recent`, after this was done to it.
    ///
    /// # Errors
    /// What cannot be done, for people.
    pub fn recent(&self, name: &str, change: Option<RecentChange>, shared: &Shared, now: Time) -> Result<Vec<RecentEntry>, String> {
        let list = RecentList::find(self.running(), name).ok_or_else(|| format!("no rule names a list {name:?}"))?;
        let change = change.map(|change| match change {
            RecentChange::Note(address) => lists::Change::Note(address),
            RecentChange::Forget(address) => lists::Change::Forget(address),
            RecentChange::Clear => lists::Change::Clear,
        });
        if let Some(change) = change {
            list.change(change, shared, now).map_err(|lists::NoRoom| format!("there is no room in the list {name:?}"))?;
        }
        let entry = |lists::Entry { address, ttl, last, times }| RecentEntry { address, ttl, last, times };
        Ok(list.entries(now).into_iter().map(entry).collect())
    }

    /// Takes the mirror of the host's kernel.
    ///
    /// # Errors
    /// Why nothing changed.
    pub fn set_host(&mut self, fds: &[OwnedFd]) -> Result<(), Refusal> {
        let [fd] = fds else { return Err(Refusal::Descriptors { found: fds.len(), wanted: 1 }) };
        let bytes = read(fd, "the host's state", MAX_MIRROR)?;
        let mirror: mirror::Snapshot = serde_json::from_slice(&bytes)?;
        self.publish_host(Some(&mirror), &self.groups.clone())?;
        self.mirror = Some(mirror);
        Ok(())
    }

    /// Takes the multicast groups that are joined on the TAPs now. Nothing is published if they are those of the last time.
    ///
    /// # Errors
    /// Never in practice: the rest of the host made sense before.
    pub fn set_groups(&mut self, groups: Groups) -> Result<(), Refusal> {
        if groups != self.groups {
            let mirror = self.mirror.take();
            let published = self.publish_host(mirror.as_ref(), &groups);
            self.mirror = mirror;
            published?;
            self.groups = groups;
        }
        Ok(())
    }

    fn publish_host(&mut self, mirror: Option<&mirror::Snapshot>, groups: &Groups) -> Result<(), HostError> {
        let host = Arc::new(host::build(&self.ports, &self.config.dataplane, mirror, groups)?);
        let next = Snapshot { edition: Edition::new(), host, ..Snapshot::clone(self.publisher.current()) };
        self.publisher.publish(Arc::new(next));
        Ok(())
    }

    /// Whether IPv6 packets are walked, and tables for them taken.
    pub fn walks_ipv6(&self) -> bool {
        self.config.dataplane.ipv6
    }

    /// What a publication brings.
    fn take(&self, running: &Snapshot, request: &Publish, fds: &[OwnedFd], mut spares: Spares) -> Result<Taken, Refusal> {
        let images = request.tables.iter().filter(|table| table.form != Form::Unchanged).count();
        let wanted = images + usize::from(request.begins_counters) + 1;
        let Some((source, segments)) = fds.split_last().filter(|_| fds.len() == wanted) else {
            return Err(Refusal::Descriptors { found: fds.len(), wanted });
        };
        let (segments, slots) = segments.split_at(images);
        let limits = Limits { counters: self.counter_slots(), labels: u32::try_from(request.labels.len()).unwrap_or(u32::MAX) };
        let names: Vec<&str> = [""].into_iter().chain(self.ports.iter().map(|port| port.name.as_str())).collect();
        let bounds = Bounds { limits, names, policies: &running.settings.conntrack.policies, sets: &self.sets };
        let mut segments = segments.iter();
        let mut taken = Taken::default();
        for table in &request.tables {
            // Counted above: there is a segment for each changed table.
            let segment = if table.form == Form::Unchanged { None } else { segments.next() };
            let used = match table.family {
                Family::Ipv4 => {
                    let places = (&mut taken.ipv4, &mut taken.spares.ipv4);
                    take(places, (&running.program.ipv4, &mut spares.ipv4), table, segment, &bounds)?
                }
                Family::Ipv6 if self.walks_ipv6() => {
                    let places = (&mut taken.ipv6, &mut taken.spares.ipv6);
                    take(places, (&running.program.ipv6, &mut spares.ipv6), table, segment, &bounds)?
                }
                Family::Ipv6 => return Err(Refusal::Ipv6),
            };
            taken.used_slots = taken.used_slots.max(used);
        }
        if let Some(slots) = slots.first() {
            taken.begin = self.slots(slots)?;
        }
        let most = if request.source_goes_on { MAX_SEGMENT.saturating_sub(self.source.len() as u64) } else { MAX_SEGMENT };
        taken.source = read(source, "the source", most)?;
        Ok(taken)
    }

    /// Numbers of slots, each of which there is.
    fn slots(&self, fd: &OwnedFd) -> Result<Vec<CounterSlot>, Refusal> {
        let bytes = read(fd, "slots", 4 * u64::from(self.counter_slots()))?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        let slots: Vec<CounterSlot> = numbers.iter().map(|number| CounterSlot(u32::from_ne_bytes(*number))).collect();
        let is_there = |slot: &CounterSlot| slot.0 < self.counter_slots();
        if rest.is_empty() && slots.iter().all(is_there) { Ok(slots) } else { Err(Refusal::Slots(self.counter_slots())) }
    }
}

/// A worker takes a snapshot up with its next burst, and says when no packet goes by the old rules any more. One that ended does not count.
fn wait(publisher: &mut Publisher<Snapshot>) {
    while !publisher.taken_up() {
        thread::sleep(TAKE_UP_PAUSE);
    }
    publisher.collect();
}

/// What a publication brings: the tables of both families, and the source blob, or what is more of it.
#[derive(Default)]
struct Taken {
    ipv4: Tables<Ipv4>,
    ipv6: Tables<Ipv6>,
    source: Vec<u8>,
    /// Counter slots that new rules name: `0..` this.
    used_slots: u32,
    /// What edits will be made in from then on.
    spares: Spares,
    /// Slots that begin anew.
    begin: Vec<CounterSlot>,
}

/// What a table may name.
struct Bounds<'a> {
    limits: Limits,
    /// Interfaces, by id.
    names: Vec<&'a str>,
    /// Timeout policies, by number.
    policies: &'a [Policy],
    sets: &'a Sets,
}

impl Bounds<'_> {
    /// Refuses rules that name sets which are not there.
    fn know_sets<F: packet::Family>(&self, rules: &Table<F>) -> Result<(), Refusal> {
        match rules.set_names().find(|name| self.sets.id(name).is_none()) {
            Some(name) => Err(Refusal::NoSet(name.to_owned())),
            None => Ok(()),
        }
    }
}

/// Adds one table of a publication: the running one where there is no segment for it. The answer is how many counter slots what is new in it names.
fn take<F: packet::Family>(
    (tables, spares): (&mut Tables<F>, &mut [Option<Spare<F>>; 5]),
    (running, old_spares): (&Tables<F>, &mut [Option<Spare<F>>; 5]),
    table: &TableRef,
    segment: Option<&OwnedFd>,
    bounds: &Bounds<'_>,
) -> Result<u32, Refusal> {
    let kind = kind(table.kind);
    let place = &mut tables.tables[kind as usize];
    if place.is_some() {
        return Err(Refusal::Twice(table.kind, table.family));
    }
    let running = running.get(kind);
    let spare = old_spares[kind as usize].take();
    let Some(fd) = segment else {
        *place = Some(running.ok_or(Refusal::NotLoaded(table.kind))?.clone());
        spares[kind as usize] = spare;
        return Ok(0);
    };
    let bytes = read(fd, &format!("segment of table {:?}", table.kind), MAX_SEGMENT)?;
    let unreadable = |reason| Refusal::Image { kind: table.kind, reason };
    let other = |found: program::TableKind| Refusal::OtherTable { announced: table.kind, found };
    let (mut next, used) = if table.form == Form::Edit {
        let edit: TableEdit<F> = image::decode_edit(&bytes).map_err(unreadable)?;
        if edit.added.kind != kind {
            return Err(other(edit.added.kind));
        }
        let running = running.ok_or(Refusal::NotLoaded(table.kind))?;
        bounds.know_sets(&edit.added)?;
        let policies = edit.listing.iter().flatten().filter_map(|chain| chain.policy);
        let used = used_slots(&edit.added).max(policies.map(|policy| policy.counter.0.saturating_add(1)).max().unwrap_or(0));
        let next = edited(running, spare, &edit, bounds).map_err(|fault| fault.of(table.kind))?;
        spares[kind as usize] = Some(Spare { table: running.clone(), edit: Some(edit) });
        (next, used)
    } else {
        let mut decoded: Table<F> = image::decode_table(&bytes, &bounds.limits).map_err(unreadable)?;
        if decoded.kind != kind {
            return Err(other(decoded.kind));
        }
        bounds.know_sets(&decoded)?;
        // The interfaces are those of before: ports are there from the start.
        let before = running.map(|before| &**before);
        match before {
            Some(before) => decoded.bind_following(&bounds.names, before),
            None => decoded.bind(&bounds.names),
        }
        decoded.tree.check(&decoded, before).map_err(|fault| Unusable::Tree(fault).of(table.kind))?;
        let used = used_slots(&decoded);
        decoded.prepare_for_edits();
        let mut copy = decoded.clone();
        copy.prepare_for_edits();
        spares[kind as usize] = Some(Spare { table: Arc::new(copy), edit: None });
        (decoded, used)
    };
    next.bind_timeouts(|name| timeout::<F>(bounds.policies, name)).map_err(Refusal::Timeout)?;
    next.bind_sets(|name| bounds.sets.place_of(name));
    *place = Some(Arc::new(next));
    Ok(used)
}

/// Why an edited table is not used.
enum Unusable {
    Edit(EditError),
    Tree(TreeFault),
}

impl Unusable {
    fn of(self, kind: TableKind) -> Refusal {
        match self {
            Self::Edit(reason) => Refusal::Edit { kind, reason },
            Self::Tree(fault) => Refusal::Tree { kind, fault },
        }
    }
}

/// The table that follows the running one by an edit, made of the one before that if nobody has it any more.
fn edited<F: packet::Family>(
    running: &Table<F>,
    spare: Option<Spare<F>>,
    edit: &TableEdit<F>,
    bounds: &Bounds<'_>,
) -> Result<Table<F>, Unusable> {
    let before = spare.and_then(|spare| Some((Arc::try_unwrap(spare.table).ok()?, spare.edit)));
    let copy = match before {
        Some((table, None)) => table,
        Some((table, Some(edit))) => table.edited(&edit, &bounds.limits).map_err(Unusable::Edit)?,
        None => running.clone(),
    };
    let mut next = copy.edited(edit, &bounds.limits).map_err(Unusable::Edit)?;
    next.bind_edited(&bounds.names, running, edit);
    next.tree.check_edited(&next, running, &edit.made()).map_err(Unusable::Tree)?;
    Ok(next)
}

/// Copies a sealed segment out; what is verified later is this copy.
fn read(fd: &OwnedFd, what: &str, limit: u64) -> Result<Vec<u8>, Refusal> {
    wire::read_sealed(fd, limit).map_err(|reason| Refusal::Segment { what: what.to_owned(), reason })
}

fn next_root(running: &Root, request: &Publish) -> Result<Root, Refusal> {
    if request.based_on != running.generation {
        return Err(Refusal::BasedOn { based_on: request.based_on, running: running.generation });
    }
    // Flows and unchanged tables keep label ids, so none may come to mean something else.
    for (id, label) in running.labels.iter().enumerate() {
        if request.labels.get(id) != Some(label) {
            return Err(Refusal::Label(id));
        }
    }
    Ok(Root { generation: running.generation + 1, labels: request.labels.clone() })
}

/// The number of a timeout policy, if a rule of this family may name it so.
fn timeout<F: packet::Family>(policies: &[Policy], wanted: &TimeoutName) -> Result<TimeoutId, String> {
    let fits = |policy: &Policy| policy.family == F::ID && policy.fits(wanted.protocol);
    let family = |id| if id == FamilyId::Ipv4 { "inet" } else { "inet6" };
    let describe = |policy: &Policy| format!("{} ({} {})", policy.name, family(policy.family), policy.tracker.name());
    match policies.iter().position(|policy| policy.name == wanted.name) {
        // Checked with the configuration: at most 255.
        Some(at) if fits(&policies[at]) => Ok(TimeoutId(u8::try_from(at + 1).unwrap_or(0))),
        Some(at) => Err(format!(
            "CT --timeout {}: the policy is for {} {}, the rule for {} protocol {}",
            wanted.name,
            family(policies[at].family),
            policies[at].tracker.name(),
            family(F::ID),
            wanted.protocol
        )),
        None if policies.is_empty() => {
            Err(format!("CT --timeout {}: no timeout policy is configured ([dataplane.conntrack.timeout.NAME])", wanted.name))
        }
        None => {
            let known = policies.iter().map(describe).collect::<Vec<_>>().join(", ");
            Err(format!("CT --timeout {}: no timeout policy of that name is configured; there are {known}", wanted.name))
        }
    }
}

/// Does a rule of these tables name the set at this place?
fn names<F: packet::Family>(tables: &Tables<F>, id: SetId) -> bool {
    let has = |table: &Arc<Table<F>>| table.bound_sets.contains(&id) || table.bound_changes.iter().flatten().any(|set| *set == id);
    tables.tables.iter().flatten().any(has)
}

/// The sets that packets change by rules of these tables.
fn changed_sets<F: packet::Family>(tables: &Tables<F>) -> impl Iterator<Item = SetId> {
    let all = tables.tables.iter().flatten().flat_map(|table| table.bound_changes.iter().flatten());
    all.copied().filter(|id| *id != SetId::NONE)
}

/// Counter slots that a table names: `0..` this.
fn used_slots<F: packet::Family>(table: &Table<F>) -> u32 {
    let rules = table.rules.iter().map(|rule| rule.counter);
    let policies = table.chains.iter().filter_map(|chain| chain.policy).map(|policy| policy.counter);
    rules.chain(policies).map(|slot| slot.0.saturating_add(1)).max().unwrap_or(0)
}

fn kind(kind: TableKind) -> program::TableKind {
    match kind {
        TableKind::Raw => program::TableKind::Raw,
        TableKind::Mangle => program::TableKind::Mangle,
        TableKind::Nat => program::TableKind::Nat,
        TableKind::Filter => program::TableKind::Filter,
        TableKind::Security => program::TableKind::Security,
    }
}

#[cfg(test)]
pub(in crate::control) mod tests;
