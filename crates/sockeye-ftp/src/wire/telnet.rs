//! The Telnet protocol of the control connection (RFC 854, as RFC 959 §4.1.3 and RFC 1123 §4.1.2.10 use it).
//!
//! FTP uses of Telnet the interrupt that goes before ABOR, and the doubling of the byte 255. A client that
//! negotiates an option is told that there is none here; all else is left out. Nothing is kept but where in a
//! sequence the next byte stands, so that no peer can fill memory with what never ends.

/// *Interpret as command*: every sequence begins with it, and the byte itself is sent twice.
pub const IAC: u8 = 255;

/// The end of a subnegotiation.
const SE: u8 = 240;
/// The place of a Synch in the stream; it comes as urgent data.
const DATA_MARK: u8 = 242;
const BREAK: u8 = 243;
const INTERRUPT_PROCESS: u8 = 244;
const ABORT_OUTPUT: u8 = 245;
const ARE_YOU_THERE: u8 = 246;
/// The beginning of a subnegotiation.
const SB: u8 = 250;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;

/// Most bytes of one subnegotiation that are skipped; from there on they are data again.
pub const MAX_SUBNEGOTIATION: u16 = 1024;

/// What was heard between the data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// An interrupt (IP, AO or BRK): an ABOR or STAT follows, which is not to wait for the transfer.
    pub interrupt: bool,
    /// A Synch (DM).
    pub data_mark: bool,
    /// AYT: whether somebody is there. A reply to it would be taken for that of a command, so none is sent.
    pub are_you_there: bool,
    /// What has to be sent back: refusals of options, never more bytes than came in.
    pub answers: Vec<u8>,
}

/// Where in the stream the next byte stands.
#[derive(Clone, Debug, Default)]
pub struct Decoder(State);

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Data,
    /// After IAC.
    Command,
    /// After WILL, WONT, DO or DONT.
    Option(u8),
    /// In a subnegotiation, so many bytes of which may still be skipped.
    Skipping(u16),
    /// After an IAC in a subnegotiation.
    SkippingCommand(u16),
}

impl Decoder {
    /// Reads on: the data in `input` goes to the end of `data`, the rest into what is returned.
    ///
    /// However the stream is cut into pieces, the data and the answers are the same.
    pub fn decode(&mut self, input: &[u8], data: &mut Vec<u8>) -> Heard {
        let mut heard = Heard::default();
        let mut rest = input;
        while let Some((&first, others)) = rest.split_first() {
            if let State::Data = self.0 {
                let plain = memchr::memchr(IAC, rest).unwrap_or(rest.len());
                data.extend_from_slice(&rest[..plain]);
                rest = &rest[plain..];
                if !rest.is_empty() {
                    (self.0, rest) = (State::Command, &rest[1..]);
                }
            } else {
                self.0 = self.step(first, data, &mut heard);
                rest = others;
            }
        }
        heard
    }

    fn step(&self, byte: u8, data: &mut Vec<u8>, heard: &mut Heard) -> State {
        match self.0 {
            State::Data | State::Command => return command(byte, data, heard),
            State::Option(WILL) => heard.answers.extend([IAC, DONT, byte]),
            State::Option(DO) => heard.answers.extend([IAC, WONT, byte]),
            // All options are off already, and what changes nothing is not answered (RFC 854).
            State::Option(_) => {}
            State::Skipping(left) if byte == IAC => return State::SkippingCommand(left),
            State::Skipping(left) => return skipping(left),
            State::SkippingCommand(_) if byte == SE => {}
            State::SkippingCommand(left) => return skipping(left),
        }
        State::Data
    }
}

fn skipping(left: u16) -> State {
    left.checked_sub(1).map_or(State::Data, State::Skipping)
}

