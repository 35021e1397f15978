//! What criterion left: the median of each benchmark's last run.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use report::Figure;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Folders between criterion's own and a benchmark's.
const DEPTH: usize = 4;

/// A benchmark's name, in its parts.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// All that there are, in nanoseconds; none when there is no such folder.
pub(crate) fn figures(folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    look(folder, DEPTH, &mut figures)?;
    figures.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(figures)
}

fn look(folder: &Path, depth: usize, figures: &mut Vec<Figure>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        if path.ends_with("new") {
            figures.extend(figure(&path).with_context(|| format!("what criterion left in {}", path.display()))?);
        } else if depth > 0 {
            look(&path, depth - 1, figures)?;
        }
    }
    Ok(())
}

/// A run that was broken off has left nothing.
fn figure(run: &Path) -> Result<Option<Figure>> {
    let (named, estimated) = (run.join("benchmark.json"), run.join("estimates.json"));
    if !named.exists() || !estimated.exists() {
        return Ok(None);
    }
    let Benchmark { group_id, function_id, value_str } = read(&named)?;
    let name: Vec<String> = [Some(group_id), function_id, value_str].into_iter().flatten().collect();
    let value = read::<Estimates>(&estimated)?.median.point_estimate;
    Ok(Some(Figure { name: name.join(" "), value, unit: "ns".into() }))
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_last_run_has_the_benchmarks_name() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let run = folder.path().join("tree_lookup/acl/10000/new");
        fs::create_dir_all(&run).expect("made");
        fs::write(run.join("benchmark.json"), r#"{"group_id":"tree/lookup","function_id":"acl","value_str":"10000"}"#)
            .expect("written");
        assert!(figures(folder.path()).expect("read").is_empty(), "broken off");
        fs::write(run.join("estimates.json"), r#"{"median":{"point_estimate":133.5}}"#).expect("written");
        let found = figures(folder.path()).expect("read");
        assert_eq!(found, [Figure { name: "tree/lookup acl 10000".into(), value: 133.5, unit: "ns".into() }]);
        assert!(figures(Path::new("/nonexistent")).expect("nothing").is_empty());
    }
}
