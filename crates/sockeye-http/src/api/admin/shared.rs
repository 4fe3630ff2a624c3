//! Shared folders, with what they hold.

use serde::{Deserialize, Serialize};
use sockeye_node::Owner;
use sockeye_node::accounts::{
    AccountAnswer, AccountCommand, Quota, QuotaChoice, Shared, SharedName, Timestamp,
    write_to_the_second,
};

use super::{
    super::{
        Call, Kind, Problem,
        answer::{Answered, created, done, json},
        parsed,
    },
    accounts::{Limits, execute, said},
};

/// Folders in a page, if nothing is said, and at most.
const PAGE: (usize, usize) = (200, 1000);

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    path: String,
    quota: Limits,
    /// Bytes that it holds; none before anybody was in it, and while it was neither opened nor closed well.
    used: Option<u64>,
    entries: Option<u64>,
    #[serde(serialize_with = "write_to_the_second")]
    created: Timestamp,
}

async fn shown(call: &Call<'_>, folder: Shared) -> Shown {
    let contents = call.gate.homes().contents(Owner::Shared(folder.id)).await;
    Shown {
        id: folder.id.to_string(),
        path: folder.path(),
        name: folder.name.to_string(),
        quota: folder.quota.into(),
        used: contents.map(|contents| contents.bytes),
        entries: contents.map(|contents| contents.entries),
        created: folder.created,
    }
}

/// `GET admin/shared`
pub(in super::super) async fn list(call: &Call<'_>) -> Answered {
    let after = call.asked_as("after")?;
    let limit = call.limit(PAGE.0, PAGE.1)?;
    let page = call.gate.accounts().list_shared(after.as_ref(), limit).await?;
    let next = page.entries.last().filter(|_| page.more).map(|last| last.name.to_string());
    let mut folders = Vec::with_capacity(page.entries.len());
    for folder in page.entries {
        folders.push(shown(call, folder).await);
    }
    json(&serde_json::json!({ "shared": folders, "next": next }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    /// Bytes; none is no limit.
    quota: Option<u64>,
}

/// `POST admin/shared`
pub(in super::super) async fn add(call: &Call<'_>) -> Answered {
    let New { name, quota: bytes } = call.content()?;
    let name = parsed(&name, Kind::BadSharedName)?;
    let quota = Quota { bytes, entries: None };
    match execute(call, AccountCommand::SharedAdd { name, quota }).await? {
        AccountAnswer::Shared(folder) => created(&shown(call, folder).await),
        _ => Err(Problem::NOT_FOUND),
    }
}

/// What is to change; what is not named stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    /// `null` is no limit.
    #[serde(default, deserialize_with = "said")]
    quota: Option<Option<u64>>,
}

/// `PATCH admin/shared/*`
pub(in super::super) async fn change(call: &Call<'_>) -> Answered {
    let name: SharedName = call.named(0, "shared folder")?;
    let Changes { quota } = call.content()?;
    let mut folder = call.gate.accounts().find_shared(&name).await?;
    if let Some(bytes) = quota {
        let quota = QuotaChoice { bytes: bytes.into(), ..QuotaChoice::default() };
        match execute(call, AccountCommand::SharedQuota { name, quota }).await? {
            AccountAnswer::Shared(changed) => folder = changed,
            _ => return Err(Problem::NOT_FOUND),
        }
    }
    json(&shown(call, folder).await)
}

/// `DELETE admin/shared/*`: its files stay on the disk.
pub(in super::super) async fn remove(call: &Call<'_>) -> Answered {
    execute(call, AccountCommand::SharedRemove(call.named(0, "shared folder")?)).await?;
    done()
}
