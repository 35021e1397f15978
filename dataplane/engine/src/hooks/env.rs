//! What a table asks and has done while a packet goes through it: the evaluator's view of the walk.

use packet::npt::Translated;
use packet::tcp::HEADER_LEN;
use packet::{Family, Header, L4};
use program::eval::{Act, Env, Met};
use program::header_test::Answer;
use program::{
    ChainId, CounterSlot, HashMark, Hook, InterfaceId, MarkOp, Match, NamedTest, PrefixChange, RuleIndex, Shift, Side, Table,
    Target, Transfer,
};

use crate::buffer::Buffer;
use crate::burst::Packet;
use crate::conntrack::counted::Rules;
use crate::conntrack::{self, Assist, Dir, Flow};
use crate::drop::DropReason;
use crate::log::Told;
use crate::named::Named;
use crate::outside::Outside;
use crate::recent;
use crate::snapshot::TableState;
use crate::targets::Changed;
use crate::trace::Guard;
use crate::walk::Walk;
use crate::walk::answer::Message;
use crate::{stateful, targets};

/// One packet in one table.
pub(crate) struct PacketEnv<'e, 'w, 'b, F: Family, O: Outside> {
    pub(crate) walk: &'e mut Walk<'w, F, O>,
    pub(crate) packet: &'e mut Packet<'b, F, O::Buf>,
    pub(crate) hook: Hook,
    pub(crate) interfaces: (InterfaceId, InterfaceId),
    /// What the table's rules remember.
    pub(crate) state: &'e TableState,
    /// What a rule's drop is called.
    pub(crate) reason: DropReason,
    /// What a match's drop is called.
    pub(crate) hot_reason: DropReason,
}

impl<F: Family, O: Outside> PacketEnv<'_, '_, '_, F, O> {
    fn flow(&self) -> Option<&Flow<F>> {
        self.packet.connection.flow.and_then(|id| self.walk.flows.get(id))
    }

    /// The packet as a set is asked of it.
    fn asked_of_sets(&self) -> stateful::set::Asked<'_, F> {
        let name = |id| self.walk.snap.host.interface(id).map_or("", |interface| interface.name.as_str());
        stateful::set::Asked {
            header: &self.packet.header,
            head: self.packet.buf.head(),
            origin: self.packet.origin,
            mark: self.packet.mark,
            interfaces: (name(self.interfaces.0), name(self.interfaces.1)),
            now: self.walk.now,
        }
    }

    fn flow_mut(&mut self) -> Option<&mut Flow<F>> {
        self.packet.connection.flow.and_then(|id| self.walk.flows.get_mut(id))
    }

    /// A change of the packet's bytes, which can only fail when they are not where they were parsed.
    fn changed(&mut self, done: bool) -> Act {
        if done { Act::Continue } else { self.drop_as(DropReason::BufferLayout) }
    }

    /// The same of a target that drops what is malformed.
    fn made(&mut self, changed: Changed) -> Act {
        match changed {
            Changed::Done => Act::Continue,
            Changed::Refused => Act::Drop,
            Changed::OutOfReach => self.drop_as(DropReason::BufferLayout),
        }
    }

    /// What a match that drops the packet on the spot answers.
    fn hot_drop_as(&mut self, reason: DropReason) -> Answer {
        self.hot_reason = reason;
        Answer::HotDrop
    }

    fn drop_as(&mut self, reason: DropReason) -> Act {
        self.reason = reason;
        Act::Drop
    }
}

