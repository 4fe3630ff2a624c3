//! Which lines are wanted: from the arguments to a query.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};

use clap::ValueHint;
use jiff::Zoned;
use sockeye_journal::Query;
use sockeye_node::NOT_SPOKEN;

use super::moment;
use crate::{failure::Failure, serve::PROTOCOLS};

/// Which lines.
#[derive(Debug, clap::Args)]
pub(super) struct FilterArgs {
    /// Of this account only
    #[arg(short, long, value_name = "NAME", help_heading = "Which lines")]
    user: Option<String>,

    /// Of these operations only, as write,remove: read, list, write, append, mkdir, remove, rename, …
    #[arg(short, long, value_name = "OP", value_delimiter = ',', help_heading = "Which lines")]
    op: Vec<String>,

    /// On this path or below it, also moved or copied there
    #[arg(short, long, value_name = "PATH", value_hint = ValueHint::Other)]
    #[arg(help_heading = "Which lines")]
    path: Option<OsString>,

    /// Not before: 2h (ago), today, 14:30, 2026-11-21, "2026-11-21 14:30", 2026-11-21T14:30:00Z
    #[arg(long, value_name = "WHEN", help_heading = "Which lines")]
    since: Option<String>,

    /// Before; as --since
    #[arg(long, value_name = "WHEN", help_heading = "Which lines")]
    until: Option<String>,

    /// With this outcome only: ok, denied, not-found, conflict, no-space, over-quota, cut, busy, failed
    #[arg(long, value_name = "OUTCOME", help_heading = "Which lines")]
    outcome: Option<String>,

    /// Over this protocol only, as http
    #[arg(long, value_name = "NAME", help_heading = "Which lines")]
    protocol: Option<String>,
}

impl FilterArgs {
    /// The query that they stand for.
    pub(super) fn query(&self) -> Result<Query, Failure> {
        let now = Zoned::now();
        let moment = |name: &str, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| moment::parse(text, &now).map_err(|it| it.about(name))).transpose()
        };
        let events: Result<_, sockeye_journal::Error> =
            self.op.iter().map(|name| name.parse()).collect();
        let outcome = self.outcome.as_deref().map(str::parse).transpose();
        let path = self.path.clone().map(|path| {
            let path = path.into_vec();
            if path.starts_with(b"/") { path } else { [b"/", &path[..]].concat() }
        });
        self.warn_of_protocol();
        Ok(Query {
            account: self.user.clone(),
            events: events.map_err(|error| Failure::from(error).about("--op"))?,
            path,
            since: moment("--since", &self.since)?,
            until: moment("--until", &self.until)?,
            outcome: outcome.map_err(|error| Failure::from(error).about("--outcome"))?,
            protocol: self.protocol.clone(),
        })
    }

    /// Says so if no line can be over the wanted protocol, unless it was of a version that spoke others.
    fn warn_of_protocol(&self) {
        let known = || PROTOCOLS.iter().map(|it| it.name).chain(NOT_SPOKEN);
        if let Some(wanted) = &self.protocol
            && !known().any(|name| name == wanted)
        {
            let known = known().collect::<Vec<_>>().join(", ");
            tracing::warn!("--protocol {wanted}: nothing here records that, only {known}");
        }
    }
}
