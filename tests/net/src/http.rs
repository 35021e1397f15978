//! Web servers that say who they are: nginx, one process for all names of a host.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::namespace::Namespace;
use crate::process::{Process, wait_until};

/// One address on which a server listens, and the name with which it answers.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// `address:port`
    pub listen: &'static str,
    /// What it says of itself.
    pub name: &'static str,
}

/// Starts nginx in `host`: each site answers `NAME saw CLIENT-ADDRESS` to every request. Returns when all of them answer.
pub fn serve(host: &Namespace, dir: &Path, sites: &[Site]) -> Result<Process> {
    let dir = dir.join(format!("nginx-{}", host.name()));
    std::fs::create_dir_all(&dir)?;
    let d = dir.display();
    let mut config = format!(
        "daemon off; worker_processes 1; pid {d}/pid; error_log {d}/error.log;\n\
         events {{ worker_connections 256; }}\n\
         http {{ access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; \
         scgi_temp_path {d}/s; default_type text/plain;\n"
    );
    // Running as the one user that is mapped here: a namespace without root outside has no other.
    config.insert_str(0, "user root root;\n");
    for site in sites {
        writeln!(
            config,
            "server {{ listen {}; location / {{ return 200 \"{} saw $remote_addr\\n\"; }} }}",
            site.listen, site.name
        )?;
    }
    config.push_str("}\n");
    let path = dir.join("nginx.conf");
    std::fs::write(&path, config)?;
    let process = host.spawn(&format!("nginx -c {} -e {d}/error.log 2>{d}/stderr", path.display()))?;
    for site in sites {
        wait_until(&format!("nginx answers on {}", site.listen), Duration::from_secs(10), || {
            Ok(host.attempt(&format!("curl -s -m 1 -o /dev/null http://{}/", site.listen))?.0)
        })?;
    }
    Ok(process)
}
