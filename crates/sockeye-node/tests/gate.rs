//! The gate: who may do what where, at once after each change, and all of it in the journal.

#![expect(clippy::unwrap_used, reason = "a test's own steps fail by panicking")]

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use sockeye_accounts::{
    AccountName, Grant, Memory, NewPassword, Quota, Secret, Source as _, Sqlite,
};
use sockeye_node::{
    Algorithm, Credentials, Error, Gate, LoginError, Origin, Overwrite, Peer, Recursive, Refused,
    Resource, Role, Session, Sessions, UploadOptions,
};
use sockeye_testkit::{
    node::{open_gate, password},
    session::{self, path},
};

/// No wait in these tests is longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gate to accounts in memory and homes in a folder of its own.
struct Fixture {
    gate: Arc<Gate>,
    folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = sockeye_journal::Settings::default();
        let gate = open_gate(folder.path(), Memory::new(), log, |_, _| {});
        let fixture = Self { gate, folder };
        for (name, role) in [("root", Role::Admin), ("alice", Role::Member), ("guest", Role::Guest)]
        {
            fixture.add(name, role).await;
        }
        fixture
    }

    async fn add(&self, name: &str, role: Role) {
        let password = NewPassword::Chosen(Secret::new(password(name)));
        self.gate.accounts().add(account(name), role, Quota::NONE, password).await.unwrap();
    }

    async fn login(&self, name: &str) -> Session {
        let credentials = Credentials::password(name, password(name));
        self.gate.login(&credentials, origin()).await.unwrap()
    }

    async fn grant(&self, name: &str, prefix: &str, rights: &str) {
        let grant = Grant { prefix: prefix.parse().unwrap(), rights: rights.parse().unwrap() };
        self.gate.accounts().grant(&account(name), grant).await.unwrap();
    }

    /// Every line of the journal so far.
    async fn records(&self) -> Vec<Value> {
        self.gate.journal().checkpoint().await.unwrap();
        let mut lines = Vec::new();
        for file in std::fs::read_dir(self.folder.path().join("journal")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                let text = std::fs::read_to_string(path).unwrap();
                lines.extend(text.lines().map(|line| serde_json::from_str(line).unwrap()));
            }
        }
        lines
    }

    /// The records of an operation, as outcome, user and path.
    async fn told(&self, operation: &str) -> Vec<String> {
        let field = |record: &Value, name: &str| record[name].as_str().unwrap_or("-").to_owned();
        let records = self.records().await;
        let wanted = records.iter().filter(|record| record["op"] == operation);
        wanted
            .map(|it| {
                format!("{} {} {}", field(it, "outcome"), field(it, "user"), field(it, "path"))
            })
            .collect()
    }
}

fn account(name: &str) -> AccountName {
    name.parse().unwrap()
}

fn origin() -> Origin {
    Origin::new("test", Peer::Ip([192, 0, 2, 1].into()))
}

async fn put(session: &Session, at: &str, content: &str) -> Result<(), Error> {
    let mut upload = session.upload(&path(at), UploadOptions::default()).await?;
    upload.write(content.as_bytes()).await?;
    upload.commit().await.map(drop)
}

async fn get(session: &Session, at: &str) -> Result<String, Error> {
    let content = session::read(session, &path(at), None).await?;
    Ok(String::from_utf8(content).unwrap())
}

async fn names(session: &Session, at: &str) -> Result<Vec<String>, Error> {
    session::names(session, &path(at)).await
}

#[tokio::test]
async fn what_a_session_does_is_done_and_told() {
    let node = Fixture::new().await;
    let alice = node.login("alice").await;
    alice.mkdir(&path("/docs")).await.unwrap();
    put(&alice, "/docs/plan.txt", "first").await.unwrap();
    assert_eq!(get(&alice, "/docs/plan.txt").await.unwrap(), "first");
    alice.rename(&path("/docs/plan.txt"), &path("/plan.txt"), Overwrite::No).await.unwrap();
    assert_eq!(names(&alice, "/").await.unwrap(), ["docs", "plan.txt"]);
    alice.remove(&path("/docs"), Recursive::Yes).await.unwrap();
    assert!(matches!(get(&alice, "/docs/plan.txt").await, Err(Error::NotFound)));

    assert_eq!(node.told("login").await, ["ok alice -"]);
    assert_eq!(node.told("mkdir").await, ["ok alice /docs"]);
    assert_eq!(node.told("write").await, ["ok alice /docs/plan.txt"]);
    assert_eq!(node.told("rename").await, ["ok alice /docs/plan.txt"]);
    assert_eq!(node.told("list").await, ["ok alice /"]);
    assert_eq!(node.told("remove").await, ["ok alice /docs"]);
    assert_eq!(
        node.told("read").await,
        ["ok alice /docs/plan.txt", "not-found alice /docs/plan.txt"]
    );
    let records = node.records().await;
    let write = records.iter().find(|record| record["op"] == "write").unwrap();
    assert_eq!(write["bytes"], 5);
    assert_eq!(write["blake3"], blake3::hash(b"first").to_hex().as_str());
    assert_eq!((&write["from"], &write["protocol"]), (&"192.0.2.1".into(), &"test".into()));
    let rename = records.iter().find(|record| record["op"] == "rename").unwrap();
    assert_eq!(rename["to"], "/plan.txt");
}

