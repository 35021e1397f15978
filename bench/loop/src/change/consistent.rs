//! Whatever the moment at which rules change: each packet meets the old ones or the new ones in all tables, and each is counted.
//!
//! Two rule sets take turns as fast as they can be made. The one marks the packets of some clients in one table and lets what has its mark pass in another;
//! the other one does so with everybody else and with another mark. A packet that met the one table of the one and the other table of the other would
//! be dropped whoever sent it: so of each burst exactly the packets of the ones or those of the others must come out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use engine::Time;
use engine::snapshot::Settings;
use micro::classes::Chance;
use micro::load;
use rules::TableName;
use scene::run_on;
use scene::scenario::POSITIONS;
use scene::traffic::{FLOWS_OF_A_CLIENT, Fields, Stamp, client, sender};

use super::control;
use crate::rig::Rig;
use crate::site;

const FLOWS: u32 = 512;
const BURST: usize = 64;
const CLIENTS: u32 = FLOWS / FLOWS_OF_A_CLIENT;

/// The rules by which clients are let through: those in the lower half, or the others.
fn text(lower: bool) -> String {
    let network = std::net::Ipv4Addr::from(client(0));
    let prefix = 32 - (CLIENTS / 2).trailing_zeros();
    let (which, mark) = if lower { ("", 1) } else { ("! ", 2) };
    format!(
        "*mangle\n-A FORWARD {which}-s {network}/{prefix} -j MARK --set-xmark 0x{mark}/0xffffffff\nCOMMIT\n\
         *filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED -m mark --mark 0x{mark} -j ACCEPT\nCOMMIT\n"
    )
}

/// Whose packet it is that came out.
fn is_lower(frame: &[u8]) -> bool {
    sender(frame) < client(FLOWS / 2)
}

/// Sends so many bursts while rules change.
pub(crate) fn check([cpu, own]: [usize; 2], rounds: usize) -> Result<()> {
    let open = "*filter\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n";
    // A burst's packets are judged by the same rules where nothing lingers: what does has been judged before.
    let mut rig = Rig::lingering(own, site::snapshot(load::program(open), Settings::default()), 2 * FLOWS, Duration::ZERO)?;
    let (stamp, mut chance, mut now) = (Stamp::new(true), Chance(1), Time(1_000_000_000_000));
    rig.lane.connect(&stamp, &(0..FLOWS).collect::<Vec<_>>(), &mut now)?;

    let texts = [text(true), text(false)];
    let sets = [load::rule_set_from(&texts[0], 0), load::rule_set_from(&texts[1], control::SLOTS)];
    let slot = |which: usize, table, place| control::slot(&sets[which], table, place);
    let (done, mut sent, mut passed, mut turns) = (AtomicBool::new(false), 0u64, 0u64, 0u32);
    let mut was_lower = None;
    let Rig { lane, publisher, .. } = &mut rig;
    control::restore(publisher, &texts[0], false, &AtomicBool::new(true));
    thread::scope(|scope| -> Result<()> {
        let changer = scope.spawn(|| -> Result<()> {
            run_on(cpu)?;
            let mut other = true;
            while !done.load(Ordering::Acquire) {
                control::restore(publisher, &texts[usize::from(other)], other, &done);
                other = !other;
            }
            Ok(())
        });
        let mut send = || -> Result<()> {
            for _ in 0..rounds {
                let mut lower = 0;
                let next = || {
                    let flow = chance.below(FLOWS);
                    lower += usize::from(flow < FLOWS / 2);
                    Fields::data(flow, chance.below(POSITIONS))
                };
                lane.inside.send(&stamp, BURST, next)?;
                now = Time(now.0 + 1_000_000);
                lane.round(now);
                let mut out = [0, 0];
                lane.outside.take_each(|frame| out[usize::from(is_lower(frame))] += 1);
                let by = [[0, lower], [BURST - lower, 0]];
                let judged = by.iter().position(|wanted| *wanted == out);
                ensure!(judged.is_some(), "of {lower} packets of the one kind and {} of the other {out:?} came out", BURST - lower);
                turns += u32::from(was_lower.is_some() && was_lower != judged);
                was_lower = judged;
                sent += BURST as u64;
                passed += (out[0] + out[1]) as u64;
            }
            Ok(())
        };
        let sending = send();
        done.store(true, Ordering::Release);
        changer.join().map_err(|_| anyhow!("the control thread panicked"))??;
        sending
    })?;
    let counters = lane.worker.worker.counters();
    let packets = |table, place| -> u64 { (0..2).map(|which| counters.get(slot(which, table, place)).packets).sum() };
    let (marked, accepted) = (packets(TableName::Mangle, Some(0)), packets(TableName::Filter, Some(0)));
    let dropped = packets(TableName::Filter, None);
    ensure!((marked, accepted) == (passed, passed), "{passed} passed, {marked} were counted as marked, {accepted} as accepted");
    ensure!(accepted + dropped == sent, "{sent} were sent, {accepted} counted as accepted and {dropped} as dropped");
    println!("{sent} packets, rules changed between bursts {turns} times");
    Ok(())
}
