//! Hashes of other programs, brought along with their accounts: checked, and never made.
//!
//! What `crypt(3)` makes (`$y$`, `$6$`, `$5$`, `$2b$`) is checked by the crates of each. The first right password
//! replaces such a hash by one of our own. What is too dear is refused when it is read, as everything that
//! is checked takes a place among the few that are computed at once.

use sha_crypt::{PasswordHashRef, PasswordVerifier as _, ShaCrypt};
use yescrypt::{Mode, Yescrypt};

use super::{MAX_LANES, MAX_MEMORY, PasswordHashError};
use crate::Secret;

/// Most rounds of SHA-crypt; 5,000 is what `crypt(3)` makes, and 656,000 the most that is common.
pub const MAX_ROUNDS: u32 = 1_000_000;

/// Highest cost of bcrypt: each step more doubles the time, and this one is about a second.
pub const MAX_BCRYPT_COST: u32 = 14;

/// Longest hash of another program, in bytes.
const LONGEST: usize = 256;

/// Longest password that is checked, in bytes: no `crypt(3)` takes a longer one, and the time of SHA-crypt grows with it.
const LONGEST_PASSWORD: usize = 511;

/// Letters of the hash at the end.
const SHA256_LETTERS: usize = 43;
const SHA512_LETTERS: usize = 86;
const YESCRYPT_LETTERS: usize = 43;
const BCRYPT_LETTERS: usize = 53;

/// Which program's, with the text as it was brought.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Crypt {
    scheme: Scheme,
    text: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Sha,
    Bcrypt,
    Yescrypt,
}

/// How the hashes begin that are not taken, and what they are.
const NOT_TAKEN: &[(&str, &str)] = &[
    ("$1$", "MD5"),
    ("$apr1$", "MD5, of Apache's htpasswd (`htpasswd -B` makes one that is taken)"),
    ("$md5", "MD5"),
    ("$sha1$", "SHA-1"),
    ("$3$", "NT's MD4"),
    ("{", "one of a directory service"),
    ("$2x$", "bcrypt of a version that was broken"),
    ("$7$", "scrypt"),
    ("$gy$", "gost-yescrypt"),
    ("$argon2i$", "argon2i"),
    ("$argon2d$", "argon2d"),
];

impl Crypt {
    /// Reads one, of whichever program.
    pub(super) fn parse(text: &str) -> Result<Self, PasswordHashError> {
        if let Some((_, what)) = NOT_TAKEN.iter().find(|(start, _)| text.starts_with(start)) {
            return Err(PasswordHashError::NotTaken(what));
        }
        if text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PasswordHashError::Form);
        }
        let parts: Vec<_> = text.strip_prefix('$').unwrap_or_default().split('$').collect();
        let scheme = match parts.as_slice() {
            ["5", rest @ ..] => sha(rest, SHA256_LETTERS)?,
            ["6", rest @ ..] => sha(rest, SHA512_LETTERS)?,
            ["2a" | "2b" | "2y", cost, hash] => bcrypt(cost, hash)?,
            ["y", params, _salt, hash] if hash.len() == YESCRYPT_LETTERS => yescrypt(params)?,
            // Thirteen letters, two of which are the salt.
            _ if text.len() == 13 && text.bytes().all(is_letter) => {
                return Err(PasswordHashError::NotTaken("DES"));
            }
            // BSDI's: count and salt of four letters each, and eleven.
            _ if text.len() == 20 && text.starts_with('_') && text[1..].bytes().all(is_letter) => {
                return Err(PasswordHashError::NotTaken("DES"));
            }
            _ => return Err(PasswordHashError::Form),
        };
        if scheme != Scheme::Bcrypt && PasswordHashRef::new(text).is_err() {
            return Err(PasswordHashError::Form);
        }
        Ok(Self { scheme, text: text.into() })
    }

    /// Whether it is the hash of this password. Takes the time that its parameters say.
    pub(super) fn is_of(&self, password: &Secret) -> bool {
        let password = password.expose().as_bytes();
        if password.len() > LONGEST_PASSWORD {
            return false;
        }
        let text = &*self.text;
        match self.scheme {
            Scheme::Bcrypt => bcrypt::verify(password, text).unwrap_or(false),
            Scheme::Sha => PasswordHashRef::new(text)
                .is_ok_and(|hash| ShaCrypt::default().verify_password(password, hash).is_ok()),
            Scheme::Yescrypt => Yescrypt::default().verify_password(password, text).is_ok(),
        }
    }

    /// The text as it was brought.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// How the text begins, which tells the program and no secret.
    pub(super) fn start(&self) -> &'static str {
        match self.scheme {
            Scheme::Sha if self.text.starts_with("$5") => "$5$",
            Scheme::Sha => "$6$",
            Scheme::Bcrypt => "$2b$",
            Scheme::Yescrypt => "$y$",
        }
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"./".contains(&byte)
}

/// `rounds=N$SALT$HASH` or `SALT$HASH`.
fn sha(parts: &[&str], letters: usize) -> Result<Scheme, PasswordHashError> {
    let (rounds, salt, hash) = match parts {
        [rounds, salt, hash] => (rounds.strip_prefix("rounds="), salt, hash),
        [salt, hash] => (Some("5000"), salt, hash),
        _ => return Err(PasswordHashError::Form),
    };
    // As `crypt(3)` writes it: no sign, no zeros in front.
    let rounds = rounds.filter(|digits| digits.starts_with(|c: char| matches!(c, '1'..='9')));
    let rounds =
        rounds.and_then(|digits| digits.parse::<u32>().ok()).ok_or(PasswordHashError::Form)?;
    if rounds > MAX_ROUNDS {
        return Err(PasswordHashError::TooDear("at most 1,000,000 rounds of SHA-crypt"));
    }
    let is_form = rounds >= 1000
        && (1..=16).contains(&salt.len())
        && !salt.starts_with("rounds=")
        && hash.len() == letters
        && hash.bytes().all(is_letter);
    if is_form { Ok(Scheme::Sha) } else { Err(PasswordHashError::Form) }
}

