//! The node that is killed, opened again, and looked through.

use std::{collections::BTreeMap, future::Future, path::Path, sync::Arc};

use sockeye_accounts::{NewPassword, Quota, Role, Secret, Sqlite};
use sockeye_journal::{PublicKey, Reader};
use sockeye_node::{Credentials, FilePath, Gate, Origin, Owner, Peer, Session};
pub(crate) use sockeye_testkit::session::path;
use sockeye_testkit::{node::open_gate, session};

use crate::{
    content,
    model::Model,
    worker::{ENDLESS, TASKS, endless},
};

const NAME: &str = "alice";
const PASSWORD: &str = "correct horse battery";

pub(crate) fn block_on<F: Future>(work: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// Opens the node in `folder`, as after a crash: nothing was closed.
pub(crate) async fn open(folder: &Path) -> Arc<Gate> {
    // Segments so small that a kill is often in the middle of a change to the next.
    let journaling = sockeye_journal::Settings { segment_size: 64 * 1024, ..Default::default() };
    let source = Sqlite::open(folder.join("sockeye.db")).await.unwrap();
    open_gate(folder, source, journaling, |_, _| {})
}

pub(crate) async fn login(gate: &Arc<Gate>) -> Session {
    let credentials = Credentials::password(NAME, PASSWORD);
    gate.login(&credentials, Origin::new("test", Peer::Local)).await.unwrap()
}

/// Makes the account and the folders that the tasks work in.
pub(crate) fn prepare(folder: &Path) {
    block_on(async {
        let gate = open(folder).await;
        let password = NewPassword::Chosen(Secret::new(PASSWORD));
        let name = NAME.parse().unwrap();
        gate.accounts().add(name, Role::Member, Quota::NONE, password).await.unwrap();
        let session = login(&gate).await;
        for task in 0..TASKS {
            session.mkdir(&path(&format!("t{task}"))).await.unwrap();
        }
        close(&gate).await;
    });
}

async fn close(gate: &Gate) {
    gate.finish().await;
    gate.journal().close().unwrap();
    gate.accounts().close().await.unwrap();
}

/// Opens what was killed, and holds everything in it against what must be there.
pub(crate) fn check(folder: &Path, model: &mut Model) {
    block_on(async {
        let gate = open(folder).await;
        let session = login(&gate).await;
        for task in 0..TASKS {
            let found = stamps(&session, &path(&format!("t{task}"))).await;
            model.check(task, found);
        }
        resume(&session, model).await;
        let account = session.account().unwrap().unwrap();
        let home = gate.homes().get(Owner::Account(account.id)).unwrap();
        let report = home.check(false).await.unwrap();
        assert_eq!(report.recorded, Some(report.counted), "the space used: {report:?}");
        assert_eq!((report.orphaned_partials, report.leftovers), (0, 0), "{report:?}");
        close(&gate).await;
    });
    check_journal(&folder.join("journal"), model);
}

/// The stamp of each file in a folder, all of it read.
async fn stamps(session: &Session, folder: &FilePath) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut listing = session.list(folder).await.unwrap();
    while let Some(entries) = listing.next().await.unwrap() {
        for entry in entries {
            let content =
                session::read(session, &folder.join(&entry.name).unwrap(), None).await.unwrap();
            let stamp = content::stamp_of(&content);
            let stamp = stamp.unwrap_or_else(|| panic!("{folder}/{} is torn", entry.name));
            found.insert(entry.name.to_string(), stamp);
        }
    }
    found
}

/// Goes on with the upload that was broken off, if enough of it had come, and looks at the whole.
async fn resume(session: &Session, model: &mut Model) {
    let Some(partial) = session.partial_for(&endless()).await.unwrap() else { return };
    let mut upload = session.resume(&endless(), partial.id).await.unwrap();
    let from = usize::try_from(upload.offset()).unwrap();
    assert!(from > 0, "a partial was kept of which nothing is left");
    let whole = content::make(ENDLESS.0, ENDLESS.1);
    upload.write(&whole[from..]).await.unwrap();
    upload.commit().await.unwrap();
    assert!(session::read(session, &endless(), None).await.unwrap() == whole, "resumed at {from}");
    session.remove(&endless(), sockeye_node::Recursive::No).await.unwrap();
    model.resumed += 1;
}

/// The journal is whole, and has a record of everything that was answered.
fn check_journal(folder: &Path, model: &Model) {
    let key = PublicKey::of_folder(folder).unwrap();
    let verdict = sockeye_journal::verify(folder, key, None).unwrap();
    assert!(verdict.is_whole(), "{verdict:?}");
    let _ = Reader::open(folder).unwrap();
    let mut recorded: BTreeMap<String, usize> = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "jsonl") {
            for line in std::fs::read_to_string(file).unwrap().lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                if line["outcome"] == "ok" {
                    *recorded.entry(line["op"].as_str().unwrap().to_owned()).or_default() += 1;
                }
            }
        }
    }
    for (name, answered) in &model.answered {
        let recorded = recorded.get(*name).copied().unwrap_or_default();
        assert!(recorded >= *answered, "{answered} {name}s were answered, {recorded} recorded");
    }
}
