//! From credentials to a login.
//!
//! What is cheap comes first: the cache, the bounds, the back-off; then one hash, and last the account's
//! state of this moment.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    Attempt, Credentials, Login, Reason, Refused, ShareProof, Via,
    backoff::{Charge, Gate},
};
use crate::{
    AccountId, AccountName, Accounts, Edit, Error, Live, PasswordHash, Record, Secret, ShareId,
    Who, live::Began, sign_in::SignInText, source::TokenRecord, token::TokenText,
};

/// How long who is refused for lack of room is told to wait.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// How often an account is read again because others were changed meanwhile.
pub(super) const TRIES: usize = 16;

/// How old the noted use of a token is before it is noted again.
pub(super) const NOTE_AFTER: Duration = Duration::from_secs(60);

/// A login with the revision of the account that it was verified against.
pub(super) type Verified = Result<(Login, u64), Refused>;

impl Accounts {
    /// The login of credentials that were verified a short while ago, without waiting for anything.
    ///
    /// `None` says nothing of the credentials: ask [`Accounts::login`].
    #[must_use]
    pub fn login_cached(&self, credentials: &Credentials, attempt: &Attempt<'_>) -> Option<Login> {
        let inner = self.inner();
        let login = inner.cache.find(&inner.cache.key_of(credentials), attempt)?;
        inner.counts.cached.fetch_add(1, Ordering::Relaxed);
        Some(login)
    }

    /// Finds out whether somebody is who they claim to be.
    ///
    /// An unknown name takes the time of a wrong password. Each refusal is told to the
    /// [`Observer`](crate::Observer), but for what nobody could guess and a share's visitor who was not yet asked
    /// for the password.
    ///
    /// # Errors
    /// Why not; see [`Refused`].
    ///
    /// Cancellation: safe; the attempt counts as failed if it was being checked.
    pub async fn login(
        &self,
        credentials: &Credentials,
        attempt: &Attempt<'_>,
    ) -> Result<Login, Refused> {
        if let Some(login) = self.login_cached(credentials, attempt) {
            return Ok(login);
        }
        let outcome = self.login_anew(credentials, attempt).await;
        let counts = &self.inner().counts;
        let count = match &outcome {
            Ok(_) => &counts.verified,
            Err(Refused::Wrong(_)) => &counts.wrong,
            Err(Refused::Wait { .. }) => &counts.waiting,
            Err(Refused::Busy { .. }) => &counts.busy,
            Err(Refused::Failed(_)) => &counts.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if let Err(refused) = &outcome
            && is_told(credentials, refused)
        {
            self.inner().observer.refused(credentials.name(), attempt, refused);
        }
        outcome
    }

    async fn login_anew(
        &self,
        credentials: &Credentials,
        attempt: &Attempt<'_>,
    ) -> Result<Login, Refused> {
        let inner = self.inner();
        let claim = Claim::of(credentials).ok_or(Refused::Wrong(Reason::Impossible))?;
        let key = inner.cache.key_of(credentials);
        let claim = match claim {
            Claim::Share(link, proof) => match inner.links.share(link.expose()) {
                Some(share) => Claim::Known(share, proof),
                None => return Err(self.guessed(&key, attempt)),
            },
            claim => claim,
        };
        let _arrival = inner.arrivals.take(attempt.origin()).ok_or(BUSY)?;
        // The same credentials at the same time cost one hash.
        let flight = inner.flights.join(key);
        let _turn = flight.turn().await;
        if let Some(login) = inner.cache.find(&key, attempt) {
            return Ok(login);
        }
        // Not before its turn: who waits for others takes no place from those who do not.
        let _place = inner.places.take(()).ok_or(BUSY)?;
        let verified = match claim {
            // Who has the link is charged for a password alone.
            Claim::Known(share, proof) => self.verify_share(share, proof, &key, attempt).await,
            Claim::SignIn(text) => self.verify_sign_in(&text, attempt).await,
            claim => self.verify_charged(claim, &key, attempt).await,
        };
        let (login, revision) = verified?;
        inner.cache.keep(key, &login, revision);
        Ok(login)
    }

    async fn verify_charged(
        &self,
        claim: Claim<'_>,
        key: &[u8; 32],
        attempt: &Attempt<'_>,
    ) -> Verified {
        let charge = self.charge(&claim.name_for_back_off(), key, attempt)?;
        let verified = match claim {
            Claim::Token(text, name) => self.verify_token(&text, name, attempt).await,
            Claim::Password(name, secret) => self.verify_password(name, secret, attempt).await,
            Claim::Share(..) | Claim::Known(..) | Claim::SignIn(_) => {
                Err(Refused::Wrong(Reason::Impossible))
            }
        };
        settle(charge, &verified);
        verified
    }

    /// Charges an attempt to a name and where it comes from, if it may go on.
    pub(super) fn charge(
        &self,
        name: &str,
        key: &[u8; 32],
        attempt: &Attempt<'_>,
    ) -> Result<Charge<'_>, Refused> {
        let inner = self.inner();
        let marks = inner.failures.marks(name, attempt.origin());
        match inner.failures.enter(marks, key, inner.lives.changes()) {
            Gate::Open(charge) => Ok(charge),
            Gate::Wait(retry_after) => Err(Refused::Wait { retry_after }),
            Gate::KnownWrong => Err(Refused::Wrong(Reason::WrongAgain)),
        }
    }

