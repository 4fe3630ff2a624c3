//! The process that is killed: several tasks, each with a folder of its own, change files as fast as they can, and
//! one uploads a file that it never ends.

use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

use sockeye_node::{FilePath, Overwrite, Recursive, Session, UploadOptions};

use crate::{
    content,
    model::{Operation, Random},
    node::{self, path},
};

/// Tasks that change files.
pub(crate) const TASKS: u64 = 4;

/// The stamp of the file that is never ended, and its length.
pub(crate) const ENDLESS: (u64, usize) = (0x0e4d_1e55, 12 << 20);

/// Where that file will be.
pub(crate) fn endless() -> FilePath {
    path("endless")
}

pub(crate) fn run() {
    let folder = PathBuf::from(std::env::var_os("SOCKEYE_CRASH_FOLDER").unwrap());
    let round: u64 = std::env::var("SOCKEYE_CRASH_ROUND").unwrap().parse().unwrap();
    node::block_on(async {
        let node = node::open(&folder).await;
        let session = node::login(&node).await;
        let tasks = (0..TASKS).map(|task| change(session.clone(), task, round));
        let changing = futures_util::future::join_all(tasks);
        tokio::select! {
            _ = changing => {}
            () = upload_without_end(&session) => {}
        }
    });
}

fn tell(line: &str) {
    // In one write, so that only the last line can be torn.
    let mut out = std::io::stdout().lock();
    let told = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
    if told.is_err() {
        // Nobody listens: the parent has gone.
        std::process::abort();
    }
}

async fn change(session: Session, task: u64, round: u64) {
    let mut random = Random::new(round * 1000 + task);
    let at = |name: &str| path(&format!("t{task}/{name}"));
    let mut names = BTreeMap::new();
    let mut listing = session.list(&path(&format!("t{task}"))).await.unwrap();
    while let Some(entries) = listing.next().await.unwrap() {
        names.extend(entries.iter().map(|entry| (entry.name.to_string(), ())));
    }
    for count in 0.. {
        let name = format!("f{}", random.below(6));
        let operation = match random.below(10) {
            0 if names.contains_key(&name) => Operation::Remove(name),
            1 | 2 if names.contains_key(&name) => {
                let to = format!("f{}", random.below(6));
                if to == name {
                    continue;
                }
                Operation::Rename(name, to)
            }
            _ => Operation::Write(name, round << 40 | task << 32 | count),
        };
        tell(&operation.line(task));
        match &operation {
            Operation::Write(name, stamp) => {
                let length = match random.below(10) {
                    0..6 => random.below(16 << 10),
                    6..9 => random.below(300 << 10),
                    _ => (1 << 20) + random.below(2 << 20),
                };
                let content = content::make(*stamp, usize::try_from(length).unwrap());
                let mut options = UploadOptions::default();
                options.length = (random.below(2) == 0).then_some(content.len() as u64);
                let mut upload = session.upload(&at(name), options).await.unwrap();
                for piece in content.chunks(64 << 10) {
                    upload.write(piece).await.unwrap();
                }
                upload.commit().await.unwrap();
                names.insert(name.clone(), ());
            }
            Operation::Rename(from, to) => {
                session.rename(&at(from), &at(to), Overwrite::Yes).await.unwrap();
                names.remove(from);
                names.insert(to.clone(), ());
            }
            Operation::Remove(name) => {
                session.remove(&at(name), Recursive::No).await.unwrap();
                names.remove(name);
            }
        }
        tell(&format!("< {task}"));
    }
}

async fn upload_without_end(session: &Session) {
    let (stamp, length) = ENDLESS;
    let content = content::make(stamp, length);
    let mut upload = match session.partial_for(&endless()).await.unwrap() {
        Some(partial) => session.resume(&endless(), partial.id).await.unwrap(),
        None => session.upload(&endless(), UploadOptions::default()).await.unwrap(),
    };
    let from = usize::try_from(upload.offset()).unwrap();
    // All but its end.
    for piece in content[from..length - 1].chunks(64 << 10) {
        upload.write(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    tell("~ uploaded but for its end");
    std::future::pending().await
}
