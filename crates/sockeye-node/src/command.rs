//! Commands: every administrative verb, as it is carried out by who holds the data folder.
//!
//! The program makes a [`Command`] of its arguments; the running node carries it out, or, where none runs, the
//! program itself. Both answer the same.

use serde::{Deserialize, Serialize};

use crate::{Node, config::Changed};

/// What is to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Command {
    /// Tells how the node is.
    Status,
    /// Reads configuration and certificate again.
    Reload,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Answer {
    /// To [`Command::Status`].
    Status(Status),
    /// To [`Command::Reload`].
    Reloaded(Reloaded),
}

/// How a running node is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Its process.
    pub pid: u32,
    /// Its program's version.
    pub version: String,
    /// Seconds since it was started.
    pub seconds: u64,
    /// Its listeners as they are configured, each with its addresses.
    pub listeners: Vec<(String, Vec<String>)>,
    /// Connections that are open.
    pub connections: u64,
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
    /// Carries one out.
    ///
    /// # Errors
    /// [`Refusal`].
    ///
    /// # Cancel safety
    /// Not cancellation safe: what was begun may be done in part.
    fn execute(&self, command: Command) -> impl Future<Output = Result<Answer, Refusal>> + Send;
}

/// A node that listens nowhere.
impl Execute for Node {
    async fn execute(&self, command: Command) -> Result<Answer, Refusal> {
        match command {
            Command::Status | Command::Reload => {
                Err(Refusal::new(RefusalKind::NotFound, "no node runs on this data folder")
                    .hint("`sockeye serve` starts one"))
            }
        }
    }
}
