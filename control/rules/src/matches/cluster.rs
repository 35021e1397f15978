//! `-m cluster`: this node's share of the connections, by a hash of the source address.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds when the connection falls to a node of the mask, turned round by `invert`; without a connection it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cluster {
    /// How many nodes there are: 1 to 32.
    pub total: u8,
    /// The nodes that are this one, a bit each from the lowest one.
    pub nodes: u32,
    /// Turns the hash about; the same on every node.
    pub seed: u32,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "cluster", family: None, options: OPTIONS, build };

const NODES: Arg = Arg::Number { min: 1, max: 32 };
const OPTIONS: &[Opt] = &[
    Opt::new("cluster-total-nodes", NODES),
    Opt::new("cluster-local-node", NODES).invertible().excludes(&["cluster-local-nodemask"]),
    // The real one takes masks up to 32 only, and so not what it prints for the nodes above the sixth one.
    Opt::new("cluster-local-nodemask", Arg::Number { min: 1, max: u32::MAX as u64 }).invertible().excludes(&["cluster-local-node"]),
    Opt::new("cluster-hash-seed", Arg::Number { min: 0, max: u32::MAX as u64 }),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let (node, mask) = (given.number("cluster-local-node"), given.number("cluster-local-nodemask"));
    let nodes = mask
        .or(node.map(|node| 1 << (node - 1)))
        .ok_or(UsageError::Needs("cluster match: `--cluster-local-node' or`--cluster-local-nodemask' is missing"))?;
    let must = |option| given.number(option).ok_or(UsageError::OptionMissing { extension: EXTENSION.name, option });
    let (total, seed) = (must("cluster-total-nodes")?, must("cluster-hash-seed")?);
    if node.is_some_and(|node| node > total) {
        return Err(UsageError::Needs("cluster match: `--cluster-local-node' must be <= `--cluster-total-nodes'"));
    }
    if nodes >= 1 << total {
        return Err(UsageError::Needs("cluster match: `--cluster-local-nodemask' too big for `--cluster-total-nodes'"));
    }
    let invert = given.is_inverted("cluster-local-node") || given.is_inverted("cluster-local-nodemask");
    Ok(Match::Cluster(Cluster { total: total as u8, nodes: nodes as u32, seed: seed as u32, invert }))
}

impl Cluster {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("cluster-local-nodemask", self.invert, format_args!("{:#010x}", self.nodes));
        out.value("cluster-total-nodes", false, self.total);
        out.value("cluster-hash-seed", false, format_args!("{:#010x}", self.seed));
    }

    pub(crate) fn list(&self, out: &mut String) {
        let Cluster { total, nodes, seed, invert } = self;
        let not = if *invert { "!" } else { "" };
        out.push_str(&format!(" cluster {not}node_mask={nodes:#010x} total_nodes={total} hash_seed={seed:#010x}"));
    }
}
