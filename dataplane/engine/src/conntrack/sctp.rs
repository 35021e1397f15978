//! SCTP as the kernel tracks it (`nf_conntrack_proto_sctp`): which state follows a chunk, and whose packets carry the right verification tag.
//!
//! Every packet carries the tag that its receiver chose in INIT or INIT ACK. The tracker notes both, and takes what carries another for
//! INVALID; a HEARTBEAT alone may begin in the middle, because a multi-homed peer tries its other paths by it.

use packet::Family;
use packet::sctp::{Chunk, Chunks, chunk};

use super::entry::{Dir, Flow, Protocol, Status};
use super::settings::{Settings, Timeouts};
use super::track::{Outcome, Packet};

/// Where an association stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SctpState {
    /// No packet yet.
    #[default]
    None,
    /// It is over, or was never begun rightly.
    Closed,
    /// INIT was seen.
    CookieWait,
    /// COOKIE ECHO was seen.
    CookieEchoed,
    /// COOKIE ACK was seen.
    Established,
    /// The original side sent a SHUTDOWN.
    ShutdownSent,
    /// The other side sent a SHUTDOWN.
    ShutdownRecd,
    /// One of them was acknowledged.
    ShutdownAckSent,
    /// Seen by a HEARTBEAT only: another path of an association.
    HeartbeatSent,
}

impl SctpState {
    /// Every state, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::Closed,
        Self::CookieWait,
        Self::CookieEchoed,
        Self::Established,
        Self::ShutdownSent,
        Self::ShutdownRecd,
        Self::ShutdownAckSent,
        Self::HeartbeatSent,
    ];

    /// The name that `conntrack -L` prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Closed => "CLOSED",
            Self::CookieWait => "COOKIE_WAIT",
            Self::CookieEchoed => "COOKIE_ECHOED",
            Self::Established => "ESTABLISHED",
            Self::ShutdownSent => "SHUTDOWN_SENT",
            Self::ShutdownRecd => "SHUTDOWN_RECD",
            Self::ShutdownAckSent => "SHUTDOWN_ACK_SENT",
            Self::HeartbeatSent => "HEARTBEAT_SENT",
        }
    }

    fn timeout(self, timeouts: &Timeouts) -> u32 {
        match self {
            Self::None | Self::Closed => timeouts.sctp_closed,
            Self::CookieWait => timeouts.sctp_cookie_wait,
            Self::CookieEchoed => timeouts.sctp_cookie_echoed,
            Self::Established => timeouts.sctp_established,
            Self::ShutdownSent => timeouts.sctp_shutdown_sent,
            Self::ShutdownRecd => timeouts.sctp_shutdown_recd,
            Self::ShutdownAckSent => timeouts.sctp_shutdown_ack_sent,
            Self::HeartbeatSent => timeouts.sctp_heartbeat_sent,
        }
    }

    /// The state behind a chunk that goes in this direction; `None` when it cannot be.
    fn behind(self, dir: Dir, kind: u8) -> Option<Self> {
        use SctpState::*;
        Some(match (kind, dir, self) {
            // A path that is known by its HEARTBEAT is left by an answer to it, or by a real beginning.
            (chunk::HEARTBEAT_ACK, Dir::Reply, HeartbeatSent) => Established,
            (chunk::HEARTBEAT, Dir::Reply, HeartbeatSent) => HeartbeatSent,
            (_, Dir::Reply, HeartbeatSent) if is_control(kind) => return Option::None,
            (chunk::HEARTBEAT, Dir::Original, None | HeartbeatSent) => HeartbeatSent,
            (chunk::HEARTBEAT_ACK, Dir::Original, HeartbeatSent) => HeartbeatSent,

            (chunk::INIT, Dir::Original, HeartbeatSent) => CookieWait,
            (chunk::INIT, Dir::Original, ShutdownSent | ShutdownRecd) => Closed,
            (chunk::INIT_ACK, Dir::Reply, Closed) => CookieWait,
            (chunk::COOKIE_ECHO, _, CookieWait) => CookieEchoed,
            (chunk::COOKIE_ACK, _, CookieEchoed) => Established,
            (chunk::ERROR, Dir::Reply, CookieEchoed) => Closed,
            (chunk::SHUTDOWN, Dir::Original, Established) => ShutdownSent,
            (chunk::SHUTDOWN, Dir::Reply, Established) => ShutdownRecd,
            (chunk::SHUTDOWN_ACK, Dir::Original, None | HeartbeatSent) => ShutdownAckSent,
            (chunk::SHUTDOWN_ACK, _, ShutdownSent | ShutdownRecd) => ShutdownAckSent,
            (chunk::SHUTDOWN_COMPLETE, _, ShutdownAckSent) => Closed,
            (chunk::ABORT, _, _) => Closed,
            (_, Dir::Original, None | HeartbeatSent) if is_control(kind) => Closed,
            _ => self,
        })
    }
}

