//! What a home holds, for who administers it.

use serde::{Deserialize, Serialize};
use sockeye_accounts::{AccountId, SharedId};
use sockeye_store::{Amount, Space};

use super::{Refusal, Whose};
use crate::{Error, Node, Owner};

/// What a home holds, all of which counts against its quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Bytes, all told.
    pub bytes: u64,
    /// Files and folders, all told.
    pub entries: u64,
    /// Bytes of what clients see.
    pub files: u64,
    /// Bytes of uploads that were begun, or announced.
    pub uploads: u64,
    /// What of that lies in uploads that were cut, and nobody is at.
    pub cut: u64,
    /// Bytes of what was removed or replaced and is still kept.
    pub trash: u64,
}

impl From<Space> for Held {
    fn from(space: Space) -> Self {
        let Space { bytes, entries, files, partials, reserved, trash, .. } = space;
        let of = |amount: Amount| amount.bytes;
        let (cut, uploads) = (of(partials), of(partials) + of(reserved));
        Self { bytes, entries, files: of(files), uploads, cut, trash: of(trash) }
    }
}

/// Tells it; a home that is not open is opened.
pub(super) async fn execute(node: &Node, of: &Whose) -> Result<Held, Refusal> {
    let home = node.home_of(of).await?;
    Ok(home.space().await.map_err(Error::from)?.into())
}

/// What a home holds, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Bytes, all told.
    pub bytes: u64,
    /// Files and folders, all told.
    pub entries: u64,
}

/// Tells it of many homes. None of a home that nobody has had yet, or that was not closed well and is not open.
pub(super) async fn used(
    node: &Node,
    accounts: Vec<AccountId>,
    shared: Vec<SharedId>,
) -> Vec<Option<Used>> {
    let accounts = accounts.into_iter().map(Owner::Account);
    let mut all = Vec::new();
    for owner in accounts.chain(shared.into_iter().map(Owner::Shared)) {
        let contents = node.gate().homes().contents(owner).await;
        all.push(contents.map(|Amount { bytes, entries }| Used { bytes, entries }));
    }
    all
}