/// What the byte after an IAC does.
fn command(byte: u8, data: &mut Vec<u8>, heard: &mut Heard) -> State {
    match byte {
        IAC => data.push(IAC),
        INTERRUPT_PROCESS | ABORT_OUTPUT | BREAK => heard.interrupt = true,
        DATA_MARK => heard.data_mark = true,
        ARE_YOU_THERE => heard.are_you_there = true,
        WILL | WONT | DO | DONT => return State::Option(byte),
        SB => return State::Skipping(MAX_SUBNEGOTIATION),
        // No command: a client that knows nothing of Telnet has the byte 255 in a name.
        ..SE => data.extend([IAC, byte]),
        // NOP, erase character, erase line, go ahead.
        _ => {}
    }
    State::Data
}

/// Appends `text` with every byte 255 doubled, as it has to be on the control connection.
pub fn escape_into(out: &mut Vec<u8>, text: &[u8]) {
    for (index, piece) in text.split(|&b| b == IAC).enumerate() {
        if index > 0 {
            out.extend([IAC, IAC]);
        }
        out.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The data, and all that was heard; the input comes in pieces of `step` bytes.
    fn decode(input: &[u8], step: usize) -> (Vec<u8>, Heard) {
        let (mut decoder, mut data, mut all) = (Decoder::default(), Vec::new(), Heard::default());
        for piece in input.chunks(step) {
            let heard = decoder.decode(piece, &mut data);
            all.interrupt |= heard.interrupt;
            all.data_mark |= heard.data_mark;
            all.are_you_there |= heard.are_you_there;
            all.answers.extend(heard.answers);
        }
        (data, all)
    }

    #[test]
    fn the_interrupt_before_an_abort_is_heard_and_not_read() {
        let (data, heard) = decode(b"\xff\xf4\xff\xf2ABOR\r\n", 100);
        assert_eq!(data, b"ABOR\r\n");
        assert!(heard.interrupt && heard.data_mark && heard.answers.is_empty());
        let (data, heard) = decode(b"\xff\xf6\xff\xf1\xff\xf7\xff\xf8\xff\xf9NOOP\r\n", 1);
        assert_eq!(data, b"NOOP\r\n");
        assert!(heard.are_you_there && !heard.interrupt);
    }

    #[test]
    fn every_option_is_refused_once_and_only_offers_are_answered() {
        let (data, heard) = decode(b"a\xff\xfb\x01b\xff\xfd\x03c\xff\xfc\x01d\xff\xfe\x03e", 2);
        assert_eq!(data, b"abcde");
        assert_eq!(heard.answers, b"\xff\xfe\x01\xff\xfc\x03");
    }

    #[test]
    fn a_doubled_255_is_one_and_a_lone_one_stays() {
        assert_eq!(decode(b"a\xff\xffb", 1).0, b"a\xffb");
        assert_eq!(decode(b"STOR \xffa\xff\r\n", 1).0, b"STOR \xffa\xff\r\n");
    }

    #[test]
    fn a_subnegotiation_is_skipped_and_one_without_end_is_bounded() {
        assert_eq!(decode(b"a\xff\xfa\x18\xf0VT\xff\xff100\xff\xf0b", 3).0, b"ab");
        let mut endless = b"\xff\xfa".to_vec();
        endless.extend(vec![b'x'; usize::from(MAX_SUBNEGOTIATION) + 100]);
        assert_eq!(decode(&endless, 7).0.len(), 99);
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(
            bytes in proptest::collection::vec(prop_oneof![Just(IAC), 240u8.., any::<u8>()], 0..200),
            step in 1usize..20,
        ) {
            let whole = decode(&bytes, bytes.len().max(1));
            prop_assert!(whole.0.len() + whole.1.answers.len() <= bytes.len());
            prop_assert_eq!(decode(&bytes, step), whole);
        }

        #[test]
        fn what_was_escaped_reads_back(
            text in proptest::collection::vec(prop_oneof![Just(IAC), any::<u8>()], 0..100),
        ) {
            let mut escaped = Vec::new();
            escape_into(&mut escaped, &text);
            prop_assert_eq!(decode(&escaped, 3), (text, Heard::default()));
        }
    }
}
