//! Accounts and shared folders, with what they hold.

use serde::{Deserialize, Serialize};
use sockeye_node::accounts::{
    AccountAnswer, AccountCommand, AccountQuery, PasswordChoice, Quota, QuotaChoice, Timestamp,
};
use sockeye_node::{Account, AccountName, Role, Secret};
use sockeye_node::{
    Owner,
    command::{Answer, Command},
};

use super::super::{
    Call, Problem,
    answer::{Answered, created, done, json},
};

/// Accounts in a page, if nothing is said, and at most.
const PAGE: (usize, usize) = (200, 1000);

#[derive(Serialize)]
struct Limits {
    bytes: Option<u64>,
    entries: Option<u64>,
}

impl From<Quota> for Limits {
    fn from(quota: Quota) -> Self {
        Self { bytes: quota.bytes, entries: quota.entries }
    }
}

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    role: &'static str,
    locked: bool,
    has_password: bool,
    must_change: bool,
    quota: Limits,
    /// Bytes that its home holds; none while the home is not open and was not closed well.
    used: Option<u64>,
    entries: Option<u64>,
    created: Timestamp,
}

async fn shown(call: &Call<'_>, account: Account) -> Shown {
    let space = space(call, Owner::Account(account.id)).await;
    Shown {
        id: account.id.to_string(),
        name: account.name.to_string(),
        role: account.role.as_str(),
        locked: account.locked,
        has_password: account.has_password,
        must_change: account.must_change,
        quota: account.quota.into(),
        used: space.map(|space| space.0),
        entries: space.map(|space| space.1),
        created: account.created,
    }
}

/// What an open home holds: bytes and entries. One that is not open is not opened for this.
async fn space(call: &Call<'_>, owner: Owner) -> Option<(u64, u64)> {
    let space = call.gate.homes().get(owner)?.space().await.ok()?;
    Some((space.bytes, space.entries))
}

async fn execute(call: &Call<'_>, command: AccountCommand) -> Result<AccountAnswer, Problem> {
    let by = call.commander()?;
    match &call.answerer.config.node {
        Some(node) => match node.command(Command::Account(command), by).await? {
            Answer::Account(answer) => Ok(answer),
            _ => Err(Problem::NOT_FOUND),
        },
        None => Ok(call.gate.accounts().commanded_by(by).execute(command).await?),
    }
}

/// `GET admin/accounts`
pub(in super::super) async fn list(call: &Call<'_>) -> Answered {
    let query = AccountQuery {
        starts_with: call.asked("starts").unwrap_or_default(),
        after: call.asked_as("after")?,
        limit: call.limit(PAGE.0, PAGE.1)?,
        ..AccountQuery::default()
    };
    let page = call.gate.accounts().list(&query).await?;
    let next = page.entries.last().filter(|_| page.more).map(|last| last.name.to_string());
    let mut accounts = Vec::with_capacity(page.entries.len());
    for account in page.entries {
        accounts.push(shown(call, account).await);
    }
    json(&serde_json::json!({ "accounts": accounts, "next": next }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: AccountName,
    #[serde(default)]
    role: Role,
    /// Bytes; none is what the configuration has for new accounts.
    quota: Option<u64>,
    /// None makes one up, which is answered once.
    password: Option<String>,
}

#[derive(Serialize)]
struct Added {
    #[serde(flatten)]
    account: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    one_time_password: Option<String>,
}

/// `POST admin/accounts`
pub(in super::super) async fn add(call: &Call<'_>) -> Answered {
    let New { name, role, quota, password } = call.content()?;
    let quota = match quota {
        Some(bytes) => QuotaChoice::from(Quota { bytes: Some(bytes), entries: None }),
        None => QuotaChoice::default(),
    };
    let password = password.filter(|it| !it.is_empty()).map_or(PasswordChoice::OneTime, |it| {
        // Somebody else knows it.
        PasswordChoice::Chosen { password: Secret::new(it), must_change: true }
    });
    match execute(call, AccountCommand::Add { name, role, quota, password }).await? {
        AccountAnswer::WithPassword { account, one_time } => created(&Added {
            account: shown(call, account).await,
            one_time_password: one_time.map(|secret| secret.expose().to_owned()),
        }),
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
    password: Option<String>,
    role: Option<Role>,
    locked: Option<bool>,
    name: Option<AccountName>,
}

/// Tells `null` from what is not there.
fn said<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::<u64>::deserialize(from).map(Some)
}

/// `PATCH admin/accounts/*`
pub(in super::super) async fn change(call: &Call<'_>) -> Answered {
    let mut name: AccountName = call.named(0, "account")?;
    let Changes { quota, password, role, locked, name: to } = call.content()?;
    // One after the other: each is a command, and what was done before one that is refused stays done.
    if let Some(bytes) = quota {
        let entries = call.gate.accounts().find(&name).await?.quota.entries;
        let quota = Quota { bytes, entries };
        execute(call, AccountCommand::Quota { name: name.clone(), quota }).await?;
    }
    if let Some(role) = role {
        execute(call, AccountCommand::Role { name: name.clone(), role }).await?;
    }
    if let Some(password) = password {
        let password =
            PasswordChoice::Chosen { password: Secret::new(password), must_change: true };
        execute(call, AccountCommand::Passwd { name: name.clone(), password }).await?;
    }
    match locked {
        Some(true) => drop(execute(call, AccountCommand::Lock(name.clone())).await?),
        Some(false) => drop(execute(call, AccountCommand::Unlock(name.clone())).await?),
        None => {}
    }
    if let Some(to) = to {
        execute(call, AccountCommand::Rename { name, to: to.clone() }).await?;
        name = to;
    }
    let account = call.gate.accounts().find(&name).await?;
    json(&shown(call, account).await)
}

/// `DELETE admin/accounts/*`
pub(in super::super) async fn remove(call: &Call<'_>) -> Answered {
    execute(call, AccountCommand::Remove(call.named(0, "account")?)).await?;
    done()
}

/// `GET admin/shared`
pub(in super::super) async fn shared(call: &Call<'_>) -> Answered {
    let after = call.asked_as("after")?;
    let page =
        call.gate.accounts().list_shared(after.as_ref(), call.limit(PAGE.0, PAGE.1)?).await?;
    let next = page.entries.last().filter(|_| page.more).map(|last| last.name.to_string());
    let mut folders = Vec::with_capacity(page.entries.len());
    for folder in page.entries {
        let space = space(call, Owner::Shared(folder.id)).await;
        folders.push(serde_json::json!({
            "id": folder.id.to_string(),
            "name": folder.name.to_string(),
            "path": folder.path(),
            "quota": Limits::from(folder.quota),
            "used": space.map(|space| space.0),
            "entries": space.map(|space| space.1),
            "created": folder.created,
        }));
    }
    json(&serde_json::json!({ "shared": folders, "next": next }))
}
