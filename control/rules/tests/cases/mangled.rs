//! Texts that nobody meant: what `tests/lang` and the conversations say, cut, doubled and spoilt at random, and texts that are large in each of the ways in which a
//! text can be. None may panic; what is taken must read back as it is printed; and large ones must come to an end.
//!
//! `RAMPART_MANGLED` texts are tried (so many as suit every run, unless it says more: `make fuzz`), from a seed that is printed and may be given by `RAMPART_SEED`.

use super::cases;
use rules::command::Host;
use rules::names::Builtin;
use rules::{Family, RuleSet, restore, save};

/// Random numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Whole restore texts: one of each line of `tests/lang`, and those that conversations feed in.
fn texts() -> Vec<(Family, String)> {
    let family = |is_ipv6| if is_ipv6 { Family::Ipv6 } else { Family::Ipv4 };
    let of_case = |case: cases::Case| {
        let text =
            format!("*{}\n:{} ACCEPT [1:2]\n:user - [0:0]\n-A {} {}\nCOMMIT\n", case.table, case.chain, case.chain, case.text);
        (family(case.is_ipv6), text)
    };
    let mut all: Vec<_> = cases::all().into_iter().map(of_case).collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations");
    for entry in std::fs::read_dir(folder).expect("part of the repository") {
        let text = std::fs::read_to_string(entry.expect("readable").path()).expect("readable");
        all.extend(text.split("\n$ ").map(|step| (Family::Ipv4, step.split_once('\n').map_or("", |(_, input)| input).to_owned())));
    }
    all
}

/// What is put between, or in the place of, what is there.
const PIECES: &[&str] = &[
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\"",
    "\\",
    "\\\"",
    "'",
    "!",
    " ! ",
    "-",
    "--",
    ",",
    ":",
    "::",
    "/",
    "=",
    "+",
    "*",
    "#",
    "[",
    "]",
    "[1:2]",
    "0",
    "-1",
    "4294967296",
    "18446744073709551616",
    "0x",
    "1e9",
    "\u{0}",
    "\u{7f}",
    "\u{e9}",
    "\u{1f600}",
    "COMMIT\n",
    "*nat\n",
    ":x - [0:0]\n",
    "-A INPUT ",
    "-j ",
    "-m ",
    "-g user",
    "-p tcp ",
    "1.2.3.4/0",
    "1.2.3.4,5.6.7.8",
    "::/0",
    "any",
    "%",
];

/// Spoils a text in one place.
fn spoil(text: &str, all: &[(Family, String)], random: &mut Random) -> String {
    let at = |text: &str, random: &mut Random| text.floor_char_boundary(random.below(text.len() + 1));
    let (a, b) = (at(text, random), at(text, random));
    let (from, to) = (a.min(b), a.max(b).min(text.ceil_char_boundary((a.min(b) + 40).min(text.len()))));
    match random.below(7) {
        // Something is missing, there twice, many times, replaced, inserted, or another text's.
        0 => format!("{}{}", &text[..from], &text[to..]),
        1 => format!("{}{}", &text[..to], &text[from..]),
        2 => format!("{}{}{}", &text[..from], text[from..to].repeat(random.below(30)), &text[to..]),
        3 => format!("{}{}{}", &text[..from], random.pick(PIECES), &text[to..]),
        4 | 5 => format!("{}{}{}", &text[..from], random.pick(PIECES), &text[from..]),
        _ => {
            let other = &random.pick(all).1;
            format!("{}{}", &text[..from], &other[at(other, random)..])
        }
    }
}

/// Restores a text, and when it is taken looks whether it reads back.
fn try_text(family: Family, text: &str) {
    let host = Host { names: &Builtin, live: None };
    let options = restore::Options { counters: true, ..Default::default() };
    let Ok(outcome) = restore::restore(&RuleSet::new(family), text, &options, &host) else { return };
    let Some(set) = outcome.ruleset else { return };
    let options = (options, save::Options { counters: true, ..Default::default() });
    let printed = |set: &RuleSet| save::save(set, &options.1, None, &host).expect("a set without a table's name to be wrong");
    let saved = printed(&set);
    match restore::restore(&RuleSet::new(family), &saved, &options.0, &host) {
        Ok(again) => {
            let again = again.ruleset.map_or_else(String::new, |set| printed(&set));
            assert!(again == saved, "{saved}\nreads back as\n{again}\nof the text\n{text}");
        }
        Err(error) => panic!("{}\nof the text\n{text}\nwhich saves as\n{saved}", error.message("restore")),
    }
}

