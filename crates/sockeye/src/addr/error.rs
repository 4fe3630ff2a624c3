//! What is wrong with an address, where, and the way out.

use std::{convert::Infallible, fmt, io, ops::Range};

use super::{MAX_LEN, part::Part};

/// A text that is no address.
///
/// `Display`, and `Debug` with it, is one line; [`AddrError::report`] shows the text with a mark
/// under the part that is wrong. Neither prints a control character of the input as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct AddrError(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    input: String,
    fault: Fault,
}

/// Which rule of the grammar an address breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddrErrorKind {
    /// The `TRANSPORT://` in front is missing, unknown or misspelled.
    Scheme,
    /// Layers (`tls+`, `proxy+`) out of order, repeated, or over a transport that has none.
    Layer,
    /// The host is missing or is no host.
    Host,
    /// The port is missing or is no port.
    Port,
    /// The path or abstract name of a Unix socket, or the name of an inherited one.
    Name,
    /// Something that an address does not have: user, path after the port, fragment.
    Surplus,
    /// An option that nobody knows.
    UnknownOption,
    /// An option that may stand once stands twice.
    DuplicateOption,
    /// An option whose value is missing or wrong.
    OptionValue,
    /// An option that this transport, layer, host or side does not have.
    OptionPlace,
    /// An option that this transport needs is missing.
    MissingOption,
    /// Longer than [`MAX_LEN`].
    TooLong,
}

/// A fault found while parsing: an [`AddrError`] before it knows the whole input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: AddrErrorKind,
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) remedy: String,
    /// What to write in place of which bytes, where that alone mends the address.
    pub(super) rewrite: Option<(Range<usize>, String)>,
}

impl Fault {
    /// The way out is the whole text with `with` in place of `part`; the remedy, if there is one, goes
    /// on from there.
    pub(super) fn rewriting(self, part: Part<'_>, with: impl Into<String>) -> Self {
        Self { rewrite: Some((part.span(), with.into())), ..self }
    }

    /// Keeps no more of the input than an address can have.
    pub(super) fn in_input(mut self, input: &str) -> AddrError {
        if let Some((span, with)) = &self.rewrite {
            let mut mended = input.to_owned();
            mended.replace_range(span.clone(), with);
            let fits = mended.chars().nth(SHOWN_IN_LINE).is_none();
            let written = clean(if fits { &mended } else { with });
            let more = if self.remedy.is_empty() { "" } else { ", " };
            self.remedy = format!("write {written}{more}{}", self.remedy);
        }
        let longest = input.len().min(MAX_LEN);
        let end = (0..=longest).rev().find(|end| input.is_char_boundary(*end)).unwrap_or(0);
        let input = &input[..end];
        self.span = self.span.start.min(input.len())..self.span.end.min(input.len());
        AddrError(Box::new(Details { input: input.to_owned(), fault: self }))
    }
}

impl AddrError {
    /// The text that was to be an address.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.0.input
    }

    /// The same error, told of what somebody wrote, of which the input is the end, or the reverse: where the
    /// transport was left out and filled in, or something stands in front of the address. Of any other text it is
    /// told as before.
    ///
    /// ```
    /// use sockeye::Addr;
    ///
    /// let error = "tcp://[::1]:99999".parse::<Addr>().unwrap_err().told_of("[::1]:99999");
    /// assert_eq!((error.input(), error.span()), ("[::1]:99999", 6..11));
    /// ```
    #[must_use]
    pub fn told_of(mut self, written: &str) -> Self {
        let Details { input, fault } = &mut *self.0;
        let shift = |at: usize| match written.len().checked_sub(input.len()) {
            Some(more) => at + more,
            None => at.saturating_sub(input.len() - written.len()),
        };
        let fits = written.len() <= MAX_LEN;
        if fits && (input.ends_with(written) || written.ends_with(input.as_str())) {
            fault.span = shift(fault.span.start)..shift(fault.span.end);
            written.clone_into(input);
        }
        self
    }

    /// The bytes of [`input`](Self::input) that are wrong; empty where something is missing.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.0.fault.span.clone()
    }

    /// Which rule is broken.
    #[must_use]
    pub fn kind(&self) -> AddrErrorKind {
        self.0.fault.kind
    }

    /// What is wrong, without the input.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.fault.message
    }

    /// The way out: what to write instead.
    #[must_use]
    pub fn remedy(&self) -> &str {
        &self.0.fault.remedy
    }

    /// The error over four lines, the offending part marked:
    ///
    /// ```text
    /// the port 99999 is out of range
    ///   tcp://localhost:99999
    ///                   ^^^^^
    /// write a port from 0 to 65535
    /// ```
    pub fn report(&self) -> impl fmt::Display {
        Report(self)
    }
}

