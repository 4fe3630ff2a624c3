//! Signing in from a browser: a password makes a sign-in, which the browser keeps, and whose owner sees and ends it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sockeye_accounts::{AccountName, Commander, Credentials, Login, Secret, SignIn, SignInId, Via};
use sockeye_journal::{Operation, Outcome, Record};

use crate::{
    Error, Gate, LoginError, Origin, Result, Session,
    gate::accounts_failed,
    node::PROTOCOL,
    seat::{Holder, Seat},
    session::Kind,
};

impl Gate {
    /// Signs in by a name and a password for so long; `agent` is what the browser says of itself. Gives the session
    /// and the text that the browser is to keep, by which [`Credentials::sign_in`] is the same account from
    /// then on. Recorded as a login.
    ///
    /// # Errors
    /// As [`Gate::login`]; a token is refused.
    ///
    /// Cancellation: an attempt that was begun counts, and a sign-in may have been made that nobody has.
    pub async fn sign_in(
        self: &Arc<Self>,
        credentials: &Credentials,
        origin: Origin,
        agent: Option<&str>,
        lasts: Duration,
    ) -> Result<(Session, Secret), LoginError> {
        let begun = Instant::now();
        let attempt = origin.attempt();
        let signing_in = self.accounts().sign_in(credentials, &attempt, agent, lasts);
        let (login, secret) = signing_in.await?;
        let account = login.account();
        let detail = login.sign_in().map(|sign_in| format!("sign-in {}", sign_in.id));
        let session = self.seat_of(login, origin.clone()).await?;
        self.record(&Record {
            account: Some(account.name.as_str()),
            took: Some(begun.elapsed()),
            detail: detail.as_deref(),
            ..origin.record(Operation::Login, Outcome::Ok)
        });
        Ok((session, secret))
    }

    /// Ends a sign-in of an account, and the sessions that go by it; recorded as a logout, with who commanded it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Io`].
    ///
    /// Cancellation: once begun, it is ended.
    pub async fn end_sign_in(&self, of: &AccountName, id: SignInId, by: &Commander) -> Result<()> {
        self.accounts().end_sign_in(of, id).await.map_err(accounts_failed)?;
        let detail = format!("sign-in {id} ended by {by}");
        self.record(&Record {
            account: Some(of.as_str()),
            detail: Some(&detail),
            ..Record::new(Operation::Logout, Outcome::Ok, PROTOCOL)
        });
        Ok(())
    }
}

/// What only who knows the password has a say in: a token or a share's link does not.
impl Session {
    /// The sign-in that the session goes by, if it goes by one.
    #[must_use]
    pub fn sign_in(&self) -> Option<SignInId> {
        self.holder_of_password().ok()?.1.sign_in().map(|sign_in| sign_in.id)
    }

    /// Whether whoever has it knows the account's password, or did when signing in: by a token or a link nobody does.
    #[must_use]
    pub fn is_by_password(&self) -> bool {
        self.holder_of_password().is_ok()
    }

    /// The sign-ins of the session's account that hold now, the oldest first.
    ///
    /// # Errors
    /// [`Error::Denied`] for who did not come by a password; [`Error::Ended`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn sign_ins(&self) -> Result<Vec<SignIn>> {
        let (seat, login) = self.holder_of_password()?;
        let id = login.account().id;
        seat.gate().accounts().sign_ins(id).await.map_err(accounts_failed)
    }

    /// Ends one of the account's sign-ins, and the sessions that go by it; recorded as a logout.
    ///
    /// # Errors
    /// [`Error::NotFound`]; and as [`Session::sign_ins`].
    ///
    /// Cancellation: once begun, it is ended.
    pub async fn end_sign_in(&self, id: SignInId) -> Result<()> {
        let (seat, login) = self.holder_of_password()?;
        let account = login.account();
        let ending = seat.gate().accounts().end_sign_in(account.id, id);
        ending.await.map_err(accounts_failed)?;
        let detail = format!("sign-in {id}");
        seat.gate().record(&Record {
            account: Some(account.name.as_str()),
            detail: Some(&detail),
            ..seat.origin().record(Operation::Logout, Outcome::Ok)
        });
        Ok(())
    }

    fn holder_of_password(&self) -> Result<(&Arc<Seat>, &Login)> {
        let Kind::Seat(seat) = &self.kind else { return Err(Error::Denied) };
        seat.account()?;
        match seat.holder() {
            Holder::Account { login, .. }
                if matches!(login.via(), Via::Password | Via::SignIn(_)) =>
            {
                Ok((seat, login))
            }
            Holder::Account { .. } | Holder::Anonymous => Err(Error::Denied),
        }
    }
}
