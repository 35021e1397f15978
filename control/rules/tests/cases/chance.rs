//! Rules changed by chance: which words stand in for others, and where such rules cannot be compared with the real iptables.

/// Files whose lines cannot be compared so, and why.
pub(crate) const EXCEPTIONS: &[(&str, &str)] = &[
    ("cgroup", "groups are asked of the kernel"),
    ("connlabel", "warns of a file that is not there"),
    ("fullcone", "ours alone"),
    ("names", "differs on purpose"),
    ("nfacct", "needs an object of the kernel"),
    ("rateest", "needs an estimator"),
    ("readback", "differs on purpose"),
    ("selinux", "ours alone"),
    ("set", "needs sets"),
    ("sets", "needs sets"),
    ("unsupported", "differs on purpose"),
    ("CLUSTERIP", "not in the kernel"),
    ("CONNSECMARK", "needs SELinux"),
    ("CT", "needs a timeout policy"),
    ("DNAT", "iptables takes two characters before the port for no address"),
    ("ipvs", "not in the kernel"),
    ("LED", "not in the kernel"),
    ("SECMARK", "needs SELinux"),
    ("ULOG", "not in the kernel"),
];

/// Files of extensions of which ours refuses on purpose what the real one cuts to what fits, or does not look at.
pub(crate) const REFUSES_MORE: &[&str] = &[
    "bpf",
    "conntrack",
    "connlabel",
    "dccp",
    "hashlimit",
    "mac",
    "multiport",
    "time",
    "udp",
    "HMARK",
    "NETMAP",
    "RATEEST",
    "SNAT",
    "SYNPROXY",
    "REDIRECT",
    "MASQUERADE",
];

/// Words that stand in for others.
const WORDS: &[&str] = &[
    "0",
    "1",
    "5",
    "-1",
    "+5",
    " 7",
    "7 ",
    "0x10",
    "010",
    "08",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "",
    "x",
    "5x",
    "1:2",
    "2:1",
    ":",
    ":5",
    "5:",
    "1/2",
    "1/0xff",
    "/",
    "a,b",
    ",",
    "1.2.3.4",
    "1.2.3",
    "::1",
    "::1:2",
    "fe80::1",
    "1.2.3.4/24",
    "::1/64",
    "root",
    "!",
    "é",
    "a b",
    "\"",
    "\\",
    "'",
    "1-5",
    "5-1",
    "Mon",
    "12:30",
    "2020-02-30",
    "ALL",
    "NONE",
    "any",
    "all",
    "|41|",
    "|",
    "eth+",
    "+",
];

/// Numbers by chance, the same for the same seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }

    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// The rule with one to three of its words changed; `others` are words of rules of the same file.
pub(crate) fn mutated(words: &[String], others: &[String], chance: &mut Chance) -> Vec<String> {
    let mut words = words.to_vec();
    for _ in 0..1 + chance.below(3) {
        let at = chance.below(words.len());
        match chance.below(8) {
            0 | 1 if !words.is_empty() => words[at] = chance.one(WORDS).to_owned(),
            2 if !words.is_empty() => {
                let mut word: Vec<char> = words[at].chars().collect();
                let place = chance.below(word.len() + 1);
                let with = chance.one(&['0', '9', '-', ',', ':', '/', '=', '&', '!', ' ', 'x', 'T']);
                if chance.below(2) == 0 && place < word.len() {
                    word[place] = with;
                } else {
                    word.insert(place, with);
                }
                words[at] = word.into_iter().collect();
            }
            3 if !words.is_empty() => {
                words.remove(at);
            }
            4 => words.insert(at, "!".to_owned()),
            5 if !words.is_empty() => words.insert(at, words[chance.below(words.len())].clone()),
            _ if !others.is_empty() => {
                let from = chance.below(others.len());
                words.extend(others[from..].iter().take(1 + chance.below(3)).cloned());
            }
            _ => {}
        }
    }
    words
}

/// Words that are commands, or ask for help, are another matter.
pub(crate) fn is_a_rule(words: &[String]) -> bool {
    let is_command =
        |word: &String| word.starts_with('-') && word.chars().nth(1).is_some_and(|c| "ADCIRLSFZNXEPtvnxhVwWM46c".contains(c));
    !words.iter().any(|word| is_command(word) || word.contains(['\n', '\0']))
}

/// A number that is set for the test from outside.
pub(crate) fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
