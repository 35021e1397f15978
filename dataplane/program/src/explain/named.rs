//! Tests of what has a name, in words.

use core::fmt::{Result, Write};

use super::rule::not;
use crate::named::{HashlimitRate, HashlimitTest, NamedTest, RecentAction, RecentTest};

pub(super) fn write(test: &NamedTest, out: &mut String) -> Result {
    match test {
        NamedTest::Hashlimit(test) => hashlimit(test, out),
        NamedTest::Recent(test) => recent(test, out),
    }
}

fn recent(test: &RecentTest, out: &mut String) -> Result {
    let action = match test.action {
        RecentAction::Set => "note",
        RecentAction::Check => "find",
        RecentAction::Update => "find and note",
        RecentAction::Remove => "find and forget",
    };
    let side = if test.destination { "dst" } else { "src" };
    write!(out, "{}{action} {side} among the recent {:?} under {:#034x}", not(test.not), test.list, test.mask)?;
    if test.hits > 0 {
        write!(out, ", {} times", test.hits)?;
    }
    if test.seconds > 0 {
        write!(out, ", within {} s", test.seconds)?;
    }
    out.push_str(if test.ttl { ", of the same ttl" } else { "" });
    out.push_str(if test.reap { ", and forget the oldest" } else { "" });
    Ok(())
}

fn hashlimit(test: &HashlimitTest, out: &mut String) -> Result {
    write!(out, "{} ", if test.above { "above" } else { "up to" })?;
    match test.rate {
        HashlimitRate::Packets { cost, cap } => {
            let [cost, cap] = [cost, cap].map(|time| time / HashlimitRate::PARTS);
            write!(out, "a packet in {cost} ns, {cap} ns saved")?;
        }
        HashlimitRate::Bytes { cost, refills } => write!(out, "bytes at {cost} for each 16, {refills} refills")?,
        HashlimitRate::Measured { rate, burst, interval, bytes } => {
            let what = if bytes { "bytes" } else { "packets" };
            write!(out, "{rate} {what} a second, measured in {interval} s, at most {burst}")?;
        }
    }
    write!(out, " in the buckets {:?}", test.table)?;
    for (name, mask) in [("src", test.group.src), ("dst", test.group.dst)] {
        if mask != 0 {
            write!(out, " by {name} under {mask:#034x}")?;
        }
    }
    out.push_str(if test.group.sport { " by sport" } else { "" });
    out.push_str(if test.group.dport { " by dport" } else { "" });
    write!(out, " (at most {}, old after {} ms)", test.buckets(), test.expire)
}
