//! Tests of what has a name, in words.

use core::fmt::{Result, Write};

use super::rule::not;
use crate::named::{NamedTest, RecentAction, RecentTest};

pub(super) fn write(test: &NamedTest, out: &mut String) -> Result {
    match test {
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