    async fn verify_password(
        &self,
        name: AccountName,
        secret: &Secret,
        attempt: &Attempt<'_>,
    ) -> Verified {
        let inner = self.inner();
        let share = inner.hashes.take(attempt.origin()).ok_or(BUSY)?;
        let who = Who::Name(name);
        let record = inner.source.account(&who).await.map_err(failed)?;
        let kept = record.as_ref().and_then(|record| record.password.as_ref());
        let checked = inner.hasher.verify(secret, kept, share).await.map_err(failed)?;
        inner.counts.hashed.fetch_add(1, Ordering::Relaxed);
        let Some(record) = record else { return Err(Refused::Wrong(Reason::NoAccount)) };
        let Some(kept) = record.password.filter(|_| checked.is_right) else {
            let has = record.account.has_password;
            let reason = if has { Reason::WrongPassword } else { Reason::NoPassword };
            return Err(Refused::Wrong(reason));
        };
        let current = match checked.renewed {
            Some(renewed) => self.renew(&record.account.name, &who, kept, renewed).await,
            None => kept,
        };
        let (live, revision) = self.admit(&who, record.account.id, &current).await?;
        Ok((Login { live, via: Via::Password }, revision))
    }

    /// Keeps the hash of today's cost; failing that, yesterday's is as good for this login.
    async fn renew(
        &self,
        name: &AccountName,
        who: &Who,
        kept: PasswordHash,
        renewed: PasswordHash,
    ) -> PasswordHash {
        let source = &self.inner().source;
        let renewing = async {
            let record = source.account(who).await?.ok_or_else(|| who.missing())?;
            source.change(&Edit::Rehash(record.account.id, kept.clone(), renewed.clone())).await
        };
        match renewing.await {
            Ok(_) => renewed,
            Err(error) => {
                tracing::warn!(account = %name, %error, "the password's hash was not renewed");
                kept
            }
        }
    }

    /// The handle on an account whose password was right, if it still is the same one.
    async fn admit(
        &self,
        who: &Who,
        id: AccountId,
        password: &PasswordHash,
    ) -> Result<(Live, u64), Refused> {
        let inner = self.inner();
        for _ in 0..TRIES {
            let changes = inner.lives.changes();
            let record = inner.source.account(who).await.map_err(failed)?;
            let same = record.filter(|record| record.account.id == id);
            let Some(Record { account, password: kept }) = same else {
                return Err(Refused::Wrong(Reason::NoAccount));
            };
            if kept.as_ref() != Some(password) {
                return Err(Refused::Wrong(Reason::WrongPassword));
            }
            if account.locked {
                return Err(Refused::Wrong(Reason::Locked));
            }
            let revision = account.revision;
            if let Some(live) = inner.lives.enter(account, changes, None) {
                return Ok((live, revision));
            }
        }
        Err(BUSY)
    }

