//! TCP as the kernel tracks it (`nf_conntrack_proto_tcp`): which state follows, which segments belong, how long an entry lives.
//!
//! The tracker sits between the two ends and cannot know what reaches them, so it judges mildly: what could be right is let through, what
//! might answer a packet that it misjudged is let through unchanged (*ignored*: ESTABLISHED for the rules, but neither counted nor
//! believed), and only what no end would take is INVALID. The window has a file of its own.

use packet::tcp::flags;
use packet::{Family, Header, L4};

use super::entry::{Dir, Flow, Protocol, Status};
use super::last::Last;
use super::settings::{Settings, Timeouts};
use super::track::{Outcome, Packet};
use super::window::{self, Segment, SideFlags, Sides, Verdict};
use crate::time::Time;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TcpState {
    /// No packet yet.
    #[default]
    None,
    /// The original side sent a SYN.
    SynSent,
    /// It was answered with SYN/ACK.
    SynRecv,
    /// The handshake is done, or a connection was picked up in its middle.
    Established,
    /// One side sent a FIN.
    FinWait,
    /// It was acknowledged.
    CloseWait,
    /// The other side sent a FIN as well.
    LastAck,
    /// It was acknowledged.
    TimeWait,
    /// A RST ended it.
    Close,
    /// Both sides sent a SYN.
    SynSent2,
}

impl TcpState {
    /// Every state, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::None,
        Self::SynSent,
        Self::SynRecv,
        Self::Established,
        Self::FinWait,
        Self::CloseWait,
        Self::LastAck,
        Self::TimeWait,
        Self::Close,
        Self::SynSent2,
    ];

    /// The name that `conntrack -L` prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::SynSent => "SYN_SENT",
            Self::SynRecv => "SYN_RECV",
            Self::Established => "ESTABLISHED",
            Self::FinWait => "FIN_WAIT",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::TimeWait => "TIME_WAIT",
            Self::Close => "CLOSE",
            Self::SynSent2 => "SYN_SENT2",
        }
    }

    fn timeout(self, timeouts: &Timeouts) -> u32 {
        match self {
            Self::None | Self::SynSent => timeouts.tcp_syn_sent,
            Self::SynSent2 => timeouts.tcp_syn_sent2,
            Self::SynRecv => timeouts.tcp_syn_recv,
            Self::Established => timeouts.tcp_established,
            Self::FinWait => timeouts.tcp_fin_wait,
            Self::CloseWait => timeouts.tcp_close_wait,
            Self::LastAck => timeouts.tcp_last_ack,
            Self::TimeWait => timeouts.tcp_time_wait,
            Self::Close => timeouts.tcp_close,
        }
    }

    /// The connection is past its FIN or RST: its tuple may be in use again, so numbers are not held against a RST.
    fn is_ending(self) -> bool {
        matches!(self, Self::FinWait | Self::CloseWait | Self::LastAck | Self::TimeWait | Self::Close)
    }
}

/// What a segment is to the state machine: its most telling flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    Syn,
    SynAck,
    Fin,
    Ack,
    Rst,
    #[default]
    Bare,
}

impl Kind {
    /// In the order of their numbers.
    pub(crate) const ALL: [Self; 6] = [Self::Syn, Self::SynAck, Self::Fin, Self::Ack, Self::Rst, Self::Bare];

    #[inline]
    fn of(bits: u8) -> Self {
        let set = |bit| bits & bit != 0;
        if set(flags::RST) {
            Self::Rst
        } else if set(flags::SYN) {
            if set(flags::ACK) { Self::SynAck } else { Self::Syn }
        } else if set(flags::FIN) {
            Self::Fin
        } else if set(flags::ACK) {
            Self::Ack
        } else {
            Self::Bare
        }
    }
}

/// The combinations of flags that a TCP sends; PSH, ECE and CWR go with all of them.
#[inline]
fn flags_make_sense(bits: u8) -> bool {
    use flags::{ACK, CWR, ECE, FIN, PSH, RST, SYN, URG};
    const SYN_URG: u8 = SYN | URG;
    const SYN_ACK: u8 = SYN | ACK;
    const RST_ACK: u8 = RST | ACK;
    const FIN_ACK: u8 = FIN | ACK;
    const FIN_ACK_URG: u8 = FIN | ACK | URG;
    const ACK_URG: u8 = ACK | URG;
    matches!(bits & !(PSH | ECE | CWR), SYN | SYN_URG | SYN_ACK | RST | RST_ACK | FIN_ACK | FIN_ACK_URG | ACK | ACK_URG)
}

