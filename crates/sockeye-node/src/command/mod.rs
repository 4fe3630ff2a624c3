//! Commands: every administrative verb, as it is carried out by who holds the data folder.
//!
//! The program makes a [`Command`] of its arguments; the running node carries it out, or, where none runs, the
//! program itself. Both answer the same.

mod account;
mod check;
mod commander;
mod orphans;
mod partials;
mod session;
mod share;
mod shared;
mod space;
mod status;
mod trash;
mod whose;

use serde::{Deserialize, Serialize};
use sockeye_accounts::{AccountAnswer, AccountCommand, AccountId, SharedId, SharedName};

pub use check::{Checked, HomeFault};
pub use commander::user_of_this_machine;
pub use orphans::Orphans;
pub use partials::{PartialsAnswer, PartialsCommand, Unfinished};
pub use session::{ActivityStatus, MAX_SESSIONS, SessionAnswer, SessionCommand, SessionStatus};
pub use share::{ShareAnswer, ShareCommand, ShareEnd, SharedLink, share_from};
pub use shared::{Access, SharedFolder};
pub use sockeye_accounts::Commander;
pub use space::{Held, Used};
pub use status::{JournalStatus, ListenerStatus, NotOpen, SpaceStatus, Status};
pub use trash::{Removed, TrashAnswer, TrashCommand};
pub use whose::Whose;

use crate::{
    Node,
    backup::Snapshot,
    certificate::Presented,
    config::{Changed, Held as HeldValue},
};

/// Characters of a path that are told in a list: a page has to fit into an answer, whatever the paths are.
const MAX_PATH: usize = 1024;

/// As much of a path as is told in a list.
fn beginning(path: &str) -> String {
    path.chars().take(MAX_PATH).collect()
}

/// What is to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Command {
    /// Tells how the node is.
    Status,
    /// Reads configuration and certificate again.
    Reload,
    /// Tells which configuration holds.
    Config,
    /// Something with sessions.
    Session(SessionCommand),
    /// Something with accounts or shared folders.
    Account(AccountCommand),
    /// Something with shares.
    Share(ShareCommand),
    /// Something with a home's trash.
    Trash {
        /// Which home's.
        of: Whose,
        /// What.
        what: TrashCommand,
    },
    /// Something with a home's uploads that are no files yet.
    Partials {
        /// Which home's.
        of: Whose,
        /// What.
        what: PartialsCommand,
    },
    /// Tells what a home holds.
    Space {
        /// Which.
        of: Whose,
    },
    /// Tells of many homes what they hold, as far as that is known without opening one.
    Used {
        /// Those of these accounts.
        accounts: Vec<AccountId>,
        /// These shared folders.
        shared: Vec<SharedId>,
    },
    /// Tells who may do what in a shared folder.
    SharedFolder(SharedName),
    /// Compares what homes are said to hold with what they hold.
    Check {
        /// One home; all if none is named.
        of: Option<Whose>,
        /// Whether what is found is mended.
        repair: bool,
    },
    /// Finds homes that belong to nobody any more.
    Orphans {
        /// Whether they are destroyed.
        destroy: bool,
    },
    /// Puts aside what a backup is made of.
    Snapshot,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Answer {
    /// To [`Command::Status`].
    Status(Box<Status>),
    /// To [`Command::Reload`].
    Reloaded(Reloaded),
    /// To [`Command::Config`].
    Config(Holding),
    /// To [`Command::Session`].
    Session(SessionAnswer),
    /// To [`Command::Account`].
    Account(AccountAnswer),
    /// To [`Command::Share`].
    Share(ShareAnswer),
    /// To [`Command::Trash`].
    Trash(TrashAnswer),
    /// To [`Command::Partials`].
    Partials(PartialsAnswer),
    /// To [`Command::Space`].
    Space(Held),
    /// To [`Command::Used`]: in their order, the accounts first.
    Used(Vec<Option<Used>>),
    /// To [`Command::SharedFolder`].
    SharedFolder(Box<SharedFolder>),
    /// To [`Command::Check`].
    Checked(Checked),
    /// To [`Command::Orphans`].
    Orphans(Orphans),
    /// To [`Command::Snapshot`].
    Snapshot(Snapshot),
}

