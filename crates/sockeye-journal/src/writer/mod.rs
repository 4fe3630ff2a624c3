//! The writer: the one thread that chains, writes and syncs batches, signs, rotates and removes.
//!
//! It never drops a line: a batch that cannot be written is kept and tried again until it can, and what
//! a failed write left is cut off first. Only closing gives up, after a stated time, and says so.

pub(crate) mod disk;
mod recovery;
mod retention;
mod segment;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io, mem,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use sockeye::worker::Stop;

use crate::{
    Result,
    batch::Batch,
    chain::Hash,
    head::Head,
    journal::{Open, Shared},
    key::SigningKey,
    operation::Operation,
    outcome::Outcome,
    record::micros,
    settings::Settings,
};
use disk::Disk;
use recovery::Recovered;
use retention::Removal;
use segment::Active;

/// How often a log in which something is written is signed at most.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// How often it is looked for old segments while nothing else happens.
const LOOK_FOR_OLD_EVERY: Duration = Duration::from_secs(3600);

/// How long the first pause is after a failed write, and how long pauses become.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What writes the log.
pub(crate) struct Writer {
    folder: PathBuf,
    settings: Settings,
    disk: Box<dyn Disk>,
    key: SigningKey,
    /// Held for as long as the log is written, so that nobody else does.
    _lock: File,
    /// None between two segments.
    active: Option<Active>,
    /// The number and the hash of the last line that was written.
    written: u64,
    hash: Hash,
    /// The digest of the last sealed segment's summary, for the first line of the next.
    sealed_summary: Hash,
    /// Whether lines were written since the last checkpoint.
    unsigned: bool,
    /// Whether lines were written since it last rested.
    busy: bool,
    signed_at: Instant,
    /// The head that the folder had.
    head: Option<Head>,
    /// What is removed once the batch that says so is written.
    removal: Option<Removal>,
    looked_for_old: Instant,
    /// The memory of the batch before.
    spare: Option<Batch>,
}

/// A batch that was taken.
struct Taken {
    batch: Batch,
    /// Whether it ends its segment.
    seals: bool,
    /// Whether it says that segments are removed.
    removes: bool,
}

impl Writer {
    /// Opens a log, and gives its first batch: with what there is to record of the opening.
    pub(crate) fn open(
        folder: &Path,
        settings: &Settings,
        mut disk: Box<dyn Disk>,
    ) -> Result<(Self, Batch)> {
        let Recovered { lock, key, head, tail, written, hash, sealed_summary, repair } =
            Recovered::of_folder(folder)?;
        let now = micros(SystemTime::now());
        let mut first = Batch::new(written + 1);
        let unsigned = tail.as_ref().is_some_and(|tail| !tail.signed);
        let active = match tail.filter(|tail| tail.length < settings.segment_size) {
            Some(tail) => {
                let path = tail.segment.path.clone();
                let length = tail.length;
                let resumed =
                    Active::resume(&mut *disk, tail.segment, length, tail.born, tail.summary);
                Some(resumed.map_err(crate::Error::at(path))?)
            }
            None => {
                first.push_header(now);
                None
            }
        };
        if let Some(repair) = repair {
            tracing::warn!(
                cut = repair.cut,
                lost = repair.lost,
                "the log was torn: {}",
                repair.why
            );
            let outcome = if repair.failed { Outcome::Failed } else { Outcome::Ok };
            first.push_repair(now, outcome, repair.cut, repair.lost, repair.why);
        }
        let now = Instant::now();
        let mut writer = Self {
            folder: folder.to_owned(),
            settings: settings.clone(),
            disk,
            key,
            _lock: lock,
            active,
            written,
            hash,
            sealed_summary,
            unsigned,
            busy: false,
            signed_at: now,
            head,
            removal: None,
            looked_for_old: now,
            spare: None,
        };
        writer.look_for_old();
        Ok((writer, first))
    }

    /// The number of the last line that was written.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// The newest head.
    pub(crate) const fn head(&self) -> Option<Head> {
        self.head
    }

    /// Writes until it is told to stop and nothing is left.
    pub(crate) fn run(mut self, shared: &Arc<Shared>, stop: &Stop) {
        while let Some(taken) = self.next(shared, stop) {
            if !self.commit(shared, stop, taken) {
                return;
            }
        }
        if let Some(active) = self.active.take() {
            // For the next start, which then has no need to read the segment.
            self.store_summary(&active);
        }
    }