impl fmt::Display for AddrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { input, fault } = &*self.0;
        let shown: String = input.chars().take(SHOWN_IN_LINE).map(printable).collect();
        let more = if input.chars().nth(SHOWN_IN_LINE).is_some() { "…" } else { "" };
        write!(f, "address `{shown}{more}`: {}; {}", fault.message, fault.remedy)
    }
}

impl std::error::Error for AddrError {}

impl From<AddrError> for io::Error {
    fn from(error: AddrError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// So that `impl TryInto<Addr, Error: Into<AddrError>>` takes an `Addr` as well as a text.
impl From<Infallible> for AddrError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// How much of a long input stands in the one-line form, in characters.
const SHOWN_IN_LINE: usize = 120;

/// How much of a long input stands before and after the offending part in a report.
const SHOWN_AROUND: usize = 60;

struct Report<'a>(&'a AddrError);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { input, fault } = &*self.0.0;
        let before = input.get(..fault.span.start).unwrap_or(input);
        let marked = input.get(fault.span.clone()).unwrap_or("");
        let after = input.get(fault.span.end..).unwrap_or("");
        let skipped = before.chars().count().saturating_sub(SHOWN_AROUND);
        writeln!(f, "{}", fault.message)?;
        write!(f, "  {}", if skipped > 0 { "…" } else { "" })?;
        before.chars().skip(skipped).try_for_each(|c| write!(f, "{}", printable(c)))?;
        marked.chars().take(SHOWN_IN_LINE).try_for_each(|c| write!(f, "{}", printable(c)))?;
        if marked.chars().nth(SHOWN_IN_LINE).is_some() {
            writeln!(f, "…")?;
        } else {
            after.chars().take(SHOWN_AROUND).try_for_each(|c| write!(f, "{}", printable(c)))?;
            writeln!(f, "{}", if after.chars().nth(SHOWN_AROUND).is_some() { "…" } else { "" })?;
        }
        let indent = before.chars().count() - skipped + usize::from(skipped > 0);
        let carets = marked.chars().count().clamp(1, SHOWN_IN_LINE);
        writeln!(f, "  {}{}", " ".repeat(indent), "^".repeat(carets))?;
        write!(f, "{}", fault.remedy)
    }
}

/// The character itself, or a stand-in of the same width for one that could move the
/// cursor, change colours or reorder the line.
pub(super) fn printable(c: char) -> char {
    if super::percent::is_plain(c) || c == ' ' { c } else { char::REPLACEMENT_CHARACTER }
}

/// A message that may hold pieces of the input: cut where it gets too long, nothing raw.
pub(super) fn clean(message: &str) -> String {
    const LONGEST: usize = 500;
    let mut shown: String = message.chars().take(LONGEST).map(printable).collect();
    if message.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// A piece of the input, quoted inside a message: cut at 40 characters, nothing raw.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let shown: String = text.chars().take(LONGEST).map(printable).collect();
    if text.chars().nth(LONGEST).is_some() { format!("`{shown}…`") } else { format!("`{shown}`") }
}
