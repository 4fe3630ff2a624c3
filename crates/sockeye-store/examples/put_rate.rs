//! How fast a home takes files: `put_rate DIR [FILES] [BYTES]` writes so many files of so many bytes, one after the
//! other, into a home made in DIR, and prints the rate.
//!
//! What it shows: an upload begun, written and committed, for each file. Run it with DIR on a filesystem in memory
//! to see what the store itself costs.

#![expect(clippy::print_stdout, reason = "an example speaks to its user")]

use std::{path::Path, time::Instant};

use sockeye_store::{Durability, Home, Keeping, Name, Result, UploadOptions};

/// Bytes handed over at once, as a server would read them from a socket.
const PIECE: usize = 256 * 1024;

async fn put(home: &Home, name: &str, bytes: u64, piece: &[u8]) -> Result<()> {
    let Ok(name) = Name::parse(name.as_bytes()) else { return Ok(()) };
    let Ok(path) = sockeye_store::FilePath::root().join(&name) else { return Ok(()) };
    let mut options = UploadOptions::default();
    options.length = Some(bytes);
    let mut upload = home.upload(&path, options).await?;
    let mut left = bytes;
    while left > 0 {
        let n = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
        upload.write(&piece[..n]).await?;
        left -= n as u64;
    }
    upload.commit().await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| args.get(at).map_or(Ok(default), |text| text.parse());
    let dir = args.first().ok_or("put_rate DIR [FILES] [BYTES]")?;
    let (files, bytes) = (number(1, 10_000)?, number(2, 4096)?);
    let mut keeping = Keeping::default();
    keeping.durability = Durability::Rename;
    let home = Home::keep(Path::new(dir), keeping)?;
    let piece = vec![b'x'; PIECE];

    let started = Instant::now();
    for file in 0..files {
        put(&home, &format!("file-{file}"), bytes, &piece).await?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let (files_rate, bytes_rate) = (files as f64 / seconds, (files * bytes) as f64 / seconds / 1e6);
    println!("{files} files of {bytes} bytes: {files_rate:.0} files/s, {bytes_rate:.0} MB/s");
    Ok(())
}