    /// Rests until there is something to write, and takes it; nothing once all is written and it was
    /// told to stop.
    fn next(&mut self, shared: &Shared, stop: &Stop) -> Option<Taken> {
        loop {
            let ending = stop.is_told();
            let now = Instant::now();
            if now.duration_since(self.looked_for_old) >= LOOK_FOR_OLD_EVERY {
                self.look_for_old();
            }
            let mut open = shared.open();
            open.closed |= ending;
            match self.rest(&open, now, ending) {
                Rest::None => {
                    let taken = self.take(&mut open, now, ending);
                    let is_awaited = mem::take(&mut open.is_awaited);
                    drop(open);
                    if is_awaited {
                        shared.tell_of_room();
                    }
                    return Some(taken);
                }
                Rest::ForEver => return None,
                Rest::For(time) => {
                    // Where something was just written, more is to be expected: that is waited for in a short rest,
                    // from which a first line need not wake it.
                    let is_busy = mem::take(&mut self.busy);
                    let time = if is_busy { time.min(self.settings.interval) } else { time };
                    open.writer_rests = time > self.settings.interval;
                    drop(open);
                    stop.rest(Some(time));
                }
            }
        }
    }

    /// How long it can rest before it has to take the batch.
    fn rest(&self, open: &Open, now: Instant, ending: bool) -> Rest {
        let is_empty = open.batch.bytes.is_empty();
        let told = open.gaps.iter().any(|count| *count > 0);
        if ending {
            let is_done = is_empty && !self.unsigned && !told;
            return if is_done { Rest::ForEver } else { Rest::None };
        }
        let half_full = open.batch.bytes.len() >= self.settings.batch / 2;
        if half_full || open.wanted || open.wants_checkpoint || told || self.removal.is_some() {
            return Rest::None;
        }
        let batch = open.began.map(|began| began + self.settings.interval);
        let checkpoint = self.unsigned.then(|| self.signed_at + CHECKPOINT_EVERY);
        let old = self.looked_for_old + LOOK_FOR_OLD_EVERY;
        let due = batch.into_iter().chain(checkpoint).fold(old, Instant::min);
        match due.saturating_duration_since(now) {
            Duration::ZERO => Rest::None,
            time => Rest::For(time),
        }
    }

    /// Takes the open batch, with what the journal has to say itself, and leaves an empty one.
    fn take(&mut self, open: &mut Open, now: Instant, ending: bool) -> Taken {
        let micros = micros(SystemTime::now());
        if open.gaps.iter().any(|count| *count > 0) {
            let gaps = mem::replace(&mut open.gaps, [0; Operation::COUNT]);
            open.batch.push_gap(micros, &gaps);
        }
        let removes = self.removal.as_ref().map(|removal| {
            open.batch.push_retention(micros, removal.first, removal.bytes);
        });
        let seals = self.is_full_with(&open.batch);
        let is_due = now.duration_since(self.signed_at) >= CHECKPOINT_EVERY;
        let is_wanted = open.wants_checkpoint || removes.is_some() || seals || ending;
        let is_unsigned = self.unsigned || !open.batch.bytes.is_empty();
        if open.wants_checkpoint || (is_unsigned && (is_due || is_wanted)) {
            open.batch.push_checkpoint(micros, self.key.public());
        }
        let next = open.batch.next;
        let mut spare = self.spare.take().unwrap_or_else(|| Batch::new(next));
        spare.restart(next);
        let batch = mem::replace(&mut open.batch, spare);
        // At the end there may be no next segment.
        let continues = seals && !ending;
        if continues {
            open.batch.push_header(micros);
        }
        open.began = continues.then_some(now);
        (open.wanted, open.wants_checkpoint, open.writer_rests) = (false, false, false);
        Taken { batch, seals, removes: removes.is_some() }
    }

    /// Whether the segment ends with this batch.
    fn is_full_with(&self, batch: &Batch) -> bool {
        let (length, age) = self.active.as_ref().map_or((0, Duration::ZERO), |active| {
            // A clock that was set back makes nothing old.
            (active.length, active.born.elapsed().unwrap_or_default())
        });
        let size = length + batch.bytes.len() as u64;
        size >= self.settings.segment_size || age >= self.settings.segment_age
    }

