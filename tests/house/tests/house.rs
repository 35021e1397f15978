//! What the house promises of itself (ARCHITECTURE.md), held by a test: which crate may use which, what is pure, what is absent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each crate of ours and the crates of ours that it may use when it runs.
const ARROWS: &[(&str, &[&str])] = &[
    ("bindings/dpdk-sys", &[]),
    ("bindings/dpdk", &["dpdk-sys"]),
    ("bindings/memory", &[]),
    ("dataplane/packet", &[]),
    ("dataplane/program", &["packet"]),
    ("dataplane/engine", &["program", "packet", "memory"]),
    ("dataplane/app", &["memory", "engine", "program", "packet", "dpdk", "proto"]),
    ("control/rules", &[]),
    ("control/sets", &["rules"]),
    ("control/compile", &["rules", "sets", "program", "packet"]),
    ("control/proto", &[]),
    ("control/daemon", &["rules", "sets", "compile", "program", "packet", "proto"]),
    ("control/cli", &["rules", "sets", "proto"]),
    ("tests/reference", &["rules", "packet"]),
];

/// No DPDK, thread, socket, file, clock or unsafe.
const PURE: &[&str] =
    &["dataplane/packet", "dataplane/program", "control/rules", "control/sets", "control/compile", "tests/reference"];

/// A file is one idea that a reader takes in at one sitting.
const LONGEST_FILE: usize = 700;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/house lies two folders deep").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())).flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn sources(crate_dir: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    rust_files(&root().join(crate_dir).join("src"), &mut files);
    assert!(!files.is_empty(), "{crate_dir} has no source");
    files.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

#[test]
fn no_arrow_between_crates_but_those_that_are_drawn() {
    let names: BTreeSet<&str> = ARROWS.iter().map(|(dir, _)| dir.rsplit('/').next().unwrap_or(dir)).collect();
    for (dir, allowed) in ARROWS {
        let manifest: toml::Table = read(&root().join(dir).join("Cargo.toml")).parse().expect("a manifest is TOML");
        let package = manifest["package"]["name"].as_str().expect("a package has a name");
        assert_eq!(Some(package), dir.rsplit('/').next(), "folder, crate and import name are one");
        for section in ["dependencies", "build-dependencies"] {
            let Some(uses) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
            for used in uses.keys().filter(|name| names.contains(name.as_str())) {
                assert!(allowed.contains(&used.as_str()), "{dir} uses {used}: that arrow is not drawn");
            }
        }
    }
}

#[test]
fn unsafe_code_is_in_the_bindings_alone() {
    for (dir, _) in ARROWS.iter().filter(|(dir, _)| !dir.starts_with("bindings/")) {
        for (path, text) in sources(dir) {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                assert!(
                    !line.contains("unsafe {") && !line.contains("unsafe fn") && !line.contains("unsafe impl"),
                    "{}: {line}",
                    path.display()
                );
            }
        }
    }
    for dir in PURE {
        assert!(read(&root().join(dir).join("src/lib.rs")).contains("#![forbid(unsafe_code)]"), "{dir} forbids unsafe code");
    }
}

#[test]
fn pure_crates_and_the_engine_touch_no_file_socket_thread_or_clock() {
    let engine = ["dataplane/engine"];
    let banned =
        ["std::fs", "std::net::Tcp", "std::net::Udp", "std::thread", "Instant::now", "SystemTime::now", "std::process", "println!"];
    for dir in PURE.iter().chain(&engine) {
        for (path, text) in sources(dir) {
            for word in banned {
                assert!(!text.contains(word), "{} contains {word}", path.display());
            }
        }
    }
    for (path, text) in sources("dataplane/engine") {
        for word in ["Mutex", "RwLock", "dpdk"] {
            let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            assert!(!code.contains(word), "{} contains {word}", path.display());
        }
    }
}

#[test]
fn no_file_is_a_wall() {
    let mut files = Vec::new();
    for room in ["bindings", "control", "dataplane", "tests", "bench"] {
        rust_files(&root().join(room), &mut files);
    }
    let walls: BTreeMap<_, _> =
        files.iter().map(|path| (path, read(path).lines().count())).filter(|(_, lines)| *lines > LONGEST_FILE).collect();
    assert!(walls.is_empty(), "longer than {LONGEST_FILE} lines: {walls:?}");
}

#[test]
fn every_match_and_target_has_its_language_tests() {
    let mut seen = 0;
    for kind in ["matches", "targets"] {
        for (path, text) in sources("control/rules").iter().filter(|(path, _)| path.parent().is_some_and(|p| p.ends_with(kind))) {
            let declared = text.split("Extension {").filter_map(|rest| rest.trim_start().strip_prefix("name: \""));
            if let Some(name) = declared.filter_map(|rest| rest.split('"').next()).next() {
                let tests = root().join("tests/lang").join(format!("{name}.t"));
                assert!(tests.exists(), "{} has no {}", path.display(), tests.display());
                seen += 1;
            }
        }
    }
    assert!(seen >= 26, "only {seen} extensions were found: are they written otherwise now?");
}
