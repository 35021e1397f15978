//! Where rampartd finds its sockets and folders: the TOML file that it shares with rampart-dataplane, then flags and environment on top.
//!
//! `[instance]` and `[control]` are read strictly: an unknown key is an error that names the key, the line and what is allowed.
//! `[dataplane]` is the other daemon's and is left alone.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Everything that rampartd is told at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of the instance, for people.
    pub name: String,
    /// The public socket.
    pub control_socket: PathBuf,
    /// The private socket.
    pub dataplane_socket: PathBuf,
    /// The network namespace to run in, if not that of the caller.
    pub netns: Option<PathBuf>,
    /// Where the rules are kept.
    pub state_dir: PathBuf,
    /// Where Prometheus may ask; `None` when it may not.
    pub metrics: Option<SocketAddr>,
    /// Whether routes and neighbours of this network namespace go to the dataplane.
    pub mirror_host: bool,
    /// Rules are checked, stored and printed, and nothing is enforced.
    pub standalone: bool,
}

/// What the command line says over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Replaces `[instance] run_dir`.
    pub run_dir: Option<PathBuf>,
    /// Replaces `[instance] netns`.
    pub netns: Option<PathBuf>,
    /// Replaces `<run_dir>/control.sock`.
    pub control_socket: Option<PathBuf>,
    /// Replaces `<run_dir>/dataplane.sock`.
    pub dataplane_socket: Option<PathBuf>,
    /// Replaces `[control] state_dir`.
    pub state_dir: Option<PathBuf>,
    /// Replaces `[control] metrics`.
    pub metrics: Option<String>,
    /// Turns `[control] mirror_host` off.
    pub no_mirror_host: bool,
    /// No dataplane.
    pub standalone: bool,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
    /// The file is not what it should be. The message has the line, the key and what is allowed.
    #[error("{path}: {source}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// The error.
        source: Box<toml::de::Error>,
    },
    /// The metrics address is none.
    #[error("metrics = {0:?}: must be an address and a port as 127.0.0.1:9478 or [::1]:9478, or empty for no metrics")]
    MetricsAddress(String),
    /// The metrics address can be reached from outside.
    #[error(
        "metrics = {0:?} can be reached from other machines: use a loopback address, or set metrics_public = true in [control]"
    )]
    MetricsPublic(String),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    instance: Instance,
    control: Control,
    #[serde(rename = "dataplane")]
    _dataplane: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Instance {
    name: String,
    run_dir: PathBuf,
    netns: Option<PathBuf>,
}

impl Default for Instance {
    fn default() -> Instance {
        Instance { name: "rampart".into(), run_dir: "/run/rampart".into(), netns: None }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Control {
    state_dir: PathBuf,
    metrics: String,
    metrics_public: bool,
    mirror_host: bool,
}

impl Default for Control {
    fn default() -> Control {
        Control { state_dir: "/var/lib/rampart".into(), metrics: String::new(), metrics_public: false, mirror_host: true }
    }
}

impl Config {
    /// Reads the file, if there is one, and puts `overrides` on top.
    pub fn load(path: Option<&Path>, overrides: Overrides) -> Result<Config, ConfigError> {
        let file = match path {
            None => File::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
                toml::from_str(&text).map_err(|source| ConfigError::Toml { path: path.to_owned(), source: Box::new(source) })?
            }
        };
        let run_dir = overrides.run_dir.unwrap_or(file.instance.run_dir);
        let metrics = metrics(&overrides.metrics.unwrap_or(file.control.metrics), file.control.metrics_public)?;
        Ok(Config {
            name: file.instance.name,
            control_socket: overrides.control_socket.unwrap_or_else(|| run_dir.join("control.sock")),
            dataplane_socket: overrides.dataplane_socket.unwrap_or_else(|| run_dir.join("dataplane.sock")),
            netns: overrides.netns.or(file.instance.netns),
            state_dir: overrides.state_dir.unwrap_or(file.control.state_dir),
            metrics,
            mirror_host: file.control.mirror_host && !overrides.no_mirror_host,
            standalone: overrides.standalone,
        })
    }
}

fn metrics(text: &str, public: bool) -> Result<Option<SocketAddr>, ConfigError> {
    if text.is_empty() {
        return Ok(None);
    }
    let address: SocketAddr = text.parse().map_err(|_| ConfigError::MetricsAddress(text.to_owned()))?;
    if !address.ip().is_loopback() && !public {
        return Err(ConfigError::MetricsPublic(text.to_owned()));
    }
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rampart.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path), Overrides::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_file_the_documented_defaults_hold() {
        let config = Config::load(None, Overrides::default()).unwrap();
        assert_eq!(config.control_socket, Path::new("/run/rampart/control.sock"));
        assert_eq!(config.dataplane_socket, Path::new("/run/rampart/dataplane.sock"));
        assert_eq!(config.state_dir, Path::new("/var/lib/rampart"));
        assert!(config.mirror_host && config.metrics.is_none());
    }

    #[test]
    fn flags_stand_over_the_file() {
        let overrides = Overrides { run_dir: Some("/tmp/r".into()), state_dir: Some("/tmp/s".into()), ..Overrides::default() };
        let config = Config::load(None, overrides).unwrap();
        assert_eq!(config.control_socket, Path::new("/tmp/r/control.sock"));
        assert_eq!(config.state_dir, Path::new("/tmp/s"));
    }

    #[test]
    fn the_other_daemons_section_is_left_alone() {
        let config = load(
            "[dataplane]\nworkers = 1\nwhatever = 2\n[[dataplane.port]]\nname = 'eth0'\n[control]\nmetrics = '127.0.0.1:9478'\n",
        );
        assert_eq!(config.unwrap().metrics, Some("127.0.0.1:9478".parse().unwrap()));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_what_is_allowed() {
        let message = load("[control]\nstate_dir = '/x'\nmetric = ''\n").unwrap_err();
        for part in ["line 3", "unknown field `metric`", "`state_dir`", "`metrics`", "`mirror_host`"] {
            assert!(message.contains(part), "{part} not in: {message}");
        }
        let message = load("[controll]\n").unwrap_err();
        for part in ["line 1", "unknown field `controll`", "`instance`", "`control`", "`dataplane`"] {
            assert!(message.contains(part), "{part} not in: {message}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_and_a_key_given_twice_are_named_with_their_line() {
        let message = load("[control]\nmirror_host = 'yes'\n").unwrap_err();
        assert!(message.contains("line 2") && message.contains("expected a boolean"), "{message}");
        let message = load("[control]\nmetrics = ''\nmetrics = ''\n").unwrap_err();
        assert!(message.contains("line 3") && message.contains("duplicate key"), "{message}");
    }

    #[test]
    fn metrics_beyond_this_machine_need_a_word_more() {
        assert!(load("[control]\nmetrics = '0.0.0.0:9478'\n").unwrap_err().contains("metrics_public = true"));
        assert!(load("[control]\nmetrics = '0.0.0.0:9478'\nmetrics_public = true\n").is_ok());
        assert!(load("[control]\nmetrics = '[::1]:9478'\n").is_ok());
        assert!(load("[control]\nmetrics = 'localhost'\n").unwrap_err().contains("127.0.0.1:9478"));
    }
}
