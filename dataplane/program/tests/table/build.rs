//! Tables from short descriptions, laid out as the compiler lays them out.

use packet::family::Addr;
use packet::{Family, Fragment, Header, L4};
use program::{
    Chain, ChainId, CounterSlot, HeaderTest, IdRange, L4Test, LogSpec, Match, Nat, NatKind, Policy, PortRange, Rule, Table,
    TableKind, Target,
};

/// A rule in a few words. Ids of state slots, port lists and so on are those of the table that it is put into.
#[derive(Clone, Debug)]
pub(crate) struct Line<F: Family> {
    pub(crate) test: HeaderTest<F>,
    pub(crate) all: Vec<Match>,
    pub(crate) target: Target,
}

/// The rule that every packet matches.
pub(crate) fn every<F: Family>(target: Target) -> Line<F> {
    Line { test: HeaderTest::any(), all: Vec::new(), target }
}

/// A rule with `-p` and these matches.
pub(crate) fn on<F: Family>(protocol: u8, all: &[Match], target: Target) -> Line<F> {
    Line { test: HeaderTest { protocol: Some(protocol), ..HeaderTest::any() }, all: all.to_vec(), target }
}

/// The counter of the `n`th base chain's policy.
pub(crate) const POLICIES: u32 = 1000;

/// An empty table of this kind with its base chains, policy ACCEPT.
pub(crate) fn empty<F: Family>(kind: TableKind) -> Table<F> {
    let mut table = Table::empty(kind);
    for (n, hook) in kind.hooks().iter().enumerate() {
        table.hooks[*hook as usize] = Some(ChainId(n as u32));
        let policy = Policy { accept: true, counter: CounterSlot(POLICIES + n as u32) };
        table.chains.push(Chain { name: hook.name().into(), rules: IdRange::default(), policy: Some(policy) });
    }
    table
}

/// Puts the chains' rules into a table: first the base chains', in hook order, then those of new user chains `U0`, `U1` ...
/// Rule `n` of the table has counter `n`.
pub(crate) fn fill<F: Family>(table: &mut Table<F>, chains: &[Vec<Line<F>>]) {
    let bases = table.chains.len();
    for n in bases..chains.len().max(bases) {
        table.chains.push(Chain { name: format!("U{}", n - bases), rules: IdRange::default(), policy: None });
    }
    for (n, chain) in table.chains.iter_mut().enumerate() {
        let first = table.rules.len() as u32;
        for line in chains.get(n).into_iter().flatten() {
            let (mut l4, mut residual, mut held_back) = (Vec::<L4Test>::new(), Vec::new(), false);
            for test in &line.all {
                match test {
                    Match::L4(test) if !held_back => l4.push(*test),
                    _ => residual.push(*test),
                }
                held_back |= test.holds_back();
            }
            let mut test = line.test;
            test.l4 = append(&mut table.l4_tests, &l4);
            let ordered = append(&mut table.matches, &line.all);
            let residual = append(&mut table.matches, &residual);
            let counter = CounterSlot(table.rules.len() as u32);
            table.rules.push(Rule { test, residual, ordered, target: line.target, counter });
        }
        chain.rules = IdRange { first, len: table.rules.len() as u32 - first };
    }
    table.needs_tracking = table.rules_need_tracking();
}

/// A filled table, verified.
pub(crate) fn table<F: Family>(kind: TableKind, chains: &[Vec<Line<F>>]) -> Table<F> {
    let mut table = empty(kind);
    fill(&mut table, chains);
    program::verify::table(&table, &Default::default()).expect("a table that the test means to be good");
    table
}

pub(crate) fn append<T: Clone>(array: &mut Vec<T>, entries: &[T]) -> IdRange {
    let first = array.len() as u32;
    array.extend_from_slice(entries);
    IdRange { first, len: entries.len() as u32 }
}

/// A TCP packet of 40 bytes, 10.0.0.1:1000 to 10.0.0.2:80, SYN.
pub(crate) fn tcp<F: Family>() -> Header<F> {
    let transport = L4::Tcp { sport: 1000, dport: 80, seq: 1, ack: 0, flags: 2, window: 1000, header_len: 20 };
    header(6, transport)
}

/// A packet of this protocol from address 10.0.0.1 (or the family's address that ends so) to 10.0.0.2.
pub(crate) fn header<F: Family>(protocol: u8, transport: L4) -> Header<F> {
    let addr = |last: u8| {
        let mut bytes = [0; 16];
        bytes[0] = 10;
        bytes[F::Addr::LEN - 1] = last;
        F::Addr::read(&bytes).expect("16 bytes hold any address")
    };
    Header {
        src: addr(1),
        dst: addr(2),
        protocol,
        tos: 0,
        ttl: 64,
        l3: 14,
        l4: 34,
        len: 40,
        id: 0,
        dont_fragment: true,
        more_fragments: false,
        fragment: Fragment::Whole,
        transport,
    }
}

/// A later fragment at this offset.
pub(crate) fn later<F: Family>(protocol: u8, offset: u16) -> Header<F> {
    Header { fragment: Fragment::Later(offset), ..header(protocol, L4::Absent) }
}

/// `-m tcp --dport`
pub(crate) fn tcp_dport(port: u16) -> Match {
    Match::L4(L4Test::Tcp {
        sport: PortRange::ANY,
        not_sport: false,
        dport: PortRange { first: port, last: port },
        not_dport: false,
        mask: 0,
        set: 0,
        not_flags: false,
    })
}

/// An SNAT range of one address.
pub(crate) fn snat<F: Family>(addr: F::Addr) -> Nat<F> {
    Nat::to(NatKind::Source, Some((addr, addr)))
}

/// A LOG with this prefix.
pub(crate) fn log(prefix: &str) -> LogSpec {
    LogSpec {
        prefix: prefix.into(),
        level: 4,
        tcp_sequence: false,
        tcp_options: false,
        ip_options: false,
        uid: false,
        mac_decode: false,
    }
}