/// What a segment does to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The connection is in this state now, if the numbers are right.
    To(TcpState),
    /// It may be right, or may provoke the answer that shows it: passes, believed in nothing.
    Ignore,
    /// It is wrong.
    Wrong,
}

/// RFC 9293's machine, seen from between the two ends. The original side is the one that sent first.
fn step(dir: Dir, kind: Kind, state: TcpState) -> Step {
    use Step::{Ignore, To, Wrong};
    use TcpState::{Close, CloseWait, Established, FinWait, LastAck, None, SynRecv, SynSent, SynSent2, TimeWait};
    match (kind, dir, state) {
        (Kind::Bare, ..) => Wrong,

        // A first SYN, one sent again, one that reopens. Inside a connection it may be of a peer that has lost it: its answer will tell.
        (Kind::Syn, Dir::Original, None | SynSent | TimeWait | Close) => To(SynSent),
        (Kind::Syn, Dir::Original, SynSent2) => To(SynSent2),
        (Kind::Syn, Dir::Original, _) => Ignore,
        // Both sides open at the same time, or the roles changed when the connection is opened again.
        (Kind::Syn, Dir::Reply, SynSent | SynSent2) => To(SynSent2),
        (Kind::Syn, Dir::Reply, TimeWait) => To(SynSent),
        (Kind::Syn, Dir::Reply, _) => Wrong,

        (Kind::SynAck, _, SynSent2) => To(SynRecv),
        (Kind::SynAck, Dir::Original, SynRecv) => To(SynRecv),
        (Kind::SynAck, Dir::Original, _) => Wrong,
        (Kind::SynAck, Dir::Reply, SynSent) => To(SynRecv),
        (Kind::SynAck, Dir::Reply, None) => Wrong,
        (Kind::SynAck, Dir::Reply, _) => Ignore,

        (Kind::Fin, _, None | SynSent | SynSent2) => Wrong,
        (Kind::Fin, _, SynRecv | Established) => To(FinWait),
        (Kind::Fin, _, FinWait | CloseWait | LastAck) => To(LastAck),
        (Kind::Fin, _, TimeWait | Close) => To(state),

        (Kind::Ack, Dir::Original, None | SynRecv) => To(Established),
        (Kind::Ack, Dir::Original, SynSent | SynSent2) => Wrong,
        (Kind::Ack, Dir::Reply, None) => Wrong,
        // The answer of an end that has the connection open still; the original side will reset it.
        (Kind::Ack, Dir::Reply, SynSent | SynSent2) => Ignore,
        (Kind::Ack, Dir::Reply, SynRecv) => To(SynRecv),
        (Kind::Ack, _, FinWait | CloseWait) => To(CloseWait),
        (Kind::Ack, _, LastAck | TimeWait) => To(TimeWait),
        (Kind::Ack, _, Established | Close) => To(state),

        (Kind::Rst, _, None) => Wrong,
        (Kind::Rst, ..) => To(Close),
    }
}

/// What a connection's flow remembers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp {
    state: TcpState,
    pub(crate) sides: Sides,
    pub(crate) last: Last,
    /// How often the same segment came again in a row.
    pub(crate) retransmits: u8,
}

impl Tcp {
    /// Where the connection stands.
    pub fn state(&self) -> TcpState {
        self.state
    }

    /// Window scales of both sides, where a SYN told.
    pub fn scales(&self) -> [u8; 2] {
        self.sides.map(|side| side.scale)
    }

    /// The highest sequence number that the original side sent: what a new connection must be ahead of to take the place of one in TIME_WAIT.
    pub(crate) fn original_end(&self) -> u32 {
        self.sides[0].end
    }

    /// What the first packet of an entry tells; `None` when it can begin none.
    fn begin(segment: &Segment<'_>, settings: &Settings) -> Option<Self> {
        let mut tcp = Self::default();
        match step(Dir::Original, segment.kind, TcpState::None) {
            Step::To(TcpState::SynSent) => {
                tcp.sides[0].end = segment.end;
                tcp.sides[0].max_end = segment.end;
                tcp.sides[0].max_window = u32::from(segment.window).max(1);
                tcp.sides[0].read_options(segment);
            }
            Step::To(_) if settings.tcp_loose => {
                let window = u32::from(segment.window).max(1);
                tcp.sides[0].end = segment.end;
                tcp.sides[0].max_end = segment.end.wrapping_add(window);
                tcp.sides[0].max_window = window;
                // Nobody saw the SYNs: scales and options are unknown, so the window is not held against either side.
                for side in &mut tcp.sides {
                    side.flags = SideFlags::SACK.with(SideFlags::LIBERAL);
                }
            }
            _ => return None,
        }
        Some(tcp)
    }