    async fn verify_token(
        &self,
        text: &TokenText,
        name: Option<AccountName>,
        attempt: &Attempt<'_>,
    ) -> Verified {
        let inner = self.inner();
        for _ in 0..TRIES {
            let changes = inner.lives.changes();
            let found = inner.source.token(text.id).await.map_err(failed)?;
            // Compared in constant time.
            let found = found.filter(|record| record.hash == text.hash);
            let Some(TokenRecord { token, .. }) = found else {
                return Err(Refused::Wrong(Reason::NoToken));
            };
            if token.is_expired(attempt.now) {
                return Err(Refused::Wrong(Reason::Expired));
            }
            if !token.protocols.contain(attempt.protocol) {
                return Err(Refused::Wrong(Reason::Protocol));
            }
            let owner = inner.source.account(&Who::Id(token.account)).await.map_err(failed)?;
            let Some(Record { account, .. }) = owner else {
                return Err(Refused::Wrong(Reason::NoToken));
            };
            if name.as_ref().is_some_and(|name| *name != account.name) {
                return Err(Refused::Wrong(Reason::NotTheirs));
            }
            if account.locked {
                return Err(Refused::Wrong(Reason::Locked));
            }
            let revision = account.revision;
            if let Some(live) = inner.lives.enter(account, changes, Some(Began::Token(token.id))) {
                self.note_use(&token, attempt).await;
                return Ok((Login { live, via: Via::Token(Arc::new(token)) }, revision));
            }
        }
        Err(BUSY)
    }

    /// Notes that a token was used, now and then.
    async fn note_use(&self, token: &crate::Token, attempt: &Attempt<'_>) {
        let is_recent = token.last_used.is_some_and(|used| {
            Duration::try_from(attempt.now.duration_since(used)).is_ok_and(|age| age < NOTE_AFTER)
        });
        if !is_recent && let Err(error) = self.inner().source.note_use(token.id, attempt.now).await
        {
            tracing::warn!(token = %token.id, %error, "the use of a token was not noted");
        }
    }
}

pub(crate) const BUSY: Refused = Refused::Busy { retry_after: BUSY_WAIT };

pub(crate) fn failed(error: Error) -> Refused {
    match error {
        Error::Busy => BUSY,
        error => Refused::Failed(error),
    }
}

/// What was claimed, as far as it can be at all.
enum Claim<'a> {
    /// A token, and the name that came with it.
    Token(TokenText, Option<AccountName>),
    Password(AccountName, &'a Secret),
    /// The text of a share's link, and what came with it.
    Share(&'a Secret, Option<&'a ShareProof>),
    /// A share whose link is right.
    Known(ShareId, Option<&'a ShareProof>),
    /// What a browser keeps.
    SignIn(SignInText),
}

impl<'a> Claim<'a> {
    fn of(credentials: &'a Credentials) -> Option<Self> {
        if !credentials.is_possible() {
            return None;
        }
        if let Credentials::Share { link, proof } = credentials {
            return Some(Self::Share(link, proof.as_ref()));
        }
        if let Credentials::SignIn { secret } = credentials {
            return SignInText::parse(secret).map(Self::SignIn);
        }
        let name = credentials.name();
        match credentials.token_text() {
            Some(text) if name.is_empty() => Some(Self::Token(text, None)),
            Some(text) => Some(Self::Token(text, Some(name.parse().ok()?))),
            None => match credentials {
                Credentials::Password { secret, .. } => {
                    Some(Self::Password(name.parse().ok()?, secret))
                }
                _ => None,
            },
        }
    }

    /// A token waits for its own failures alone, not for those of whoever uses the name.
    fn name_for_back_off(&self) -> String {
        match self {
            Self::Token(text, _) => text.id.to_string(),
            Self::Password(name, _) => name.to_string(),
            Self::Share(..) | Self::SignIn(_) => String::new(),
            Self::Known(share, _) => share.to_string(),
        }
    }
}

/// Whether a refusal is told to the observer. A million guessed links are not a million lines in a log, nor is
/// what a browser still sends of a sign-in that is over.
fn is_told(credentials: &Credentials, refused: &Refused) -> bool {
    if matches!((credentials, refused), (Credentials::SignIn { .. }, Refused::Wrong(_))) {
        return false;
    }
    let by_share = matches!(credentials, Credentials::Share { .. });
    let usual = matches!(refused, Refused::Wait { .. } | Refused::Wrong(Reason::PasswordNeeded));
    !(by_share && usual)
}

/// Says to the back-off what came of an attempt.
pub(super) fn settle<T>(charge: Charge<'_>, verified: &Result<T, Refused>) {
    match verified {
        // Right, though not here.
        Ok(_) | Err(Refused::Wrong(Reason::Protocol)) => charge.right(),
        Err(Refused::Wrong(_)) => charge.wrong(),
        Err(_) => charge.unchecked(),
    }
}
