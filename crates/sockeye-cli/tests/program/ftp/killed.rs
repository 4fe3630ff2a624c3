//! A node that is killed again and again while files come over FTP: what was answered is there, what was cut is gone on
//! with, by FTP or HTTP, and comes out whole.

use std::{collections::BTreeMap, io, sync::Arc};

use tokio::{io::AsyncWriteExt as _, sync::Semaphore, task::JoinSet};

use super::{
    super::running::within,
    client::{Client, PIECE, Random, content},
    site::{Site, check_homes},
};

/// Sessions that store one file after the other, beside the one whose file never ends.
const SESSIONS: u64 = 4;

/// How many kills the short form makes, and the long form for each minute that it is given.
const FEW: u64 = 3;
const MANY: u64 = 40;

/// The file that never ends: it is sent but for its last byte.
const ENDLESS: &str = "endless";
const ENDLESS_LENGTH: usize = 6 << 20;

/// From how much on there is something on the disk to go on with: a MiB, and what is still in memory.
const WORTH_IT: usize = 2 << 20;

/// What is in the name of a file that is stored once.
const NEW: &str = "new";

/// A file as it follows from its stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamped {
    stamp: u64,
    length: usize,
}

impl Stamped {
    fn content(self) -> Vec<u8> {
        content(self.stamp, self.length)
    }
}

/// What a session knows of its files.
#[derive(Default)]
struct Known {
    stored: BTreeMap<String, Stamped>,
    /// What was not answered yet.
    pending: Option<(String, Stamped)>,
    /// How many were answered.
    answered: BTreeMap<String, usize>,
}

impl Known {
    fn done(&mut self) {
        let (name, stamped) = self.pending.take().expect("what was stored");
        *self.answered.entry(name.clone()).or_default() += 1;
        self.stored.insert(name, stamped);
    }
}

/// What went on with one kill after the other.
#[derive(Debug, Default)]
struct Tally {
    resumed_by_ftp: usize,
    resumed_by_http: usize,
    checked: usize,
}

/// Stores files until the connection is lost, which it gives; tells of each piece.
async fn store_on(
    client: &mut Client,
    known: &mut Known,
    session: u64,
    round: u64,
    pieces: &Semaphore,
) -> io::Error {
    let mut random = Random::new(round * 1000 + session);
    for count in 0.. {
        let stamp = round << 40 | session << 32 | count;
        let (name, length) = match random.below(4) {
            // Nothing is there yet, so that it can be gone on with.
            0 => (format!("s{session}-{NEW}-{stamp}"), (1 << 20) + random.below(3 << 20)),
            _ => (format!("s{session}-{}", random.below(5)), random.below(200 << 10)),
        };
        let stamped = Stamped { stamp, length: usize::try_from(length).unwrap() };
        known.pending = Some((name.clone(), stamped));
        let sent = || pieces.add_permits(1);
        match client.store(&format!("STOR {name}"), &stamped.content(), sent).await {
            Ok(()) => known.done(),
            Err(lost) => return lost,
        }
    }
    unreachable!("it ends with the connection")
}

/// Sends the file that never ends, and tells once enough of it came.
async fn store_without_end(
    client: &mut Client,
    endless: Stamped,
    enough: &Semaphore,
) -> io::Result<()> {
    let whole = endless.content();
    let mut data = client.begin(&format!("STOR {ENDLESS}")).await?;
    let (first, rest) = whole[..endless.length - 1].split_at(WORTH_IT);
    within(data.write_all(first)).await?;
    client.came(WORTH_IT).await?;
    enough.add_permits(1);
    for piece in rest.chunks(PIECE) {
        within(data.write_all(piece)).await?;
        client.expect(200, "NOOP").await?;
    }
    std::future::pending().await
}

/// Has files stored, kills the server at a random moment, and starts another one.
async fn run_until_killed(site: Site, all: &mut Vec<Known>, round: u64, pieces: u32) -> Site {
    let (sent, enough) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let mut running = JoinSet::new();
    for (session, mut known) in (0..).zip(std::mem::take(all)) {
        let (mut client, sent) = (site.client().await, Arc::clone(&sent));
        running.spawn(async move {
            store_on(&mut client, &mut known, session, round, &sent).await;
            (session, known)
        });
    }
    let (mut client, told) = (site.client().await, Arc::clone(&enough));
    let mut endless = JoinSet::new();
    endless.spawn(async move { store_without_end(&mut client, of_round(round), &told).await });
    let _ = within(enough.acquire()).await.unwrap();
    sent.forget_permits(usize::MAX);
    let _ = within(sent.acquire_many(pieces)).await.unwrap();
    let site = site.kill_and_start().await;
    // Each has seen that its connection was lost.
    let mut ended: Vec<_> = within(running.join_all()).await;
    ended.sort_by_key(|(session, _)| *session);
    all.extend(ended.into_iter().map(|(_, known)| known));
    endless.shutdown().await;
    site
}

fn of_round(round: u64) -> Stamped {
    Stamped { stamp: !round, length: ENDLESS_LENGTH }
}

/// Whether this file is there, whole.
async fn has(client: &mut Client, name: &str, stamped: Stamped) -> bool {
    if client.ask(&format!("MLST {name}")).await.unwrap().starts_with("550") {
        return false;
    }
    client.fetch(&format!("RETR {name}")).await.unwrap() == stamped.content()
}

