//! Choices of a few words.

use super::{Raw, Value, quoted};

/// A choice: its words, and what each stands for.
trait Choice: Copy + PartialEq + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

/// When a write counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk: file, folder and journal are synced before the answer.
    Sync,
    /// When the file has its name; a power failure may take the last seconds.
    Rename,
}

impl Choice for Durability {
    const WORDS: &'static [(&'static str, Self)] =
        &[("sync", Self::Sync), ("rename", Self::Rename)];
}

/// Whether an FTP data connection under TLS has to resume the session of its control connection, which nobody
/// else can (RFC 4217 §10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataTls {
    /// One that does not is refused.
    Require,
    /// It is asked for; one that does not is taken, if it comes from the right address.
    Prefer,
}

impl Choice for DataTls {
    const WORDS: &'static [(&'static str, Self)] =
        &[("require", Self::Require), ("prefer", Self::Prefer)];
}

/// Whether an FTP upload under TLS has to end with close_notify (RFC 8446 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseNotify {
    /// One that ends without is refused, as anybody in between may have cut it.
    Require,
    /// It is taken for whole, as one without TLS is, if its client is still there.
    Tolerate,
}

impl Choice for CloseNotify {
    const WORDS: &'static [(&'static str, Self)] =
        &[("require", Self::Require), ("tolerate", Self::Tolerate)];
}

macro_rules! by_words {
    ($($kind:ty),+) => {$(
        impl Value for $kind {
            fn expected() -> String {
                let words: Vec<_> = Self::WORDS.iter().map(|(word, _)| format!("{word:?}")).collect();
                words.join(" or ")
            }

            fn read(raw: &Raw) -> Result<Self, String> {
                let meant = Self::WORDS.iter().find(|(word, _)| raw.text() == Some(word));
                meant.map(|(_, choice)| *choice).ok_or_else(|| Self::unlike(raw))
            }

            fn print(&self) -> String {
                let word = Self::WORDS.iter().find(|(_, choice)| choice == self);
                quoted(word.map_or("", |(word, _)| word))
            }
        }
    )+};
}

by_words!(Durability, DataTls, CloseNotify);
