//! The node: what a data folder becomes while somebody holds its lock.

use std::sync::{Arc, PoisonError, RwLock};

use crate::config::Config;

/// A node that runs.
#[derive(Debug)]
pub struct Node {
    config: RwLock<Arc<Config>>,
}

impl Node {
    /// The configuration that holds now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }
}
