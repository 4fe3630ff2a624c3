//! Type A (RFC 959 §3.1.1.1): text whose lines end with CR LF on the wire and with LF in a file.
//!
//! A CR LF in a file is sent as it is, so that a file which came from Windows does not get a second CR; received, every
//! CR LF becomes LF. Any other CR or LF stays. Text may be cut into pieces anywhere.

/// Files as they are sent: LF becomes CR LF, unless it is behind a CR already.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    /// Whether the last byte was a CR.
    after_return: bool,
}

impl Encoder {
    /// Appends to `out` what `text` is as it is sent; at most twice as much.
    pub fn encode(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            out.extend_from_slice(&text[start..end]);
            if !self.is_behind_return(text, end) {
                out.push(b'\r');
            }
            start = end;
        }
        out.extend_from_slice(&text[start..]);
        self.note_end(text);
    }

    fn is_behind_return(&self, text: &[u8], at: usize) -> bool {
        at.checked_sub(1).map_or(self.after_return, |before| text[before] == b'\r')
    }

    fn note_end(&mut self, text: &[u8]) {
        if let Some(last) = text.last() {
            self.after_return = *last == b'\r';
        }
    }
}

/// How long a file is as it is sent: the answer to SIZE under type A (RFC 3659 §4).
#[derive(Clone, Debug, Default)]
pub struct Length {
    encoder: Encoder,
    length: u64,
}

impl Length {
    /// Counts on.
    pub fn add(&mut self, text: &[u8]) {
        let bare = memchr::memchr_iter(b'\n', text)
            .filter(|&at| !self.encoder.is_behind_return(text, at))
            .count();
        self.length = self.length.saturating_add(text.len() as u64).saturating_add(bare as u64);
        self.encoder.note_end(text);
    }

    /// How long what was added is.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.length
    }
}

/// Files as they are received: CR LF becomes LF.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    /// Whether a CR is held back until it is known what follows.
    held: bool,
}

impl Decoder {
    /// Appends to `out` what is to be stored of `text`; at most one byte more than it has.
    pub fn decode(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let Some(&last) = text.last() else { return };
        if std::mem::take(&mut self.held) && text[0] != b'\n' {
            out.push(b'\r');
        }
        self.held = last == b'\r';
        let text = &text[..text.len() - usize::from(self.held)];
        let mut start = 0;
        for at in memchr::memchr_iter(b'\r', text) {
            if text.get(at + 1) == Some(&b'\n') {
                out.extend_from_slice(&text[start..at]);
                start = at + 1;
            }
        }
        out.extend_from_slice(&text[start..]);
    }

    /// The end of the text: appends the CR that is held back, if one is.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.held) {
            out.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(text: &[u8], step: usize) -> Vec<u8> {
        let (mut encoder, mut length, mut out) =
            (Encoder::default(), Length::default(), Vec::new());
        for piece in text.chunks(step) {
            encoder.encode(piece, &mut out);
            length.add(piece);
        }
        assert_eq!(length.get(), out.len() as u64);
        out
    }

    fn decode(text: &[u8], step: usize) -> Vec<u8> {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        text.chunks(step).for_each(|piece| decoder.decode(piece, &mut out));
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn line_ends_are_made_and_existing_ones_left_alone() {
        for (file, sent) in [
            ("", ""),
            ("a\nb", "a\r\nb"),
            ("\n\n", "\r\n\r\n"),
            ("a\r\nb\n", "a\r\nb\r\n"),
            ("\r\r\n\ra", "\r\r\n\ra"),
        ] {
            for step in 1..5 {
                assert_eq!(encode(file.as_bytes(), step), sent.as_bytes(), "{file:?}");
            }
        }
    }

    #[test]
    fn line_ends_are_taken_and_other_returns_stay() {
        for (sent, file) in [
            ("a\r\nb\r\n", "a\nb\n"),
            ("\r\r\n\n\r", "\r\n\n\r"),
            ("a\nb", "a\nb"),
            ("\r\n\r\n", "\n\n"),
            ("a\rb\r", "a\rb\r"),
        ] {
            for step in 1..5 {
                assert_eq!(decode(sent.as_bytes(), step), file.as_bytes(), "{sent:?}");
            }
        }
    }

    #[test]
    fn pieces_without_a_byte_change_nothing() {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for piece in ["a\r", "", "\n"] {
            decoder.decode(piece.as_bytes(), &mut out);
        }
        assert_eq!(out, b"a\n");
        let (mut encoder, mut out) = (Encoder::default(), Vec::new());
        for piece in ["a\r", "", "\n"] {
            encoder.encode(piece.as_bytes(), &mut out);
        }
        assert_eq!(out, b"a\r\n");
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(
            text in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..100),
            step in 1usize..10,
        ) {
            prop_assert_eq!(encode(&text, step), encode(&text, 1000));
            prop_assert_eq!(decode(&text, step), decode(&text, 1000));
        }

        #[test]
        fn text_without_returns_comes_back_as_it_was(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>().prop_filter("CR", |b| *b != b'\r')], 0..100),
            step in 1usize..10,
        ) {
            prop_assert_eq!(decode(&encode(&text, step), step), text);
        }

        #[test]
        fn what_is_sent_has_no_bare_line_feed(text in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n')], 0..20)) {
            let sent = encode(&text, 3);
            let bare = sent.iter().enumerate().any(|(at, b)| *b == b'\n' && (at == 0 || sent[at - 1] != b'\r'));
            prop_assert!(!bare);
        }
    }
}
