use std::collections::BTreeSet;
use std::path::Path;

use super::*;

const PORTS: &str = r#"
[[dataplane.port]]
name = "eth0"
device = "net_null0"
[[dataplane.port]]
name = "eth1"
device = "net_null1"
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("t.toml"), text).map_err(|e| e.to_string())
}

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let message = parse(text).expect_err("must be refused");
    for word in words {
        assert!(message.contains(word), "{word:?} is missing in: {message}");
    }
}

#[test]
fn the_least_configuration_takes_every_default() {
    let config = parse(PORTS).unwrap();
    assert_eq!(config.instance.run_dir, Path::new("/run/rampart"));
    assert_eq!(config.dataplane.idle, Idle::Sleep);
    assert_eq!(*config.dataplane.idle_sleep_us.get_ref(), 50);
    assert_eq!(config.dataplane.ports[1].get_ref().tap_name(), "eth1");
    assert_eq!(config.cpus(), None);
}

#[test]
fn the_control_daemons_section_is_left_alone() {
    assert!(parse(&format!("[control]\nwhatever = 1\n{PORTS}")).is_ok());
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_what_is_allowed() {
    refused(&format!("[dataplane]\nworker = 1\n{PORTS}"), &["t.toml", "line 2", "unknown field `worker`", "`workers`"]);
    refused("[datapane]\n", &["line 1", "`datapane`", "`dataplane`"]);
    refused(&format!("{PORTS}spare = 1"), &["line 8", "`spare`", "`device`"]);
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_what_is_allowed() {
    refused(&format!("[dataplane]\nidle = \"often\"\n{PORTS}"), &["line 2", "`spin`", "`sleep`"]);
    refused(&format!("[dataplane]\nmbufs = \"many\"\n{PORTS}"), &["line 2", "mbufs"]);
}

#[test]
fn more_than_one_worker_is_refused_with_the_reason() {
    refused(
        &format!("[dataplane]\nworkers = 33\n{PORTS}"),
        &["t.toml:2", "dataplane.workers", "33 is out of range; 1 to 32 is allowed"],
    );
    refused(&format!("[dataplane]\ncpus = [0, 1]\n{PORTS}"), &["dataplane.cpus"]);
}

#[test]
fn an_idle_worker_may_not_sleep_longer_than_fifty_microseconds() {
    refused(&format!("[dataplane]\nidle_sleep_us = 51\n{PORTS}"), &["t.toml:2", "1 to 50"]);
}

#[test]
fn port_names_devices_and_taps_stand_once() {
    let second = |lines: &str| format!("[[dataplane.port]]\nname = \"a\"\ndevice = \"net_null0\"\n[[dataplane.port]]\n{lines}\n");
    refused(&second("name = \"a\"\ndevice = \"net_null1\""), &["t.toml:5", "port[1].name", "port[0]"]);
    refused(&second("name = \"b\"\ndevice = \"net_null0,size=64\""), &["t.toml:6", "port[1].device", "port[0]"]);
    refused(&second("name = \"b\"\ndevice = \"net_null1\"\ntap = \"a\""), &["t.toml:7", "port[1].tap"]);
}

#[test]
fn names_that_the_kernel_would_refuse_are_refused_here() {
    for name in ["", "sixteen-bytes-xx", "a/b", "a b", "..", "tap%d", "lo"] {
        refused(&format!("[[dataplane.port]]\nname = \"{name}\"\ndevice = \"net_null0\""), &["t.toml:2", "port[0].name"]);
    }
}

#[test]
fn a_file_without_ports_is_refused() {
    refused("[dataplane]\n", &["[[dataplane.port]]"]);
}

#[test]
fn routes_neighbours_and_interfaces_name_a_port() {
    refused(&format!("{PORTS}[dataplane.interface.eth9]\n"), &["eth9", "eth0, eth1"]);
    refused(&format!("{PORTS}[[dataplane.route]]\nto = \"10.0.0.0/8\"\ndev = \"x\"\n"), &["t.toml:10", "route[0].dev"]);
    refused(
        &format!("{PORTS}[[dataplane.neighbour]]\naddress = \"10.0.0.1\"\nmac = \"02:00:00\"\ndev = \"eth0\"\n"),
        &["line 10", "Ethernet address"],
    );
}

#[test]
fn buffers_are_as_large_as_the_slots_of_af_packet() {
    let of = |device: &str, keys: &str| {
        let text = format!("[dataplane]\n{keys}\n[[dataplane.port]]\nname = \"a\"\ndevice = \"{device}\"\n");
        parse(&text).unwrap().dataplane.mbuf_size()
    };
    assert_eq!(of("net_af_packet0,iface=w", ""), 2048);
    assert_eq!(of("net_af_packet0,iface=w,framesz=16384,blocksz=65536", ""), 16_384);
    assert_eq!(of("net_af_packet0,iface=w,framesz=1024", ""), 2048);
    assert_eq!(of("net_af_packet0,iface=w,framesz=16384", "mbuf_size = 4096"), 4096);
    assert_eq!(of("net_tap0,iface=w", ""), 2048);
}

#[test]
fn a_log_file_needs_its_path_and_nothing_else_has_one() {
    refused(&format!("[dataplane.log]\ntarget = \"file\"\n{PORTS}"), &["dataplane.log.path"]);
    refused(&format!("[dataplane.log]\npath = \"/tmp/x\"\n{PORTS}"), &["dataplane.log.path"]);
}

#[test]
fn ethernet_addresses_are_read_in_their_usual_form_only() {
    assert_eq!(parse_mac("02:00:00:00:0a:FF"), Some([2, 0, 0, 0, 10, 255]));
    for bad in ["", "02:00:00:00:00", "02:00:00:00:00:00:00", "02:00:00:00:00:+1", "02-00-00-00-00-01", "002:0:0:0:0:0"] {
        assert_eq!(parse_mac(bad), None, "{bad:?}");
    }
}

/// The keys that serde knows for a section: it names them when it meets one that it does not know.
fn keys(section: &str) -> BTreeSet<String> {
    let text = format!("{section}\n\"?\" = 0\n");
    let message = toml::from_str::<Config>(&text).expect_err("no section has a key named ?").message().to_owned();
    let (_, expected) = message.split_once("expected").unwrap_or_else(|| panic!("{section}: {message}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The keys that the page lists in the table under a heading: first column, in backquotes.
fn documented(page: &str, heading: &str) -> BTreeSet<String> {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading {heading:?}"));
    let section = section.split_once("\n## ").map_or(section, |(this, _)| this);
    let rows = section.lines().filter_map(|l| l.strip_prefix("| `"));
    rows.filter_map(|l| l.split_once('`')).map(|(key, _)| key.to_owned()).collect()
}

#[test]
fn a_timeout_policy_names_a_protocol_and_its_states() {
    let policy = |keys: &str| format!("{PORTS}[dataplane.conntrack.timeout.slow]\n{keys}\n");
    assert!(parse(&policy("protocol = \"tcp\"\nestablished = 100\nsyn_sent2 = 0")).is_ok());
    assert!(parse(&policy("protocol = \"icmpv6\"\nfamily = \"inet6\"\ntimeout = 1")).is_ok());
    let line = 1 + PORTS.lines().count();
    let at = format!(":{line}: dataplane.conntrack.timeout.slow");
    refused(
        &policy("protocol = \"dccp\"\nopen = 1"),
        &["timeout.slow.protocol", "tcp, udp, udplite, sctp, icmp, icmpv6, gre, generic"],
    );
    refused(&policy("protocol = \"udp\"\nestablished = 1"), &[&at, "slow.established", "unreplied, replied"]);
    refused(&policy("protocol = \"icmpv6\"\ntimeout = 1"), &["icmpv6 of inet6 alone"]);
    refused(&policy("protocol = \"udp\""), &[&at, "sets no time"]);
    refused(&policy("protocol = \"udp\"\nreplied = 4000000000"), &["slow.replied", "out of range"]);
    refused(&policy("protocol = \"udp\"\nreplied = -1"), &["-1", "slow"]);
    refused(&policy("established = 1"), &["protocol"]);
    refused(&policy("family = \"inet5\"\nprotocol = \"udp\"\nreplied = 1"), &["inet"]);
    refused(&policy("protocol = \"udp\"\nreplied = 1").replace("slow", &"n".repeat(32)), &["1 to 31 bytes"]);
    let many: String = (0..256).map(|n| format!("[dataplane.conntrack.timeout.n{n}]\nprotocol = \"udp\"\nreplied = 1\n")).collect();
    refused(&format!("{PORTS}{many}"), &["at most 255"]);
}

#[test]
fn the_page_in_docs_lists_every_state_of_a_timeout_policy() {
    use engine::conntrack::policy::Tracker;
    let page = include_str!("../../../../docs/config.md");
    let (_, section) = page.split_once("\n## `[dataplane.conntrack.timeout.NAME]`\n").expect("a heading of its own");
    for tracker in Tracker::ALL {
        let states: Vec<String> = tracker.states().iter().map(|(state, _)| format!("`{state}`")).collect();
        let row = format!("| `{}` | {} |", tracker.name(), states.join(" "));
        assert!(section.contains(&row), "{row}");
    }
}

#[test]
fn the_page_in_docs_lists_exactly_the_keys_of_every_section() {
    let page = include_str!("../../../../docs/config.md");
    let nested = ["log", "port", "limits", "conntrack", "interface", "address", "route", "neighbour"];
    for (section, heading) in [
        ("[instance]", "`[instance]`"),
        ("[dataplane]", "`[dataplane]`"),
        ("[dataplane.log]", "`[dataplane.log]`"),
        ("[[dataplane.port]]", "`[[dataplane.port]]`"),
        ("[dataplane.limits]", "`[dataplane.limits]`"),
        ("[dataplane.conntrack]", "`[dataplane.conntrack]`"),
        ("[dataplane.interface.eth0]", "`[dataplane.interface.NAME]`"),
        ("[[dataplane.address]]", "`[[dataplane.address]]`"),
        ("[[dataplane.route]]", "`[[dataplane.route]]`"),
        ("[[dataplane.neighbour]]", "`[[dataplane.neighbour]]`"),
    ] {
        let mut known = keys(section);
        if section == "[dataplane]" {
            for section in nested {
                assert!(known.remove(section), "[dataplane.{section}] has a heading of its own");
            }
        }
        if section == "[dataplane.conntrack]" {
            assert!(known.remove("timeout"), "[dataplane.conntrack.timeout.NAME] has a heading of its own");
        }
        assert_eq!(documented(page, heading), known, "{heading}");
    }
}

#[test]
fn the_shipped_configurations_are_accepted() {
    for (name, text) in [
        ("demo.toml", include_str!("../../../../configs/demo.toml")),
        ("lab.toml", include_str!("../../../../configs/lab.toml")),
        ("appliance.toml", include_str!("../../../../configs/appliance.toml")),
    ] {
        if let Err(e) = Config::parse(Path::new(name), text) {
            panic!("{e}");
        }
    }
}
