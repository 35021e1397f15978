//! `rampartd`, the control daemon.
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use daemon::Daemon;
use daemon::config::{Config, Overrides};
use sd_notify::NotifyState;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Rampart's control daemon: takes iptables commands, checks and compiles them, and has the dataplane enforce them.
#[derive(Parser)]
#[command(name = "rampartd", version)]
struct Arguments {
    /// Configuration, shared with rampart-dataplane
    #[arg(long, value_name = "FILE", env = "RAMPART_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of the sockets, over [instance] run_dir
    #[arg(long, value_name = "FOLDER", env = "RAMPART_RUN_DIR")]
    run_dir: Option<PathBuf>,
    /// Network namespace to run in (a name of `ip netns`, or a path), over [instance] netns
    #[arg(long, value_name = "NAME", env = "RAMPART_NETNS")]
    netns: Option<PathBuf>,
    /// Folder of the stored rules, over [control] state_dir
    #[arg(long, value_name = "FOLDER", env = "RAMPART_STATE_DIR")]
    state_dir: Option<PathBuf>,
    /// Public socket, over <run_dir>/control.sock
    #[arg(long, value_name = "PATH", env = "RAMPART_SOCKET")]
    socket: Option<PathBuf>,
    /// Private socket, over <run_dir>/dataplane.sock
    #[arg(long, value_name = "PATH", env = "RAMPART_DATAPLANE_SOCKET")]
    dataplane_socket: Option<PathBuf>,
    /// Address of the Prometheus metrics, over [control] metrics; empty for none
    #[arg(long, value_name = "ADDRESS", env = "RAMPART_METRICS")]
    metrics: Option<String>,
    /// Do not mirror routes and neighbours of this network namespace
    #[arg(long)]
    no_mirror_host: bool,
    /// No dataplane: check, store and print rules, and enforce nothing
    #[arg(long)]
    standalone: bool,
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("RAMPART_LOG").unwrap_or_else(|_| "info".into());
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).with_target(false).init();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rampartd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let overrides = Overrides {
        run_dir: arguments.run_dir,
        netns: arguments.netns,
        control_socket: arguments.socket,
        dataplane_socket: arguments.dataplane_socket,
        state_dir: arguments.state_dir,
        metrics: arguments.metrics,
        no_mirror_host: arguments.no_mirror_host,
        standalone: arguments.standalone,
    };
    let config = Config::load(arguments.config.as_deref(), overrides)?;
    if let Some(netns) = &config.netns {
        proto::namespace::enter(netns)?;
    }
    let mut signals = Signals::new([SIGTERM, SIGINT]).context("signals")?;
    if config.standalone {
        eprintln!("rampartd: standalone: rules are checked, stored and printed; NOTHING IS ENFORCED");
    }
    tracing::info!(socket = %config.control_socket.display(), state = %config.state_dir.display(), "rampartd {}", env!("CARGO_PKG_VERSION"));
    let daemon = Daemon::start(config)?;
    tell(&[NotifyState::Ready]);
    let signal = signals.forever().next();
    tracing::info!(signal, "stopping; the dataplane goes on under the last rules");
    tell(&[NotifyState::Stopping]);
    daemon.stop();
    Ok(())
}

/// Tells systemd, if it started us.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("sd_notify: {error}");
    }
}
