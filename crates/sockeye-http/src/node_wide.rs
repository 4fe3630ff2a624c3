//! What all listeners of a node have together, before a reload and after it.

use crate::{api::Followers, archive::Room, compress::Compressor, tus::Turns};

/// One of each for a node; without a node, for one [`Http`](crate::Http).
#[derive(Debug, Default)]
pub(crate) struct NodeWide {
    /// What makes texts smaller.
    pub(crate) compressor: Compressor,
    /// The memory that archives of folders share while they are sent.
    pub(crate) archives: Room,
    /// Who is at which upload in pieces.
    pub(crate) uploads: Turns,
    /// The places of those who follow the log.
    pub(crate) followers: Followers,
}
