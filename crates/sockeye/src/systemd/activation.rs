//! Sockets that the service manager opened and passed to this process.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd},
    process,
    sync::{LazyLock, Mutex, PoisonError},
};

use super::text_variable;
use crate::sys::inherited::{NotInherited, adopt_inherited};

/// The number of the first descriptor passed (`SD_LISTEN_FDS_START`).
pub const FIRST_DESCRIPTOR: RawFd = 3;

/// The most descriptors that `LISTEN_FDS` may announce.
pub const MAX_DESCRIPTORS: u16 = 1024;

/// The name of a descriptor that the manager gave none (`sd_listen_fds_with_names(3)`).
const UNNAMED: &str = "unknown";

/// Why no inherited descriptor can be had.
///
/// `Debug` prints what `Display` does.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActivationError {
    /// The process was started without descriptors.
    #[error(
        "{variable} is not set: no sockets were passed to this process; start it from a systemd \
         .socket unit (one with Accept=yes passes connections), or give the address itself instead \
         of fd://"
    )]
    NotActivated {
        /// The variable missing.
        variable: &'static str,
    },
    /// The descriptors were meant for another process, of which this is a child.
    #[error(
        "LISTEN_PID is {meant_for} but this is process {own}: the sockets were passed to another \
         process; have the service manager start this program directly"
    )]
    OtherProcess {
        /// The process id in `LISTEN_PID`.
        meant_for: u32,
        /// The id of this process.
        own: u32,
    },
    /// A variable that should be a number is none, or one out of range.
    #[error("{variable} is {value:?}: a number from {least} to {most} was expected")]
    BadNumber {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// The least value allowed.
        least: u32,
        /// The greatest value allowed.
        most: u32,
    },
    /// `LISTEN_FDNAMES` has not one name for each descriptor.
    #[error("LISTEN_FDNAMES has {names} names but LISTEN_FDS is {descriptors}")]
    NameCount {
        /// How many names there are.
        names: usize,
        /// How many descriptors were announced.
        descriptors: usize,
    },
    /// A descriptor was announced but nothing is open under its number.
    #[error("LISTEN_FDS announces descriptor {number}, which is not open")]
    NotOpen {
        /// The number of the descriptor.
        number: RawFd,
    },
    /// A descriptor was announced, but this process opened it itself.
    #[error(
        "LISTEN_FDS announces descriptor {number}, which this process opened itself \
         (close-on-exec is set): the variable is not meant for it"
    )]
    OpenedHere {
        /// The number of the descriptor.
        number: RawFd,
    },
    /// No descriptor with this name, or number, was passed.
    #[error("no socket named {name:?} was passed in LISTEN_FDNAMES; there are: {passed}")]
    NoSuchName {
        /// The name asked for.
        name: String,
        /// The names that were passed, joined by commas.
        passed: String,
    },
    /// The descriptors of this name that are left are of another kind.
    #[error("the inherited socket {name:?} is of another kind than is wanted here")]
    WrongKind {
        /// The name asked for.
        name: String,
    },
    /// The descriptor was passed, but someone has taken it.
    #[error("the inherited socket {name:?} is already in use: each can be taken once")]
    Taken {
        /// The name asked for.
        name: String,
    },
}

/// A descriptor that was passed, and the descriptor itself until it is taken.
#[derive(Debug)]
struct Passed {
    name: String,
    number: RawFd,
    fd: Option<OwnedFd>,
}

/// Descriptors are the process's, and so is what is left of them: the one global of the crate.
static PASSED: LazyLock<Mutex<Result<Vec<Passed>, ActivationError>>> =
    LazyLock::new(|| Mutex::new(from_env()));

/// Takes the inherited descriptors named `name`: one or, where a unit lists several addresses,
/// more. This is what `fd://NAME` does.
///
/// Names come from `LISTEN_FDNAMES` (`FileDescriptorName=` in a systemd unit; without it a
/// descriptor is named after its unit, as `web.socket`, or `unknown`). A name of digits only
/// that nobody bears is the number of a descriptor, so that `fd://3` takes the first one under
/// any manager; numbers that were not announced in `LISTEN_FDS` are never taken. All are
/// close-on-exec from the first call of this or [`names`] on.
///
/// # Errors
/// [`ActivationError`]; each descriptor can be taken once in the life of a process.
pub fn take(name: &str) -> Result<Vec<OwnedFd>, ActivationError> {
    take_matching(name, |_| true)
}

