//! Changes: decided here, made by the source, and then told to running sessions and the observer.
//!
//! A change is carried to its end even if whoever asked for it goes away meanwhile, so that no session
//! misses one.

use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::{
    Account, AccountEdit, AccountId, AccountName, Accounts, Change, Changed, Edit, Error, Grant,
    Key, NewAccount, Prefix, Protocols, PublicKey, Quota, QuotaChoice, Result, Rights, Role,
    Secret, Shared, SharedId, SharedName, Subject, Token, TokenId, What, Who,
    live::Began,
    token::{MAX_LABEL, TokenText, is_label},
};

/// The password of a new account, or a new one of an old account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NewPassword {
    /// None: the account is used with tokens or keys.
    None,
    /// This one, chosen by its owner.
    Chosen(Secret),
    /// This one, chosen by somebody else: its owner is asked to change it, and it holds until then.
    Initial(Secret),
}

/// What a new token is good for.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What its owner calls it: one line of at most [`MAX_LABEL`] bytes.
    pub label: String,
    /// Where.
    pub prefix: Prefix,
    /// What its bearer may do there, as far as the account may.
    pub rights: Rights,
    /// Over which protocols.
    pub protocols: Protocols,
    /// Until when.
    pub expires: Option<Timestamp>,
}

/// All of these fail with [`Error::NoAccount`] or [`Error::NoShared`] if what they name is not there,
/// [`Error::Busy`] if too many changes wait, and [`Error::Storage`] or [`Error::Unsupported`] of the
/// source. They may be dropped while they wait; a change that has begun is made to its end.
impl Accounts {
    /// Makes an account.
    ///
    /// # Errors
    /// [`Error::NameTaken`]; [`Error::Password`]; [`Error::Invalid`].
    pub async fn add(
        &self,
        name: AccountName,
        role: Role,
        quota: Quota,
        password: NewPassword,
    ) -> Result<Account> {
        check_quota(&quota)?;
        let (secret, must_change) = match &password {
            NewPassword::None => (None, false),
            NewPassword::Chosen(secret) => (Some(secret), false),
            NewPassword::Initial(secret) => (Some(secret), true),
        };
        let password = match secret {
            Some(secret) => {
                secret.check_password(name.as_str())?;
                Some(self.inner().hasher.hash(secret).await?)
            }
            None => None,
        };
        let (id, created) = (AccountId::generate(), now());
        let new =
            NewAccount { id, name: name.clone(), role, quota, password, must_change, created };
        let change =
            Change { subject: Subject::Account(id), name: name.to_string(), what: What::Added };
        self.change(Edit::Add(vec![new]), change).await?;
        self.find(id).await
    }

    /// Removes an account with its tokens, keys, grants and shares, and ends its sessions. What it was, last.
    ///
    /// # Errors
    /// [`Error::LastAdmin`].
    pub async fn remove(&self, who: impl Into<Who>) -> Result<Account> {
        let account = self.find(who).await?;
        self.change(Edit::Remove(account.id), account.says(What::Removed)).await?;
        Ok(account)
    }

    /// Calls an account otherwise. Its home and its sessions stay.
    ///
    /// # Errors
    /// [`Error::NameTaken`].
    pub async fn rename(&self, who: impl Into<Who>, name: AccountName) -> Result<Account> {
        let account = self.find(who).await?;
        let mut change = account.says(What::Renamed { from: account.name.to_string() });
        change.name = name.to_string();
        self.edit_saying(&account, AccountEdit::Rename(name), change).await
    }

    /// Keeps an account from logging in and ends its sessions.
    ///
    /// # Errors
    /// [`Error::LastAdmin`].
    pub async fn lock(&self, who: impl Into<Who>) -> Result<Account> {
        self.edit(who, AccountEdit::Lock(true), What::Locked).await
    }

