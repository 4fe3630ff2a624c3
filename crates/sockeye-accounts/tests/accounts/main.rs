//! What holds of the accounts, whichever source they come from: each module is one subject.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod changes;
mod commands;
mod file;
mod import;
mod live;
mod login;
mod scale;
mod shares;
mod sign_ins;
mod source;
mod tokens;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
    time::Duration,
};

use sockeye_accounts::*;
use sockeye_testkit::soon;

/// A cost at which tests are quick; what bounds memory and time is tested with the real one.
fn cheap() -> HashCost {
    HashCost::new(64, 1, 1).unwrap()
}

/// Quick hashes, and no waiting after failed logins unless a test asks for it.
fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.cost = cheap();
    settings.back_off.first = Duration::ZERO;
    settings
}

fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

fn chosen(password: &str) -> NewPassword {
    NewPassword::Chosen(Secret::new(password))
}

/// An attempt over HTTP from an address of its own.
fn from(host: u8) -> Attempt<'static> {
    let address = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)));
    Attempt { address, protocol: "http", tls: false, now: Timestamp::now() }
}

/// Accounts in memory with an admin and a member; their passwords are `admin's password` and
/// `alice's password`.
async fn with_alice(settings: Settings) -> Accounts {
    let accounts = Accounts::new(Memory::new(), settings, ());
    populate(&accounts).await;
    accounts
}

async fn populate(accounts: &Accounts) {
    let quota = Quota::NONE;
    accounts.add(name("admin"), Role::Admin, quota, chosen("admin's password")).await.unwrap();
    accounts.add(name("alice"), Role::Member, quota, chosen("alice's password")).await.unwrap();
}

fn alice() -> Credentials {
    Credentials::password("alice", "alice's password")
}

/// Remembers what it is told.
#[derive(Clone, Debug, Default)]
struct Ear {
    changes: Arc<Mutex<Vec<Change>>>,
    commanders: Arc<Mutex<Vec<String>>>,
    refusals: Arc<Mutex<Vec<String>>>,
}

impl Observer for Ear {
    fn refused(&self, name: &str, attempt: &Attempt<'_>, refused: &Refused) {
        let line =
            format!("{name:?} over {} from {:?}: {refused:?}", attempt.protocol, attempt.address);
        self.refusals.lock().unwrap().push(line);
    }

    fn changed(&self, change: &Change, by: &Commander) {
        self.changes.lock().unwrap().push(change.clone());
        self.commanders.lock().unwrap().push(by.to_string());
    }
}
