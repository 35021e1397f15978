//! The table `expect`: connections that others have announced.
use std::fmt::{self, Display, Formatter, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use proto::expectation::{Expectation, Master};
use proto::flow::Kind;
use proto::private::{Family, Place};
use proto::public::Reply;

use super::PROGRAM;
use super::filter::Filter;
use super::options::{Command, Invocation};
use super::print::xml::{self, Frame};
use super::print::{self, Output};
use super::serve::{Client, Failure, failed, today};
use crate::dataplane::Link;

/// Carries a command out. Without `-f` the reference shows and counts those of IPv4 alone; it forgets those of both families.
pub(super) fn run(link: &mut Link, invocation: &Invocation, client: &mut dyn Client) -> Result<Reply, Failure> {
    let family = invocation.filter.family.unwrap_or(Family::Ipv4);
    match invocation.command {
        Command::Flush => {
            link.flush_expectations()?;
            Ok(Reply::done(0, String::new(), format!("{PROGRAM}: expectation table has been emptied.\n")))
        }
        Command::Get | Command::Delete => named(link, invocation, family, client),
        command => {
            let mut count = 0;
            let is_listing = command == Command::List;
            let mut frame = Frame::of(invocation);
            each_page(link, family, |_, expectations| {
                count += expectations.len();
                if is_listing { show(&expectations, invocation, &mut frame, client).map(|()| false) } else { Ok(false) }
            })?;
            Ok(match command {
                Command::Count => Reply::done(0, format!("{count}\n"), String::new()),
                _ => Reply::done(0, frame.after(), format!("{PROGRAM}: {count} expectations have been shown.\n")),
            })
        }
    }
}

/// The one expectation that a connection of this tuple would fulfil, shown or forgotten.
fn named(link: &mut Link, invocation: &Invocation, family: Family, client: &mut dyn Client) -> Result<Reply, Failure> {
    // The kernel reads no tuple of ICMPv6 that says no type, and none can be said here.
    if invocation.filter.protocol == Some(ICMPV6) {
        return Ok(failed("invalid parameters"));
    }
    let mut found = false;
    each_page(link, family, |link, expectations| {
        let Some(one) = expectations.into_iter().find(|one| invocation.filter.expects(one)) else { return Ok(false) };
        if invocation.command == Command::Get {
            show(&[one], invocation, &mut Frame::of(invocation), client)?;
            found = true;
        } else {
            found = link.end_expectation(family, one.name)?.is_some();
        }
        Ok(true)
    })?;
    Ok(match invocation.command {
        _ if !found => failed("No such file or directory"),
        Command::Get => Reply::done(0, String::new(), String::new()),
        // The reference says so of what it has just deleted.
        _ => Reply::done(1, String::new(), format!("{PROGRAM}: 0 expectations have been shown.\n")),
    })
}

const ICMPV6: u8 = 58;

/// Goes through all of a family, until `look` has seen enough.
fn each_page(
    link: &mut Link,
    family: Family,
    mut look: impl FnMut(&mut Link, Vec<Expectation>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut place = Some(Place::first(family));
    while let Some(from) = place {
        let (expectations, next) = link.expectations(from)?;
        place = next;
        if look(link, expectations)? {
            break;
        }
    }
    Ok(())
}

fn show(expectations: &[Expectation], invocation: &Invocation, frame: &mut Frame, client: &mut dyn Client) -> Result<(), Failure> {
    if expectations.is_empty() {
        return Ok(());
    }
    let mut text = frame.before();
    for expectation in expectations {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", Line { expectation, event: None, output: invocation.output, now: today() });
    }
    client.tell(Reply::part(text, String::new()))?;
    Ok(())
}

impl Filter {
    /// Would a connection of this tuple fulfil it? The reference asks for zone 0 alone.
    fn expects(&self, expectation: &Expectation) -> bool {
        let Expectation { protocol, src, sport, dst, dport, zone, .. } = expectation;
        *zone == 0
            && self.protocol == Some(*protocol)
            && self.orig_dst == Some(*dst)
            && self.ports.orig_dst == Some(*dport)
            && src.is_none_or(|src| self.orig_src == Some(src))
            && sport.is_none_or(|sport| self.ports.orig_src == Some(sport))
    }
}

/// An expectation to print, without the end of the line.
pub(super) struct Line<'a> {
    pub(super) expectation: &'a Expectation,
    /// Of an event, what it was.
    pub(super) event: Option<Kind>,
    pub(super) output: Output,
    /// The time of day.
    pub(super) now: Duration,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Line { expectation, event, output, now } = *self;
        let Expectation { protocol, timeout, src, sport, dst, dport, master, class, helper, permanent, inactive, .. } = expectation;
        let Master { src: master_src, dst: master_dst, sport: master_sport, dport: master_dport } = master;
        let (none, all): (IpAddr, IpAddr) = match dst {
            IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into()),
            IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::from_bits(u128::MAX).into()),
        };
        let (src, mask_src) = src.map_or((none, none), |src| (src, all));
        if output.xml {
            return xml::expectation(f, (event, expectation), [mask_src, all], src, output.timestamp.then_some(now));
        }
        if output.timestamp {
            // The reference pads these with blanks, and those of connections with zeros.
            write!(f, "[{}.{:<6}]\t", now.as_secs(), now.subsec_micros())?;
        }
        if let Some(kind) = event {
            print::kind(f, kind)?;
        }
        write!(f, "{timeout} proto={protocol} src={src} dst={dst} ")?;
        write!(f, "sport={} dport={dport} ", sport.unwrap_or(0))?;
        write!(f, "mask-src={mask_src} mask-dst={all} ")?;
        write!(f, "sport={} dport={} ", if sport.is_some() { u16::MAX } else { 0 }, u16::MAX)?;
        write!(f, "master-src={master_src} master-dst={master_dst} sport={master_sport} dport={master_dport} ")?;
        f.write_str(match (permanent, inactive) {
            (true, true) => "PERMANENT,INACTIVE ",
            (true, false) => "PERMANENT ",
            (false, true) => "INACTIVE ",
            (false, false) => "",
        })?;
        write!(f, "class={class} helper={helper}")
    }
}