    /// Lets an account log in again, and forgets its failed logins.
    ///
    /// # Errors
    /// As all changes.
    pub async fn unlock(&self, who: impl Into<Who>) -> Result<Account> {
        self.edit(who, AccountEdit::Lock(false), What::Unlocked).await
    }

    /// Gives an account another password; the old one is refused from now on, its sign-ins are ended, and
    /// failed logins are forgotten.
    ///
    /// # Errors
    /// [`Error::Password`]; [`Error::Invalid`] for [`NewPassword::None`].
    pub async fn set_password(
        &self,
        who: impl Into<Who>,
        password: NewPassword,
    ) -> Result<Account> {
        let (secret, must_change) = match password {
            NewPassword::None => {
                return Err(Error::Invalid("a password can be replaced, not taken away"));
            }
            NewPassword::Chosen(secret) => (secret, false),
            NewPassword::Initial(secret) => (secret, true),
        };
        let account = self.find(who).await?;
        secret.check_password(account.name.as_str())?;
        let hash = self.inner().hasher.hash(&secret).await?;
        let change = account.says(What::PasswordSet);
        self.edit_saying(&account, AccountEdit::Password(hash, must_change), change).await
    }

    /// Gives an account another quota: a whole one, or the limits that are said, of which the others stay as they are when
    /// the change is made.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is larger than [`Quota::MOST`].
    pub async fn set_quota(
        &self,
        who: impl Into<Who>,
        quota: impl Into<QuotaChoice>,
    ) -> Result<Account> {
        let quota = quota.into();
        let said = quota.decide(Quota::NONE);
        check_quota(&said)?;
        // What is told is what it came to.
        self.edit(who, AccountEdit::Quota(quota), What::QuotaSet(said)).await
    }

    /// Gives an account another role.
    ///
    /// # Errors
    /// [`Error::LastAdmin`].
    pub async fn set_role(&self, who: impl Into<Who>, role: Role) -> Result<Account> {
        self.edit(who, AccountEdit::Role(role), What::RoleSet(role)).await
    }

    /// Gives an account these rights at a path, in place of those that it was granted there before.
    ///
    /// # Errors
    /// [`Error::NoShared`] if the path is in a shared folder that is not there; [`Error::Invalid`] for
    /// the site's own paths; [`Error::TooMany`].
    pub async fn grant(&self, who: impl Into<Who>, grant: Grant) -> Result<Account> {
        if grant.prefix.as_str() == "/-" || grant.prefix.as_str().starts_with("/-/") {
            return Err(Error::Invalid(
                "what is under /- is the site's own; nothing is granted there",
            ));
        }
        if let Some(name) = grant.prefix.shared_folder() {
            let name: SharedName = name.parse().map_err(|_| Error::NoShared(name.to_owned()))?;
            self.find_shared(&name).await?;
        }
        self.edit(who, AccountEdit::Grant(grant.clone()), What::Granted(grant)).await
    }

    /// Takes back what was granted at exactly this path: there, a shorter grant or the role decides.
    ///
    /// # Errors
    /// [`Error::NoSuch`].
    pub async fn ungrant(&self, who: impl Into<Who>, prefix: Prefix) -> Result<Account> {
        self.edit(who, AccountEdit::Ungrant(prefix.clone()), What::Ungranted(prefix)).await
    }

    /// Adds an SSH public key.
    ///
    /// # Errors
    /// [`Error::KeyTaken`]; [`Error::TooMany`].
    pub async fn add_key(&self, who: impl Into<Who>, key: PublicKey) -> Result<Key> {
        let fingerprint = key.fingerprint();
        let key = Key { key, fingerprint: fingerprint.clone(), created: now() };
        self.edit(who, AccountEdit::AddKey(key.clone()), What::KeyAdded(fingerprint)).await?;
        Ok(key)
    }

