//! FTP and TFTP servers: vsftpd and tftpd-hpa, each with one file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::namespace::Namespace;
use crate::process::{Process, wait_until};

/// What the one file, `file`, holds.
pub const CONTENT: &str = "what was asked for";

/// An address as it stands in a URL.
pub fn in_url(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

/// Starts vsftpd in `host`, for anybody. Returns when it answers.
pub fn serve(host: &Namespace, dir: &Path, address: &str) -> Result<Process> {
    let dir = dir.join(format!("ftp-{}", host.name()));
    fs::create_dir_all(dir.join("empty"))?;
    fs::create_dir_all(dir.join("root"))?;
    fs::write(dir.join("root/file"), CONTENT)?;
    let d = dir.display();
    // Running as the one user that is mapped here: a namespace without root outside has no other.
    let listen = if address.contains(':') {
        format!("listen=NO\nlisten_ipv6=YES\nlisten_address6={address}")
    } else {
        format!("listen=YES\nlisten_address={address}")
    };
    let config = format!(
        "{listen}\nbackground=NO\nanonymous_enable=YES\nno_anon_password=YES\nanon_root={d}/root\n\
         ftp_username=root\nnopriv_user=root\nrun_as_launching_user=YES\nsecure_chroot_dir={d}/empty\nseccomp_sandbox=NO\nisolate=NO\n\
         isolate_network=NO\nconnect_from_port_20=YES\nport_enable=YES\npasv_enable=YES\nvsftpd_log_file={d}/log\n"
    );
    let path = dir.join("vsftpd.conf");
    fs::write(&path, config)?;
    let process = host.spawn(&format!("vsftpd {}", path.display()))?;
    wait_until("vsftpd answers", Duration::from_secs(10), || {
        Ok(host.attempt(&format!("curl -s -m 2 'ftp://{}/file'", in_url(address)))?.0)
    })?;
    Ok(process)
}

/// Starts tftpd in `host`. Returns when it answers.
pub fn serve_tftp(host: &Namespace, dir: &Path, address: &str) -> Result<Process> {
    let dir = dir.join(format!("tftp-{}", host.name()));
    fs::create_dir_all(&dir)?;
    fs::write(dir.join("file"), CONTENT)?;
    let listen = format!("{}:69", in_url(address));
    let process =
        host.spawn(&format!("in.tftpd --foreground --listen --user root --address {listen} --secure {}", dir.display()))?;
    wait_until("tftpd answers", Duration::from_secs(10), || {
        Ok(host.attempt(&format!("curl -s -m 2 'tftp://{}/file'", in_url(address)))?.0)
    })?;
    Ok(process)
}
