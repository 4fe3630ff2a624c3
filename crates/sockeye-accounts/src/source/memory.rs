//! Accounts in memory: for tests, and for a server that forgets. Nothing is kept on any disk.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock},
};

use jiff::Timestamp;

use super::{
    AccountEdit, AccountQuery, Answer, Changed, Edit, MAX_PAGE, NewAccount, Page, Record,
    ShareRecord, SignInRecord, Source, TokenRecord, Who,
};
use crate::{
    Account, AccountId, AccountName, Error, Key, MAX_KEYS, MAX_SHARES, MAX_SIGN_INS, MAX_TOKENS,
    Result, Share, ShareId, Shared, SharedId, SharedName, SignIn, SignInId, Token, TokenHash,
    TokenId,
};

/// Accounts in memory.
#[derive(Debug, Default)]
pub struct Memory(RwLock<State>);

/// Everything; cloned before a change, so that one that fails half-way leaves nothing behind.
#[derive(Clone, Debug, Default)]
struct State {
    accounts: HashMap<AccountId, Kept>,
    names: BTreeMap<AccountName, AccountId>,
    tokens: BTreeMap<TokenId, TokenRecord>,
    shares: BTreeMap<ShareId, ShareRecord>,
    sign_ins: BTreeMap<SignInId, SignInRecord>,
    shared: BTreeMap<String, Shared>,
}

#[derive(Clone, Debug)]
struct Kept {
    record: Record,
    keys: Vec<Key>,
}

impl Memory {
    /// No accounts at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An answer that is there already.
fn now<'a, T: Send + 'a>(result: Result<T>) -> Answer<'a, T> {
    Box::pin(async { result })
}

impl Source for Memory {
    fn place(&self) -> String {
        "the accounts in memory".to_owned()
    }

    fn account<'a>(&'a self, who: &'a Who) -> Answer<'a, Option<Record>> {
        now(Ok(self.read(|state| {
            let id = match who {
                Who::Id(id) => *id,
                Who::Name(name) => *state.names.get(name)?,
            };
            Some(state.accounts.get(&id)?.record.clone())
        })))
    }

    fn accounts<'a>(&'a self, query: &'a AccountQuery) -> Answer<'a, Page<Account>> {
        let (limit, start) = (query.bounded_limit(), query.folded_start());
        let fits = |account: &&Account| {
            account.name.as_str().starts_with(&start)
                && query.role.is_none_or(|role| account.role == role)
                && query.locked.is_none_or(|locked| account.locked == locked)
                && query.after.as_ref().is_none_or(|after| account.name > *after)
        };
        now(Ok(self.read(|state| {
            let all = state.names.values().filter_map(|id| state.accounts.get(id));
            let found = all.map(|kept| &kept.record.account).filter(fits).take(limit + 1);
            Page::of_accounts(found.cloned().collect(), limit)
        })))
    }

