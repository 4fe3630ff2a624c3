//! Which problems a program, and the page, can tell apart where a status alone leaves that open: the `type` of problem
//! details (RFC 9457 §3.1.1). The page has a text for each in every language.

use sockeye_node::Error;
use sockeye_node::accounts::{Error as AccountError, PasswordError};

/// What every `type` begins with.
const URN: &str = "urn:sockeye:problem:";

macro_rules! kinds {
    ($( $kind:ident $name:literal; )+) => {
        /// Which problem it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind {
            $( $kind, )+
        }

        impl Kind {
            /// Its name, which ends the `type`.
            pub(super) const fn name(self) -> &'static str {
                match self {
                    $( Self::$kind => $name, )+
                }
            }

            #[cfg(test)]
            const ALL: &[Self] = &[$( Self::$kind, )+];
        }
    };
}

kinds! {
    // Of files.
    NotFound "not-found";
    Denied "denied";
    Special "special";
    Mismatch "wrong-kind";
    NoFolder "no-folder";
    Exists "exists";
    Changed "changed";
    TooMuch "too-much";
    NotEmpty "not-empty";
    IntoItself "into-itself";
    BadName "bad-name";
    InUse "in-use";
    Locked "locked";
    OverQuota "over-quota";
    ReadOnly "read-only";
    DiskFull "disk-full";
    Busy "busy";
    // Of who asks.
    SignedOut "signed-out";
    StalePage "stale-page";
    WrongPassword "wrong-password";
    NeedsPassword "needs-password";
    // Of accounts and what is theirs.
    Gone "gone";
    NameTaken "name-taken";
    KeyTaken "key-taken";
    LastAdmin "last-admin";
    TooMany "too-many";
    BadAccountName "bad-account-name";
    BadSharedName "bad-shared-name";
    BadKey "bad-key";
    PasswordTooShort "password-too-short";
    PasswordTooLong "password-too-long";
    PasswordControl "password-control";
    PasswordGuessed "password-guessed";
    KeptElsewhere "kept-elsewhere";
    // Of the node.
    NoNode "no-node";
    TooManyFollow "too-many-follow";
}

impl Kind {
    /// The `type` of a problem of this kind, or of one that its status says all of.
    pub(super) fn uri(kind: Option<Self>) -> String {
        kind.map_or_else(|| "about:blank".to_owned(), |kind| format!("{URN}{}", kind.name()))
    }

    /// What a session refused.
    pub(super) fn of(error: &Error) -> Option<Self> {
        Some(match error {
            Error::NotFound => Self::NotFound,
            Error::Denied => Self::Denied,
            Error::Special => Self::Special,
            Error::WrongKind { .. } => Self::Mismatch,
            Error::NoParent => Self::NoFolder,
            Error::Exists => Self::Exists,
            Error::Changed => Self::Changed,
            Error::TooManyEntries { .. } => Self::TooMuch,
            Error::NotEmpty => Self::NotEmpty,
            Error::IntoItself => Self::IntoItself,
            Error::BadName { .. } => Self::BadName,
            Error::InUse => Self::InUse,
            Error::Locked { .. } => Self::Locked,
            Error::OverQuota { .. } => Self::OverQuota,
            Error::ReadOnly { .. } => Self::ReadOnly,
            Error::NoSpace => Self::DiskFull,
            Error::Busy => Self::Busy,
            Error::Ended => Self::SignedOut,
            _ => return None,
        })
    }

    /// What the accounts refused.
    pub(super) fn of_accounts(error: &AccountError) -> Option<Self> {
        Some(match error {
            AccountError::NoAccount(_)
            | AccountError::NoShared(_)
            | AccountError::NoShare(_)
            | AccountError::NoSuch(..) => Self::Gone,
            AccountError::NameTaken(_) | AccountError::SharedTaken(_) => Self::NameTaken,
            AccountError::KeyTaken => Self::KeyTaken,
            AccountError::LastAdmin => Self::LastAdmin,
            AccountError::MayNotShare { .. } => Self::Denied,
            AccountError::TooMany { .. } => Self::TooMany,
            AccountError::Password(PasswordError::TooShort) => Self::PasswordTooShort,
            AccountError::Password(PasswordError::TooLong) => Self::PasswordTooLong,
            AccountError::Password(PasswordError::Control) => Self::PasswordControl,
            AccountError::Password(PasswordError::Guessed) => Self::PasswordGuessed,
            AccountError::Unsupported { .. } => Self::KeptElsewhere,
            AccountError::Busy => Self::Busy,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_text_for_every_kind() {
        let texts =
            [include_str!("../../assets/i18n/en.js"), include_str!("../../assets/i18n/zh.js")];
        for (at, kind) in Kind::ALL.iter().enumerate() {
            let key = format!("'problem.{}':", kind.name());
            assert!(texts.iter().all(|text| text.contains(&key)), "{key}");
            assert!(Kind::ALL[..at].iter().all(|other| other.name() != kind.name()), "{key}");
        }
        for text in texts {
            assert_eq!(text.matches("'problem.").count(), Kind::ALL.len(), "none is of no kind");
        }
    }
}
