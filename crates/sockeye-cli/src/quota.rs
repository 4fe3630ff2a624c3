//! How much may be kept, as it is typed.

use sockeye::quantity::QuantityError;
use sockeye_accounts::{Limit, Quota, QuotaChoice};
use sockeye_node::{
    command::{Answer, Command, Whose},
    config::Bytes,
};

use crate::{
    data::{self, DataArgs},
    failure::Failure,
    output::{self, note},
};

/// The limits of a new home or shared folder.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct QuotaArgs {
    /// How much it may hold, as 10GiB, or none
    #[arg(long, value_name = "SIZE", value_parser = size)]
    quota: Option<Bound>,

    /// How many files and folders it may hold, or none
    #[arg(long, value_name = "N", value_parser = number)]
    files: Option<Bound>,
}

/// A limit as it was said: a type of its own, as clap takes `Option` for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound(pub(crate) Option<u64>);

impl QuotaArgs {
    /// What was said; what was not said is left to the node, which may have usual limits.
    pub(crate) fn choice(&self) -> Result<QuotaChoice, Failure> {
        choice(self.quota, self.files)
    }

    /// Whether nothing was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.quota.is_none() && self.files.is_none()
    }

    /// What was said; what was not said has no limit.
    pub(crate) fn quota(&self) -> Result<Quota, Failure> {
        let limit = |bound: Option<Bound>| bound.and_then(|Bound(limit)| limit);
        self.choice()?;
        Ok(Quota { bytes: limit(self.quota), entries: limit(self.files) })
    }
}

/// What these limits stand for, of which none was not said; refuses what no file system holds anyway.
pub(crate) fn choice(bytes: Option<Bound>, files: Option<Bound>) -> Result<QuotaChoice, Failure> {
    let limit = |bound: Option<Bound>| bound.map_or(Limit::Usual, |Bound(limit)| limit.into());
    let choice = QuotaChoice { bytes: limit(bytes), entries: limit(files) };
    if choice.decide(Quota::NONE).is_keepable() {
        return Ok(choice);
    }
    Err(Failure::usage("a quota is less than 8EiB, and as many files"))
}

/// What stands for no limit: ours, and what others say.
const NONE: [&str; 2] = ["none", "unlimited"];

/// A size, or that there is no limit.
pub(crate) fn size(text: &str) -> Result<Bound, QuantityError> {
    if NONE.contains(&text) {
        return Ok(Bound(None));
    }
    text.parse().map(|Bytes(bytes)| Bound(Some(bytes)))
}

/// Says what is easily meant otherwise: a limit of nothing, which elsewhere is none, and one that is passed already.
pub(crate) fn warn(data: &DataArgs, of: Whose, quota: Quota) -> Result<(), Failure> {
    let Quota { bytes, entries } = quota;
    if bytes == Some(0) || entries == Some(0) {
        note("a limit of 0 lets nothing be stored at all; `none` is no limit");
    }
    if bytes.is_none() && entries.is_none() {
        return Ok(());
    }
    let whose = of.to_string();
    let Answer::Space(held) = data::execute(data, Command::Space { of })? else {
        return Err(data::unexpected());
    };
    let passed = |limit: Option<u64>, held: u64| limit.is_some_and(|limit| held > limit);
    if passed(bytes, held.bytes) || passed(entries, held.entries) {
        let held = output::held(&held);
        note(&format!(
            "{whose} holds more than that already ({held}): nothing goes in until there is room"
        ));
    }
    Ok(())
}

/// A number, or `none`.
pub(crate) fn number(text: &str) -> Result<Bound, String> {
    if NONE.contains(&text) {
        return Ok(Bound(None));
    }
    let number = text.parse().map_err(|_| format!("`{text}` is no number, nor `none`"))?;
    Ok(Bound(Some(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_with_units_or_as_none() {
        assert_eq!(size("10GiB"), Ok(Bound(Some(10 << 30))));
        assert_eq!(size("none"), Ok(Bound(None)));
        for (text, bytes) in [("5G", 5 << 30), ("5GB", 5_000_000_000), ("500m", 500 << 20)] {
            assert_eq!(size(text), Ok(Bound(Some(bytes))), "{text}");
        }
        assert_eq!(
            (size("unlimited"), number("unlimited").ok()),
            (Ok(Bound(None)), Some(Bound(None)))
        );
        assert!(size("5X").is_err() && size("G").is_err() && size("no").is_err());
        assert_eq!(number("1000"), Ok(Bound(Some(1000))));
        assert!(number("-1").is_err());
    }
}
