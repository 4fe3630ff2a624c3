//! From a share's link to a login.
//!
//! The link's own hash is checked before anything else, so that a guess looks nothing up. Guesses of links wait
//! by their origin, guesses of a share's password by the share and the origin; whoever has the right link never
//! waits for those who have not.

use std::sync::Arc;

use super::{
    Attempt, Login, Reason, Refused, ShareProof, Via,
    verify::{BUSY, TRIES, Verified, failed, settle},
};
use crate::{
    Accounts, Error, PasswordHash, Record, Result, Secret, ShareId, Who, live::Began,
    source::ShareRecord,
};

/// What guesses of links are charged to beside their origin; no account and no share is called so.
const LINKS: &str = "the links of shares";

impl Accounts {
    /// What a browser keeps in place of a share's password, once that was right: good for twelve hours and until
    /// the password changes. None if the share has no password.
    ///
    /// # Errors
    /// [`Error::NoShare`]; [`Error::Storage`].
    pub async fn share_pass(&self, id: ShareId, attempt: &Attempt<'_>) -> Result<Option<Secret>> {
        let found = self.inner().source.share(id).await?;
        let password = found.ok_or(Error::NoShare(id))?.password;
        Ok(password.map(|password| self.inner().links.pass(id, &password, attempt.now)))
    }

    /// What came of a link that is none.
    pub(super) fn guessed(&self, key: &[u8; 32], attempt: &Attempt<'_>) -> Refused {
        match self.charge(LINKS, key, attempt) {
            Ok(charge) => {
                charge.wrong();
                Refused::Wrong(Reason::NoLink)
            }
            Err(Refused::Wrong(_)) => Refused::Wrong(Reason::NoLink),
            Err(wait) => wait,
        }
    }

    /// The login of somebody whose link is right.
    pub(super) async fn verify_share(
        &self,
        id: ShareId,
        proof: Option<&ShareProof>,
        key: &[u8; 32],
        attempt: &Attempt<'_>,
    ) -> Verified {
        let inner = self.inner();
        let mut proven = None;
        for _ in 0..TRIES {
            let changes = inner.lives.changes();
            let found = inner.source.share(id).await.map_err(failed)?;
            let ShareRecord { share, password } = found.ok_or(Refused::Wrong(Reason::NoShare))?;
            if share.is_expired(attempt.now) {
                return Err(Refused::Wrong(Reason::Expired));
            }
            let owner = inner.source.account(&Who::Id(share.account)).await.map_err(failed)?;
            let Some(Record { account, .. }) = owner else {
                return Err(Refused::Wrong(Reason::NoShare));
            };
            if account.locked {
                return Err(Refused::Wrong(Reason::Locked));
            }
            if let Some(password) = password.filter(|password| proven.as_ref() != Some(password)) {
                self.prove(id, &password, proof, key, attempt).await?;
                proven = Some(password);
                continue;
            }
            let revision = account.revision;
            if let Some(live) = inner.lives.enter(account, changes, Some(Began::Share(id))) {
                return Ok((Login { live, via: Via::Share(Arc::new(share)) }, revision));
            }
        }
        Err(BUSY)
    }

    /// Checks what came beside the link against the share's password.
    async fn prove(
        &self,
        id: ShareId,
        kept: &PasswordHash,
        proof: Option<&ShareProof>,
        key: &[u8; 32],
        attempt: &Attempt<'_>,
    ) -> Result<(), Refused> {
        let inner = self.inner();
        let password = match proof {
            Some(ShareProof::Pass(pass))
                if inner.links.is_pass(pass.expose(), id, kept, attempt.now) =>
            {
                return Ok(());
            }
            None | Some(ShareProof::Pass(_)) => return Err(Refused::Wrong(Reason::PasswordNeeded)),
            Some(ShareProof::Password(password)) => password,
        };
        let charge = self.charge(&id.to_string(), key, attempt)?;
        let proven = async {
            let place = inner.hashes.take(attempt.origin()).ok_or(BUSY)?;
            let checked = inner.hasher.verify(password, Some(kept), place).await.map_err(failed)?;
            inner.counts.hashed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            match checked.is_right {
                true => Ok(()),
                false => Err(Refused::Wrong(Reason::WrongPassword)),
            }
        };
        let proven = proven.await;
        settle(charge, &proven);
        proven
    }
}
