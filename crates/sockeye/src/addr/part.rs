//! A piece of the text that is being parsed, which knows where in the whole it stands.

use std::ops::Range;

use super::error::{AddrErrorKind, Fault, clean};

#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    at: usize,
}

impl<'a> Part<'a> {
    pub(super) fn whole(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// What comes before and after the first `separator`.
    pub(super) fn split_once(self, separator: &str) -> Option<(Self, Self)> {
        self.text.find(separator).map(|i| self.cut(i, separator.len()))
    }

    /// The first `len` bytes, which must end at a character boundary, and the rest.
    pub(super) fn split_at(self, len: usize) -> (Self, Self) {
        self.cut(len, 0)
    }

    /// The part without its first `len` bytes, which must be a character boundary.
    pub(super) fn skip(self, len: usize) -> Self {
        self.cut(len, 0).1
    }

    /// The pieces between `separator`s; at least one.
    pub(super) fn split(self, separator: char) -> impl Iterator<Item = Self> {
        let mut at = self.at;
        self.text.split(separator).map(move |text| {
            let part = Self { text, at };
            at += text.len() + separator.len_utf8();
            part
        })
    }

    /// This part is wrong.
    pub(super) fn fault(
        self,
        kind: AddrErrorKind,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Fault {
        Fault {
            kind,
            span: self.span(),
            message: clean(&message.into()),
            remedy: clean(&remedy.into()),
            rewrite: None,
        }
    }

    /// The bytes of the whole that this part is.
    pub(super) fn span(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    /// Something is missing right after this part.
    pub(super) fn fault_after(
        self,
        kind: AddrErrorKind,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Fault {
        self.skip(self.text.len()).fault(kind, message, remedy)
    }

    fn cut(self, at: usize, len: usize) -> (Self, Self) {
        let before = Self { text: &self.text[..at], at: self.at };
        let after = Self { text: &self.text[at + len..], at: self.at + at + len };
        (before, after)
    }
}
