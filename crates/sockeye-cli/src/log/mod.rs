//! `sockeye log`: what was done on a node, by whom, and whether the log of it is whole.
//!
//! The files are read as they are: no server has to run, and one that runs is not asked.

mod args;
mod filter;
mod moment;
mod printer;
mod show;
mod verify;

use std::io::{self, BufWriter};

use sockeye::quantity::format_count;
use sockeye_journal::{Error, Format, Head, Reader};

pub(crate) use args::LogArgs;
use args::{ExportArgs, HeadArgs, LogVerb};

use crate::{
    data::DataArgs,
    failure::{self, Failure, Fault, ignore_broken_pipe},
    output::print,
};

/// Shows, follows, exports or verifies.
pub(crate) fn run(args: &LogArgs) -> Result<(), Failure> {
    match &args.verb {
        None => show::run(args),
        Some(LogVerb::Verify(verify)) => verify::run(verify),
        Some(LogVerb::Head(head)) => head_of(head),
        Some(LogVerb::Export(args)) => export(args),
    }
}

/// Prints the head.
fn head_of(args: &HeadArgs) -> Result<(), Failure> {
    let folder = args.data.folder()?.journal();
    let head = Head::of_folder(&folder)?;
    let text = if args.json {
        let (hash, key) = (head.hash.to_string(), head.key.to_string());
        serde_json::json!({ "head": head.to_string(), "seq": head.seq, "hash": hash, "key": key })
            .to_string()
    } else {
        head.to_string()
    };
    print(text + "\n")
}

/// Writes what is wanted to standard output.
fn export(args: &ExportArgs) -> Result<(), Failure> {
    let query = args.filter.query()?;
    let format = args.format.parse::<Format>();
    let format = format.map_err(|error| Failure::from(error).about("--format"))?;
    let mut out = BufWriter::new(io::stdout());
    let scanned = match reader(&args.data)?.export(&query, format, &mut out) {
        Err(Error::Output(error)) => return Ok(ignore_broken_pipe(error)?),
        other => other?,
    };
    unreadable(scanned.broken)
}

/// The log of a data folder.
fn reader(data: &DataArgs) -> Result<Reader, Failure> {
    Ok(Reader::open(&data.folder()?.journal())?)
}

/// Lines that were passed over make the answer a part of what was asked for.
fn unreadable(lines: u64) -> Result<(), Failure> {
    if lines == 0 {
        return Ok(());
    }
    let lines = format_count(lines, "line", "lines");
    let message = format!("left out what cannot be read of the log: {lines}");
    Err(Failure::new(Fault::Partly, message).hint("`sockeye log verify` says where and why"))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let fault = match &error {
            Error::NoName { .. } | Error::NoHash(_) | Error::NoKey(_) | Error::NoHead(_) => {
                Fault::Usage
            }
            Error::NoLog(_) | Error::KeyGone(_) => Fault::NotFound,
            Error::Io { source, .. } | Error::Output(source) => failure::fault_of(source),
            _ => Fault::Failed,
        };
        let is_missing = matches!(error, Error::NoLog(_));
        let failure = Self::new(fault, error);
        if is_missing {
            failure.hint("`sockeye serve` begins one; --data names another data folder")
        } else {
            failure
        }
    }
}