/// Takes those inherited descriptors named `name` that `fits` accepts, and leaves the others:
/// one systemd unit gives its streams and its datagram sockets the same name.
///
/// # Errors
/// As [`take`], and [`ActivationError::WrongKind`] if none of those left is accepted.
pub fn take_matching(
    name: &str,
    fits: impl Fn(BorrowedFd<'_>) -> bool,
) -> Result<Vec<OwnedFd>, ActivationError> {
    take_from(&mut PASSED.lock().unwrap_or_else(PoisonError::into_inner), name, fits)
}

/// The names of the descriptors passed, in the order of their numbers from
/// [`FIRST_DESCRIPTOR`], also of those taken.
///
/// # Errors
/// [`ActivationError`].
pub fn names() -> Result<Vec<String>, ActivationError> {
    let passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    let passed = passed.as_ref().map_err(ActivationError::clone)?;
    Ok(passed.iter().map(|passed| passed.name.clone()).collect())
}

fn take_from(
    passed: &mut Result<Vec<Passed>, ActivationError>,
    name: &str,
    fits: impl Fn(BorrowedFd<'_>) -> bool,
) -> Result<Vec<OwnedFd>, ActivationError> {
    let passed = passed.as_mut().map_err(|error| error.clone())?;
    let number = name.parse().ok().filter(|_| passed.iter().all(|passed| passed.name != name));
    let meant = |passed: &Passed| match number {
        Some(number) => passed.number == number,
        None => passed.name == name,
    };
    let name = name.to_owned();
    if !passed.iter().any(meant) {
        let passed: Vec<_> = passed.iter().map(|passed| passed.name.as_str()).collect();
        return Err(ActivationError::NoSuchName { name, passed: passed.join(", ") });
    }
    if !passed.iter().any(|passed| meant(passed) && passed.fd.is_some()) {
        return Err(ActivationError::Taken { name });
    }
    let taken: Vec<_> = passed
        .iter_mut()
        .filter(|passed| meant(passed))
        .filter_map(|passed| passed.fd.take_if(|fd| fits(fd.as_fd())))
        .collect();
    if taken.is_empty() { Err(ActivationError::WrongKind { name }) } else { Ok(taken) }
}

/// Reads the environment and takes over what it announces.
fn from_env() -> Result<Vec<Passed>, ActivationError> {
    let names = announced(
        text_variable("LISTEN_PID").as_deref(),
        text_variable("LISTEN_FDS").as_deref(),
        text_variable("LISTEN_FDNAMES").as_deref(),
        process::id(),
    )?;
    let numbers = FIRST_DESCRIPTOR..;
    let end = FIRST_DESCRIPTOR.saturating_add(RawFd::try_from(names.len()).unwrap_or(RawFd::MAX));
    let fds = adopt_inherited(FIRST_DESCRIPTOR..end).map_err(|error| match error {
        NotInherited::Closed(number) => ActivationError::NotOpen { number },
        NotInherited::OpenedHere(number) => ActivationError::OpenedHere { number },
        NotInherited::Adopted => ActivationError::Taken { name: "*".to_owned() },
    })?;
    let passed = names.into_iter().zip(numbers).zip(fds);
    Ok(passed.map(|((name, number), fd)| Passed { name, number, fd: Some(fd) }).collect())
}

/// What the variables' values announce: one name for each descriptor.
fn announced(
    listen_pid: Option<&str>,
    listen_fds: Option<&str>,
    listen_fdnames: Option<&str>,
    own_pid: u32,
) -> Result<Vec<String>, ActivationError> {
    let meant_for = number("LISTEN_PID", listen_pid, 1, u32::MAX)?;
    if meant_for != own_pid {
        return Err(ActivationError::OtherProcess { meant_for, own: own_pid });
    }
    let count = number("LISTEN_FDS", listen_fds, 1, MAX_DESCRIPTORS.into())? as usize;
    let names: Vec<_> = match listen_fdnames {
        Some(names) => names.split(':').map(str::to_owned).collect(),
        None => vec![UNNAMED.to_owned(); count],
    };
    if names.len() != count {
        return Err(ActivationError::NameCount { names: names.len(), descriptors: count });
    }
    Ok(names)
}

fn number(
    variable: &'static str,
    value: Option<&str>,
    least: u32,
    most: u32,
) -> Result<u32, ActivationError> {
    let value = value.ok_or(ActivationError::NotActivated { variable })?;
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| ActivationError::BadNumber {
        variable,
        value: value.to_owned(),
        least,
        most,
    })
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::fd::AsRawFd};

    use super::*;

    fn passed(names: &[&str]) -> Result<Vec<Passed>, ActivationError> {
        let passed = names.iter().zip(FIRST_DESCRIPTOR..).map(|(name, number)| {
            let fd = Some(File::open("/dev/null").unwrap().into());
            Passed { name: (*name).to_owned(), number, fd }
        });
        Ok(passed.collect())
    }

    fn take_all(
        passed: &mut Result<Vec<Passed>, ActivationError>,
        name: &str,
    ) -> Result<Vec<OwnedFd>, ActivationError> {
        take_from(passed, name, |_| true)
    }

    #[test]
    fn every_descriptor_gets_its_name() {
        let names = announced(Some("7"), Some("2"), Some("web:admin"), 7);
        assert_eq!(names.unwrap(), ["web", "admin"]);
        let names = announced(Some("7"), Some("2"), None, 7);
        assert_eq!(names.unwrap(), ["unknown", "unknown"]);
    }

    #[test]
    fn what_is_wrong_names_its_variable() {
        let cases = [
            ((None, None, None), "LISTEN_PID is not set"),
            ((Some("7"), None, None), "LISTEN_FDS is not set"),
            ((Some("8"), Some("1"), None), "LISTEN_PID is 8 but this is process 7"),
            ((Some("x"), Some("1"), None), "LISTEN_PID is \"x\""),
            ((Some("7"), Some("-1"), None), "LISTEN_FDS is \"-1\""),
            ((Some("7"), Some("0"), None), "LISTEN_FDS is \"0\""),
            ((Some("7"), Some("99999"), None), "from 1 to 1024"),
            ((Some("7"), Some("1"), Some("a:b")), "LISTEN_FDNAMES has 2 names"),
        ];
        for ((pid, fds, names), expected) in cases {
            let error = announced(pid, fds, names, 7).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_name_is_taken_whole_and_once() {
        let mut passed = passed(&["web", "admin", "web"]);
        assert_eq!(take_all(&mut passed, "web").unwrap().len(), 2);
        let again = take_all(&mut passed, "web").unwrap_err();
        assert_eq!(again, ActivationError::Taken { name: "web".to_owned() });
        assert_eq!(take_all(&mut passed, "admin").unwrap().len(), 1);
        let error = take_all(&mut passed, "ftp").unwrap_err().to_string();
        assert!(error.contains("\"ftp\"") && error.contains("web, admin, web"), "{error}");
    }

    #[test]
    fn a_number_is_a_descriptor_unless_it_is_a_name() {
        let mut by_number = passed(&["web", "admin"]);
        let admin = by_number.as_ref().unwrap()[1].fd.as_ref().unwrap().as_raw_fd();
        assert_eq!(take_all(&mut by_number, "4").unwrap()[0].as_raw_fd(), admin);
        assert!(matches!(take_all(&mut by_number, "4"), Err(ActivationError::Taken { .. })));
        // Standard output is open, and was not passed.
        assert!(matches!(take_all(&mut by_number, "1"), Err(ActivationError::NoSuchName { .. })));

        let mut named = passed(&["4", "admin"]);
        let first = named.as_ref().unwrap()[0].fd.as_ref().unwrap().as_raw_fd();
        assert_eq!(take_all(&mut named, "4").unwrap()[0].as_raw_fd(), first);
    }

    #[test]
    fn what_does_not_fit_is_left_for_whom_it_fits() {
        let mut passed = passed(&["dns", "dns"]);
        let second = passed.as_ref().unwrap()[1].fd.as_ref().unwrap().as_raw_fd();
        let taken = take_from(&mut passed, "dns", |fd| fd.as_raw_fd() == second).unwrap();
        assert_eq!(taken.len(), 1);
        let error = take_from(&mut passed, "dns", |_| false).unwrap_err();
        assert_eq!(error, ActivationError::WrongKind { name: "dns".to_owned() });
        assert_eq!(take_all(&mut passed, "dns").unwrap().len(), 1);
    }
}
