//! A query: which lines are wanted, and how most others are passed over without reading them.

use std::time::SystemTime;

use memchr::memmem::Finder;

use crate::{
    operation::{Event, Own},
    outcome::Outcome,
    record::micros,
    summary::{Summary, Word},
    wire::{
        line::{self, Entry},
        path, put,
    },
};

/// Which lines are wanted; by default all but the journal's routine ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Of this account.
    pub account: Option<String>,
    /// Any of these; with none, all but `segment` and `checkpoint`.
    pub events: Vec<Event>,
    /// On this path, or below it, or moved or copied there. Paths begin with a slash.
    pub path: Option<Vec<u8>>,
    /// Not before.
    pub since: Option<SystemTime>,
    /// Before.
    pub until: Option<SystemTime>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// Over this protocol.
    pub protocol: Option<String>,
    /// Under TLS, or in plain text; lines that do not say are neither.
    pub tls: Option<bool>,
}

/// A query, made ready.
pub(super) struct Plan {
    query: Query,
    /// The text of the path, without a slash at its end.
    path: Option<String>,
    since: u64,
    until: u64,
    /// The [bits](Event::bit) of the events.
    events: u32,
    /// What every wanted line contains, as it stands there.
    needle: Option<Finder<'static>>,
}

/// What a line is to a query.
pub(super) enum Match<'a> {
    Wanted(Box<Entry<'a>>),
    Other,
    /// Not a line of a log.
    Broken,
}

impl Plan {
    pub(super) fn new(query: &Query) -> Self {
        let path = query.path.as_ref().map(|bytes| {
            let end = bytes.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
            path::escape(&bytes[..end])
        });
        let wanted = |event: &Event| match &query.events[..] {
            [] => !matches!(event, Event::Own(Own::Segment | Own::Checkpoint)),
            events => events.contains(event),
        };
        Self {
            since: query.since.map_or(0, micros),
            until: query.until.map_or(u64::MAX, micros),
            events: Event::all().filter(wanted).fold(0, |bits, event| bits | event.bit()),
            needle: needle(query, path.as_deref()).map(|text| Finder::new(&text).into_owned()),
            path,
            query: query.clone(),
        }
    }

    /// What lines can be found by, without reading them.
    pub(super) const fn needle(&self) -> Option<&Finder<'static>> {
        self.needle.as_ref()
    }

    /// Whether a segment with this summary can have a wanted line.
    pub(super) fn may_be_in(&self, summary: &Summary) -> bool {
        let has = |word, text: &Option<String>| {
            text.as_ref().is_none_or(|text| summary.may_have(word, text))
        };
        summary.latest >= self.since
            && summary.earliest < self.until
            && summary.has_event(self.events)
            && self.query.outcome.is_none_or(|outcome| summary.has_outcome(outcome))
            && has(Word::Account, &self.query.account)
            && has(Word::Protocol, &self.query.protocol)
    }

    pub(super) fn test<'a>(&self, text: &'a [u8]) -> Match<'a> {
        let Some(beginning) = line::beginning(text) else { return Match::Broken };
        if beginning.micros < self.since || beginning.micros >= self.until {
            return Match::Other;
        }
        match line::parse(text) {
            Some(entry) if self.wants(&entry) => Match::Wanted(Box::new(entry)),
            Some(_) => Match::Other,
            None => Match::Broken,
        }
    }

    fn wants(&self, entry: &Entry<'_>) -> bool {
        let Query { account, events, outcome, protocol, tls, .. } = &self.query;
        // An event of a newer version is wanted if all are.
        let is_wanted = match entry.event() {
            Some(event) => event.bit() & self.events != 0,
            None => events.is_empty(),
        };
        is_wanted
            && outcome.is_none_or(|outcome| entry.outcome == outcome.name())
            && account.as_deref().is_none_or(|account| entry.user.as_deref() == Some(account))
            && protocol.as_deref().is_none_or(|name| entry.protocol.as_deref() == Some(name))
            && tls.is_none_or(|tls| entry.tls == Some(tls))
            && self.path.as_deref().is_none_or(|path| {
                [&entry.path, &entry.to].into_iter().flatten().any(|text| is_below(text, path))
            })
    }
}

/// Whether a path is this one, or lies below it.
fn is_below(text: &str, path: &str) -> bool {
    text.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What every wanted line contains: the rarest of what is asked for. The texts are escaped as the log
/// has them, and a quotation mark inside of a text never stands there by itself, so that no other part
/// of a line looks like it.
fn needle(query: &Query, path: Option<&str>) -> Option<Vec<u8>> {
    let text = |before: &str, text: &str, after: &str| {
        let mut needle = before.as_bytes().to_vec();
        put::escaped(&mut needle, text);
        needle.extend_from_slice(after.as_bytes());
        needle
    };
    // `path` as well as `to`.
    let path = path.filter(|path| !path.is_empty()).map(|path| text("\":\"", path, ""));
    let account = || query.account.as_ref().map(|name| text("\"user\":\"", name, "\""));
    let outcome = || {
        let rare = query.outcome.filter(|outcome| *outcome != Outcome::Ok);
        rare.map(|outcome| text("\"outcome\":\"", outcome.name(), "\""))
    };
    let event = || match query.events[..] {
        [event] => Some(text("\"op\":\"", event.name(), "\"")),
        _ => None,
    };
    let protocol = || query.protocol.as_ref().map(|name| text("\"protocol\":\"", name, "\""));
    path.or_else(account).or_else(outcome).or_else(event).or_else(protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_what_is_below_it_and_not_what_begins_like_it() {
        for (text, path, below) in [
            ("/a/b", "/a", true),
            ("/a", "/a", true),
            ("/ab", "/a", false),
            ("/b/a", "/a", false),
            ("/anything", "", true),
        ] {
            assert_eq!(is_below(text, path), below, "{text} {path}");
        }
    }

    #[test]
    fn the_rarest_part_is_looked_for_as_the_log_writes_it() {
        let mut query = Query { protocol: Some("http".into()), ..Query::default() };
        let needle = |query: &Query| {
            let plan = Plan::new(query);
            plan.needle().map(|finder| String::from_utf8(finder.needle().to_vec()).unwrap())
        };
        assert_eq!(needle(&query).as_deref(), Some("\"protocol\":\"http\""));
        query.outcome = Some(Outcome::Ok);
        assert_eq!(needle(&query).as_deref(), Some("\"protocol\":\"http\""));
        query.outcome = Some(Outcome::Denied);
        assert_eq!(needle(&query).as_deref(), Some("\"outcome\":\"denied\""));
        query.account = Some("al\"ice".into());
        assert_eq!(needle(&query).as_deref(), Some("\"user\":\"al\\\"ice\""));
        query.path = Some(b"/a\xff\\/".to_vec());
        assert_eq!(needle(&query).as_deref(), Some("\":\"/a\\\\xFF\\\\\\\\"));
        assert_eq!(needle(&Query::default()), None);
        let root = Query { path: Some(b"/".to_vec()), ..Query::default() };
        assert_eq!(needle(&root), None);
    }
}