    fn token(&self, id: TokenId) -> Answer<'_, Option<TokenRecord>> {
        now(Ok(self.read(|state| state.tokens.get(&id).cloned())))
    }

    fn tokens(&self, account: AccountId) -> Answer<'_, Vec<Token>> {
        now(Ok(self.read(|state| state.tokens_of(account).cloned().collect())))
    }

    fn keys(&self, account: AccountId) -> Answer<'_, Vec<Key>> {
        let keys = |state: &State| state.accounts.get(&account).map(|kept| kept.keys.clone());
        now(Ok(self.read(keys).unwrap_or_default()))
    }

    fn shared<'a>(&'a self, name: &'a SharedName) -> Answer<'a, Option<Shared>> {
        let named = |shared: &&Shared| shared.name == *name;
        now(Ok(self.read(|state| state.shared.get(&name.folded()).filter(named).cloned())))
    }

    fn shared_page<'a>(
        &'a self,
        after: Option<&'a SharedName>,
        limit: usize,
    ) -> Answer<'a, Page<Shared>> {
        let (limit, after) = (limit.clamp(1, MAX_PAGE), after.map(SharedName::folded));
        let fits = |folded: &String| after.as_ref().is_none_or(|after| folded > after);
        now(Ok(self.read(|state| {
            let found = state.shared.iter().filter(|(folded, _)| fits(folded)).take(limit + 1);
            Page::cut(found.map(|(_, shared)| shared.clone()).collect(), limit)
        })))
    }

    fn share(&self, id: ShareId) -> Answer<'_, Option<ShareRecord>> {
        now(Ok(self.read(|state| state.shares.get(&id).cloned())))
    }

    fn shares(
        &self,
        of: Option<AccountId>,
        after: Option<ShareId>,
        limit: usize,
    ) -> Answer<'_, Page<Share>> {
        let limit = limit.clamp(1, MAX_PAGE);
        let fits = |share: &&Share| {
            of.is_none_or(|account| share.account == account)
                && after.is_none_or(|after| share.id > after)
        };
        now(Ok(self.read(|state| {
            let all = state.shares.values().map(|record| &record.share);
            Page::cut(all.filter(fits).take(limit + 1).cloned().collect(), limit)
        })))
    }

    fn count_download(&self, id: ShareId) -> Answer<'_, bool> {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let left = state.shares.get_mut(&id).filter(|record| !record.share.is_exhausted());
        now(Ok(left.map(|record| record.share.downloaded += 1).is_some()))
    }

    fn count_drop(&self, id: ShareId, bytes: u64) -> Answer<'_, bool> {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let fits = |record: &&mut ShareRecord| record.share.has_room_for(1, bytes);
        let counted = state.shares.get_mut(&id).filter(fits).map(|record| {
            record.share.taken_files += 1;
            record.share.taken_bytes += bytes;
        });
        now(Ok(counted.is_some()))
    }

    fn uncount_drop(&self, id: ShareId, bytes: u64) -> Answer<'_, ()> {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = state.shares.get_mut(&id) {
            record.share.taken_files = record.share.taken_files.saturating_sub(1);
            record.share.taken_bytes = record.share.taken_bytes.saturating_sub(bytes);
        }
        now(Ok(()))
    }

    fn sign_in(&self, id: SignInId) -> Answer<'_, Option<SignInRecord>> {
        now(Ok(self.read(|state| state.sign_ins.get(&id).cloned())))
    }

    fn sign_ins(&self, account: AccountId) -> Answer<'_, Vec<SignIn>> {
        now(Ok(self.read(|state| state.sign_ins_of(account).cloned().collect())))
    }

    fn note_sign_in(&self, id: SignInId, at: Timestamp) -> Answer<'_, ()> {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = state.sign_ins.get_mut(&id) {
            record.sign_in.last_used = at;
        }
        now(Ok(()))
    }

    fn change<'a>(&'a self, edit: &'a Edit) -> Answer<'a, Changed> {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = kept.clone();
        now(state.change(edit).inspect(|_| *kept = state))
    }

    fn note_use(&self, token: TokenId, at: Timestamp) -> Answer<'_, ()> {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = state.tokens.get_mut(&token) {
            record.token.last_used = Some(at);
        }
        now(Ok(()))
    }
}

impl State {
    fn tokens_of(&self, account: AccountId) -> impl Iterator<Item = &Token> {
        self.tokens.values().map(|record| &record.token).filter(move |t| t.account == account)
    }

    fn sign_ins_of(&self, account: AccountId) -> impl Iterator<Item = &SignIn> {
        let all = self.sign_ins.values().map(|record| &record.sign_in);
        all.filter(move |sign_in| sign_in.account == account)
    }