#[tokio::test]
async fn what_is_recorded_is_counted_whoever_does_it() {
    let node = Fixture::new().await;
    let alice = node.login("alice").await;
    put(&alice, "/a", "1").await.unwrap();
    let wrong = Credentials::password("alice", "wrong");
    assert!(node.gate.login(&wrong, origin()).await.is_err());
    let counted = node.gate.operations();
    // Three accounts were added.
    for (operation, outcome, count) in
        [("admin", "ok", 3), ("login", "ok", 1), ("refuse", "denied", 1), ("write", "ok", 1)]
    {
        assert!(counted.contains(&(operation, outcome, count)), "{operation}: {counted:?}");
    }
}

#[tokio::test]
async fn why_nobody_can_log_in_is_told_to_the_log_and_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::open(folder.path().join("accounts.db")).await.unwrap();
    let log = sockeye_journal::Settings::default();
    let gate = open_gate(folder.path(), source.clone(), log, |_, _| {});
    let node = Fixture { gate, folder };
    source.close().await.unwrap();
    let credentials = Credentials::password("alice", password("alice"));
    let refused = node.gate.login(&credentials, origin()).await.unwrap_err();
    assert!(!refused.to_string().contains("accounts.db"), "{refused}");
    let records = node.records().await;
    let record = records.iter().find(|it| it["op"] == "refuse").unwrap();
    assert_eq!(record["outcome"], "failed");
    assert!(record["detail"].as_str().unwrap().contains("accounts.db"), "{record}");
}

#[tokio::test]
async fn homes_are_apart_and_the_namespace_has_its_own_names() {
    let node = Fixture::new().await;
    let (alice, root) = (node.login("alice").await, node.login("root").await);
    put(&alice, "/mine.txt", "a").await.unwrap();
    assert!(matches!(get(&root, "/mine.txt").await, Err(Error::NotFound)));
    for taken in ["/shared/x", "/public/x", "/-/x"] {
        assert!(put(&alice, taken, "x").await.is_err(), "{taken}");
    }
    for taken in ["/shared", "/public", "/-"] {
        let renamed = alice.rename(&path("/mine.txt"), &path(taken), Overwrite::Yes).await;
        assert!(renamed.is_err(), "{taken}");
        assert!(alice.mkdir(&path(taken)).await.is_err(), "{taken}");
    }
    assert_eq!(names(&alice, "/").await.unwrap(), ["mine.txt"]);
    assert_eq!(names(&root, "/").await.unwrap(), ["public", "shared"]);
}

#[tokio::test]
async fn folders_of_the_namespace_have_true_times() {
    let node = Fixture::new().await;
    for name in ["Team", "unused"] {
        node.gate.accounts().add_shared(name.parse().unwrap(), Quota::NONE).await.unwrap();
    }
    let root = node.login("root").await;
    let began = root.stat(&path("/")).await.unwrap().modified;
    put(&root, "/shared/Team/plan", "a plan").await.unwrap();
    put(&root, "/public/plan", "a plan").await.unwrap();
    for (folder, listed) in [("/", &["public", "shared"][..]), ("/shared", &["Team", "unused"])] {
        let mut listing = root.list(&path(folder)).await.unwrap();
        let entries = listing.next().await.unwrap().unwrap();
        let names: Vec<_> = entries.iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(names, listed);
        for entry in entries {
            let own = path(&format!("{folder}/{}", entry.name));
            // Of "unused", that at which it was made: to be looked at, it would have to be made on the disk.
            if entry.name.to_string() != "unused" {
                assert_eq!(root.stat(&own).await.unwrap().modified, entry.modified, "{own}");
            }
            assert!(entry.modified.seconds >= began.seconds - 1, "{own}: {:?}", entry.modified);
        }
    }
    let Resource::Folder(folder) = root.open(&path("/shared")).await.unwrap() else { panic!() };
    assert_eq!(folder.meta().modified, root.stat(&path("/shared")).await.unwrap().modified);
}

