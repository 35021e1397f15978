//! Clients that send garbage, never read, announce too much, or come in crowds harm only themselves.
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::harness::{LONG, Place, Rampartd};
use proto::public::Reply;

fn say(daemon: &Rampartd, bytes: &[u8]) -> Reply {
    let mut stream = UnixStream::connect(&daemon.socket).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

#[test]
fn garbage_gets_an_error_line_and_the_connection_is_closed() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    for (bytes, answer) in [
        (&b"\x00\xff\xfe\n"[..], "a request is one JSON object a line"),
        (b"GET / HTTP/1.1\r\n\r\n", "a request is one JSON object a line"),
        (b"{\"v\":2,\"op\":\"status\"}\n", "protocol version 2"),
        (b"{\"v\":1,\"op\":\"reboot\"}\n", "unknown variant `reboot`"),
        (
            b"{\"v\":1,\"op\":\"restore\",\"program\":\"iptables-restore\",\"args\":[],\"length\":99999999999}\n",
            "bytes in one restore",
        ),
    ] {
        let reply = say(&daemon, bytes);
        assert!(!reply.ok && reply.exit == 4 && reply.stderr.contains(answer), "{answer}: {reply:?}");
    }
    daemon.ok("-A INPUT -j ACCEPT");
}

#[test]
fn a_line_without_end_is_cut_off() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    let mut stream = UnixStream::connect(&daemon.socket).unwrap();
    let chunk = vec![b'x'; 1 << 20];
    let refused = (0..64).any(|_| stream.write_all(&chunk).is_err());
    assert!(refused, "64 MiB without a line end were taken");
    daemon.ok("-A INPUT -j ACCEPT");
}

#[test]
fn a_restore_that_stops_half_way_changes_nothing() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    let mut stream = UnixStream::connect(&daemon.socket).unwrap();
    stream
        .write_all(b"{\"v\":1,\"op\":\"restore\",\"program\":\"iptables-restore\",\"args\":[],\"length\":1000}\n*filter\n-A INPUT")
        .unwrap();
    drop(stream);
    assert_eq!(daemon.ok("-S INPUT"), "-P INPUT ACCEPT\n");
}

#[test]
fn a_restore_that_is_not_text_is_refused_with_its_line() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    let request = proto::public::Request::Restore { program: "iptables-restore".into(), args: vec![], length: 10 };
    let reply = daemon.ask(&request, b"*filter\n\xff\n");
    assert_eq!((reply.exit, &*reply.stderr), (1, "iptables-restore: line 2 is not UTF-8 text\n"));
}

#[test]
fn a_client_that_never_reads_holds_nobody() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    let text = format!("*filter\n{}COMMIT\n", "-A INPUT -s 10.0.0.1 -j ACCEPT\n".repeat(20_000));
    assert_eq!(daemon.restore("", &text).exit, 0);
    let mut deaf = UnixStream::connect(&daemon.socket).unwrap();
    deaf.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    for _ in 0..20 {
        if deaf.write_all(b"{\"v\":1,\"op\":\"save\",\"program\":\"iptables-save\",\"args\":[]}\n").is_err() {
            break;
        }
    }
    let started = Instant::now();
    daemon.ok("-I INPUT -j DROP");
    daemon.ok("-D INPUT 1");
    assert!(started.elapsed() < LONG / 2);
}

#[test]
fn a_crowd_is_bounded_and_those_inside_are_served() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    let crowd: Vec<UnixStream> = (0..300).map_while(|_| UnixStream::connect(&daemon.socket).ok()).collect();
    let mut told = Vec::new();
    for mut stream in &crowd {
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut answer = [0; 4096];
        if let Ok(read @ 1..) = stream.read(&mut answer) {
            told.push(serde_json::from_slice::<Reply>(&answer[..read]).unwrap());
        }
    }
    assert!(told.len() >= 300 - 128, "{} were turned away", told.len());
    assert!(told.iter().all(|reply| reply.stderr.contains("too many clients")));
    drop(crowd);
    std::thread::sleep(Duration::from_millis(200));
    daemon.ok("-A INPUT -j ACCEPT");
}
