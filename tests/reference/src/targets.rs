//! What targets do to the packet and its connection.

use packet::{Family, Fragment, L4};
use rules::targets::{ConnmarkAction, Connsecmark, Target, Ttl, Zone, ZoneDirection, ZoneId};

use crate::facts::{Connection, Facts, Tracking};
use crate::hmark::{self, Fields};
use crate::sets::Sets;
use crate::walk::Done;

/// How a table goes on behind a target that acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// With the next rule.
    Continue,
    /// Not at all: the table accepts.
    Accept,
    /// Not at all: the packet is dropped.
    Drop,
}

/// Does what the target says. Jumps, returns and plain verdicts are not for here: they change nothing and continue.
pub(crate) fn act<F: Family>(target: &Target, facts: &mut Facts<F>, sets: &mut Sets, done: &mut Vec<Done>) -> Then {
    let known = match &mut facts.tracking {
        Tracking::Known(connection) => Some(connection),
        _ => None,
    };
    match target {
        Target::None | Target::Accept | Target::Drop | Target::Return | Target::Jump(_) | Target::Goto(_) => {}
        Target::Connmark(action) => {
            if let Some(connection) = known {
                connmark(action, &mut facts.mark, connection);
            }
        }
        Target::Connsecmark(Connsecmark::Save) => {
            if let Some(connection) = known.filter(|connection| connection.label.is_empty()) {
                connection.label.clone_from(&facts.label);
            }
        }
        Target::Connsecmark(Connsecmark::Restore) => {
            if let Some(connection) = known.filter(|_| facts.label.is_empty()) {
                facts.label.clone_from(&connection.label);
            }
        }
        // The first rule that says how to track holds.
        Target::Ct(ct) if facts.tracking == Tracking::Invalid => {
            let zone = ct.zone.unwrap_or(Zone { id: ZoneId::Number(0), direction: ZoneDirection::Both });
            facts.tracking = if ct.notrack {
                Tracking::Untracked
            } else {
                Tracking::Prepared { zone, helper: ct.helper.as_deref().unwrap_or_default().to_owned() }
            };
        }
        Target::Notrack if facts.tracking == Tracking::Invalid => facts.tracking = Tracking::Untracked,
        Target::Ct(_) | Target::Notrack => {}
        Target::Snat(_) | Target::Dnat(_) | Target::Masquerade(_) | Target::Redirect(_) | Target::Netmap(_) => {
            done.push(Done::Translated(target.clone()));
            return Then::Accept;
        }
        // What it has told, and whither copies go, is not compared here.
        Target::Tee(_) | Target::Trace => {}
        Target::Log(log) => done.push(Done::Logged((**log).clone())),
        Target::Set(set) => {
            if let Some(into) = &set.add {
                crate::sets::add(sets, &into.name, &into.is_source, set.exist, facts);
            }
            if let Some(from) = &set.del {
                crate::sets::remove(sets, &from.name, &from.is_source, facts);
            }
        }
        Target::Mark(set) => facts.mark = facts.mark & !set.mask ^ set.value,
        Target::Reject(reject) => {
            done.push(Done::Rejected(reject.with));
            return Then::Drop;
        }
        Target::Secmark(secmark) => facts.label = secmark.context.to_string(),
        // Whether it takes the packet hangs on flags and checksum, and is for the caller to see.
        Target::Synproxy(proxy) => done.push(Done::Proxied(*proxy)),
        Target::Dscp(dscp) => facts.header.tos = facts.header.tos & 3 | dscp.value << 2,
        Target::Ecn(ecn) => {
            if let Some(ect) = ecn.ect {
                facts.header.tos = facts.header.tos & !3 | ect;
            }
            if ecn.ece.is_some() || ecn.cwr.is_some() {
                // Of a later fragment its data is taken for the header.
                if facts.header.l4_len() < 20 {
                    return Then::Drop;
                }
                done.push(Done::Congestion(ecn.ece, ecn.cwr));
            }
        }
        Target::Tcpmss(_) | Target::Tcpoptstrip(_) if matches!(facts.header.fragment, Fragment::Later(_)) => {}
        Target::Tcpmss(_) | Target::Tcpoptstrip(_) if !has_whole_options(facts) => return Then::Drop,
        Target::Tcpmss(mss) => done.push(Done::Mss(*mss)),
        Target::Tcpoptstrip(strip) => done.push(Done::Stripped(strip.kinds.to_vec())),
        Target::Tos(tos) => facts.header.tos = facts.header.tos & !tos.mask ^ tos.value,
        Target::Hmark(test) => {
            let made = match &facts.tracking {
                _ if !test.ct => Fields::of_packet(&facts.bytes, &facts.header),
                Tracking::Known(connection) => Some(Fields::of_connection(&connection.there, &connection.back)),
                _ => None,
            };
            if let Some(fields) = made {
                facts.mark = hmark::mark(&hmark::Spec::from(&**test), &fields);
            }
        }
        // Of IPv6 alone, of which no case is; and those that are not enforced: the compiler refuses every table that has one.
        Target::Audit(_)
        | Target::Checksum
        | Target::Classify(_)
        | Target::Clusterip(_)
        | Target::Dnpt(_)
        | Target::Idletimer(_)
        | Target::Led(_)
        | Target::Nflog(_)
        | Target::Nfqueue(_)
        | Target::Queue
        | Target::Rateest(_)
        | Target::Snpt(_)
        | Target::Tproxy(_)
        | Target::Ulog(_) => unreachable!("{target:?} is in a case"),
        Target::Ttl(Ttl::Set(ttl)) | Target::Hl(Ttl::Set(ttl)) => facts.header.ttl = *ttl,
        Target::Ttl(Ttl::Increase(by)) | Target::Hl(Ttl::Increase(by)) => facts.header.ttl = facts.header.ttl.saturating_add(*by),
        Target::Ttl(Ttl::Decrease(by)) | Target::Hl(Ttl::Decrease(by)) => facts.header.ttl = facts.header.ttl.saturating_sub(*by),
    }
    Then::Continue
}

fn has_whole_options<F: Family>(facts: &Facts<F>) -> bool {
    match facts.header.transport {
        L4::Tcp { header_len, .. } => header_len >= 20 && u32::from(header_len) <= facts.header.l4_len(),
        _ => false,
    }
}

fn connmark<F: Family>(action: &ConnmarkAction, mark: &mut u32, connection: &mut Connection<F>) {
    match *action {
        ConnmarkAction::Set { value, mask, shift } => connection.mark = shifted(connection.mark & !mask ^ value, shift.0),
        ConnmarkAction::Save { nf_mask, ct_mask, shift } => {
            connection.mark = connection.mark & !ct_mask ^ shifted(*mark & nf_mask, shift.0);
        }
        ConnmarkAction::Restore { nf_mask, ct_mask, shift } => {
            *mark = *mark & !nf_mask ^ shifted(connection.mark & ct_mask, shift.0);
        }
    }
}

/// Bits that come out at either end are lost.
fn shifted(mark: u32, bits: i8) -> u32 {
    let by = 2u64.pow(u32::from(bits.unsigned_abs()));
    if bits < 0 { (u64::from(mark) / by) as u32 } else { (u64::from(mark) * by) as u32 }
}
