//! Showing lines, and going on with those that come.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write},
    ops::ControlFlow,
    os::fd::AsFd as _,
    time::Duration,
};

use sockeye_journal::{Found, Query, Reader, Scanned};

use super::{LogArgs, printer::Printer, reader, unreadable};
use crate::failure::{Failure, ignore_broken_pipe};

/// How many lines are shown before those that come.
const BEFORE: usize = 10;

/// How long it waits at once for lines that come; it is woken when they do.
const ROUND: Duration = Duration::from_secs(60);

/// Shows, and follows.
pub(super) fn run(args: &LogArgs) -> Result<(), Failure> {
    let query = args.filter.query()?;
    let reader = reader(&args.data)?;
    let printer = Printer::new(args.json, args.filter.zone());
    let is_terminal = io::stdout().is_terminal();
    let mut out = BufWriter::new(anstream::stdout());
    let mut result = Ok(());
    if is_terminal {
        result = printer.heading(&mut out);
    }
    let scanned =
        shown(args, &reader, &query, |found| show(&mut out, &printer, found, &mut result))?;
    let result = result.and_then(|()| out.flush());
    if let Err(error) = result {
        return Ok(ignore_broken_pipe(error)?);
    }
    if args.follow {
        return follow(&reader, &query, &scanned, &printer, &mut out);
    }
    if scanned.entries == 0 {
        args.filter.warn_of_user(&args.data);
    }
    unreadable(scanned.broken)
}

/// The lines that there are, or the last of them.
fn shown(
    args: &LogArgs,
    reader: &Reader,
    query: &Query,
    each: impl FnMut(Found<'_>) -> ControlFlow<()>,
) -> Result<Scanned, Failure> {
    let last = args.lines.or(args.follow.then_some(BEFORE));
    Ok(match last {
        Some(count) => reader.last(query, count, each)?,
        None => reader.scan(query, each)?,
    })
}

/// Prints what is found; breaks it off if that fails.
fn show(
    out: &mut impl Write,
    printer: &Printer,
    found: Found<'_>,
    result: &mut io::Result<()>,
) -> ControlFlow<()> {
    match found {
        Found::Entry(entry, line) => *result = printer.line(out, entry, line),
        Found::Broken(broken) => tracing::warn!("{broken}"),
    }
    if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// Prints lines as they come, until nobody reads them any more.
fn follow(
    reader: &Reader,
    query: &Query,
    scanned: &Scanned,
    printer: &Printer,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut follow = reader.follow(query, scanned.position)?;
    let stdout = io::stdout();
    loop {
        let mut result = Ok(());
        // What breaks it off is the result.
        let _ = follow.pass(|found| show(out, printer, found, &mut result))?;
        if let Err(error) = result.and_then(|()| out.flush()) {
            return Ok(ignore_broken_pipe(error)?);
        }
        if follow.wait(ROUND, Some(stdout.as_fd()))?.is_break() {
            return Ok(());
        }
    }
}
