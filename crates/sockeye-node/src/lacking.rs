//! What the log says of an operation that was denied: which right was missing, and which there were.
//!
//! Nothing is decided here: the seat has refused already, and may have had another reason.

use sockeye_accounts::Rights;
use sockeye_journal::Operation;

use crate::seat::Seat;

/// The right that was missing for `operation` on `path`, or at `to`, where it leads to; none if it was not for rights.
pub(crate) fn lacking(
    seat: &Seat,
    operation: Operation,
    path: &[u8],
    to: Option<&[u8]>,
) -> Option<String> {
    let at = |path: &[u8], needed: Rights, place: &str| {
        let has = seat.rights_at_absolute(path);
        (!has.contains(needed)).then(|| format!("needs {needed}{place}, has {has}"))
    };
    at(path, needed(operation)?, "").or_else(|| at(to?, Rights::WRITE, " there"))
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
