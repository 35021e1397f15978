//! The kernel's log. It belongs to the whole machine: what is ours is told by a tag in front of every prefix.
//!
//! In a namespace LOG writes only while `net.netfilter.nf_log_all_netns` is 1, which only the machine's first namespace can set:
//! `tests/kernel/logging COMMAND` does, for as long as the command runs.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::os::fd::OwnedFd;

use anyhow::{Context, Result};
use rustix::fs::{Mode, OFlags, SeekFrom};
use rustix::io::Errno;

/// Longest `--log-prefix`.
const PREFIX: usize = 29;
/// Longest record that the kernel gives.
const RECORD: usize = 8192;

/// The end of the log, and a tag for what is written from now on.
pub struct Kmsg {
    log: OwnedFd,
    tag: String,
}

impl Kmsg {
    /// Opens the log behind all that is in it.
    ///
    /// # Errors
    /// It may not be read.
    pub fn new() -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let log = rustix::fs::open("/dev/kmsg", flags, Mode::empty()).context("/dev/kmsg cannot be read")?;
        let chance = RandomState::new().build_hasher().finish();
        let mut kmsg = Self { log, tag: format!("~{:04x}~", chance & 0xffff) };
        kmsg.skip()?;
        Ok(kmsg)
    }

    /// The rules with the tag in front of every prefix. A prefix that leaves no room for it stays as it is.
    pub fn tagged(&self, rules: &str) -> String {
        rules.lines().map(|line| tagged(line, &self.tag) + "\n").collect()
    }

    /// Passes over all that was written so far. Here nothing can be lost: the whole machine writes to the log, and what it held between two cases
    /// is nobody's.
    ///
    /// # Errors
    /// The system's.
    pub fn skip(&mut self) -> Result<()> {
        rustix::fs::seek(&self.log, SeekFrom::End(0))?;
        Ok(())
    }

    /// What was written since the last reading or skip under such rules: level and text, the tag taken off.
    ///
    /// # Errors
    /// Lines were lost: the log went over them before they were read.
    pub fn read(&mut self, rules: &str) -> Result<Vec<(u8, String)>> {
        let untagged: Vec<&str> = rules.lines().filter_map(long_prefix).filter(|p| p.len() + self.tag.len() > PREFIX).collect();
        let mut lines = Vec::new();
        let mut room = [0; RECORD];
        loop {
            let record = match rustix::io::read(&self.log, &mut room) {
                Ok(len) => &room[..len],
                Err(Errno::AGAIN) => return Ok(lines),
                Err(error) => return Err(error).context("/dev/kmsg: lines were lost"),
            };
            let Some((level, text)) = parsed(record) else { continue };
            if let Some(ours) = text.strip_prefix(&self.tag) {
                lines.push((level, ours.to_owned()));
            } else if rules.contains("-j TRACE") && text.starts_with("TRACE: ") {
                // Nobody can put a tag before these: who else has packets told of must not run beside.
                lines.push((level, without_sender(text)));
            } else if untagged.iter().any(|prefix| text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("IN="))) {
                lines.push((level, text));
            }
        }
    }
}

/// The line without who sent the packet, which only the kernel knows (docs/deviations.md, `log-uid`).
fn without_sender(line: String) -> String {
    let Some((front, sender)) = line.split_once("UID=") else { return line };
    let rest = sender.split_once("GID=").and_then(|(_, rest)| rest.split_once(' '));
    format!("{front}{}", rest.map_or("", |(_, rest)| rest))
}

/// A rule with the tag in front of its prefix, if it is a LOG rule and there is room.
fn tagged(rule: &str, tag: &str) -> String {
    if !rule.contains("-j LOG") {
        return rule.to_owned();
    }
    let Some((before, rest)) = rule.split_once("--log-prefix ") else { return format!("{rule} --log-prefix \"{tag}\"") };
    let (quote, text) = rest.strip_prefix('"').map_or(("", rest), |text| ("\"", text));
    let len = text.find(if quote.is_empty() { ' ' } else { '"' }).unwrap_or(text.len());
    let tag = if len + tag.len() <= PREFIX { tag } else { "" };
    format!("{before}--log-prefix {quote}{tag}{text}")
}

/// The quoted prefix of a LOG rule.
fn long_prefix(line: &str) -> Option<&str> {
    let (_, text) = line.split_once("-j LOG")?.1.split_once("--log-prefix \"")?;
    text.split('"').next()
}

/// Level and text of a record: `priority,sequence,time,flags;text`, a line; then lines about devices. Bytes that do not print are `\xNN`.
fn parsed(record: &[u8]) -> Option<(u8, String)> {
    let line = record.split(|byte| *byte == b'\n').next()?;
    let at = line.iter().position(|byte| *byte == b';')?;
    let priority: u32 = std::str::from_utf8(&line[..at]).ok()?.split(',').next()?.parse().ok()?;
    let mut bytes = Vec::new();
    let mut rest = &line[at + 1..];
    while let Some((&first, behind)) = rest.split_first() {
        let escaped =
            rest.strip_prefix(b"\\x").and_then(|rest| u8::from_str_radix(std::str::from_utf8(rest.get(..2)?).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &rest[4..] } else { behind };
    }
    Some(((priority & 7) as u8, String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_log_rule_gets_the_tag_and_no_other_rule() {
        for (rule, with) in [
            ("-A INPUT -j DROP", "-A INPUT -j DROP"),
            ("-A INPUT -j LOG", "-A INPUT -j LOG --log-prefix \"~1~\""),
            ("-A INPUT -j LOG --log-prefix a --log-uid", "-A INPUT -j LOG --log-prefix ~1~a --log-uid"),
            ("-A INPUT -j LOG --log-prefix \"a b\" --log-level 3", "-A INPUT -j LOG --log-prefix \"~1~a b\" --log-level 3"),
            ("-j LOG --log-prefix \"12345678901234567890123456\"", "-j LOG --log-prefix \"~1~12345678901234567890123456\""),
            ("-j LOG --log-prefix \"123456789012345678901234567\"", "-j LOG --log-prefix \"123456789012345678901234567\""),
        ] {
            assert_eq!(tagged(rule, "~1~"), with);
        }
    }

    #[test]
    fn a_line_is_compared_without_its_sender() {
        for (line, without) in
            [("TRACE: SPT=1 UID=0 GID=0 MARK=0x1 ", "TRACE: SPT=1 MARK=0x1 "), ("TRACE: PROTO=47 ", "TRACE: PROTO=47 ")]
        {
            assert_eq!(without_sender(line.to_owned()), without);
        }
    }

    #[test]
    fn a_record_is_read_with_its_escapes() {
        let record = b"4,1019,12960515397,-;~1~\\xc3\\xa4\\x5cx IN=eth0 OUT= \n SUBSYSTEM=net\n";
        assert_eq!(parsed(record), Some((4, "~1~\u{e4}\\x IN=eth0 OUT= ".to_owned())));
        assert_eq!(parsed(b"30,1,1,-;from a daemon\n").unwrap().0, 6);
        assert_eq!(parsed(b"nothing"), None);
    }
}