    /// An ignored segment: what of it must be known when the answer comes.
    fn note_ignored(&mut self, dir: Dir, segment: &Segment<'_>) {
        self.last.set(segment.kind, dir);
        self.last.seq = segment.seq;
        self.last.end = segment.end;
        self.last.window = segment.window;
        if segment.kind == Kind::Syn && dir == Dir::Original {
            let mut side = window::Side::default();
            side.read_options(segment);
            self.last.note_options(&side);
            self.last.expect_challenge(self.state == TcpState::LastAck);
            self.last.be_simultaneous(false);
        }
        if self.state == TcpState::SynSent && segment.kind == Kind::Ack && dir == Dir::Reply {
            self.last.ack = segment.ack;
        }
    }

    /// A SYN/ACK answers a SYN that was ignored: both ends are in step and the tracker was not. Takes the connection over from what it noted.
    fn believe_ignored_syn(&mut self, dir: Dir) {
        let last = self.last;
        let from = &mut self.sides[dir.opposite().index()];
        from.end = last.end;
        from.max_end = last.end;
        from.max_window = u32::from(last.window).max(1);
        last.give_options(from);
        self.last.expect_challenge(false);
        let answering = &mut self.sides[dir.index()];
        let liberal = answering.flags.has(SideFlags::LIBERAL);
        *answering = window::Side::default();
        answering.flags.set(SideFlags::LIBERAL, liberal);
    }
}

/// What a RST is to a connection.
enum Reset {
    /// Its numbers are in doubt, or say nothing: the window decides.
    Ask(TcpState),
    /// It leads to this state, whatever its numbers.
    Ends(TcpState),
    Wrong,
}

fn judge_reset(tcp: &Tcp, status: Status, dir: Dir, segment: &Segment<'_>, settings: &Settings) -> Reset {
    if tcp.state.is_ending() {
        return Reset::Ends(TcpState::Close);
    }
    let last = &tcp.last;
    let mut next = TcpState::Close;
    let other = &tcp.sides[dir.opposite().index()];
    if other.flags.has(SideFlags::MAX_ACK_KNOWN) && last.kind() != Kind::Syn {
        let established = tcp.state == TcpState::Established && status.has(Status::ASSURED);
        if segment.seq == 0 && !established {
            return Reset::Ask(next);
        }
        if window::before(segment.seq, other.max_ack) && !settings.tcp_ignore_invalid_rst {
            return Reset::Wrong;
        }
        if !established || segment.seq == other.max_ack {
            return Reset::Ask(next);
        }
        if last.kind() == Kind::Ack && last.dir() == Some(dir) && segment.seq == last.end {
            return Reset::Ask(next);
        }
        // Not the exact number (RFC 5961): the receiver will challenge it, and the connection may live on.
        next = tcp.state;
    }
    let answers_ignored = last.dir() == Some(dir.opposite())
        && match last.kind() {
            Kind::Syn => status.has(Status::SEEN_REPLY),
            Kind::Ack => !status.has(Status::ASSURED),
            _ => false,
        };
    if answers_ignored && segment.ack == last.end {
        return Reset::Ends(next);
    }
    let answers_challenge =
        tcp.state == TcpState::SynSent && last.kind() == Kind::Ack && last.dir() == Some(Dir::Reply) && segment.seq == last.ack;
    if answers_challenge {
        return Reset::Ends(next);
    }
    Reset::Ask(next)
}

/// The client that SYNPROXY has connected, and that waits for its server, asks whether the connection is still there: with the number below its
/// first one.
fn is_keepalive_of_proxied(tcp: &Tcp, dir: Dir, segment: &Segment<'_>) -> bool {
    let (mine, original) = (segment.kind == Kind::Ack && dir == Dir::Original, Some(Dir::Original));
    mine && tcp.state == TcpState::SynSent && tcp.last.dir() == original && tcp.sides[0].end.wrapping_sub(1) == segment.seq
}

/// Judges a segment of `flow` and takes it in. `proxied` is a flow that SYNPROXY began.
#[inline]
pub(crate) fn packet<F: Family>(
    flow: &mut Flow<F>,
    dir: Dir,
    p: &Packet<'_, F>,
    ack_shift: i32,
    proxied: bool,
    settings: &Settings,
) -> Outcome {
    if ack_shift == 0
        && flow.status.has(GOES_ON)
        && !p.has_bad_checksum(settings)
        && let Some(seconds) = go_on(flow, dir, p.header, p.header.l4_len(), p.head, settings)
    {
        return Outcome::Refresh(seconds);
    }
    match read(p, ack_shift, settings) {
        Some(segment) => by_the_machine(flow, dir, p.now, &segment, proxied, settings),
        None => Outcome::Invalid,
    }
}

