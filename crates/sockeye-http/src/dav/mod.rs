//! WebDAV (RFC 4918): what its methods do at a file or folder of a node.

use crate::{
    answer::{Answerer, Reply, refuse},
    content::Content,
    wire::{
        head::Head,
        method::Method,
        plan::{Refusal, allowed},
        target::Resource,
    },
};

/// Answers a request of WebDAV's: none of its methods is taken yet, which OPTIONS and Allow say as well.
pub(crate) async fn answer(
    answerer: &Answerer<'_>,
    head: &Head<'_>,
    _: Method,
    wanted: &Resource<'_>,
    _: &mut impl Content,
) -> Reply {
    refuse(Refusal::Method(allowed(wanted, answerer.site.is_node())), Some(head))
}
