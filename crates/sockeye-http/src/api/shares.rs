//! One's own shares.

use serde::{Deserialize, Serialize};
use sockeye_node::accounts::{Prefix, ShareKind, Timestamp};
use sockeye_node::{
    Error, FilePath,
    command::{ShareAnswer, ShareCommand, SharedLink, share_from},
};
use sockeye_node::{Rights, Secret};

use super::{
    Call, Problem,
    answer::{Answered, created, done, json},
    path_of, shown,
};

#[derive(Serialize)]
struct Shown {
    id: String,
    path: String,
    kind: &'static str,
    label: Option<String>,
    expires: Option<Timestamp>,
    downloads: Option<u64>,
    downloaded: u64,
    max_bytes: Option<u64>,
    max_files: Option<u64>,
    taken_bytes: u64,
    taken_files: u64,
    has_password: bool,
    created: Timestamp,
    /// Relative to this site, whose name not every server knows.
    link: String,
    url: String,
}

impl Shown {
    fn of(linked: SharedLink) -> Self {
        let share = linked.share;
        let path = FilePath::parse(share.path.as_str().trim_start_matches('/').as_bytes());
        let relative = linked.url.expose().to_owned();
        Self {
            id: share.id.to_string(),
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
            url: relative.clone(),
            link: relative,
        }
    }
}

async fn command(call: &Call<'_>, command: ShareCommand) -> Result<ShareAnswer, Problem> {
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
    match command(call, ShareCommand::List { of, after }).await? {
        ShareAnswer::Page { entries, more } => {
            let next = entries.last().filter(|_| more).map(|last| last.share.id.to_string());
            let shares: Vec<_> = entries.into_iter().map(Shown::of).collect();
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
