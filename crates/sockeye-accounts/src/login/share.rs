//! What somebody who comes by a share's link has to know.
//!
//! The link's own hash is checked before anything else, so that a guess looks nothing up. Guesses of links wait
//! by their origin, guesses of a share's password by the share and the origin; whoever has the right link never
//! waits for those who have not.

use super::{
    Attempt, Reason, Refused, ShareProof,
    verify::{BUSY, failed, settle},
};
use crate::{Accounts, Error, PasswordHash, Result, Secret, ShareId};

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

    /// Checks what came beside the link against the share's password.
    pub(super) async fn prove(
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
