//! The machine that a result is about: without it a number says nothing.

use std::fs;

use serde::{Deserialize, Serialize};

/// A description that fits into a line or two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor, as it names itself, with family, model and stepping.
    pub cpu: String,
    /// How many of them this process may use.
    pub cpus: usize,
    /// Its caches, the nearest first: "L1d 32K".
    pub caches: Vec<String>,
    /// In MiB.
    pub memory: u64,
    /// Its version.
    pub kernel: String,
    /// When transparent huge pages are given.
    pub huge_pages: String,
    /// Is it somebody's guest?
    pub virtual_machine: bool,
    /// Processes that wanted to run when the benchmark began, in the average of a minute.
    pub load: f64,
}

impl Machine {
    /// This one, now. What it does not tell is left empty.
    pub fn here() -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let field = |name: &str| {
            let line = cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
            line.and_then(|line| line.split(':').nth(1)).unwrap_or_default().trim().to_owned()
        };
        Self {
            cpu: format!(
                "{} (family {}, model {}, stepping {})",
                field("model name"),
                field("cpu family"),
                field("model"),
                field("stepping")
            ),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            caches: caches(),
            memory: total_memory(),
            kernel: read("/proc/sys/kernel/osrelease"),
            huge_pages: chosen(&read("/sys/kernel/mm/transparent_hugepage/enabled")).to_owned(),
            virtual_machine: field("flags").split(' ').any(|flag| flag == "hypervisor"),
            load: read("/proc/loadavg").split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default(),
        }
    }
}

/// A file of the kernel's, or nothing.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// The word in brackets.
fn chosen(words: &str) -> &str {
    words.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(word, _)| word)
}

fn caches() -> Vec<String> {
    let about = |index: usize, what: &str| read(&format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{what}"));
    let present =
        (0..8).take_while(|index| !about(*index, "level").is_empty()).filter(|index| about(*index, "type") != "Instruction");
    let name = |index| if about(index, "type") == "Data" { "d" } else { "" };
    present.map(|index| format!("L{}{} {}", about(index, "level"), name(index), about(index, "size"))).collect()
}

fn total_memory() -> u64 {
    let memory = read("/proc/meminfo");
    let kilobytes = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() >> 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_in_brackets_is_the_chosen_one() {
        assert_eq!(chosen("always [madvise] never"), "madvise");
        assert_eq!(chosen(""), "");
    }

    #[test]
    fn this_machine_has_a_processor_and_memory() {
        let machine = Machine::here();
        assert!(machine.cpus > 0 && machine.memory > 0 && !machine.kernel.is_empty(), "{machine:?}");
    }
}
