//! EAL's arguments from the configuration, and which memory it gets.

use dpdk::hugepages::Hugepages;

use crate::config::{Config, HugePages};
use crate::device::Device;
use crate::preflight::Missing;

/// What a buffer costs beside its bytes of packet: the headroom, the mbuf and the pool's header, rounded up.
const BUFFER_OVERHEAD: u64 = 384;
/// What EAL, the drivers and the pool's ring need beside the buffers.
const BASE_MEMORY: u64 = 64 << 20;
const MIB: u64 = 1 << 20;

/// Which memory DPDK gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// In MiB.
    pub mb: u64,
    /// Of huge pages.
    pub huge: bool,
}

/// Decides on huge pages by what the configuration wants and the machine has.
///
/// # Errors
/// When they are required and not there.
pub fn memory(config: &Config, machine: &Hugepages) -> Result<Memory, Missing> {
    let d = &config.dataplane;
    let buffers = u64::from(*d.mbufs.get_ref()) * (u64::from(d.mbuf_size()) + BUFFER_OVERHEAD);
    let mb = d.memory_mb.as_ref().map_or((buffers + BASE_MEMORY).div_ceil(MIB), |mb| u64::from(*mb.get_ref()));
    let enough = machine.free_bytes >= mb * MIB;
    match d.huge_pages {
        HugePages::Require if !enough => {
            Err(Missing::HugePages { free_mb: machine.free_bytes / MIB, wanted_mb: mb, pages: mb.div_ceil(2) + 16 })
        }
        wish => Ok(Memory { mb, huge: enough && wish != HugePages::Never }),
    }
}

/// The arguments. `cpus` are those that the process may use: EAL would pin its thread to one of them, and threads inherit that.
///
/// Telemetry and secondary processes are off: they exclude registered worker threads, and what they would show is asked over the
/// private socket.
pub fn arguments(config: &Config, devices: &[Device], memory: Memory, cpus: &[usize]) -> Vec<String> {
    let list: Vec<String> = cpus.iter().map(usize::to_string).collect();
    let mut arguments = vec![
        format!("--lcores=0@({})", list.join(",")),
        format!("--file-prefix={}", config.instance.name),
        "--no-telemetry".to_owned(),
    ];
    if memory.huge {
        // Needs no hugetlbfs to be mounted, and leaves no files behind.
        arguments.push("--in-memory".to_owned());
    } else {
        arguments.extend(["--no-huge".to_owned(), "--no-shconf".to_owned()]);
    }
    arguments.push(format!("-m{}", memory.mb));
    if !devices.iter().any(|device| device.pci) {
        arguments.push("--no-pci".to_owned());
    }
    arguments.extend(devices.iter().map(|device| device.argument.clone()));
    arguments.extend(config.dataplane.eal_args.iter().cloned());
    arguments
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(keys: &str) -> Config {
        let text = format!("[dataplane]\n{keys}\n[[dataplane.port]]\nname = \"eth0\"\ndevice = \"net_null0\"\n");
        Config::parse(Path::new("t.toml"), &text).unwrap()
    }

    fn machine(mb: u64) -> Hugepages {
        Hugepages { free_bytes: mb * MIB, mounted: false }
    }

    #[test]
    fn huge_pages_are_used_if_there_are_enough_of_them() {
        let memory = |keys, mb| memory(&config(keys), &machine(mb)).map(|m| m.huge).map_err(|e| e.to_string());
        assert_eq!(memory("memory_mb = 100", 100), Ok(true));
        assert_eq!(memory("memory_mb = 100", 99), Ok(false));
        assert_eq!(memory("memory_mb = 100\nhuge_pages = \"never\"", 500), Ok(false));
        let refusal = memory("memory_mb = 100\nhuge_pages = \"require\"", 10).unwrap_err();
        assert!(refusal.contains("only 10 MiB") && refusal.contains("sysctl vm.nr_hugepages=66"), "{refusal}");
    }

    #[test]
    fn memory_follows_the_buffers() {
        let of = |keys| memory(&config(keys), &machine(0)).unwrap().mb;
        assert_eq!(of("mbufs = 16384\nmbuf_size = 2048"), 38 + 64);
        assert_eq!(of("mbufs = 16384\nmbuf_size = 16384"), 262 + 64);
    }

    #[test]
    fn without_pci_ports_the_pci_bus_is_left_alone() {
        let memory = Memory { mb: 64, huge: false };
        let of = |device| arguments(&config(""), &[Device::parse(device).unwrap()], memory, &[0, 2]);
        let vdev = of("net_null0");
        for expected in ["--lcores=0@(0,2)", "--file-prefix=rampart", "--no-huge", "-m64", "--no-pci", "--vdev=net_null0"] {
            assert!(vdev.iter().any(|argument| argument == expected), "{expected} in {vdev:?}");
        }
        let pci = of("0000:03:00.0");
        assert!(!pci.iter().any(|argument| argument == "--no-pci"), "{pci:?}");
    }

    #[test]
    fn arguments_of_the_operator_come_last() {
        let memory = Memory { mb: 64, huge: true };
        let arguments = arguments(&config("eal_args = [\"--log-level=8\"]"), &[], memory, &[0]);
        assert_eq!(arguments.last().map(String::as_str), Some("--log-level=8"));
        assert!(arguments.contains(&"--in-memory".to_owned()));
    }
}
