//! The fields of resumable uploads: whatever they say, the file goes to a path that can be one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye_http::wire::{
    disposition,
    head::{self, Parsed},
    tus::{self, ALGORITHMS},
};

const FIELDS: [&str; 5] =
    ["upload-metadata", "upload-length", "upload-defer-length", "upload-checksum", "upload-offset"];

fuzz_target!(|bytes: &[u8]| {
    let value = disposition::attachment(bytes);
    assert!(value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
    let mut text = b"POST / HTTP/1.1\r\nHost: h\r\n".to_vec();
    for (name, line) in FIELDS.into_iter().zip(bytes.split(|&b| b == b'\n')) {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(line);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    let Parsed::Head(head, _) = head::parse(&text) else { return };
    let _ = tus::length(&head.fields);
    let _ = tus::number(&head.fields, "upload-offset");
    if let Ok(metadata) = tus::metadata(&head.fields) {
        assert!(!metadata.path.is_root());
        assert!(metadata.path.segments().all(|s| s != b".." && s != b"." && !s.contains(&0)));
        assert!(metadata.modified.is_none_or(|at| at.nanos < 1_000_000_000));
        assert!(!metadata.text.contains(['\n', '\r']));
    }
    if let Ok(Some(sum)) = tus::checksum(&head.fields) {
        let row = ALGORITHMS.iter().find(|(_, algorithm, _)| *algorithm == sum.algorithm);
        assert_eq!(row.map(|row| row.2), Some(sum.value.len()));
    }
});
