//! Which lines are wanted: from the arguments to a query.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};

use clap::{ValueHint, builder::BoolishValueParser};
use jiff::{Timestamp, tz::TimeZone};
use sockeye_accounts::{AccountCommand, AccountName};
use sockeye_journal::Query;
use sockeye_node::{ANONYMOUS, NOT_SPOKEN};

use super::moment;
use crate::{
    data::{DataArgs, Target, ask_accounts},
    failure::{Failure, Fault},
    serve::PROTOCOLS,
};

/// Which lines.
#[derive(Debug, clap::Args)]
pub(super) struct FilterArgs {
    /// Of this account only; `anonymous` is who has none
    #[arg(short, long, value_name = "NAME", help_heading = "Which lines")]
    user: Option<String>,

    /// Of these operations only, as write,remove: read, list, write, append, mkdir, remove, rename, …
    #[arg(short, long, value_name = "OP", value_delimiter = ',', help_heading = "Which lines")]
    op: Vec<String>,

    /// On this path or below it, also moved or copied there: /… in homes, /shared/NAME/…, /public/…
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

    /// Over this protocol only: http, ftp; https and ftps are the same under TLS
    #[arg(long, value_name = "NAME", help_heading = "Which lines")]
    protocol: Option<String>,

    /// Over connections under TLS only, or with `no` over those in plain text
    #[arg(long, value_name = "yes|no", value_parser = BoolishValueParser::new())]
    #[arg(help_heading = "Which lines", hide_possible_values = true)]
    tls: Option<bool>,

    /// Take and show times in UTC, and not in the zone of this machine or of TZ
    #[arg(long)]
    utc: bool,
}

impl FilterArgs {
    /// The query that they stand for.
    pub(super) fn query(&self) -> Result<Query, Failure> {
        let now = Timestamp::now().to_zoned(self.zone());
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
        let (protocol, tls) = self.protocol();
        Ok(Query {
            account: self.user.clone(),
            events: events.map_err(|error| Failure::from(error).about("--op"))?,
            path,
            since: moment("--since", &self.since)?,
            until: moment("--until", &self.until)?,
            outcome: outcome.map_err(|error| Failure::from(error).about("--outcome"))?,
            protocol,
            tls,
        })
    }

    /// The zone of times that are said and shown.
    pub(super) fn zone(&self) -> TimeZone {
        if self.utc {
            return TimeZone::UTC;
        }
        TimeZone::try_system().unwrap_or_else(|error| {
            tracing::warn!("the zone of this machine is not known, and times are UTC: {error}");
            TimeZone::UTC
        })
    }

    /// The wanted protocol, and whether it has to be under TLS. Says so if no line can be over it, unless it was of a version
    /// that spoke others.
    fn protocol(&self) -> (Option<String>, Option<bool>) {
        let Some(wanted) = &self.protocol else { return (None, self.tls) };
        // Under TLS it is called like its URLs.
        if let Some(row) = PROTOCOLS.iter().find(|it| it.schemes == (it.name, wanted)) {
            return (Some(row.name.to_owned()), self.tls.or(Some(true)));
        }
        let known = || PROTOCOLS.iter().map(|it| it.name).chain(NOT_SPOKEN);
        if !known().any(|name| name == wanted) {
            let known = known().collect::<Vec<_>>().join(", ");
            tracing::warn!("--protocol {wanted}: nothing here records that, only {known}");
        }
        (Some(wanted.clone()), self.tls)
    }

    /// Where no line was found: says so if there is no account of the wanted name, as if it was mistyped. An account that was
    /// removed has lines all the same, and so has a name that somebody guessed.
    pub(super) fn warn_of_user(&self, data: &DataArgs) {
        let Some(wanted) = self.user.as_deref().filter(|name| *name != ANONYMOUS) else { return };
        let Ok(name) = wanted.parse::<AccountName>() else {
            tracing::warn!("--user {wanted}: no account can have this name");
            return;
        };
        // A log may lie where there are no accounts.
        if !data.folder().is_ok_and(|folder| folder.database().exists()) {
            return;
        }
        let target = Target { data: data.clone(), json: false };
        let shown = ask_accounts(&target, AccountCommand::Show(name));
        if shown.is_err_and(|failure| failure.fault() == Fault::NotFound) {
            tracing::warn!("--user {wanted}: there is no account of this name");
        }
    }
}
