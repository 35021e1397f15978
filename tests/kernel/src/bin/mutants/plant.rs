//! The deliberate errors, as `tests/kernel/mutants/*.toml` has them: one file a group, each error with the edits that plant it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// One deliberate error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mutant {
    /// What it is called, once in all files.
    pub(crate) name: String,
    /// Which error it imitates, in a sentence.
    pub(crate) error: String,
    /// Who has to find it.
    #[serde(default)]
    pub(crate) judge: Judge,
    /// For daemons that it keeps from working at all: what the failure says. Any other failure is none of the error that was meant.
    #[serde(default)]
    pub(crate) shows_as: Option<String>,
    /// The name of its file.
    #[serde(skip)]
    pub(crate) group: String,
    /// What makes it.
    #[serde(rename = "edit")]
    pub(crate) edits: Vec<Edit>,
}

/// Who looks for an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Judge {
    /// The engine in process, which replays what the kernel is recorded to have done.
    #[default]
    Engine,
    /// Both daemons, beside the kernel itself: for errors that lie round the engine.
    Processes,
    /// The walk's own tests: for what the kernel does not have.
    Walk,
    /// The models under every order of what workers do: for what two workers must do at once to find it.
    Models,
}

impl Judge {
    pub(crate) const ALL: [Self; 4] = [Self::Engine, Self::Processes, Self::Walk, Self::Models];
}

/// A change of one place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// The source file, from the root of the repository.
    file: String,
    /// Text that stands there once.
    find: String,
    /// Text that takes its place.
    replace: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    mutant: Vec<Mutant>,
}

/// Reads all groups of a folder, in the order of their names.
pub(crate) fn load(folder: &Path) -> Result<Vec<Mutant>> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .with_context(|| format!("{} cannot be read", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut all: Vec<Mutant> = Vec::new();
    for file in files {
        let group = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let parsed: Group = toml::from_str(&text).with_context(|| file.display().to_string())?;
        for mutant in parsed.mutant {
            ensure!(all.iter().all(|other| other.name != mutant.name), "two mutants are called {}", mutant.name);
            ensure!(!mutant.edits.is_empty(), "{} changes nothing", mutant.name);
            all.push(Mutant { group: group.clone(), ..mutant });
        }
    }
    Ok(all)
}

/// A planted error. [`Planted::revert`] takes it out again.
#[must_use]
pub(crate) struct Planted {
    /// Files as they were before, with their paths.
    before: Vec<(PathBuf, String)>,
}

impl Mutant {
    /// Does the error still fit the sources below `tree`? A text that does not stand in its file exactly once is an error: the sources have moved
    /// on and the mutant has not.
    pub(crate) fn fits(&self, tree: &Path) -> Result<()> {
        self.edits.iter().try_for_each(|edit| edit.made(tree).map(drop)).with_context(|| self.name.clone())
    }

    /// Writes the error into the sources below `tree`.
    pub(crate) fn plant(&self, tree: &Path) -> Result<Planted> {
        let mut before = Vec::new();
        for edit in &self.edits {
            let path = tree.join(&edit.file);
            let (text, changed) = edit.made(tree).with_context(|| self.name.clone())?;
            before.push((path.clone(), text));
            fs::write(&path, changed).with_context(|| format!("{} cannot be written", path.display()))?;
        }
        Ok(Planted { before })
    }
}

impl Edit {
    /// The file's text as it is, and with the edit.
    fn made(&self, tree: &Path) -> Result<(String, String)> {
        let text = fs::read_to_string(tree.join(&self.file)).with_context(|| format!("{} cannot be read", self.file))?;
        let times = text.matches(&self.find).count();
        ensure!(times == 1, "its text stands in {} {times} times, not once:\n{}", self.file, self.find);
        ensure!(self.find != self.replace, "an edit of {} changes nothing", self.file);
        let changed = text.replacen(&self.find, &self.replace, 1);
        Ok((text, changed))
    }
}

impl Planted {
    /// Makes the sources what they were.
    pub(crate) fn revert(self) -> Result<()> {
        for (path, text) in self.before.into_iter().rev() {
            fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
        }
        Ok(())
    }
}
