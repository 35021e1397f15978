//! What the types cannot say: ranges, names, and things that may stand only once.

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use engine::conntrack::policy::Tracker;
use engine::owner::MOST_WORKERS;
use program::verify::MAX_TIMEOUT_NAME;
use toml::Spanned;

use super::error::Wrong;
use super::{Config, Dataplane, LARGEST_MBUF_SIZE, LogTarget};
use crate::device::Device;

/// Interface sets of the compiled rules are 64-bit masks in which bit 0 stands for "none".
const MAX_PORTS: usize = 63;
/// A flow has a byte for the number of its policy, and 0 is none.
const MAX_POLICIES: usize = 255;

pub(super) fn check(config: &Config) -> Result<(), Wrong> {
    let d = &config.dataplane;
    instance(config)?;
    workers(d)?;
    range(&d.idle_sleep_us, "dataplane.idle_sleep_us", 1..=50)?;
    range(&d.mbufs, "dataplane.mbufs", 1024..=16_777_215)?;
    if let Some(size) = &d.mbuf_size {
        range(size, "dataplane.mbuf_size", 1024..=LARGEST_MBUF_SIZE)?;
    }
    range(&d.descriptors, "dataplane.descriptors", 32..=8192)?;
    if let Some(memory) = &d.memory_mb {
        range(memory, "dataplane.memory_mb", 16..=1_048_576)?;
    }
    range(&d.log.queue, "dataplane.log.queue", 16..=1_048_576)?;
    if d.log.target == LogTarget::File && d.log.path.is_none() {
        return wrong(0..0, "dataplane.log.path", "target = \"file\" needs the path of the file");
    }
    if let (Some(path), LogTarget::Stdout | LogTarget::Syslog) = (&d.log.path, d.log.target) {
        return wrong(path.span(), "dataplane.log.path", "a path is only used with target = \"file\"");
    }
    limits(d)?;
    ports(d)?;
    for (name, interface) in &d.interfaces {
        known(d, name, "dataplane.interface")?;
        range(&interface.rp_filter, &format!("dataplane.interface.{}.rp_filter", name.get_ref()), 0..=2)?;
    }
    for (i, address) in d.addresses.iter().enumerate() {
        known(d, &address.dev, &format!("dataplane.address[{i}].dev"))?;
    }
    for (i, route) in d.routes.iter().enumerate() {
        known(d, &route.dev, &format!("dataplane.route[{i}].dev"))?;
    }
    for (i, neighbour) in d.neighbours.iter().enumerate() {
        known(d, &neighbour.dev, &format!("dataplane.neighbour[{i}].dev"))?;
    }
    Ok(())
}

fn instance(config: &Config) -> Result<(), Wrong> {
    let name = &config.instance.name;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 32 || !name.chars().all(plain) {
        return wrong(0..0, "instance.name", format!("{name:?}: 1 to 32 letters, digits, '-' or '_'"));
    }
    if !config.instance.run_dir.is_absolute() {
        return wrong(0..0, "instance.run_dir", "an absolute path is needed");
    }
    Ok(())
}

fn workers(d: &Dataplane) -> Result<(), Wrong> {
    range(&d.workers, "dataplane.workers", 1..=MOST_WORKERS.into())?;
    if let Some(cpus) = &d.cpus
        && cpus.get_ref().len() != *d.workers.get_ref() as usize
    {
        let message = format!("{} CPUs for {} workers: name one CPU for each worker", cpus.get_ref().len(), d.workers.get_ref());
        return wrong(cpus.span(), "dataplane.cpus", message);
    }
    Ok(())
}

fn limits(d: &Dataplane) -> Result<(), Wrong> {
    range(&d.limits.counters, "dataplane.limits.counters", 1024..=16_777_216)?;
    range(&d.limits.flow_extras, "dataplane.limits.flow_extras", 1..=67_108_864)?;
    range(&d.limits.neighbours_pending, "dataplane.limits.neighbours_pending", 1..=65_536)?;
    range(&d.limits.datagrams, "dataplane.limits.datagrams", 1..=65_536)?;
    range(&d.limits.traces, "dataplane.limits.traces", 0..=1_048_575)?;
    range(&d.limits.exception_queue, "dataplane.limits.exception_queue", 64..=65_536)?;
    range(&d.limits.handoff_queue, "dataplane.limits.handoff_queue", 64..=65_536)?;
    range(&d.conntrack.nf_conntrack_max, "dataplane.conntrack.nf_conntrack_max", 1024..=67_108_864)?;
    range(&d.conntrack.nf_conntrack_expect_max, "dataplane.conntrack.nf_conntrack_expect_max", 1..=1_048_576)?;
    timeout_policies(d)
}

