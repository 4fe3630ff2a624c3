//! A node for tests of protocols: accounts in memory, hashed cheaply, homes and a journal in a folder that goes
//! with it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use sockeye::{Handler, Limits, Server};
use sockeye_accounts::{
    Account, AccountName, Accounts, Grant, HashCost, Memory, NewPassword, NewToken, Quota, Secret,
    Settings, Source,
};
use sockeye_journal::Journal;
use sockeye_node::{Gate, Homes, Keeping, Marks, RESERVED, Recorder, Role};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::running::Running;

/// A node in a temporary folder, on a runtime of its own.
#[derive(Debug)]
pub struct TempNode {
    // Its tasks end before the folder goes.
    runtime: Option<Runtime>,
    gate: Arc<Gate>,
    folder: TempDir,
}

impl TempNode {
    /// A node with an administrator `root`, the members `alice` and `bob`, and the guest `gast`; nothing is
    /// public.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// As [`TempNode::new`], with what `set` changes of how accounts and homes are kept.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn with(set: impl FnOnce(&mut Settings, &mut Keeping)) -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
        let log = sockeye_journal::Settings::default();
        let gate = runtime.block_on(async { open_gate(folder.path(), Memory::new(), log, set) });
        let node = Self { runtime: Some(runtime), gate, folder };
        for (name, role) in [
            ("root", Role::Admin),
            ("alice", Role::Member),
            ("bob", Role::Member),
            ("gast", Role::Guest),
        ] {
            node.add(name, role);
        }
        node
    }

    /// The gate, for a protocol's handler.
    #[must_use]
    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// Runs something of the node's to its end.
    ///
    /// # Panics
    /// Never, as long as it is not called on a runtime.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("a runtime").block_on(work)
    }

    /// Adds an account with its [`password`] and no quota.
    ///
    /// # Panics
    /// If there can be none of that name.
    pub fn add(&self, name: &str, role: Role) -> Account {
        let password = NewPassword::Chosen(Secret::new(password(name)));
        let adding = self.gate.accounts().add(account(name), role, Quota::NONE, password);
        self.block_on(adding).expect("an account")
    }

    /// Grants rights, such as `read,list`, to an account below a path, such as `/shared/team`.
    ///
    /// # Panics
    /// If one of them is none.
    pub fn grant(&self, name: &str, prefix: &str, rights: &str) {
        let (prefix, rights) = (prefix.parse().expect("a path"), rights.parse().expect("rights"));
        let (name, grant) = (account(name), Grant { prefix, rights });
        self.block_on(self.gate.accounts().grant(&name, grant)).expect("an account");
    }

    /// Makes a shared folder without a quota.
    ///
    /// # Panics
    /// If there can be none of that name.
    pub fn share(&self, folder: &str) {
        let name = folder.parse().expect("a shared folder's name");
        self.block_on(self.gate.accounts().add_shared(name, Quota::NONE)).expect("a folder");
    }

    /// Lets an account use so many bytes.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn set_quota(&self, name: &str, bytes: u64) {
        let (name, quota) = (account(name), Quota { bytes: Some(bytes), ..Quota::NONE });
        self.block_on(self.gate.accounts().set_quota(&name, quota)).expect("an account");
    }

    /// Gives an account this password in place of [its own](password).
    ///
    /// # Panics
    /// If there is no such account, or the password is none.
    pub fn set_password(&self, name: &str, password: &str) {
        let (name, password) = (account(name), NewPassword::Chosen(Secret::new(password)));
        self.block_on(self.gate.accounts().set_password(&name, password)).expect("an account");
    }

    /// Locks an account.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn lock(&self, name: &str) {
        self.block_on(self.gate.accounts().lock(&account(name))).expect("an account");
    }

    /// Makes a token of an account for one protocol, with rights, such as `read,list`, below a path; gives its
    /// text, and what revokes it.
    ///
    /// # Panics
    /// If there can be no such token.
    pub fn token(
        &self,
        name: &str,
        protocol: &str,
        prefix: &str,
        rights: &str,
    ) -> (String, impl FnOnce() + use<'_>) {
        let (prefix, rights) = (prefix.parse().expect("a path"), rights.parse().expect("rights"));
        let protocols = protocol.parse().expect("a protocol");
        let label = "a program".to_owned();
        let new = NewToken { label, prefix, rights, protocols, expires: None };
        let name = account(name);
        let made = self.block_on(self.gate.accounts().create_token(&name, new));
        let (token, secret) = made.expect("a token");
        let revoke = move || {
            let revoking = self.gate.accounts().revoke_token(&name, token.id);
            self.block_on(revoking).expect("the token");
        };
        (secret.expose().to_owned(), revoke)
    }

    /// The folder with the files of an account's home, which is there once it was used.
    ///
    /// # Panics
    /// If there is no such account.
    #[must_use]
    pub fn home(&self, name: &str) -> PathBuf {
        let name = account(name);
        let account = self.block_on(self.gate.accounts().find(&name)).expect("an account");
        self.folder.path().join("homes").join(account.id.to_string()).join("files")
    }

    /// The folder with the public files, which is there once it was used.
    #[must_use]
    pub fn public(&self) -> PathBuf {
        self.folder.path().join("public").join("files")
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Serves it beside the test, over TCP on any port.
    ///
    /// # Panics
    /// If it cannot be served.
    #[must_use]
    pub fn serve(&self, handler: impl Handler) -> Running {
        self.serve_at("tcp://127.0.0.1:0", Limits::default(), handler)
    }

    /// As [`TempNode::serve`], at this address and within these limits.
    ///
    /// # Panics
    /// If it cannot be served.
    #[must_use]
    pub fn serve_at(&self, address: &str, limits: Limits, handler: impl Handler) -> Running {
        let server = Server::bind(address).expect("a listener");
        Running::start(server.workers(1).limits(limits).with(handler))
    }

    /// The journal's records of an operation, such as `write`, in their order.
    ///
    /// # Panics
    /// If they cannot be read.
    #[must_use]
    pub fn records(&self, operation: &str) -> Vec<Value> {
        self.block_on(self.gate.journal().checkpoint()).expect("a checkpoint");
        let folder = fs::read_dir(self.folder.path().join("journal")).expect("the journal");
        let mut segments: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
        segments.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        segments.sort();
        let text: String =
            segments.iter().map(|path| fs::read_to_string(path).expect("a segment")).collect();
        let records = text.lines().map(|line| serde_json::from_str(line).expect("a record"));
        records.filter(|record: &Value| record["op"] == operation).collect()
    }
}

