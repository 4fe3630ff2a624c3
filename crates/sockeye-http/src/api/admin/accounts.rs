//! Accounts, with what they hold and what was granted to them.

use serde::{Deserialize, Serialize};
use sockeye_node::accounts::{
    AccountAnswer, AccountCommand, AccountQuery, Grant, PasswordChoice, Prefix, Quota, QuotaChoice,
    Timestamp, write_to_the_second,
};
use sockeye_node::{Account, AccountName, Owner, Rights, Role, Secret};

use super::super::{
    Call, Kind, Problem,
    answer::{Answered, created, done, json},
    parsed,
};

/// Accounts in a page, if nothing is said, and at most.
const PAGE: (usize, usize) = (200, 1000);

#[derive(Serialize)]
pub(super) struct Limits {
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
    /// Bytes that its home holds; none before it has one, and while that was neither opened nor closed well.
    used: Option<u64>,
    entries: Option<u64>,
    /// Rights that differ from those of its role.
    grants: Vec<Granted>,
    #[serde(serialize_with = "write_to_the_second")]
    created: Timestamp,
}

#[derive(Serialize)]
struct Granted {
    prefix: String,
    rights: String,
}

async fn shown(call: &Call<'_>, account: Account) -> Shown {
    let contents = call.gate.homes().contents(Owner::Account(account.id)).await;
    let granted = |grant: &Grant| Granted {
        prefix: grant.prefix.as_str().to_owned(),
        rights: grant.rights.to_string(),
    };
    Shown {
        id: account.id.to_string(),
        name: account.name.to_string(),
        role: account.role.as_str(),
        locked: account.locked,
        has_password: account.has_password,
        must_change: account.must_change,
        quota: account.quota.into(),
        used: contents.map(|contents| contents.bytes),
        entries: contents.map(|contents| contents.entries),
        grants: account.grants.iter().map(granted).collect(),
        created: account.created,
    }
}

pub(super) async fn execute(
    call: &Call<'_>,
    command: AccountCommand,
) -> Result<AccountAnswer, Problem> {
    let by = call.commander()?;
    Ok(match &call.answerer.config.node {
        Some(node) => node.account_command(command, by).await?,
        None => call.gate.accounts().commanded_by(by).execute(command).await?,
    })
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
    name: String,
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
    initial_password: Option<String>,
}

/// `POST admin/accounts`
pub(in super::super) async fn add(call: &Call<'_>) -> Answered {
    let New { name, role, quota, password } = call.content()?;
    let name = parsed(&name, Kind::BadAccountName)?;
    let quota = match quota {
        Some(bytes) => QuotaChoice::from(Quota { bytes: Some(bytes), entries: None }),
        None => QuotaChoice::default(),
    };
    let password = password.filter(|it| !it.is_empty()).map_or(PasswordChoice::Initial, |it| {
        // Somebody else knows it.
        PasswordChoice::Chosen { password: Secret::new(it), must_change: true }
    });
    match execute(call, AccountCommand::Add { name, role, quota, password }).await? {
        AccountAnswer::WithPassword { account, initial } => created(&Added {
            account: shown(call, account).await,
            initial_password: initial.map(|secret| secret.expose().to_owned()),
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
    name: Option<String>,
}

/// Tells `null` from what is not there.
pub(super) fn said<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<u64>>, D::Error> {
    Option::<u64>::deserialize(from).map(Some)
}

/// `PATCH admin/accounts/*`
pub(in super::super) async fn change(call: &Call<'_>) -> Answered {
    let mut name: AccountName = call.named(0, "account")?;
    let Changes { quota, password, role, locked, name: to } = call.content()?;
    let to = to.map(|to| parsed::<AccountName>(&to, Kind::BadAccountName)).transpose()?;
    // One after the other: each is a command, and what was done before one that is refused stays done.
    if let Some(bytes) = quota {
        let quota = QuotaChoice { bytes: bytes.into(), ..QuotaChoice::default() };
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGrant {
    prefix: Prefix,
    rights: Rights,
}

/// `POST admin/accounts/*/grants`: in place of what was granted there before.
pub(in super::super) async fn grant(call: &Call<'_>) -> Answered {
    let name: AccountName = call.named(0, "account")?;
    let NewGrant { prefix, rights } = call.content()?;
    let command = AccountCommand::Grant { name, grant: Grant { prefix, rights } };
    changed(call, execute(call, command).await?).await
}

/// `DELETE admin/accounts/*/grants?prefix=`
pub(in super::super) async fn ungrant(call: &Call<'_>) -> Answered {
    let name: AccountName = call.named(0, "account")?;
    let prefix = call.asked_as::<Prefix>("prefix")?;
    let prefix = prefix.ok_or_else(|| Problem::wrong("prefix says where it was granted"))?;
    changed(call, execute(call, AccountCommand::Ungrant { name, prefix }).await?).await
}

/// The account as it is after a change.
async fn changed(call: &Call<'_>, answer: AccountAnswer) -> Answered {
    match answer {
        AccountAnswer::Account(account) => json(&shown(call, account).await),
        _ => Err(Problem::NOT_FOUND),
    }
}
