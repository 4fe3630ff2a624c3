//! Properties and locks through the gate: whose they are, where they hold, and what the log has of them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's own steps fail by panicking")]

use std::{sync::Arc, time::Duration};

use sockeye_node::{
    Credentials, Error, FilePath, LockDepth, LockScope, LockWish, Origin, Overwrite, Peer,
    Property, PropertyChange, PropertyName, Recursive, Session, UploadOptions,
};
use sockeye_testkit::node::{TempNode, password};

/// No wait in these tests is longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn path(text: &str) -> FilePath {
    FilePath::parse(text.trim_matches('/').as_bytes()).unwrap()
}

async fn login(node: &Arc<sockeye_node::Gate>, name: &str) -> Session {
    let origin = Origin::new("test", Peer::Ip([192, 0, 2, 1].into()));
    node.login(&Credentials::password(name, password(name)), origin).await.unwrap()
}

async fn put(session: &Session, at: &str) -> Result<(), Error> {
    let mut upload = session.upload(&path(at), UploadOptions::default()).await?;
    upload.write(b"content").await?;
    upload.commit().await.map(drop)
}

fn wish(depth: LockDepth) -> LockWish {
    let timeout = Duration::from_secs(60);
    LockWish { scope: LockScope::Exclusive, depth, owner: "me".into(), timeout }
}

fn is_locked<T>(result: Result<T, Error>) -> bool {
    match result {
        Err(Error::Locked { .. }) => true,
        Err(other) => panic!("{other}"),
        Ok(_) => false,
    }
}

fn run(test: impl AsyncFnOnce(Arc<sockeye_node::Gate>)) {
    let node = TempNode::new();
    node.share("team");
    for name in ["alice", "bob"] {
        node.grant(name, "/shared/team", "read,list,write,delete");
    }
    node.block_on(async {
        tokio::time::timeout(PATIENCE, test(node.gate())).await.unwrap();
    });
}

#[test]
fn a_lock_keeps_every_other_session_off_and_is_its_accounts() {
    run(async |gate| {
        let (alice, bob) = (login(&gate, "alice").await, login(&gate, "bob").await);
        let folder = path("/shared/team/plans");
        alice.mkdir(&folder).await.unwrap();
        put(&alice, "/shared/team/plans/a").await.unwrap();
        let (lock, is_new) = alice.lock(&folder, wish(LockDepth::Infinity)).await.unwrap();
        assert!(!is_new && lock.path == folder, "{lock:?}");
        let seen = bob.locks_at(&path("/shared/team/plans/a")).await.unwrap();
        assert_eq!(seen, std::slice::from_ref(&lock));
        // Another session of the same account has to submit the token as well.
        let claimed = bob.submitting(vec![lock.token]);
        for other in [&bob, &claimed, &alice] {
            let a = path("/shared/team/plans/a");
            assert!(is_locked(put(other, "/shared/team/plans/a").await));
            assert!(is_locked(other.mkdir(&path("/shared/team/plans/b")).await));
            assert!(is_locked(other.remove(&folder, Recursive::Yes).await));
            assert!(is_locked(other.rename(&a, &path("/mine"), Overwrite::No).await));
            assert!(is_locked(other.copy(&a, &path("/shared/team/plans/c"), Overwrite::No).await));
            assert!(is_locked(other.set_mode(&a, 0o600).await));
            assert!(is_locked(other.set_properties(&a, Vec::new()).await));
            assert!(is_locked(other.lock(&a, wish(LockDepth::Zero)).await));
            other.copy(&a, &path("/mine"), Overwrite::Yes).await.unwrap();
        }
        assert!(matches!(bob.unlock(&folder, lock.token).await, Err(Error::Denied)));
        let again = alice.submitting(vec![lock.token]);
        assert_eq!(again.refresh(&folder, None).await.unwrap().token, lock.token);
        put(&again, "/shared/team/plans/a").await.unwrap();
        alice.unlock(&folder, lock.token).await.unwrap();
        put(&bob, "/shared/team/plans/a").await.unwrap();
        assert!(matches!(alice.unlock(&folder, lock.token).await, Err(Error::NoSuchLock)));
    });
}

#[test]
fn locking_what_is_not_there_makes_it() {
    run(async |gate| {
        let alice = login(&gate, "alice").await;
        let (lock, is_new) = alice.lock(&path("new"), wish(LockDepth::Zero)).await.unwrap();
        assert!(is_new);
        assert_eq!(alice.stat(&path("new")).await.unwrap().size, 0);
        assert!(is_locked(put(&alice, "new").await));
        put(&alice.submitting(vec![lock.token]), "new").await.unwrap();
        let nowhere = alice.lock(&path("no/such"), wish(LockDepth::Zero)).await;
        assert!(matches!(nowhere, Err(Error::NoParent)), "{nowhere:?}");
    });
}

#[test]
fn of_many_sessions_that_lock_the_same_new_name_one_has_it() {
    run(async |gate| {
        for round in 0..8 {
            let at = path(&format!("/shared/team/{round}"));
            let mut tasks = tokio::task::JoinSet::new();
            for n in 0..12 {
                let session = login(&gate, ["alice", "bob"][n % 2]).await;
                let at = at.clone();
                tasks.spawn(async move {
                    let locked = session.lock(&at, wish(LockDepth::Zero)).await;
                    match locked {
                        Ok((lock, _)) => Some((session, lock)),
                        Err(Error::Locked { .. }) => None,
                        Err(other) => panic!("{other}"),
                    }
                });
            }
            let mut held: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
            let (session, lock) = held.pop().unwrap();
            assert!(held.is_empty());
            session.submitting(vec![lock.token]).remove(&at, Recursive::No).await.unwrap();
        }
    });
}

#[test]
fn properties_are_seen_by_those_who_may_and_set_by_those_who_write() {
    run(async |gate| {
        let (alice, guest) = (login(&gate, "alice").await, login(&gate, "gast").await);
        put(&alice, "/shared/team/a").await.unwrap();
        let name = PropertyName::new("urn:x", "color");
        let property = Property { name, value: "red".into() };
        let set = vec![PropertyChange::Set(property.clone())];
        alice.set_properties(&path("/shared/team/a"), set.clone()).await.unwrap();
        assert_eq!(alice.properties(&path("/shared/team/a")).await.unwrap(), [property]);
        let hidden = guest.properties(&path("/shared/team/a")).await;
        assert!(matches!(hidden, Err(Error::NotFound)), "{hidden:?}");
        let refused = guest.set_properties(&path("/a"), set.clone()).await;
        assert!(matches!(refused, Err(Error::Denied)), "{refused:?}");
        assert_eq!(alice.has_marks(&path("/shared/team")).await.unwrap(), (true, false));
        assert_eq!(alice.has_marks(&path("/")).await.unwrap(), (false, false));
        let (lock, _) = alice.lock(&path("/a"), wish(LockDepth::Zero)).await.unwrap();
        alice.unlock(&path("/a"), lock.token).await.unwrap();
        let counted = gate.operations();
        for told in [("set", "ok", 1), ("set", "denied", 1), ("lock", "ok", 1), ("unlock", "ok", 1)]
        {
            assert!(counted.contains(&told), "{told:?}: {counted:?}");
        }
    });
}
