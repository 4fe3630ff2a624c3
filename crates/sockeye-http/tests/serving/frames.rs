//! HTTP/2, frame by frame (RFC 9113).

use crate::site::PATIENCE;
use tokio::io::{AsyncRead, AsyncReadExt};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const GOAWAY: u8 = 7;

/// A HEADERS frame with END_STREAM and END_HEADERS: GET http://localhost of a short `target`.
pub(crate) fn get(stream: u8, target: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x86];
    for (index, value) in [(0x44, target), (0x41, "localhost")] {
        block.extend([index, u8::try_from(value.len()).unwrap()]);
        block.extend(value.as_bytes());
    }
    let length = u8::try_from(block.len()).unwrap();
    [&[0, 0, length, HEADERS, 5, 0, 0, 0, stream], &block[..]].concat()
}

/// One frame's type, and the length of what it carries; `None` at the end.
async fn frame(stream: &mut (impl AsyncRead + Unpin)) -> Option<(u8, usize)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    // A server that ends in the middle of one has ended.
    stream.read_exact(&mut payload).await.ok()?;
    Some((head[3], payload.len()))
}

/// All frames until the end, which must come: their types, and the bytes of what they carry.
pub(crate) async fn frames(stream: &mut (impl AsyncRead + Unpin)) -> (Vec<u8>, usize) {
    let reading = async {
        let (mut types, mut bytes) = (Vec::new(), 0);
        while let Some((kind, length)) = frame(stream).await {
            types.push(kind);
            bytes += length;
        }
        (types, bytes)
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("it is cut")
}

/// Reads until a frame of each of these types has come.
pub(crate) async fn until(stream: &mut (impl AsyncRead + Unpin), wanted: &[u8]) {
    let reading = async {
        let mut seen = Vec::new();
        while !wanted.iter().all(|kind| seen.contains(kind)) {
            let end = format!("{wanted:?} come: {seen:?}");
            seen.push(frame(stream).await.expect(&end).0);
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("they come");
}
