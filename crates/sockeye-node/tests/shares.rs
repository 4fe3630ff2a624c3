//! Shares: what a link opens, what counts as a download, and what a drop box takes and hides.

#![expect(clippy::unwrap_used, reason = "a test's own steps fail by panicking")]

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use sockeye_accounts::{
    AccountName, Grant, Memory, NewPassword, NewShare, Quota, Secret, Share, ShareKind, ShareProof,
};
use sockeye_node::{
    Algorithm, Credentials, Error, Gate, Origin, Overwrite, Peer, Property, PropertyChange,
    PropertyName, Range, Recursive, Resource, Rights, Role, Session, ShareError, Start, Timestamp,
    UploadOptions,
};
use sockeye_testkit::{
    node::{open_gate, password},
    session::{self, path},
};

/// No wait in these tests is longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gate with the member alice, whose `/docs` and `/in` are there.
struct Fixture {
    gate: Arc<Gate>,
    alice: Session,
    folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = sockeye_journal::Settings::default();
        let gate = open_gate(folder.path(), Memory::new(), log, |_, _| {});
        let chosen = NewPassword::Chosen(Secret::new(password("alice")));
        let none = Quota::NONE;
        gate.accounts().add(account("root"), Role::Admin, none, NewPassword::None).await.unwrap();
        gate.accounts().add(account("alice"), Role::Member, none, chosen).await.unwrap();
        let credentials = Credentials::password("alice", password("alice"));
        let alice = gate.login(&credentials, from(99)).await.unwrap();
        for folder in ["/docs", "/docs/a", "/in"] {
            alice.mkdir(&path(folder)).await.unwrap();
        }
        let fixture = Self { gate, alice, folder };
        fixture.put("/docs/plan.txt", b"the plan").await;
        fixture.put("/docs/a/deep.txt", b"deep").await;
        fixture.put("/secret.txt", b"secret").await;
        fixture
    }

    async fn put(&self, at: &str, content: &[u8]) {
        put(&self.alice, at, content).await.unwrap();
    }

    async fn share(&self, new: NewShare) -> Share {
        self.gate.accounts().create_share(&account("alice"), new).await.unwrap()
    }

    async fn visit(&self, share: &Share, host: u8) -> Result<Session, ShareError> {
        let link = self.gate.accounts().link(share.id);
        let visit = self.gate.share_session(link.expose(), None, from(host));
        tokio::time::timeout(PATIENCE, visit).await.expect("not in time")
    }

    async fn downloaded(&self, share: &Share) -> u64 {
        self.gate.accounts().find_share(share.id).await.unwrap().downloaded
    }

    /// The records of an operation, as outcome, user, path and detail.
    async fn told(&self, operation: &str) -> Vec<String> {
        self.gate.journal().checkpoint().await.unwrap();
        let mut told = Vec::new();
        for file in std::fs::read_dir(self.folder.path().join("journal")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                let text = std::fs::read_to_string(path).unwrap();
                let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
                for record in records.filter(|record| record["op"] == operation) {
                    let field = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
                    let fields = ["outcome", "user", "path", "to", "detail"].map(field);
                    told.push(fields.join(" "));
                }
            }
        }
        told
    }
}

fn account(name: &str) -> AccountName {
    name.parse().unwrap()
}

fn from(host: u8) -> Origin {
    Origin::new("http", Peer::Ip([192, 0, 2, host].into()))
}

fn of(path: &str) -> NewShare {
    NewShare::of(path.parse().unwrap())
}

fn drop_box(path: &str) -> NewShare {
    NewShare { kind: ShareKind::Upload, ..of(path) }
}

async fn put(session: &Session, at: &str, content: &[u8]) -> Result<u32, Error> {
    let mut upload = session.upload(&path(at), UploadOptions::default()).await?;
    upload.write(content).await?;
    Ok(upload.commit().await?.number)
}

async fn get_range(session: &Session, at: &str, range: Option<Range>) -> Result<Vec<u8>, Error> {
    session::read(session, &path(at), range).await
}

async fn get(session: &Session, at: &str) -> Result<Vec<u8>, Error> {
    get_range(session, at, None).await
}

async fn names(session: &Session, at: &str) -> Result<Vec<String>, Error> {
    session::names(session, &path(at)).await
}

