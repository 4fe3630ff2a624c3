//! Sign-ins: what a browser keeps in place of a name and a password, and a list of them to end one by one.
//!
//! The text that the browser keeps is 64 letters (RFC 4648 base 64 for URLs, no padding) of 48 bytes: the id (16) and
//! a secret (32 random bytes). Of the secret only its BLAKE3 hash is kept: of 256 random bits there is nothing
//! to guess. A password sets them up, never a token; another password, a lock or the account's end ends them.

use std::{net::IpAddr, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    Account, AccountId, Accounts, Attempt, Change, Credentials, Edit, Error, Login, Reason,
    Refused, Result, Secret, SignInId, TokenHash, Via, What, Who,
    changes::to_the_millisecond,
    login::{BUSY, failed},
    random,
};

/// Most sign-ins that an account can have; one more ends the one that was used the longest ago.
pub const MAX_SIGN_INS: usize = 64;

/// Longest description of a browser that is kept, in bytes of UTF-8.
pub const MAX_AGENT: usize = 256;

/// How often a sign-in is tried again because its account is changed meanwhile.
const TRIES: usize = 4;

const ID: usize = 16;
const SECRET: usize = 32;
const LETTERS: usize = 64;

/// Bytes of a CSRF token.
const CSRF: usize = 16;

/// What is known of a sign-in; never its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// What it is found by.
    pub id: SignInId,
    /// Whose it is.
    pub account: AccountId,
    /// Where it was made from; nowhere for a local socket.
    pub address: Option<IpAddr>,
    /// What the browser says of itself, on one line.
    pub agent: Option<String>,
    /// Until when.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub expires: Timestamp,
    /// When it was last used, to about a minute.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub last_used: Timestamp,
    /// When it was made.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub created: Timestamp,
}

impl SignIn {
    /// Whether its time is over at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires <= now
    }
}

/// The two halves of what a browser keeps.
#[derive(Debug)]
pub(crate) struct SignInText {
    pub(crate) id: SignInId,
    pub(crate) hash: TokenHash,
}

impl SignInText {
    /// Makes the text of a new sign-in with this id; the secret is in it and nowhere else.
    fn generate(id: SignInId) -> (Secret, TokenHash) {
        let mut bytes = Zeroizing::new([0; ID + SECRET]);
        bytes[..ID].copy_from_slice(&id.to_bytes());
        bytes[ID..].copy_from_slice(&*Zeroizing::new(random::bytes::<SECRET>()));
        let hash = hash_of(&bytes[ID..]);
        (Secret::new(BASE64URL_NOPAD.encode(&*bytes)), hash)
    }

    /// Reads it; `None` if it is none.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        let bytes = decode(text.expose())?;
        let (id, secret) = bytes.split_first_chunk::<ID>()?;
        Some(Self { id: SignInId::from_bytes(*id), hash: hash_of(secret) })
    }
}

fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = (text.len() == LETTERS).then(|| BASE64URL_NOPAD.decode(text.as_bytes()));
    bytes?.ok().map(Zeroizing::new)
}

fn hash_of(secret: &[u8]) -> TokenHash {
    TokenHash::from_bytes(*blake3::hash(secret).as_bytes())
}

/// The CSRF token of a sign-in, made of its text: what a change has to bring beside a cookie, which a browser sends
/// along with whatever any page asks for. None if the text is no sign-in's.
#[must_use]
pub fn csrf_token(sign_in: &str) -> Option<Secret> {
    let bytes = decode(sign_in)?;
    let token = Zeroizing::new(blake3::derive_key("sockeye 2026-11-21 csrf token", &bytes));
    Some(Secret::new(BASE64URL_NOPAD.encode(&token[..CSRF])))
}

/// Whether this is the CSRF token of that sign-in; takes the same time wherever it is wrong.
#[must_use]
pub fn is_csrf_token(sign_in: &str, token: &[u8]) -> bool {
    csrf_token(sign_in).is_some_and(|expected| {
        // Hashed, they are compared in constant time.
        blake3::hash(expected.expose().as_bytes()) == blake3::hash(token)
    })
}

