//! No secret is shown: not by `Debug`, an error, a log line, or the file. Alone in its program, as it
//! listens to all that is logged, on every thread.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use sockeye_accounts::*;
use tracing_subscriber::fmt::MakeWriter;

const PASSWORD: &str = "Xylophone-7-quartz";
const WRONG: &str = "Zeppelin-8-marble";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Remembers the refusals and changes that it is told of, as they show themselves.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<String>>>);

impl Observer for Ear {
    fn refused(&self, name: &str, attempt: &Attempt<'_>, refused: &Refused) {
        self.0.lock().unwrap().push(format!("{name} {attempt:?} {refused:?}"));
    }

    fn changed(&self, change: &Change, by: &Commander) {
        self.0.lock().unwrap().push(format!("{change:?} {change} {by:?}"));
    }
}

#[tokio::test]
async fn no_secret_is_in_what_is_shown_logged_or_kept() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let source = Sqlite::open(folder.path().join("accounts.db")).await.unwrap();
    let ear = Ear::default();
    let mut settings = Settings::default();
    settings.cost = HashCost::new(64, 1, 1).unwrap();
    let accounts = Accounts::new(source, settings, ear.clone());
    let mut shown = Vec::new();

    let password = PasswordChoice::Chosen { password: Secret::new(PASSWORD), must_change: false };
    let (role, quota) = (Role::Member, Quota::NONE.into());
    let alice: AccountName = "alice".parse().unwrap();
    let add = AccountCommand::Add { name: alice.clone(), role, quota, password };
    shown.push(format!("{add:?}"));
    shown.push(format!("{:?}", accounts.execute(add).await.unwrap()));
    let create = AccountCommand::CreateToken {
        name: alice.clone(),
        label: "backup".to_owned(),
        prefix: Prefix::root(),
        rights: Rights::ALL,
        protocols: Protocols::ANY,
        expires: None,
    };
    let answer = accounts.execute(create).await.unwrap();
    shown.push(format!("{answer:?}"));
    let AccountAnswer::NewToken { secret, .. } = answer else { panic!("no token") };
    let token = secret.expose().to_owned();

    let attempt = Attempt { address: None, protocol: "http", tls: false, now: Timestamp::now() };
    for credentials in [
        Credentials::password("alice", PASSWORD),
        Credentials::password("alice", WRONG),
        Credentials::password("nobody", WRONG),
        Credentials::token(&token),
        Credentials::token(token.replace("sockeye_", "sockeye_a")),
    ] {
        let login = accounts.login(&credentials, &attempt).await;
        shown.push(format!("{credentials:?} {login:?}"));
        if let Err(error) = login {
            shown.push(error.to_string());
        }
    }
    let short = NewPassword::Chosen(Secret::new("short-q"));
    let error = accounts.set_password(&alice, short).await.unwrap_err();
    shown.push(format!("{error} {error:?}"));
    shown.push(format!("{accounts:?}"));
    shown.extend(ear.0.lock().unwrap().iter().cloned());
    accounts.close().await.unwrap();
    shown.push(String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned());
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        shown.push(String::from_utf8_lossy(&bytes).into_owned());
    }

    let shown = shown.join("\n");
    assert!(shown.contains("alice") && shown.contains("SELECT"), "this is not everything");
    for secret in [PASSWORD, WRONG, "short-q", token.strip_prefix("sockeye_").unwrap()] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}