#[tokio::test]
async fn a_link_is_rooted_at_what_is_shared() {
    let node = Fixture::new().await;
    let share = node.share(of("/docs")).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    assert_eq!(names(&visitor, "/").await.unwrap(), ["a", "plan.txt"]);
    assert_eq!(get(&visitor, "/plan.txt").await.unwrap(), b"the plan");
    assert_eq!(get(&visitor, "/a/deep.txt").await.unwrap(), b"deep");
    for elsewhere in ["/secret.txt", "/docs/plan.txt", "/shared", "/public", "/-/api"] {
        assert!(matches!(get(&visitor, elsewhere).await, Err(Error::NotFound)), "{elsewhere}");
    }
    assert!(visitor.account().unwrap().is_none(), "a visitor is not the owner");
    assert!(visitor.space(&path("/")).await.is_err());
    let file = node.share(of("/docs/plan.txt")).await;
    let visitor = node.visit(&file, 1).await.unwrap();
    assert_eq!(get(&visitor, "/").await.unwrap(), b"the plan");
    assert!(get(&visitor, "/plan.txt").await.is_err());
}

#[tokio::test]
async fn whatever_is_asked_of_a_path_is_asked_beneath_what_is_shared() {
    let node = Fixture::new().await;
    // Where the visitor's path leads if it is taken for the owner's.
    node.put("/plan.txt", b"another plan").await;
    let plan = path("/docs/plan.txt");
    let property = Property { name: PropertyName::new("urn:x", "color"), value: "red".into() };
    let set = vec![PropertyChange::Set(property.clone())];
    for at in [&plan, &path("/secret.txt")] {
        node.alice.set_properties(at, set.clone()).await.unwrap();
    }
    let share = node.share(of("/docs")).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    let (seen, sha256) = (path("/plan.txt"), Algorithm::Sha256);
    let meta = visitor.stat(&seen).await.unwrap();
    assert_eq!(meta, node.alice.stat(&plan).await.unwrap());
    let digest = node.alice.digest(&plan, sha256).await.unwrap();
    assert_eq!(visitor.digest(&seen, sha256).await.unwrap(), digest);
    let known = visitor.digest_of(&seen, meta.version(), sha256, 1 << 20).await.unwrap();
    assert_eq!(known, Some(digest));
    let crc = visitor.crc32(&seen, meta.version(), meta.size).await.unwrap();
    assert_eq!(crc, node.alice.crc32(&plan, meta.version(), meta.size).await.unwrap());
    assert_eq!(visitor.properties(&seen).await.unwrap(), [property]);
    assert_eq!(visitor.has_marks(&seen).await.unwrap(), (true, false));
    assert_eq!(visitor.rights_at(&seen).unwrap(), Rights::READ | Rights::LIST);
    assert_eq!(visitor.properties(&path("/secret.txt")).await.unwrap(), []);
    assert!(matches!(visitor.uploads_in(&path("/")).await, Err(Error::Denied)));
}

#[tokio::test]
async fn a_download_link_changes_nothing() {
    let node = Fixture::new().await;
    let share = node.share(of("/docs")).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    let plan = path("/plan.txt");
    let denied = |result: Result<(), Error>| matches!(result, Err(Error::Denied));
    assert!(denied(put(&visitor, "/plan.txt", b"x").await.map(drop)));
    assert!(denied(put(&visitor, "/new.txt", b"x").await.map(drop)));
    assert!(denied(visitor.mkdir(&path("/new")).await));
    assert!(denied(visitor.remove(&plan, Recursive::Yes).await));
    assert!(denied(visitor.rename(&plan, &path("/b"), Overwrite::No).await.map(drop)));
    assert!(denied(visitor.copy(&plan, &path("/b"), Overwrite::No).await.map(drop)));
    let when = Timestamp { seconds: 0, nanos: 0 };
    assert!(denied(visitor.set_modified(&plan, when).await.map(drop)));
    assert!(denied(visitor.set_mode(&plan, 0o600).await.map(drop)));
    assert!(denied(visitor.partial_for(&plan).await.map(drop)));
    assert_eq!(names(&visitor, "/").await.unwrap(), ["a", "plan.txt"]);
}

