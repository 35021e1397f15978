//! The conntrack command and connections to show to it, in a form in which two tables with the same connections say the same.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use crate::kernel;
use crate::lab::{Lab, Shape, System};
use crate::process::wait_until;

/// A TCP connection from one port to another; both ends.
pub fn connected(lab: &Lab, from: (bool, &str), listen: (bool, &str), to: &str) -> Result<(TcpStream, TcpStream)> {
    let side = |inside| if inside { &lab.inside } else { &lab.outside };
    let listen_at: SocketAddr = listen.1.parse()?;
    let listener = side(listen.0).within(move || TcpListener::bind(listen_at))??;
    let (from_at, to): (SocketAddr, SocketAddr) = (from.1.parse()?, to.parse()?);
    let here = side(from.0).within(move || -> Result<TcpStream> {
        let family = if from_at.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket(family, SocketType::STREAM, None)?;
        bind(&socket, &from_at)?;
        connect(&socket, &to)?;
        Ok(socket.into())
    })??;
    Ok((here, listener.accept()?.0))
}

/// What a command printed, line by line in an order that hangs on nothing, without what no two tables have in common, and its exit code.
pub fn said(lab: &Lab, command: &str) -> Result<Vec<String>> {
    let (_, text) = lab.cli(&format!("sh -c '{command}; echo exit code $?'"))?;
    let mut lines: Vec<String> = text.lines().map(masked).collect();
    lines.sort();
    Ok(lines)
}

/// Without seconds left, holders of an entry, and numbers of entries.
pub fn masked(line: &str) -> String {
    let line = &masked_fields(&masked_time(line));
    let words: Vec<&str> = line.split(' ').collect();
    let is_flow = line.contains(" src=");
    let number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    // Protocol number, seconds: the last two numbers before the first attribute.
    let seconds =
        words.iter().position(|word| word.starts_with("src=")).and_then(|end| words[..end].iter().rposition(|w| number(w)));
    let mark = words.iter().position(|word| word.starts_with("mark=")).unwrap_or(usize::MAX);
    let word = |(at, word): (usize, &&str)| match word.split_once('=') {
        _ if is_flow && Some(at) == seconds => "SECONDS".to_owned(),
        Some(("delta-time", value)) if number(value) => "delta-time=N".to_owned(),
        Some((name @ ("use" | "id"), value)) if number(value) && at > mark => format!("{name}=N"),
        _ => (*word).to_owned(),
    };
    words.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// Without the numbers of `-o xml`, `-o save` and `-o timestamp` that no two tables have in common.
pub fn masked_fields(line: &str) -> String {
    let tags = ["timeout", "id", "use", "start", "stop", "deltatime", "hour", "min", "sec"];
    let ends = tags.map(|tag| (format!("<{tag}>"), format!("</{tag}>")));
    let others = [("-t ", " -u"), ("[", "]\t")].map(|(before, after)| (before.to_owned(), after.to_owned()));
    let masked = ends.iter().chain(&others).fold(line.to_owned(), |line, (before, after)| {
        let Some((front, rest)) = line.split_once(before.as_str()) else { return line };
        let Some((number, back)) = rest.split_once(after.as_str()) else { return line };
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || b". ".contains(&byte));
        if is_number { format!("{front}{before}N{after}{back}") } else { line }
    });
    masked.replace("[N]\t", "[N] ")
}

/// Without the days and hours of `-o ktimestamp`, which must be such.
pub fn masked_time(line: &str) -> String {
    let mut masked = line.to_owned();
    for name in ["[start=", "[stop="] {
        let Some((before, rest)) = masked.split_once(name) else { continue };
        let Some((time, after)) = rest.split_once(']') else { continue };
        // As in `Thu Nov 26 19:08:41 2026`.
        let is_time = time.len() == 24 && time.split_whitespace().count() == 5 && time.matches(':').count() == 2;
        masked = format!("{before}{name}{}]{after}", if is_time { "TIME" } else { time });
    }
    masked
}

