//! SHA-256 of new files, computed when there is nothing better to do.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use rustix::io::retry_on_intr;
use sockeye::worker::{Stop, Waker, Worker};

use super::{Desk, Note};
use crate::{
    Algorithm, Error, FilePath, Kind, Result, Version, digest::Hasher, home::Root, keep::locked,
    lookup, upload::writing::PIECE,
};

/// Files that wait; the oldest gives way to one more, and is computed when it is asked for.
const MOST: usize = 1024;

/// The nice value of the thread: it gets what nobody else wants.
const LOWEST_PRIORITY: i32 = 19;

/// A thread of the lowest priority, and what waits for it.
#[derive(Debug)]
pub(super) struct Later {
    files: Arc<Mutex<VecDeque<NewFile>>>,
    worker: Worker,
}

#[derive(Debug)]
struct NewFile {
    home: Arc<Root>,
    path: FilePath,
    version: Version,
}

impl Later {
    pub(super) fn start(desk: Arc<Desk>, writer: Waker) -> io::Result<Self> {
        let files = Arc::<Mutex<VecDeque<NewFile>>>::default();
        let waiting = Arc::clone(&files);
        let worker = Worker::start("sockeye-sha256", move |stop| {
            let own = Some(rustix::thread::gettid());
            if let Err(errno) = rustix::process::setpriority_process(own, LOWEST_PRIORITY) {
                tracing::debug!(%errno, "SHA-256 is computed at the usual priority");
            }
            while !stop.is_told() {
                let Some(file) = locked(&waiting).pop_front() else {
                    stop.rest(None);
                    continue;
                };
                match file.digest(stop) {
                    Ok(digest) => desk.note(Note::Known(file.version, digest), &writer),
                    // Changed, removed, or not to be read: whoever asks finds out.
                    Err(error) => tracing::debug!(%error, "SHA-256 is not computed beforehand"),
                }
            }
        })?;
        Ok(Self { files, worker })
    }

    pub(super) fn add(&self, home: &Arc<Root>, path: &FilePath, version: Version) {
        let mut files = locked(&self.files);
        if files.len() >= MOST {
            files.pop_front();
        }
        files.push_back(NewFile { home: Arc::clone(home), path: path.clone(), version });
        drop(files);
        self.worker.waker().wake();
    }
}

impl NewFile {
    fn digest(&self, stop: &Stop) -> Result<crate::Digest> {
        let (file, meta) = lookup::repeated(&self.home.fd, &self.path, lookup::reading)?;
        if meta.kind != Kind::File || meta.version() != self.version {
            return Err(Error::Changed);
        }
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut buf = vec![0; PIECE];
        let mut at = 0;
        while at < meta.size && !stop.is_told() {
            let n = retry_on_intr(|| rustix::io::pread(&file, &mut buf, at))?;
            if n == 0 {
                return Err(Error::Shrunk);
            }
            hasher.update(&buf[..n]);
            at += n as u64;
        }
        let now = crate::Meta::from_stat(&rustix::fs::fstat(&file)?).version();
        if at < meta.size || now != self.version {
            return Err(Error::Changed);
        }
        Ok(hasher.finish())
    }
}
