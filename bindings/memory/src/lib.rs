//! Large tables in memory: set aside at the start, on huge pages where the kernel has them, and touched ahead in the packet walk.
//!
//! Both are hints to the machine: neither changes a byte that Rust can see, so a slice or a reference is all that they need, and everything
//! here is safe to call. Transparent huge pages are used rather than hugetlbfs, because those are DPDK's, for packet buffers, and a
//! table that finds none left could not start; the kernel gives transparent ones where it can and small ones where it cannot.

mod heap;
mod prefetch;
mod set_aside;

pub use heap::in_use;
pub use prefetch::prefetch;
pub use set_aside::{Short, check, filled, set_aside, transparent_huge_pages};