impl Default for TempNode {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempNode {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(crate::program::PATIENCE);
        }
    }
}

/// Opens the gate of a node in `folder`, whose changes are carried out on the current runtime: accounts from
/// `source`, hashed cheaply, a journal kept as `log` says, and what `set` changes of how accounts and homes are kept.
///
/// # Panics
/// If the journal cannot be opened, or outside a runtime.
pub fn open_gate(
    folder: &Path,
    source: impl Source + 'static,
    log: sockeye_journal::Settings,
    set: impl FnOnce(&mut Settings, &mut Keeping),
) -> Arc<Gate> {
    let mut settings = Settings::default();
    settings.cost = HashCost::new(8, 1, 1).expect("a cost");
    let mut keeping = Keeping::default();
    keeping.reserved = &RESERVED;
    keeping.marks = Some(Marks::open(&folder.join("marks.db")).expect("properties and locks"));
    set(&mut settings, &mut keeping);
    let journal = Journal::open(&folder.join("journal"), log).expect("a journal");
    let recorder = Recorder::new(journal);
    let accounts = Accounts::new(source, settings, recorder.clone());
    Gate::new(accounts, Homes::new(folder.to_owned(), keeping, 16), &recorder)
}

/// The password of an account of a [`TempNode`].
#[must_use]
pub fn password(name: &str) -> String {
    format!("{name} has this password")
}

fn account(name: &str) -> AccountName {
    name.parse().expect("an account's name")
}
