//! What lies in scripts beside the benchmarks: the generators for a box between two ports.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use packet::checksum::{fold, partial};
use packet::parse;

fn bench() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn python(arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("python3");
    let out = command.arg("-B").args(arguments).current_dir(bench().join("trex")).output().expect("python3 is there (make deps)");
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

#[test]
fn the_capture_has_each_flow_once_as_a_packet_that_a_box_takes() {
    const FLOWS: usize = 5000;
    let file = python(&["../testpmd/flows", "02:00:00:00:00:02", &FLOWS.to_string()]);
    let (_, records) = file.split_at(24);
    let mut ends = HashSet::new();
    for record in records.chunks(16 + 60) {
        let frame = &record[16..];
        assert_eq!(frame[..6], [2, 0, 0, 0, 0, 2]);
        assert_eq!(fold(partial(&frame[14..34], 0)), 0, "the header's sum is right");
        parse::ip::<packet::Ipv4>(frame, 14, 46).expect("a right packet");
        ends.insert(frame[26..38].to_vec());
    }
    assert_eq!((records.len(), ends.len()), (FLOWS * 76, FLOWS));
}

#[test]
fn the_search_for_the_highest_load_finds_it_and_all_scripts_are_python() {
    python(&["-m", "unittest", "test_search"]);
    let scripts = ["throughput.py", "connections.py", "search.py", "test_profiles.py", "profiles/udp.py", "profiles/tcp.py"];
    for script in scripts {
        python(&["-c", "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')", script]);
    }
}

#[test]
#[ignore = "needs TRex's Python API in PYTHONPATH (bench/trex/README.md)"]
fn the_profiles_load_by_trex() {
    python(&["-m", "unittest", "test_profiles"]);
}
