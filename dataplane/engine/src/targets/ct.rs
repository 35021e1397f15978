//! `NOTRACK`, `CT` (`xt_CT.c`): what is laid down before tracking. The first such rule holds.

use program::{CtAction, Directions, TimeoutId};

use crate::burst::Connection;
use crate::conntrack::CtInfo;

/// `NOTRACK`, `CT --notrack`: the packet is UNTRACKED and stays so.
pub(crate) fn notrack(connection: &mut Connection) {
    if is_open(connection) {
        connection.info = CtInfo::Untracked;
    }
}

/// `CT --zone*`, `--helper`, `--timeout`: this dataplane's number of the policy stays with the packet, wherever it goes on.
pub(crate) fn lay_down(connection: &mut Connection, action: CtAction, timeouts: TimeoutId) {
    if is_open(connection) {
        (connection.template, connection.timeouts) = (Some(action), timeouts);
    }
}

/// The same with a zone `mark`.
pub(crate) fn lay_down_marked(connection: &mut Connection, action: CtAction, timeouts: TimeoutId) {
    if is_open(connection) {
        lay_down(connection, action, timeouts);
        connection.zone_of_mark = true;
    }
}

/// A zone `mark`, when the packet is tracked: rules behind that one may have changed the mark. Zone 0 parts nothing, whatever its directions.
pub(crate) fn settle_zone(connection: &mut Connection, mark: u32) {
    if let (true, Some(action)) = (connection.zone_of_mark, &mut connection.template) {
        action.zone = mark as u16;
        if action.zone == 0 {
            action.directions = Directions::Both;
        }
    }
}

fn is_open(connection: &Connection) -> bool {
    connection.flow.is_none() && connection.template.is_none() && connection.info == CtInfo::Invalid
}
