//! Conversations made by chance: commands and restore texts about a few chains, of the rules in `tests/lang`, with mistakes among them.
use crate::cases::{self, Case, Wanted};
use crate::chance::{Chance, EXCEPTIONS, REFUSES_MORE, is_a_rule, mutated};

/// How many commands a conversation has, besides the listing behind each.
const LENGTH: usize = 20;

/// What is said once.
pub(crate) struct Said {
    /// The command, its words quoted for a shell where they need it.
    pub(crate) line: String,
    /// The restore text.
    pub(crate) input: String,
    /// The files of `tests/lang` from which its rules are.
    stems: Vec<String>,
    /// Rules and tests of headers that were changed, or are of such as may be refused.
    mistakes: usize,
}

/// From what conversations are made.
pub(crate) struct Sources {
    cases: Vec<Case>,
}

impl Sources {
    /// Every line of `tests/lang` that can be compared.
    pub(crate) fn read() -> Sources {
        let is_comparable = |case: &Case| {
            EXCEPTIONS.iter().all(|(stem, _)| *stem != case.stem) && !case.text.contains(['$', '`', '\n']) && is_a_rule(&case.words)
        };
        Sources { cases: cases::all().into_iter().filter(is_comparable).collect() }
    }
}

/// How the two may answer one thing in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnPurpose {
    /// Both refuse what has several mistakes, and name another one.
    OtherMistake,
    /// Ours refuse some of what the real one cuts to what fits, or could not read back as it saves it.
    RefusesMore,
}

/// Do the two answer so?
pub(crate) fn differs_on_purpose(said: &Said, real: &str, ours: &str) -> Option<OnPurpose> {
    let is_misuse = |answer: &str| answer.ends_with("code 2\n");
    match (is_misuse(real), is_misuse(ours)) {
        (true, true) => (said.mistakes > 1).then_some(OnPurpose::OtherMistake),
        // Where the real one takes the rule it may still fail: for a chain that is not there.
        (false, true) => said.stems.iter().any(|stem| REFUSES_MORE.contains(&stem.as_str())).then_some(OnPurpose::RefusesMore),
        _ => None,
    }
}

/// One of the chains that users make here.
const CHAINS: &[&str] = &["a", "b", "long-name_of.a-chain"];

const TABLES: &[(&str, &[&str])] = &[
    ("filter", &["INPUT", "FORWARD", "OUTPUT"]),
    ("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
    ("mangle", &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]),
    ("raw", &["PREROUTING", "OUTPUT"]),
    ("security", &["INPUT", "FORWARD", "OUTPUT"]),
];

/// The conversation of this number.
pub(crate) fn talk(sources: &Sources, seed: u64, number: u64) -> Vec<Said> {
    let mut chance = Chance((seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(number * 2 + 1) | 1);
    (0..20).for_each(|_| _ = chance.below(2));
    let is_ipv6 = chance.below(3) == 0;
    let (table, builtin) = chance.one(TABLES);
    let of_family = |case: &&Case| case.is_ipv6 == is_ipv6;
    let mine = |(at, case): &(usize, &Case)| case.table == table || at % 8 == 0;
    let cases: Vec<&Case> = sources.cases.iter().filter(of_family).enumerate().filter(mine).map(|(_, case)| case).collect();
    let program = if is_ipv6 { "ip6tables" } else { "iptables" };
    let mut talk = Talk { chance, program, is_ipv6, table, builtin, cases, known: Vec::new(), stems: Vec::new(), mistakes: 0 };
    let mut all = Vec::new();
    for _ in 0..LENGTH {
        let (name, words, input) = talk.say();
        let (stems, mistakes) = (std::mem::take(&mut talk.stems), std::mem::take(&mut talk.mistakes));
        all.push(Said { line: line(&name, &words), input, stems, mistakes });
        let asked = talk.ask();
        all.push(Said { line: line(program, &asked), input: String::new(), stems: Vec::new(), mistakes: 0 });
    }
    all
}

fn line(program: &str, words: &[String]) -> String {
    let quoted = words.iter().map(|word| format!(" {}", quoted(word)));
    format!("{program}{}", quoted.collect::<String>())
}

/// In double quotes, unless it is plain.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/,=+%@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

struct Talk<'a> {
    chance: Chance,
    program: &'static str,
    is_ipv6: bool,
    table: &'static str,
    builtin: &'static [&'static str],
    /// Lines for the table, and a few for others.
    cases: Vec<&'a Case>,
    /// Rules that were spoken of before, with their chain.
    known: Vec<(String, Vec<String>)>,
    stems: Vec<String>,
    mistakes: usize,
}