/// What the status of a flow says whose connection may go on ([`go_on`]).
pub(crate) const GOES_ON: Status = Status::CONFIRMED.with(Status::SEEN_REPLY).with(Status::ASSURED);

/// Takes in an acknowledgement, with data or without, of an established connection whose status is [`GOES_ON`], if its numbers are right: nothing changes then but
/// these, and the timeout, which is returned. `None`, and nothing changed: [`by_the_machine`] has to look, which would find the same. The checksum is the caller's to know.
#[inline(always)]
pub(crate) fn go_on<F: Family>(
    flow: &mut Flow<F>,
    dir: Dir,
    header: &Header<F>,
    l4_len: u32,
    head: &[u8],
    settings: &Settings,
) -> Option<u32> {
    let L4::Tcp { seq, ack, flags: bits, window, header_len, .. } = header.transport else { return None };
    let timeouts = settings.timeouts_of(flow);
    let Protocol::Tcp(tcp @ Tcp { state: TcpState::Established, .. }) = &mut flow.protocol else { return None };
    let has_options = usize::from(header_len) > packet::tcp::HEADER_LEN;
    if bits & !(flags::PSH | flags::ECE | flags::CWR) != flags::ACK || usize::from(header_len) < packet::tcp::HEADER_LEN {
        return None;
    }
    let end = seq.wrapping_add(l4_len.checked_sub(u32::from(header_len))?);
    let options = has_options.then_some(|| packet::options::tcp::bytes(head, header).unwrap_or_default());
    let segment = Segment { kind: Kind::Ack, bits: flags::ACK, seq, ack, end, window, options: &[], ack_shift: 0 };
    if !window::goes_on(tcp, dir, &segment, options) {
        return None;
    }
    tcp.last.set(Kind::Ack, dir);
    Some(lifetime(tcp, timeouts.tcp_established, Kind::Ack, timeouts, settings))
}

/// Takes any segment through the states.
fn by_the_machine<F: Family>(
    flow: &mut Flow<F>,
    dir: Dir,
    now: Time,
    segment: &Segment<'_>,
    proxied: bool,
    settings: &Settings,
) -> Outcome {
    let timeouts = settings.timeouts_of(flow);
    let confirmed = flow.is_confirmed();
    let status = flow.status();
    let remaining = flow.remaining_seconds(now);
    let Protocol::Tcp(tcp) = &mut flow.protocol else { return Outcome::Invalid };
    if !confirmed {
        match Tcp::begin(segment, settings) {
            Some(new) => *tcp = new,
            None => return Outcome::Invalid,
        }
    }
    let mut old = tcp.state;
    let mut check_window = true;
    let mut next = match step(dir, segment.kind, old) {
        Step::Wrong if proxied && is_keepalive_of_proxied(tcp, dir, segment) => return Outcome::Pass,
        Step::Wrong => return Outcome::Invalid,
        Step::To(TcpState::SynSent) if old >= TcpState::TimeWait && may_reopen(tcp, dir) => return Outcome::Reopen,
        Step::To(TcpState::SynSent) if old < TcpState::TimeWait => TcpState::SynSent,
        Step::To(TcpState::SynSent) | Step::Ignore => {
            let answers_ignored_syn = segment.kind == Kind::SynAck
                && tcp.last.kind() == Kind::Syn
                && tcp.last.dir() == Some(dir.opposite())
                && segment.ack == tcp.last.end;
            if !answers_ignored_syn {
                tcp.note_ignored(dir, segment);
                return Outcome::Pass;
            }
            tcp.believe_ignored_syn(dir);
            old = TcpState::SynSent;
            TcpState::SynRecv
        }
        Step::To(next) => next,
    };
    match next {
        TcpState::TimeWait => {
            let challenge = old == TcpState::LastAck
                && segment.kind == Kind::Ack
                && tcp.last.dir() == Some(dir.opposite())
                && tcp.last.kind() == Kind::Syn
                && tcp.last.expects_challenge();
            if challenge {
                tcp.last.expect_challenge(false);
                return Outcome::Pass;
            }
        }
        TcpState::SynSent2 => tcp.last.be_simultaneous(true),
        TcpState::SynRecv if dir == Dir::Reply && segment.kind == Kind::Ack && tcp.last.is_simultaneous() => {
            next = TcpState::Established;
        }
        TcpState::Close if segment.kind == Kind::Rst => match judge_reset(tcp, status, dir, segment, settings) {
            Reset::Wrong => return Outcome::Invalid,
            Reset::Ends(state) => {
                next = state;
                check_window = false;
            }
            Reset::Ask(state) => next = state,
        },
        _ => {}
    }
    if check_window {
        match window::judge(tcp, dir, segment, settings) {
            Verdict::Right => {}
            Verdict::Ignore => return Outcome::Pass,
            Verdict::Wrong => return out_of_window(tcp, status, dir, segment, remaining, timeouts),
        }
    }
    tcp.last.set(segment.kind, dir);
    tcp.state = next;
    if old != next && next == TcpState::FinWait {
        tcp.sides[dir.index()].flags.set(SideFlags::CLOSED_FIRST, true);
    }
    let mut timeout = lifetime(tcp, tcp.state.timeout(timeouts), segment.kind, timeouts, settings);
    if !status.has(Status::SEEN_REPLY) {
        if segment.kind == Kind::Rst {
            // The only answer is a refusal: there is no connection to remember.
            return Outcome::Kill;
        }
        if segment.kind == Kind::Syn && old == TcpState::SynSent {
            // Does not extend the entry's life: else whoever takes the same port again keeps a dead entry, and its translation, for ever.
            return Outcome::Pass;
        }
        if next == TcpState::Established {
            timeout = timeout.min(timeouts.tcp_unacknowledged);
        }
    } else if matches!(old, TcpState::SynRecv | TcpState::Established) && next == TcpState::Established {
        flow.status.set(Status::ASSURED);
    }
    Outcome::Refresh(timeout)
}

