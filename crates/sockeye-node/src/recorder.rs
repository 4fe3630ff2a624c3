//! What the accounts tell of themselves: refused logins and changes go to the journal, and a change of a quota to
//! the home that it bounds.

use std::sync::{Arc, OnceLock, Weak};

use sockeye_accounts::{Attempt, Change, Observer, Refused, Subject, What};
use sockeye_journal::{Journal, Operation, Outcome, Peer, Record};

use crate::{Owner, gate::Gate};

/// Writes into the journal what the accounts tell. Clones are the same.
#[derive(Clone, Debug)]
pub struct Recorder {
    journal: Journal,
    /// There once the gate is made, which needs the accounts, which need this.
    gate: Arc<OnceLock<Weak<Gate>>>,
}

impl Recorder {
    /// Records into this journal.
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self { journal, gate: Arc::default() }
    }

    /// From now on, the homes behind this gate are told of new quotas.
    pub fn tell(&self, gate: &Arc<Gate>) {
        // Told twice, it is the same gate.
        let _ = self.gate.set(Arc::downgrade(gate));
    }

    fn write(&self, record: &Record<'_>) {
        if self.journal.append(record).is_err() {
            self.journal.unrecorded(record.operation);
        }
    }
}

impl Observer for Recorder {
    fn refused(&self, name: &str, attempt: &Attempt<'_>, refused: &Refused) {
        let (outcome, detail) = match refused {
            Refused::Wrong(reason) => (Outcome::Denied, reason.as_str().to_owned()),
            Refused::Wait { .. } => (Outcome::Denied, "back-off".to_owned()),
            Refused::Busy { .. } => (Outcome::Busy, "too many logins at once".to_owned()),
            other => (Outcome::Failed, other.to_string()),
        };
        self.write(&Record {
            account: Some(name).filter(|name| !name.is_empty()),
            from: Some(attempt.address.map_or(Peer::Unix("local"), Peer::Ip)),
            detail: Some(&detail),
            ..Record::new(Operation::Refuse, outcome, attempt.protocol)
        });
    }

    fn changed(&self, change: &Change) {
        let detail = change.to_string();
        self.write(&Record {
            detail: Some(&detail),
            ..Record::new(Operation::Admin, Outcome::Ok, "control")
        });
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
