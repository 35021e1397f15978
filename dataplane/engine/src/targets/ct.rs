//! `NOTRACK`, `CT` (`xt_CT.c`): what is laid down before tracking. The first such rule holds.

use program::CtAction;

use crate::burst::Connection;
use crate::conntrack::CtInfo;

/// `NOTRACK`, `CT --notrack`: the packet is UNTRACKED and stays so.
pub(crate) fn notrack(connection: &mut Connection) {
    if is_open(connection) {
        connection.info = CtInfo::Untracked;
    }
}

/// `CT --zone*`
pub(crate) fn lay_down(connection: &mut Connection, action: CtAction) {
    if is_open(connection) {
        connection.template = Some(action);
    }
}

fn is_open(connection: &Connection) -> bool {
    connection.flow.is_none() && connection.template.is_none() && connection.info == CtInfo::Invalid
}