/// Sign-ins are changed like accounts; see there for what holds of all changes.
impl Accounts {
    /// Signs in by a name and a password, for so long. Gives the login by the sign-in itself, so that a session ends
    /// with it, and the text that the browser is to keep, which can never be had again. What the browser says of
    /// itself, `agent`, is cut to [`MAX_AGENT`] bytes.
    ///
    /// # Errors
    /// As [`Accounts::login`]; a token is refused, as it would become more than it is.
    ///
    /// Cancellation: as for all changes.
    pub async fn sign_in(
        &self,
        credentials: &Credentials,
        attempt: &Attempt<'_>,
        agent: Option<&str>,
        lasts: Duration,
    ) -> Result<(Login, Secret), Refused> {
        for _ in 0..TRIES {
            let login = self.login(credentials, attempt).await?;
            if !matches!(login.via(), Via::Password) {
                return Err(Refused::Wrong(Reason::Protocol));
            }
            let account = login.account();
            // It was changed since the password was found right.
            if account.revision != login.revision() {
                continue;
            }
            let (id, now) = (SignInId::generate(), to_the_millisecond(attempt.now));
            let (secret, hash) = SignInText::generate(id);
            let sign_in = SignIn {
                id,
                account: account.id,
                address: attempt.address,
                agent: agent.map(one_line).filter(|agent| !agent.is_empty()),
                expires: now.checked_add(lasts).map_or(Timestamp::MAX, to_the_millisecond),
                last_used: now,
                created: now,
            };
            match self.add_sign_in(&account, &sign_in, hash).await {
                Ok(()) => {
                    let kept = Credentials::SignIn { secret: secret.clone() };
                    return Ok((self.login(&kept, attempt).await?, secret));
                }
                Err(Error::Busy) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(BUSY)
    }

    async fn add_sign_in(
        &self,
        account: &Account,
        sign_in: &SignIn,
        hash: TokenHash,
    ) -> Result<()> {
        let adding = || Edit::SignIn(sign_in.clone(), hash, account.revision);
        let change = || account.says(What::SignedIn(sign_in.id));
        match self.change(adding(), change()).await {
            Err(Error::TooMany { .. }) => {
                let all = self.sign_ins(account.id).await?;
                if let Some(oldest) = all.iter().min_by_key(|it| (it.last_used, it.id)) {
                    self.end_sign_in(account.id, oldest.id).await?;
                }
                self.change(adding(), change()).await.map(drop)
            }
            done => done.map(drop),
        }
    }

    /// The sign-ins of an account that hold now, the oldest first.
    ///
    /// # Errors
    /// [`Error::NoAccount`]; [`Error::Storage`].
    pub async fn sign_ins(&self, who: impl Into<Who>) -> Result<Vec<SignIn>> {
        let mut all = self.inner().source.sign_ins(self.find(who).await?.id).await?;
        let now = Timestamp::now();
        all.retain(|sign_in| !sign_in.is_expired(now));
        Ok(all)
    }

    /// Ends a sign-in of an account, and the sessions that go by it.
    ///
    /// # Errors
    /// [`Error::NoSuch`].
    pub async fn end_sign_in(&self, who: impl Into<Who>, id: SignInId) -> Result<()> {
        let account = self.find(who).await?;
        let change: Change = account.says(What::SignedOut(id));
        self.change(Edit::SignOut(account.id, id), change).await.map(drop)
    }
}

/// What a browser says of itself, without what would not stand on one line.
fn one_line(agent: &str) -> String {
    let shown = agent.chars().filter(|c| !c.is_control());
    let mut text = String::new();
    for c in shown {
        if text.len() + c.len_utf8() > MAX_AGENT {
            break;
        }
        text.push(c);
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_read_back_from_its_text_and_no_other() {
        let id = SignInId::generate();
        let (text, hash) = SignInText::generate(id);
        let read = SignInText::parse(&text).unwrap();
        assert!(read.id == id && read.hash == hash);
        for wrong in ["", "x", &text.expose()[1..], &format!("{}!", &text.expose()[1..])] {
            assert!(SignInText::parse(&Secret::new(wrong)).is_none(), "{wrong}");
        }
    }

    #[test]
    fn each_sign_in_has_a_csrf_token_of_its_own_that_does_not_tell_its_secret() {
        let text = || SignInText::generate(SignInId::generate()).0;
        let (one, other) = (text(), text());
        let token = csrf_token(one.expose()).unwrap();
        assert!(is_csrf_token(one.expose(), token.expose().as_bytes()));
        assert!(!is_csrf_token(other.expose(), token.expose().as_bytes()));
        assert!(!is_csrf_token(one.expose(), b"") && !is_csrf_token("", b""));
        assert!(!one.expose().contains(token.expose()));
        assert_eq!(token, csrf_token(one.expose()).unwrap());
    }

    #[test]
    fn what_a_browser_says_of_itself_is_one_short_line() {
        assert_eq!(one_line(" Fire\r\nfox\0 "), "Firefox");
        assert!(one_line(&"é".repeat(300)).len() <= MAX_AGENT);
    }
}
