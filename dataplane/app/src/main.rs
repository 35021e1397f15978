//! `rampart-dataplane`: forwards packets under the rules that rampartd publishes.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use app::config::Config;
use clap::Parser;
use tracing_subscriber::EnvFilter;

/// Forwards packets with DPDK, under the iptables rules that rampartd publishes.
#[derive(Parser)]
#[command(name = "rampart-dataplane", version)]
struct Arguments {
    /// The configuration (docs/config.md explains every key).
    #[arg(long, value_name = "FILE", env = "RAMPART_CONFIG", default_value = "/etc/rampart/rampart.toml")]
    config: PathBuf,
    /// Folder of the sockets and the lock file, instead of `instance.run_dir`.
    #[arg(long, value_name = "FOLDER", env = "RAMPART_RUN_DIR")]
    run_dir: Option<PathBuf>,
    /// Network namespace to run in (a name of `ip netns`, or a path), instead of `instance.netns`.
    #[arg(long, value_name = "NAME", env = "RAMPART_NETNS")]
    netns: Option<PathBuf>,
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Standard output may be where the lines of LOG rules go.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    match start(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: Arguments) -> anyhow::Result<()> {
    let mut config = Config::load(&arguments.config)?;
    if let Some(run_dir) = arguments.run_dir {
        config.instance.run_dir = std::path::absolute(run_dir)?;
    }
    if let Some(netns) = arguments.netns.or(config.instance.netns.take()) {
        proto::namespace::enter(&netns)?;
    }
    app::run::run(config)
}
