//! What a list's first page and a login cost with few accounts and with many.
//!
//! `cargo run --release -p sockeye-accounts --example accounts_scale -- [--accounts 1000000] [--json]`
//!
//! Makes a file of 1,000 accounts and one of many, which are removed, times both and prints the ratios.
//! A login is timed as its look-up, and whole (with a hash at the default cost).

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

/// The time to fill it; medians.
struct Times {
    fill: Duration,
    page: Duration,
    look_up: Duration,
    login: Duration,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let many = match arguments.iter().position(|argument| argument == "--accounts") {
        Some(at) => arguments.get(at + 1).ok_or("--accounts takes a number")?.parse()?,
        None => 1_000_000,
    };
    let (few, lots) = (measure(FEW).await?, measure(many).await?);
    let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
    let rows = [
        ("first_page", few.page, lots.page),
        ("look_up", few.look_up, lots.look_up),
        ("login", few.login, lots.login),
    ];
    if arguments.iter().any(|argument| argument == "--json") {
        let row = |(name, few, lots): (&str, Duration, Duration)| {
            format!(
                "\"{name}\":{{\"few_us\":{},\"many_us\":{},\"ratio\":{:.3}}}",
                few.as_micros(),
                lots.as_micros(),
                ratio(lots, few)
            )
        };
        let rows = rows.map(row).join(",");
        println!("{{\"accounts\":{many},\"fill_ms\":{},{rows}}}", lots.fill.as_millis());
        return Ok(());
    }
    println!("{many} accounts made in {:.1?}", lots.fill);
    for (name, few, lots) in rows {
        println!(
            "{name:10} {few:>10.1?} with {FEW}, {lots:>10.1?} with {many}: {:.2}",
            ratio(lots, few)
        );
    }
    Ok(())
}

async fn measure(count: usize) -> Result<Times> {
    let folder = tempfile::tempdir()?;
    let source = Sqlite::open(folder.path().join("accounts.db")).await?;
    let begin = Instant::now();
    for from in (0..count).step_by(50_000) {
        let batch = (from..count.min(from + 50_000)).map(new);
        source.change(&Edit::Add(batch.collect::<Result<_>>()?)).await?;
    }
    let fill = begin.elapsed();
    let mut settings = Settings::default();
    settings.cache.entries = 0;
    let accounts = Accounts::new(source.clone(), settings, ());
    accounts
        .set_password(AccountId::from_bytes([0; 16]), NewPassword::Chosen(Secret::new(PASSWORD)))
        .await?;
    let (mut pages, mut look_ups, mut logins) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..2000 {
        let who = Who::Name(name(round * 7919 % count).parse()?);
        look_ups.push(timed(source.account(&who)).await?);
    }
    for _ in 0..200 {
        pages.push(timed(accounts.list(&AccountQuery::default())).await?);
    }
    let credentials = Credentials::password(name(0), PASSWORD);
    for _ in 0..20 {
        let attempt = Attempt { address: None, protocol: "example", now: Timestamp::now() };
        logins.push(timed(accounts.login(&credentials, &attempt)).await?);
    }
    accounts.close().await?;
    Ok(Times { fill, page: median(pages), look_up: median(look_ups), login: median(logins) })
}

/// In order, so that a million are made quickly; what is kept is the same in any order.
fn name(n: usize) -> String {
    format!("user{n:08}")
}

fn new(n: usize) -> Result<NewAccount> {
    Ok(NewAccount {
        id: AccountId::from_bytes((n as u128).to_be_bytes()),
        name: name(n).parse()?,
        role: Role::Member,
        quota: Quota::NONE,
        password: None,
        must_change: false,
        created: Timestamp::now(),
    })
}

async fn timed<T, E: Error + 'static>(
    work: impl Future<Output = std::result::Result<T, E>>,
) -> Result<Duration> {
    let begin = Instant::now();
    work.await?;
    Ok(begin.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
