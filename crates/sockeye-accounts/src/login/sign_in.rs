//! From what a browser keeps of a sign-in to a login.
//!
//! A wrong one is charged to nobody: there is nothing to guess, and a browser sends what is over with everything
//! that it asks for.

use std::{sync::Arc, time::Duration};

use super::{
    Attempt, Login, Reason, Refused, Via,
    verify::{BUSY, NOTE_AFTER, TRIES, Verified, failed},
};
use crate::{
    Accounts, Record, SignIn, Who, live::Began, sign_in::SignInText, source::SignInRecord,
};

impl Accounts {
    pub(super) async fn verify_sign_in(
        &self,
        text: &SignInText,
        attempt: &Attempt<'_>,
    ) -> Verified {
        let inner = self.inner();
        for _ in 0..TRIES {
            let changes = inner.lives.changes();
            let found = inner.source.sign_in(text.id).await.map_err(failed)?;
            // Compared in constant time.
            let found = found.filter(|record| record.hash == text.hash);
            let Some(SignInRecord { sign_in, .. }) = found else {
                return Err(Refused::Wrong(Reason::NoSignIn));
            };
            if sign_in.is_expired(attempt.now) {
                return Err(Refused::Wrong(Reason::Expired));
            }
            let owner = inner.source.account(&Who::Id(sign_in.account)).await.map_err(failed)?;
            let Some(Record { account, .. }) = owner else {
                return Err(Refused::Wrong(Reason::NoSignIn));
            };
            if account.locked {
                return Err(Refused::Wrong(Reason::Locked));
            }
            let revision = account.revision;
            let began = Began::SignIn(sign_in.id);
            if let Some(live) = inner.lives.enter(account, changes, Some(began)) {
                self.note_sign_in(&sign_in, attempt).await;
                return Ok((Login { live, via: Via::SignIn(Arc::new(sign_in)) }, revision));
            }
        }
        Err(BUSY)
    }

    /// Notes that a sign-in was used, now and then.
    async fn note_sign_in(&self, sign_in: &SignIn, attempt: &Attempt<'_>) {
        let age = Duration::try_from(attempt.now.duration_since(sign_in.last_used));
        if age.is_ok_and(|age| age < NOTE_AFTER) {
            return;
        }
        if let Err(error) = self.inner().source.note_sign_in(sign_in.id, attempt.now).await {
            tracing::warn!(sign_in = %sign_in.id, %error, "the use of a sign-in was not noted");
        }
    }
}