impl Talk<'_> {
    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.chance.below(times) == 0
    }

    /// A built-in chain, one that users make, or, now and then, one that is not there.
    fn chain(&mut self) -> String {
        match self.chance.below(40) {
            0 => "nosuch".to_owned(),
            1 => "PREROUTING".to_owned(),
            2..20 => self.chance.one(CHAINS).to_owned(),
            _ => self.chance.one(self.builtin).to_owned(),
        }
    }

    /// A rule's words, and a chain in which it may stand.
    fn rule(&mut self) -> (String, Vec<String>) {
        if !self.known.is_empty() && self.once_in(4) {
            self.mistakes += 2;
            return self.chance.one(&self.known);
        }
        let header_only = self.once_in(4);
        let mut case = self.chance.one(&self.cases);
        while matches!(case.wanted, Wanted::Refusal(_)) && !self.once_in(8) {
            case = self.chance.one(&self.cases);
        }
        let mut words = if header_only { Vec::new() } else { case.words.clone() };
        if !header_only {
            self.mistakes += usize::from(matches!(case.wanted, Wanted::Refusal(_)));
            self.stems.push(case.stem.clone());
            if self.once_in(5) {
                let others = self.chance.one(&self.cases);
                self.stems.push(others.stem.clone());
                let changed = mutated(&words, &others.words, &mut self.chance);
                let is_sayable = |word: &String| !word.contains(['$', '`']);
                if is_a_rule(&changed) && changed.iter().all(is_sayable) {
                    words = changed;
                    self.mistakes += 2;
                }
            }
        }
        let has = |words: &[String], option: &str| words.iter().any(|word| word == option);
        if self.once_in(3) || header_only {
            let header = self.header(&words);
            let place = if self.once_in(2) { 0 } else { words.len() };
            words.splice(place..place, header);
        }
        if !has(&words, "-j") && !has(&words, "-g") && self.once_in(2) {
            let jump = if self.once_in(4) { self.one(&["-g", "--goto", "--got"]) } else { self.one(&["-j", "--jump", "--ju"]) };
            words.extend([jump, self.target()]);
        }
        if self.once_in(6) {
            self.abbreviate(&mut words);
        }
        let chain = if self.once_in(3) { self.chain() } else { case.chain.clone() };
        self.known.push((chain.clone(), words.clone()));
        (chain, words)
    }

    fn one(&mut self, of: &[&str]) -> String {
        self.chance.one(of).to_owned()
    }

    fn target(&mut self) -> String {
        match self.chance.below(8) {
            0 | 1 => self.chain(),
            2 => self.one(&["RETURN", "LOG", "QUEUE", "NOSUCH", "accept"]),
            _ => self.one(&["ACCEPT", "DROP"]),
        }
    }

    /// Tests of addresses, interfaces and protocols.
    fn header(&mut self, besides: &[String]) -> Vec<String> {
        let mut words = Vec::new();
        for _ in 0..1 + self.chance.below(3) {
            self.mistakes += 1;
            if self.once_in(4) {
                words.push("!".to_owned());
            }
            let (options, values): (&[&str], &[&str]) = match self.chance.below(8) {
                0 | 1 if self.is_ipv6 => (&["-s", "--source", "--src"], ADDRESSES_6),
                2 | 3 if self.is_ipv6 => (&["-d", "--destination", "--dst", "--dest"], ADDRESSES_6),
                0 | 1 => (&["-s", "--source", "--src"], ADDRESSES),
                2 | 3 => (&["-d", "--destination", "--dst", "--dest"], ADDRESSES),
                4 => (&["-i", "--in-interface", "--in-i"], INTERFACES),
                5 => (&["-o", "--out-interface", "--out"], INTERFACES),
                6 if !besides.iter().any(|word| word == "-p") => (&["-p", "--protocol", "--proto"], PROTOCOLS),
                6 => (&["-m", "--match"], &["tcp", "udp", "comment", "nosuch"]),
                _ => (&["-c", "--set-counters"], &["5"]),
            };
            let option = self.one(options);
            let value = self.one(values);
            let has_counters = option.ends_with('c') && option.len() == 2 || option == "--set-counters";
            // Attached, joined by `=`, or by itself.
            match self.chance.below(6) {
                0 if !option.starts_with("--") => words.push(format!("{option}{value}")),
                0 | 1 if option.starts_with("--") => words.push(format!("{option}={value}")),
                _ => words.extend([option, value]),
            }
            if has_counters && !self.once_in(8) {
                words.push("77".to_owned());
            }
        }
        words
    }

    /// Takes letters from the end of a long option.
    fn abbreviate(&mut self, words: &mut [String]) {
        let long: Vec<usize> = (0..words.len()).filter(|at| words[*at].starts_with("--") && words[*at].is_ascii()).collect();
        if long.is_empty() {
            return;
        }
        let at = self.chance.one(&long);
        let keep = 4 + self.chance.below(words[at].len());
        // `--h` asks for help, which is not compared.
        if keep < words[at].len() && !words[at].starts_with("--h") {
            words[at].truncate(keep);
        }
    }

    /// `-t`, and the options that any command may have, around the words of one.
    fn with_table(&mut self, mut words: Vec<String>) -> Vec<String> {
        let table = if self.once_in(60) { "nosuch" } else { self.table };
        let option = match self.chance.below(4) {
            0 => vec![format!("--table={table}")],
            1 => vec![format!("-t{table}")],
            _ => vec!["-t".to_owned(), table.to_owned()],
        };
        if self.once_in(3) {
            words.splice(0..0, option);
        } else {
            words.extend(option);
        }
        for (times, option) in [(6, "-v"), (20, "-w"), (20, "-w5"), (80, "-W1"), (60, "-x"), (60, "-n"), (60, "-f")] {
            // Twice it would dump the library's tables.
            let is_said = option == "-v" && words.iter().any(|word| word.starts_with("-nv"));
            if !is_said && self.once_in(times) {
                let place = if self.once_in(2) { 0 } else { words.len() };
                words.insert(place, option.to_owned());
            }
        }
        words
    }

    /// A command; its name, its words and its input.
    fn say(&mut self) -> (String, Vec<String>, String) {
        match self.chance.below(10) {
            0 | 1 => {
                let (words, text) = self.restore();
                (format!("{}-restore", self.program), words, text)
            }
            _ => {
                let words = self.command();
                (self.program.to_owned(), self.with_table(words), String::new())
            }
        }
    }

    fn number(&mut self) -> String {
        let number = self.one(&["1", "1", "1", "2", "2", "3", "4", "0", "9", "-1", "x", "01", "2147483648"]);
        // An option that is none: a mistake beside what a rule may have of them.
        self.mistakes += usize::from(number == "-1");
        number
    }

    /// The command of a rule, its chain, and perhaps a number: `-A INPUT`, `--insert a 2`.
    fn about_a_rule(&mut self, chain: &str) -> Vec<String> {
        let (options, may_number): (&[&str], bool) = match self.chance.below(12) {
            0..6 => (&["-A", "--append"], false),
            6 | 7 => (&["-I", "--insert", "--ins"], true),
            8 => (&["-R", "--replace", "--rep"], true),
            9 => (&["-C", "--check", "--che"], false),
            _ => (&["-D", "--delete"], false),
        };
        let option = self.one(options);
        let must = option.contains(['R', 'r']) && !option.contains("in") && !option.contains("ck");
        let mut words =
            if self.once_in(10) && option.len() == 2 { vec![format!("{option}{chain}")] } else { vec![option, chain.to_owned()] };
        if may_number && (must && !self.once_in(10) || self.once_in(2)) {
            words.push(self.number());
        }
        words
    }

    fn command(&mut self) -> Vec<String> {
        let kind = self.chance.below(30);
        let chain = self.chain();
        let word = |text: &str| text.to_owned();
        match kind {
            0..15 => {
                let (chain, rule) = self.rule();
                let mut words = self.about_a_rule(&chain);
                if self.once_in(8) {
                    words.splice(0..0, rule);
                } else {
                    words.extend(rule);
                }
                words
            }
            15 => vec![self.one(&["-D", "--delete"]), chain, self.number()],
            16..19 => vec![self.one(&["-N", "--new-chain", "--new"]), self.one(CHAINS)],
            19 | 20 => {
                let option = self.one(&["-X", "--delete-chain"]);
                if self.once_in(4) { vec![option] } else { vec![option, chain] }
            }
            21 => vec![self.one(&["-E", "--rename-chain", "--ren"]), chain, self.one(CHAINS)],
            22 => {
                let option = self.one(&["-F", "--flush", "--fl"]);
                if self.once_in(3) { vec![option] } else { vec![option, chain] }
            }
            23 | 24 => {
                let policy = self.one(&["ACCEPT", "DROP", "DROP", "REJECT", "a"]);
                let mut words = vec![self.one(&["-P", "--policy"]), chain, policy];
                if self.once_in(4) {
                    words.extend([word("-c"), word("3"), word("4")]);
                }
                words
            }
            25 => {
                let option = self.one(&["-Z", "--zero"]);
                match self.chance.below(3) {
                    0 => vec![option],
                    1 => vec![option, chain],
                    _ => vec![option, chain, self.number()],
                }
            }
            26 | 27 => {
                let mut words = vec![self.one(&["-L", "--list", "--lis"])];
                words.extend(if self.once_in(3) { None } else { Some(chain) });
                if words.len() == 2 && self.once_in(3) {
                    words.push(self.number());
                }
                words.push(self.one(&["-n", "-nv", "-nx", "-nvx", "--numeric", "-n"]));
                for (times, option) in [(3, "--line-numbers"), (8, "-Z"), (8, "--line")] {
                    words.extend(if self.once_in(times) { Some(word(option)) } else { None });
                }
                words
            }
            28 => {
                let mut words = vec![self.one(&["-S", "--list-rules"]), chain];
                words.extend(if self.once_in(2) { Some(self.number()) } else { None });
                words.extend(if self.once_in(4) { Some(word("-Z")) } else { None });
                words
            }
            // Two commands, or none.
            _ => {
                let (_, rule) = self.rule();
                let mut words = if self.once_in(2) { self.about_a_rule(&chain) } else { vec![word("-F")] };
                words.extend(rule);
                words.extend(if self.once_in(2) { Some(word("-X")) } else { None });
                words
            }
        }
    }

    /// How the rules stand after a command.
    fn ask(&mut self) -> Vec<String> {
        let words: &[&str] = match self.chance.below(6) {
            0 => &["-L", "-n", "-v", "-x", "--line-numbers"],
            1 => &["-L", "-n"],
            2 => &["-S", "-v"],
            _ => &["-S"],
        };
        ["-t", self.table].iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    /// A restore text of the one table, and its options.
    fn restore(&mut self) -> (Vec<String>, String) {
        let mut words = Vec::new();
        for (times, option) in
            [(2, "-n"), (3, "-c"), (5, "-v"), (12, "-t"), (12, "--noflush"), (12, "-w"), (30, "--counters"), (60, "-x"), (60, "-W")]
        {
            words.extend(if self.once_in(times) { Some(option.to_owned()) } else { None });
        }
        if self.once_in(10) {
            words.extend(["-T".to_owned(), self.one(&[self.table, self.table, "nat"])]);
        }
        let end = if self.once_in(12) { "\r\n" } else { "\n" };
        let mut text = String::new();
        if self.once_in(4) {
            text.push_str("# a comment\n\n");
        }
        text.push_str(&format!("*{}{end}", self.table));
        for _ in 0..self.chance.below(4) {
            let line = match self.chance.below(8) {
                0 => format!(":{}", self.chain()),
                1 | 2 => format!(":{} {} [5:6]", self.one(self.builtin), self.one(&["ACCEPT", "DROP", "-", "REJECT"])),
                3 => format!(":{} ACCEPT", self.chain()),
                _ => format!(":{} - [{}]", self.one(CHAINS), self.one(&["0:0", "1:2", "x"])),
            };
            text.push_str(&format!("{line}{end}"));
        }
        for _ in 0..self.chance.below(5) {
            let line = self.restore_line();
            text.push_str(&format!("{line}{end}"));
            if self.once_in(20) {
                text.push_str("\n#between\n");
            }
        }
        if !self.once_in(20) {
            text.push_str(&format!("COMMIT{end}"));
        }
        (words, text)
    }

    fn restore_line(&mut self) -> String {
        let (chain, rule) = self.rule();
        let words = match self.chance.below(12) {
            0 => {
                let words = self.command();
                // Of a table the text speaks already, and listings would be printed with names.
                if words.iter().any(|word| word.starts_with("-L") || word.starts_with("--l")) { vec![] } else { words }
            }
            1 => {
                let mut words = self.about_a_rule(&chain);
                words.extend(rule);
                words
            }
            _ => ["-A".to_owned(), chain].into_iter().chain(rule).collect(),
        };
        let counters = match self.chance.below(10) {
            0 => "[7:8] ",
            1 => "[7:8]",
            2 if self.once_in(4) => "[7:8 ",
            _ => "",
        };
        let said: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        format!("{counters}{}", said.join(" "))
    }
}

const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.0/8",
    "0/0",
    "10/8",
    "10.1.2.3/255.255.0.0",
    "10.1.2.3/255.0.255.0",
    "1.2.3.4,5.6.7.8",
    "1.2.3.4/16,5.6.7.8/0",
    "0.0.0.0/0",
    "1.2.3.4/32",
    "1.2.3.4/33",
    "256.1.1.1",
    "1.2.3",
    "::1",
    "",
];

const ADDRESSES_6: &[&str] = &[
    "::1",
    "::/0",
    "fe80::/10",
    "2001:db8::1/64",
    "2001:db8::1,::2",
    "::1/129",
    "::ffff:1.2.3.4",
    "1.2.3.4",
    "fe80::1/ffff::",
    "0::0",
];

const INTERFACES: &[&str] = &["eth0", "eth+", "lo", "abcdefghijklmno", "abcdefghijklmnop", "a/b", "e!h"];

const PROTOCOLS: &[&str] =
    &["tcp", "udp", "icmp", "ipv6-icmp", "icmpv6", "all", "0", "6", "TCP", "256", "nosuch", "esp", "gre", "132", "017"];