    fn change(&mut self, edit: &Edit) -> Result<Changed> {
        match edit {
            Edit::Add(accounts) => {
                accounts.iter().try_for_each(|new| self.add(new))?;
                return Ok(Changed::Nothing);
            }
            Edit::Remove(id) => self.remove(*id)?,
            Edit::Account(id, edit) => return self.edit(*id, edit).map(Changed::Account),
            Edit::Rehash(id, from, to) => {
                let password = &mut self.kept(*id)?.record.password;
                if password.as_ref() == Some(from) {
                    *password = Some(to.clone());
                }
            }
            Edit::SignIn(sign_in, hash, revision) => self.sign_in(sign_in, *hash, *revision)?,
            Edit::SignOut(id, sign_in) => {
                let name = self.kept(*id)?.record.account.name.clone();
                let owned = |record: &SignInRecord| record.sign_in.account == *id;
                if !self.sign_ins.get(sign_in).is_some_and(owned) {
                    return Err(Error::NoSuch(name, "sign-in"));
                }
                self.sign_ins.remove(sign_in);
            }
            Edit::AddShared(shared) => {
                let folded = shared.name.folded();
                if self.shared.contains_key(&folded) {
                    return Err(Error::SharedTaken(shared.name.clone()));
                }
                self.shared.insert(folded, shared.clone());
            }
            Edit::RemoveShared(id) => {
                self.remove_shared(*id)?;
                return Ok(Changed::Many);
            }
            Edit::SetSharedQuota(id, quota) => {
                let shared = self.shared(*id)?;
                shared.quota = quota.decide(shared.quota);
                return Ok(Changed::Shared(shared.clone()));
            }
        }
        Ok(Changed::Nothing)
    }

    fn add(&mut self, new: &NewAccount) -> Result<()> {
        if self.names.insert(new.name.clone(), new.id).is_some() {
            return Err(Error::NameTaken(new.name.clone()));
        }
        let account = Account {
            id: new.id,
            name: new.name.clone(),
            role: new.role,
            locked: false,
            has_password: new.password.is_some(),
            must_change: new.must_change,
            quota: new.quota,
            grants: Vec::new(),
            created: new.created,
            revision: 1,
        };
        let record = Record { account, password: new.password.clone() };
        self.accounts.insert(new.id, Kept { record, keys: Vec::new() });
        Ok(())
    }

    fn sign_in(&mut self, new: &SignIn, hash: TokenHash, revision: u64) -> Result<()> {
        if self.kept(new.account)?.record.account.revision != revision {
            return Err(Error::Busy);
        }
        self.sign_ins.retain(|_, record| {
            record.sign_in.account != new.account || !record.sign_in.is_expired(new.created)
        });
        if self.sign_ins_of(new.account).count() >= MAX_SIGN_INS {
            return Err(Error::TooMany { what: "sign-ins", most: MAX_SIGN_INS });
        }
        self.sign_ins.insert(new.id, SignInRecord { sign_in: new.clone(), hash });
        Ok(())
    }

    fn remove(&mut self, id: AccountId) -> Result<()> {
        let account = self.kept(id)?.record.account.clone();
        self.accounts.remove(&id);
        self.names.remove(&account.name);
        self.tokens.retain(|_, record| record.token.account != id);
        self.shares.retain(|_, record| record.share.account != id);
        self.sign_ins.retain(|_, record| record.sign_in.account != id);
        self.keep_an_admin(&account)
    }

    fn edit(&mut self, id: AccountId, edit: &AccountEdit) -> Result<Account> {
        let before = self.kept(id)?.record.account.clone();
        if edit.ends_sign_ins() {
            self.sign_ins.retain(|_, record| record.sign_in.account != id);
        }
        match edit {
            AccountEdit::Rename(name) => {
                if self.names.get(name).is_some_and(|owner| *owner != id) {
                    return Err(Error::NameTaken(name.clone()));
                }
                self.names.remove(&before.name);
                self.names.insert(name.clone(), id);
                self.kept(id)?.record.account.name = name.clone();
            }
            AccountEdit::AddToken(token, hash) => {
                if self.tokens_of(id).count() >= MAX_TOKENS {
                    return Err(Error::TooMany { what: "tokens", most: MAX_TOKENS });
                }
                self.tokens.insert(token.id, TokenRecord { token: token.clone(), hash: *hash });
            }
            AccountEdit::RemoveToken(token) => {
                let owned = |record: &TokenRecord| record.token.account == id;
                if !self.tokens.get(token).is_some_and(owned) {
                    return Err(Error::NoSuch(before.name, "token"));
                }
                self.tokens.remove(token);
            }
            AccountEdit::AddShare(share, password) => {
                let owned = |record: &&ShareRecord| record.share.account == id;
                if self.shares.values().filter(owned).count() >= MAX_SHARES {
                    return Err(Error::TooMany { what: "shares", most: MAX_SHARES });
                }
                let record = ShareRecord { share: share.clone(), password: password.clone() };
                self.shares.insert(share.id, record);
            }
            AccountEdit::RemoveShare(share) => {
                let owned = |record: &ShareRecord| record.share.account == id;
                if !self.shares.get(share).is_some_and(owned) {
                    return Err(Error::NoSuch(before.name, "share"));
                }
                self.shares.remove(share);
            }
            other => self.kept(id)?.edit(other)?,
        }
        let account = &mut self.kept(id)?.record.account;
        account.revision += 1;
        let account = account.clone();
        if before.administers() && !account.administers() {
            self.keep_an_admin(&before)?;
        }
        Ok(account)
    }