/// Chunks that drive the state machine. DATA, SACK and all others do not.
fn is_control(kind: u8) -> bool {
    matches!(
        kind,
        chunk::INIT
            | chunk::INIT_ACK
            | chunk::ABORT
            | chunk::SHUTDOWN
            | chunk::SHUTDOWN_ACK
            | chunk::ERROR
            | chunk::COOKIE_ECHO
            | chunk::COOKIE_ACK
            | chunk::SHUTDOWN_COMPLETE
            | chunk::HEARTBEAT
            | chunk::HEARTBEAT_ACK
    )
}

/// What a flow remembers.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(2))]
pub struct Sctp {
    state: SctpState,
    /// The verification tag that packets of each direction carry; 0 while it is not known.
    tags: [u32; 2],
    /// An INIT went this way and its answer was not seen yet.
    init: [bool; 2],
    /// A HEARTBEAT with a strange tag was seen, last in this direction.
    strange: Option<Dir>,
}

impl Sctp {
    /// Where the association stands.
    pub fn state(&self) -> SctpState {
        self.state
    }

    /// The verification tag that packets of each direction carry; 0 while it is not known.
    pub fn tags(&self) -> [u32; 2] {
        self.tags
    }
}

/// The T bit of ABORT and SHUTDOWN COMPLETE.
const REFLECTED: u8 = 1;

/// Which chunks a packet holds: a set, as far as the tracker asks.
#[derive(Clone, Copy, Default)]
struct Kinds(u16);

impl Kinds {
    fn has_any(self, kinds: &[u8]) -> bool {
        kinds.iter().any(|kind| self.0 & 1 << kind != 0)
    }
}

/// The set of a packet's chunks, if they stand together as they may: what must be alone is alone, cookies come first, and every chunk has a
/// length.
fn kinds(chunks: Chunks<'_>) -> Option<Kinds> {
    let mut kinds = Kinds::default();
    let (mut alone, mut any) = (false, false);
    for (nth, Chunk { kind, len, .. }) in chunks.enumerate() {
        alone |= matches!(kind, chunk::INIT | chunk::INIT_ACK | chunk::SHUTDOWN_COMPLETE);
        if len == 0 || nth > 0 && (alone || matches!(kind, chunk::COOKIE_ECHO | chunk::COOKIE_ACK)) {
            return None;
        }
        if kind < 16 {
            kinds.0 |= 1 << kind;
        }
        any = true;
    }
    any.then_some(kinds)
}

/// Judges a packet of `flow` and takes it in.
pub(crate) fn packet<F: Family>(flow: &mut Flow<F>, dir: Dir, p: &Packet<'_, F>, settings: &Settings) -> Outcome {
    let timeouts = settings.timeouts_of(flow);
    let Some((tag, chunks)) = packet::sctp::read(p.header, p.head).filter(|_| !p.has_bad_checksum(settings)) else {
        return Outcome::Invalid;
    };
    let Some(kinds) = kinds(chunks.clone()) else { return Outcome::Invalid };
    let confirmed = flow.is_confirmed();
    let Protocol::Sctp(sctp) = &mut flow.protocol else { return Outcome::Invalid };
    if !confirmed {
        match begin(tag, kinds, chunks.clone()) {
            Some(new) => *sctp = new,
            None => return Outcome::Invalid,
        }
    }
    let tells_itself = [
        chunk::INIT,
        chunk::SHUTDOWN_COMPLETE,
        chunk::COOKIE_ECHO,
        chunk::ABORT,
        chunk::SHUTDOWN_ACK,
        chunk::HEARTBEAT,
        chunk::HEARTBEAT_ACK,
    ];
    if !kinds.has_any(&tells_itself) && tag != sctp.tags[dir.index()] {
        return Outcome::Invalid;
    }
    let (mut ignored, mut assured) = (false, false);
    for chunk in chunks {
        let last = sctp.state;
        match sctp.take_in(dir, tag, &chunk, kinds, &mut ignored) {
            Some(next) => sctp.state = next,
            None => return Outcome::Invalid,
        }
        assured |= last != SctpState::Established && sctp.state == SctpState::Established;
        // A repeated INIT does not keep what is over alive.
        ignored |= chunk.kind == chunk::INIT && confirmed && last == SctpState::Closed && sctp.state == SctpState::Closed;
    }
    let timeout = sctp.state.timeout(timeouts);
    if assured {
        flow.status.set(Status::ASSURED);
    }
    if ignored { Outcome::Pass } else { Outcome::Refresh(timeout) }
}

