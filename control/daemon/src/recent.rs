//! The lists of `-m recent`, for people and scripts: what `/proc/net/xt_recent` is where the kernel enforces the rules. They are the dataplane's.
use std::fmt::Write as _;
use std::net::IpAddr;

use proto::private::{RecentChange, RecentEntry};
use proto::public::{EXIT_UNAVAILABLE, Reply};

use crate::dataplane::LinkError;
use crate::request::Caller;
use crate::state::State;

/// Shows a list, changes it, or names all there are.
pub(crate) fn serve(state: &State, caller: Caller, list: Option<&str>, change: Option<&str>) -> Reply {
    let refuse = |exit, why: String| Reply::done(exit, String::new(), format!("rampart recent: {why}\n"));
    let wanted = match change.map(read).transpose() {
        Ok(wanted) => wanted,
        Err(why) => return refuse(2, why),
    };
    if wanted.is_some() && !caller.may_change {
        return refuse(EXIT_UNAVAILABLE, "only root and the user of rampartd may change lists".to_owned());
    }
    let mut core = state.lock_settled();
    let core = &mut *core;
    let Some(link) = &mut core.link else {
        let why = format!("there are no lists: nothing is enforced ({})", core.reason().unwrap_or_default());
        return refuse(EXIT_UNAVAILABLE, why);
    };
    let answer = match list {
        None => link.recent_lists().map(|names| names.iter().map(|name| format!("{name}\n")).collect()),
        Some(list) => link.recent(list, wanted).map(|entries| if wanted.is_some() { String::new() } else { shown(&entries) }),
    };
    match answer {
        Ok(text) => Reply::done(0, text, String::new()),
        Err(LinkError::Refused(why)) => refuse(1, why),
        Err(error) => {
            core.lose(&format!("connection to the dataplane lost: {error}"));
            refuse(EXIT_UNAVAILABLE, error.to_string())
        }
    }
}

/// What is written into the kernel's file of a list.
fn read(text: &str) -> Result<RecentChange, String> {
    let address = |word: &str| word.parse::<IpAddr>().map_err(|_| format!("{word:?} is no address of IPv4 or IPv6"));
    match text.chars().next() {
        Some('+') => address(&text[1..]).map(RecentChange::Note),
        Some('-') => address(&text[1..]).map(RecentChange::Forget),
        Some('/') if text.len() == 1 => Ok(RecentChange::Clear),
        _ => Err(format!("{text:?} is none of +ADDRESS (note it), -ADDRESS (forget it) and / (forget all)")),
    }
}

/// As the kernel's file of a list reads: IPv6 with all its digits, and times by their places.
fn shown(entries: &[RecentEntry]) -> String {
    let mut out = String::new();
    for entry in entries {
        let address = match entry.address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => address.segments().map(|part| format!("{part:04x}")).join(":"),
        };
        let last = (entry.last as usize).checked_sub(1).and_then(|at| entry.times.get(at)).copied().unwrap_or(0);
        let times: Vec<String> = entry.times.iter().map(u64::to_string).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "src={address} ttl: {} last_seen: {last} oldest_pkt: {} {}", entry.ttl, entry.last, times.join(", "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_as_the_kernels_file_does() {
        let entry = |address: &str, ttl, last, times: &[u64]| RecentEntry {
            address: address.parse().unwrap(),
            ttl,
            last,
            times: times.to_vec(),
        };
        let entries = [entry("1.2.3.4", 0, 2, &[4308503477, 4308503481]), entry("2001:db8::1", 63, 1, &[9, 7, 8])];
        assert_eq!(
            shown(&entries),
            "src=1.2.3.4 ttl: 0 last_seen: 4308503481 oldest_pkt: 2 4308503477, 4308503481\n\
             src=2001:0db8:0000:0000:0000:0000:0000:0001 ttl: 63 last_seen: 9 oldest_pkt: 1 9, 7, 8\n"
        );
    }

    #[test]
    fn what_is_no_change_is_refused_with_what_is_allowed() {
        assert_eq!(read("+1.2.3.4"), Ok(RecentChange::Note("1.2.3.4".parse().unwrap())));
        assert_eq!(read("-::1"), Ok(RecentChange::Forget("::1".parse().unwrap())));
        assert_eq!(read("/"), Ok(RecentChange::Clear));
        for text in ["", "x", "1.2.3.4", "//", " +1.2.3.4", "ä"] {
            assert!(read(text).unwrap_err().contains("+ADDRESS"), "{text}");
        }
        for text in ["+", "+1.2.3", "+1.2.3.4/24", "-1.2.3.4 5.6.7.8", "+ä"] {
            assert!(read(text).unwrap_err().contains("is no address"), "{text}");
        }
    }
}
