//! Edits of a table: what does not fit it, or would make it one that may not be run, is refused.

use packet::Ipv4;
use program::edit::Lengths;
use program::eval::MAX_DEPTH;
use program::table::StateInit;
use program::verify::{self, Fault, Limits};
use program::{
    ChainEdit, ChainId, CounterSlot, EditError, IdRange, LimitSpec, Listed, Match, Nat, NatKind, Rule, StateSlot, Table, TableEdit,
    TableKind, Target, image,
};

use crate::build::{self, Line, every, on, tcp_dport};

/// A filter table of 70 rules in FORWARD and two in a chain of its own.
fn table() -> Table<Ipv4> {
    let ports = (0..70).map(|port| on(6, &[tcp_dport(port)], Target::Accept)).collect();
    build::table(TableKind::Filter, &[vec![], ports, vec![], vec![every(Target::Return), every(Target::Drop)]])
}

/// An edit that puts these rules into a chain.
fn edit(table: &Table<Ipv4>, chain: u32, (at, removed): (u32, u32), lines: &[Line<Ipv4>]) -> TableEdit<Ipv4> {
    edits(table, &[(chain, at, removed, lines)])
}

/// One that does so at these places.
fn edits(table: &Table<Ipv4>, places: &[(u32, u32, u32, &[Line<Ipv4>])]) -> TableEdit<Ipv4> {
    let follows = Lengths::of(table);
    let mut longer = table.clone();
    for line in places.iter().flat_map(|(.., lines)| *lines) {
        let (l4, rest): (Vec<Match>, Vec<Match>) = line.all.iter().copied().partition(|test| matches!(test, Match::L4(_)));
        let l4: Vec<_> = l4.iter().filter_map(|test| if let Match::L4(test) = test { Some(*test) } else { None }).collect();
        let mut test = line.test;
        test.l4 = build::append(&mut longer.l4_tests, &l4);
        let ordered = build::append(&mut longer.matches, &line.all);
        let residual = build::append(&mut longer.matches, &rest);
        longer.rules.push(Rule { test, residual, ordered, target: line.target, counter: CounterSlot(500) });
    }
    let chains = places.iter().map(|&(chain, at, removed, lines)| ChainEdit {
        chain: ChainId(chain),
        at,
        removed,
        added: lines.len() as u32,
    });
    let chains = chains.collect();
    TableEdit { follows, listing: None, chains, added: follows.cut(&mut longer) }
}

fn made(edit: &TableEdit<Ipv4>) -> Result<Table<Ipv4>, EditError> {
    table().edited(edit, &Limits::default())
}

