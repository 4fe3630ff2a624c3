//! PROXY headers: every part of a whole header is incomplete, and what is read can be written
//! and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye::proxy::{
    MAX_V2,
    wire::{Parsed, format, parse},
};

/// Reaches the depths of both formats without guessing what a header begins with.
const BEGINNINGS: [&[u8]; 6] = [
    b"",
    b"PROXY ",
    b"PROXY TCP6 ",
    b"\r\n\r\n\0\r\nQUIT\n",
    // A version 2 header over TCP and IPv4 of 64 bytes, and one of 255 over UNSPEC.
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x40\x01\x02\x03\x04\x05\x06\x07\x08\0\x50\0\x51",
    b"\r\n\r\n\0\r\nQUIT\n\x21\0\0\xff",
];

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, rest) = input;
    let mut bytes = BEGINNINGS[usize::from(choice) % BEGINNINGS.len()].to_vec();
    bytes.extend_from_slice(rest);
    match parse(&bytes, MAX_V2) {
        Ok(Parsed::Done { header, consumed }) => {
            for end in 0..consumed {
                assert_eq!(parse(&bytes[..end], MAX_V2), Ok(Parsed::Incomplete));
            }
            let written = format(&header).expect("what was read can be written");
            let Ok(Parsed::Done { header: again, consumed }) = parse(&written, MAX_V2) else {
                panic!("{header:?} was written as {}", written.escape_ascii())
            };
            assert_eq!((again, consumed), (header, written.len()));
        }
        Ok(Parsed::Incomplete) => assert!(bytes.len() < 16 + MAX_V2),
        Err(error) => assert!(error.to_string().len() < 1024),
    }
});
