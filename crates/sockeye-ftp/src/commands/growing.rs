//! Files that are still coming, where they are to be seen (`ftp.growing`): under their names, with the size that they have.
//!
//! They are told of and nothing more. What was sent of one would pass for the whole, so that it is fetched, hashed, renamed
//! and removed once it is in its place.

use std::collections::BTreeMap;

use sockeye_node::{FilePath, Meta, Name};

use crate::{
    control::Dialog,
    wire::{path::absolute, reply::Reply},
};

/// The file that is coming to `path`, if it is to be seen. To be asked before what is there: in between it may be put in
/// its place.
pub(super) async fn at(dialog: &Dialog, path: &FilePath) -> Option<Meta> {
    match dialog.shared.config.growing {
        true => dialog.session().ok()?.growing(path).await.ok().flatten(),
        false => None,
    }
}

/// Those that are coming to `folder`.
pub(super) async fn within(dialog: &Dialog, folder: &FilePath) -> BTreeMap<Name, Meta> {
    match (dialog.shared.config.growing, dialog.session()) {
        // Who may not list it is told so by the listing.
        (true, Ok(session)) => session.growing_in(folder).await.unwrap_or_default(),
        _ => BTreeMap::new(),
    }
}

/// The reply to who wants more of it than to see it.
pub(super) fn refused(path: &FilePath, coming: &Meta) -> Reply {
    let text = format!(" is still coming, {} bytes so far; ask again.", coming.size);
    Reply::new(450, [&absolute(path)[..], text.as_bytes()].concat())
}
