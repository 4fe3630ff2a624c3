//! What a list's first page and a login cost with few accounts and with many.
//!
//! `cargo run --release -p sockeye-accounts --example accounts_scale -- [--accounts 1000000] [--json]`
//!
//! Makes a file of 1,000 accounts and one of many, which are removed, times both in turn and prints medians
//! and ratios. A login is timed as its look-up, and whole (with a hash at the default cost).

#![expect(clippy::print_stdout, reason = "it is a program")]

use std::{
    error::Error,
    time::{Duration, Instant},
};

use sockeye_accounts::{
    AccountId, AccountQuery, Accounts, Attempt, Credentials, Edit, NewAccount, NewPassword, Quota,
    Role, Secret, Settings, Source as _, Sqlite, Timestamp, Who,
};

const FEW: usize = 1000;
const PASSWORD: &str = "correct horse battery";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A file with this many accounts.
struct Filled {
    source: Sqlite,
    accounts: Accounts,
    count: usize,
    _folder: tempfile::TempDir,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let many = match arguments.iter().position(|argument| argument == "--accounts") {
        Some(at) => arguments.get(at + 1).ok_or("--accounts takes a number")?.parse()?,
        None => 1_000_000,
    };
    let both = [fill(FEW).await?, fill(many).await?];
    let rows = [
        ("first_page", in_turn(&both, 500, async |filled, _| filled.page().await).await?),
        ("look_up", in_turn(&both, 5000, Filled::look_up).await?),
        ("login", in_turn(&both, 50, async |filled, _| filled.login().await).await?),
    ];
    let json = arguments.iter().any(|argument| argument == "--json");
    let mut objects = Vec::new();
    for (name, [few, lots]) in rows {
        let ratio = lots.as_secs_f64() / few.as_secs_f64();
        if !json {
            println!("{name:10} {few:>9.1?} with {FEW}, {lots:>9.1?} with {many}: {ratio:.2}");
        }
        let (few, lots) = (few.as_micros(), lots.as_micros());
        objects.push(format!(
            "\"{name}_few_us\":{few},\"{name}_many_us\":{lots},\"{name}_ratio\":{ratio:.3}"
        ));
    }
    if json {
        println!("{{\"accounts\":{many},{}}}", objects.join(","));
    }
    Ok(())
}

async fn fill(count: usize) -> Result<Filled> {
    let folder = tempfile::tempdir()?;
    let source = Sqlite::open(folder.path().join("accounts.db")).await?;
    for from in (0..count).step_by(50_000) {
        let batch = (from..count.min(from + 50_000)).map(new);
        source.change(&Edit::Add(batch.collect::<Result<_>>()?)).await?;
    }
    let mut settings = Settings::default();
    settings.cache.entries = 0;
    let accounts = Accounts::new(source.clone(), settings, ());
    let password = NewPassword::Chosen(Secret::new(PASSWORD));
    accounts.set_password(AccountId::from_bytes([0; 16]), password).await?;
    Ok(Filled { source, accounts, count, _folder: folder })
}

impl Filled {
    async fn page(&self) -> Result<()> {
        self.accounts.list(&AccountQuery::default()).await?;
        Ok(())
    }

    async fn look_up(&self, round: usize) -> Result<()> {
        let who = Who::Name(name(round * 7919 % self.count).parse()?);
        self.source.account(&who).await?.ok_or("it is not there")?;
        Ok(())
    }

    async fn login(&self) -> Result<()> {
        let attempt =
            Attempt { address: None, protocol: "example", tls: false, now: Timestamp::now() };
        self.accounts.login(&Credentials::password(name(0), PASSWORD), &attempt).await?;
        Ok(())
    }
}

/// Does it with each in turn, so that what else the machine does slows both, and gives the medians.
async fn in_turn(
    both: &[Filled; 2],
    rounds: usize,
    work: impl AsyncFn(&Filled, usize) -> Result<()>,
) -> Result<[Duration; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for (filled, times) in both.iter().zip(&mut times) {
            let begin = Instant::now();
            work(filled, round).await?;
            times.push(begin.elapsed());
        }
    }
    times.iter_mut().for_each(|times| times.sort_unstable());
    Ok(times.map(|times| times[rounds / 2]))
}

/// In order, so that a million are made quickly; what is kept is the same in any order.
fn name(n: usize) -> String {
    format!("user{n:08}")
}

fn new(n: usize) -> Result<NewAccount> {
    let (id, name) = (AccountId::from_bytes((n as u128).to_be_bytes()), name(n).parse()?);
    let (role, quota, created) = (Role::Member, Quota::NONE, Timestamp::now());
    Ok(NewAccount { id, name, role, quota, password: None, must_change: false, created })
}
