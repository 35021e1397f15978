//! A copy of the sources, in which errors can be planted while the real ones stay as they are.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Makes `tree` the same as the working tree at `root`: every file that git knows or would take. Files that are the same already keep their times,
/// so that what was built from them stays built; what a run before left planted is overwritten.
pub(crate) fn copy(root: &Path, tree: &Path) -> Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git does not run")?;
    ensure!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let mut wanted = HashSet::new();
    for name in listed.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = PathBuf::from(OsStr::from_bytes(name));
        let (from, to) = (root.join(&name), tree.join(&name));
        // Deleted, but not in git yet; or a link, of which the build needs none.
        if !from.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
            continue;
        }
        copy_one(&from, &to).with_context(|| format!("{} cannot be copied", from.display()))?;
        wanted.insert(to);
    }
    remove_others(tree, &wanted)
}

fn copy_one(from: &Path, to: &Path) -> std::io::Result<()> {
    let bytes = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, bytes)
}

fn remove_others(folder: &Path, wanted: &HashSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            remove_others(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    Ok(())
}
