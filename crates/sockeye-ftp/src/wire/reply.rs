//! Replies (RFC 959 §4.2): a code of three digits and a text of one line or several.
//!
//! Texts are bytes, as they hold names. None can end its line: CR, LF and NUL within a text are sent as `?`.

use std::borrow::Cow;

use super::{charset::Charset, digits, telnet};

/// What the first digit of a code tells the client (RFC 959 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 1xx: begun; another reply follows.
    Preliminary,
    /// 2xx: done.
    Completed,
    /// 3xx: the next command is needed.
    Intermediate,
    /// 4xx: not done; later it may be.
    Transient,
    /// 5xx: not done, and not to be asked again like this.
    Permanent,
}

/// The text of a line.
pub type Text = Cow<'static, [u8]>;

/// What can be a text.
pub trait IntoText {
    /// Makes it one.
    fn into_text(self) -> Text;
}

impl IntoText for &'static str {
    fn into_text(self) -> Text {
        Cow::Borrowed(self.as_bytes())
    }
}

impl IntoText for String {
    fn into_text(self) -> Text {
        Cow::Owned(self.into_bytes())
    }
}

impl IntoText for Vec<u8> {
    fn into_text(self) -> Text {
        Cow::Owned(self)
    }
}

/// The answer to a command, or to a connection.
///
/// ```
/// use sockeye_ftp::wire::{charset::Charset, reply::Reply};
/// let mut out = Vec::new();
/// Reply::new(200, "Done.").encode(Charset::UTF_8, &mut out);
/// Reply::lines(211, "Features:", ["MDTM", "SIZE"], "End.").encode(Charset::UTF_8, &mut out);
/// assert_eq!(out, b"200 Done.\r\n211-Features:\r\n MDTM\r\n SIZE\r\n211 End.\r\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    /// What precedes the last line: the first, and those between.
    before: Option<(Text, Vec<Text>)>,
    last: Text,
}

impl Reply {
    /// A reply of one line. A code has three digits: what is below 100 is sent as 100, above 699 as 699.
    #[must_use]
    pub fn new(code: u16, text: impl IntoText) -> Self {
        Self { code: code.clamp(100, 699), before: None, last: text.into_text() }
    }

    /// A reply of several lines, each between the first and the last behind one space.
    ///
    /// So FEAT and MLST want it (RFC 2389 §3.2, RFC 3659 §7.2), and no line can be taken for the last one (RFC 959
    /// §4.2).
    #[must_use]
    pub fn lines<T: IntoText>(
        code: u16,
        first: impl IntoText,
        lines: impl IntoIterator<Item = T>,
        last: impl IntoText,
    ) -> Self {
        let lines = lines.into_iter().map(IntoText::into_text).collect();
        Self { before: Some((first.into_text(), lines)), ..Self::new(code, last) }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// What its first digit says. Protected replies (6xx) are of no other class than their counterparts.
    #[must_use]
    pub fn class(&self) -> Class {
        match self.code {
            ..200 => Class::Preliminary,
            200..300 => Class::Completed,
            300..400 => Class::Intermediate,
            400..500 => Class::Transient,
            _ => Class::Permanent,
        }
    }

    /// The text of its last line: what a log tells.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.last
    }

    /// The same, with more text behind its last line.
    #[must_use]
    pub fn adding(self, text: &str) -> Self {
        Self { last: Cow::Owned([&self.last[..], text.as_bytes()].concat()), ..self }
    }

    /// Appends it to `out` as it is sent, its texts in `charset`.
    pub fn encode(&self, charset: Charset, out: &mut Vec<u8>) {
        let mut line = |code: Option<(u16, u8)>, text: &[u8]| {
            if let Some((code, _)) = code {
                digits::decimal(out, code.into(), 3);
            }
            out.push(code.map_or(b' ', |(_, separator)| separator));
            line(out, &charset.encode(text));
        };
        if let Some((first, lines)) = &self.before {
            line(Some((self.code, b'-')), first);
            lines.iter().for_each(|text| line(None, text));
        }
        line(Some((self.code, b' ')), &self.last);
    }
}