fn timeout_policies(d: &Dataplane) -> Result<(), Wrong> {
    let policies = &d.conntrack.timeout;
    if policies.len() > MAX_POLICIES {
        return wrong(
            0..0,
            "dataplane.conntrack.timeout",
            format!("{} policies; at most {MAX_POLICIES} are possible", policies.len()),
        );
    }
    for (name, policy) in policies {
        let (span, name) = (name.span(), name.get_ref());
        let key = format!("dataplane.conntrack.timeout.{name}");
        if name.is_empty() || name.len() > MAX_TIMEOUT_NAME {
            return wrong(span, key, format!("a rule names a policy in 1 to {MAX_TIMEOUT_NAME} bytes"));
        }
        let named = |tracker: &&Tracker| tracker.name() == policy.protocol.get_ref();
        let Some(tracker) = Tracker::ALL.iter().find(named) else {
            let known = Tracker::ALL.map(Tracker::name).join(", ");
            let message = format!("{:?} has no timeouts; the protocols are {known}", policy.protocol.get_ref());
            return wrong(policy.protocol.span(), format!("{key}.protocol"), message);
        };
        if !tracker.tracks(policy.family.id()) {
            return wrong(policy.protocol.span(), format!("{key}.protocol"), "icmp is of inet alone, icmpv6 of inet6 alone");
        }
        let states = || tracker.states().iter().map(|(state, _)| *state);
        for (state, seconds) in &policy.states {
            if !states().any(|known| known == state) {
                let known = states().collect::<Vec<_>>().join(", ");
                return wrong(span, format!("{key}.{state}"), format!("{} has no such state; it has {known}", tracker.name()));
            }
            if *seconds > i32::MAX as u32 {
                return wrong(span, format!("{key}.{state}"), format!("{seconds} is out of range; 0 to {} is allowed", i32::MAX));
            }
        }
        if policy.states.is_empty() {
            let known = states().collect::<Vec<_>>().join(", ");
            return wrong(span, key, format!("sets no time; {} has {known}", tracker.name()));
        }
    }
    Ok(())
}

fn ports(d: &Dataplane) -> Result<(), Wrong> {
    if d.ports.is_empty() {
        return wrong(0..0, "dataplane.port", "no port; write at least one [[dataplane.port]] section");
    }
    if let Some(port) = d.ports.get(MAX_PORTS) {
        return wrong(port.span(), "dataplane.port", format!("{} ports; at most {MAX_PORTS} are possible", d.ports.len()));
    }
    let (mut names, mut devices, mut taps) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (i, port) in d.ports.iter().enumerate() {
        let at = port.span();
        let port = port.get_ref();
        interface_name(&port.name, &format!("dataplane.port[{i}].name"))?;
        once(&mut names, port.name.get_ref(), port.name.span(), i, "name")?;
        let device = Device::parse(port.device.get_ref()).map_err(|message| Wrong {
            span: port.device.span(),
            key: format!("dataplane.port[{i}].device"),
            message,
        })?;
        once(&mut devices, &device.name, port.device.span(), i, "device")?;
        if let Some(tap) = &port.tap {
            interface_name(tap, &format!("dataplane.port[{i}].tap"))?;
        }
        once(&mut taps, port.tap_name(), port.tap.as_ref().map_or(at, Spanned::span), i, "tap")?;
        range(&port.mtu, &format!("dataplane.port[{i}].mtu"), 68..=9216)?;
    }
    Ok(())
}

/// The kernel's rule for interface names (`dev_valid_name`), without `%`, which makes the kernel choose a number.
fn interface_name(name: &Spanned<String>, key: &str) -> Result<(), Wrong> {
    let text = name.get_ref();
    let bad = |c: char| c == '/' || c == ':' || c == '%' || c.is_whitespace() || c.is_control();
    if text.is_empty() || text.len() > 15 || text == "." || text == ".." || text.chars().any(bad) {
        return wrong(name.span(), key, format!("{text:?} cannot name an interface: 1 to 15 bytes without '/', ':', '%' or space"));
    }
    if text == "lo" {
        return wrong(name.span(), key, "\"lo\" is the kernel's loopback interface; choose another name");
    }
    Ok(())
}

fn once(seen: &mut HashMap<String, usize>, value: &str, span: Range<usize>, index: usize, what: &str) -> Result<(), Wrong> {
    match seen.insert(value.to_owned(), index) {
        Some(first) => wrong(
            span,
            format!("dataplane.port[{index}].{what}"),
            format!("{value:?} is used by dataplane.port[{first}] already; each port needs its own"),
        ),
        None => Ok(()),
    }
}

fn known(d: &Dataplane, name: &Spanned<String>, key: &str) -> Result<(), Wrong> {
    let names: Vec<&str> = d.ports.iter().map(|p| p.get_ref().name.get_ref().as_str()).collect();
    if names.contains(&name.get_ref().as_str()) {
        return Ok(());
    }
    wrong(name.span(), key, format!("no port is named {:?}; the ports are {}", name.get_ref(), names.join(", ")))
}

fn range<T: PartialOrd + Display>(value: &Spanned<T>, key: &str, allowed: RangeInclusive<T>) -> Result<(), Wrong> {
    if allowed.contains(value.get_ref()) {
        return Ok(());
    }
    wrong(value.span(), key, format!("{} is out of range; {} to {} is allowed", value.get_ref(), allowed.start(), allowed.end()))
}

fn wrong<T>(span: Range<usize>, key: impl Into<String>, message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { span, key: key.into(), message: message.into() })
}