/// What a flow begins with, if the packet may begin one.
fn begin(tag: u32, kinds: Kinds, chunks: Chunks<'_>) -> Option<Sctp> {
    // Out of the blue, these are to be thrown away (RFC 9260 section 8.4).
    if kinds.has_any(&[chunk::ABORT, chunk::SHUTDOWN_COMPLETE, chunk::COOKIE_ACK]) {
        return None;
    }
    let mut sctp = Sctp::default();
    for chunk in chunks {
        if SctpState::None.behind(Dir::Original, chunk.kind)? == SctpState::None {
            return None;
        }
        match chunk.kind {
            chunk::INIT if tag != 0 => return None,
            chunk::INIT => {
                chunk.initiate_tag()?;
            }
            chunk::HEARTBEAT => sctp.tags[Dir::Original.index()] = tag,
            // It waits for SHUTDOWN COMPLETE with the same tag.
            chunk::SHUTDOWN_ACK => sctp.tags[Dir::Reply.index()] = tag,
            _ => {}
        }
    }
    Some(sctp)
}

impl Sctp {
    /// Checks the tag of one chunk and notes what it says; `None` when it does not belong, else the state that follows.
    fn take_in(&mut self, dir: Dir, tag: u32, chunk: &Chunk<'_>, kinds: Kinds, ignored: &mut bool) -> Option<SctpState> {
        let (here, there) = (dir.index(), dir.opposite().index());
        match chunk.kind {
            chunk::INIT if tag != 0 => return None,
            // With the T bit it reflects the tag that it answers.
            chunk::ABORT | chunk::SHUTDOWN_COMPLETE
                if tag != self.tags[if chunk.flags & REFLECTED == 0 { here } else { there }] =>
            {
                return None;
            }
            chunk::COOKIE_ECHO if tag != self.tags[here] => return None,
            chunk::COOKIE_ACK => self.init = [false; 2],
            chunk::HEARTBEAT | chunk::HEARTBEAT_ACK if self.tags[here] == 0 => self.tags[here] = tag,
            chunk::HEARTBEAT | chunk::HEARTBEAT_ACK if tag == self.tags[here] => self.strange = None,
            chunk::HEARTBEAT | chunk::HEARTBEAT_ACK => {
                if kinds.has_any(&[chunk::DATA]) || *ignored {
                    return None;
                }
                if chunk.kind == chunk::HEARTBEAT {
                    self.strange = Some(dir);
                    *ignored = true;
                    return Some(self.state);
                }
                // The answer to a HEARTBEAT with a strange tag: the peer knows better which tags are right.
                if self.strange != Some(dir.opposite()) {
                    return None;
                }
                self.strange = None;
                self.tags[here] = tag;
                self.tags[there] = 0;
            }
            _ => {}
        }
        let next = self.state.behind(dir, chunk.kind)?;
        match chunk.kind {
            chunk::INIT => {
                let initiate = chunk.initiate_tag()?;
                // One that gives the tag which is known already is stale, or sent by somebody else: it has not asked.
                if self.tags[there] != initiate {
                    self.init[here] = true;
                    self.tags[there] = initiate;
                }
            }
            chunk::INIT_ACK => {
                let initiate = chunk.initiate_tag()?;
                let known = self.tags[there];
                let asked = self.init[there];
                let both_asked = self.init == [true; 2];
                if known != initiate && (both_asked || !asked && known != 0) {
                    return None;
                }
                self.tags[there] = initiate;
            }
            _ => {}
        }
        Some(next)
    }
}
