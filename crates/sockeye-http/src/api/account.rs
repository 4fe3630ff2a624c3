//! One's own account: who one is, what there is room for, where one is signed in, and the password.

use ::http::StatusCode;
use serde::{Deserialize, Serialize};
use sockeye_node::accounts::{NewPassword, to_the_second};
use sockeye_node::{Credentials, Secret, SignInId};
use sockeye_node::{Error, FilePath, Gathered, Order, csrf_token};

use super::{
    Call, Kind, Problem,
    answer::{Answered, done, json},
    shown,
};
use crate::{sign_in, wire::cookie};

/// Most shared folders that are named.
const MOST_SHARED: usize = 1000;

#[derive(Serialize)]
struct Me<'a> {
    name: &'a str,
    role: &'a str,
    /// What a change by a sign-in has to bring along.
    csrf: Option<String>,
    must_change: bool,
    space: Space,
    shared: Vec<Shared>,
    /// Whether there is a public tree for whoever asks.
    public: bool,
    /// Whether what is deleted is kept for a time.
    trash: bool,
    /// Where `?path=` asks: what may be done there.
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
}

#[derive(Serialize)]
struct Space {
    used: u64,
    quota: Option<u64>,
    entries: u64,
    quota_entries: Option<u64>,
}

#[derive(Serialize)]
struct Shared {
    name: String,
    path: String,
    rights: String,
}

/// `GET me`
pub(super) async fn me(call: &Call<'_>) -> Answered {
    let (session, account) = (&call.session, call.account()?);
    let space = match session.space(&FilePath::root()).await {
        Ok(space) => Space {
            used: space.bytes,
            quota: space.quota.bytes,
            entries: space.entries,
            quota_entries: space.quota.entries,
        },
        // A token may be for elsewhere.
        Err(Error::Denied) => Space { used: 0, quota: None, entries: 0, quota_entries: None },
        Err(error) => return Err(error.into()),
    };
    let kept = cookie::sign_in(&call.head.fields).filter(|_| session.sign_in().is_some());
    let rights = match call.asked("path") {
        Some(path) => Some(session.rights_at(&super::path_of(&path)?)?.to_string()),
        None => None,
    };
    json(&Me {
        name: account.name.as_str(),
        role: account.role.as_str(),
        csrf: kept.and_then(csrf_token).map(|token| token.expose().to_owned()),
        must_change: account.must_change,
        space,
        shared: shared(call).await?,
        public: enters_public(call).await?,
        trash: call.gate.homes().keeps_trash(),
        rights,
    })
}

/// Whether one gets to the public tree: everybody once it is open, and before, who fills it.
async fn enters_public(call: &Call<'_>) -> Result<bool, Problem> {
    let public = FilePath::parse(b"public").map_err(Problem::wrong)?;
    match call.session.stat(&public).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound | Error::Denied) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The shared folders that one sees.
async fn shared(call: &Call<'_>) -> Result<Vec<Shared>, Problem> {
    let at = FilePath::parse(b"shared").map_err(Problem::wrong)?;
    let listing = match call.session.list(&at).await {
        Ok(listing) => listing,
        Err(Error::NotFound | Error::Denied) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let (Gathered::All(entries) | Gathered::Some(entries, _)) =
        listing.gather(MOST_SHARED, Order::default()).await?;
    let mut found = Vec::new();
    for entry in entries.into_iter().take(MOST_SHARED) {
        let path = at.join(&entry.name).map_err(Problem::wrong)?;
        let rights = call.session.rights_at(&path)?.to_string();
        found.push(Shared { name: entry.name.to_string(), path: shown(&path), rights });
    }
    Ok(found)
}

#[derive(Serialize)]
pub(super) struct SignIn {
    id: String,
    peer: Option<String>,
    agent: Option<String>,
    created: String,
    last_used: String,
    expires: String,
    /// Whether it is the one that asks.
    current: bool,
}

impl SignIn {
    pub(super) fn of(one: sockeye_node::SignIn, current: Option<SignInId>) -> Self {
        Self {
            id: one.id.to_string(),
            peer: one.address.map(|address| address.to_string()),
            agent: one.agent,
            created: to_the_second(one.created).to_string(),
            last_used: to_the_second(one.last_used).to_string(),
            expires: to_the_second(one.expires).to_string(),
            current: current == Some(one.id),
        }
    }
}

/// `GET sign-ins`
pub(super) async fn sign_ins(call: &Call<'_>) -> Answered {
    let current = call.session.sign_in();
    let all = call.session.sign_ins().await?;
    json(&all.into_iter().map(|one| SignIn::of(one, current)).collect::<Vec<_>>())
}

/// `DELETE sign-ins/*`
pub(super) async fn end_sign_in(call: &Call<'_>) -> Answered {
    call.session.end_sign_in(call.named(0, "sign-in")?).await?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Password {
    current: String,
    new: String,
}

/// What whoever signed in on the page goes on with.
#[derive(Serialize)]
struct Renewed {
    csrf: Option<String>,
}

/// `POST password`
pub(super) async fn set_password(call: &Call<'_>) -> Answered {
    let Password { current, new } = call.content()?;
    let account = call.account()?;
    // Whoever finds a browser open does not take the account over; bounded like every login.
    let credentials = Credentials::password(account.name.as_str(), current);
    let origin = call.answerer.link.visitor.origin().clone();
    let proven = call.gate.login(&credentials, origin).await;
    let wrong = || {
        let why = "the current password is another one";
        Problem::new(StatusCode::FORBIDDEN, why).of_kind(Kind::WrongPassword)
    };
    let proven = proven.map_err(|error| match crate::site::Unwelcome::from(error) {
        crate::site::Unwelcome::Refused(sockeye_node::Refused::Wrong(_)) => wrong(),
        other => other.into(),
    })?;
    // A token is no password.
    if !proven.is_by_password() {
        return Err(wrong());
    }
    let own = own_sign_in(call).await?;
    let accounts = call.gate.accounts().commanded_by(call.commander()?);
    let chosen = NewPassword::Chosen(Secret::new(new.clone()));
    accounts.set_password(account.id, chosen).await?;
    let Some(own) = own else { return done() };
    // Every sign-in ended with the old password, also the one of who has changed it.
    let credentials = Credentials::password(account.name.as_str(), new);
    let renewed = sign_in::renew(call.answerer, call.gate, call.head, &credentials, &own).await;
    // Whoever was locked out meanwhile signs in again, if they may; the password is changed.
    let Ok((cookie, csrf)) = renewed else { return done() };
    let mut reply = json(&Renewed { csrf: csrf.map(|token| token.expose().to_owned()) })?;
    sign_in::set_cookie(&mut reply, &cookie);
    Ok(reply)
}

/// The sign-in by which the request came, if it came by one.
async fn own_sign_in(call: &Call<'_>) -> Result<Option<sockeye_node::SignIn>, Problem> {
    let Some(id) = call.session.sign_in() else { return Ok(None) };
    Ok(call.session.sign_ins().await?.into_iter().find(|it| it.id == id))
}