fn bcrypt(cost: &str, hash: &str) -> Result<Scheme, PasswordHashError> {
    let number = cost.parse::<u32>().ok().filter(|number| *number >= 4 && cost.len() == 2);
    let number = number.ok_or(PasswordHashError::Form)?;
    if number > MAX_BCRYPT_COST {
        return Err(PasswordHashError::TooDear("a cost of at most 14 of bcrypt"));
    }
    let is_form = hash.len() == BCRYPT_LETTERS && hash.bytes().all(is_letter);
    if is_form { Ok(Scheme::Bcrypt) } else { Err(PasswordHashError::Form) }
}

/// The parameters in letters, as `j9T`: 4,096 blocks of 32.
fn yescrypt(params: &str) -> Result<Scheme, PasswordHashError> {
    let params = params.parse::<yescrypt::Params>().map_err(|_| PasswordHashError::Form)?;
    let (n, r, p) = (params.n(), u64::from(params.r()), params.p());
    // Those that every system makes: no more time than the memory says, and no memory that is not written.
    let usual = yescrypt::Params::new(Mode::default(), n, params.r(), p).ok() == Some(params);
    let kib = n.saturating_mul(r).saturating_mul(128) / 1024;
    if !usual || kib > u64::from(MAX_MEMORY) || p > MAX_LANES {
        return Err(PasswordHashError::TooDear(
            "at most 256 MiB of memory for yescrypt, gone over as is usual",
        ));
    }
    Ok(Scheme::Yescrypt)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The hash of `correct horse` that `crypt(3)` of glibc, or libxcrypt, makes of each kind.
    const KNOWN: &[&str] = &[
        "$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/",
        "$6$rounds=10000$saltsaltsaltsalt$YymDQcDiPAPffG37wC0ejpCZb/xQsJhGY1cHJm2zkZSqidwOudukvGlotbMGQxkhtPRs0ZA\
         bTYxJp96xB5KQ91",
        "$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC",
        "$5$rounds=1000$x$iQZpM1omHUPunsHyFj3BDlScQB2YZdUeOB22XlNl6w3",
        "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
        "$2y$04$......................IBkH8pjfkDYmjZtzsiFYGYLacsaGHyW",
        "$2a$04$......................IBkH8pjfkDYmjZtzsiFYGYLacsaGHyW",
        "$y$j75$F5Jx5fExrKuPp53xLKQ..1$aEFV0VcEI5Jx.rzUhLbfRgipTKSbuNF0ldHPkDpnco3",
    ];

    #[test]
    fn a_hash_that_the_system_made_is_of_its_password_alone() {
        for text in KNOWN {
            let hash = Crypt::parse(text).unwrap();
            assert!(hash.is_of(&Secret::new("correct horse")), "{text}");
            assert!(!hash.is_of(&Secret::new("correct house")), "{text}");
            assert_eq!(hash.as_str(), *text);
        }
        let long = Secret::new("x".repeat(LONGEST_PASSWORD + 1));
        assert!(!Crypt::parse(KNOWN[0]).unwrap().is_of(&long));
    }

    #[test]
    fn what_is_weak_or_too_dear_is_refused_with_what_it_is() {
        let sha = KNOWN.iter().find(|text| text.starts_with("$6$rounds=")).unwrap();
        let (_, tail) = sha.strip_prefix("$6$rounds=").unwrap().split_once('$').unwrap();
        let bcrypt = KNOWN.iter().find(|text| text.starts_with("$2")).unwrap();
        let yescrypt = KNOWN.iter().find(|text| text.starts_with("$y$")).unwrap();
        let (_, of_yescrypt) = yescrypt.strip_prefix("$y$").unwrap().split_once('$').unwrap();
        for (text, expected) in [
            ("$1$salt$qJH7.N4xYta3aEG/dfqo/0".to_owned(), "this hash is MD5, "),
            ("$apr1$salt$xxxxxxxxxxxxxxxxxxxxxx".to_owned(), "htpasswd -B"),
            ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=".to_owned(), "a directory service"),
            ("abJnggxhB/yWI".to_owned(), "this hash is DES"),
            (format!("$6$rounds=1000001${tail}"), "at most 1,000,000 rounds"),
            (format!("$2b$15${}", &bcrypt[7..]), "a cost of at most 14"),
            (format!("$y$jFT${of_yescrypt}"), "at most 256 MiB"),
            (format!("$6$rounds=999${tail}"), "of none of the forms"),
            (format!("$6$rounds=+5000${tail}"), "of none of the forms"),
            (format!("$6$rounds=05000${tail}"), "of none of the forms"),
            (format!("$6${tail}x"), "of none of the forms"),
            (format!("$6$rounds=5000${}", &tail[1..tail.len() - 1]), "of none of the forms"),
            ("correct horse".to_owned(), "of none of the forms"),
            (String::new(), "of none of the forms"),
        ] {
            let error = Crypt::parse(&text).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "\\$(5|6|2b|y)\\$([a-z0-9=./]{0,12}\\$){0,3}[A-Za-z0-9./]{0,90}") {
            let _ = Crypt::parse(&text);
        }
    }
}
