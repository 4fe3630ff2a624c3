//! What an account may do at a path, and the roles from which its rights begin.

use std::{
    fmt,
    ops::{BitAnd, BitOr, Sub},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// A set of the five rights; printed and parsed as `read,write`, `all` or `none`.
///
/// ```
/// use sockeye_accounts::Rights;
/// let rights: Rights = "read,list".parse()?;
/// assert!(rights.contains(Rights::READ) && !rights.contains(Rights::WRITE));
/// # Ok::<(), sockeye_accounts::RightsError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rights(u8);

/// The rights by name, in the order in which they are printed.
const NAMES: [(&str, Rights); 5] = [
    ("read", Rights::READ),
    ("write", Rights::WRITE),
    ("delete", Rights::DELETE),
    ("list", Rights::LIST),
    ("share", Rights::SHARE),
];

/// A word in a list of rights that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no right: there are read, write, delete, list and share; `all` and `none`")]
pub struct RightsError(String);

impl Rights {
    /// No right at all: also a grant, one that takes away.
    pub const NONE: Self = Self(0);
    /// To read files.
    pub const READ: Self = Self(1);
    /// To create and change files and folders.
    pub const WRITE: Self = Self(2);
    /// To remove and rename them away.
    pub const DELETE: Self = Self(4);
    /// To list folders.
    pub const LIST: Self = Self(8);
    /// To make links for others.
    pub const SHARE: Self = Self(16);
    /// All five.
    pub const ALL: Self = Self(31);

    /// Whether all of `rights` are in this set.
    #[must_use]
    pub const fn contains(self, rights: Self) -> bool {
        self.0 & rights.0 == rights.0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both sets together, also in constants.
    #[must_use]
    pub const fn and(self, rights: Self) -> Self {
        Self(self.0 | rights.0)
    }
}

impl BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Rights {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Sub for Rights {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NONE => return f.pad("none"),
            Self::ALL => return f.pad("all"),
            _ => {}
        }
        let names: Vec<_> = NAMES
            .iter()
            .filter(|(_, right)| self.contains(*right))
            .map(|(name, _)| *name)
            .collect();
        f.pad(&names.join(","))
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({self})")
    }
}

impl FromStr for Rights {
    type Err = RightsError;

    fn from_str(text: &str) -> Result<Self, RightsError> {
        match text {
            "none" => return Ok(Self::NONE),
            "all" => return Ok(Self::ALL),
            _ => {}
        }
        text.split(',').try_fold(Self::NONE, |rights, word| {
            let found = NAMES.iter().find(|(name, _)| *name == word.trim());
            let unknown = || RightsError(word.trim().chars().take(32).collect());
            found.map(|(_, right)| rights | *right).ok_or_else(unknown)
        })
    }
}

impl TryFrom<String> for Rights {
    type Error = RightsError;

    fn try_from(text: String) -> Result<Self, RightsError> {
        text.parse()
    }
}

impl From<Rights> for String {
    fn from(rights: Rights) -> Self {
        rights.to_string()
    }
}

/// What kind of account it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Has all rights in every shared folder and the public tree, and administers the others; one is always left.
    Admin,
    /// Has all rights in the own home.
    #[default]
    Member,
    /// May read and list the own home, which others fill.
    Guest,
}

/// The text names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is admin, member or guest")]
pub struct RoleError;

impl Role {
    /// The role's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Guest => "guest",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        let roles = [Self::Admin, Self::Member, Self::Guest];
        roles.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rights_are_read_in_any_order_and_printed_in_one() {
        assert_eq!("list,read".parse::<Rights>().unwrap().to_string(), "read,list");
        assert_eq!("read, write,delete,list,share".parse(), Ok(Rights::ALL));
        assert_eq!("none".parse(), Ok(Rights::NONE));
    }

    #[test]
    fn a_word_that_is_no_right_is_named() {
        let error = "read,exec".parse::<Rights>().unwrap_err();
        assert!(error.to_string().starts_with("`exec` is no right"), "{error}");
        assert!("".parse::<Rights>().is_err());
        assert!("read,".parse::<Rights>().is_err());
    }

    proptest! {
        #[test]
        fn printed_rights_are_read_back(bits in 0u8..32) {
            prop_assert_eq!(Rights(bits).to_string().parse(), Ok(Rights(bits)));
        }

        #[test]
        fn any_text_is_answered(text: String) {
            let _ = text.parse::<Rights>();
        }
    }

    #[test]
    fn roles_are_read_back() {
        for role in [Role::Admin, Role::Member, Role::Guest] {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err(RoleError));
    }
}
