//! What the log and whoever asked are told of an operation that was denied: which right was missing, and which there were.
//!
//! Nothing is decided here: the seat has refused already, and may have had another reason.

use std::fmt;

use sockeye_accounts::Rights;
use sockeye_journal::Operation;

use crate::seat::Seat;

/// Which rights an operation needed that was denied, and which there were; shown as the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// What it needs.
    pub needed: Rights,
    /// Whether it needs that where it leads to, and not where it begins.
    pub there: bool,
    /// What the account has at that place.
    pub has: Rights,
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed, there, has } = self;
        write!(f, "needs {needed}{}, has {has}", if *there { " there" } else { "" })
    }
}

/// The right that was missing for `operation` on `path`, or at `to`, where it leads to; none if it was not for rights.
pub(crate) fn lacking(
    seat: &Seat,
    operation: Operation,
    path: &[u8],
    to: Option<&[u8]>,
) -> Option<Lacking> {
    let at = |path: &[u8], needed: Rights, there: bool| {
        let has = seat.rights_at_absolute(path);
        (!has.contains(needed)).then_some(Lacking { needed, there, has })
    };
    at(path, needed(operation)?, false).or_else(|| at(to?, Rights::WRITE, true))
}

/// What an operation needs where it begins.
fn needed(operation: Operation) -> Option<Rights> {
    Some(match operation {
        Operation::Read | Operation::Copy => Rights::READ,
        Operation::List => Rights::LIST,
        Operation::Write
        | Operation::Append
        | Operation::MakeFolder
        | Operation::Set
        | Operation::Lock
        | Operation::Unlock
        | Operation::Restore => Rights::WRITE,
        Operation::Remove | Operation::Purge => Rights::DELETE,
        Operation::Rename => Rights::READ | Rights::DELETE,
        _ => return None,
    })
}
