//! Words that are no commands: nothing panics, and what is kept of whatever came in makes the same again.
use proptest::prelude::*;
use rules::names::Builtin;
use sets::words::split;
use sets::{Host, Said, Sets};

use crate::generated::{Numbers, TYPES, without_times};

fn run(sets: &mut Sets, line: &str, text: &str, now: u64) -> Said {
    let host = Host { names: &Builtin, now, initval: 7, references: &|_| 0, may_change: true, is_interactive: false, tells: false };
    sets::run(sets, &split(line), text, &host)
}

/// Types that the kernel of the comparison lacks, with what makes them and their elements.
const OTHERS: &[(&str, &str)] =
    &[("hash:mac", "m"), ("hash:ip,mac", "am"), ("hash:net,net", "nn"), ("hash:net,port,net", "npn"), ("hash:ip,mark", "ap")];

/// A text that makes sets of all types and fills them with what is nearly right, of which letters are exchanged.
fn text(seed: u64, mangle: bool) -> String {
    let mut numbers = Numbers::new(seed);
    let mut text = String::new();
    for (at, (kind, parts)) in TYPES.iter().chain(OTHERS).enumerate() {
        let range = match *kind {
            "bitmap:port" => " range 0-100",
            kind if kind.starts_with("bitmap") => " range 10.0.0.0/16",
            _ => "",
        };
        let with = numbers.one(&["", " timeout 600", " counters comment", " skbinfo forceadd maxelem 5"]);
        let family = if numbers.below(3) == 0 && kind.starts_with("hash") && *kind != "hash:mac" { " family inet6" } else { "" };
        text.push_str(&format!("create s{at} {kind}{range}{family}{with}\n"));
        for _ in 0..numbers.below(20) {
            let extension = numbers.one(&["", "", " timeout 5", " comment \"x y\"", " nomatch", " wildcard", " packets 5"]);
            text.push_str(&format!("-exist add s{at} {}{extension}\n", numbers.element(parts)));
        }
    }
    if mangle {
        let mut bytes: Vec<char> = text.chars().collect();
        for _ in 0..bytes.len() / 20 {
            let at = numbers.below(bytes.len());
            bytes[at] = ['-', '/', ',', ':', '"', '[', ']', '0', 'ä', ' ', '\n', '\0'][numbers.below(12)];
        }
        text = bytes.into_iter().collect();
    }
    text
}

/// Whole seconds of what is left may differ by one.
fn fixed(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", without_times(line))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_makes_the_same_again(seed: u64, mangle: bool) {
        let now = 1_000_000;
        let mut first = Sets::default();
        for line in text(seed, mangle).lines() {
            run(&mut first, line, "", now);
        }
        let kept = sets::kept(&first, &Builtin, now);
        let mut second = Sets::default();
        prop_assert_eq!(sets::load(&mut second, &kept, &Builtin, now), Ok(()), "{}", kept);
        prop_assert_eq!(sets::kept(&second, &Builtin, now), kept.clone());
        // What the commands say that they changed makes it as well.
        let mut third = Sets::default();
        let mut again = Sets::default();
        for line in text(seed, mangle).lines() {
            let said = run(&mut third, line, "", now);
            prop_assert!(sets::again(&mut again, &said.changes, &Builtin, now).is_empty());
        }
        prop_assert_eq!(fixed(&sets::kept(&again, &Builtin, now)), fixed(&kept));
    }

    #[test]
    fn nothing_that_comes_in_panics(text in "(?s).{0,400}", words in prop::collection::vec("\\PC{0,12}", 0..8)) {
        let mut sets = Sets::default();
        run(&mut sets, "restore", &text, 5);
        let host = Host { names: &Builtin, now: 5, initval: 7, references: &|_| 0, may_change: true, is_interactive: true, tells: false };
        sets::run(&mut sets, &words, &text, &host);
        for (name, _) in sets.iter() {
            prop_assert!(!name.is_empty());
        }
    }

    #[test]
    fn a_mangled_text_ends_where_it_is_wrong(seed: u64) {
        let mut sets = Sets::default();
        let said = run(&mut sets, "restore", &text(seed, true), 5);
        prop_assert!(said.exit <= 2 && (said.exit == 0) != said.stderr.contains("ipset v7.17: "), "{:?}", said);
    }
}
