//! A case: rules and packets, and what the kernel did with them, as a text file that people can read.
//!
//! ```text
//! # what it is about
//! seed 1
//! sets                            made before the rules are loaded, as `ipset restore` reads them
//! create a hash:ip
//! end
//! ipv6                            rules and packets are those of IPv6
//! clock 1795842000                the rules speak of times round this one, in seconds since 1970: it is what the clock on the wall shows
//! redirects                       the router tells hosts of better ways (`send_redirects`); without this line it does not
//! rules
//! *filter
//! ...
//! COMMIT
//! end
//! packet eth0 020000000001...     a frame comes in
//! also 020000000001...            another, in the same burst
//! answer 0 tcp 12 5000 1001 0     to the first frame that step 0 sent out: a segment with these flags, seq, ack and bytes of data
//! answer 0 back 10 5000 1 0 - - -  a segment that acknowledges one more than the frame's number; with a timestamp, edges of SACK, a scale
//! answer 0 udp 4                  a datagram of 4 bytes
//! answer 0 echo                   the reply to an echo request
//! answer 0 error 3 1 28           an ICMP error 3/1 that quotes 28 bytes of it
//! local 4500...                   a program on the box sends this packet
//! advance 100                     milliseconds pass
//! ipset add a 10.0.0.2            sets change
//! kernel                          what the kernel did: see [`crate::observed`]
//! ...
//! ```

use std::fmt::Write;

use anyhow::{Context, Result, bail, ensure};

use crate::answer::Answer;
use crate::frame::View;
use crate::observed::Observed;
use crate::world::Port;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Frames come in from the wire, as one burst.
    Packets(Port, Vec<Vec<u8>>),
    /// Whoever got the first frame that an earlier step sent out answers it. Nothing happens if that step sent nothing.
    Answer {
        /// Which step, counted from 0.
        to: usize,
        /// With what.
        with: Answer,
    },
    /// A program on the box sends an IP packet, as by a raw socket.
    Local(Vec<u8>),
    /// Milliseconds pass.
    Advance(u64),
    /// A command changes sets: what stands behind `ipset`.
    Ipset(String),
}

/// A case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// What it is about: the comment at its head.
    pub about: String,
    /// For what is random in the engine.
    pub seed: u64,
    /// Its rules are ip6tables', and its packets IPv6.
    pub ipv6: bool,
    /// Does the router send ICMP redirects?
    pub redirects: bool,
    /// As `ipset restore` reads them.
    pub sets: String,
    /// What the clock on the wall shows, in seconds since 1970, where rules ask. The kernel's is the machine's, so it runs such a case within a minute.
    pub clock: Option<u64>,
    /// As `iptables-restore` reads them.
    pub rules: String,
    /// What happens.
    pub steps: Vec<Step>,
}

/// Built-in tables, each with its chains.
const TABLES: [(&str, &[&str]); 5] = [
    ("raw", &["PREROUTING", "OUTPUT"]),
    ("mangle", &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]),
    ("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
    ("filter", &["INPUT", "FORWARD", "OUTPUT"]),
    ("security", &["INPUT", "FORWARD", "OUTPUT"]),
];

impl Case {
    /// The rules with every table in them: loading them leaves nothing of an earlier case.
    pub fn all_tables(&self) -> String {
        let mut text = self.rules.clone();
        for (table, chains) in TABLES {
            if !self.rules.lines().any(|line| line.strip_prefix('*') == Some(table)) {
                text.push_str(&format!("*{table}\n"));
                chains.iter().for_each(|chain| text.push_str(&format!(":{chain} ACCEPT [0:0]\n")));
                text.push_str("COMMIT\n");
            }
        }
        text
    }

    /// Does a rule write lines into the log?
    pub fn logs(&self) -> bool {
        self.rules.contains("-j LOG") || self.traces()
    }

    /// Does a rule have packets told of?
    pub fn traces(&self) -> bool {
        self.rules.contains("-j TRACE")
    }

