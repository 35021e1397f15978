//! Multicast groups that programs of the box have joined on the TAPs (OSPF, VRRP): packets to them are local delivery.
//!
//! Netlink lists memberships on new kernels only, so this reads what every kernel has: `/proc/net/igmp` and `/proc/net/igmp6`.

use std::fs;
use std::path::Path;

use program::InterfaceId;

use crate::host::PortIdentity;

/// The files, in the network namespace of the reading thread.
const IGMP: &str = "/proc/thread-self/net/igmp";
const IGMP6: &str = "/proc/thread-self/net/igmp6";

/// Groups of both families as the walk wants them, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// IPv4.
    pub ipv4: Vec<(InterfaceId, u32)>,
    /// IPv6.
    pub ipv6: Vec<(InterfaceId, u128)>,
}

/// The memberships now. Without a file (no procfs, no IPv6) there are none of its family.
pub fn joined(ports: &[PortIdentity]) -> Groups {
    let text = |path: &str| fs::read_to_string(Path::new(path)).unwrap_or_default();
    Groups { ipv4: parse(&text(IGMP), ports), ipv6: parse_ipv6(&text(IGMP6), ports) }
}

/// A line per interface (`2<TAB>eth0      :     1      V3`), then one per group, indented: the address in hexadecimal, in network order as
/// this machine's integers print it.
fn parse(text: &str, ports: &[PortIdentity]) -> Vec<(InterfaceId, u32)> {
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

/// A line per group: the number and the name of the interface, the address in hexadecimal, and what is not needed here.
fn parse_ipv6(text: &str, ports: &[PortIdentity]) -> Vec<(InterfaceId, u128)> {
    let group = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (name, address) = (words.next()?, words.next()?);
        let port = ports.iter().find(|port| port.tap == name)?;
        Some((port.id, u128::from_str_radix(address, 16).ok()?))
    };
    let mut groups: Vec<_> = text.lines().filter_map(group).collect();
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
    fn groups_of_ipv6_are_found_by_the_name_of_the_tap() {
        let port = PortIdentity { id: InterfaceId(2), name: "eth1".into(), mac: [2; 6], mtu: 1500, tap: "tap1".into() };
        let text = "1    lo              ff020000000000000000000000000001     1 0000000C 0\n\
                    7    tap1            ff0200000000000000000001ff000001     1 00000004 0\n\
                    7    tap1            ff020000000000000000000000000001     1 0000000C 0\n\
                    7    tap1\n7 tap1 xx\n";
        let wanted =
            ["ff02::1", "ff02::1:ff00:1"].map(|group| (InterfaceId(2), group.parse::<std::net::Ipv6Addr>().unwrap().to_bits()));
        assert_eq!(parse_ipv6(text, &[port]), wanted);
    }

    #[test]
    fn nonsense_is_no_group() {
        assert_eq!(parse("", &[]), []);
        assert_eq!(parse("head\n\t\t\tE0000001\n2\n\t\tzz\n", &[]), []);
    }

    #[test]
    fn this_machines_list_is_readable() {
        assert_eq!(joined(&[]), Groups::default(), "no port, no group");
    }
}
