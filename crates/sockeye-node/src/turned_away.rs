//! What is refused at the door and no account is at fault for: in the log, so that whoever runs the node can tell whoever
//! asks why.
//!
//! Nothing is decided here. Many refusals of one origin are counted together, so that nobody floods the log.

use sockeye_journal::{Operation, Outcome, Record};

use crate::{FilePath, Gate, Origin, Session, refusals::Recurring, session::Kind};

impl Gate {
    /// Records that a protocol took no login from there, before it knew a password: of the name that was claimed, and why.
    pub fn login_refused(&self, origin: &Origin, name: &str, why: &str) {
        let account = Some(name).filter(|name| !name.is_empty());
        self.turn_away(Recurring::Login, origin, &Record { account, ..because(why) });
    }

    /// Records that a connection from there was refused before anything was said on it, and why.
    pub fn connection_refused(&self, origin: &Origin, why: &str) {
        self.turn_away(Recurring::Connection, origin, &because(why));
    }

    /// Records that somebody who has not logged in was refused a data connection, and why; see [`Session::data_refused`].
    pub fn data_refused(&self, origin: &Origin, why: &str) {
        self.turn_away(Recurring::Data, origin, &because(why));
    }

    /// Records a refusal, or counts it if there are many from there.
    pub(crate) fn turn_away(&self, what: Recurring, origin: &Origin, record: &Record<'_>) {
        if self.recorder().count(what, origin.peer.ip()) {
            let Record { account, path, took, detail, .. } = *record;
            let refused = origin.record(Operation::Refuse, Outcome::Denied);
            self.record(&Record { account, path, took, detail, ..refused });
        }
    }
}

impl Session {
    /// Records that a protocol did not open a connection for the data of `path`, if it knows of which, or would not have
    /// it as the client wants; and why. A guest's is not recorded.
    pub fn data_refused(&self, path: Option<&FilePath>, why: &str) {
        let Kind::Seat(seat) = &self.kind else { return };
        // What is too long to be reached was not asked for.
        let path = path.and_then(|path| Some(seat.recorded_path(&seat.reached(path).ok()?)));
        let record =
            Record { account: seat.recorded_name(), path: path.as_deref(), ..because(why) };
        seat.gate().turn_away(Recurring::Data, seat.origin(), &record);
    }
}

fn because(why: &str) -> Record<'_> {
    Record { detail: Some(why), ..Record::new(Operation::Refuse, Outcome::Denied, "") }
}