#[tokio::test]
async fn what_goes_from_one_tree_to_another_needs_rights_in_both() {
    let node = Fixture::new().await;
    let team = "Team".parse().unwrap();
    node.gate.accounts().add_shared(team, Quota::NONE).await.unwrap();
    node.grant("alice", "/shared/Team", "read,list").await;
    let alice = node.login("alice").await;
    put(&alice, "/plan", "a plan").await.unwrap();
    let (own, shared) = (path("/plan"), path("/shared/Team/plan"));
    let refused = alice.copy(&own, &shared, Overwrite::No).await;
    assert!(matches!(refused, Err(Error::Denied)), "{refused:?}");
    node.grant("alice", "/shared/Team", "read,write,list").await;
    alice.copy(&own, &shared, Overwrite::No).await.unwrap();
    assert_eq!(get(&alice, "/shared/Team/plan").await.unwrap(), "a plan");
    let refused = alice.rename(&shared, &path("/mine"), Overwrite::No).await;
    assert!(matches!(refused, Err(Error::Denied)), "moving takes away: {refused:?}");
    node.grant("alice", "/shared/Team", "read,write,delete,list").await;
    alice.rename(&shared, &path("/mine"), Overwrite::No).await.unwrap();
    assert_eq!(get(&alice, "/mine").await.unwrap(), "a plan");
    let digest = alice.digest(&path("/mine"), Algorithm::Sha256).await.unwrap();
    assert_eq!(digest, Algorithm::Sha256.of(b"a plan"));
    assert_eq!(node.told("copy").await, ["denied alice /plan", "ok alice /plan"]);
}

#[tokio::test]
async fn what_gives_way_to_something_else_needs_the_right_to_remove_it() {
    let node = Fixture::new().await;
    node.gate.accounts().add_shared("Team".parse().unwrap(), Quota::NONE).await.unwrap();
    node.grant("alice", "/shared/Team", "read,write,list").await;
    let (alice, root) = (node.login("alice").await, node.login("root").await);
    let (project, file) = (path("/shared/Team/project"), path("/shared/Team/plan"));
    root.mkdir(&project).await.unwrap();
    put(&root, "/shared/Team/project/all", "a year's work").await.unwrap();
    put(&root, "/shared/Team/plan", "a plan").await.unwrap();
    alice.mkdir(&path("/empty")).await.unwrap();
    put(&alice, "/own", "mine").await.unwrap();
    for (from, to) in [("/empty", &project), ("/own", &project), ("/empty", &file), ("/own", &file)]
    {
        for refused in [
            alice.rename(&path(from), to, Overwrite::Yes).await.map(drop),
            alice.copy(&path(from), to, Overwrite::Yes).await.map(drop),
        ] {
            assert!(matches!(refused, Err(Error::Denied)), "{from} over {to}: {refused:?}");
        }
    }
    assert_eq!(get(&root, "/shared/Team/project/all").await.unwrap(), "a year's work");
    assert_eq!(get(&root, "/shared/Team/plan").await.unwrap(), "a plan");
    // Where nothing is, nothing is removed.
    let new = path("/shared/Team/new");
    assert!(!alice.copy(&path("/own"), &new, Overwrite::Yes).await.unwrap().replaced);
    node.grant("alice", "/shared/Team", "read,write,delete,list").await;
    assert!(alice.rename(&path("/empty"), &project, Overwrite::Yes).await.unwrap());
    assert!(alice.copy(&path("/own"), &file, Overwrite::Yes).await.unwrap().replaced);
    // What is kept from alice beneath it does not go either.
    root.mkdir(&path("/shared/Team/project/kept")).await.unwrap();
    node.grant("alice", "/shared/Team/project/kept", "read,write,list").await;
    alice.mkdir(&path("/empty")).await.unwrap();
    let refused = alice.rename(&path("/empty"), &project, Overwrite::Yes).await;
    assert!(matches!(refused, Err(Error::Denied)), "{refused:?}");
}

