//! Text in another encoding than ours: UTF-8 on this side, anything that browsers know on the other.
//!
//! Both directions go chunk by chunk; a character that a chunk cuts in two survives.

use encoding_rs::{CoderResult, Decoder, Encoder, EncoderResult, UTF_8, UTF_16BE, UTF_16LE};

use crate::failure::Failure;

/// What stands for a character that the other side's encoding lacks.
const MISSING: u8 = b'?';

/// A text encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// The encoding of that name, as the Encoding Standard has them.
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
        match encoding_rs::Encoding::for_label_no_replacement(name.as_bytes()) {
            Some(encoding) => Ok(Self(encoding)),
            None => Err(Failure::usage(format!("--encoding {name}: no such encoding")).hint(
                "gbk, gb18030, big5, euc-jp, shift_jis, iso-2022-jp, euc-kr, utf-16le, utf-16be, \
                 windows-1252 and the others of https://encoding.spec.whatwg.org/#names-and-labels",
            )),
        }
    }

    /// From the other side to here.
    pub(super) fn reader(self) -> Reader {
        Reader { decoder: self.0.new_decoder_with_bom_removal(), damaged: false }
    }

    /// From here to the other side.
    pub(super) fn writer(self) -> Writer {
        let target = match self.0 {
            // The standard knows these two for reading only.
            it if it == UTF_16LE => Target::Utf16(u16::to_le_bytes),
            it if it == UTF_16BE => Target::Utf16(u16::to_be_bytes),
            it => Target::Encoder(it.new_encoder()),
        };
        Writer { utf8: UTF_8.new_decoder_without_bom_handling(), target, lossy: false }
    }
}

/// Turns what comes from the other side into UTF-8.
pub(super) struct Reader {
    decoder: Decoder,
    damaged: bool,
}

impl Reader {
    /// The text of the next bytes; `last` says that no more come.
    pub(super) fn read(&mut self, mut bytes: &[u8], last: bool) -> String {
        let mut text = String::new();
        loop {
            // A bound that does not exist would be that of a text too long for memory.
            text.reserve(self.decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len()));
            let (result, read, damaged) = self.decoder.decode_to_string(bytes, &mut text, last);
            self.damaged |= damaged;
            bytes = &bytes[read..];
            if result == CoderResult::InputEmpty {
                return text;
            }
        }
    }

    /// Whether something was no text in that encoding, and is shown as U+FFFD.
    pub(super) fn damaged(&self) -> bool {
        self.damaged
    }
}

/// Turns our UTF-8 into the other side's encoding.
pub(super) struct Writer {
    utf8: Decoder,
    target: Target,
    lossy: bool,
}

enum Target {
    Encoder(Encoder),
    Utf16(fn(u16) -> [u8; 2]),
}

impl Writer {
    /// The bytes of the next part of the text; `last` says that no more comes.
    pub(super) fn write(&mut self, bytes: &[u8], last: bool) -> Vec<u8> {
        let text = self.text(bytes, last);
        let encoder = match &mut self.target {
            Target::Utf16(to_bytes) => return text.encode_utf16().flat_map(*to_bytes).collect(),
            Target::Encoder(encoder) => encoder,
        };
        let (mut out, mut rest) = (Vec::new(), text.as_str());
        loop {
            let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len());
            out.reserve(room.unwrap_or(rest.len()).max(16));
            let (result, read) =
                encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, last);
            rest = &rest[read..];
            match result {
                EncoderResult::InputEmpty => return out,
                EncoderResult::OutputFull => {}
                EncoderResult::Unmappable(_) => {
                    self.lossy = true;
                    out.push(MISSING);
                }
            }
        }
    }

    /// Whether something could not be said in the other encoding, or was no UTF-8.
    pub(super) fn lossy(&self) -> bool {
        self.lossy
    }

    fn text(&mut self, mut bytes: &[u8], last: bool) -> String {
        let mut text = String::new();
        loop {
            text.reserve(self.utf8.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len()));
            let (result, read, damaged) = self.utf8.decode_to_string(bytes, &mut text, last);
            self.lossy |= damaged;
            bytes = &bytes[read..];
            if result == CoderResult::InputEmpty {
                return text;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 你好
    const NI_HAO_GBK: [u8; 4] = [0xc4, 0xe3, 0xba, 0xc3];

    #[test]
    fn text_goes_and_comes_byte_by_byte_unharmed() {
        for name in ["gbk", "gb18030", "big5", "utf-16le", "utf-16be", "euc-kr", "iso-2022-jp"] {
            let encoding = Encoding::named(name).unwrap();
            let text = "日本 ok\n";
            let mut writer = encoding.writer();
            let mut sent: Vec<u8> =
                text.bytes().flat_map(|it| writer.write(&[it], false)).collect();
            sent.extend(writer.write(&[], true));
            assert!(!writer.lossy(), "{name}");
            let mut reader = encoding.reader();
            let mut read: String = sent.iter().map(|it| reader.read(&[*it], false)).collect();
            read.push_str(&reader.read(&[], true));
            assert_eq!((read.as_str(), reader.damaged()), (text, false), "{name}");
        }
    }

    #[test]
    fn gbk_is_what_others_call_gbk() {
        let gbk = Encoding::named("GBK").unwrap();
        assert_eq!(gbk.writer().write("你好".as_bytes(), true), NI_HAO_GBK);
        assert_eq!(gbk.reader().read(&NI_HAO_GBK, true), "你好");
    }

    #[test]
    fn what_an_encoding_lacks_is_marked_and_told() {
        let mut writer = Encoding::named("gbk").unwrap().writer();
        assert_eq!(writer.write("a🐟b".as_bytes(), true), b"a?b");
        assert!(writer.lossy());
        let mut reader = Encoding::named("gbk").unwrap().reader();
        assert_eq!(reader.read(b"a\xff", true), "a\u{fffd}");
        assert!(reader.damaged());
    }

    #[test]
    fn a_name_that_nobody_knows_is_usage() {
        for name in ["klingon", "", "replacement"] {
            assert!(Encoding::named(name).is_err(), "{name}");
        }
    }
}