#[tokio::test]
async fn a_share_dies_with_its_owners_rights_its_owner_and_its_revocation() {
    let node = Fixture::new().await;
    let accounts = node.gate.accounts();
    let [docs, inner, third] =
        [node.share(of("/docs")).await, node.share(of("/in")).await, node.share(of("/docs")).await];
    let visitor = node.visit(&docs, 1).await.unwrap();
    let grant = Grant { prefix: "/docs".parse().unwrap(), rights: "read,list".parse().unwrap() };
    accounts.grant(&account("alice"), grant).await.unwrap();
    assert!(matches!(get(&visitor, "/plan.txt").await, Err(Error::Denied)), "may not share it");
    assert!(matches!(node.visit(&docs, 1).await, Err(ShareError::NotFound)));
    accounts.revoke_share(third.id).await.unwrap();
    assert!(matches!(node.visit(&third, 1).await, Err(ShareError::Over)));
    let visitor = node.visit(&inner, 1).await.unwrap();
    accounts.lock(&account("alice")).await.unwrap();
    tokio::time::timeout(PATIENCE, visitor.ended()).await.unwrap();
    assert!(matches!(names(&visitor, "/").await, Err(Error::Ended)));
    assert!(matches!(node.visit(&inner, 1).await, Err(ShareError::NotFound)));
    accounts.remove(&account("alice")).await.unwrap();
    assert!(matches!(node.visit(&inner, 1).await, Err(ShareError::Over)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_downloads_at_once_exactly_as_many_are_sent_as_there_may_be() {
    let node = Arc::new(Fixture::new().await);
    let share = node.share(NewShare { downloads: Some(5), ..of("/docs") }).await;
    let mut downloads = tokio::task::JoinSet::new();
    for host in 1..=30 {
        let (node, share) = (Arc::clone(&node), share.clone());
        downloads.spawn(async move {
            match node.visit(&share, host).await {
                Ok(visitor) => get(&visitor, "/plan.txt").await.is_ok(),
                Err(ShareError::Over) => false,
                Err(error) => panic!("{error}"),
            }
        });
    }
    let sent = tokio::time::timeout(PATIENCE, downloads.join_all()).await.unwrap();
    assert_eq!(sent.into_iter().filter(|sent| *sent).count(), 5);
    assert_eq!(node.downloaded(&share).await, 5);
    assert!(matches!(node.visit(&share, 200).await, Err(ShareError::Over)));
}

#[tokio::test]
async fn stretches_of_a_download_that_was_counted_are_not_counted_again() {
    let node = Fixture::new().await;
    node.put("/docs/long.bin", &vec![7; 100_000]).await;
    let share = node.share(NewShare { downloads: Some(2), ..of("/docs") }).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    let stretch = |offset, length| Some(Range { offset, length });
    // A player: a look at the first bytes, the whole, and here and there.
    for range in [stretch(0, 2), None, stretch(50_000, 50_000), stretch(99_000, 1000)] {
        get_range(&visitor, "/long.bin", range).await.unwrap();
        assert_eq!(node.downloaded(&share).await, 1, "{range:?}");
    }
    // Somebody else in the middle is another download.
    let other = node.visit(&share, 2).await.unwrap();
    get_range(&other, "/long.bin", stretch(1, 99_999)).await.unwrap();
    assert_eq!(node.downloaded(&share).await, 2);
    // What was counted can still be finished, and nothing else begun.
    assert!(matches!(get(&visitor, "/plan.txt").await, Err(Error::Exhausted)));
    assert!(matches!(get(&visitor, "/long.bin").await, Err(Error::Exhausted)));
    let again = node.visit(&share, 1).await.unwrap();
    get_range(&again, "/long.bin", stretch(90_000, 10_000)).await.unwrap();
    assert!(matches!(node.visit(&share, 3).await, Err(ShareError::Over)));
    assert_eq!(node.downloaded(&share).await, 2);
}

#[tokio::test]
async fn what_only_tells_of_a_file_is_no_download() {
    let node = Fixture::new().await;
    let share = node.share(NewShare { downloads: Some(1), ..of("/docs") }).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    visitor.stat(&path("/plan.txt")).await.unwrap();
    names(&visitor, "/").await.unwrap();
    let Resource::File(file) = visitor.open(&path("/plan.txt")).await.unwrap() else { panic!() };
    drop(file.body(Range { offset: 0, length: 8 }).unwrap());
    assert_eq!(node.downloaded(&share).await, 0);
    // Whoever forgets to ask is counted at the first byte.
    let mut body = visitor.read(&path("/plan.txt"), None).await.unwrap();
    body.read(&mut [0; 4]).await.unwrap();
    assert_eq!(node.downloaded(&share).await, 1);
}

#[tokio::test]
async fn a_drop_box_takes_new_files_and_shows_nothing() {
    let node = Fixture::new().await;
    node.put("/in/report.pdf", b"the owner's").await;
    let share = node.share(drop_box("/in")).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    assert_eq!(put(&visitor, "/report.pdf", b"a visitor's").await.unwrap(), 2);
    assert_eq!(put(&visitor, "/report.pdf", b"another").await.unwrap(), 3);
    assert_eq!(put(&visitor, "/new.pdf", b"new").await.unwrap(), 1);
    let expected = ["new.pdf", "report (2).pdf", "report (3).pdf", "report.pdf"];
    assert_eq!(names(&node.alice, "/in").await.unwrap(), expected);
    assert_eq!(get(&node.alice, "/in/report.pdf").await.unwrap(), b"the owner's");

    assert!(matches!(names(&visitor, "/").await, Err(Error::Denied)));
    for at in ["/report.pdf", "/new.pdf", "/nothing"] {
        assert!(matches!(get(&visitor, at).await, Err(Error::NotFound)), "{at}");
        assert!(matches!(visitor.stat(&path(at)).await, Err(Error::NotFound)), "{at}");
    }
    let report = path("/report.pdf");
    let denied = |result: Result<(), Error>| matches!(result, Err(Error::Denied));
    assert!(denied(visitor.mkdir(&path("/folder")).await));
    assert!(denied(visitor.remove(&report, Recursive::No).await));
    assert!(denied(visitor.rename(&report, &path("/b"), Overwrite::Yes).await.map(drop)));
    assert!(denied(visitor.copy(&report, &path("/b"), Overwrite::Yes).await.map(drop)));
    assert!(denied(visitor.set_mode(&report, 0o600).await.map(drop)));
    assert!(denied(visitor.partial_for(&report).await.map(drop)));
    let mut appending = UploadOptions::default();
    appending.start = Start::End;
    let mut upload = visitor.upload(&report, appending).await.unwrap();
    upload.write(b"more").await.unwrap();
    assert_eq!(upload.commit().await.unwrap().number, 4, "nothing is written on");
}

#[tokio::test]
async fn who_puts_a_file_into_a_drop_box_ends_no_upload_of_its_owner() {
    let node = Fixture::new().await;
    let at = path("/in/report.pdf");
    let mut upload = node.alice.upload(&at, UploadOptions::default()).await.unwrap();
    upload.write(b"the owner's").await.unwrap();
    let id = upload.keep().await.unwrap();
    let share = node.share(drop_box("/in")).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    assert_eq!(put(&visitor, "/report.pdf", b"a visitor's").await.unwrap(), 1);
    let left = node.alice.partial_for(&at).await.unwrap().unwrap();
    assert_eq!((left.id, left.offset), (id, 11));
    // Of the account's own, a moved file ends it as one does that was written.
    node.put("/in/other.pdf", b"other").await;
    node.alice.rename(&path("/in/other.pdf"), &at, Overwrite::Yes).await.unwrap();
    assert!(node.alice.partial_for(&at).await.unwrap().is_none());
    // What gives way to a visitor is recorded with how they came.
    let accounts = node.gate.accounts();
    node.alice.remove(&at, Recursive::No).await.unwrap();
    let used = node.alice.space(&at).await.unwrap();
    let quota = Quota { bytes: Some(used.bytes), entries: None };
    accounts.set_quota(&account("alice"), quota).await.unwrap();
    put(&visitor, "/more", b"1").await.unwrap();
    let told = node.told("purge").await;
    let [purged] = &told[..] else { panic!("{told:?}") };
    assert!(purged.starts_with("ok alice /in/report.pdf - quota: trash 01"), "{purged}");
    assert!(purged.contains(&share.id.to_string()), "{purged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_box_takes_no_more_than_it_may_whoever_races() {
    let node = Arc::new(Fixture::new().await);
    for (most, expected) in [
        (NewShare { max_files: Some(5), ..drop_box("/in") }, 5),
        (NewShare { max_bytes: Some(1000), ..drop_box("/in") }, 10),
        (NewShare { max_bytes: Some(350), max_files: Some(7), ..drop_box("/in") }, 3),
    ] {
        let share = node.share(most).await;
        let mut dropping = tokio::task::JoinSet::new();
        for host in 1..=30 {
            let (node, share) = (Arc::clone(&node), share.clone());
            dropping.spawn(async move {
                let visitor = node.visit(&share, host).await.unwrap();
                match put(&visitor, &format!("/{host}"), &[b'x'; 100]).await {
                    Ok(_) => true,
                    Err(Error::BoxFull) => false,
                    Err(error) => panic!("{error}"),
                }
            });
        }
        let sent = tokio::time::timeout(PATIENCE, dropping.join_all()).await.unwrap();
        let sent = sent.into_iter().filter(|sent| *sent).count();
        assert_eq!(sent, expected, "nobody is kept out of what room there is");
        let visitor = node.visit(&share, 1).await.unwrap();
        assert!(matches!(put(&visitor, "/more", &[b'x'; 100]).await, Err(Error::BoxFull)));
        let kept = node.gate.accounts().find_share(share.id).await.unwrap();
        assert_eq!((kept.taken_files, kept.taken_bytes), (expected as u64, 100 * expected as u64));
    }
    assert_eq!(names(&node.alice, "/in").await.unwrap().len(), 18);
}

#[tokio::test]
async fn who_puts_files_into_a_drop_box_is_not_told_how_much_room_its_owner_has() {
    let node = Fixture::new().await;
    let share = node.share(drop_box("/in")).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    let accounts = node.gate.accounts();
    let quota = Quota { bytes: Some(1000), entries: None };
    accounts.set_quota(&account("alice"), quota).await.unwrap();
    let mut announced = UploadOptions::default();
    announced.length = Some(1001);
    let refused = visitor.upload(&path("/x"), announced).await;
    assert!(matches!(refused, Err(Error::BoxFull)), "{refused:?}");
    let refused = put(&visitor, "/x", &[b'x'; 400_000]).await;
    assert!(matches!(refused, Err(Error::BoxFull)), "{refused:?}");
    let told = node.told("write").await;
    let refused = told.iter().filter(|it| it.contains(" /in/x "));
    assert_eq!(refused.filter(|it| it.starts_with("over-quota alice ")).count(), 2, "{told:?}");
}

#[tokio::test]
async fn what_is_on_its_way_into_a_drop_box_takes_part_of_its_room() {
    let node = Fixture::new().await;
    let share = node.share(NewShare { max_bytes: Some(1000), ..drop_box("/in") }).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    let begin = async |length: Option<u64>| {
        let mut options = UploadOptions::default();
        options.length = length;
        visitor.upload(&path("/x"), options).await
    };
    assert!(matches!(begin(Some(1001)).await, Err(Error::BoxFull)));
    let announced = begin(Some(600)).await.unwrap();
    assert!(matches!(begin(Some(500)).await, Err(Error::BoxFull)));
    let mut growing = begin(None).await.unwrap();
    growing.write(&[b'x'; 400]).await.unwrap();
    assert!(matches!(growing.write(b"x").await, Err(Error::BoxFull)));
    drop(announced);
    growing.write(&[b'x'; 600]).await.unwrap();
    // What cannot be put in its place is not counted.
    let taken = async || node.gate.accounts().find_share(share.id).await.unwrap().taken_files;
    node.alice.remove(&path("/in"), Recursive::Yes).await.unwrap();
    assert!(matches!(growing.commit().await, Err(Error::NoParent)));
    assert_eq!(taken().await, 0);
    node.alice.mkdir(&path("/in")).await.unwrap();
    put(&visitor, "/x", &[b'x'; 1000]).await.unwrap();
    assert_eq!(taken().await, 1);
    node.gate.accounts().revoke_share(share.id).await.unwrap();
    assert!(matches!(begin(None).await, Err(Error::Ended)));
}

#[tokio::test]
async fn a_folder_comes_into_a_drop_box_with_the_files_in_it() {
    let node = Fixture::new().await;
    let share = node.share(NewShare { max_files: Some(2), ..drop_box("/in") }).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    let kept = visitor.upload(&path("/cut/x"), UploadOptions::default()).await.unwrap();
    kept.abort().await.unwrap();
    assert_eq!(
        names(&node.alice, "/in").await.unwrap(),
        Vec::<String>::new(),
        "none without a file"
    );
    assert_eq!(put(&visitor, "/trip/day 1/a", b"a").await.unwrap(), 1);
    assert_eq!(put(&visitor, "/trip/day 1/a", b"b").await.unwrap(), 2);
    assert_eq!(names(&node.alice, "/in/trip/day 1").await.unwrap(), ["a", "a (2)"]);
    let full = put(&visitor, "/more/x", b"x").await;
    assert!(matches!(full, Err(Error::BoxFull)), "{full:?}");
    assert_eq!(names(&node.alice, "/in").await.unwrap(), ["trip"]);
    let detail = format!("share {}", share.id);
    for folder in ["/in/trip", "/in/trip/day 1"] {
        let told = node.told("mkdir").await;
        assert!(told.contains(&format!("ok alice {folder} - {detail}")), "{told:?}");
    }
}

#[tokio::test]
async fn what_a_visitor_broke_off_leaves_nothing_behind() {
    let node = Fixture::new().await;
    let share = node.share(drop_box("/in")).await;
    let visitor = node.visit(&share, 1).await.unwrap();
    let before = node.alice.space(&path("/")).await.unwrap();
    for keeps in [true, false] {
        let mut upload = visitor.upload(&path("/x"), UploadOptions::default()).await.unwrap();
        upload.write(&vec![7; 2 << 20]).await.unwrap();
        if keeps {
            let kept = upload.keep().await;
            assert!(matches!(kept, Err(Error::WrongKind { .. })), "{kept:?}");
        } else {
            drop(upload);
        }
        assert_eq!(node.alice.uploads_in(&path("/")).await.unwrap(), []);
        assert_eq!(node.alice.space(&path("/")).await.unwrap(), before);
    }
}

#[tokio::test]
async fn a_password_is_asked_for_and_then_a_pass_is_enough() {
    let node = Fixture::new().await;
    let protected = NewShare { password: Some(Secret::new("open sesame")), ..of("/docs") };
    let share = node.share(protected).await;
    let link = node.gate.accounts().link(share.id);
    let visit = |proof| node.gate.share_session(link.expose(), proof, from(1));
    let with = |password: &str| Some(ShareProof::Password(Secret::new(password)));
    assert!(matches!(visit(None).await, Err(ShareError::Password { wrong: false })));
    let wrong = visit(with("close sesame")).await;
    assert!(matches!(wrong, Err(ShareError::Password { wrong: true })), "{wrong:?}");
    let waits = visit(with("open the door")).await;
    assert!(matches!(waits, Err(ShareError::Refused(_))), "{waits:?}");
    let elsewhere = node.gate.share_session(link.expose(), with("open sesame"), from(2));
    let visitor = elsewhere.await.unwrap();
    let pass = node.gate.share_pass(&visitor).await.unwrap().unwrap();
    visit(Some(ShareProof::Pass(pass))).await.unwrap();
}

#[tokio::test]
async fn every_use_is_told_with_the_share_and_its_owner_and_no_secret() {
    let node = Fixture::new().await;
    let (docs, inbox) = (node.share(of("/docs")).await, node.share(drop_box("/in")).await);
    let visitor = node.visit(&docs, 1).await.unwrap();
    get(&visitor, "/plan.txt").await.unwrap();
    let visitor = node.visit(&inbox, 1).await.unwrap();
    put(&visitor, "/x", b"1").await.unwrap();
    put(&visitor, "/x", b"2").await.unwrap();
    let (by_docs, by_inbox) = (format!("share {}", docs.id), format!("share {}", inbox.id));
    let logins = node.told("login").await;
    assert!(logins.contains(&format!("ok alice /docs - {by_docs}")), "{logins:?}");
    let reads = node.told("read").await;
    assert!(reads.contains(&format!("ok alice /docs/plan.txt - {by_docs}")), "{reads:?}");
    let writes = node.told("write").await;
    assert!(writes.contains(&format!("ok alice /in/x - {by_inbox}")), "{writes:?}");
    assert!(writes.contains(&format!("ok alice /in/x /in/x (2) {by_inbox}")), "{writes:?}");
    for file in std::fs::read_dir(node.folder.path().join("journal")).unwrap() {
        let text = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&text);
        for share in [&docs, &inbox] {
            assert!(!text.contains(node.gate.accounts().link(share.id).expose()));
        }
    }
}
