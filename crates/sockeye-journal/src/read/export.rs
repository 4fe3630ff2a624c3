//! Exports: the lines that are wanted, for another program.

use std::{borrow::Cow, io::Write, ops::ControlFlow, str::FromStr};

use super::{Found, Query, Reader, Scanned};
use crate::{
    Error, Result,
    wire::{line::Entry, moment},
};

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The lines as they are: JSON, one object a line.
    JsonLines,
    /// Comma-separated values with a line of names, CR LF at the line ends (RFC 4180). A text that a
    /// spreadsheet would take for a formula has an apostrophe in front.
    Csv,
}

impl FromStr for Format {
    type Err = Error;

    /// `json` or `csv`.
    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "json" => Ok(Self::JsonLines),
            "csv" => Ok(Self::Csv),
            _ => Err(Error::NoName {
                what: "format",
                name: name.to_owned(),
                known: "json, csv".to_owned(),
            }),
        }
    }
}

const COLUMNS: &str =
    "seq,at,op,outcome,protocol,tls,user,from,path,to,bytes,blake3,took_us,detail,hash\r\n";

impl Reader {
    /// Writes what is wanted, in the order of the log. Lines that cannot be read are left out, and
    /// counted.
    ///
    /// # Errors
    /// If a segment cannot be read, or the output takes no more.
    pub fn export(&self, query: &Query, format: Format, out: &mut dyn Write) -> Result<Scanned> {
        let mut result = match format {
            Format::JsonLines => Ok(()),
            Format::Csv => out.write_all(COLUMNS.as_bytes()),
        };
        let mut text = Vec::new();
        let scanned = self.scan(query, |found| {
            if let Found::Entry(entry, line) = found {
                text.clear();
                match format {
                    Format::JsonLines => {
                        text.extend_from_slice(line);
                        text.push(b'\n');
                    }
                    Format::Csv => row(&mut text, entry),
                }
                result = out.write_all(&text);
            }
            if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        result.and_then(|()| out.flush()).map_err(Error::Output)?;
        Ok(scanned)
    }
}

fn row(out: &mut Vec<u8>, entry: &Entry<'_>) {
    fn number(number: Option<u64>) -> Cow<'static, str> {
        number.map(|number| number.to_string()).unwrap_or_default().into()
    }
    fn text<'a>(text: &'a Option<Cow<'_, str>>) -> Cow<'a, str> {
        text.as_deref().unwrap_or_default().into()
    }
    let columns = [
        entry.seq.to_string().into(),
        String::from_utf8_lossy(&moment::format(entry.micros)).into_owned().into(),
        Cow::Borrowed(&*entry.op),
        Cow::Borrowed(&*entry.outcome),
        text(&entry.protocol),
        entry.tls.map(|tls| tls.to_string()).unwrap_or_default().into(),
        text(&entry.user),
        text(&entry.from),
        text(&entry.path),
        text(&entry.to),
        number(entry.bytes),
        entry.blake3.map(|hash| hash.to_string()).unwrap_or_default().into(),
        number(entry.took_us),
        text(&entry.detail),
        entry.hash.to_string().into(),
    ];
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        cell(out, column);
    }
    out.extend_from_slice(b"\r\n");
}

fn cell(out: &mut Vec<u8>, text: &str) {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guarded = if is_formula { &format!("'{text}") } else { text };
    if text.contains(['"', ',', '\r', '\n']) {
        out.extend_from_slice(format!("\"{}\"", guarded.replace('"', "\"\"")).as_bytes());
    } else {
        out.extend_from_slice(guarded.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_and_never_formulas() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("a \"b\"\n", "\"a \"\"b\"\"\n\""),
            ("=1+1", "'=1+1"),
            ("@x,y", "\"'@x,y\""),
        ] {
            let mut out = Vec::new();
            cell(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
