//! Names of labels of connections. The real programs and ours read them from one file of the host, whose place nobody can choose.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Result, ensure};

use crate::process::run;

/// A copy of `/etc`, which stands over it from then on.
const COPY: &str = "/run/etc-with-labels";

/// Gives labels these names, for every program in this box and in no other.
///
/// # Errors
/// The box is not one of its own, or a command failed.
pub fn name(text: &str) -> Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let apart = std::env::var_os("RAMPART_ENTERED").is_some_and(|inside| inside == "yes");
    ensure!(apart, "outside of tests/net/enter these would be the names of the whole machine");
    let _mounting = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Another program of tests in the same box may have done so before.
    if !Path::new(COPY).exists() {
        run(Command::new("cp").args(["-a", "/etc", COPY]))?;
        run(Command::new("mount").args(["--bind", COPY, "/etc"]))?;
    }
    fs::create_dir_all("/etc/xtables")?;
    Ok(fs::write("/etc/xtables/connlabel.conf", text)?)
}
