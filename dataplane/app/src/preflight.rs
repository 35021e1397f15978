//! What is missing for a start, found before EAL gives up on it in its own words, and the command that mends it.

use std::fs;
use std::path::Path;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType};

use crate::device::Device;

/// Kernel drivers that DPDK works through without taking the card away from the kernel.
const BIFURCATED: [&str; 3] = ["mlx4_core", "mlx5_core", "mana"];
/// Kernel drivers that hand a card to DPDK.
const HANDING_OVER: [&str; 4] = ["vfio-pci", "uio_pci_generic", "igb_uio", "uio_hv_generic"];

/// Something is missing.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// No such card.
    #[error("port {port:?}: there is no PCI device {address}; `dpdk-devbind.py --status` lists them")]
    PciDevice {
        /// The port.
        port: String,
        /// Its address.
        address: String,
    },
    /// The kernel uses the card.
    #[error("port {port:?}: PCI device {address} is bound to {driver}; run `dpdk-devbind.py --bind=vfio-pci {address}`")]
    PciDriver {
        /// The port.
        port: String,
        /// Its address.
        address: String,
        /// What it is bound to.
        driver: String,
    },
    /// The kernel interface of an af_packet or af_xdp port.
    #[error("port {port:?}: there is no network interface {interface:?} in this network namespace; `ip link` lists them")]
    Interface {
        /// The port.
        port: String,
        /// The interface.
        interface: String,
    },
    /// Packet sockets.
    #[error(
        "port {port:?}: packet sockets are not permitted (CAP_NET_RAW): run as root, or `setcap cap_net_admin,cap_net_raw+ep \
         rampart-dataplane`, or try it inside `unshare -Urnm`"
    )]
    PacketSocket {
        /// The port.
        port: String,
    },
    /// Huge pages.
    #[error(
        "dataplane.huge_pages is \"require\", but only {free_mb} MiB of huge pages are free and {wanted_mb} MiB are needed: run `sysctl \
         vm.nr_hugepages={pages}`, or set it to \"auto\""
    )]
    HugePages {
        /// Free.
        free_mb: u64,
        /// Needed.
        wanted_mb: u64,
        /// Pages of 2 MiB that would be enough, if that is their size.
        pages: u64,
    },
}

/// Checks one port's device.
///
/// # Errors
/// What is missing.
pub fn check(port: &str, device: &Device) -> Result<(), Missing> {
    if device.pci {
        return pci(port, &device.name, Path::new("/sys/bus/pci"));
    }
    if device.name.starts_with("net_af_packet") || device.name.starts_with("net_af_xdp") {
        packet_interface(port, device)?;
    }
    Ok(())
}

fn pci(port: &str, address: &str, bus: &Path) -> Result<(), Missing> {
    let device = bus.join("devices").join(address);
    if !device.exists() {
        return Err(Missing::PciDevice { port: port.to_owned(), address: address.to_owned() });
    }
    let Ok(link) = fs::read_link(device.join("driver")) else {
        return Err(Missing::PciDriver { port: port.to_owned(), address: address.to_owned(), driver: "no driver".into() });
    };
    let driver = link.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if BIFURCATED.contains(&driver.as_str()) || HANDING_OVER.contains(&driver.as_str()) {
        return Ok(());
    }
    Err(Missing::PciDriver { port: port.to_owned(), address: address.to_owned(), driver })
}

fn packet_interface(port: &str, device: &Device) -> Result<(), Missing> {
    let socket = match rustix::net::socket(AddressFamily::PACKET, SocketType::RAW, None) {
        Ok(socket) => socket,
        Err(Errno::PERM | Errno::ACCESS) => return Err(Missing::PacketSocket { port: port.to_owned() }),
        // Whatever else is wrong, EAL's own words are better than a guess.
        Err(_) => return Ok(()),
    };
    let Some(interface) = device.option("iface") else { return Ok(()) };
    match rustix::net::netdevice::name_to_index(&socket, interface) {
        Err(Errno::NODEV | Errno::NXIO) => Err(Missing::Interface { port: port.to_owned(), interface: interface.to_owned() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_card_that_the_kernel_uses_is_refused_with_the_command_that_frees_it() {
        let bus = tempfile::tempdir().unwrap();
        let driver = |address: &str, name: &str| {
            let device = bus.path().join("devices").join(address);
            fs::create_dir_all(&device).unwrap();
            symlink(format!("../../../bus/pci/drivers/{name}"), device.join("driver")).unwrap();
        };
        driver("0000:03:00.0", "ixgbe");
        driver("0000:03:00.1", "vfio-pci");
        driver("0000:04:00.0", "mlx5_core");
        fs::create_dir_all(bus.path().join("devices/0000:05:00.0")).unwrap();
        let refusal = |address: &str| pci("eth0", address, bus.path()).map_err(|e| e.to_string());
        assert!(refusal("0000:03:00.0").unwrap_err().contains("ixgbe; run `dpdk-devbind.py --bind=vfio-pci 0000:03:00.0`"));
        assert_eq!(refusal("0000:03:00.1"), Ok(()));
        assert_eq!(refusal("0000:04:00.0"), Ok(()));
        assert!(refusal("0000:05:00.0").unwrap_err().contains("no driver"));
        assert!(refusal("0000:06:00.0").unwrap_err().contains("there is no PCI device 0000:06:00.0"));
    }

    #[test]
    fn a_virtual_port_that_needs_nothing_is_let_through() {
        let device = Device::parse("net_null0").unwrap();
        assert!(check("eth0", &device).is_ok());
    }
}
