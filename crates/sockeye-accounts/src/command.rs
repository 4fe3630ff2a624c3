//! What an administrator asks for, as one value: so that it can be carried out here or be sent to the
//! server that holds the accounts.
//!
//! Commands and answers can hold secrets. They are written out (serde) only to cross a socket that
//! nobody else reads, and never shown by `Debug`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountName, AccountQuery, Accounts, Grant, Imported, Key, NewPassword, NewToken,
    Newcomer, Page, Prefix, Protocols, PublicKey, Quota, QuotaChoice, Result, Rights, Role, Secret,
    Shared, SharedName, Taking, Token, TokenId,
    secret::{exposed, exposed_option},
};

/// How a password is to be set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PasswordChoice {
    /// None at all.
    None,
    /// One that is made up, answered once, and to be changed by its owner.
    Initial,
    /// This one.
    Chosen {
        /// The password.
        #[serde(with = "exposed")]
        password: Secret,
        /// Whether its owner is to change it.
        must_change: bool,
    },
}

/// One thing to do with accounts or shared folders.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountCommand {
    /// [`Accounts::add`]; answered by [`AccountAnswer::WithPassword`].
    Add {
        /// What it is called.
        name: AccountName,
        /// What its rights begin from.
        role: Role,
        /// How much its home may hold; the usual limits are none, unless the node says otherwise.
        quota: QuotaChoice,
        /// Its password.
        password: PasswordChoice,
    },
    /// [`Accounts::import`]; answered by [`AccountAnswer::Imported`].
    Import {
        /// Who comes.
        accounts: Vec<Newcomer>,
        /// How; the node says what is usual.
        taking: Taking,
    },
    /// [`Accounts::list`]; answered by [`AccountAnswer::Accounts`].
    List(AccountQuery),
    /// The account with its keys and tokens; answered by [`AccountAnswer::Details`].
    Show(AccountName),
    /// [`Accounts::set_password`]; answered by [`AccountAnswer::WithPassword`].
    Passwd {
        /// Whose.
        name: AccountName,
        /// Which.
        password: PasswordChoice,
    },
    /// [`Accounts::rename`]; answered by [`AccountAnswer::Account`], as are those below that say
    /// nothing else.
    Rename {
        /// What it is called.
        name: AccountName,
        /// What it is to be called.
        to: AccountName,
    },
    /// [`Accounts::remove`]; answered with what it was.
    Remove(AccountName),
    /// [`Accounts::lock`].
    Lock(AccountName),
    /// [`Accounts::unlock`].
    Unlock(AccountName),
    /// [`Accounts::set_quota`].
    Quota {
        /// Whose.
        name: AccountName,
        /// How much; a limit of which nothing is said stays.
        quota: QuotaChoice,
    },
    /// [`Accounts::set_role`].
    Role {
        /// Whose.
        name: AccountName,
        /// Which.
        role: Role,
    },
    /// [`Accounts::grant`].
    Grant {
        /// To whom.
        name: AccountName,
        /// What, where.
        grant: Grant,
    },
    /// [`Accounts::ungrant`].
    Ungrant {
        /// Whose.
        name: AccountName,
        /// Where.
        prefix: Prefix,
    },
    /// [`Accounts::add_key`]; answered by [`AccountAnswer::Key`].
    AddKey {
        /// Whose.
        name: AccountName,
        /// Which.
        key: PublicKey,
    },
    /// [`Accounts::remove_key`].
    RemoveKey {
        /// Whose.
        name: AccountName,
        /// Which, by its fingerprint.
        fingerprint: String,
    },
    /// [`Accounts::keys`]; answered by [`AccountAnswer::Keys`].
    Keys(AccountName),
    /// [`Accounts::create_token`]; answered by [`AccountAnswer::NewToken`].
    CreateToken {
        /// Whose.
        name: AccountName,
        /// What its owner calls it.
        label: String,
        /// Where it is good for anything.
        prefix: Prefix,
        /// For what.
        rights: Rights,
        /// Over which protocols.
        protocols: Protocols,
        /// Until when.
        expires: Option<Timestamp>,
    },
    /// [`Accounts::revoke_token`].
    RevokeToken {
        /// Whose.
        name: AccountName,
        /// Which.
        id: TokenId,
    },
    /// [`Accounts::tokens`]; answered by [`AccountAnswer::Tokens`].
    Tokens(AccountName),
    /// [`Accounts::add_shared`]; answered by [`AccountAnswer::Shared`].
    SharedAdd {
        /// What it is called.
        name: SharedName,
        /// How much it may hold.
        quota: Quota,
    },
    /// [`Accounts::list_shared`]; answered by [`AccountAnswer::SharedFolders`].
    SharedList {
        /// Those after this one.
        after: Option<SharedName>,
        /// At most so many.
        limit: usize,
    },
    /// [`Accounts::remove_shared`]; answered by [`AccountAnswer::Shared`] with what it was.
    SharedRemove(SharedName),
    /// [`Accounts::set_shared_quota`]; answered by [`AccountAnswer::Shared`].
    SharedQuota {
        /// Which.
        name: SharedName,
        /// How much it may hold; a limit of which nothing is said stays.
        quota: QuotaChoice,
    },
}