/// The segment, if its header is sound.
#[inline]
fn read<'a, F: Family>(p: &Packet<'a, F>, ack_shift: i32, settings: &Settings) -> Option<Segment<'a>> {
    let L4::Tcp { seq, ack, flags: bits, window, .. } = p.header.transport else { return None };
    if p.header.l4_fault().is_some() || p.has_bad_checksum(settings) || !flags_make_sense(bits) {
        return None;
    }
    let data = p.header.tcp_data_len()?;
    let occupied = data + u32::from(bits & flags::SYN != 0) + u32::from(bits & flags::FIN != 0);
    let options = packet::options::tcp::bytes(p.head, p.header).unwrap_or_default();
    Some(Segment { kind: Kind::of(bits), bits, seq, ack, end: seq.wrapping_add(occupied), window, options, ack_shift })
}

/// A SYN on a connection that is over: the ends closed it, or the same side reset it.
fn may_reopen(tcp: &Tcp, dir: Dir) -> bool {
    tcp.sides.iter().any(|side| side.flags.has(SideFlags::CLOSED_FIRST))
        || (tcp.last.dir() == Some(dir) && tcp.last.kind() == Kind::Rst)
}

/// How long the connection lives from now, whose state gives it `usual`.
#[inline(always)]
fn lifetime(tcp: &Tcp, usual: u32, kind: Kind, timeouts: &Timeouts, settings: &Settings) -> u32 {
    if tcp.retransmits >= settings.tcp_max_retrans && usual > timeouts.tcp_max_retrans {
        timeouts.tcp_max_retrans
    } else if kind == Kind::Rst {
        timeouts.tcp_close
    } else if tcp.sides.iter().any(|side| side.flags.has(SideFlags::UNACKNOWLEDGED)) && usual > timeouts.tcp_unacknowledged {
        timeouts.tcp_unacknowledged
    } else if tcp.last.window == 0 && usual > timeouts.tcp_max_retrans {
        timeouts.tcp_max_retrans
    } else {
        usual
    }
}

/// A FIN or RST that is out of the window, answered by another: the tracker has lost the connection, which the ends are taking down. Its entry
/// must not live on for days.
fn out_of_window(tcp: &mut Tcp, status: Status, dir: Dir, segment: &Segment<'_>, remaining: u32, timeouts: &Timeouts) -> Outcome {
    if !status.has(Status::ASSURED) || !matches!(segment.kind, Kind::Rst | Kind::Fin) {
        return Outcome::Invalid;
    }
    if tcp.last.dir() == Some(dir.opposite()) && matches!(tcp.last.kind(), Kind::Rst | Kind::Fin) {
        let timeout = timeouts.tcp_unacknowledged;
        if remaining >= 120 && remaining > timeout {
            return Outcome::InvalidShorten(timeout);
        }
    } else {
        tcp.last.set(segment.kind, dir);
    }
    Outcome::Invalid
}

#[cfg(test)]
mod tests;
