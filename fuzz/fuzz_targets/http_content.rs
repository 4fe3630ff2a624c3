//! What a peer sends beside a request's head and about its content: chunks, Authorization, digests.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye_http::wire::{
    authorization::{self, Authorization},
    chunked::{ChunkError, Decoder, Step},
    digest,
};

fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let whole = decode(bytes, bytes.len());
    assert_eq!(decode(bytes, usize::from(step) + 1), whole);
    if let Ok(Some((content, used))) = whole {
        assert!(content.len() < used && used <= bytes.len());
    }
    for scheme in [&b""[..], b"Basic ", b"Bearer "] {
        match authorization::parse(&[scheme, bytes].concat()) {
            Ok(Authorization::Basic(basic)) => assert!(!basic.name().contains(':')),
            Ok(Authorization::Bearer(token)) => assert!(!token.is_empty() && !token.contains(' ')),
            Err(_) => {}
        }
    }
    let _ = digest::announced(Some(&[&b"sha-256="[..], bytes].concat()), Some(bytes));
});

/// The content and the length of the body, if it has an end; the input comes in pieces of `step` bytes.
fn decode(input: &[u8], step: usize) -> Result<Option<(Vec<u8>, usize)>, ChunkError> {
    let (mut decoder, mut content, mut at) = (Decoder::default(), Vec::new(), 0);
    while at < input.len() {
        let piece = &input[at..(at + step).min(input.len())];
        match decoder.next(piece)? {
            Step::Content(range) => {
                content.extend_from_slice(&piece[range.clone()]);
                at += range.end;
            }
            Step::More => at += piece.len(),
            Step::End(used) => return Ok(Some((content, at + used))),
        }
        if decoder.is_at_end() {
            return Ok(Some((content, at)));
        }
    }
    Ok(None)
}
