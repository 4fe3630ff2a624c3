//! The first start: what a new data folder gets, and its administrator.

use std::path::Path;

use sockeye_node::Node;

use super::FirstAdmin;
use crate::failure::Failure;

/// Writes a file that only its owner may read.
pub(super) fn write(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    sockeye_node::data::write_private(path, contents)
        .map_err(|error| Failure::from(error).about(format!("cannot write {}", path.display())))
}

/// Makes the administrator if the node has no account at all.
pub(super) async fn admin(_node: &Node, _shown: bool) -> Result<Option<FirstAdmin>, Failure> {
    Ok(None)
}
