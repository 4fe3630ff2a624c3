//! Who is at which upload, so that one whose client has gone gives way.
//!
//! A client whose connection broke comes back at once, while the server may wait for the rest of the old request for as
//! long as a silence may be. The store keeps the two apart; here the older is asked to leave, if it is silent.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sockeye_node::PartialId;
use tokio::{sync::Notify, time::Instant};

/// How long who is at an upload may be silent before it has to give way.
const SILENCE: Duration = Duration::from_secs(2);

/// How long somebody waits for it to leave.
const PATIENCE: Duration = Duration::from_secs(5);

/// The requests that are at uploads; clones share them.
///
/// There are no more than requests under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<PartialId, Arc<Turn>>>>);

/// One request's time at an upload.
#[derive(Debug)]
struct Turn {
    begun: Instant,
    /// Milliseconds from then to when something came last.
    heard: AtomicU64,
    leave: Notify,
    left: Notify,
}

/// Held by the request that is at an upload, from before it has it until after it has let it go.
#[derive(Debug)]
pub(crate) struct Held {
    turns: Turns,
    id: PartialId,
    turn: Arc<Turn>,
}

impl Turns {
    /// Takes a turn at an upload that nobody else is at.
    pub(super) fn take(&self, id: PartialId) -> Held {
        let turn = Arc::new(Turn {
            begun: Instant::now(),
            heard: AtomicU64::new(0),
            leave: Notify::new(),
            left: Notify::new(),
        });
        self.all().insert(id, Arc::clone(&turn));
        Held { turns: self.clone(), id, turn }
    }

    /// Asks who is at an upload to leave, if it was silent for long, and waits until it has; whether it has.
    pub(super) async fn ask(&self, id: PartialId) -> bool {
        let Some(turn) = self.all().get(&id).map(Arc::clone) else { return false };
        let heard = Duration::from_millis(turn.heard.load(Ordering::Relaxed));
        if turn.begun.elapsed().saturating_sub(heard) < SILENCE {
            return false;
        }
        let left = turn.left.notified();
        turn.leave.notify_one();
        // Whoever left before this was called has told so for one who would come.
        tokio::time::timeout(PATIENCE, left).await.is_ok()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<PartialId, Arc<Turn>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Something came.
    pub(super) fn hear(&self) {
        let now = u64::try_from(self.turn.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.turn.heard.store(now, Ordering::Relaxed);
    }

    /// Resolves when it has to leave.
    pub(super) async fn asked_to_leave(&self) {
        self.turn.leave.notified().await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut all = self.turns.all();
        if all.get(&self.id).is_some_and(|turn| Arc::ptr_eq(turn, &self.turn)) {
            all.remove(&self.id);
        }
        self.turn.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> PartialId {
        "01JD7YV3W8Z6T1Q2R4S5K9X0AB".parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_silent_gives_way_and_who_is_not_stays() {
        let turns = Turns::default();
        assert!(!turns.ask(id()).await, "nobody is there");
        let held = turns.take(id());
        assert!(!turns.ask(id()).await, "it has just come");
        tokio::time::advance(SILENCE).await;
        held.hear();
        assert!(!turns.ask(id()).await, "something came");
        tokio::time::advance(SILENCE).await;
        let asking = turns.ask(id());
        let leaving = async {
            held.asked_to_leave().await;
            drop(held);
        };
        let (left, ()) = tokio::join!(asking, leaving);
        assert!(left);
        assert!(turns.all().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let turns = Turns::default();
        let held = turns.take(id());
        tokio::time::advance(SILENCE).await;
        assert!(!turns.ask(id()).await);
        drop(held);
    }
}
