//! What compilations share: the security labels that were ever named, and how many counters there are.

use std::collections::HashMap;

use program::LabelId;
use program::verify::Limits;

/// Longest security label, in bytes.
pub const MAX_LABEL: usize = 255;

/// Lives as long as the programs that were compiled with it: flows and packets carry label numbers, so a label keeps its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    labels: Vec<String>,
    ids: HashMap<String, LabelId>,
    counters: u32,
}

impl Context {
    /// With no label but the empty one, for a dataplane with so many counter slots.
    pub fn new(counters: u32) -> Self {
        Self::with_labels(counters, Vec::new())
    }

    /// Continues with the labels that a dataplane already has ([`program::Root::labels`]), so that they keep their numbers.
    pub fn with_labels(counters: u32, mut labels: Vec<String>) -> Self {
        if labels.is_empty() {
            labels.push(String::new());
        }
        let ids = (0..).map(LabelId).zip(&labels).map(|(id, label)| (label.clone(), id)).collect();
        Self { labels, ids, counters }
    }

    /// The labels by [`LabelId`], for [`program::Root::labels`]. The list only grows.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// What a table that was compiled with this context may name.
    pub fn limits(&self) -> Limits {
        Limits { counters: self.counters, labels: self.label_count() as u32 }
    }

    /// The number of a label, a new one if it was never named. `None` when it is too long or there are too many.
    pub(crate) fn label(&mut self, text: &str) -> Option<LabelId> {
        if let Some(id) = self.ids.get(text) {
            return Some(*id);
        }
        if text.len() > MAX_LABEL {
            return None;
        }
        let id = LabelId(u32::try_from(self.labels.len()).ok().filter(|id| *id < u32::MAX)?);
        self.labels.push(text.to_owned());
        self.ids.insert(text.to_owned(), id);
        Some(id)
    }

    pub(crate) fn label_count(&self) -> usize {
        self.labels.len()
    }

    /// Takes back the labels of a compilation that failed: nothing was published with them.
    pub(crate) fn forget_labels_from(&mut self, count: usize) {
        for label in self.labels.drain(count..) {
            self.ids.remove(&label);
        }
    }
}
