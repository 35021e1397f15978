//! The kernel's own time zone, by which `-m time --kerneltz` counts days.
//!
//! It is one number for the whole machine, 0 until somebody sets it: `hwclock --systz`, or an init system on a machine whose hardware clock
//! shows local time. The C library no longer tells it, so the kernel is asked directly.
//!
//! # Soundness
//! The call writes one `timezone`, which is two numbers of 32 bits, and nothing where no time is asked for.

use std::{io, ptr};

/// Minutes west of Greenwich.
///
/// # Errors
/// The call is not allowed to this process.
pub fn minutes_west() -> io::Result<i32> {
    // As the kernel writes it: minutes west, and a number of daylight saving that nobody uses.
    let mut zone = [0i32; 2];
    // SAFETY: no time is asked for, and the zone is as large as what the call writes.
    let result = unsafe { libc::syscall(libc::SYS_gettimeofday, ptr::null_mut::<libc::timeval>(), &raw mut zone) };
    if result == 0 { Ok(zone[0]) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_has_a_zone_of_less_than_a_day() {
        let west = super::minutes_west().expect("the call is allowed");
        assert!(west.abs() < 24 * 60, "{west}");
    }
}
