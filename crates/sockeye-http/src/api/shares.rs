//! Shares: one's own, with their links; and how they are told.

use serde::{Deserialize, Serialize};
use sockeye_node::accounts::{Prefix, ShareKind, Timestamp, write_to_the_second};
use sockeye_node::{
    Error, FilePath,
    command::{ShareAnswer, ShareCommand, ShareEnd, SharedLink, share_from},
};
use sockeye_node::{Rights, Secret};

use super::{
    Call, Problem,
    answer::{Answered, created, done, json},
    path_of, shown,
};

/// A share as it is told.
#[derive(Serialize)]
pub(super) struct Shown {
    id: String,
    /// Whose it is.
    by: String,
    path: String,
    kind: &'static str,
    label: Option<String>,
    #[serde(serialize_with = "write_to_the_second")]
    expires: Option<Timestamp>,
    downloads: Option<u64>,
    downloaded: u64,
    max_bytes: Option<u64>,
    max_files: Option<u64>,
    taken_bytes: u64,
    taken_files: u64,
    has_password: bool,
    #[serde(serialize_with = "write_to_the_second")]
    created: Timestamp,
    /// Why its link leads nowhere, if that is so.
    ended: Option<&'static str>,
    /// The link, to whom it belongs: relative to this site, whose name not every server knows.
    url: Option<String>,
}

impl Shown {
    /// To its owner, who has the link.
    fn of(linked: SharedLink) -> Self {
        let url = linked.url.expose().to_owned();
        Self { url: Some(url), ..Self::without_link(linked) }
    }

    /// To somebody else, who is not to come by it.
    pub(super) fn without_link(linked: SharedLink) -> Self {
        let SharedLink { share, owner, dead, .. } = linked;
        let path = FilePath::parse(share.path.as_str().trim_start_matches('/').as_bytes());
        Self {
            id: share.id.to_string(),
            by: owner.to_string(),
            path: path.map_or_else(|_| share.path.to_string(), |path| shown(&path)),
            kind: share.kind.as_str(),
            label: share.label,
            expires: share.expires,
            downloads: share.downloads,
            downloaded: share.downloaded,
            max_bytes: share.max_bytes,
            max_files: share.max_files,
            taken_bytes: share.taken_bytes,
            taken_files: share.taken_files,
            has_password: share.has_password,
            created: share.created,
            ended: dead.map(ShareEnd::as_str),
            url: None,
        }
    }
}

/// Has a command about shares carried out.
pub(super) async fn command(
    call: &Call<'_>,
    command: ShareCommand,
) -> Result<ShareAnswer, Problem> {
    // Relative: not every server knows what its site is called.
    Ok(share_from(call.gate, "/", command, call.commander()?).await?)
}

/// `GET shares`
pub(super) async fn list(call: &Call<'_>) -> Answered {
    if !call.session.is_by_password() {
        return Err(Error::Denied.into());
    }
    let of = Some(call.account()?.name.clone());
    let after = call.asked_as("after")?;
    page(command(call, ShareCommand::List { of, after }).await?, Shown::of)
}

/// A page of shares, each told by `tell`.
pub(super) fn page(answer: ShareAnswer, tell: fn(SharedLink) -> Shown) -> Answered {
    match answer {
        ShareAnswer::Page { entries, more } => {
            let next = entries.last().filter(|_| more).map(|last| last.share.id.to_string());
            let shares: Vec<_> = entries.into_iter().map(tell).collect();
            json(&serde_json::json!({ "shares": shares, "next": next }))
        }
        _ => Err(Problem::NOT_FOUND),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    path: String,
    #[serde(default = "download")]
    kind: ShareKind,
    label: Option<String>,
    expires: Option<Timestamp>,
    downloads: Option<u64>,
    max_bytes: Option<u64>,
    max_files: Option<u64>,
    password: Option<String>,
}

fn download() -> ShareKind {
    ShareKind::Download
}

/// `POST shares`
pub(super) async fn add(call: &Call<'_>) -> Answered {
    let New { path, kind, label, expires, downloads, max_bytes, max_files, password } =
        call.content()?;
    let path = path_of(&path)?;
    // As far as a token goes, too; the account's own rights are looked at below.
    let rights = call.session.rights_at(&path)?;
    if !rights.contains(Rights::SHARE | kind.rights()) {
        return Err(Error::Denied.into());
    }
    let text = format!("/{}", str::from_utf8(path.as_bytes()).map_err(Problem::unfit)?);
    let path: Prefix = text.parse().map_err(Problem::unfit)?;
    let of = call.account()?.name.clone();
    let password = password.map(Secret::new);
    let new = ShareCommand::Add {
        of,
        path,
        kind,
        label,
        expires,
        downloads,
        max_bytes,
        max_files,
        password,
    };
    match command(call, new).await? {
        ShareAnswer::Added(linked) => created(&Shown::of(linked)),
        _ => Err(Problem::NOT_FOUND),
    }
}

/// `DELETE shares/*`
pub(super) async fn revoke(call: &Call<'_>) -> Answered {
    if !call.session.is_by_password() {
        return Err(Error::Denied.into());
    }
    let id = call.named(0, "share")?;
    let of = Some(call.account()?.name.clone());
    command(call, ShareCommand::Revoke { id, of }).await?;
    done()
}