    /// Writes a batch, however long that takes; false if it was told to stop and gave up.
    fn commit(&mut self, shared: &Shared, stop: &Stop, mut taken: Taken) -> bool {
        let hash = taken.batch.chain(self.hash, self.sealed_summary, &self.key);
        let mut pause = FIRST_PAUSE;
        let mut told_at = None;
        while let Err(error) = self.write(&taken.batch) {
            let path = self.active.as_ref().map_or(&self.folder, |active| &active.segment.path);
            let why = format!("{}: {error}", path.display());
            if shared.stall(why.as_str().into()) {
                tracing::error!("the log cannot be written: {why}");
            }
            if stop.is_told() {
                let told_at: &mut Instant = told_at.get_or_insert_with(Instant::now);
                // A folder that is gone does not come back by waiting.
                let is_gone = error.kind() == io::ErrorKind::NotFound && !self.folder.exists();
                if is_gone || told_at.elapsed() >= self.settings.longest_wait {
                    self.give_up(shared, &taken.batch);
                    return false;
                }
            }
            rest(stop, pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.hash = hash;
        self.written = taken.batch.next - 1;
        self.unsigned = !taken.batch.is_signed();
        if shared.recovered() {
            tracing::info!("the log is written again");
        }
        self.busy = true;
        shared.written.tell(self.written);
        self.after(shared, &taken);
        self.spare = Some(taken.batch);
        true
    }

    /// One try.
    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let active = match &mut self.active {
            Some(active) => active,
            none => none.insert(Active::create(&mut *self.disk, &self.folder, batch.first)?),
        };
        active.write(batch, &mut *self.disk, self.settings.sync)
    }

    /// What follows once a batch is written.
    fn after(&mut self, shared: &Shared, taken: &Taken) {
        if taken.batch.is_signed() {
            self.signed_at = Instant::now();
            let head = Head { seq: self.written, hash: self.hash, key: self.key.public() };
            if let Err(error) = head.keep(&self.folder, &self.key, self.settings.sync) {
                tracing::warn!(%error, "the head of the log cannot be written");
            }
            self.head = Some(head);
            shared.head.send_replace(Some(head));
        }
        if taken.removes
            && let Some(removal) = self.removal.take()
        {
            removal.carry_out();
        }
        if taken.seals
            && let Some(active) = self.active.take()
        {
            self.sealed_summary = self.store_summary(&active);
            self.look_for_old();
        }
    }

    /// Writes the summary of a segment, and gives its digest: zeros if there is none.
    fn store_summary(&self, active: &Active) -> Hash {
        let stored = active.summary.store(&active.segment, active.length);
        stored.unwrap_or_else(|error| {
            tracing::warn!(%error, "no summary of {}", active.segment.name());
            // Not that of an earlier length, which the next first line would not name.
            let _ = std::fs::remove_file(active.segment.summary());
            Hash::ZERO
        })
    }

    fn look_for_old(&mut self) {
        self.looked_for_old = Instant::now();
        match Removal::due(&self.folder, &self.settings) {
            Ok(removal) => self.removal = removal,
            Err(error) => tracing::warn!(%error, "it cannot be told which segments are old"),
        }
    }

    /// Says how many lines are lost.
    fn give_up(&self, shared: &Shared, batch: &Batch) {
        let open = shared.open();
        let lines = open.batch.next.max(batch.next) - 1 - self.written;
        tracing::error!(lines, "the log could not be written until the end");
        *shared.unwritten.lock().unwrap_or_else(PoisonError::into_inner) = Some(lines);
    }
}

/// How long the writer can rest.
enum Rest {
    None,
    For(Duration),
    /// There is nothing left to do.
    ForEver,
}

/// Rests for the whole time, whoever wakes it meanwhile; once it is told to stop, in short steps.
fn rest(stop: &Stop, time: Duration) {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        if stop.is_told() {
            // Its rests end at once now.
            thread::sleep(left.min(FIRST_PAUSE));
            return;
        }
        stop.rest(Some(left));
    }
}
