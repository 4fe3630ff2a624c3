//! PROPPATCH (RFC 4918 §9.2): properties set and removed, all or none.

use ::http::StatusCode;
use sockeye_node::{
    Error, Kind, MAX_PROPERTIES, MAX_PROPERTY, Property, PropertyChange, Timestamp,
};

use super::{Asked, xml};
use crate::{
    refused::Unanswered,
    reply::Reply,
    wire::{
        date::{moment, parse_http_date},
        multistatus::{Live, Step, patched},
        webdav::Patch,
        xml::DAV,
    },
};

/// Steps of one request, at most.
const MAX_STEPS: u64 = 2 * MAX_PROPERTIES;

const OK: &str = "200 OK";
const FORBIDDEN: &str = "403 Forbidden";
const FAILED_DEPENDENCY: &str = "424 Failed Dependency";
const INSUFFICIENT_STORAGE: &str = "507 Insufficient Storage";

/// The namespace of what Windows keeps beside a file.
const MICROSOFT: &str = "urn:schemas-microsoft-com:";

/// What is said of a value longer than [`MAX_PROPERTY`].
const TOO_LONG: &str = "a property's value is at most 64 KiB";

/// What is said of more than [`MAX_STEPS`].
const TOO_MANY: &str = "too many properties at once";

/// Answers a PROPPATCH.
pub(super) async fn patch(asked: &Asked<'_>) -> Result<Reply, Unanswered> {
    let (session, path) = (asked.session, &asked.wanted.path);
    let steps = Patch::parse(&asked.content, MAX_PROPERTY)?;
    let is_folder = session.stat(path).await?.kind == Kind::Folder;
    if asked.wanted.folder && !is_folder {
        return Err(Error::NotFound.into());
    }
    let told = |of: &[Step<'_>]| xml(StatusCode::MULTI_STATUS, patched(path, is_folder, of));
    if let Some(refused) = refused(&steps) {
        return Ok(told(&refused));
    }
    let all = |status: &'static str, why: &'static str| {
        steps.iter().map(|step| Step { why, ..became(step, status) }).collect::<Vec<_>>()
    };
    if steps.len() as u64 > MAX_STEPS {
        return Ok(told(&all(INSUFFICIENT_STORAGE, TOO_MANY)));
    }
    if let Some(at) = steps.iter().find_map(modified) {
        session.set_modified(path, at).await?;
    }
    match session.set_properties(path, steps.iter().filter_map(change).collect()).await {
        Ok(()) => Ok(told(&all(OK, ""))),
        Err(Error::TooManyMarks { what }) => Ok(told(&all(INSUFFICIENT_STORAGE, what))),
        Err(error) => Err(error.into()),
    }
}

/// What is told where a step cannot be done at all: then none is.
fn refused(steps: &[Patch]) -> Option<Vec<Step<'_>>> {
    let refused = |step: &'_ Patch| match step {
        step if Live::of(step.name()).is_some() => {
            Some((FORBIDDEN, "cannot-modify-protected-property", ""))
        }
        Patch::Set(_, None) => Some((INSUFFICIENT_STORAGE, "", TOO_LONG)),
        _ => None,
    };
    steps.iter().find_map(refused)?;
    let told = steps.iter().map(|step| {
        let (status, condition, why) = refused(step).unwrap_or((FAILED_DEPENDENCY, "", ""));
        Step { condition, why, ..became(step, status) }
    });
    Some(told.collect())
}

/// When the file was changed, if that is what a step says: Windows has a property of its own for it ([MS-WDV] §2.2.2),
/// and clients of ownCloud's kind, rclone among them, another, in seconds since the epoch.
fn modified(step: &Patch) -> Option<Timestamp> {
    let Patch::Set(name, Some(value)) = step else { return None };
    let says = [(MICROSOFT, "Win32LastModifiedTime"), (DAV, "lastmodified")];
    if !says.contains(&(&*name.space, &*name.local)) {
        return None;
    }
    let (_, text) = value.split_once('>')?;
    let text = text.split_once('<')?.0.trim().as_bytes();
    let date = || parse_http_date(text).map(|seconds| Timestamp { seconds, nanos: 0 });
    moment(text).or_else(date)
}

fn became<'a>(step: &'a Patch, status: &'a str) -> Step<'a> {
    Step { name: step.name(), status, condition: "", why: "" }
}

fn change(step: &Patch) -> Option<PropertyChange> {
    match step {
        Patch::Set(name, value) => {
            let value = value.as_deref()?.into();
            Some(PropertyChange::Set(Property { name: name.clone(), value }))
        }
        Patch::Remove(name) => Some(PropertyChange::Remove(name.clone())),
    }
}
