//! What a packet's bytes are asked, in words.

use core::fmt::{Result, Write};

use super::rule::not;
use crate::content::{ContentTest, WordStep, WordsPart};

pub(super) fn write(test: &ContentTest, out: &mut String) -> Result {
    match test {
        ContentTest::String(test) => {
            let (pattern, (from, to), ignore_case, inverted) = test.parts();
            let case = if ignore_case { " in either case" } else { "" };
            write!(out, "{}bytes \"{}\"{case} in {from}..{to}", not(inverted), pattern.escape_ascii())
        }
        ContentTest::Words(test) => {
            write!(out, "{}words ", not(test.not))?;
            test.parts.iter().enumerate().try_for_each(|(at, test)| part(at, test, out))
        }
    }
}

fn part(at: usize, part: &WordsPart, out: &mut String) -> Result {
    write!(out, "{}{}", if at == 0 { "" } else { " and " }, part.start)?;
    for (step, number) in &part.steps {
        match step {
            WordStep::And => write!(out, " & {number:#x}"),
            WordStep::Left => write!(out, " << {number}"),
            WordStep::Right => write!(out, " >> {number}"),
            WordStep::At => write!(out, " @ {number}"),
        }?;
    }
    for (at, (first, last)) in part.values.iter().enumerate() {
        write!(out, "{}{first:#x}..={last:#x}", if at == 0 { " in " } else { ", " })?;
    }
    Ok(())
}