#[track_caller]
fn fault(edit: &TableEdit<Ipv4>) -> Fault {
    match made(edit) {
        Err(EditError::Verify(error)) => error.fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rules_are_put_in_and_taken_out_and_those_behind_move() {
    let made =
        made(&edit(&table(), 1, (3, 2), &[every(Target::Drop), every(Target::Jump(ChainId(3))), every(Target::Accept)])).unwrap();
    assert_eq!(verify::table(&made, &Limits::default()), Ok(()));
    let runs: Vec<_> = made.chains.iter().map(|chain| (chain.rules.first, chain.rules.len)).collect();
    assert_eq!(runs, [(0, 0), (0, 71), (71, 0), (71, 2)]);
    assert_eq!(made.rules[2], table().rules[2]);
    assert_eq!(made.rules[3].target, Target::Drop);
    assert_eq!(made.rules[6..71], table().rules[5..70]);
}

#[test]
fn a_chain_changes_in_many_places() {
    let (one, two) = ([every(Target::Drop)], [every(Target::Return), every(Target::Accept)]);
    let made = made(&edits(&table(), &[(1, 0, 1, &[]), (1, 3, 1, &one), (1, 10, 0, &two), (1, 70, 0, &one), (3, 0, 2, &two)]));
    let made = made.unwrap();
    assert_eq!(verify::table(&made, &Limits::default()), Ok(()));
    let runs: Vec<_> = made.chains.iter().map(|chain| (chain.rules.first, chain.rules.len)).collect();
    assert_eq!(runs, [(0, 0), (0, 72), (72, 0), (72, 2)]);
    let old = table().rules;
    assert_eq!((&made.rules[..2], &made.rules[3..9], &made.rules[11..71]), (&old[1..3], &old[4..10], &old[10..70]));
    let targets = [2, 9, 10, 71, 72, 73].map(|at| made.rules[at].target);
    assert_eq!(targets[0], Target::Drop);
    assert_eq!((targets[2], targets[3], targets[5]), (Target::Accept, Target::Drop, Target::Accept));
}

/// A table in whose FORWARD chain all is asked of `U0`, and another chain `U1` that nobody asks.
fn calling() -> Table<Ipv4> {
    let forward = vec![every(Target::Jump(ChainId(3))), on(6, &[tcp_dport(1)], Target::Accept)];
    build::table(
        TableKind::Filter,
        &[vec![], forward, vec![], vec![every(Target::Return), every(Target::Drop)], vec![on(6, &[tcp_dport(2)], Target::Accept)]],
    )
}

/// All chains of a table as they are.
fn listed(table: &Table<Ipv4>) -> Vec<Listed> {
    let chains = (0..).map(ChainId).zip(&table.chains);
    chains.map(|(id, chain)| Listed { name: chain.name.clone(), policy: chain.policy, before: Some(id) }).collect()
}

#[test]
fn chains_come_and_go_and_get_other_names_and_policies() {
    let before = calling();
    let mut chains = listed(&before);
    chains[1].policy.as_mut().unwrap().accept = false;
    chains.truncate(3);
    chains.push(Listed { name: "A".into(), policy: None, before: None });
    chains.push(Listed { name: "Z".into(), policy: None, before: Some(ChainId(3)) });
    let (new, more) = ([every(Target::Accept)], [every(Target::Jump(ChainId(3)))]);
    let mut edit = edits(&before, &[(3, 0, 0, &new), (4, 1, 0, &more)]);
    edit.listing = Some(chains);
    let made = before.clone().edited(&edit, &Limits::default()).unwrap();
    assert_eq!(verify::table(&made, &Limits::default()), Ok(()));
    let names: Vec<_> = made.chains.iter().map(|chain| (&*chain.name, chain.rules.first, chain.rules.len)).collect();
    assert_eq!(names, [("INPUT", 0, 0), ("FORWARD", 0, 2), ("OUTPUT", 2, 0), ("A", 2, 1), ("Z", 3, 3)]);
    assert!(!made.chains[1].policy.unwrap().accept && made.chains[0].policy.unwrap().accept);
    assert_eq!(made.rules[0].target, Target::Jump(ChainId(4)), "it leads to the chain that it led to");
    assert_eq!(made.rules[4].target, Target::Jump(ChainId(3)));
    // The next edit follows as of any table.
    let after = made.clone().edited(&self::edit(&made, 3, (0, 1), &[]), &Limits::default()).unwrap();
    assert_eq!(verify::table(&after, &Limits::default()), Ok(()));
}

#[test]
fn a_list_of_chains_that_does_not_fit_is_refused() {
    let before = calling();
    let try_with = |change: &dyn Fn(&mut Vec<Listed>)| {
        let mut edit = edits(&before, &[]);
        let mut chains = listed(&before);
        change(&mut chains);
        edit.listing = Some(chains);
        before.clone().edited(&edit, &Limits { counters: 2000, ..Limits::default() })
    };
    let misfits = |change: &dyn Fn(&mut Vec<Listed>)| assert_eq!(try_with(change), Err(EditError::Misfit));
    let faulty = |change: &dyn Fn(&mut Vec<Listed>), wanted: &dyn Fn(&Fault) -> bool| {
        let result = try_with(change);
        assert!(matches!(&result, Err(EditError::Verify(error)) if wanted(&error.fault)), "{result:?}");
    };
    assert_eq!(try_with(&|_| {}).unwrap().rules, before.rules);
    assert!(try_with(&|chains| drop(chains.pop())).is_ok(), "nobody leads to U1");
    misfits(&|chains| drop(chains.remove(3)));
    misfits(&|chains| drop(chains.remove(0)));
    misfits(&|chains| chains[0].before = None);
    misfits(&|chains| chains[4].before = Some(ChainId(5)));
    misfits(&|chains| chains[4].before = Some(ChainId(3)));
    faulty(&|chains| chains[3].policy = chains[0].policy, &|fault| *fault == Fault::PolicyWithoutHook);
    faulty(&|chains| chains[1].policy = None, &|fault| matches!(fault, Fault::HookChain(_)));
    faulty(&|chains| chains[3].name = "a".repeat(29), &|fault| matches!(fault, Fault::TooMany { .. }));
    let far = |chains: &mut Vec<Listed>| chains[1].policy.as_mut().unwrap().counter = CounterSlot(2000);
    faulty(&far, &|fault| matches!(fault, Fault::OutOfRange { .. }));
    // An edit of rules in a chain of the list.
    let mut edit = edits(&before, &[(5, 0, 0, &[every(Target::Drop)])]);
    edit.listing = Some(listed(&before));
    assert_eq!(before.clone().edited(&edit, &Limits::default()), Err(EditError::Misfit));
    let mut edit = edits(&before, &[(3, 0, 1, &[])]);
    let mut chains = listed(&before);
    chains.insert(3, Listed { name: "T".into(), policy: None, before: None });
    edit.listing = Some(chains);
    assert_eq!(before.clone().edited(&edit, &Limits::default()), Err(EditError::Misfit), "it has no rule");
}

#[test]
fn an_image_of_an_edit_reads_back_and_is_none_of_a_table() {
    let edit = edit(&table(), 1, (0, 1), &[on(6, &[tcp_dport(7)], Target::Drop)]);
    let bytes = image::encode_edit(&edit);
    assert_eq!(image::decode_edit::<Ipv4>(&bytes).unwrap(), edit);
    assert!(matches!(image::decode_table::<Ipv4>(&bytes, &Limits::default()), Err(image::ImageError::Magic("RMPT"))));
    assert!(matches!(image::decode_edit::<Ipv4>(&image::encode_table(&table())), Err(image::ImageError::Magic("RMPE"))));
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 4;
        assert!(image::decode_edit::<Ipv4>(&bad).is_err(), "byte {at}");
        assert!(image::decode_edit::<Ipv4>(&bytes[..at]).is_err());
    }
}

#[test]
fn an_edit_of_another_table_is_refused() {
    let good = edit(&table(), 1, (0, 0), &[every(Target::Drop)]);
    let after = made(&good).unwrap();
    assert_eq!(after.clone().edited(&good, &Limits::default()), Err(EditError::Foreign), "it was made already");
    let mut other = good.clone();
    other.added.kind = TableKind::Mangle;
    assert_eq!(made(&other), Err(EditError::Foreign));
}

#[test]
fn an_edit_that_does_not_fit_the_chains_is_refused() {
    let good = edit(&table(), 1, (10, 1), &[every(Target::Drop)]);
    assert!(made(&good).is_ok());
    let changed = |change: &dyn Fn(&mut TableEdit<Ipv4>)| {
        let mut edit = good.clone();
        change(&mut edit);
        assert_eq!(made(&edit), Err(EditError::Misfit));
    };
    changed(&|edit| edit.chains[0].chain = ChainId(4));
    changed(&|edit| edit.chains[0].at = 70);
    changed(&|edit| edit.chains[0].at = u32::MAX);
    changed(&|edit| edit.chains[0].removed = 61);
    changed(&|edit| edit.chains[0].added = 2);
    changed(&|edit| edit.chains[0].added = 0);
    changed(&|edit| edit.chains.push(ChainEdit { added: 0, ..edit.chains[0] }));
    changed(&|edit| edit.chains.insert(0, ChainEdit { at: 9, removed: 2, added: 0, ..edit.chains[0] }));
    changed(&|edit| edit.chains.insert(0, ChainEdit { chain: ChainId(3), at: 0, removed: 0, added: 0 }));
    changed(&|edit| edit.added.chains = table().chains);
    changed(&|edit| edit.added.rules.clear());
}

#[test]
fn new_rules_are_looked_through_as_all_are() {
    let new = |target| edit(&table(), 1, (0, 0), &[every(target)]);
    assert_eq!(fault(&new(Target::Jump(ChainId(0)))), Fault::JumpToBase);
    assert!(matches!(fault(&new(Target::Jump(ChainId(9)))), Fault::OutOfRange { array: "chains", .. }));
    assert!(matches!(fault(&new(Target::Log(0))), Fault::OutOfRange { array: "logs", .. }));
    assert!(matches!(fault(&new(Target::Notrack)), Fault::TargetTable { .. }));
    let mut out = edit(&table(), 1, (0, 0), &[on(6, &[tcp_dport(7)], Target::Drop)]);
    out.added.rules[0].test.l4 = IdRange { first: out.added.rules[0].test.l4.first, len: 2 };
    assert!(matches!(fault(&out), Fault::OutOfRange { array: "transport tests", .. }));
    let limits = Limits { counters: 500, ..Limits::default() };
    assert!(matches!(table().edited(&new(Target::Drop), &limits), Err(EditError::Verify(_))), "counter 500");
}

#[test]
fn what_another_rule_remembers_cannot_be_had() {
    let spec = LimitSpec::new(10, 5).unwrap();
    let limited = |state| on(6, &[Match::Limit { state: StateSlot(state), spec }], Target::Accept);
    let mut first = edit(&table(), 1, (0, 0), &[limited(0)]);
    first.added.state = vec![StateInit::Limit(spec.cap)];
    let after = made(&first).unwrap();
    let mut second = edit(&after, 1, (0, 0), &[limited(0)]);
    let state =
        Err(EditError::Verify(verify::VerifyError { place: verify::Place::Rule(program::RuleIndex(0)), fault: Fault::State(0) }));
    assert_eq!(after.clone().edited(&second, &Limits::default()), state);
    second = edit(&after, 1, (0, 0), &[limited(1), limited(1)]);
    second.added.state = vec![StateInit::Limit(spec.cap)];
    assert!(after.clone().edited(&second, &Limits::default()).is_err(), "two rules, one slot");
    second = edit(&after, 1, (0, 0), &[limited(1)]);
    second.added.state = vec![StateInit::Limit(spec.cap)];
    assert!(after.edited(&second, &Limits::default()).is_ok());
}

#[test]
fn loops_depth_steps_and_hooks_are_looked_at_where_an_edit_could_change_them() {
    let jump = |to| every(Target::Jump(ChainId(to)));
    let chains: Vec<Vec<Line<Ipv4>>> = (0..3).map(|_| vec![]).chain((0..MAX_DEPTH as u32 + 1).map(|_| vec![])).collect();
    let mut deep = build::table::<Ipv4>(TableKind::Filter, &chains);
    // From one chain to the next, one more than may wait.
    let mut error = None;
    for (from, to) in [1].into_iter().chain(3..).zip(3..3 + MAX_DEPTH as u32 + 1) {
        match deep.clone().edited(&edit(&deep, from, (0, 0), &[jump(to)]), &Limits::default()) {
            Ok(next) => deep = next,
            Err(EditError::Verify(found)) => error = Some(found.fault),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(error, Some(Fault::TooDeep));
    let back = deep.clone().edited(&edit(&deep, 5, (0, 0), &[jump(3)]), &Limits::default());
    assert!(matches!(back, Err(EditError::Verify(error)) if error.fault == Fault::Loop));

    // A chain to which many ways lead: 300 jumps to one of 300 jumps to one of some rules.
    let jumps = |to| (0..300).map(|_| jump(to)).collect::<Vec<_>>();
    let wide = build::table::<Ipv4>(TableKind::Filter, &[vec![], jumps(3), vec![], jumps(4), vec![every(Target::Drop)]]);
    let more = |count: usize| wide.clone().edited(&edit(&wide, 4, (0, 0), &vec![every(Target::Accept); count]), &Limits::default());
    let room = (program::eval::MAX_STEPS / 90_000) as usize;
    assert!(more(room - 3).is_ok());
    assert!(matches!(more(room + 1), Err(EditError::Verify(error)) if error.fault == Fault::TooManySteps));
    // What was taken out gives room again.
    let full = more(room - 3).unwrap();
    let less = full.clone().edited(&edit(&full, 4, (0, room as u32 - 3), &[]), &Limits::default()).unwrap();
    let again = edit(&less, 4, (0, 0), &vec![every(Target::Accept); room - 3]);
    assert!(less.edited(&again, &Limits::default()).is_ok());

    let nat = build::table::<Ipv4>(TableKind::Nat, &[vec![], vec![], vec![], vec![], vec![every(Target::Return)]]);
    let masquerade = |chain| {
        let mut edit = edit(&nat, chain, (0, 0), &[every(Target::Nat(0))]);
        edit.added.nats = vec![Nat::to(NatKind::Masquerade, None)];
        nat.clone().edited(&edit, &Limits::default())
    };
    assert!(masquerade(3).is_ok_and(|table| table.needs_tracking));
    assert!(matches!(masquerade(0), Err(EditError::Verify(error)) if matches!(error.fault, Fault::TargetHook { .. })));
}

#[test]
fn tracking_is_needed_as_long_as_a_rule_needs_it() {
    let state = on(6, &[Match::State { mask: 2, not: false }], Target::Accept);
    let with = made(&edit(&table(), 1, (5, 0), &[state])).unwrap();
    assert!(with.needs_tracking);
    let without = with.clone().edited(&edit(&with, 1, (5, 1), &[]), &Limits::default()).unwrap();
    assert!(!without.needs_tracking, "though its test is still there");
    assert_eq!(verify::table(&without, &Limits::default()), Ok(()));
}
