//! Two hundred users at once, each of whom stores and fetches files for as long as it takes: no error, homes that hold what
//! is counted, a log that is whole and has it all.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Barrier, Semaphore},
    task::JoinSet,
};

use super::{
    super::{
        first_minute::{PASSWORD, with_password},
        node::Place,
        running::within,
    },
    client::{Client, Random, content},
    site::{Site, check_homes},
};

const USERS: u64 = 200;

/// Accounts that are added at once, and users that log in at once: of one address only some may wait for their passwords to
/// be hashed, and the rest is told to come again.
const ADDED_AT_ONCE: u64 = 8;
const COMING_AT_ONCE: usize = 8;

/// Room that each has: less than it stores in the end, so that what was replaced and deleted has to give way.
const QUOTA: &str = "6MiB";

/// Files that each has at most, and their length: one in sixteen is large.
const FILES: u64 = 4;
const SMALL: u64 = 64 << 10;
const LARGE: u64 = 1200 << 10;

/// What a user did.
#[derive(Clone, Copy, Default)]
struct Done {
    stored: usize,
    fetched: usize,
    deleted: usize,
}

impl std::ops::AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.stored += other.stored;
        self.fetched += other.fetched;
        self.deleted += other.deleted;
    }
}

/// Where users come in, and wait for one another.
struct Door {
    port: u16,
    coming: Semaphore,
    all_there: Barrier,
}

impl Door {
    async fn enter(&self, number: u64) -> Client {
        let coming = within(self.coming.acquire()).await.unwrap();
        let client = Client::log_in(self.port, &format!("user{number}"), PASSWORD).await.unwrap();
        drop(coming);
        within(self.all_there.wait()).await;
        client
    }
}

/// A user for so long, from the moment at which all are there.
async fn use_it(door: Arc<Door>, number: u64, time: Duration) -> Done {
    let mut client = door.enter(number).await;
    let (begun, mut random, mut done) = (Instant::now(), Random::new(number), Done::default());
    let mut files = BTreeMap::new();
    while begun.elapsed() < time || done.stored == 0 || done.fetched == 0 {
        let name = format!("file{}", random.below(FILES));
        match (files.get(&name), random.below(8)) {
            (Some(_), 0) => {
                client.expect(250, &format!("DELE {name}")).await.unwrap();
                files.remove(&name);
                done.deleted += 1;
            }
            (Some((stamp, length)), 1..=4) => {
                let fetched = client.fetch(&format!("RETR {name}")).await.unwrap();
                assert!(fetched == content(*stamp, *length), "user{number}: {name}");
                done.fetched += 1;
            }
            _ => {
                let most = if random.below(16) == 0 { LARGE } else { SMALL };
                let length = usize::try_from(random.below(most)).unwrap();
                let stamp = number << 32 | done.stored as u64;
                let bytes = content(stamp, length);
                client.store(&format!("STOR {name}"), &bytes, || {}).await.unwrap();
                files.insert(name, (stamp, length));
                done.stored += 1;
            }
        }
    }
    let listed = String::from_utf8(client.fetch("MLSD").await.unwrap()).unwrap();
    assert_eq!(listed.lines().count(), files.len(), "user{number}: {listed}");
    for (name, (_, length)) in files {
        assert_eq!(client.size(&name).await.unwrap(), Some(length), "user{number}: {name}");
    }
    client.quit().await.unwrap();
    done
}

/// Accounts for all of them, several at once.
async fn add_users(site: &Site) {
    for from in (0..USERS).step_by(usize::try_from(ADDED_AT_ONCE).unwrap()) {
        let adding = (from..USERS.min(from + ADDED_AT_ONCE)).map(async |number| {
            let name = format!("user{number}");
            let words = ["user", "add", &name, "--quota", QUOTA];
            with_password(&site.place, &words).await.done();
        });
        futures_util::future::join_all(adding).await;
    }
}

/// How many records there are of this operation, done over FTP.
async fn recorded(place: &Place, operation: &str) -> usize {
    let words = ["log", "--json", "--protocol", "ftp", "--outcome", "ok", "--op", operation];
    let log = place.run(&words).await.done();
    log.iter().filter(|byte| **byte == b'\n').count()
}

async fn crowd(time: Duration) -> String {
    let site = Site::new().await;
    add_users(&site).await;
    let door = Arc::new(Door {
        port: site.port("ftp"),
        coming: Semaphore::new(COMING_AT_ONCE),
        all_there: Barrier::new(usize::try_from(USERS).unwrap()),
    });
    let mut users = JoinSet::new();
    for number in 0..USERS {
        users.spawn(use_it(Arc::clone(&door), number, time));
    }
    let mut sum = Done::default();
    while let Some(done) = users.join_next().await {
        sum += done.unwrap();
    }
    // Both while they are open and once they are closed.
    check_homes(&site.place).await;
    let place = site.stop().await;
    let Done { stored, fetched, deleted } = sum;
    for (operation, done) in [("write", stored), ("read", fetched), ("remove", deleted)] {
        assert_eq!(recorded(&place, operation).await, done, "{operation}");
    }
    format!("{USERS} users: {stored} files stored, {fetched} fetched, {deleted} deleted")
}

#[tokio::test]
#[ignore = "soak: two hundred users, for twice as long as others take"]
async fn soak_two_hundred_users_at_once_over_ftp() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let told = crowd(Duration::from_secs(2 * seconds.unwrap_or(60))).await;
    println!("{told}");
}