/// The configuration that holds in a running node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Holding {
    /// Its process.
    pub pid: u32,
    /// Every value, in the order of the table.
    pub values: Vec<HeldValue>,
    /// What is wrong with the file as it is now, by which nothing can be taken up.
    pub fault: Option<String>,
}

/// What a reload did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reloaded {
    /// Values that differ, and whether they hold already.
    pub changed: Vec<Changed>,
    /// Listeners that were opened.
    pub opened: Vec<String>,
    /// Listeners that were closed.
    pub closed: Vec<String>,
    /// The certificate that is shown from now on; none if no listener has one, or it could not be read.
    pub certificate: Option<Presented>,
    /// Whether that is another one than before.
    pub renewed: bool,
    /// What could not be done, and why; everything else was.
    pub failed: Vec<String>,
    /// What is odd about the configuration.
    pub warnings: Vec<String>,
}

/// Why a command was not carried out: what a user is told, and the kind that decides the exit code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The kind.
    pub kind: RefusalKind,
    /// What went wrong, with what, and why.
    pub message: String,
    /// The way out, if there is one.
    pub hint: Option<String>,
}

/// The kind of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// Anything else.
    Failed,
    /// What was asked for makes no sense.
    Usage,
    /// It is not there.
    NotFound,
    /// It is not permitted.
    Denied,
    /// No space, or over quota.
    NoSpace,
}

impl Refusal {
    /// A refusal of this kind.
    #[must_use]
    pub fn new(kind: RefusalKind, message: impl ToString) -> Self {
        Self { kind, message: message.to_string(), hint: None }
    }

    /// With a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl ToString) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

/// Who carries commands out.
pub trait Execute: Send + Sync + 'static {
    /// Carries one out; the log says who gave it.
    ///
    /// # Errors
    /// [`Refusal`].
    ///
    /// # Cancel safety
    /// Not cancellation safe: what was begun may be done in part.
    fn execute(
        &self,
        command: Command,
        by: Commander,
    ) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

/// A node that listens nowhere.
impl Execute for Node {
    async fn execute(&self, command: Command, by: Commander) -> Result<Answer, Refusal> {
        let answer = match command {
            Command::Status | Command::Reload | Command::Config => {
                Err(Refusal::new(RefusalKind::NotFound, "no node runs on this data folder")
                    .hint("`sockeye serve` starts one"))
            }
            Command::Session(command) => {
                session::execute(self, command, &by).await.map(Answer::Session)
            }
            Command::Account(command) => {
                let answer = self.account_command(command, by).await;
                answer.map(Answer::Account).map_err(Refusal::from)
            }
            Command::Share(command) => share::execute(self, command, by).await.map(Answer::Share),
            Command::Trash { of, what } => {
                trash::execute(self, of, what, &by).await.map(Answer::Trash)
            }
            Command::Partials { of, what } => {
                partials::execute(self, of, what, &by).await.map(Answer::Partials)
            }
            Command::Space { of } => space::execute(self, &of).await.map(Answer::Space),
            Command::Used { accounts, shared } => {
                Ok(Answer::Used(space::used(self, accounts, shared).await))
            }
            Command::SharedFolder(name) => {
                let folder = shared::execute(self, name).await;
                folder.map(|folder| Answer::SharedFolder(Box::new(folder)))
            }
            Command::Check { of, repair } => {
                check::execute(self, of, repair, &by).await.map(Answer::Checked)
            }
            Command::Orphans { destroy } => {
                orphans::execute(self, destroy, &by).await.map(Answer::Orphans)
            }
            Command::Snapshot => self.snapshot(&by).await.map(Answer::Snapshot),
        };
        if answer.is_ok() {
            self.recorder().settle().await;
        }
        answer
    }
}

/// An error of the files, as a user is told of it.
impl From<crate::Error> for Refusal {
    fn from(error: crate::Error) -> Self {
        use std::io::ErrorKind;
        let message = error.to_string();
        let kind = match std::io::Error::from(error).kind() {
            ErrorKind::NotFound => RefusalKind::NotFound,
            ErrorKind::PermissionDenied => RefusalKind::Denied,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => RefusalKind::NoSpace,
            ErrorKind::InvalidInput => RefusalKind::Usage,
            _ => RefusalKind::Failed,
        };
        Self::new(kind, message)
    }
}
