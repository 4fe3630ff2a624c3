//! Lines of the operation log: whatever stands in a file, reading ends, and what is read again is the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye_journal::wire::{line, moment, path};

/// Gets past the shape of a line, which chance seldom meets.
const BEGINNINGS: [&[u8]; 4] = [
    b"",
    b"{\"seq\":7,\"at\":\"2026-11-21T16:28:49.123456Z\",\"op\":\"",
    b"{\"seq\":7,\"at\":\"2026-11-21T16:28:49.123456Z\",\"op\":\"read\",\"outcome\":\"ok\",\"user\":\"",
    b"{\"seq\":7,\"at\":\"2026-11-21T16:28:49.123456Z\",\"op\":\"checkpoint\",\"outcome\":\"ok\",\"signature\":\"",
];

const END: &[u8] =
    b",\"hash\":\"5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e5f0e\"}";

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, rest) = input;
    check(rest);
    let beginning = BEGINNINGS[usize::from(choice) % BEGINNINGS.len()];
    check(&[beginning, rest, END].concat());
    if let Some(micros) = moment::parse(rest) {
        assert_eq!(moment::format(micros), rest);
    }
    let text = path::escape(rest);
    assert_eq!(path::unescape(&text).as_deref(), Some(rest));
});

fn check(text: &[u8]) {
    let beginning = line::beginning(text);
    let Some(entry) = line::parse(text) else { return };
    // What a search decides by at the beginning of a line is what the whole line says; a line whose
    // parts stand in another order has no such beginning, and counts as broken there.
    if let Some(beginning) = beginning {
        assert_eq!((beginning.seq, beginning.micros), (entry.seq, entry.micros));
        if !beginning.op.contains(&b'\\') {
            assert_eq!(beginning.op, entry.op.as_bytes());
        }
    }
    assert!(entry.micros <= moment::LAST);
    for text in [&entry.path, &entry.to].into_iter().flatten() {
        if let Some(bytes) = path::unescape(text) {
            assert_eq!(path::unescape(&path::escape(&bytes)), Some(bytes));
        }
    }
}