/// Looks for what was answered, and goes on with what was not.
async fn check(site: &Site, known: &mut Known, tally: &mut Tally) {
    let mut client = site.client().await;
    if let Some((name, stamped)) = known.pending.take() {
        if has(&mut client, &name, stamped).await {
            // Only the answer was lost.
            known.stored.insert(name, stamped);
        } else if !known.stored.contains_key(&name)
            && let Some(offset) = client.size(&name).await.unwrap()
        {
            go_on(site, &mut client, &name, stamped, offset, tally).await;
            known.stored.insert(name, stamped);
        }
    }
    for (name, stamped) in &known.stored {
        assert!(has(&mut client, name, *stamped).await, "{name} was answered: {stamped:?}");
        tally.checked += 1;
    }
    for (name, _) in known.stored.extract_if(.., |name, _| name.contains(NEW)) {
        client.expect(250, &format!("DELE {name}")).await.unwrap();
    }
    client.quit().await.unwrap();
}

/// Goes on where it was cut, over each protocol in its turn, and looks at the whole.
async fn go_on(
    site: &Site,
    client: &mut Client,
    name: &str,
    stamped: Stamped,
    offset: usize,
    tally: &mut Tally,
) {
    let whole = stamped.content();
    assert!((1 << 20..=whole.len()).contains(&offset), "{name}: {offset} of {}", whole.len());
    let rest = &whole[offset..];
    if tally.resumed_by_ftp > tally.resumed_by_http {
        by_http(site, name, rest, whole.len()).await;
        tally.resumed_by_http += 1;
    } else if tally.resumed_by_ftp.is_multiple_of(2) {
        client.expect(350, &format!("REST {offset}")).await.unwrap();
        client.store(&format!("STOR {name}"), rest, || {}).await.unwrap();
        tally.resumed_by_ftp += 1;
    } else {
        client.store(&format!("APPE {name}"), rest, || {}).await.unwrap();
        tally.resumed_by_ftp += 1;
    }
    client.expect(200, "OPTS HASH BLAKE3").await.unwrap();
    let told = client.expect(213, &format!("HASH {name}")).await.unwrap();
    assert!(told.contains(&blake3::hash(&whole).to_string()), "{told}");
    assert!(has(client, name, stamped).await, "{name} was resumed at {offset}");
}

/// Sends the rest of an upload as tus has it.
async fn by_http(site: &Site, name: &str, rest: &[u8], length: usize) {
    let uploads = site.uploads().await;
    let path = format!("/{name}");
    let upload = uploads.iter().find(|upload| upload["path"] == path.as_str()).unwrap();
    let at = format!("PATCH /-/tus/home/{}", upload["id"].as_str().unwrap());
    let offset = format!("Upload-Offset: {}", upload["offset"]);
    let length = format!("Upload-Length: {length}");
    let kind = "Content-Type: application/offset+octet-stream";
    let fields = ["Tus-Resumable: 1.0.0", kind, &offset, &length];
    assert_eq!(site.http(&at, &fields, rest).await.status, 204);
}

/// Another run has other moments; a failure tells its seed.
fn seed() -> u64 {
    let seed = std::env::var("SOCKEYE_CRASH_SEED").ok().and_then(|text| text.parse().ok());
    seed.unwrap_or_else(|| u64::from(std::process::id()))
}

async fn kill_again_and_again(seed: u64, kills: u64) -> String {
    let mut random = Random::new(seed);
    let (mut site, mut tally) = (Site::new().await, Tally::default());
    // What is replaced and deleted gives way.
    site.place.run(&["user", "quota", "alice", "256MiB"]).await.done();
    let mut all: Vec<_> = (0..SESSIONS).map(|_| Known::default()).collect();
    for round in 0..kills {
        let pieces = u32::try_from(random.below(200)).unwrap();
        site = run_until_killed(site, &mut all, round, pieces).await;
        for known in &mut all {
            check(&site, known, &mut tally).await;
        }
        let mut client = site.client().await;
        let offset = client.size(ENDLESS).await.unwrap().expect("what came of it");
        go_on(&site, &mut client, ENDLESS, of_round(round), offset, &mut tally).await;
        client.expect(250, &format!("DELE {ENDLESS}")).await.unwrap();
        client.quit().await.unwrap();
        check_homes(&site.place).await;
    }
    let place = site.stop().await;
    let words = ["log", "--json", "--op", "write", "--protocol", "ftp", "--outcome", "ok"];
    let log = String::from_utf8(place.run(&words).await.done()).unwrap();
    let mut recorded: BTreeMap<String, usize> = BTreeMap::new();
    for line in log.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        *recorded.entry(record["path"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let mut stored = 0;
    for (name, answered) in all.iter().flat_map(|known| &known.answered) {
        let recorded = recorded.get(&format!("/{name}")).copied().unwrap_or_default();
        assert!(recorded >= *answered, "{name}: {answered} were answered, {recorded} recorded");
        stored += answered;
    }
    format!("{kills} kills, {stored} files stored, {tally:?}: nothing lost")
}

#[tokio::test]
async fn nothing_is_lost_over_ftp_when_the_node_is_killed() {
    let seed = seed();
    println!("SOCKEYE_CRASH_SEED={seed}");
    kill_again_and_again(seed, FEW).await;
}

#[tokio::test]
#[ignore = "soak: forty kills a minute"]
async fn soak_nothing_is_lost_over_ftp_when_the_node_is_killed() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let seed = seed();
    println!("SOCKEYE_CRASH_SEED={seed}");
    let kills = (MANY * seconds.unwrap_or(60_u64)).div_ceil(60);
    let told = kill_again_and_again(seed, kills).await;
    println!("{told}");
}
