//! The table `expect`: connections that others have announced.
use std::fmt::{self, Display, Formatter, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proto::expectation::{Expectation, Master};
use proto::private::{Family, Place};
use proto::public::Reply;

use super::PROGRAM;
use super::options::{Command, Invocation};
use super::serve::{Client, Failure};
use crate::dataplane::Link;

/// Carries a command out. Without `-f` the reference shows and counts those of IPv4 alone; it forgets those of both families.
pub(super) fn run(link: &mut Link, invocation: &Invocation, client: &mut dyn Client) -> Result<Reply, Failure> {
    if invocation.command == Command::Flush {
        link.flush_expectations()?;
        return Ok(Reply::done(0, String::new(), format!("{PROGRAM}: expectation table has been emptied.\n")));
    }
    let mut count = 0;
    let mut place = Some(Place::first(invocation.filter.family.unwrap_or(Family::Ipv4)));
    while let Some(from) = place {
        let (expectations, next) = link.expectations(from)?;
        place = next;
        count += expectations.len() as u64;
        if invocation.command == Command::List && !expectations.is_empty() {
            let mut text = String::new();
            for expectation in &expectations {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{}", Line(expectation));
            }
            client.tell(Reply::part(text, String::new()))?;
        }
    }
    Ok(match invocation.command {
        Command::Count => Reply::done(0, format!("{count}\n"), String::new()),
        _ => Reply::done(0, String::new(), format!("{PROGRAM}: {count} expectations have been shown.\n")),
    })
}

/// An expectation to print, without the end of the line.
pub(super) struct Line<'a>(pub(super) &'a Expectation);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Expectation { protocol, timeout, src, sport, dst, dport, master, class, helper, permanent, inactive } = self.0;
        let Master { src: master_src, dst: master_dst, sport: master_sport, dport: master_dport } = master;
        let (none, all): (IpAddr, IpAddr) = match dst {
            IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into()),
            IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::from_bits(u128::MAX).into()),
        };
        write!(f, "{timeout} proto={protocol} src={} dst={dst} ", src.unwrap_or(none))?;
        write!(f, "sport={} dport={dport} ", sport.unwrap_or(0))?;
        write!(f, "mask-src={} mask-dst={all} ", if src.is_some() { all } else { none })?;
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