#[test]
fn spoilt_texts_are_refused_or_read_back_and_never_panic() {
    let seed = number("RAMPART_SEED").unwrap_or(0x5eed);
    let tries = number("RAMPART_MANGLED").unwrap_or(4_000);
    println!("seed {seed}, {tries} texts");
    let all = texts();
    let mut random = Random(seed | 1);
    for _ in 0..tries {
        let (family, text) = random.pick(&all);
        let mut text = text.clone();
        for _ in 0..=random.below(4) {
            text = spoil(&text, &all, &mut random);
        }
        try_text(*family, &text);
        let words = cases::split(text.lines().nth(3).unwrap_or(""));
        for family in [Family::Ipv4, Family::Ipv6] {
            if let Ok(invocation) = rules::parse(family, &words, &Builtin) {
                let _ = invocation.run(&RuleSet::new(family), &Host { names: &Builtin, live: None });
            }
        }
    }
}

/// Each is large in one way. Where the work grew with the square of that, none would end in an hour.
#[test]
fn large_texts_end() {
    let n = number("RAMPART_LARGE").unwrap_or(20_000) as usize;
    let table = |inside: String| format!("*filter\n:INPUT ACCEPT [0:0]\n{inside}COMMIT\n");
    let rules = |rule: &str| table(format!("{rule}\n").repeat(n));
    let numbered = |line: &dyn Fn(usize) -> String| (0..n).map(line).collect::<String>();
    let texts = [
        ("rules", rules("-A INPUT -s 1.2.3.4 -p tcp -m tcp --dport 80 -m comment --comment \"a b\" -j ACCEPT")),
        ("rules put in front", rules("-I INPUT -j ACCEPT")),
        ("chains", table(numbered(&|i| format!(":c{i} - [0:0]\n")))),
        (
            "a chain of chains",
            table(numbered(&|i| format!(":c{i} - [0:0]\n")) + &numbered(&|i| format!("-A c{i} -j c{}\n", i + 1))),
        ),
        ("jumps to many chains", table(numbered(&|i| format!(":c{i} - [0:0]\n")) + &numbered(&|i| format!("-A INPUT -j c{i}\n")))),
        ("tables", table(String::new()).repeat(n)),
        ("empty lines", "\n".repeat(100 * n)),
        ("a comment", format!("#{}\n", "x".repeat(100 * n))),
        ("blanks", table(format!("-A INPUT{}-j ACCEPT\n", " ".repeat(100 * n)))),
        ("a word", table(format!("-A INPUT -m comment --comment {}\n", "x".repeat(100 * n)))),
        ("quotes", table(format!("-A INPUT -m comment --comment \"{}\"\n", "\\\"".repeat(50 * n)))),
        ("open quotes", table("-A INPUT -m comment --comment \"\n".repeat(n))),
        ("inversions", table(format!("-A INPUT {}-j ACCEPT\n", "! ".repeat(n)))),
        ("matches", table(format!("-A INPUT {}-j ACCEPT\n", "-m mark --mark 1 ".repeat(n)))),
        ("addresses", table(format!("-A INPUT -s {}1.2.3.4 -j ACCEPT\n", "1.2.3.4,".repeat(n)))),
        ("ports", table(format!("-A INPUT -p tcp -m multiport --dports {}1 -j ACCEPT\n", "1,".repeat(n)))),
        ("states", table(format!("-A INPUT -m state --state {}NEW -j ACCEPT\n", "NEW,".repeat(n)))),
        ("counters", table(format!("[{}:1] -A INPUT\n", "1".repeat(100 * n)))),
        ("deletions", table("-A INPUT -j ACCEPT\n".repeat(n) + &"-D INPUT 1\n".repeat(n))),
        ("no end of a table", "*filter\n".repeat(n)),
    ];
    for (what, text) in texts {
        let begin = std::time::Instant::now();
        try_text(Family::Ipv4, &text);
        println!("{what}: {} bytes, {:?}", text.len(), begin.elapsed());
    }
}