    /// Removes the SSH public key with this fingerprint.
    ///
    /// # Errors
    /// [`Error::NoSuch`].
    pub async fn remove_key(&self, who: impl Into<Who>, fingerprint: &str) -> Result<Account> {
        let fingerprint = fingerprint.to_owned();
        self.edit(who, AccountEdit::RemoveKey(fingerprint.clone()), What::KeyRemoved(fingerprint))
            .await
    }

    /// Makes an access token. Its secret is in the answer and can never be had again.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the label is none; [`Error::TooMany`].
    pub async fn create_token(
        &self,
        who: impl Into<Who>,
        new: NewToken,
    ) -> Result<(Token, Secret)> {
        const _: () = assert!(MAX_LABEL == 64, "the text below says so");
        if !is_label(&new.label) {
            return Err(Error::Invalid("a token's label is one line of 1 to 64 bytes"));
        }
        let account = self.find(who).await?;
        let id = TokenId::generate();
        let (secret, hash) = TokenText::generate(id);
        let token = Token {
            id,
            account: account.id,
            label: new.label,
            prefix: new.prefix,
            rights: new.rights,
            protocols: new.protocols,
            expires: new.expires,
            last_used: None,
            created: now(),
        };
        let change = account.says(What::TokenCreated(id));
        self.edit_saying(&account, AccountEdit::AddToken(token.clone(), hash), change).await?;
        Ok((token, secret))
    }

    /// Revokes an access token and ends the sessions that began with it.
    ///
    /// # Errors
    /// [`Error::NoSuch`].
    pub async fn revoke_token(&self, who: impl Into<Who>, id: TokenId) -> Result<Account> {
        self.edit(who, AccountEdit::RemoveToken(id), What::TokenRevoked(id)).await
    }

    /// Makes a shared folder, which nobody but admins may enter until they are granted it.
    ///
    /// # Errors
    /// [`Error::SharedTaken`]; [`Error::Invalid`] if the quota is larger than [`Quota::MOST`], or the name is that
    /// of `/public`.
    pub async fn add_shared(&self, name: SharedName, quota: Quota) -> Result<Shared> {
        check_quota(&quota)?;
        if name.folded() == "public" {
            return Err(Error::Invalid(
                "a shared folder called public would be taken for /public, which is there already and which everybody \
                 reads where `public = true`; `sockeye user grant NAME /public all` lets an account fill that",
            ));
        }
        let shared = Shared { id: SharedId::generate(), name, quota, created: now() };
        self.change(Edit::AddShared(shared.clone()), shared.says(What::Added)).await?;
        Ok(shared)
    }

    /// Removes a shared folder, and all grants and shares in it. What it was, last.
    ///
    /// # Errors
    /// As all changes.
    pub async fn remove_shared(&self, name: &SharedName) -> Result<Shared> {
        let shared = self.find_shared(name).await?;
        self.change(Edit::RemoveShared(shared.id), shared.says(What::Removed)).await?;
        Ok(shared)
    }

    /// Gives a shared folder another quota, as [`Accounts::set_quota`] does.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is larger than [`Quota::MOST`].
    pub async fn set_shared_quota(
        &self,
        name: &SharedName,
        quota: impl Into<QuotaChoice>,
    ) -> Result<Shared> {
        let quota = quota.into();
        let said = quota.decide(Quota::NONE);
        check_quota(&said)?;
        let shared = self.find_shared(name).await?;
        let change = shared.says(What::QuotaSet(said));
        match self.change(Edit::SetSharedQuota(shared.id, quota), change).await? {
            Changed::Shared(shared) => Ok(shared),
            _ => self.find_shared(name).await,
        }
    }

    pub(crate) async fn edit(
        &self,
        who: impl Into<Who>,
        edit: AccountEdit,
        what: What,
    ) -> Result<Account> {
        let account = self.find(who).await?;
        let change = account.says(what);
        self.edit_saying(&account, edit, change).await
    }

