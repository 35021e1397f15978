//! A table in words, for people who look for a mistake: theirs or ours.
//!
//! One line a rule: what the header test asks, after `?` what is asked behind it in rule order, after `=>` what is done.
//!
//! ```text
//! filter, IPv4, 2 rules, tracking needed
//! INPUT: policy drop [counter 0]
//!   1 src 192.168.1.0/24, protocol 6, tcp dport 22 => accept [counter 3]
//!   2 any ? state ESTABLISHED,RELATED => accept [counter 4]
//! ```

mod bytes;
mod content;
mod named;
mod path;
mod rule;
mod spread;
mod time;

use std::fmt::{self, Write};

use packet::{Family, FamilyId, Header};

use crate::header_test::Interfaces;
use crate::id::RuleIndex;
use crate::table::{Hook, Table};

pub use path::{MAX_STEPS, Step};

/// The whole table. `labels` is [`crate::Root::labels`].
pub fn table<F: Family>(table: &Table<F>, labels: &[String]) -> String {
    written(|out| {
        let family = match F::ID {
            FamilyId::Ipv4 => "IPv4",
            FamilyId::Ipv6 => "IPv6",
        };
        let tracking = if table.needs_tracking { "tracking needed" } else { "no tracking" };
        writeln!(out, "{}, {family}, {} rules, {tracking}", table.kind.name(), table.rules.len())?;
        for chain in &table.chains {
            match chain.policy {
                Some(policy) => {
                    let word = if policy.accept { "accept" } else { "drop" };
                    writeln!(out, "{}: policy {word} [counter {}]", chain.name, policy.counter.0)?;
                }
                None => writeln!(out, "{}:", chain.name)?,
            }
            for (number, rule) in (1u64..).zip(chain.rules.of(&table.rules)) {
                write!(out, "  {number} ")?;
                rule::write(table, rule, labels, out)?;
                writeln!(out, " [counter {}]", rule.counter.0)?;
            }
        }
        Ok(())
    })
}

/// One rule, without its number and counter.
///
/// # Panics
/// When there is no such rule, or the table was not verified.
pub fn rule<F: Family>(table: &Table<F>, index: RuleIndex, labels: &[String]) -> String {
    written(|out| rule::write(table, &table.rules[index.index()], labels, out))
}

/// The rules that a packet with this header may meet at a hook, in the order in which it would meet them, at most [`MAX_STEPS`].
///
/// Only header fields are known here. A rule that asks for more is listed as possible and followed both ways.
pub fn path<F: Family>(table: &Table<F>, hook: Hook, header: &Header<F>, interfaces: Interfaces<'_>) -> Vec<Step> {
    path::steps(table, hook, header, interfaces)
}

fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out);
    out
}
