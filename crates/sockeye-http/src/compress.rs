//! Contents made smaller while they are sent: texts of a bounded size, by as many threads as there are spare ones.
//!
//! Whoever comes while all of them are at work gets the content as it is: nobody waits for less to be sent.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use sockeye_node::{Pool, PoolLimits};

use crate::wire::coding::Coding;

/// Smallest content that is made smaller, in bytes: below, it is one packet all the same.
pub(crate) const LEAST: u64 = 1400;

/// Largest content that is made smaller while it is sent, in bytes.
pub(crate) const MOST: u64 = 2 << 20;

/// How hard each tries: about as long for the same text, some 20 ms a MiB.
const GZIP_LEVEL: u32 = 5;
const BROTLI_LEVEL: u32 = 4;
const ZSTD_LEVEL: i32 = 5;

/// Brotli's window: 2²² bytes, more than anything here is long.
const BROTLI_WINDOW: u32 = 22;

/// What makes contents smaller, a bounded number at once.
#[derive(Debug)]
pub(crate) struct Compressor(Pool);

impl Default for Compressor {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let running = cores.div_ceil(2);
        Self(Pool::new(PoolLimits { running, waiting: running }))
    }
}

impl Compressor {
    /// `content` in this coding; none if there is too much to do, or nothing is gained.
    ///
    /// Cancellation: safe; what was begun ends by itself.
    pub(crate) async fn encode(&self, coding: Coding, content: Bytes) -> Option<Bytes> {
        let length = content.len();
        let encoded = self.0.run(move || encode(coding, &content)).await.ok()?.ok()?;
        (encoded.len() < length).then(|| encoded.into())
    }
}

/// The same bytes for the same content, so that a strong tag can stand for them.
fn encode(coding: Coding, content: &[u8]) -> io::Result<Vec<u8>> {
    let out = Vec::with_capacity(content.len() / 3);
    match coding {
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(out, Compression::new(GZIP_LEVEL));
            encoder.write_all(content)?;
            encoder.finish()
        }
        Coding::Brotli => {
            let mut encoder =
                brotli::CompressorWriter::new(out, 32 * 1024, BROTLI_LEVEL, BROTLI_WINDOW);
            encoder.write_all(content)?;
            encoder.flush()?;
            Ok(encoder.into_inner())
        }
        Coding::Zstd => zstd::bulk::compress(content, ZSTD_LEVEL),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn decode(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match coding {
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut out),
            Coding::Brotli => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut out),
            Coding::Zstd => return zstd::bulk::decompress(bytes, 8 << 20).unwrap(),
        }
        .unwrap();
        out
    }

    #[tokio::test]
    async fn what_is_made_smaller_reads_as_before_and_always_alike() {
        let text: Bytes = "a line of text that comes again and again\n".repeat(2000).into();
        let noise: Bytes = noise_of(1 << 16).into();
        let compressor = Compressor::default();
        for coding in Coding::ALL {
            let small = compressor.encode(coding, text.clone()).await.unwrap();
            assert!(small.len() * 10 < text.len(), "{coding:?}: {}", small.len());
            assert_eq!(decode(coding, &small), text);
            assert_eq!(compressor.encode(coding, text.clone()).await.unwrap(), small);
            assert_eq!(compressor.encode(coding, noise.clone()).await, None, "{coding:?}");
        }
    }

    /// Bytes without a pattern.
    fn noise_of(length: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        (0..length).map(|_| next()).collect()
    }
}
