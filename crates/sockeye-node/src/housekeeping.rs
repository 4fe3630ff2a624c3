//! Keeping house while a node serves: uploads that were left and trash that is old are removed, home by
//! home, now and then; and what was counted of refusals is recorded.

use std::{
    fs::{self, ReadDir},
    path::Path,
    time::{Duration, SystemTime},
};

use sockeye_accounts::AccountId;
use sockeye_journal::Operation;
use sockeye_store::Home;

use crate::{Node, Owner, backup, command::RefusalKind, refusals};

/// How long after the start the first round begins, so that it takes nothing from it.
const FIRST: Duration = Duration::from_secs(60);

/// How long after a round the next one begins.
const NEXT: Duration = Duration::from_secs(3600);

/// Homes that are looked at in one go.
const BATCH: usize = 256;

/// Keeps house for as long as it is awaited.
///
/// Cancellation: safe; what was begun in a home is brought to its end.
pub(crate) async fn keep(node: &Node) {
    let rounds = async {
        tokio::time::sleep(FIRST).await;
        loop {
            round(node).await;
            tokio::time::sleep(NEXT).await;
        }
    };
    let refusals = async {
        loop {
            tokio::time::sleep(refusals::PERIOD).await;
            node.recorder().record_counted(false);
        }
    };
    tokio::join!(rounds, refusals);
}

/// Goes over every home once.
async fn round(node: &Node) {
    let folder = node.folder().clone();
    let swept = node.pool().run(move || backup::sweep(&folder, NEXT)).await;
    if let Ok(Err(error)) = swept {
        tracing::warn!(%error, "what backups left behind is not removed now");
    }
    match node.gate().public_home().await {
        Ok(home) => expire(node, Owner::Public, &home).await,
        Err(error) => tracing::warn!(%error, "the public tree is not tidied up now"),
    }
    if let Err(error) = shared_folders(node).await {
        tracing::warn!(%error, "shared folders are not tidied up now");
    }
    homes(node).await;
}

async fn shared_folders(node: &Node) -> sockeye_accounts::Result<()> {
    for shared in node.accounts().all_shared().await? {
        match node.gate().shared_home(&shared.name).await {
            Ok(home) => expire(node, Owner::Shared(shared.id), &home).await,
            Err(error) => tracing::warn!(%error, "a shared folder is not tidied up now"),
        }
    }
    Ok(())
}

/// Goes over the accounts' homes that have something aside; the others are not even opened.
async fn homes(node: &Node) {
    let path = node.folder().homes();
    let Ok(Ok(mut entries)) = node.pool().run(move || fs::read_dir(path)).await else { return };
    loop {
        let looked = node.pool().run(move || (owners_of_batch(&mut entries), entries)).await;
        let Ok(((owners, over), rest)) = looked else { return };
        entries = rest;
        for id in owners {
            match node.account_home(id).await {
                Ok((_, home)) => expire(node, Owner::Account(id), &home).await,
                // It belongs to nobody any more: `sockeye store check` tells of it.
                Err(refusal) if refusal.kind == RefusalKind::NotFound => {}
                Err(error) => tracing::warn!(%error, "a home is not tidied up now"),
            }
        }
        if over {
            return;
        }
    }
}

/// The owners of those of the next homes that have something aside, and whether they were the last.
fn owners_of_batch(entries: &mut ReadDir) -> (Vec<AccountId>, bool) {
    let batch: Vec<_> = entries.take(BATCH).collect();
    let over = batch.len() < BATCH;
    let homes = batch.into_iter().filter_map(|entry| Some(entry.ok()?.path()));
    let owner = |home: std::path::PathBuf| home.file_name()?.to_str()?.parse().ok();
    (homes.filter(|home| has_aside(home)).filter_map(owner).collect(), over)
}

fn has_aside(home: &Path) -> bool {
    let any = |name| fs::read_dir(home.join(name)).is_ok_and(|mut it| it.next().is_some());
    any("partials") || any("trash")
}

async fn expire(node: &Node, owner: Owner, home: &Home) {
    match home.expire(SystemTime::now()).await {
        Ok(expired) if expired.trash.is_nothing() && expired.partials.is_nothing() => {}
        Ok(expired) => {
            let folder = node.gate().homes().folder(owner);
            let what = format!(
                "{}: {} of the trash, {} of uploads that were left",
                folder.display(),
                expired.trash,
                expired.partials
            );
            node.record(Operation::Purge, &what);
        }
        Err(error) => tracing::warn!(%error, ?owner, "a home is not tidied up now"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sockeye_accounts::{NewPassword, Quota, Role};
    use sockeye_store::{FilePath, Recursive, UploadOptions};

    use super::*;
    use crate::{
        config::{Config, Sources},
        data::{DataFolder, Hold},
        listeners::tests::PROTOCOLS,
    };

    #[tokio::test]
    async fn old_trash_is_removed_from_homes_and_shared_folders() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::new(dir.path().join("data"));
        let _hold = Hold::take_or_create(&folder).unwrap();
        let text = "[trash]\nkeep = \"1ms\"\n".to_owned();
        let sources = Sources { file: Some((folder.config(), text)), ..Sources::default() };
        let config = Config::load(&sources, PROTOCOLS).unwrap();
        let node = Node::open(&folder, config).await.unwrap();
        let accounts = node.accounts();
        let none = NewPassword::None;
        let name = "alice".parse().unwrap();
        let alice = accounts.add(name, Role::Member, Quota::NONE, none).await.unwrap();
        let team = accounts.add_shared("team".parse().unwrap(), Quota::NONE).await.unwrap();
        let path = FilePath::parse(b"old").unwrap();
        let mut homes = Vec::new();
        for owner in [Owner::Account(alice.id), Owner::Shared(team.id), Owner::Public] {
            let home = node.gate().homes().open(owner, Quota::NONE).await.unwrap();
            let upload = home.upload(&path, UploadOptions::default()).await.unwrap();
            upload.commit().await.unwrap();
            home.remove(&path, Recursive::No).await.unwrap();
            assert_eq!(home.trash(None, 10).await.unwrap().len(), 1);
            homes.push(home);
        }
        // Until the millisecond is over.
        let begun = Instant::now();
        for home in homes {
            while !home.trash(None, 10).await.unwrap().is_empty() {
                round(&node).await;
                assert!(begun.elapsed() < Duration::from_secs(20));
            }
        }
        node.close().await.unwrap();
    }
}
