//! `NOTRACK`, `CT` (`xt_CT.c`): what is laid down before tracking. The first such rule holds.

use program::{CtAction, TimeoutId};

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

fn is_open(connection: &Connection) -> bool {
    connection.flow.is_none() && connection.template.is_none() && connection.info == CtInfo::Invalid
}
