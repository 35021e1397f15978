//! `-j CLUSTERIP`: shares one address among machines that all hear its packets; each answers its part. Newer kernels do not
//! have it.
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};
use crate::{Family, Target};

/// The cluster; without its words, the one that an earlier rule made for the same address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Clusterip {
    /// `--new` and what makes a cluster.
    pub new: Option<Cluster>,
}

/// What makes a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cluster {
    /// `--hashmode`.
    pub mode: ClusterHash,
    /// `--clustermac`: a multicast address of Ethernet.
    pub mac: [u8; 6],
    /// `--total-nodes`: 0 to 16.
    pub nodes: u8,
    /// `--local-node`: 0 to 16.
    pub node: u8,
    /// `--hash-init`.
    pub init: u32,
}

/// What says which machine answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClusterHash {
    /// The source address.
    Source,
    /// The source address and port.
    SourcePort,
    /// Both, and the destination port.
    Ports,
}

pub(crate) static EXTENSION: Extension<Target> =
    Extension { name: "CLUSTERIP", family: Some(Family::Ipv4), options: OPTIONS, build };

const NODES: Arg = Arg::Number { min: 0, max: 16 };
const OPTIONS: &[Opt] = &[
    Opt::new("new", Arg::None),
    Opt::new("hashmode", Arg::Own { shape: "MODE", read: read_mode }),
    Opt::new("clustermac", Arg::Own { shape: "ADDRESS", read: read_mac }),
    Opt::new("total-nodes", NODES),
    Opt::new("local-node", NODES),
    Opt::new("hash-init", Arg::Number { min: 0, max: u32::MAX as u64 }),
];
const MODES: [(&str, ClusterHash); 3] = [
    ("sourceip", ClusterHash::Source),
    ("sourceip-sourceport", ClusterHash::SourcePort),
    ("sourceip-sourceport-destport", ClusterHash::Ports),
];

fn read_mode(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let index = MODES.iter().position(|(name, _)| *name == reading.word);
    let unknown = || UsageError::Own(format!("Unknown hashmode \"{}\"", reading.word));
    index.map(|index| Value::Number(index as u64)).ok_or_else(unknown)
}

/// Six hexadecimal bytes.
fn read_mac(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let byte = |text: &str| u8::from_str_radix(text, 16).ok().filter(|_| !text.starts_with('+')).map(u32::from);
    let bytes: Option<Vec<u32>> = reading.word.split(':').map(byte).collect();
    match bytes.filter(|bytes| bytes.len() == 6) {
        None => Err(UsageError::Needs("Invalid MAC address specified.")),
        Some(bytes) if bytes[0] & 1 == 0 => Err(UsageError::Needs("MAC has to be a multicast ethernet address")),
        Some(bytes) => Ok(Value::Numbers(bytes)),
    }
}

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let byte = |option| given.number(option).map(|number| number as u8);
    let mode = given.number("hashmode").map(|index| MODES[index as usize].1);
    let mac = given.numbers("clustermac").map(|bytes| std::array::from_fn(|at| bytes[at] as u8));
    let new = match (mode, mac, byte("total-nodes"), byte("local-node")) {
        (Some(mode), Some(mac), Some(nodes), Some(node)) if given.has("new") => {
            Some(Cluster { mode, mac, nodes, node, init: given.number("hash-init").unwrap_or(0) as u32 })
        }
        _ if given.order().next().is_none() => None,
        _ => return Err(UsageError::Needs("CLUSTERIP target: Invalid parameter combination")),
    };
    Ok(Target::Clusterip(Clusterip { new }))
}

impl Clusterip {
    pub(crate) fn save(&self, out: &mut String) {
        let Some(cluster) = self.new else { return };
        let mut out = OptionWriter::new(OPTIONS, out);
        out.flag("new", false);
        for (option, value) in cluster.parts() {
            out.value(option, false, value);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" CLUSTERIP");
        for (option, value) in self.new.iter().flat_map(Cluster::parts) {
            out.push_str(&format!(" {}={value}", option.replace('-', "_")));
        }
    }
}

impl Cluster {
    fn parts(&self) -> [(&'static str, String); 5] {
        let mode = MODES.iter().find(|(_, mode)| *mode == self.mode).map_or("", |(name, _)| name);
        let mac: Vec<String> = self.mac.iter().map(|byte| format!("{byte:02X}")).collect();
        [
            ("hashmode", mode.to_owned()),
            ("clustermac", mac.join(":")),
            ("total-nodes", self.nodes.to_string()),
            ("local-node", self.node.to_string()),
            ("hash-init", self.init.to_string()),
        ]
    }
}
