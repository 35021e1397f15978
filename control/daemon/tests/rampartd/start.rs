//! Starting, stopping, and what is refused before anything runs.
use crate::fake::Fake;
use crate::harness::{LONG, Place, wait_until};
use proto::public::Request;
use std::io::{Read, Write};
use std::net::TcpStream;

#[test]
fn standalone_says_that_nothing_is_enforced() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    let reply = daemon.ask(&Request::Status {}, &[]);
    let status = reply.status.unwrap();
    assert!(status.standalone && !status.enforced);
    assert!(reply.stdout.contains("NO: started with --standalone"), "{}", reply.stdout);
    let reply = daemon.wait_ready();
    assert_eq!(reply.exit, 1);
    assert!(reply.stderr.contains("rules are not enforced"), "{}", reply.stderr);
    assert!(daemon.stop().1.contains("NOTHING IS ENFORCED"));
}

#[test]
fn standalone_takes_what_no_dataplane_enforces_and_with_one_it_is_refused_by_name() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    for rule in ["-t mangle -A FORWARD -j DSCP --set-dscp 1", "-A INPUT -j NFLOG", "-A OUTPUT -m owner --uid-owner 0 -j ACCEPT"] {
        daemon.ok(rule);
    }
    daemon.stop();
    let daemon = place.start(&["--standalone"]);
    assert!(daemon.saved("").contains("-A OUTPUT -m owner --uid-owner 0 -j ACCEPT"), "{}", daemon.saved(""));
    let place = Place::new();
    let _fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(&[]);
    assert_eq!(daemon.wait_ready().exit, 0);
    let reply = daemon.iptables("-A INPUT -j NFLOG");
    assert_eq!(reply.exit, 1);
    assert!(reply.stderr.contains("chain INPUT, rule 1: -j NFLOG is not enforced by this dataplane"), "{}", reply.stderr);
}

#[test]
fn a_second_daemon_on_the_same_socket_is_refused_and_the_first_goes_on() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    let said = place.fail(&["--standalone"]);
    assert!(said.contains(&format!("another rampartd (process {}) already serves", daemon.child.id())), "{said}");
    daemon.ok("-A INPUT -j DROP");
}

#[test]
fn a_second_daemon_on_the_same_state_folder_is_refused() {
    let place = Place::new();
    let _daemon = place.start(&["--standalone"]);
    let other = Place::new();
    let state = place.path("state").display().to_string();
    let config = other.path("r.toml");
    std::fs::write(&config, format!("[instance]\nrun_dir = {:?}\n[control]\nstate_dir = {state:?}\n", other.path("run"))).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_rampartd"))
        .arg("--standalone")
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("already serves") && said.contains(&state), "{said}");
}

#[test]
fn a_crash_leaves_nothing_in_the_way_of_the_next() {
    let place = Place::new();
    place.start(&["--standalone"]).kill();
    assert!(place.path("control.sock").exists());
    place.start(&["--standalone"]).ok("-A INPUT -j DROP");
}

#[test]
fn sigterm_ends_it_with_success_and_takes_the_socket_away() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    let socket = daemon.socket.clone();
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!socket.exists());
}

#[test]
fn a_bad_configuration_is_named_with_file_line_and_what_is_allowed() {
    let place = Place::new();
    let config = place.path("rampart.toml");
    std::fs::write(&config, "[control]\nstate_folder = '/x'\n").unwrap();
    let said = place.fail(&["--config", config.to_str().unwrap()]);
    for part in [config.to_str().unwrap(), "line 2", "unknown field `state_folder`", "`state_dir`"] {
        assert!(said.contains(part), "{part} not in: {said}");
    }
    let said = place.fail(&["--config", "/nonexistent/rampart.toml"]);
    assert!(said.contains("/nonexistent/rampart.toml: No such file"), "{said}");
}

#[test]
fn metrics_beyond_loopback_are_refused() {
    let said = Place::new().fail(&["--standalone", "--metrics", "0.0.0.0:0"]);
    assert!(said.contains("can be reached from other machines"), "{said}");
}

#[test]
fn stored_rules_that_do_not_read_back_stop_the_start() {
    let place = Place::new();
    std::fs::create_dir(place.path("state")).unwrap();
    std::fs::write(place.path("state/rules.v4"), "*filter\n-A INPUT -j\nCOMMIT\n").unwrap();
    let said = place.fail(&["--standalone"]);
    assert!(said.contains("rules.v4 does not read back"), "{said}");
}

#[test]
fn metrics_show_what_the_dataplane_counts() {
    let place = Place::new();
    let _fake = Fake::start(&place.path("dataplane.sock"));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let daemon = place.start(&["--metrics", &address, "--no-mirror-host"]);
    assert_eq!(daemon.wait_ready().exit, 0);
    let lines = [
        r#"rampart_packets_total{port="eth0",worker="0",direction="rx"} 5"#,
        r#"rampart_bytes_total{port="eth0",worker="0",direction="tx"} 300"#,
        r#"rampart_drops_total{reason="TtlExpired"} 2"#,
        r#"rampart_flows{protocol="tcp",state="ESTABLISHED"} 4"#,
        "rampart_early_drops_total 3",
        "rampart_retraced_total 17",
        "rampart_conntrack_total{worker=\"0\",event=\"invalid\"} 8",
        "rampart_program_generation 1",
        "rampart_dataplane_up 1",
    ];
    // They are asked for one after the other: the first page with some of them need not have all.
    wait_until("not all metrics", || {
        let mut page = String::new();
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        stream.read_to_string(&mut page).unwrap();
        lines.iter().all(|line| page.contains(line))
    });
}
