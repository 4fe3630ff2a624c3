//! Framing: any split of the bytes gives the same frames, none above the limit, and a decoder
//! never reserves memory on a peer's word.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use sockeye::framing::{
    Delimited, Delimiter, Fixed, FrameError, LengthField, LengthPrefixed, wire,
};
use tokio_util::codec::Decoder;

const LIMIT: usize = 24;

const FIELDS: [LengthField; 6] = [
    LengthField::U8,
    LengthField::U16Be,
    LengthField::U16Le,
    LengthField::U32Be,
    LengthField::U32Le,
    LengthField::Varint,
];

/// The frames and errors that a decoder gives for `bytes` arriving in parts of `part` bytes.
fn outcome<D>(mut decoder: D, bytes: &[u8], part: usize) -> Vec<Result<Vec<u8>, String>>
where
    D: Decoder<Item = BytesMut, Error = FrameError>,
{
    let mut seen = Vec::new();
    let mut buffer = BytesMut::new();
    let parts = bytes.chunks(part).map(Some);
    for part in parts.chain([None]) {
        buffer.extend_from_slice(part.unwrap_or_default());
        loop {
            let capacity = buffer.capacity();
            let result = match part {
                Some(_) => decoder.decode(&mut buffer),
                None => decoder.decode_eof(&mut buffer),
            };
            assert!(buffer.capacity() <= capacity);
            match result {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    assert!(frame.len() <= LIMIT);
                    seen.push(Ok(frame.to_vec()));
                }
                Err(FrameError::Poisoned) => {
                    // Repeated at every call.
                    assert!(seen.last().is_some_and(Result::is_err));
                    break;
                }
                Err(error) => seen.push(Err(error.to_string())),
            }
        }
    }
    assert!(buffer.is_empty());
    seen
}

fn same_in_parts<D>(decoder: &D, bytes: &[u8], part: usize)
where
    D: Decoder<Item = BytesMut, Error = FrameError> + Clone,
{
    let whole = outcome(decoder.clone(), bytes, bytes.len().max(1));
    assert_eq!(outcome(decoder.clone(), bytes, part), whole);
    assert_eq!(outcome(decoder.clone(), bytes, 1), whole);
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (choice, part, bytes) = input;
    let part = usize::from(part) + 1;
    let delimiter = match choice & 3 {
        0 => Delimiter::from(b'\n'),
        1 => Delimiter::from(b"\r\n"),
        2 => Delimiter::from(b"--"),
        _ => Delimiter::from(b"<SEPARATOR>"),
    };
    let delimited = Delimited::new(delimiter)
        .max_frame(LIMIT)
        .strip_cr(choice & 4 != 0)
        .skip_oversized(choice & 8 != 0)
        .optional_at_end(choice & 16 != 0);
    same_in_parts(&delimited, bytes, part);
    for field in FIELDS {
        same_in_parts(&LengthPrefixed::new(field).max_frame(LIMIT), bytes, part);
    }
    same_in_parts(&Fixed::of::<LIMIT>(), bytes, part);

    if let Ok(size) = wire::parse_size(bytes) {
        assert_eq!(wire::parse_size(size.to_string().as_bytes()).ok(), Some(size));
    }
});
