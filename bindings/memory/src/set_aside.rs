//! Memory that is there from the start.

use std::{fs, io};

use thiserror::Error;

/// Below this a table is left to the heap: it is there soon enough.
const WORTH_IT: usize = 2 << 20;
/// What must stay for the rest of the machine.
const RESERVE: u64 = 64 << 20;

/// The memory is not there.
#[derive(Debug, Error)]
pub enum Short {
    /// The machine has less than that.
    #[error("{} MiB of memory are needed, and the machine has {} MiB to give", wanted >> 20, available >> 20)]
    Machine {
        /// Bytes asked for.
        wanted: u64,
        /// Bytes that the kernel says are available.
        available: u64,
    },
    /// The kernel refused.
    #[error("{} MiB of memory: {error}", wanted >> 20)]
    Kernel {
        /// Bytes asked for.
        wanted: u64,
        /// Why.
        error: io::Error,
    },
}

/// Has the kernel back all of this memory now, with huge pages where it can, so that nothing is missing later and no packet waits for a page.
/// What is in it stays. Refuses before it takes anything when the machine has too little: else the kernel would end some process
/// for it. Linux 5.14 or later; an older kernel still gets the advice about huge pages, and gives pages when they are first used.
pub fn set_aside<T>(memory: &mut [T]) -> Result<(), Short> {
    let wanted = size_of_val(memory);
    if wanted < WORTH_IT {
        return Ok(());
    }
    check(wanted as u64)?;
    advise(memory);
    let (address, len) = pages(memory);
    // SAFETY: the range lies within `memory`, which is borrowed for writing; populating for writing leaves contents as they are.
    if unsafe { libc::madvise(address, len, libc::MADV_POPULATE_WRITE) } != 0 {
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINVAL) {
            return Err(Short::Kernel { wanted: wanted as u64, error });
        }
    }
    Ok(())
}

/// So many copies of a value, on huge pages where the kernel has them. It must hear of that before the memory is first written: pages that are
/// there stay what they are.
pub fn filled<T: Clone>(value: T, len: usize) -> Vec<T> {
    let mut memory = Vec::with_capacity(len);
    if size_of::<T>().saturating_mul(len) >= WORTH_IT {
        advise(memory.spare_capacity_mut());
    }
    memory.resize(len, value);
    memory
}

/// Tells the kernel to back this memory with huge pages. One without them refuses, and small pages do.
fn advise<T>(memory: &mut [T]) {
    let (address, len) = pages(memory);
    // SAFETY: the range lies within `memory`, which is borrowed for writing; the advice changes how the kernel backs it and no byte of it.
    let _ = unsafe { libc::madvise(address, len, libc::MADV_HUGEPAGE) };
}

/// The whole pages within this memory: where they begin, and their bytes.
fn pages<T>(memory: &mut [T]) -> (*mut libc::c_void, usize) {
    // SAFETY: no pointer is read; the call only asks for a number.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096).max(1);
    let begin = (memory.as_mut_ptr() as usize).next_multiple_of(page);
    let end = (memory.as_mut_ptr() as usize + size_of_val(memory)) / page * page;
    (begin as *mut libc::c_void, end.saturating_sub(begin))
}

/// Does the kernel give huge pages to those who ask?
pub fn transparent_huge_pages() -> bool {
    fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").is_ok_and(|modes| !modes.contains("[never]"))
}

/// Does the machine have this much to give? To be asked before memory is taken whose lack would end the process.
pub fn check(wanted: u64) -> Result<(), Short> {
    match fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text)) {
        Some(available) if available < wanted.saturating_add(RESERVE) => Err(Short::Machine { wanted, available }),
        _ => Ok(()),
    }
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_was_set_aside_is_resident_and_holds_what_it_held() {
        let mut memory: Vec<u64> = Vec::with_capacity(1 << 20);
        memory.extend(0..1 << 19);
        let before = resident();
        set_aside(memory.spare_capacity_mut()).expect("4 MiB");
        assert!(resident() >= before + (3 << 20), "the pages are there: {before} and then {}", resident());
        set_aside(memory.as_mut_slice()).expect("4 MiB");
        assert!(memory.iter().copied().eq(0..1 << 19));
    }

    #[test]
    fn filled_memory_is_on_huge_pages_where_the_kernel_has_them() {
        let memory = filled(7u64, 4 << 20);
        assert!(memory.len() == 4 << 20 && memory.iter().all(|value| *value == 7));
        let huge = huge_bytes_of(memory.as_ptr() as usize + (16 << 20));
        if transparent_huge_pages() {
            assert!(huge >= 16 << 20, "of 32 MiB {huge} bytes");
        } else {
            assert_eq!(huge, 0);
        }
        assert_eq!(filled(1u8, 3), [1, 1, 1]);
    }

    /// What the kernel says of huge pages in the mapping that has this address.
    fn huge_bytes_of(address: usize) -> u64 {
        let smaps = fs::read_to_string("/proc/self/smaps").expect("Linux");
        let mut within = false;
        for line in smaps.lines() {
            let range = line.split(' ').next().and_then(|word| word.split_once('-'));
            if let Some((begin, end)) = range {
                let number = |text| usize::from_str_radix(text, 16).expect("an address");
                within = (number(begin)..number(end)).contains(&address);
            } else if within && let Some(size) = line.strip_prefix("AnonHugePages:") {
                return size.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number") * 1024;
            }
        }
        0
    }

    fn resident() -> u64 {
        let statm = fs::read_to_string("/proc/self/statm").expect("Linux");
        statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
    }

    #[test]
    fn more_than_the_machine_has_is_refused_with_both_numbers() {
        let Err(error) = check(1 << 50) else { panic!("no machine has that much") };
        assert!(error.to_string().starts_with("1073741824 MiB of memory are needed, and the machine has "), "{error}");
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:    1234 kB\n"), Some(1234 * 1024));
    }
}
