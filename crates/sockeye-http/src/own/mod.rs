//! What a node has below `/-/`: its own pages and APIs, never a file.
//!
//! One table says who answers what; each route has a module of its own. What holds for all of them is decided
//! before: the host, a page of another site that asks for a change, and the content that a route leaves.

mod shell;

use ::http::StatusCode;
use sockeye_node::{FilePath, PathBuilder};

use crate::{
    answer::Answerer,
    api, assets,
    content::Content,
    refused::refuse,
    reply::{Reply, allow, error},
    share, sign_in, tus,
    wire::{
        head::Head,
        method::{Allowed, Method},
        plan::Refusal,
        target::Resource,
    },
};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// The JSON API.
    Api,
    Assets,
    Login,
    Logout,
    /// Uploads in pieces.
    Tus,
    Share,
    /// A page that a module fills.
    Shell,
    /// The same, for administrators.
    Admin,
}

/// A row of the table.
struct Row {
    /// The names behind `/-/` that it begins with; of two that fit, the longer goes first.
    prefix: &'static str,
    route: Route,
    /// Whether it answers for what is beneath as well.
    beneath: bool,
    /// The methods that the route answers itself. HEAD is GET without its content, and OPTIONS is answered from this
    /// unless it stands here.
    methods: Allowed,
}

const ROUTES: &[Row] = &[
    Row { prefix: assets::PREFIX, route: Route::Assets, beneath: true, methods: GET },
    Row { prefix: api::PREFIX, route: Route::Api, beneath: true, methods: API },
    Row { prefix: "login", route: Route::Login, beneath: false, methods: FORM },
    Row { prefix: "logout", route: Route::Logout, beneath: false, methods: FORM },
    Row { prefix: "tus", route: Route::Tus, beneath: true, methods: tus::METHODS },
    Row { prefix: "account", route: Route::Shell, beneath: false, methods: GET },
    Row { prefix: "admin", route: Route::Admin, beneath: true, methods: GET },
    Row { prefix: "shares", route: Route::Shell, beneath: false, methods: GET },
    Row { prefix: "trash", route: Route::Shell, beneath: false, methods: GET },
    Row { prefix: "s", route: Route::Share, beneath: true, methods: SHARED },
];

const GET: Allowed = Allowed::of(&[Method::Get]);

/// A page with a form, and what is posted from it.
const FORM: Allowed = Allowed::of(&[Method::Get, Method::Post]);

/// What the API takes; which of them where, its own table says, and what is not taken it refuses in its own form.
const API: Allowed =
    GET.with(Method::Post).with(Method::Patch).with(Method::Delete).with(Method::Options);

/// What was shared is had, put into a drop box, or opened by a form.
const SHARED: Allowed = Allowed::of(&[Method::Get, Method::Put, Method::Post]);

/// What a route is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// The request's head; its method is one of the row's.
    pub(crate) head: &'a Head<'a>,
    /// What follows the route's prefix, decoded once.
    pub(crate) below: FilePath,
    /// Whether that ended with a slash.
    pub(crate) folder: bool,
    /// What follows the `?`, still encoded.
    pub(crate) query: Option<&'a [u8]>,
}

/// Answers a request below `/-/`.
pub(crate) async fn answer(
    answerer: &Answerer<'_>,
    head: &Head<'_>,
    wanted: &Resource<'_>,
    content: &mut impl Content,
) -> Reply {
    let Some((row, below)) = find(ROUTES, &wanted.path) else {
        return error(StatusCode::NOT_FOUND, None, Some(head));
    };
    let all = row.takes();
    if !all.contains(head.method) && !matches!(row.route, Route::Api) {
        return refuse(Refusal::Method(all), Some(head));
    }
    if head.method == Method::Options && !row.methods.contains(Method::Options) {
        return allow(all);
    }
    let asked = Asked { head, below, folder: wanted.folder, query: wanted.query };
    match row.route {
        Route::Api => Box::pin(api::answer(answerer, &asked, content)).await,
        Route::Assets => assets::answer(&asked),
        Route::Shell => answerer.shell(&asked, false).await,
        Route::Admin => answerer.shell(&asked, true).await,
        Route::Login => sign_in::login(answerer, &asked, content).await,
        Route::Logout => sign_in::logout(answerer, &asked, content).await,
        Route::Tus => tus::answer(answerer, &asked, content).await,
        Route::Share => Box::pin(share::answer(answerer, asked, content)).await,
    }
}

impl Row {
    /// All that is taken there.
    fn takes(&self) -> Allowed {
        let all = self.methods.with(Method::Options);
        if all.contains(Method::Get) { all.with(Method::Head) } else { all }
    }
}

/// The row that a path belongs to, and what of the path follows its prefix.
fn find<'a>(rows: &'a [Row], path: &FilePath) -> Option<(&'a Row, FilePath)> {
    let fits = |row: &&Row| {
        let mut names = path.segments().skip(1);
        row.prefix.split('/').all(|name| names.next() == Some(name.as_bytes()))
            && (row.beneath || names.next().is_none())
    };
    let row = rows.iter().filter(fits).max_by_key(|row| row.prefix.len())?;
    let mut below = PathBuilder::with_capacity(path.as_bytes().len());
    for name in path.segments().skip(2 + row.prefix.matches('/').count()) {
        below.push(name).ok()?;
    }
    Some((row, below.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_that_fits_answers_and_gets_what_follows_it() {
        let row = |prefix, beneath| Row { prefix, route: Route::Login, beneath, methods: FORM };
        let rows = [row("api", true), row("api/v1", true), row("login", false)];
        for (path, expected) in [
            ("-/api", Some(("api", "/"))),
            ("-/api/v2/x", Some(("api", "/v2/x"))),
            ("-/api/v1", Some(("api/v1", "/"))),
            ("-/api/v1/a/b", Some(("api/v1", "/a/b"))),
            ("-/apis", None),
            ("-/login", Some(("login", "/"))),
            ("-/login/x", None),
            ("-", None),
        ] {
            let found = find(&rows, &FilePath::parse(path.as_bytes()).unwrap());
            let found = found.map(|(row, below)| (row.prefix, below.to_string()));
            let found = found.as_ref().map(|(prefix, below)| (*prefix, below.as_str()));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn a_route_is_found_by_one_row() {
        for (at, row) in ROUTES.iter().enumerate() {
            assert!(ROUTES[..at].iter().all(|other| other.prefix != row.prefix), "{}", row.prefix);
        }
    }
}