    pub(crate) async fn edit_saying(
        &self,
        account: &Account,
        edit: AccountEdit,
        change: Change,
    ) -> Result<Account> {
        match self.change(Edit::Account(account.id, edit), change).await? {
            Changed::Account(account) => Ok(account),
            _ => self.find(account.id).await,
        }
    }

    /// Makes a change to its end, one after the other.
    pub(crate) async fn change(&self, edit: Edit, change: Change) -> Result<Changed> {
        self.change_saying_all(edit, vec![change]).await
    }

    /// The same for one that is more than one thing to those who are told.
    pub(crate) async fn change_saying_all(
        &self,
        edit: Edit,
        changes: Vec<Change>,
    ) -> Result<Changed> {
        let (accounts, runtime) = (self.clone(), Handle::current());
        let work = move || runtime.block_on(accounts.make(&edit, changes));
        self.inner().changes.run(work).await?
    }

    async fn make(&self, edit: &Edit, changes: Vec<Change>) -> Result<Changed> {
        let inner = self.inner();
        let changed = inner.source.change(edit).await?;
        match (edit, &changed) {
            (Edit::Account(id, AccountEdit::RemoveToken(token)), Changed::Account(account)) => {
                inner.lives.end_begun_with(*id, Began::Token(*token));
                inner.lives.refresh(account.clone());
            }
            (Edit::Account(id, AccountEdit::RemoveShare(share)), Changed::Account(account)) => {
                inner.lives.end_begun_with(*id, Began::Share(*share));
                inner.lives.refresh(account.clone());
            }
            (Edit::SignOut(id, sign_in), _) => {
                inner.lives.end_begun_with(*id, Began::SignIn(*sign_in));
            }
            (Edit::Account(id, edit), Changed::Account(account)) => {
                if edit.sets_password() {
                    inner.lives.end_sign_ins(*id);
                }
                inner.lives.refresh(account.clone());
                // Whoever was helped by an administrator need not wait for having failed before.
                if edit.sets_password() || matches!(edit, AccountEdit::Lock(false)) {
                    inner.failures.forget(account.name.as_str());
                }
            }
            (_, Changed::Account(account)) => inner.lives.refresh(account.clone()),
            (Edit::Remove(id), _) => inner.lives.end(*id),
            (_, Changed::Many) => self.reload().await,
            (_, Changed::Nothing | Changed::Shared(_)) => inner.lives.count_change(),
        }
        for change in changes {
            inner.observer.changed(&change.with_outcome(&changed), self.commander());
        }
        Ok(changed)
    }

    /// Reads all accounts that sessions hold again.
    async fn reload(&self) {
        let inner = self.inner();
        inner.lives.count_change();
        for id in inner.lives.ids() {
            match inner.source.account(&Who::Id(id)).await {
                Ok(Some(record)) => inner.lives.refresh(record.account),
                // Of which nothing is known, nothing may be done with.
                Ok(None) | Err(_) => inner.lives.end(id),
            }
        }
    }
}

impl Change {
    /// With the quota that it came to, where some of it was said alone.
    fn with_outcome(mut self, changed: &Changed) -> Self {
        if let (What::QuotaSet(quota), Some(made)) = (&mut self.what, changed.quota()) {
            *quota = made;
        }
        self
    }
}

impl Account {
    pub(crate) fn says(&self, what: What) -> Change {
        Change { subject: Subject::Account(self.id), name: self.name.to_string(), what }
    }
}

impl Shared {
    fn says(&self, what: What) -> Change {
        Change { subject: Subject::Shared(self.id), name: self.name.to_string(), what }
    }
}

fn check_quota(quota: &Quota) -> Result<()> {
    let fault = Error::Invalid("a quota is at most 8EiB - 1, and as many files");
    if quota.is_keepable() { Ok(()) } else { Err(fault) }
}

/// To the millisecond, as it is kept.
pub(crate) fn now() -> Timestamp {
    to_the_millisecond(Timestamp::now())
}

pub(crate) fn to_the_millisecond(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
