//! Identities that never change: what an account, a shared folder or a token is filed under.
//!
//! An id is a ULID: 48 bits of time and 80 random ones. It says nothing of a name, so that a rename
//! moves nothing, and two machines can make one without asking each other.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::random;

/// The text is no id: 26 letters and digits of Crockford's base 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 26 letters and digits, as 01J9ZQ3V8E6Y0T2M4K5N7P8R9S")]
pub struct IdError;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Printed and parsed as 26 letters and digits; ids sort by the time of their making.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u128);

        impl $name {
            /// A new id, of this moment and the system's randomness.
            #[must_use]
            pub fn generate() -> Self {
                Self(random::ulid())
            }

            /// The id that these bytes are, the first being the highest.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }

            /// The id's bytes, the highest first.
            #[must_use]
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(ulid::Ulid::from(self.0).array_to_str(&mut [0; ulid::ULID_LEN]))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                ulid::Ulid::from_string(text).map(|ulid| Self(ulid.into())).map_err(|_| IdError)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )*};
}

ids! {
    /// What an account is filed under, whatever its name.
    AccountId;
    /// What a shared folder is filed under, whatever its name.
    SharedId;
    /// The public half of an access token: what it is found by.
    TokenId;
    /// What a share is filed under; its link is made of it.
    ShareId;
    /// What a sign-in is found by.
    SignInId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_from_its_text_and_its_bytes() {
        let id = AccountId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(AccountId::from_bytes(id.to_bytes()), id);
        assert_eq!(id.to_string().len(), 26);
    }

    #[test]
    fn ids_are_new_each_time_and_sort_by_age() {
        let (first, second) = (AccountId::generate(), AccountId::generate());
        assert_ne!(first, second);
        assert!(first.0 >> 80 <= second.0 >> 80);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "x", "01J9ZQ3V8E6Y0T2M4K5N7P8R9!", "01J9ZQ3V8E6Y0T2M4K5N7P8R9SS"] {
            assert_eq!(text.parse::<AccountId>(), Err(IdError), "{text}");
        }
    }
}
