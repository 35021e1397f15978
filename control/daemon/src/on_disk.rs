//! A file with edits beside it: it is replaced as a whole and never seen half written; what changed since stands in `<name>.edits`. Both are on disk
//! when these come back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// Where the edits of a file are.
pub(crate) fn edits(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.edits"))
}

/// Replaces a file. Its edits are of the one before, and go.
pub(crate) fn replace(folder: &Path, name: &str, text: &str) -> Result<(), StoreError> {
    let temporary = folder.join(format!("{name}.new"));
    let failed = |source| StoreError::File { path: temporary.clone(), source };
    let mut file = create(&temporary)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&temporary, folder.join(name)).map_err(failed)?;
    sync_folder(folder)?;
    let path = edits(folder, name);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::File { path, source }),
        _ => Ok(()),
    }
}

/// Adds to the edits of a file, which begin with `head` where there are none yet. Says how many bytes there are more.
pub(crate) fn add((folder, name): (&Path, &str), file: &mut Option<File>, head: &str, text: &str) -> Result<usize, StoreError> {
    let path = edits(folder, name);
    let (is_first, head) = if file.is_none() { (true, head) } else { (false, "") };
    let file = match file {
        Some(file) => file,
        none => none.insert(create(&path)?),
    };
    let all = format!("{head}{text}");
    file.write_all(all.as_bytes()).and_then(|()| file.sync_data()).map_err(|source| StoreError::File { path, source })?;
    if is_first {
        sync_folder(folder)?;
    }
    Ok(all.len())
}

fn create(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.map_err(|source| StoreError::File { path: path.to_owned(), source })
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| StoreError::File { path: folder.to_owned(), source })
}