    /// Refuses if `before` was the last one to administer the others.
    fn keep_an_admin(&self, before: &Account) -> Result<()> {
        let left = self.accounts.values().any(|kept| kept.record.account.administers());
        if before.administers() && !left { Err(Error::LastAdmin) } else { Ok(()) }
    }

    fn remove_shared(&mut self, id: SharedId) -> Result<()> {
        let shared = self.shared(id)?.clone();
        self.shared.remove(&shared.name.folded());
        let gone = Some(shared.name.as_str());
        self.shares.retain(|_, record| record.share.path.shared_folder() != gone);
        for kept in self.accounts.values_mut() {
            let account = &mut kept.record.account;
            let before = account.grants.len();
            let inside = |name: Option<&str>| name == Some(shared.name.as_str());
            account.grants.retain(|grant| !inside(grant.prefix.shared_folder()));
            account.revision += u64::from(account.grants.len() != before);
        }
        Ok(())
    }

    fn kept(&mut self, id: AccountId) -> Result<&mut Kept> {
        self.accounts.get_mut(&id).ok_or_else(|| Who::Id(id).missing())
    }

    fn shared(&mut self, id: SharedId) -> Result<&mut Shared> {
        let found = self.shared.values_mut().find(|shared| shared.id == id);
        found.ok_or_else(|| Error::NoShared(id.to_string()))
    }
}

impl Kept {
    /// The changes that concern nothing but the account itself.
    fn edit(&mut self, edit: &AccountEdit) -> Result<()> {
        let account = &mut self.record.account;
        match edit {
            AccountEdit::Lock(locked) => account.locked = *locked,
            AccountEdit::Password(hash, must_change) => {
                self.record.password = Some(hash.clone());
                account.has_password = true;
                account.must_change = *must_change;
            }
            AccountEdit::Brought(hash, role, quota) => {
                self.record.password = Some(hash.clone());
                account.has_password = true;
                account.must_change = false;
                account.role = role.unwrap_or(account.role);
                account.quota = quota.decide(account.quota);
            }
            AccountEdit::Quota(quota) => account.quota = quota.decide(account.quota),
            AccountEdit::Role(role) => account.role = *role,
            AccountEdit::Grant(grant) => account.put_grant(grant.clone())?,
            AccountEdit::Ungrant(prefix) => {
                let at = account.grants.iter().position(|grant| grant.prefix == *prefix);
                let at = at.ok_or_else(|| Error::NoSuch(account.name.clone(), "grant"))?;
                account.grants.remove(at);
            }
            AccountEdit::AddKey(key) => {
                if self.keys.iter().any(|known| known.fingerprint == key.fingerprint) {
                    return Err(Error::KeyTaken);
                }
                if self.keys.len() >= MAX_KEYS {
                    return Err(Error::TooMany { what: "keys", most: MAX_KEYS });
                }
                self.keys.push(key.clone());
            }
            AccountEdit::RemoveKey(fingerprint) => {
                let at = self.keys.iter().position(|key| key.fingerprint == *fingerprint);
                let at = at.ok_or_else(|| Error::NoSuch(account.name.clone(), "key"))?;
                self.keys.remove(at);
            }
            // These concern more than the account, and are done above.
            AccountEdit::Rename(_)
            | AccountEdit::AddToken(..)
            | AccountEdit::RemoveToken(_)
            | AccountEdit::AddShare(..)
            | AccountEdit::RemoveShare(_) => {}
        }
        Ok(())
    }
}