/// Appends `text` and the end of its line.
fn line(out: &mut Vec<u8>, text: &[u8]) {
    if text.iter().any(|&b| ends_a_line(b)) {
        let cleaned: Vec<_> = text.iter().map(|&b| if ends_a_line(b) { b'?' } else { b }).collect();
        telnet::escape_into(out, &cleaned);
    } else {
        telnet::escape_into(out, text);
    }
    out.extend(b"\r\n");
}

fn ends_a_line(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}

/// `path` between quotation marks, those within it doubled (RFC 959, Appendix II), for 257.
#[must_use]
pub fn quoted(path: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(path.len() + 2);
    quoted.push(b'"');
    for &byte in path {
        if byte == b'"' {
            quoted.push(b'"');
        }
        quoted.push(byte);
    }
    quoted.push(b'"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(reply: &Reply) -> Vec<u8> {
        let mut out = Vec::new();
        reply.encode(Charset::UTF_8, &mut out);
        out
    }

    #[test]
    fn lines_between_the_first_and_the_last_are_behind_a_space() {
        let reply = Reply::lines(213, "Status:", ["211 no end", ""], String::from("End."));
        assert_eq!(sent(&reply), b"213-Status:\r\n 211 no end\r\n \r\n213 End.\r\n");
        assert_eq!(sent(&Reply::new(220, "")), b"220 \r\n");
    }

    #[test]
    fn no_text_ends_its_line() {
        let reply = Reply::new(250, b"a\r\n221 b\0\xffc".to_vec());
        assert_eq!(sent(&reply), b"250 a??221 b?\xff\xffc\r\n");
        assert_eq!(reply.code(), 250);
    }

    #[test]
    fn a_code_has_three_digits_and_a_class() {
        assert_eq!(sent(&Reply::new(7, "x")), b"100 x\r\n");
        assert_eq!(sent(&Reply::new(1000, "x")), b"699 x\r\n");
        for (code, class) in [
            (150, Class::Preliminary),
            (226, Class::Completed),
            (331, Class::Intermediate),
            (426, Class::Transient),
            (550, Class::Permanent),
        ] {
            assert_eq!(Reply::new(code, "").class(), class);
        }
    }

    #[test]
    fn quotation_marks_in_a_path_are_doubled() {
        assert_eq!(quoted(b"/a \"b\"/c"), b"\"/a \"\"b\"\"/c\"");
    }

    #[test]
    fn every_text_is_in_the_charset_of_the_connection() {
        let mut out = Vec::new();
        let reply = Reply::lines(250, "文", ["文"], String::from("\"/文\""));
        reply.encode("gbk".parse().unwrap(), &mut out);
        assert_eq!(out, b"250-\xce\xc4\r\n \xce\xc4\r\n250 \"/\xce\xc4\"\r\n");
        assert_eq!(reply.text(), "\"/文\"".as_bytes());
    }

    proptest! {
        #[test]
        fn a_client_sees_where_a_reply_ends(
            code in 100u16..700,
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..5),
        ) {
            let reply = Reply::lines(code, "First.", texts.clone(), "Last.");
            let out = sent(&reply);
            let lines: Vec<_> = out.split(|&b| b == b'\n').collect();
            prop_assert_eq!(lines.len(), texts.len() + 3);
            prop_assert_eq!(lines[texts.len() + 2], b"");
            let end = format!("{code} ");
            let ends: Vec<_> = lines.iter().filter(|line| line.starts_with(end.as_bytes())).collect();
            prop_assert_eq!(ends, [&lines[texts.len() + 1]]);
            prop_assert!(lines[..texts.len() + 2].iter().all(|line| line.ends_with(b"\r")));
            prop_assert_eq!(out.iter().filter(|&&b| b == b'\r').count(), texts.len() + 2);
        }

        #[test]
        fn a_quoted_path_reads_back(path in proptest::collection::vec(any::<u8>(), 0..40)) {
            let quoted = quoted(&path);
            let inner = &quoted[1..quoted.len() - 1];
            let (mut read, mut at) = (Vec::new(), 0);
            while at < inner.len() {
                read.push(inner[at]);
                at += if inner[at..].starts_with(b"\"\"") { 2 } else { 1 };
            }
            prop_assert_eq!(read, path);
        }
    }
}
