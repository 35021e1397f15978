//! What a system was seen to do with a case.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;

use anyhow::{Context, Result, bail, ensure};

use crate::case::{hex, unhex};
use crate::world::Port;

/// A frame that left the router.
pub type Egress = (Port, Vec<u8>);

/// One direction of a connection entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Half {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Source and destination port; for ICMP and ICMPv6 type * 256 + code, and identifier; of PPTP's GRE the calls; zeroes for what has neither.
    pub l4: (u16, u16),
    /// Packets counted.
    pub packets: u64,
    /// Bytes counted.
    pub bytes: u64,
}

/// A connection entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Protocol number.
    pub protocol: u8,
    /// TCP's or SCTP's state, else empty.
    pub state: String,
    /// Original and reply direction.
    pub halves: [Half; 2],
    /// `[UNREPLIED]`
    pub unreplied: bool,
    /// `[ASSURED]`
    pub assured: bool,
    /// Its mark.
    pub mark: u32,
    /// Seconds left, to the nearest hundred, where timeout policies are compared.
    pub timeout: Option<u32>,
}

/// A line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// In which step it was written.
    pub step: usize,
    /// `--log-level`; `None` where lines are written without it.
    pub level: Option<u8>,
    /// All of it; what is not UTF-8 is replaced.
    pub text: String,
}

/// Everything that is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The rules were refused; nothing else was seen.
    pub refused: Option<String>,
    /// What left the router, by step; within a step eth0's frames before eth1's, each in order.
    pub steps: Vec<Vec<Egress>>,
    /// Lines in the log, in order.
    pub logs: Vec<Line>,
    /// Packets and bytes by `table chain number`; number 0 is the chain's policy.
    pub counters: BTreeMap<String, (u64, u64)>,
    /// Connections, sorted.
    pub entries: Vec<Entry>,
    /// Packets that reached the box's own stack.
    pub delivered: u64,
    /// Elements of sets as `ipset save` has them, sorted, without how long they last.
    pub sets: Vec<String>,
}

impl Observed {
    /// As lines of a case file. Counters that are zero are left out.
    pub fn write(&self, out: &mut String) {
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        if let Some(reason) = &self.refused {
            line(format!("refused {}", reason.replace('\n', " ")));
        }
        for (step, frames) in self.steps.iter().enumerate() {
            for (port, frame) in frames {
                line(format!("out {step} {} {}", port.name(), hex(frame)));
            }
        }
        for Line { step, level, text } in &self.logs {
            let level = level.map_or("-".to_owned(), |level| level.to_string());
            line(format!("log {step} {level} {text}"));
        }
        for (name, (packets, bytes)) in self.counters.iter().filter(|(_, count)| **count != (0, 0)) {
            line(format!("count {name} {packets} {bytes}"));
        }
        for entry in &self.entries {
            line(entry.line());
        }
        self.sets.iter().for_each(|element| line(format!("set {element}")));
        line(format!("delivered {}", self.delivered));
    }

    /// Takes in one line that [`Observed::write`] wrote.
    ///
    /// # Errors
    /// It is none.
    pub fn read(&mut self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["refused", ..] => self.refused = Some(line["refused".len()..].trim().to_owned()),
            ["out", step, port, frame] => {
                let step: usize = step.parse()?;
                ensure!(step < 100_000, "step {step}?");
                if self.steps.len() <= step {
                    self.steps.resize(step + 1, Vec::new());
                }
                self.steps[step].push((Port::named(port).context("a port")?, unhex(frame)?));
            }
            ["log", step, level, ..] => {
                let text = line.splitn(4, ' ').nth(3).unwrap_or_default().to_owned();
                self.logs.push(Line { step: step.parse()?, level: (*level != *"-").then(|| level.parse()).transpose()?, text });
            }
            ["count", table, chain, number, packets, bytes] => {
                self.counters.insert(format!("{table} {chain} {number}"), (packets.parse()?, bytes.parse()?));
            }
            ["flow", ..] => self.entries.push(Entry::parse(&words[1..])?),
            ["set", ..] => self.sets.push(line["set ".len()..].to_owned()),
            ["delivered", count] => self.delivered = count.parse()?,
            _ => bail!("cannot read {line:?}"),
        }
        Ok(())
    }
}

impl Entry {
    /// As a line of a case file.
    pub fn line(&self) -> String {
        let state = if self.state.is_empty() { "-" } else { &self.state };
        let mut line = format!("flow {} {state}", self.protocol);
        for Half { src, dst, l4, packets, bytes } in &self.halves {
            write!(line, " {src} {dst} {} {} {packets} {bytes}", l4.0, l4.1).unwrap_or_else(|_| unreachable!("a String takes all"));
        }
        let timeout = self.timeout.map_or_else(String::new, |seconds| format!(" {seconds}"));
        line + &format!(
            " {} {} {}{timeout}",
            if self.unreplied { "UNREPLIED" } else { "-" },
            if self.assured { "ASSURED" } else { "-" },
            self.mark
        )
    }

    fn parse(words: &[&str]) -> Result<Self> {
        ensure!(matches!(words.len(), 17 | 18), "a flow has 17 words, or 18: {words:?}");
        let half = |w: &[&str]| -> Result<Half> {
            Ok(Half {
                src: w[0].parse()?,
                dst: w[1].parse()?,
                l4: (w[2].parse()?, w[3].parse()?),
                packets: w[4].parse()?,
                bytes: w[5].parse()?,
            })
        };
        Ok(Self {
            protocol: words[0].parse()?,
            state: if words[1] == "-" { String::new() } else { words[1].to_owned() },
            halves: [half(&words[2..8])?, half(&words[8..14])?],
            unreplied: words[14] == "UNREPLIED",
            assured: words[15] == "ASSURED",
            mark: words[16].parse()?,
            timeout: words.get(17).map(|seconds| seconds.parse()).transpose()?,
        })
    }
}
