//! The key that signs checkpoints (Ed25519, RFC 8032), and its public half.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
    str::FromStr,
};

use aws_lc_rs::{
    rand::{SecureRandom as _, SystemRandom},
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};

use crate::{Error, Result, replace::replace, wire::put};

/// The file in the log's folder that holds the key: 64 hexadecimal digits, the seed of RFC 8032 §5.1.5.
pub const KEY_FILE: &str = "journal.key";

/// Length of a signature, in bytes.
pub(crate) const SIGNATURE: usize = 64;

/// What verifies checkpoints; it may be known to anybody.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The public half of the key in a log's folder.
    ///
    /// It proves nothing to somebody who may change that folder: whoever can replace the log can
    /// replace the key as well. One that was kept elsewhere does, see [`Head`](crate::Head).
    ///
    /// # Errors
    /// If the key cannot be read, or is none.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let path = folder.join(KEY_FILE);
        match SigningKey::read(&path)? {
            Some(key) => Ok(key.public()),
            None => Err(Error::NoLog(folder.to_owned())),
        }
    }

    /// Whether the signature (hexadecimal) is of this message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        put::unhex::<SIGNATURE>(signature.as_bytes()).is_some_and(|signature| {
            UnparsedPublicKey::new(&ED25519, self.0).verify(message, &signature).is_ok()
        })
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = put::unhex(text.as_bytes()).ok_or_else(|| Error::NoKey(text.to_owned()))?;
        Ok(Self(bytes))
    }
}

/// The key itself.
pub(crate) struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// The key of a log, made if there is neither a key nor anything that one could have signed.
    pub(crate) fn of_folder(folder: &Path, is_new: bool) -> Result<Self> {
        let path = folder.join(KEY_FILE);
        match Self::read(&path)? {
            Some(key) => Ok(key),
            None if is_new => {
                let digits = Self::make(&path).map_err(Error::at(&path))?;
                Self::from_digits(&digits).ok_or(Error::BadKey(path))
            }
            None => Err(Error::KeyGone(path)),
        }
    }

    /// Reads a key; nothing if there is no such file.
    fn read(path: &Path) -> Result<Option<Self>> {
        let mut digits = String::new();
        match File::open(path) {
            // Somewhat more than a key, so that more is seen to be none.
            Ok(file) => file.take(128).read_to_string(&mut digits).map_err(Error::at(path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::at(path)(error)),
        };
        Self::from_digits(&digits).map(Some).ok_or_else(|| Error::BadKey(path.to_owned()))
    }

    fn from_digits(digits: &str) -> Option<Self> {
        let seed = put::unhex::<32>(digits.trim_end().as_bytes())?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
        let public = PublicKey(pair.public_key().as_ref().try_into().ok()?);
        Some(Self { pair, public })
    }

    /// Writes a new key: whole and only for its owner from the start, or not at all.
    fn make(path: &Path) -> io::Result<String> {
        let mut seed = [0; 32];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|_| io::Error::other("the system gives no randomness"))?;
        let mut digits = Vec::with_capacity(65);
        put::hex(&mut digits, &seed);
        digits.push(b'\n');
        replace(path, &digits, 0o600, true)?;
        String::from_utf8(digits).map_err(io::Error::other)
    }

    pub(crate) const fn public(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        let mut bytes = [0; SIGNATURE];
        // An Ed25519 signature has 64 bytes.
        bytes.copy_from_slice(self.pair.sign(message).as_ref());
        bytes
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key itself stays secret.
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_signs() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(SigningKey::of_folder(folder.path(), false), Err(Error::KeyGone(_))));
        assert!(matches!(PublicKey::of_folder(folder.path()), Err(Error::NoLog(_))));
        let key = SigningKey::of_folder(folder.path(), true).unwrap();
        let again = SigningKey::of_folder(folder.path(), false).unwrap();
        assert_eq!(key.public(), again.public());
        assert_eq!(PublicKey::of_folder(folder.path()).unwrap(), key.public());
        assert_eq!(key.public().to_string().parse::<PublicKey>().unwrap(), key.public());
        let mode = fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let mut signature = Vec::new();
        put::hex(&mut signature, &key.sign(b"this"));
        let signature = String::from_utf8(signature).unwrap();
        assert!(again.public().verifies(b"this", &signature));
        assert!(!again.public().verifies(b"that", &signature));
        assert!(!again.public().verifies(b"this", &signature[2..]));
    }

    #[test]
    fn the_key_of_a_known_seed_is_that_of_the_standard() {
        // RFC 8032 §7.1, test 1.
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let key = SigningKey::from_digits(seed).unwrap();
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(key.public().to_string(), public);
        assert!(!format!("{key:?}").contains(seed));
    }

    #[test]
    fn a_file_that_holds_no_key_is_told_as_such() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY_FILE), "secret\n").unwrap();
        assert!(matches!(SigningKey::of_folder(folder.path(), true), Err(Error::BadKey(_))));
    }
}
