//! From credentials to a login.
//!
//! What is cheap comes first: the cache, the bounds, the back-off; then one hash, and last the account's
//! state of this moment.

use std::{sync::atomic::Ordering, time::Duration};

use super::{
    Attempt, Credentials, Login, Reason, Refused, Via,
    backoff::{Charge, Gate},
    bearer::Bearer,
};
use crate::{
    AccountId, AccountName, Accounts, Edit, Error, PasswordHash, Record, Secret, Who,
    sign_in::SignInText,
};

/// How long who is refused for lack of room is told to wait.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// How often an account is read again because others were changed meanwhile.
pub(super) const TRIES: usize = 16;

pub(super) type Verified = Result<Login, Refused>;

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
    /// An unknown name takes the time of a wrong password for a hash of our own of today's cost. An account whose hash
    /// was brought from elsewhere, or made at another cost, takes longer or shorter until its owner logs in: until then
    /// the time tells whoever guesses that the name is one. Each refusal is told to the
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
        if !credentials.is_possible() {
            return Err(Refused::Wrong(Reason::Impossible));
        }
        let key = inner.cache.key_of(credentials);
        let claim = self.claim(credentials, &key, attempt)?;
        let _arrival = inner.arrivals.take(attempt.origin()).ok_or(BUSY)?;
        // The same credentials at the same time cost one hash.
        let flight = inner.flights.join(key);
        let _turn = flight.turn().await;
        if let Some(login) = inner.cache.find(&key, attempt) {
            return Ok(login);
        }
        // Not before its turn: who waits for others takes no place from those who do not.
        let _place = inner.places.take(()).ok_or(BUSY)?;
        let charged = claim.charged_to().map(|name| self.charge(&name, &key, attempt));
        let charge = charged.transpose()?;
        let verified = match claim {
            Claim::Password(name, secret) => self.verify_password(name, secret, attempt).await,
            Claim::Bearer(bearer) => self.verify_bearer(&bearer, &key, attempt).await,
        };
        if let Some(charge) = charge {
            settle(charge, &verified);
        }
        let login = verified?;
        inner.cache.keep(key, &login);
        Ok(login)
    }

    /// What was claimed, as far as it can be at all.
    fn claim<'a>(
        &self,
        credentials: &'a Credentials,
        key: &[u8; 32],
        attempt: &Attempt<'_>,
    ) -> Result<Claim<'a>, Refused> {
        let impossible = || Refused::Wrong(Reason::Impossible);
        let token = |text, name| Claim::Bearer(Bearer::Token(text, name));
        match credentials {
            Credentials::Password { name, secret } => {
                if let Some(text) = credentials.token_text() {
                    let name = (!name.is_empty()).then(|| name.parse()).transpose();
                    return Ok(token(text, name.map_err(|_| impossible())?));
                }
                Ok(Claim::Password(name.parse().map_err(|_| impossible())?, secret))
            }
            Credentials::Token { .. } => {
                let text = credentials.token_text();
                text.map(|text| token(text, None)).ok_or_else(impossible)
            }
            Credentials::Share { link, proof } => match self.inner().links.share(link.expose()) {
                Some(share) => Ok(Claim::Bearer(Bearer::Share(share, proof.as_ref()))),
                None => Err(self.guessed(key, attempt)),
            },
            Credentials::SignIn { secret } => {
                let text = SignInText::parse(secret).ok_or_else(impossible)?;
                Ok(Claim::Bearer(Bearer::SignIn(text)))
            }
        }
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
        self.admit(&who, record.account.id, &current).await
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

    /// The login at an account whose password was right, if it still is the same one.
    async fn admit(&self, who: &Who, id: AccountId, password: &PasswordHash) -> Verified {
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
                return Ok(Login { live, via: Via::Password, revision });
            }
        }
        Err(BUSY)
    }
}

pub(crate) const BUSY: Refused = Refused::Busy { retry_after: BUSY_WAIT };

pub(crate) fn failed(error: Error) -> Refused {
    match error {
        Error::Busy => BUSY,
        error => Refused::Failed(error),
    }
}

/// What was claimed.
enum Claim<'a> {
    /// To know the password of the account of this name.
    Password(AccountName, &'a Secret),
    /// To have something that stands for its account.
    Bearer(Bearer<'a>),
}

impl Claim<'_> {
    /// What guesses wait by. A token waits for its own failures alone, not for those of whoever uses the name. Who
    /// has a share's link is charged for its password alone, and a sign-in for nothing: it cannot be guessed, and a
    /// browser sends one that is over with everything that it asks for.
    fn charged_to(&self) -> Option<String> {
        match self {
            Self::Password(name, _) => Some(name.to_string()),
            Self::Bearer(Bearer::Token(text, _)) => Some(text.id.to_string()),
            Self::Bearer(Bearer::Share(..) | Bearer::SignIn(_)) => None,
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