impl<F: Family, O: Outside> Env<F> for PacketEnv<'_, '_, '_, F, O> {
    fn header(&self) -> &Header<F> {
        &self.packet.header
    }

    fn interfaces(&self) -> (InterfaceId, InterfaceId) {
        self.interfaces
    }

    #[inline(never)]
    fn ask(&mut self, table: &Table<F>, test: &Match) -> Answer {
        let info = self.packet.connection.info;
        if stateful::varies(table, test) {
            self.walk.traces.spoil();
        }
        match *test {
            Match::L4(test) => test.ask(&self.packet.header, &table.port_ranges),
            Match::TcpOption { kind, not } => stateful::tcp_option::ask(self.packet.buf.head(), &self.packet.header, kind, not),
            Match::Field(test) => test.holds(&self.packet.header).into(),
            Match::Address(index) => table.address_tests[index as usize].holds(&self.packet.header).into(),
            Match::TcpEcn { ece, cwr } => stateful::tcp_ecn::ask(self.packet.buf.head(), &self.packet.header, ece, cwr).into(),
            Match::Packet(index) => {
                // A packet that one buffer cannot hold is read as far as the first one goes.
                if self.packet.buf.head().len() < self.packet.buf.len() {
                    let whole = self.packet.buf.len();
                    let _ = self.packet.buf.pull_up(whole);
                }
                table.packet_tests[index as usize].ask(self.packet.buf.head(), &self.packet.header)
            }
            Match::Mac { source, not } => stateful::mac::ask(self.packet.buf.head(), source, not).into(),
            Match::Addrtype { src, dst, limit } => {
                let on = limit.map(|side| match side {
                    Side::In => self.interfaces.0,
                    Side::Out => self.interfaces.1,
                });
                let (host, header) = (self.walk.host, &self.packet.header);
                let is = |address, test| stateful::addrtype::ask(host, address, test, on);
                (is(header.src, src) && is(header.dst, dst)).into()
            }
            Match::Rpfilter { loose, valid_mark, accept_local, not } => {
                let mark = if valid_mark { self.packet.mark } else { 0 };
                let rule = stateful::rpfilter::Rule { loose, accept_local, mark };
                (stateful::rpfilter::ask(self.walk.host, &self.packet.header, self.packet.input, rule) != not).into()
            }
            Match::Pkttype { to, not } => ((stateful::pkttype::of(self.packet.origin, self.packet.buf.head()) == to) != not).into(),
            Match::DeviceGroup { side, group, mask, not } => {
                let on = if side == Side::In { self.interfaces.0 } else { self.interfaces.1 };
                (((self.walk.snap.host.group(on) ^ group) & mask == 0) != not).into()
            }
            Match::State { mask, not } => ((stateful::conntrack::state_bits(info, self.flow()) & mask != 0) != not).into(),
            Match::Conntrack(index) => {
                stateful::conntrack::ask(&table.conntrack_tests[index as usize], info, self.flow(), self.walk.now).into()
            }
            Match::Mark { value, mask, not } => ((self.packet.mark & mask == value) != not).into(),
            Match::Connmark { value, mask, not } => stateful::connmark::ask(self.flow(), value, mask, not).into(),
            Match::Connbytes(index) => {
                let counts = self.packet.connection.flow.and_then(|id| self.walk.flows.counts(id));
                stateful::connbytes::ask(&table.connbytes_tests[index as usize], counts).into()
            }
            Match::Connlabel { label, set, not } => {
                let asked = stateful::connlabel::ask(self.walk.flows, self.packet.connection.flow, label, set, not);
                asked.map_or_else(|conntrack::ExtrasFull| self.hot_drop_as(DropReason::ConntrackExtrasFull), Answer::from)
            }
            Match::Connlimit { state, test } => {
                let (flow, rules) = (self.packet.connection.flow, Rules { table: table.kind as u8, load: self.state.load() });
                let test = &table.connlimit_tests[test as usize];
                let asked =
                    stateful::connlimit::ask(test, (rules, state), self.walk.flows, flow, &self.packet.header, self.walk.now);
                asked.map_or_else(|reason| self.hot_drop_as(reason), Answer::from)
            }
            Match::Set(index) => {
                let (test, set) = table.set_test(index);
                stateful::set::ask(&self.walk.snap.sets, test, set, &self.asked_of_sets()).into()
            }
            Match::Label { label, not } => ((self.packet.label == label) != not).into(),
            Match::Helper { set, not } => {
                let by = self.packet.connection.flow.and_then(|id| self.walk.flows.assist(id)).and_then(Assist::master);
                (by.is_some_and(|master| set & master.helper.bit() != 0) != not).into()
            }
            Match::Random { threshold, not } => (stateful::random::hit(self.walk.rng, threshold) != not).into(),
            Match::Nth { state, every, not } => (stateful::nth::hit(self.state.cell(state), every) != not).into(),
            Match::Quota { state, not } => (stateful::quota::take(self.state.cell(state), self.packet.header.len) != not).into(),
            Match::Named(index) => self.named(&table.named_tests[index as usize], index),
            Match::Cluster { total, nodes, seed, not } => self.cluster((total, nodes, seed), not).into(),
            Match::Content(index) => {
                stateful::content::ask(&table.content_tests[index as usize], &self.packet.buf, &self.packet.header).into()
            }
            Match::Time(index) => table.time_tests[index as usize].holds(self.walk.wall.at(self.walk.now)).into(),
            Match::Limit { state, spec } => {
                let taken = stateful::limit::take(self.state.cell(state), spec, self.walk.now);
                match taken {
                    true => self.walk.traces.spoil(),
                    false => self.walk.traces.guard(Guard { table: table.kind, state, spec }),
                }
                taken.into()
            }
        }
    }

    fn count(&mut self, counter: CounterSlot) {
        self.walk.count(self.packet, counter);
    }

    #[inline(never)]
    fn act(&mut self, table: &Table<F>, _rule: RuleIndex, target: &Target) -> Act {
        if !targets::repeats(target) {
            self.walk.traces.spoil();
        }
        let packet = &mut *self.packet;
        match *target {
            // The evaluator does these itself.
            Target::Continue | Target::Return | Target::Jump(_) | Target::Goto(_) => Act::Continue,
            Target::Accept => Act::Accept,
            Target::Drop => Act::Drop,
            Target::Reject(with) => {
                self.walk.reject(packet, with);
                self.drop_as(DropReason::Rejected)
            }
            Target::Log(index) => {
                let record = targets::log::record(&table.logs[index as usize], packet, self.interfaces);
                self.walk.out.log(&record);
                Act::Continue
            }
            Target::Set(index) => {
                let (change, sets) = table.set_change(index);
                targets::set::change(&self.walk.snap.sets, change, sets, &self.asked_of_sets());
                Act::Continue
            }
            Target::Npt(index) => self.translate_prefix(&table.prefix_changes[index as usize]),
            Target::Hmark(index) => self.mark_by_hash(&table.hash_marks[index as usize]),
            Target::Mark(op) => {
                packet.mark = op.apply(packet.mark);
                Act::Continue
            }
            Target::SetConnmark(op) => self.set_connmark(op, Shift::default()),
            Target::SetConnmarkShifted(op, shift) => self.set_connmark(op, shift),
            Target::Connmark(transfer) => self.move_connmark(transfer, Shift::default()),
            Target::ConnmarkShifted(transfer, shift) => self.move_connmark(transfer, shift),
            Target::Tos { value, mask } => {
                let done = targets::tos::apply(packet.buf.head_mut(), &mut packet.row.header, value, mask);
                self.changed(done)
            }
            Target::TcpEcn { ect, ece, cwr } => {
                self.walk.cut.melt_below(HEADER_LEN);
                let changed = targets::ecn::apply(packet.buf.head_mut(), &mut packet.row.header, ect, (ece, cwr));
                self.made(changed)
            }
            Target::Tcpmss(most) => {
                self.walk.cut.melt();
                let most = most.or_else(|| self.walk.mss_of_path(packet));
                let changed =
                    most.map_or(Changed::Refused, |most| targets::tcpmss::apply(&mut packet.buf, &mut packet.row.header, most));
                self.made(changed)
            }
            Target::Tcpoptstrip(index) => {
                if let L4::Tcp { header_len, .. } = packet.header.transport {
                    self.walk.cut.melt_below(header_len.into());
                }
                let kinds = &table.option_sets[index as usize];
                let changed = targets::tcpoptstrip::apply(packet.buf.head_mut(), &mut packet.row.header, kinds);
                self.made(changed)
            }
            Target::TtlSet(ttl) => self.set_ttl(ttl),
            Target::TtlInc(by) => self.set_ttl(self.packet.header.ttl.saturating_add(by)),
            Target::TtlDec(by) => self.set_ttl(self.packet.header.ttl.saturating_sub(by)),
            Target::Notrack => {
                targets::ct::notrack(&mut packet.connection);
                Act::Continue
            }
            Target::Ct(action) => {
                targets::ct::lay_down(&mut packet.connection, action, table.timeout_of(action));
                Act::Continue
            }
            Target::CtMarked(action) => {
                targets::ct::lay_down_marked(&mut packet.connection, action, table.timeout_of(action));
                Act::Continue
            }
            Target::Nat(index) => self.walk.choose_translation(packet, self.hook, &table.nats[index as usize], &mut self.reason),
            Target::Synproxy(proxy) => match self.walk.synproxy(packet, &proxy) {
                Some(reason) => self.drop_as(reason),
                None => Act::Continue,
            },
            Target::Secmark(label) => {
                packet.label = label;
                Act::Continue
            }
            Target::ConnsecmarkSave => match targets::connsecmark::save(self.walk.flows, packet.connection.flow, packet.label) {
                Ok(()) => Act::Continue,
                Err(conntrack::ExtrasFull) => self.drop_as(DropReason::ConntrackExtrasFull),
            },
            Target::ConnsecmarkRestore => {
                targets::connsecmark::restore(self.walk.flows, packet.connection.flow, &mut packet.label);
                Act::Continue
            }
            Target::Tee(index) => {
                self.walk.tee(packet, self.hook, table.tee(index));
                Act::Continue
            }
            Target::Trace => {
                packet.told = true;
                Act::Tell
            }
        }
    }

    fn tell(&mut self, table: &Table<F>, chain: ChainId, met: Met, number: u32) {
        let name = &table.chains[chain.index()].name;
        let record = targets::log::told(Told::new(table.kind, name, met, number), self.packet, self.interfaces);
        self.walk.out.log(&record);
    }
}