/// What came of a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountAnswer {
    /// An account as it is now, or was last.
    Account(Account),
    /// An account whose password was set.
    WithPassword {
        /// The account.
        account: Account,
        /// The password, if it was made up: shown once.
        #[serde(with = "exposed_option")]
        initial: Option<Secret>,
    },
    /// What became of each newcomer, in their order.
    Imported(Vec<Imported>),
    /// A page of accounts.
    Accounts(Page<Account>),
    /// Everything of one account but its secrets.
    Details {
        /// The account.
        account: Account,
        /// Its keys.
        keys: Vec<Key>,
        /// Its tokens.
        tokens: Vec<Token>,
    },
    /// A key.
    Key(Key),
    /// All keys of an account.
    Keys(Vec<Key>),
    /// A token that was made.
    NewToken {
        /// What is known of it from now on.
        token: Token,
        /// Its text: shown once.
        #[serde(with = "exposed")]
        secret: Secret,
    },
    /// All tokens of an account.
    Tokens(Vec<Token>),
    /// A shared folder as it is now, or was last.
    Shared(Shared),
    /// A page of shared folders.
    SharedFolders(Page<Shared>),
}

impl Accounts {
    /// Carries a command out.
    ///
    /// # Errors
    /// As the method that the command names. Cancellation: as all changes.
    pub async fn execute(&self, command: AccountCommand) -> Result<AccountAnswer> {
        use AccountCommand as C;
        let account = match command {
            C::Rename { name, to } => self.rename(&name, to).await?,
            C::Remove(name) => self.remove(&name).await?,
            C::Lock(name) => self.lock(&name).await?,
            C::Unlock(name) => self.unlock(&name).await?,
            C::Quota { name, quota } => self.set_quota(&name, quota).await?,
            C::Role { name, role } => self.set_role(&name, role).await?,
            C::Grant { name, grant } => self.grant(&name, grant).await?,
            C::Ungrant { name, prefix } => self.ungrant(&name, prefix).await?,
            C::RemoveKey { name, fingerprint } => self.remove_key(&name, &fingerprint).await?,
            C::RevokeToken { name, id } => self.revoke_token(&name, id).await?,
            C::Add { name, role, quota, password } => {
                let (password, initial) = password.decide();
                let quota = quota.decide(Quota::NONE);
                let account = self.add(name, role, quota, password).await?;
                return Ok(AccountAnswer::WithPassword { account, initial });
            }
            C::Passwd { name, password } => {
                let (password, initial) = password.decide();
                let account = self.set_password(&name, password).await?;
                return Ok(AccountAnswer::WithPassword { account, initial });
            }
            C::AddKey { name, key } => {
                return self.add_key(&name, key).await.map(AccountAnswer::Key);
            }
            C::CreateToken { name, label, prefix, rights, protocols, expires } => {
                let new = NewToken { label, prefix, rights, protocols, expires };
                let (token, secret) = self.create_token(&name, new).await?;
                return Ok(AccountAnswer::NewToken { token, secret });
            }
            C::Import { accounts, taking } => {
                return self.import(accounts, taking).await.map(AccountAnswer::Imported);
            }
            C::List(query) => return self.list(&query).await.map(AccountAnswer::Accounts),
            C::Show(name) => return self.show(&name).await,
            C::Keys(name) => return self.keys(&name).await.map(AccountAnswer::Keys),
            C::Tokens(name) => return self.tokens(&name).await.map(AccountAnswer::Tokens),
            C::SharedAdd { name, quota } => {
                return self.add_shared(name, quota).await.map(AccountAnswer::Shared);
            }
            C::SharedList { after, limit } => {
                let page = self.list_shared(after.as_ref(), limit).await;
                return page.map(AccountAnswer::SharedFolders);
            }
            C::SharedRemove(name) => {
                return self.remove_shared(&name).await.map(AccountAnswer::Shared);
            }
            C::SharedQuota { name, quota } => {
                return self.set_shared_quota(&name, quota).await.map(AccountAnswer::Shared);
            }
        };
        Ok(AccountAnswer::Account(account))
    }

    async fn show(&self, name: &AccountName) -> Result<AccountAnswer> {
        let account = self.find(name).await?;
        let (keys, tokens) = (self.keys(account.id).await?, self.tokens(account.id).await?);
        Ok(AccountAnswer::Details { account, keys, tokens })
    }
}

impl PasswordChoice {
    /// The password to set, and the one to show.
    fn decide(self) -> (NewPassword, Option<Secret>) {
        match self {
            Self::None => (NewPassword::None, None),
            Self::Initial => {
                let secret = Secret::initial();
                (NewPassword::Initial(secret.clone()), Some(secret))
            }
            Self::Chosen { password, must_change: true } => (NewPassword::Initial(password), None),
            Self::Chosen { password, must_change: false } => (NewPassword::Chosen(password), None),
        }
    }
}