/// What `conntrack -E` says of what happens meanwhile, and how much it counts.
pub fn heard(lab: &Lab, options: &str, what: &str, happens: impl FnOnce() -> Result<()>) -> Result<Vec<String>> {
    let file = lab.run_dir().with_file_name("events");
    let file = file.display();
    lab.ok(&format!("sh -c 'conntrack -E {options} >{file} 2>&1 </dev/null & echo $! >{file}.pid'"))?;
    std::thread::sleep(Duration::from_millis(500));
    happens()?;
    std::thread::sleep(Duration::from_millis(300));
    lab.ok(&format!("sh -c 'kill -INT $(cat {file}.pid)'"))?;
    let read = || std::fs::read_to_string(format!("{file}")).context("the events");
    wait_until("the last line", Duration::from_secs(5), || Ok(read()?.contains("have been shown")))?;
    let told = read()?;
    let is_event = |line: &&str| [" src=", "<src>", " -s "].iter().any(|word| line.contains(word));
    let count = told.lines().filter(is_event).count();
    ensure!(told.contains(&format!(": {count} {what} events have been shown.")), "{told}");
    if options.contains("xml") {
        let [first, name] = [0, 1].map(|at| told.lines().nth(at).unwrap_or_default());
        let table = name.trim_start_matches('<');
        ensure!(first == r#"<?xml version="1.0" encoding="utf-8"?>"# && told.contains(&format!("</{table}\n")), "{told}");
    }
    Ok(told.lines().filter(is_event).map(str::to_owned).collect())
}

/// Sums of statistics over all processors or workers.
pub fn sums(lab: &Lab, command: &str, names: &[&str]) -> Result<String> {
    let text = lab.ok(command)?;
    let sum = |name: &str| -> u64 {
        text.split_whitespace().filter_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok()).sum()
    };
    Ok(names.iter().map(|name| format!("{name}={}", sum(name))).collect::<Vec<_>>().join(" "))
}

/// A box with connections, and what it is asked.
pub struct Talk {
    /// IPv6 beside IPv4.
    pub ipv6: bool,
    /// What it enforces, as iptables-save or, with IPv6, ip6tables-save has it.
    pub rules: &'static str,
    /// Its settings of tracking, as [`Shape::conntrack`].
    pub conntrack: &'static [(&'static str, &'static str)],
    /// Makes the connections; they live as long as what it returns.
    pub traffic: fn(&Lab) -> Result<Vec<TcpStream>>,
    /// Commands that change nothing.
    pub looks: &'static [&'static str],
    /// Commands that do, each followed by a look.
    pub changes: &'static [&'static str],
    /// How it is looked after a change.
    pub look: &'static str,
    /// Lines of the first look at the kernel.
    pub listed: usize,
}

/// Everything that is said, from a fresh box to an empty table.
fn conversation(system: System, talk: &Talk) -> Result<Vec<(String, Vec<String>)>> {
    let mut lab = Lab::new(Shape { system, ipv6: talk.ipv6, conntrack: talk.conntrack, ..Shape::default() })?;
    lab.start()?;
    if talk.ipv6 {
        lab.restore_ipv6(talk.rules)?
    } else {
        lab.restore(talk.rules)?
    }
    let _connections = (talk.traffic)(&lab)?;
    let mut all = Vec::new();
    for command in talk.looks {
        all.push(((*command).to_owned(), said(&lab, command)?));
    }
    for command in talk.changes {
        all.push(((*command).to_owned(), said(&lab, command)?));
        all.push((format!("after {command}: {}", talk.look), said(&lab, talk.look)?));
    }
    Ok(all)
}

/// The same through the kernel and through Rampart: every line is to be the same.
pub fn compare(talk: &Talk) -> Result<()> {
    if kernel::lacks("a comparison with itself") {
        return Ok(());
    }
    let (linux, rampart) = (conversation(System::Kernel, talk)?, conversation(System::Rampart, talk)?);
    let listed = linux.first().context("an answer")?.1.len();
    ensure!(listed == talk.listed + 2, "the kernel shows {}: {:#?}", talk.listed, linux[0]);
    let mut differences = String::new();
    for ((command, linux), (_, rampart)) in linux.iter().zip(&rampart) {
        if linux != rampart {
            differences +=
                &format!("{command}\n  kernel:  {}\n  rampart: {}\n", linux.join("\n           "), rampart.join("\n           "));
        }
    }
    ensure!(differences.is_empty(), "{differences}");
    Ok(())
}
