//! What the accounts tell of themselves: refused logins and changes go to the journal, and a change of a quota to
//! the home that it bounds. Whatever else is refused at the door is recorded here as well.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    time::Instant,
};

use sockeye_accounts::{Attempt, Change, Commander, Observer, Refused, Subject, What};
use sockeye_journal::{Journal, Operation, Outcome, Peer, Record, Ticket};

use crate::{
    Owner,
    gate::Gate,
    logged::Log,
    node::PROTOCOL,
    origin::recorded,
    refusals::{Counted, From, Recurring, Refusals},
    seat::ANONYMOUS,
};

/// Writes into the journal what the accounts tell. Clones are the same.
#[derive(Clone, Debug)]
pub struct Recorder {
    log: Log,
    /// There once the gate is made, which needs the accounts, which need this.
    gate: Arc<OnceLock<Weak<Gate>>>,
    /// The record of the last change.
    last: Arc<Mutex<Ticket>>,
    refusals: Arc<Mutex<Refusals>>,
}

/// What the journal calls the way of commands.
const CONTROL: &str = "control";

/// What the journal has in place of a protocol where nothing was spoken to the node: commands of this machine's
/// users, and what the node does by itself.
pub const NOT_SPOKEN: [&str; 2] = [CONTROL, PROTOCOL];

impl Recorder {
    /// Records into this journal.
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self {
            log: Log::new(journal),
            gate: Arc::default(),
            last: Arc::new(Mutex::new(Ticket::DONE)),
            refusals: Arc::new(Mutex::new(Refusals::new(Instant::now()))),
        }
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// From now on, the homes behind this gate are told of new quotas.
    pub(crate) fn tell(&self, gate: &Arc<Gate>) {
        // Told twice, it is the same gate.
        let _ = self.gate.set(Arc::downgrade(gate));
    }

    /// Records what was done at somebody's command, and what `add` knows of it beside.
    pub(crate) fn command<'a>(
        &self,
        operation: Operation,
        by: &Commander,
        add: impl FnOnce(Record<'a>) -> Record<'a>,
    ) {
        let told = by.to_string();
        let (protocol, from, account) = match by {
            Commander::Server => (PROTOCOL, None, None),
            Commander::Account { name, protocol, address } => {
                (*protocol, Some(recorded(*address)), Some(name.as_str()))
            }
            _ => (CONTROL, Some(Peer::Unix(&told)), None),
        };
        let record = add(Record::new(operation, Outcome::Ok, protocol));
        let account = account.or(record.account);
        if let Some(ticket) = self.log.record(&Record { from, account, ..record }) {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            *last = ticket.max(*last);
        }
    }

    /// Waits until all that was done at a command so far is written; not for ever, as it is done.
    ///
    /// Cancellation: safe.
    pub(crate) async fn settle(&self) {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(stalled) = self.log.journal().wait(last).await {
            // The record is kept in memory and written as soon as can be.
            tracing::warn!("a command waits to be recorded: {stalled}");
        }
    }

    /// Counts what anybody can have recorded, and says whether it is to be recorded by itself.
    pub(crate) fn count(&self, what: Recurring, from: Option<IpAddr>) -> bool {
        self.record_counted(false);
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.add(what, from)
    }

    /// Records what was counted in a period that is over; or also in one that is not, at the
    /// end of all.
    pub(crate) fn record_counted(&self, end: bool) {
        let now = Instant::now();
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = if end { refusals.end(now) } else { refusals.over(now) };
        drop(refusals);
        for Counted { what, from, count } in counted {
            let (from, whose) = match from {
                From::Local => (Some(recorded(None)), ""),
                From::Address(address) => (Some(recorded(Some(address))), ""),
                From::Many => (None, ", from many addresses"),
            };
            let detail = format!("{count} more {}, counted together{whose}", what.several());
            let record = match what {
                Recurring::Visit => Record {
                    account: Some(ANONYMOUS),
                    ..Record::new(Operation::Login, Outcome::Ok, PROTOCOL)
                },
                _ => Record::new(Operation::Refuse, Outcome::Denied, PROTOCOL),
            };
            self.log.record(&Record { from, detail: Some(&detail), ..record });
        }
    }
}

impl Observer for Recorder {
    fn refused(&self, name: &str, attempt: &Attempt<'_>, refused: &Refused) {
        if !self.count(Recurring::Login, attempt.address) {
            return;
        }
        let (outcome, detail) = match refused {
            Refused::Wrong(reason) => (Outcome::Denied, reason.to_string()),
            Refused::Wait { .. } => {
                let why = "back-off: too many failed logins with this name from this address";
                (Outcome::Denied, why.to_owned())
            }
            Refused::Busy { .. } => (Outcome::Busy, "too many logins at once".to_owned()),
            Refused::Failed(cause) => {
                // Whoever wanted to log in is told that it stands here.
                tracing::error!(error = %cause, protocol = attempt.protocol, "nobody can log in");
                (Outcome::Failed, cause.to_string())
            }
            other => (Outcome::Failed, other.to_string()),
        };
        self.log.record(&Record {
            account: Some(name).filter(|name| !name.is_empty()),
            from: Some(recorded(attempt.address)),
            tls: Some(attempt.tls),
            detail: Some(&detail),
            ..Record::new(Operation::Refuse, outcome, attempt.protocol)
        });
    }

    fn changed(&self, change: &Change, by: &Commander) {
        // The gate records these as a login and a logout, with where they come from.
        if matches!(change.what, What::SignedIn(_) | What::SignedOut(_)) {
            return;
        }
        let detail = change.to_string();
        self.command(Operation::Admin, by, |record| Record { detail: Some(&detail), ..record });
        let Some(gate) = self.gate.get().and_then(Weak::upgrade) else { return };
        let owner = match change.subject {
            Subject::Account(id) => Owner::Account(id),
            Subject::Shared(id) => {
                gate.shared_changed();
                Owner::Shared(id)
            }
        };
        match change.what {
            What::QuotaSet(quota) => gate.homes().set_quota(owner, quota),
            What::Removed => gate.homes().forget(owner),
            _ => {}
        }
    }
}