#[tokio::test]
async fn what_lies_in_the_trash_is_for_those_who_had_rights_where_it_was() {
    let node = Fixture::new().await;
    node.gate.accounts().add_shared("Team".parse().unwrap(), Quota::NONE).await.unwrap();
    node.add("bob", Role::Member).await;
    node.grant("alice", "/shared/Team", "read,write,delete,list").await;
    node.grant("alice", "/shared/Team/secret", "none").await;
    node.grant("alice", "/shared/Team/read", "read,list").await;
    node.grant("bob", "/shared/Team/secret", "read,write,delete,list").await;
    let [alice, bob, root] =
        [node.login("alice").await, node.login("bob").await, node.login("root").await];
    let (team, secret) = (path("/shared/Team"), path("/shared/Team/secret/report"));
    for folder in ["/shared/Team/secret", "/shared/Team/read", "/shared/Team/box"] {
        root.mkdir(&path(folder)).await.unwrap();
    }
    for file in ["/shared/Team/plan", "/shared/Team/read/x", "/shared/Team/box/x"] {
        put(&root, file, "root's").await.unwrap();
        root.remove(&path(file), Recursive::No).await.unwrap();
    }
    put(&bob, "/shared/Team/secret/report", "bob's").await.unwrap();
    bob.remove(&secret, Recursive::No).await.unwrap();

    // A page is full although what is not seen comes between.
    let seen = async |session: &Session, limit| {
        let found = session.trash(&team, None, limit).await.unwrap();
        found.iter().map(|entry| entry.path.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(seen(&alice, 10).await, ["/box/x", "/read/x", "/plan"]);
    assert_eq!(seen(&bob, 10).await, ["/secret/report"]);
    assert_eq!(seen(&bob, 1).await, ["/secret/report"]);
    assert_eq!(seen(&root, 10).await.len(), 4);
    let id = async |session: &Session, name: &str| {
        let found = session.trash(&team, None, 10).await.unwrap();
        found.iter().find(|entry| entry.path.to_string() == name).unwrap().id
    };
    let (report, read) = (id(&bob, "/secret/report").await, id(&alice, "/read/x").await);
    for refused in
        [alice.purge(&team, report).await.map(drop), alice.restore(&team, report).await.map(drop)]
    {
        assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
    }
    for refused in
        [alice.purge(&team, read).await.map(drop), alice.restore(&team, read).await.map(drop)]
    {
        assert!(matches!(refused, Err(Error::Denied)), "{refused:?}");
    }
    // No root of a tree gives more than the tree.
    let refused = bob.empty_trash(&path("/shared/Team/secret")).await;
    assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
    assert!(matches!(alice.empty_trash(&team).await, Err(Error::Denied)));
    for tree in ["/shared", "/shared/Team/secret", "/shared/None", "/box"] {
        let refused = bob.trash(&path(tree), None, 10).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{tree}: {refused:?}");
    }
    assert_eq!(
        bob.removed(std::slice::from_ref(&secret)).await.unwrap(),
        [Some((team.clone(), report))]
    );
    assert_eq!(alice.removed(&[secret]).await.unwrap(), [None]);

    // A folder as a whole does not come back, nor go, over what is kept from alice beneath it.
    root.mkdir(&path("/shared/Team/whole")).await.unwrap();
    root.remove(&path("/shared/Team/whole"), Recursive::Yes).await.unwrap();
    let whole = id(&alice, "/whole").await;
    node.grant("alice", "/shared/Team/whole/kept", "none").await;
    assert!(matches!(alice.purge(&team, whole).await, Err(Error::Denied)));
    assert!(matches!(alice.restore(&team, whole).await, Err(Error::Denied)));

    bob.restore(&team, report).await.unwrap();
    let plan = id(&alice, "/plan").await;
    alice.purge(&team, plan).await.unwrap();
    assert!(matches!(alice.purge(&team, plan).await, Err(Error::NotFound)));
    let secret = "/shared/Team/secret/report";
    let mut restores =
        vec![format!("not-found alice {secret}"), format!("denied alice /shared/Team/read/x")];
    restores.extend(["denied alice /shared/Team/whole".to_owned(), format!("ok bob {secret}")]);
    assert_eq!(node.told("restore").await, restores);
    let purges = node.told("purge").await;
    assert_eq!(
        purges[purges.len() - 2..],
        ["ok alice /shared/Team/plan", "not-found alice /shared/Team"]
    );
    let records = node.records().await;
    let purged = records.iter().find(|it| it["op"] == "purge" && it["outcome"] == "ok").unwrap();
    assert_eq!(purged["detail"], format!("trash {plan}"));
}

#[tokio::test]
async fn uploads_that_were_left_are_for_those_who_may_write_there() {
    let node = Fixture::new().await;
    node.gate.accounts().add_shared("Team".parse().unwrap(), Quota::NONE).await.unwrap();
    node.grant("alice", "/shared/Team", "all").await;
    node.grant("alice", "/shared/Team/secret", "none").await;
    let (alice, root) = (node.login("alice").await, node.login("root").await);
    let team = path("/shared/Team");
    root.mkdir(&path("/shared/Team/secret")).await.unwrap();
    for at in ["/shared/Team/secret/a", "/shared/Team/b"] {
        let mut upload = root.upload(&path(at), UploadOptions::default()).await.unwrap();
        upload.write(b"half").await.unwrap();
        upload.pause().await.unwrap();
    }
    let found = alice.uploads_in(&team).await.unwrap();
    assert_eq!(found.iter().map(|it| it.path.to_string()).collect::<Vec<_>>(), ["/shared/Team/b"]);
    let all = root.uploads_in(&team).await.unwrap();
    let secret = all.iter().find(|it| it.path.to_string().ends_with("/a")).unwrap();
    assert!(matches!(alice.drop_upload(&secret.key).await, Err(Error::NotFound)));
    assert!(matches!(alice.uploads_in(&path("/shared/Team/secret")).await, Err(Error::NotFound)));
    alice.drop_upload(&found[0].key).await.unwrap();
    assert_eq!(root.uploads_in(&team).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_shared_folder_is_seen_by_those_who_have_a_grant_and_as_far_as_it_goes() {
    let node = Fixture::new().await;
    let team = "Team".parse().unwrap();
    node.gate.accounts().add_shared(team, Quota::NONE).await.unwrap();
    let (alice, root) = (node.login("alice").await, node.login("root").await);
    assert!(matches!(names(&alice, "/shared/Team").await, Err(Error::NotFound)));
    assert_eq!(names(&alice, "/shared").await.unwrap(), [""; 0]);

    node.grant("alice", "/shared/Team", "read,list").await;
    assert_eq!(names(&alice, "/").await.unwrap(), ["shared"]);
    assert_eq!(names(&alice, "/shared").await.unwrap(), ["Team"]);
    put(&root, "/shared/Team/plan", "do it").await.unwrap();
    assert_eq!(get(&alice, "/shared/Team/plan").await.unwrap(), "do it");
    assert!(matches!(put(&alice, "/shared/Team/plan", "no").await, Err(Error::Denied)));
    assert!(matches!(
        alice.remove(&path("/shared/Team/plan"), Recursive::No).await,
        Err(Error::Denied)
    ));

    let team = "Team".parse().unwrap();
    node.gate
        .accounts()
        .set_shared_quota(&team, Quota { bytes: Some(8), ..Quota::NONE })
        .await
        .unwrap();
    let over = put(&root, "/shared/Team/plan", "more than eight").await;
    assert!(matches!(over, Err(Error::OverQuota { .. })), "{over:?}");
    node.gate.accounts().set_shared_quota(&team, Quota::NONE).await.unwrap();

    node.grant("alice", "/shared/Team/in", "read,write,delete,list").await;
    root.mkdir(&path("/shared/Team/in")).await.unwrap();
    put(&alice, "/shared/Team/in/box", "mine").await.unwrap();
    node.grant("alice", "/shared/Team/in/kept", "none").await;
    let whole = alice.remove(&path("/shared/Team/in"), Recursive::Yes).await;
    assert!(matches!(whole, Err(Error::Denied)), "what is kept from alice lies in it");
    assert!(node.told("write").await.contains(&"denied alice /shared/Team/plan".to_owned()));
    let records = node.records().await;
    let denied = records.iter().find(|it| it["op"] == "write" && it["outcome"] == "denied");
    let detail = denied.unwrap()["detail"].as_str().unwrap();
    assert!(detail.starts_with("needs write, has "), "{detail}");

    node.gate.accounts().remove_shared(&team).await.unwrap();
    for session in [&alice, &root] {
        assert!(matches!(get(session, "/shared/Team/plan").await, Err(Error::NotFound)));
    }
}

#[tokio::test]
async fn a_guest_looks_and_changes_nothing() {
    let node = Fixture::new().await;
    let guest = node.login("guest").await;
    assert!(names(&guest, "/").await.unwrap().is_empty());
    assert!(matches!(put(&guest, "/x", "x").await, Err(Error::Denied)));
    assert!(matches!(guest.mkdir(&path("/x")).await, Err(Error::Denied)));
}

#[tokio::test]
async fn the_public_tree_is_open_to_everybody_when_it_is_opened() {
    let node = Fixture::new().await;
    assert!(node.gate.anonymous(origin()).is_none());
    let (root, alice) = (node.login("root").await, node.login("alice").await);
    put(&root, "/public/hello", "hi").await.unwrap();
    assert!(matches!(get(&alice, "/public/hello").await, Err(Error::NotFound)));

    node.gate.set_public(true);
    let anybody = node.gate.anonymous(origin()).unwrap();
    for at in ["/hello", "/public/hello"] {
        assert_eq!(get(&anybody, at).await.unwrap(), "hi", "{at}");
    }
    assert_eq!(get(&alice, "/public/hello").await.unwrap(), "hi");
    assert_eq!(names(&anybody, "/").await.unwrap(), ["hello"]);
    assert!(matches!(put(&anybody, "/x", "x").await, Err(Error::Denied)));
    assert!(matches!(names(&anybody, "/shared").await, Err(Error::NotFound)));

    node.gate.set_public(false);
    assert!(anybody.is_ended());
    assert!(matches!(get(&anybody, "/hello").await, Err(Error::Ended)));
}

#[tokio::test]
async fn the_log_has_what_everybody_reads_where_an_administrator_finds_it() {
    let node = Fixture::new().await;
    put(&node.login("root").await, "/public/hello", "hi").await.unwrap();
    node.gate.set_public(true);
    let anybody = node.gate.anonymous(origin()).unwrap();
    for at in ["/hello", "/public/hello"] {
        get(&anybody, at).await.unwrap();
    }
    assert_eq!(node.told("read").await, ["ok anonymous /public/hello"; 2]);
    // One that lasts as long as a connection logs in, and requests do not.
    assert!(!node.told("login").await.iter().any(|it| it.contains("anonymous")));
    let long = Origin { sessions: Sessions::Long { most: 1 }, tls: true, ..origin() };
    node.gate.anonymous(long).unwrap();
    let records = node.records().await;
    let login = records.iter().find(|it| it["op"] == "login" && it["user"] == "anonymous");
    assert_eq!(login.unwrap()["tls"], true);
}

#[tokio::test]
async fn visitors_who_come_again_and_again_are_few_lines_of_the_log() {
    let node = Fixture::new().await;
    node.gate.set_public(true);
    for _ in 0..100 {
        let long = Origin { sessions: Sessions::Long { most: 1 }, ..origin() };
        node.gate.anonymous(long).unwrap();
    }
    let told = node.told("login").await;
    let visits = told.iter().filter(|it| it.contains("anonymous")).count();
    // A minute may end meanwhile; what it counted is a line then, and it begins anew.
    assert!((20..100).contains(&visits), "{told:?}");
}

#[tokio::test]
async fn lines_bear_the_moment_at_which_things_ended_and_what_was_cut_has_its_size() {
    let node = Fixture::new().await;
    let alice = node.login("alice").await;
    let mut long = alice.upload(&path("/long"), UploadOptions::default()).await.unwrap();
    long.write(b"12345").await.unwrap();
    put(&alice, "/short", "x").await.unwrap();
    // As when the server is stopped: nobody says what became of it.
    drop(long);
    let records = node.records().await;
    let moments: Vec<_> = records.iter().map(|it| it["at"].as_str().unwrap()).collect();
    assert!(moments.is_sorted(), "{moments:?}");
    assert_eq!(node.told("write").await, ["ok alice /short", "cut alice /long"]);
    let cut = records.iter().find(|it| it["outcome"] == "cut").unwrap();
    assert_eq!(cut["bytes"], 5);
}

#[tokio::test]
async fn whoever_was_granted_the_public_tree_fills_it_before_it_is_opened() {
    let node = Fixture::new().await;
    let alice = node.login("alice").await;
    assert!(matches!(put(&alice, "/public/notice", "x").await, Err(Error::NotFound)));
    assert_eq!(names(&alice, "/").await.unwrap(), [""; 0]);
    node.grant("alice", "/public", "read,write,list").await;
    assert_eq!(names(&alice, "/").await.unwrap(), ["public"]);
    put(&alice, "/public/notice", "to come").await.unwrap();
    assert_eq!(names(&alice, "/public").await.unwrap(), ["notice"]);
    assert!(node.gate.anonymous(origin()).is_none(), "nobody else sees it yet");
    node.grant("alice", "/public", "none").await;
    assert!(matches!(get(&alice, "/public/notice").await, Err(Error::NotFound)));
    node.gate.set_public(true);
    assert!(matches!(get(&alice, "/public/notice").await, Err(Error::Denied)), "it is taken away");
    let anybody = node.gate.anonymous(origin()).unwrap();
    assert_eq!(get(&anybody, "/notice").await.unwrap(), "to come");
}

#[tokio::test]
async fn a_folder_as_a_whole_needs_its_names_to_be_seen_and_every_grant_beneath_its_target() {
    let node = Fixture::new().await;
    let team = "Team".parse().unwrap();
    node.gate.accounts().add_shared(team, Quota::NONE).await.unwrap();
    let (alice, root) = (node.login("alice").await, node.login("root").await);
    for at in ["/shared/Team/box", "/shared/Team/in", "/shared/Team/in/kept"] {
        root.mkdir(&path(at)).await.unwrap();
    }
    put(&root, "/shared/Team/box/plan", "a plan").await.unwrap();
    node.grant("alice", "/shared/Team/box", "read,write,delete").await;
    let (folder, file) = (path("/shared/Team/box"), path("/shared/Team/box/plan"));
    alice.copy(&file, &path("/plan"), Overwrite::No).await.unwrap();
    for refused in [
        alice.copy(&folder, &path("/mine"), Overwrite::No).await.map(drop),
        alice.rename(&folder, &path("/mine"), Overwrite::No).await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::Denied)), "its names would be seen: {refused:?}");
    }
    node.grant("alice", "/shared/Team/in", "all").await;
    node.grant("alice", "/shared/Team/in/kept", "none").await;
    alice.mkdir(&path("/whole")).await.unwrap();
    for overwrite in [Overwrite::No, Overwrite::Yes] {
        let (whole, target) = (path("/whole"), path("/shared/Team/in"));
        for refused in [
            alice.copy(&whole, &target, overwrite).await.map(drop),
            alice.rename(&whole, &target, overwrite).await.map(drop),
        ] {
            assert!(matches!(refused, Err(Error::Denied)), "what is kept goes: {refused:?}");
        }
    }
    alice.copy(&path("/whole"), &path("/shared/Team/in/new"), Overwrite::No).await.unwrap();
}

#[tokio::test]
async fn a_lock_ends_what_is_under_way() {
    let node = Fixture::new().await;
    let alice = node.login("alice").await;
    put(&alice, "/a", "a").await.unwrap();
    let mut upload = alice.upload(&path("/b"), UploadOptions::default()).await.unwrap();
    upload.write(b"half").await.unwrap();
    let Ok(Resource::File(file)) = alice.open(&path("/a")).await else { panic!("no file") };
    let mut reading = file.body(sockeye_node::Range { offset: 0, length: 1 }).unwrap();

    node.gate.accounts().lock(&account("alice")).await.unwrap();
    tokio::time::timeout(PATIENCE, alice.ended()).await.unwrap();
    assert!(matches!(upload.write(b"more").await, Err(Error::Ended)));
    assert!(matches!(upload.commit().await, Err(Error::Ended)));
    assert!(matches!(reading.read(&mut [0]).await, Err(Error::Ended)));
    assert!(matches!(alice.stat(&path("/a")).await, Err(Error::Ended)));
    let again = node.gate.login(&Credentials::password("alice", password("alice")), origin()).await;
    assert!(matches!(again, Err(LoginError::Refused(Refused::Wrong(_)))), "{again:?}");
    assert_eq!(node.told("refuse").await, ["denied alice -"]);
    assert_eq!(node.told("admin").await.len(), 4, "three accounts made, one locked");
}

#[tokio::test]
async fn credentials_that_are_known_need_no_wait() {
    let node = Fixture::new().await;
    let right = Credentials::password("alice", password("alice"));
    assert!(node.gate.login_known(&right, &origin()).is_none(), "never seen");
    node.gate.login(&right, origin()).await.unwrap();
    let alice = node.gate.login_known(&right, &origin()).unwrap();
    put(&alice, "/x", "x").await.unwrap();
    let wrong = Credentials::password("alice", "something else");
    assert!(node.gate.login_known(&wrong, &origin()).is_none());
    node.gate.accounts().lock(&account("alice")).await.unwrap();
    assert!(node.gate.login_known(&right, &origin()).is_none());
}

#[tokio::test]
async fn a_quota_holds_from_the_moment_that_it_is_set() {
    let node = Fixture::new().await;
    let alice = node.login("alice").await;
    put(&alice, "/a", "12345678").await.unwrap();
    let quota = Quota { bytes: Some(10), entries: None };
    node.gate.accounts().set_quota(&account("alice"), quota).await.unwrap();
    assert!(matches!(put(&alice, "/b", "123").await, Err(Error::OverQuota { .. })));
    put(&alice, "/b", "12").await.unwrap();
    let space = alice.space(&path("/")).await.unwrap();
    assert_eq!((space.files.bytes, space.quota.bytes), (10, Some(10)));
    assert!(node.told("write").await.contains(&"over-quota alice /b".to_owned()));
}

#[tokio::test]
async fn an_upload_that_is_left_is_told_as_cut_and_can_be_resumed() {
    let node = Fixture::new().await;
    let alice = node.login("alice").await;
    let mut upload = alice.upload(&path("/big"), UploadOptions::default()).await.unwrap();
    upload.write(&[b'x'; 3 << 20]).await.unwrap();
    let id = upload.keep().await.unwrap();
    assert_eq!(node.told("write").await, ["cut alice /big"]);
    let partial = alice.partial_for(&path("/big")).await.unwrap().unwrap();
    assert_eq!(partial.id, id);
    assert!(alice.resume(&path("/other"), id).await.is_err(), "it is for another path");
    let mut upload = alice.resume(&path("/big"), id).await.unwrap();
    assert_eq!(upload.offset(), 3 << 20);
    upload.write(b"end").await.unwrap();
    upload.commit().await.unwrap();
    assert!(get(&alice, "/big").await.unwrap().ends_with("xend"));
}

#[tokio::test]
async fn bandwidth_is_shared_by_all_sessions_of_an_account() {
    let node = Fixture::new().await;
    let (first, second) = (node.login("alice").await, node.login("alice").await);
    node.gate.set_account_rate(Some(200_000));
    let content = "x".repeat(100_000);
    let begun = tokio::time::Instant::now();
    let (one, other) = tokio::join!(put(&first, "/1", &content), put(&second, "/2", &content));
    one.and(other).unwrap();
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(700), "200 kB at 200 kB/s took {took:?}");
}

