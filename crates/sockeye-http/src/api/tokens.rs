//! One's own access tokens and SSH keys.

use serde::{Deserialize, Serialize};
use sockeye_node::Error;
use sockeye_node::Rights;
use sockeye_node::accounts::{
    Key, NewToken, Prefix, Protocols, PublicKey, Timestamp, Token, write_to_the_second,
};

use super::{
    Call, Kind, Problem,
    answer::{Answered, created, done, json},
    parsed,
};

#[derive(Serialize)]
struct Shown<'a> {
    id: String,
    label: &'a str,
    prefix: &'a str,
    rights: String,
    protocols: String,
    #[serde(serialize_with = "write_to_the_second")]
    expires: Option<Timestamp>,
    #[serde(serialize_with = "write_to_the_second")]
    last_used: Option<Timestamp>,
    #[serde(serialize_with = "write_to_the_second")]
    created: Timestamp,
    /// The token itself: shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(token: &'a Token, secret: Option<&'a str>) -> Self {
        Self {
            id: token.id.to_string(),
            label: &token.label,
            prefix: token.prefix.as_str(),
            rights: token.rights.to_string(),
            protocols: token.protocols.to_string(),
            expires: token.expires,
            last_used: token.last_used,
            created: token.created,
            token: secret,
        }
    }
}

/// What makes or ends secrets of an account is for who knows its password.
fn owner(call: &Call<'_>) -> Result<(), Problem> {
    if call.session.is_by_password() { Ok(()) } else { Err(Error::Denied.into()) }
}

/// `GET tokens`
pub(super) async fn list(call: &Call<'_>) -> Answered {
    owner(call)?;
    let tokens = call.gate.accounts().tokens(call.account()?.id).await?;
    json(&tokens.iter().map(|token| Shown::of(token, None)).collect::<Vec<_>>())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    label: String,
    #[serde(default = "Prefix::root")]
    prefix: Prefix,
    rights: Rights,
    protocols: Option<Protocols>,
    expires: Option<Timestamp>,
}

/// `POST tokens`
pub(super) async fn create(call: &Call<'_>) -> Answered {
    owner(call)?;
    let New { label, prefix, rights, protocols, expires } = call.content()?;
    let protocols = match protocols {
        Some(protocols) => protocols,
        None => "any".parse().map_err(Problem::wrong)?,
    };
    let accounts = call.gate.accounts().commanded_by(call.commander()?);
    let new = NewToken { label, prefix, rights, protocols, expires };
    let (token, secret) = accounts.create_token(call.account()?.id, new).await?;
    created(&Shown::of(&token, Some(secret.expose())))
}

/// `DELETE tokens/*`
pub(super) async fn revoke(call: &Call<'_>) -> Answered {
    owner(call)?;
    let accounts = call.gate.accounts().commanded_by(call.commander()?);
    accounts.revoke_token(call.account()?.id, call.named(0, "token")?).await?;
    done()
}

#[derive(Serialize)]
struct ShownKey {
    fingerprint: String,
    kind: &'static str,
    comment: String,
    #[serde(serialize_with = "write_to_the_second")]
    created: Timestamp,
}

impl From<&Key> for ShownKey {
    fn from(key: &Key) -> Self {
        Self {
            fingerprint: key.fingerprint.clone(),
            kind: key.key.kind(),
            comment: key.key.comment().to_owned(),
            created: key.created,
        }
    }
}

/// `GET keys`
pub(super) async fn keys(call: &Call<'_>) -> Answered {
    owner(call)?;
    let keys = call.gate.accounts().keys(call.account()?.id).await?;
    json(&keys.iter().map(ShownKey::from).collect::<Vec<_>>())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    key: String,
}

/// `POST keys`
pub(super) async fn add_key(call: &Call<'_>) -> Answered {
    owner(call)?;
    let NewKey { key } = call.content()?;
    let key: PublicKey = parsed(&key, Kind::BadKey)?;
    let accounts = call.gate.accounts().commanded_by(call.commander()?);
    let key = accounts.add_key(call.account()?.id, key).await?;
    created(&ShownKey::from(&key))
}

/// `DELETE keys/*`
pub(super) async fn remove_key(call: &Call<'_>) -> Answered {
    owner(call)?;
    let fingerprint: String = call.named(0, "key")?;
    let accounts = call.gate.accounts().commanded_by(call.commander()?);
    accounts.remove_key(call.account()?.id, &fingerprint).await?;
    done()
}
