//! Who commands a change: what a log says beside the change itself.

use std::{fmt, net::IpAddr};

use crate::AccountName;

/// Who gave a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Commander {
    /// The server itself, as it makes its first administrator.
    #[default]
    Server,
    /// A user of the machine that the server runs on.
    User {
        /// The user's number.
        uid: u32,
        /// What the machine calls it, if that is known.
        name: Option<String>,
    },
    /// Somebody with an account, over a protocol.
    Account {
        /// Whose.
        name: AccountName,
        /// Which protocol.
        protocol: &'static str,
        /// From where; nowhere for a local socket.
        address: Option<IpAddr>,
    },
}

/// A user is printed as `uid 1000 (alice)`.
impl fmt::Display for Commander {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("the server"),
            Self::User { uid, name: None } => write!(f, "uid {uid}"),
            Self::User { uid, name: Some(name) } => write!(f, "uid {uid} ({name})"),
            Self::Account { name, .. } => write!(f, "{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_told_by_number_and_by_name_if_there_is_one() {
        let user = |name: Option<&str>| Commander::User { uid: 7, name: name.map(str::to_owned) };
        assert_eq!(user(Some("alice")).to_string(), "uid 7 (alice)");
        assert_eq!(user(None).to_string(), "uid 7");
    }
}
