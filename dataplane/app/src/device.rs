//! How a port's `device` is written: a PCI address or a vdev string, and what EAL and the list of ports call it.

/// A DPDK device as the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What DPDK calls the port: the full PCI address, or the vdev's name.
    pub name: String,
    /// The argument that makes EAL probe it.
    pub argument: String,
    /// Whether it is a PCI device (else a vdev).
    pub pci: bool,
}

impl Device {
    /// Reads `0000:03:00.0`, `03:00.0` (both with options behind a comma) or `net_af_packet0,iface=wire0`.
    ///
    /// # Errors
    /// What is wrong with it and what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, options) = match text.split_once(',') {
            Some((name, options)) => (name, format!(",{options}")),
            None => (text, String::new()),
        };
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("{text:?} contains a space; a device is written without any"));
        }
        if let Some(pci) = pci_address(name) {
            return Ok(Self { argument: format!("--allow={pci}{options}"), name: pci, pci: true });
        }
        if name.len() > 4 && name.starts_with("net_") && name.ends_with(|c: char| c.is_ascii_digit()) {
            return Ok(Self { name: name.to_owned(), argument: format!("--vdev={text}"), pci: false });
        }
        Err(format!(
            "{text:?} is no DPDK device: write a PCI address (\"0000:03:00.0\"; list them with dpdk-devbind.py --status) or a \
             vdev with its number (\"net_af_packet0,iface=wire0\")"
        ))
    }

    /// The value of one of its options.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.argument.split(',').skip(1).find_map(|option| option.strip_prefix(key)?.strip_prefix('='))
    }
}

/// The address with its domain and in lower case, as DPDK prints it.
fn pci_address(text: &str) -> Option<String> {
    let hex = |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_hexdigit());
    let (rest, function) = text.rsplit_once('.')?;
    let mut parts = rest.rsplit(':');
    let (device, bus, domain) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0000"));
    let whole = parts.next().is_none() && hex(domain, 4) && hex(bus, 2) && hex(device, 2);
    (whole && matches!(function.as_bytes(), [b'0'..=b'7'])).then(|| format!("{domain}:{bus}:{device}.{function}").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pci_address_is_completed_as_dpdk_prints_it() {
        let device = Device::parse("3B:00.1,rx_vec_en=0").unwrap();
        assert_eq!(device.name, "0000:3b:00.1");
        assert_eq!(device.argument, "--allow=0000:3b:00.1,rx_vec_en=0");
        assert!(device.pci);
    }

    #[test]
    fn a_vdev_keeps_its_options_and_is_named_without_them() {
        let device = Device::parse("net_af_packet0,iface=wire0,qpairs=1").unwrap();
        assert_eq!(device.name, "net_af_packet0");
        assert_eq!(device.argument, "--vdev=net_af_packet0,iface=wire0,qpairs=1");
        assert!(!device.pci);
        assert_eq!((device.option("iface"), device.option("ifac"), device.option("mac")), (Some("wire0"), None, None));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "eth0", "net_tap", "0000:03:00", "03:00.8", "1:2:3:03:00.0", "net_tap0, iface=a", "crypto_null0"] {
            assert!(Device::parse(text).is_err(), "{text:?}");
        }
    }
}