impl<F: Family, O: Outside> PacketEnv<'_, '_, '_, F, O> {
    fn connmark(&self) -> Option<u32> {
        self.flow().map(|flow| flow.mark)
    }

    fn set_connmark(&mut self, op: MarkOp, shift: Shift) -> Act {
        let before = self.connmark();
        targets::connmark::set(self.flow_mut(), op, shift);
        self.compare_connmark(before)
    }

    fn move_connmark(&mut self, transfer: Transfer, shift: Shift) -> Act {
        let before = self.connmark();
        let flow = self.packet.connection.flow.and_then(|id| self.walk.flows.get_mut(id));
        targets::connmark::transfer(flow, &mut self.packet.mark, transfer, shift);
        self.compare_connmark(before)
    }

    /// The next packet finds another mark than this one did.
    fn compare_connmark(&mut self, before: Option<u32>) -> Act {
        if self.connmark() != before {
            self.walk.traces.spoil();
        }
        Act::Continue
    }

    #[inline(never)]
    fn cluster(&mut self, (total, nodes, seed): (u8, u32, u32), not: bool) -> bool {
        let origin = stateful::cluster::origin::<F>(self.packet.origin, self.packet.buf.head(), self.packet.header.dst);
        if origin != self.packet.origin {
            self.packet.origin = origin;
            // Another packet may come to the box itself.
            self.walk.traces.spoil();
        }
        let announced = self.packet.connection.flow.and_then(|id| self.walk.flows.assist(id)).and_then(|assist| assist.began_at);
        let began_at = announced.or_else(|| self.flow().map(|flow| flow.tuple(Dir::Original).src));
        began_at.is_some_and(|source| (nodes >> stateful::cluster::node::<F>(source, total, seed) & 1 == 1) != not)
    }

    #[inline(never)]
    fn translate_prefix(&mut self, change: &PrefixChange) -> Act {
        // Of a datagram that came in pieces only the first is looked at.
        let first = self.walk.cut.sizes.first().map_or(usize::MAX, |first| usize::from(*first) + packet::ipv6::HEADER_LEN);
        let packet = &mut *self.packet;
        match targets::npt::apply(&mut packet.buf, &mut packet.row.header, change, first) {
            Ok(Translated::Whole) => Act::Continue,
            Ok(Translated::NotNeutral) => {
                let message = Message::ParameterProblem { code: 0, pointer: change.side.at() as u32, by_groups: false };
                self.walk.answer(self.packet, message);
                Act::Drop
            }
            Err(_) => self.drop_as(DropReason::BufferLayout),
        }
    }

    #[inline(never)]
    fn mark_by_hash(&mut self, spec: &HashMark<F>) -> Act {
        if spec.of_connection {
            if let Some(flow) = self.flow() {
                self.packet.mark = targets::hmark::of_flow(spec, flow);
            }
            return Act::Continue;
        }
        let packet = &mut *self.packet;
        let made = targets::hmark::of_packet(spec, &mut packet.buf, &packet.row.header);
        if let Some((mark, _)) = made {
            packet.mark = mark;
        }
        if !made.is_some_and(|(_, repeats)| repeats) {
            self.walk.traces.spoil();
        }
        Act::Continue
    }

    fn named(&mut self, test: &NamedTest, index: u32) -> Answer {
        match (test, self.state.named(index)) {
            (NamedTest::Recent(test), Some(Named::Recent(list))) => {
                let asked = stateful::recent::ask(test, list, self.packet, self.hook, (self.walk.named, self.walk.now));
                asked.map_or_else(|recent::Full| self.hot_drop_as(DropReason::RecentFull), Answer::from)
            }
            (NamedTest::Hashlimit(test), Some(Named::Hashlimit(buckets))) => {
                let packet = (self.packet.buf.head(), &self.packet.header);
                let asked = stateful::hashlimit::ask(test, buckets, packet, (self.walk.named, self.walk.now));
                asked.map_or_else(|reason| self.hot_drop_as(reason), Answer::from)
            }
            // Every test of a rule has what it asks.
            (NamedTest::Recent(_) | NamedTest::Hashlimit(_), _) => Answer::No,
        }
    }

    fn set_ttl(&mut self, ttl: u8) -> Act {
        let done = targets::ttl::apply(self.packet.buf.head_mut(), &mut self.packet.row.header, ttl);
        self.changed(done)
    }
}
