//! Verified credentials, for a short while: HTTP Basic sends the password with every request.
//!
//! What is kept is a keyed hash under a key that this process alone knows, never the secret. An entry
//! holds for the revision of the account that it was verified against, so that any change of the account
//! drops it at once.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{Attempt, Credentials, Login, ShareProof};
use crate::Secret;

/// How many parts the cache has, each with its own lock.
const SHARDS: usize = 16;

/// Which verified credentials are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// How many; 8,192 by default. With 0 every login is verified anew.
    pub entries: usize,
    /// For how long; 5 minutes by default.
    pub keep: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { entries: 8192, keep: Duration::from_secs(5 * 60) }
    }
}

/// The keyed hash of some credentials.
pub(crate) type CredentialKey = [u8; 32];

/// The keys are keyed hashes already: their first bytes are as good as any hash of them.
#[derive(Clone, Copy, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }
}

type Shard = HashMap<CredentialKey, Entry, BuildHasherDefault<FirstBytes>>;

struct Entry {
    login: Login,
    until: Instant,
}

/// The verified credentials.
pub(crate) struct Cache {
    key: [u8; 32],
    shards: [Mutex<Shard>; SHARDS],
    /// Entries in one shard.
    most: usize,
    keep: Duration,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl Cache {
    pub(crate) fn new(settings: CacheSettings, key: [u8; 32]) -> Self {
        let most = settings.entries.div_ceil(SHARDS);
        Self { key, shards: Default::default(), most, keep: settings.keep }
    }

    /// What credentials are filed under.
    pub(crate) fn key_of(&self, credentials: &Credentials) -> CredentialKey {
        let (kind, name) = match credentials {
            Credentials::Password { name, .. } => (b"p", name.as_str()),
            Credentials::Token { .. } => (b"t", ""),
            Credentials::SignIn { .. } => (b"i", ""),
            Credentials::Share { link, proof } => return self.key_of_share(link, proof.as_ref()),
        };
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        // The length in front: no name and secret together look like another pair.
        hasher.update(kind).update(&name.len().to_le_bytes());
        // Names in any case are one name.
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            hasher.update(name.to_ascii_lowercase().as_bytes());
        } else {
            hasher.update(name.as_bytes());
        }
        hasher.update(credentials.secret().expose().as_bytes());
        *hasher.finalize().as_bytes()
    }

    fn key_of_share(&self, link: &Secret, proof: Option<&ShareProof>) -> CredentialKey {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        let (kind, proof) = match proof {
            None => (b"s", ""),
            Some(ShareProof::Password(secret)) => (b"w", secret.expose()),
            Some(ShareProof::Pass(secret)) => (b"c", secret.expose()),
        };
        hasher.update(kind).update(&proof.len().to_le_bytes()).update(proof.as_bytes());
        *hasher.update(link.expose().as_bytes()).finalize().as_bytes()
    }

    /// The login that these credentials had, if it still holds for this attempt.
    pub(crate) fn find(&self, key: &CredentialKey, attempt: &Attempt<'_>) -> Option<Login> {
        let mut shard = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner);
        let entry = shard.get(key)?;
        let login = &entry.login;
        let holds = login.revision == login.live.revision()
            && !login.live.is_ended()
            && !login.via.is_expired(attempt.now)
            && Instant::now() < entry.until;
        if !holds {
            shard.remove(key);
            return None;
        }
        login.via.serves(attempt).then(|| login.clone())
    }

    /// Remembers a login that was verified.
    pub(crate) fn keep(&self, key: CredentialKey, login: &Login) {
        if self.most == 0 {
            return;
        }
        let now = Instant::now();
        let entry = Entry { login: login.clone(), until: now + self.keep };
        let mut shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= self.most {
            shard.retain(|_, entry| now < entry.until);
        }
        if shard.len() >= self.most
            && let Some(any) = shard.keys().next().copied()
        {
            shard.remove(&any);
        }
        shard.insert(key, entry);
    }

    fn shard(&self, key: &CredentialKey) -> &Mutex<Shard> {
        // Not the bytes that the map goes by.
        &self.shards[usize::from(key[31]) % SHARDS]
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        Account, Live, Prefix, Rights, Timestamp, Token, TokenId, live::Lives, login::Via,
    };

    const HTTP: Attempt<'_> =
        Attempt { address: None, protocol: "http", tls: false, now: Timestamp::UNIX_EPOCH };

    fn live(lives: &Lives) -> Live {
        lives.enter(Account::alice(1), lives.changes(), None).unwrap()
    }

    fn cache(entries: usize) -> Cache {
        Cache::new(CacheSettings { entries, ..CacheSettings::default() }, [3; 32])
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_holds_until_its_time_is_over() {
        let (cache, lives) = (cache(64), Lives::default());
        let key = cache.key_of(&Credentials::password("alice", "secret"));
        cache.keep(key, &Login { live: live(&lives), via: Via::Password, revision: 1 });
        assert!(cache.find(&key, &HTTP).is_some());
        tokio::time::advance(CacheSettings::default().keep).await;
        assert!(cache.find(&key, &HTTP).is_none());
        assert_eq!(cache.len(), 0);
    }

    #[tokio::test]
    async fn a_change_of_the_account_drops_its_entries() {
        let (cache, lives) = (cache(64), Lives::default());
        let key = cache.key_of(&Credentials::password("alice", "secret"));
        cache.keep(key, &Login { live: live(&lives), via: Via::Password, revision: 1 });
        lives.refresh(Account::alice(2));
        assert!(cache.find(&key, &HTTP).is_none());
    }

    #[tokio::test]
    async fn a_token_is_found_only_for_its_protocols_and_until_its_end() {
        let (cache, lives) = (cache(64), Lives::default());
        let key = cache.key_of(&Credentials::token("sockeye_x"));
        let end = Timestamp::from_second(60).unwrap();
        let token = Token {
            id: TokenId::generate(),
            account: Account::alice(1).id,
            label: "backup".to_owned(),
            prefix: Prefix::root(),
            rights: Rights::ALL,
            protocols: "http".parse().unwrap(),
            expires: Some(end),
            last_used: None,
            created: Timestamp::UNIX_EPOCH,
        };
        let via = Via::Token(Arc::new(token));
        cache.keep(key, &Login { live: live(&lives), via, revision: 1 });
        assert!(cache.find(&key, &Attempt { protocol: "ftp", ..HTTP }).is_none());
        assert!(cache.find(&key, &HTTP).is_some());
        assert!(cache.find(&key, &Attempt { now: end, ..HTTP }).is_none());
    }

    #[tokio::test]
    async fn entries_are_bounded() {
        let (cache, lives) = (cache(64), Lives::default());
        let login = Login { live: live(&lives), via: Via::Password, revision: 1 };
        for n in 0..10_000 {
            let key = cache.key_of(&Credentials::password("alice", n.to_string()));
            cache.keep(key, &login);
            assert!(cache.find(&key, &HTTP).is_some(), "the newest is there");
        }
        assert!(cache.len() <= 64);
    }

    #[test]
    fn names_in_any_case_are_one_and_name_and_secret_are_apart() {
        let cache = cache(64);
        let key = |name, secret| cache.key_of(&Credentials::password(name, secret));
        assert_eq!(key("Alice", "x"), key("alice", "x"));
        assert_ne!(key("alice", "x"), key("alicex", ""));
        assert_ne!(key("", "x"), cache.key_of(&Credentials::token("x")));
    }
}
