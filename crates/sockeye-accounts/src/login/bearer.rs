//! From something that says itself whose it is to a login: a token, a share's link, what a browser keeps of a
//! sign-in.
//!
//! It is found by its id, and then the account that it belongs to as it is now.

use std::{sync::Arc, time::Duration};

use super::{
    Attempt, Login, Reason, Refused, ShareProof, Via,
    verify::{BUSY, TRIES, Verified, failed},
};
use crate::{
    AccountId, AccountName, Accounts, PasswordHash, Record, ShareId, Who, live::Began,
    sign_in::SignInText, token::TokenText,
};

/// How old the noted use of a token or a sign-in is before it is noted again.
const NOTE_AFTER: Duration = Duration::from_secs(60);

/// What somebody brings in place of a name and its password.
#[derive(Debug)]
pub(super) enum Bearer<'a> {
    /// A token, and the name that came with it.
    Token(TokenText, Option<AccountName>),
    /// A share whose link is right, and what came beside the link.
    Share(ShareId, Option<&'a ShareProof>),
    /// What a browser keeps.
    SignIn(SignInText),
}

impl Bearer<'_> {
    fn began(&self) -> Began {
        match self {
            Self::Token(text, _) => Began::Token(text.id),
            Self::Share(id, _) => Began::Share(*id),
            Self::SignIn(text) => Began::SignIn(text.id),
        }
    }

    /// Why there is no login if it is not there.
    fn missing(&self) -> Refused {
        Refused::Wrong(match self {
            Self::Token(..) => Reason::NoToken,
            Self::Share(..) => Reason::NoShare,
            Self::SignIn(_) => Reason::NoSignIn,
        })
    }
}

impl Accounts {
    pub(super) async fn verify_bearer(
        &self,
        bearer: &Bearer<'_>,
        key: &[u8; 32],
        attempt: &Attempt<'_>,
    ) -> Verified {
        let inner = self.inner();
        let mut proven = None;
        for _ in 0..TRIES {
            let changes = inner.lives.changes();
            let (via, owner, password) = self.find_via(bearer).await?;
            if via.is_expired(attempt.now) {
                return Err(Refused::Wrong(Reason::Expired));
            }
            if !via.serves(attempt) {
                return Err(Refused::Wrong(Reason::Protocol));
            }
            let owner = inner.source.account(&Who::Id(owner)).await.map_err(failed)?;
            let Record { account, .. } = owner.ok_or_else(|| bearer.missing())?;
            if matches!(bearer, Bearer::Token(_, Some(name)) if *name != account.name) {
                return Err(Refused::Wrong(Reason::NotTheirs));
            }
            if account.locked {
                return Err(Refused::Wrong(Reason::Locked));
            }
            if let Bearer::Share(id, proof) = bearer
                && let Some(password) = password.filter(|it| proven.as_ref() != Some(it))
            {
                self.prove(*id, &password, *proof, key, attempt).await?;
                proven = Some(password);
                continue;
            }
            let revision = account.revision;
            if let Some(live) = inner.lives.enter(account, changes, Some(bearer.began())) {
                self.note_use(bearer, &via, attempt).await;
                return Ok(Login { live, via, revision });
            }
        }
        Err(BUSY)
    }

    /// What is kept of it, whose it is, and a share's password.
    async fn find_via(
        &self,
        bearer: &Bearer<'_>,
    ) -> Result<(Via, AccountId, Option<PasswordHash>), Refused> {
        let source = &self.inner().source;
        let found = match bearer {
            Bearer::Token(text, _) => {
                let found = source.token(text.id).await.map_err(failed)?;
                // Compared in constant time.
                let token = found.filter(|record| record.hash == text.hash).map(|it| it.token);
                token.map(|it| (it.account, Via::Token(Arc::new(it)), None))
            }
            Bearer::Share(id, _) => {
                let found = source.share(*id).await.map_err(failed)?;
                found.map(|it| (it.share.account, Via::Share(Arc::new(it.share)), it.password))
            }
            Bearer::SignIn(text) => {
                let found = source.sign_in(text.id).await.map_err(failed)?;
                let sign_in = found.filter(|record| record.hash == text.hash).map(|it| it.sign_in);
                sign_in.map(|it| (it.account, Via::SignIn(Arc::new(it)), None))
            }
        };
        let (owner, via, password) = found.ok_or_else(|| bearer.missing())?;
        Ok((via, owner, password))
    }

    /// Notes that a token or a sign-in was used, now and then.
    async fn note_use(&self, bearer: &Bearer<'_>, via: &Via, attempt: &Attempt<'_>) {
        let last = match via {
            Via::Token(token) => token.last_used,
            Via::SignIn(sign_in) => Some(sign_in.last_used),
            Via::Password | Via::Share(_) => return,
        };
        let age = last.map(|last| Duration::try_from(attempt.now.duration_since(last)));
        if matches!(age, Some(Ok(age)) if age < NOTE_AFTER) {
            return;
        }
        let source = &self.inner().source;
        let noted = match via {
            Via::Token(token) => source.note_use(token.id, attempt.now).await,
            Via::SignIn(sign_in) => source.note_sign_in(sign_in.id, attempt.now).await,
            Via::Password | Via::Share(_) => Ok(()),
        };
        if let Err(error) = noted {
            tracing::warn!(of = ?bearer.began(), %error, "the use was not noted");
        }
    }
}
