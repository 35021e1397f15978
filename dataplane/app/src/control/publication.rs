//! From sealed segments to the snapshot that the workers read. Whatever is wrong with a request, the running snapshot stays as it is.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use engine::Snapshot;
use engine::conntrack::Policy;
use engine::snapshot::Edition;
use engine::snapshot::{Settings, TableStates};
use packet::{FamilyId, Ipv4, Ipv6};
use program::image::{self, ImageError};
use program::tree::TreeFault;
use program::verify::Limits;
use program::{Program, Root, Table, Tables, TimeoutId, TimeoutName};
use proto::private::{Family, Publish, TableKind, TableRef};
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
    #[error("{found} descriptors came with the message, {wanted} were announced (one per changed table, and the source)")]
    Descriptors {
        /// Came.
        found: usize,
        /// Announced.
        wanted: usize,
    },
    /// An unchanged table that was never loaded.
    #[error("table {0:?} is to stay unchanged, but is not loaded")]
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
}

impl Publication {
    /// The snapshot before the first program: nothing passes.
    ///
    /// # Errors
    /// When the static sections of the configuration make no host.
    pub fn new(ports: Vec<PortIdentity>, config: Arc<Config>, settings: Settings) -> Result<Self, HostError> {
        let host = Arc::new(host::build(&ports, &config.dataplane, None, &Groups::default())?);
        let first = Snapshot {
            edition: Edition::new(),
            program: Program::default(),
            states: TableStates::default(),
            host,
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

    /// Makes these tables the running program, and returns its generation when every worker runs it.
    ///
    /// # Errors
    /// Why nothing changed.
    pub fn publish(&mut self, request: &Publish, fds: &[OwnedFd]) -> Result<u64, Refusal> {
        let running = self.publisher.current().clone();
        let root = next_root(&running.program.root, request)?;
        let (ipv4, ipv6, source) = self.tables(&running, request, fds)?;
        let generation = root.generation;
        let program = Program { root, ipv4, ipv6 };
        let states = TableStates::following(&running.program, &running.states, &program);
        let edition = running.edition.after(&running.program, &program);
        let used = used_slots(&program.ipv4).max(used_slots(&program.ipv6));
        let next = Snapshot { edition, program, states, host: running.host.clone(), settings: running.settings.clone() };
        drop(running);
        self.publisher.publish(Arc::new(next));
        match request.source_goes_on {
            true => self.source.extend_from_slice(&source),
            false => self.source = source,
        }
        self.used_slots = self.used_slots.max(used);
        // A worker takes it up with its next burst, and says when no packet goes by the old rules any more. One that ended does not count.
        while !self.publisher.taken_up() {
            thread::sleep(TAKE_UP_PAUSE);
        }
        self.publisher.collect();
        Ok(generation)
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

    /// The tables of both families, and the source blob.
    #[expect(clippy::type_complexity, reason = "the parts of a program, handed to the one who asked")]
    fn tables(
        &self,
        running: &Snapshot,
        request: &Publish,
        fds: &[OwnedFd],
    ) -> Result<(Tables<Ipv4>, Tables<Ipv6>, Vec<u8>), Refusal> {
        let wanted = request.tables.iter().filter(|table| !table.unchanged).count() + 1;
        let Some((source, segments)) = fds.split_last().filter(|_| fds.len() == wanted) else {
            return Err(Refusal::Descriptors { found: fds.len(), wanted });
        };
        let limits = Limits { counters: self.counter_slots(), labels: u32::try_from(request.labels.len()).unwrap_or(u32::MAX) };
        let names: Vec<&str> = [""].into_iter().chain(self.ports.iter().map(|port| port.name.as_str())).collect();
        let bounds = Bounds { limits, names, policies: &running.settings.conntrack.policies };
        let mut segments = segments.iter();
        let (mut ipv4, mut ipv6) = (Tables::default(), Tables::default());
        for table in &request.tables {
            // Counted above: there is a segment for each changed table.
            let segment = if table.unchanged { None } else { segments.next() };
            match table.family {
                Family::Ipv4 => take(&mut ipv4, &running.program.ipv4, table, segment, &bounds)?,
                Family::Ipv6 if self.walks_ipv6() => take(&mut ipv6, &running.program.ipv6, table, segment, &bounds)?,
                Family::Ipv6 => return Err(Refusal::Ipv6),
            }
        }
        let most = if request.source_goes_on { MAX_SEGMENT.saturating_sub(self.source.len() as u64) } else { MAX_SEGMENT };
        Ok((ipv4, ipv6, read(source, "the source", most)?))
    }
}

/// What a table may name.
struct Bounds<'a> {
    limits: Limits,
    /// Interfaces, by id.
    names: Vec<&'a str>,
    /// Timeout policies, by number.
    policies: &'a [Policy],
}

/// Adds one table of a publication: the running one where there is no segment for it.
fn take<F: packet::Family>(
    tables: &mut Tables<F>,
    running: &Tables<F>,
    table: &TableRef,
    segment: Option<&OwnedFd>,
    bounds: &Bounds<'_>,
) -> Result<(), Refusal> {
    let kind = kind(table.kind);
    if tables.tables[kind as usize].is_some() {
        return Err(Refusal::Twice(table.kind, table.family));
    }
    tables.tables[kind as usize] = Some(match segment {
        None => running.get(kind).ok_or(Refusal::NotLoaded(table.kind))?.clone(),
        Some(fd) => {
            let bytes = read(fd, &format!("segment of table {:?}", table.kind), MAX_SEGMENT)?;
            let mut decoded: Table<F> =
                image::decode_table(&bytes, &bounds.limits).map_err(|reason| Refusal::Image { kind: table.kind, reason })?;
            if decoded.kind != kind {
                return Err(Refusal::OtherTable { announced: table.kind, found: decoded.kind });
            }
            // The interfaces are those of before: ports are there from the start.
            let before = running.get(kind).map(|before| &**before);
            match before {
                Some(before) => decoded.bind_following(&bounds.names, before),
                None => decoded.bind(&bounds.names),
            }
            decoded.tree.check(&decoded, before).map_err(|fault| Refusal::Tree { kind: table.kind, fault })?;
            decoded.bind_timeouts(|name| timeout::<F>(bounds.policies, name)).map_err(Refusal::Timeout)?;
            Arc::new(decoded)
        }
    });
    Ok(())
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

/// Counter slots that these tables name: `0..` this.
fn used_slots<F: packet::Family>(tables: &Tables<F>) -> u32 {
    let of = |table: &Table<F>| {
        let rules = table.rules.iter().map(|rule| rule.counter);
        let policies = table.chains.iter().filter_map(|chain| chain.policy).map(|policy| policy.counter);
        rules.chain(policies).map(|slot| slot.0.saturating_add(1)).max().unwrap_or(0)
    };
    tables.tables.iter().flatten().map(|table| of(table)).max().unwrap_or(0)
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
