//! `/-/api/v1/`: what pages and programs ask and change beside files themselves, in JSON.
//!
//! One table says which method at which path does what, and who may; `openapi.json` describes the same rows, which a
//! test compares. Every row goes through a [`Session`] or a command of the node, never around them: rights, quotas
//! and the journal are theirs. Errors are problem details (RFC 9457).
//!
//! Paths of files stand in answers and questions as in addresses: each name percent-encoded, so that every name that
//! a disk can have has one spelling (a name that is sent may leave unreserved bytes as they are).

mod account;
mod admin;
mod answer;
mod each;
mod files;
mod kind;
mod problem;
mod search;
mod shares;
mod tokens;
mod trash;

use std::{fmt::Display, future::Future, pin::Pin, str::FromStr, sync::Arc};

use ::http::StatusCode;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use sockeye_node::{Account, FilePath, Gate, Node, Role, Session, command::Commander};

pub(crate) use self::admin::log::Followers;
use self::{answer::Answered, kind::Kind, problem::Problem};
use crate::{
    answer::Answerer,
    content::{Content, read_whole},
    own::Asked,
    reply::{Reply, allow},
    site::Unwelcome,
    wire::{
        form,
        head::Head,
        method::{Allowed, Method},
        target::url_path,
    },
};

/// The path of the API, behind `/-/`.
pub(crate) const PREFIX: &str = "api/v1";

/// Longest content of a request, in bytes.
const MAX_CONTENT: usize = 64 * 1024;

/// The document that describes all this.
const OPENAPI: &str = include_str!("openapi.json");

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Anybody, also who has not signed in.
    Anybody,
    /// Who has an account.
    Account,
    /// Who administers the node.
    Admin,
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A row of the table.
struct Row {
    method: Method,
    /// Names behind `/-/api/v1/`; `*` is any one name, which the row takes as an argument.
    path: &'static str,
    who: Who,
    run: for<'a> fn(&'a Call<'a>) -> BoxFuture<'a, Answered>,
}

macro_rules! rows {
    ($( $method:ident $path:literal $who:ident => $run:path; )+) => {
        &[$( Row {
            method: Method::$method,
            path: $path,
            who: Who::$who,
            run: |call| Box::pin($run(call)),
        } ),+]
    };
}

const ROWS: &[Row] = rows! {
    Get "openapi.json" Anybody => openapi;
    Get "me" Account => account::me;
    Get "sign-ins" Account => account::sign_ins;
    Delete "sign-ins/*" Account => account::end_sign_in;
    Post "password" Account => account::set_password;
    Get "keys" Account => tokens::keys;
    Post "keys" Account => tokens::add_key;
    Delete "keys/*" Account => tokens::remove_key;
    Get "tokens" Account => tokens::list;
    Post "tokens" Account => tokens::create;
    Delete "tokens/*" Account => tokens::revoke;
    Get "files" Anybody => files::list;
    Get "file" Anybody => files::stat;
    Get "search" Account => search::search;
    Post "folders" Account => files::make_folder;
    Post "move" Account => files::rename;
    Post "copy" Account => files::copy;
    Post "delete" Account => files::delete;
    Get "trash" Account => trash::list;
    Post "trash/restore" Account => trash::restore;
    Post "trash/purge" Account => trash::purge;
    Post "trash/empty" Account => trash::empty;
    Get "uploads" Account => trash::uploads;
    Delete "uploads/*/*" Account => trash::drop_upload;
    Get "shares" Account => shares::list;
    Post "shares" Account => shares::add;
    Delete "shares/*" Account => shares::revoke;
    Get "admin/accounts" Admin => admin::accounts::list;
    Post "admin/accounts" Admin => admin::accounts::add;
    Patch "admin/accounts/*" Admin => admin::accounts::change;
    Delete "admin/accounts/*" Admin => admin::accounts::remove;
    Post "admin/accounts/*/grants" Admin => admin::accounts::grant;
    Delete "admin/accounts/*/grants" Admin => admin::accounts::ungrant;
    Get "admin/accounts/*/sign-ins" Admin => admin::sign_ins::list;
    Delete "admin/accounts/*/sign-ins" Admin => admin::sign_ins::end_all;
    Delete "admin/accounts/*/sign-ins/*" Admin => admin::sign_ins::end;
    Get "admin/shared" Admin => admin::shared::list;
    Post "admin/shared" Admin => admin::shared::add;
    Patch "admin/shared/*" Admin => admin::shared::change;
    Delete "admin/shared/*" Admin => admin::shared::remove;
    Get "admin/shares" Admin => admin::shares::list;
    Delete "admin/shares/*" Admin => admin::shares::revoke;
    Get "admin/sessions" Admin => admin::node::sessions;
    Delete "admin/sessions/*" Admin => admin::node::end_session;
    Get "admin/health" Admin => admin::node::health;
    Get "admin/listeners" Admin => admin::node::listeners;
    Post "admin/reload" Admin => admin::node::reload;
    Get "admin/log" Admin => admin::log::show;
};

