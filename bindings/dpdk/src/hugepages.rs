//! Whether the machine has huge pages to give, so that the caller can choose `--no-huge`, and say so, before EAL starts.
//!
//! There is no unsafe code here: two files of the kernel are read.

use std::fs;
use std::path::Path;

/// The huge pages that nobody uses yet, all page sizes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hugepages {
    /// Free and reserved for nobody, in bytes.
    pub free_bytes: u64,
    /// A hugetlbfs is mounted. EAL needs one, except with `--in-memory`.
    pub mounted: bool,
}

impl Hugepages {
    /// What this machine has now. A file that cannot be read counts as "none": EAL could not use it either.
    pub fn now() -> Self {
        Hugepages {
            free_bytes: free_bytes(Path::new("/sys/kernel/mm/hugepages")),
            mounted: fs::read_to_string("/proc/mounts").is_ok_and(|mounts| has_hugetlbfs(&mounts)),
        }
    }

    /// Whether EAL can get `bytes` of huge pages without `--in-memory`.
    pub fn can_give(&self, bytes: u64) -> bool {
        self.mounted && self.free_bytes >= bytes
    }
}

/// Sums the folders `hugepages-<size>kB` of the kernel's list.
fn free_bytes(sizes: &Path) -> u64 {
    let Ok(folders) = fs::read_dir(sizes) else { return 0 };
    folders.flatten().filter_map(|folder| free_of_size(&folder.path())).sum()
}

fn free_of_size(folder: &Path) -> Option<u64> {
    let kib: u64 = folder.file_name()?.to_str()?.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
    let read = |file| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    let free = read("free_hugepages")?.saturating_sub(read("resv_hugepages").unwrap_or(0));
    Some(free * kib * 1024)
}

fn has_hugetlbfs(mounts: &str) -> bool {
    mounts.lines().any(|line| line.split(' ').nth(2) == Some("hugetlbfs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mounted_hugetlbfs_is_found_by_its_type_and_not_by_its_path() {
        assert!(has_hugetlbfs("proc /proc proc rw 0 0\nnodev /mnt/h hugetlbfs rw,pagesize=2M 0 0\n"));
        assert!(!has_hugetlbfs("tmpfs /hugetlbfs tmpfs rw 0 0\n"));
    }

    #[test]
    fn pages_promised_to_another_process_are_not_free() {
        let root = std::env::temp_dir().join(format!("dpdk-hugepages-{}", std::process::id()));
        for (size, free, reserved) in [("hugepages-2048kB", "10", "4"), ("hugepages-1048576kB", "1", "0")] {
            let folder = root.join(size);
            fs::create_dir_all(&folder).expect("a folder under the temporary directory");
            fs::write(folder.join("free_hugepages"), format!("{free}\n")).expect("a file there");
            fs::write(folder.join("resv_hugepages"), format!("{reserved}\n")).expect("a file there");
        }
        let found = free_bytes(&root);
        fs::remove_dir_all(&root).expect("our own folder");
        assert_eq!(found, 6 * (2 << 20) + (1 << 30));
    }

    #[test]
    fn pages_without_a_mount_are_of_no_use() {
        assert!(!Hugepages { free_bytes: 1 << 30, mounted: false }.can_give(1));
        assert!(!Hugepages { free_bytes: 1 << 20, mounted: true }.can_give(2 << 20));
        assert!(Hugepages { free_bytes: 2 << 20, mounted: true }.can_give(2 << 20));
    }
}
