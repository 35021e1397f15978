//! What is wrong with a configuration file, and where.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// A refused configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot read the configuration: {reason}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's words.
        reason: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of another type. The reason shows the line, and names what is allowed.
    #[error("{}: {}", file.display(), reason.to_string().trim_end())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The parser's words, with the line.
        reason: Box<toml::de::Error>,
    },
    /// Every key is known, but a value is not allowed.
    #[error("{}:{line}: {key}: {message}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// The key with its section, for example `dataplane.port[1].mtu`.
        key: String,
        /// What is wrong and what is allowed.
        message: String,
    },
}

/// A value that is not allowed, before its place is turned into a line.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) span: Range<usize>,
    pub(super) key: String,
    pub(super) message: String,
}

impl Wrong {
    pub(super) fn at(self, file: &Path, text: &str) -> ConfigError {
        let line = 1 + text.bytes().take(self.span.start).filter(|b| *b == b'\n').count();
        ConfigError::Value { file: file.into(), line, key: self.key, message: self.message }
    }
}