/// A request, as far as it is known who sent it and what it is for.
struct Call<'a> {
    answerer: &'a Answerer<'a>,
    head: &'a Head<'a>,
    gate: &'a Arc<Gate>,
    session: Session,
    /// None where a row takes anybody.
    account: Option<Arc<Account>>,
    /// What stands for each `*` of the row, decoded.
    names: Vec<Vec<u8>>,
    query: &'a [u8],
    content: Bytes,
}

/// Answers a request below `/-/api/v1/`.
pub(crate) async fn answer(
    answerer: &Answerer<'_>,
    asked: &Asked<'_>,
    content: &mut impl Content,
) -> Reply {
    match carry_out(answerer, asked, content).await {
        Ok(reply) => reply,
        Err(problem) => problem.reply(),
    }
}

async fn carry_out(
    answerer: &Answerer<'_>,
    asked: &Asked<'_>,
    content: &mut impl Content,
) -> Answered {
    let head = asked.head;
    let Some(gate) = answerer.site.gate() else { return Err(Problem::NOT_FOUND) };
    if head.method == Method::Options {
        return allowed(&asked.below).map(allow).ok_or(Problem::NOT_FOUND);
    }
    let (row, names) = find(head.method, &asked.below)?;
    let asker = match answerer.asker(head).await {
        Ok(asker) => asker,
        Err(Unwelcome::Stranger) if row.path == "openapi.json" => return document(),
        Err(unwelcome) => return Err(Problem::from(unwelcome)),
    };
    let account = asker.session.account()?;
    match (row.who, &account) {
        (Who::Anybody, _) | (Who::Account, Some(_)) => {}
        (_, None) => return Err(Unwelcome::Stranger.into()),
        // A token bounds its bearer, and none is for administering.
        (Who::Admin, Some(account))
            if account.role == Role::Admin && asker.session.is_by_password() => {}
        (Who::Admin, Some(_)) => {
            let why = "this is for administrators who signed in with their password";
            return Err(Problem::new(StatusCode::FORBIDDEN, why).of_kind(Kind::NeedsPassword));
        }
    }
    if head.method.changes() && !asker.may_change(&head.fields) {
        return Err(Unwelcome::Forged.into());
    }
    let session = asker.session;
    let content = read(head, content).await?;
    let query = asked.query.unwrap_or_default();
    let call = Call { answerer, head, gate, session, account, names, query, content };
    (row.run)(&call).await
}

/// The content, which is JSON if there is any.
async fn read(head: &Head<'_>, content: &mut impl Content) -> Result<Bytes, Problem> {
    if content.is_at_end() {
        return Ok(Bytes::new());
    }
    let media = head.fields.get("content-type").one().unwrap_or_default();
    let media = media.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
    // No form of another site can send this without asking first.
    if !media.eq_ignore_ascii_case(b"application/json") {
        let why = "the content of a request is application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    Ok(read_whole(content, MAX_CONTENT).await?)
}

/// The row of a method and a path.
fn find(method: Method, path: &FilePath) -> Result<(&'static Row, Vec<Vec<u8>>), Problem> {
    let method = if method == Method::Head { Method::Get } else { method };
    let mut rows = ROWS.iter().filter(|row| row.method == method);
    let found = rows.find_map(|row| Some((row, matched(row.path, path)?)));
    found.ok_or_else(|| allowed(path).map_or(Problem::NOT_FOUND, Problem::method))
}

/// What can be done at a path, if it is one.
fn allowed(path: &FilePath) -> Option<Allowed> {
    let mut rows = ROWS.iter().filter(|row| matched(row.path, path).is_some()).peekable();
    rows.peek()?;
    Some(rows.fold(Allowed::of(&[Method::Options]), |all, row| match row.method {
        Method::Get => all.with(Method::Get).with(Method::Head),
        method => all.with(method),
    }))
}

/// What stands for each `*`, if the path is of this pattern.
fn matched(pattern: &str, path: &FilePath) -> Option<Vec<Vec<u8>>> {
    let (mut names, mut wanted) = (path.segments(), pattern.split('/'));
    let mut found = Vec::new();
    loop {
        match (wanted.next(), names.next()) {
            (None, None) => return Some(found),
            (Some("*"), Some(name)) => found.push(name.to_vec()),
            (Some(wanted), Some(name)) if wanted.as_bytes() == name => {}
            _ => return None,
        }
    }
}

async fn openapi(_: &Call<'_>) -> Answered {
    document()
}

fn document() -> Answered {
    Ok(answer::text("application/json", Bytes::from_static(OPENAPI.as_bytes())))
}

impl Call<'_> {
    /// The account that asks; there is one where the row says so.
    fn account(&self) -> Result<&Arc<Account>, Problem> {
        self.account.as_ref().ok_or_else(|| Unwelcome::Stranger.into())
    }

    /// The node, which not every server has.
    fn node(&self) -> Result<&Arc<Node>, Problem> {
        let node = self.answerer.config.node.as_ref();
        let why = "this server is not a whole node";
        node.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, why).of_kind(Kind::NoNode))
    }

    /// Who commands what is done, for the log.
    fn commander(&self) -> Result<Commander, Problem> {
        let origin = self.answerer.link.visitor.origin();
        Ok(Commander::Account {
            name: self.account()?.name.clone(),
            protocol: origin.protocol,
            address: origin.peer.ip(),
        })
    }

    /// What the content says.
    fn content<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.content).map_err(|error| {
            // JSON, and not what it has to say.
            let status = match error.is_data() {
                true => StatusCode::UNPROCESSABLE_ENTITY,
                false => StatusCode::BAD_REQUEST,
            };
            Problem::new(status, format!("the content: {error}"))
        })
    }

    /// A name of the path that stands for a `*`, read as what it has to be.
    fn named<T: FromStr>(&self, at: usize, what: &str) -> Result<T, Problem> {
        let name = self.names.get(at).and_then(|name| str::from_utf8(name).ok());
        let named = name.and_then(|name| name.parse().ok());
        named.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("there is no such {what}")))
    }

    /// A value of the query.
    fn asked(&self, name: &str) -> Option<String> {
        form::value(self.query, name)
    }

    /// A value of the query, read as what it has to be.
    fn asked_as<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.asked(name) else { return Ok(None) };
        let wrong = || {
            let shown: String = text.chars().take(64).collect();
            Problem::new(StatusCode::BAD_REQUEST, format!("{name} cannot be {shown:?}"))
        };
        text.parse().map(Some).map_err(|_| wrong())
    }

    /// How many are wanted, at most `most`.
    fn limit(&self, usual: usize, most: usize) -> Result<usize, Problem> {
        let limit = self.asked_as("limit")?.unwrap_or(usual);
        let wrong = || Problem::wrong(format!("limit is a number from 1 to {most}"));
        (1..=most).contains(&limit).then_some(limit).ok_or_else(wrong)
    }
}