    /// Does a rule count connections?
    pub fn counts_connections(&self) -> bool {
        self.rules.contains("-m connlimit")
    }

    /// Do rules remember something under a name? In the kernel that goes on while a rule names it, and would into the next case.
    pub fn names_memories(&self) -> bool {
        [" -m recent ", " -m hashlimit "].iter().any(|words| self.rules.contains(words))
    }

    /// Does a rule name a timeout policy? Then it is compared how long connections have left.
    pub fn names_policies(&self) -> bool {
        self.rules.contains(" --timeout ")
    }

    /// Does it hang on how much time passes between its packets?
    pub fn is_timed(&self) -> bool {
        self.redirects || self.steps.iter().any(|step| matches!(step, Step::Advance(_)))
    }

    /// Do pieces of datagrams come in?
    pub fn has_fragments(&self) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Packets(_, frames) => frames.iter().filter_map(|frame| View::of_frame(frame)).any(|view| view.fragment),
            Step::Answer { .. } | Step::Local(_) | Step::Advance(_) | Step::Ipset(_) => false,
        })
    }

    /// Packets that come in, from the wire and from programs on the box.
    pub fn packets(&self) -> usize {
        self.steps
            .iter()
            .map(|step| match step {
                Step::Packets(_, frames) => frames.len(),
                Step::Answer { .. } | Step::Local(_) => 1,
                Step::Advance(_) | Step::Ipset(_) => 0,
            })
            .sum()
    }

    /// As a file, with what the kernel did if that is known.
    pub fn write(&self, kernel: Option<&Observed>) -> String {
        let mut out = String::new();
        self.about.lines().for_each(|line| put(&mut out, format_args!("# {line}")));
        let redirects = if self.redirects { "redirects\n" } else { "" };
        let clock = self.clock.map_or_else(String::new, |clock| format!("clock {clock}\n"));
        let family = if self.ipv6 { "ipv6\n" } else { "" };
        let sets = if self.sets.is_empty() { String::new() } else { format!("sets\n{}end\n", self.sets) };
        put(&mut out, format_args!("seed {}\n{family}{redirects}{clock}{sets}rules\n{}end", self.seed, self.rules));
        for step in &self.steps {
            match step {
                Step::Packets(port, frames) => {
                    for (i, frame) in frames.iter().enumerate() {
                        let word = if i == 0 { format!("packet {}", port.name()) } else { "also".to_owned() };
                        put(&mut out, format_args!("{word} {}", hex(frame)));
                    }
                }
                Step::Answer { to, with } => put(&mut out, format_args!("answer {to} {}", with.words())),
                Step::Local(packet) => put(&mut out, format_args!("local {}", hex(packet))),
                Step::Advance(millis) => put(&mut out, format_args!("advance {millis}")),
                Step::Ipset(command) => put(&mut out, format_args!("ipset {command}")),
            }
        }
        if let Some(kernel) = kernel {
            out.push_str("kernel\n");
            kernel.write(&mut out);
        }
        out
    }

    /// Reads a file; with what the kernel did if that is in it.
    ///
    /// # Errors
    /// A line that cannot be read, with its number.
    pub fn parse(text: &str) -> Result<(Self, Option<Observed>)> {
        let mut case = Self::default();
        let mut kernel: Option<Observed> = None;
        // The text at hand.
        let mut within: Option<&str> = None;
        for (number, line) in text.lines().enumerate() {
            let read = if let Some(text) = within {
                match line {
                    "end" => within = None,
                    _ if text == "sets" => case.sets.push_str(&format!("{line}\n")),
                    _ => case.rules.push_str(&format!("{line}\n")),
                }
                Ok(())
            } else if let Some(kernel) = &mut kernel {
                kernel.read(line)
            } else if matches!(line, "rules" | "sets") {
                within = Some(line);
                Ok(())
            } else if line == "kernel" {
                kernel = Some(Observed::default());
                Ok(())
            } else {
                case.read(line)
            };
            read.with_context(|| format!("line {}", number + 1))?;
        }
        if let Some(kernel) = kernel.as_mut().filter(|kernel| kernel.refused.is_none()) {
            ensure!(kernel.steps.len() <= case.steps.len(), "the kernel answered more steps than there are");
            kernel.steps.resize(case.steps.len(), Vec::new());
        }
        Ok((case, kernel))
    }

    fn read(&mut self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [] => {}
            ["#", ..] => self.about.push_str(&format!("{}\n", line.trim_start_matches('#').trim())),
            ["seed", seed] => self.seed = seed.parse()?,
            ["ipv6"] => self.ipv6 = true,
            ["redirects"] => self.redirects = true,
            ["clock", clock] => self.clock = Some(clock.parse()?),
            ["packet", port, frame] => {
                self.steps.push(Step::Packets(Port::named(port).context("a port")?, vec![unhex(frame)?]));
            }
            ["also", frame] => match self.steps.last_mut() {
                Some(Step::Packets(_, frames)) => frames.push(unhex(frame)?),
                _ => bail!("`also` follows a packet"),
            },
            ["answer", to, ..] => {
                let to = to.parse()?;
                ensure!(to < self.steps.len(), "an answer to a later step");
                self.steps.push(Step::Answer { to, with: Answer::parse(&words[2..])? });
            }
            ["local", packet] => self.steps.push(Step::Local(unhex(packet)?)),
            ["ipset", ..] => self.steps.push(Step::Ipset(line["ipset".len()..].trim().to_owned())),
            ["advance", millis] => self.steps.push(Step::Advance(millis.parse()?)),
            _ => bail!("cannot read {line:?}"),
        }
        Ok(())
    }
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").unwrap_or_else(|_| unreachable!("a String takes everything"));
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal digits as bytes.
pub(crate) fn unhex(digits: &str) -> Result<Vec<u8>> {
    ensure!(digits.len().is_multiple_of(2) && digits.is_ascii(), "an even number of hexadecimal digits");
    (0..digits.len()).step_by(2).map(|i| Ok(u8::from_str_radix(&digits[i..i + 2], 16)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Line;

    #[test]
    fn a_case_is_read_back_as_it_was_written() {
        let back = Answer::Back { flags: 0x10, seq: 1, ahead: 2, data: 3, stamp: Some(4), sack: Some((5, 6)), scale: None };
        let case = Case {
            about: "two lines\nof it\n".into(),
            seed: 7,
            ipv6: true,
            redirects: true,
            sets: "create a hash:ip counters\n".into(),
            clock: Some(9),
            rules: "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n".into(),
            steps: vec![
                Step::Packets(Port::Eth0, vec![vec![1, 2, 255], vec![3]]),
                Step::Answer { to: 0, with: Answer::Tcp { flags: 0x12, seq: 1, ack: 2, data: 3 } },
                Step::Answer { to: 0, with: back },
                Step::Answer { to: 0, with: Answer::Udp { data: 3 } },
                Step::Answer { to: 0, with: Answer::Echo },
                Step::Answer { to: 1, with: Answer::Error { kind: 3, code: 1, quote: 28 } },
                Step::Advance(5),
                Step::Ipset("add a 10.0.0.2".into()),
                Step::Local(vec![0x45, 0]),
            ],
        };
        let mut kernel = Observed {
            steps: vec![Vec::new(); 9],
            sets: vec!["add a 10.0.0.2 packets 1 bytes 60".into()],
            delivered: 1,
            ..Observed::default()
        };
        kernel.steps[2].push((Port::Eth1, vec![9, 9]));
        kernel.logs.push(Line { step: 2, level: Some(4), text: "a b  IN=eth0 OUT= ".into() });
        kernel.counters.insert("filter INPUT 0".into(), (1, 60));
        assert_eq!(Case::parse(&case.write(None)).unwrap(), (case.clone(), None));
        assert_eq!(Case::parse(&case.write(Some(&kernel))).unwrap(), (case, Some(kernel)));
    }
}
