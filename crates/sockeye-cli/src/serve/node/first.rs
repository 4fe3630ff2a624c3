//! The first start: what a new data folder gets, and its administrator.

use std::path::Path;

use sockeye_accounts::Secret;
use sockeye_node::{FIRST_ADMIN, Node, data::write_private};

use super::super::announce::{FirstAdmin, FirstPassword};
use crate::failure::Failure;

/// Writes a file that only its owner may read.
pub(super) fn write(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    write_private(path, contents)
        .map_err(|error| Failure::from(error).about(format!("cannot write {}", path.display())))
}

/// Makes the administrator if the node has no account at all. The password is shown if somebody is there to
/// read it, and otherwise put where only the node's own user can.
pub(super) async fn admin(node: &Node, shown: bool) -> Result<Option<FirstAdmin>, Failure> {
    let file = node.folder().initial_password();
    let first = |password| FirstAdmin { name: FIRST_ADMIN.to_owned(), password };
    if !node.is_without_accounts().await? {
        // Still there if it was never changed.
        return Ok(file.exists().then(|| first(FirstPassword::File(file))));
    }
    let secret = Secret::initial();
    let password = if shown {
        FirstPassword::Shown(secret.expose().to_owned())
    } else {
        // First, so that there is never an administrator whose password nobody knows.
        write(&file, format!("{}\n", secret.expose()).as_bytes())?;
        FirstPassword::File(file)
    };
    node.add_first_admin(secret).await?;
    Ok(Some(first(password)))
}