/// A text of a content as what it has to be; else the problem is of this kind.
fn parsed<T: FromStr<Err: Display>>(text: &str, kind: Kind) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).of_kind(kind)
    })
}

/// A path as it is written in an address.
fn path_of(text: &str) -> Result<FilePath, Problem> {
    let wrong = |error: &dyn Display| {
        let shown: String = text.chars().take(64).collect();
        Problem::new(StatusCode::BAD_REQUEST, format!("{shown:?} is no path: {error}"))
    };
    let mut path = sockeye_node::PathBuilder::with_capacity(text.len());
    if !text.starts_with('/') {
        return Err(wrong(&"it begins with a slash"));
    }
    for name in text.split('/').filter(|name| !name.is_empty()) {
        let Some(name) = crate::wire::escape::decode(name.as_bytes()) else {
            return Err(wrong(&"a percent sign is followed by two hexadecimal digits"));
        };
        path.push(&name).map_err(|error| wrong(&error))?;
    }
    Ok(path.finish())
}

/// A path as it stands in answers.
fn shown(path: &FilePath) -> String {
    url_path(path, false)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_describes_every_row_and_no_other() {
        let document: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut described = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            let names: Vec<_> = path.trim_start_matches('/').split('/').collect();
            let star = |name| if str::starts_with(name, '{') { "*" } else { name };
            let path = names.into_iter().map(star).collect::<Vec<_>>().join("/");
            for method in methods.as_object().unwrap().keys().filter(|key| *key != "parameters") {
                described.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        let name = |method| {
            let known = crate::wire::method::METHODS.iter();
            known.clone().find(|(_, known)| *known == method).unwrap().0
        };
        let rows: BTreeSet<_> =
            ROWS.iter().map(|row| format!("{} {}", name(row.method), row.path)).collect();
        assert_eq!(described, rows);
        assert_eq!(rows.len(), ROWS.len(), "each once");
    }

    #[test]
    fn paths_are_read_as_addresses_and_shown_with_one_spelling() {
        for (text, expected) in [
            ("/", "/"),
            ("/a b", "/a%20b"),
            ("//a///b/", "/a/b"),
            ("/%e6%96%87/x+y", "/%E6%96%87/x%2By"),
            ("/文", "/%E6%96%87"),
            ("/%FF", "/%FF"),
        ] {
            assert_eq!(shown(&path_of(text).unwrap()), expected, "{text}");
        }
        for text in ["", "a", "/..", "/%2e%2e", "/a%2Fb", "/%00", "/%", "/%zz"] {
            assert!(path_of(text).is_err(), "{text}");
        }
    }
}
