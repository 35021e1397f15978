//! Multicast groups that programs of the box have joined on the TAPs (OSPF, VRRP): packets to them are local delivery.
//!
//! Netlink lists IPv4 memberships on new kernels only, so this reads what every kernel has: `/proc/net/igmp`.

use std::fs;
use std::path::Path;

use program::InterfaceId;

use crate::host::PortIdentity;

/// The file, in the network namespace of the reading thread.
const IGMP: &str = "/proc/thread-self/net/igmp";

/// A group as the walk wants it.
pub type Group = (InterfaceId, u32);

/// The memberships now, in a fixed order. Without the file (no procfs) there are none.
pub fn joined(ports: &[PortIdentity]) -> Vec<Group> {
    fs::read_to_string(Path::new(IGMP)).map_or_else(|_| Vec::new(), |text| parse(&text, ports))
}

/// A line per interface (`2<TAB>eth0      :     1      V3`), then one per group, indented: the address in hexadecimal, in network order as
/// this machine's integers print it.
fn parse(text: &str, ports: &[PortIdentity]) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut port = None;
    for line in text.lines().skip(1) {
        let mut words = line.split_whitespace();
        if line.starts_with(|c: char| c.is_whitespace()) {
            let address = words.next().and_then(|word| u32::from_str_radix(word, 16).ok()).map(u32::from_be);
            groups.extend(port.zip(address));
        } else {
            let name = words.nth(1).unwrap_or_default().trim_end_matches(':');
            port = ports.iter().find(|port| port.tap == name).map(|port| port.id);
        }
    }
    groups.sort_unstable();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memberships_are_found_by_the_name_of_the_tap() {
        let port = |id, name: &str, tap: &str| PortIdentity {
            id: InterfaceId(id),
            name: name.into(),
            mac: [2; 6],
            mtu: 1500,
            tap: tap.into(),
        };
        let ports = [port(1, "eth0", "tap0"), port(2, "eth1", "a-long-tap-name")];
        let number = |address: u32| format!("{:08X}", address.to_be());
        let text = format!(
            "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n\
             1\tlo        :     1      V3\n\t\t\t\t{all}     1 0:00000000\t\t0\n\
             3\ttap0      :     2      V3\n\t\t\t\t{ospf}     1 0:00000000\t\t0\n\t\t\t\t{all}     1 0:00000000\t\t0\n\
             4\ta-long-tap-name:     1      V3\n\t\t\t\t{all}     1 0:00000000\t\t0\n",
            all = number(0xe000_0001),
            ospf = number(0xe000_0005),
        );
        let expected = [(InterfaceId(1), 0xe000_0001), (InterfaceId(1), 0xe000_0005), (InterfaceId(2), 0xe000_0001)];
        assert_eq!(parse(&text, &ports), expected);
    }

    #[test]
    fn nonsense_is_no_group() {
        assert_eq!(parse("", &[]), []);
        assert_eq!(parse("head\n\t\t\tE0000001\n2\n\t\tzz\n", &[]), []);
    }

    #[test]
    fn this_machines_list_is_readable() {
        assert_eq!(joined(&[]), [], "no port, no group");
    }
}