#[tokio::test]
async fn a_sign_in_is_a_session_that_its_owner_ends_and_a_token_has_no_say_in() {
    let fixture = Fixture::new().await;
    let alice = Credentials::password("alice", password("alice"));
    let day = Duration::from_secs(86_400);
    let signing_in = fixture.gate.sign_in(&alice, origin(), Some("a browser"), day);
    let (session, secret) = signing_in.await.unwrap();
    let kept = Credentials::sign_in(secret.expose());
    let known = fixture.gate.login_known(&kept, &origin()).unwrap();
    assert_eq!(known.sign_in(), session.sign_in());
    put(&known, "/a", "hers").await.unwrap();
    let by_password = fixture.login("alice").await;
    assert_eq!(by_password.sign_in(), None);
    let sign_ins = by_password.sign_ins().await.unwrap();
    assert_eq!(sign_ins[0].agent.as_deref(), Some("a browser"));
    let root = fixture.login("root").await;
    assert!(matches!(root.end_sign_in(sign_ins[0].id).await, Err(Error::NotFound)));

    let new = sockeye_accounts::NewToken {
        label: "a program".to_owned(),
        prefix: "/".parse().unwrap(),
        rights: "all".parse().unwrap(),
        protocols: "any".parse().unwrap(),
        expires: None,
    };
    let made = fixture.gate.accounts().create_token(&account("alice"), new).await.unwrap();
    let token = Credentials::token(made.1.expose());
    let by_token = fixture.gate.login(&token, origin()).await.unwrap();
    assert!(matches!(by_token.sign_ins().await, Err(Error::Denied)));
    assert!(matches!(by_token.end_sign_in(sign_ins[0].id).await, Err(Error::Denied)));

    by_password.end_sign_in(sign_ins[0].id).await.unwrap();
    tokio::time::timeout(PATIENCE, session.ended()).await.unwrap();
    assert!(matches!(known.sign_ins().await, Err(Error::Ended)));
    assert!(fixture.gate.login(&kept, origin()).await.is_err());
    let records = fixture.records().await;
    let of = |operation: &str| records.iter().filter(|it| it["op"] == operation).count();
    assert_eq!((of("logout"), of("refuse")), (1, 0));
}
