//! A protocol's own options in a listener's address: `ftp+tcp://127.0.0.1:2121?tls=required&backlog=9`.
//!
//! They stand among those that the address has itself, in the same notation, and are taken out before it is
//! read. Which there are says the protocol's row, so that here they are only text.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use sockeye::addr::{MAX_LEN, OptionSpec};

/// An option that the listeners of a protocol have in their address.
#[derive(Clone, Copy, Debug)]
pub struct ListenOption {
    /// Its name, which no option of an address has.
    pub name: &'static str,
    /// How its value is written: `required, allowed or off`.
    pub notation: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// Whether this can be its value; without one, as in `?tls`, it is empty.
    pub takes: fn(&str) -> bool,
    /// Whether it says when TLS begins, so that an address with `tls+` cannot have it.
    pub begins_tls: bool,
}

/// The options of a listener that are not its address's, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct OwnOptions {
    values: BTreeMap<Box<str>, Box<str>>,
    /// The first that stood twice.
    twice: Option<Box<str>>,
}

impl OwnOptions {
    /// Takes those out of the text of an address that the address does not know.
    pub(super) fn take(text: &str) -> (Cow<'_, str>, Self) {
        let mut own = Self::default();
        let whole = || Cow::Borrowed(text);
        let Some((place, query)) = text.split_once('?') else { return (whole(), own) };
        // What is too long is refused as a whole, and what is no option where it stands.
        if text.len() > MAX_LEN {
            return (whole(), own);
        }
        let mut rest = Vec::new();
        for part in query.split('&') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if name.is_empty() || part.contains('#') || OptionSpec::find(name).is_some() {
                rest.push(part);
            } else if own.values.insert(name.into(), value.into()).is_some() {
                own.twice.get_or_insert(name.into());
            }
        }
        if own.values.is_empty() {
            return (whole(), own);
        }
        let sign = if rest.is_empty() { "" } else { "?" };
        (Cow::Owned(format!("{place}{sign}{}", rest.join("&"))), own)
    }

    /// The value of one, empty where it has none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| &**value)
    }

    /// Each with its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (&**name, &**value))
    }

    /// One that stood twice.
    pub(super) fn twice(&self) -> Option<&str> {
        self.twice.as_deref()
    }

    /// An address with these behind its own.
    pub(super) fn behind(&self, mut address: String) -> String {
        for (name, value) in self.iter() {
            // A path that has a question mark in it is written without.
            let sign = if address.contains('?') { '&' } else { '?' };
            let equals = if value.is_empty() { "" } else { "=" };
            // Writing into a String does not fail.
            let _ = write!(address, "{sign}{name}{equals}{value}");
        }
        address
    }
}
