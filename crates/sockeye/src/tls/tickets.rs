//! The tickets of one client's connections (RFC 8446 §4.6.1): how many it has left, if it uses each but once.

use std::{
    collections::VecDeque,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

use rustls::server::ProducesTickets;

/// Tickets that were used last and are known again.
const KNOWN: usize = 8;

/// Makes and takes the tickets of one client, and counts them.
#[derive(Debug)]
pub(super) struct Tickets {
    inner: Arc<dyn ProducesTickets>,
    hasher: RandomState,
    count: Mutex<Count>,
}

#[derive(Debug, Default)]
struct Count {
    /// Those that were sent and not seen again.
    left: u32,
    /// Hashes of those that were used last.
    used: VecDeque<u64>,
    /// One was used twice: they do not run out.
    uses_them_again: bool,
}

impl Tickets {
    pub(super) fn new(inner: Arc<dyn ProducesTickets>) -> Self {
        Self { inner, hasher: RandomState::new(), count: Mutex::default() }
    }

    /// Whether the client has but one left, if any: it may use each once, as is advised (RFC 8446 appendix C.4).
    pub(super) fn run_short(&self) -> bool {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.left <= 1 && !count.uses_them_again
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.inner.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.inner.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let ticket = self.inner.encrypt(plain)?;
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.left = count.left.saturating_add(1);
        Some(ticket)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let plain = self.inner.decrypt(cipher)?;
        let hash = self.hasher.hash_one(cipher);
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if count.used.contains(&hash) {
            count.uses_them_again = true;
        } else {
            count.used.truncate(KNOWN - 1);
            count.used.push_front(hash);
            count.left = count.left.saturating_sub(1);
        }
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs::Ticketer;

    use super::*;

    #[test]
    fn who_uses_each_once_runs_short_and_who_uses_them_again_does_not() {
        let tickets = Tickets::new(Ticketer::new().unwrap());
        assert!(tickets.run_short());
        let sent: Vec<_> = (0..3).map(|_| tickets.encrypt(b"a session").unwrap()).collect();
        assert!(!tickets.run_short());
        for (ticket, short) in sent.iter().zip([false, true, true]) {
            assert_eq!(tickets.decrypt(ticket).as_deref(), Some(&b"a session"[..]));
            assert_eq!(tickets.run_short(), short);
        }
        assert!(tickets.decrypt(b"none of ours").is_none());
        let more = tickets.encrypt(b"a session").unwrap();
        assert!(tickets.run_short() && tickets.decrypt(&more).is_some());
        assert!(tickets.decrypt(&more).is_some());
        assert!(!tickets.run_short());
    }
}
