//! Digests of files: HASH and OPTS HASH (draft-bryan-ftpext-hash), and what was there before it: XCRC, XMD5, XSHA1,
//! XSHA256, of a whole file or a stretch of it.
//!
//! Of a file that has not changed, BLAKE3, SHA-256 and CRC-32 are told as they are known, without reading it. All are computed
//! beside the control connection, so that ABOR and NOOP are heard meanwhile.

use md5::Digest as _;
use sockeye_node::{
    Algorithm, Error, FilePath, Kind, Meta, Range, Resource, Session, log::Operation,
};

use super::{
    facts::known,
    refused::{refused, refused_to},
};
use crate::{
    control::{Answer, Dialog},
    transfer::Transfer,
    wire::{command::Verb, path::absolute, reply::Reply, stretch},
};

type Begun = Result<Transfer, Reply>;

/// Bytes hashed before others have their turn.
const PIECE: u64 = 64 * 1024;

/// The names of HASH, and what is computed.
const ALGORITHMS: [(&str, Algorithm); 2] =
    [("BLAKE3", Algorithm::Blake3), ("SHA-256", Algorithm::Sha256)];

fn name(algorithm: Algorithm) -> &'static str {
    let found = ALGORITHMS.iter().find(|(_, known)| *known == algorithm);
    found.map_or("SHA-256", |(name, _)| name)
}

/// The line of FEAT: those there are, the one that is chosen with an asterisk.
pub(crate) fn feature(dialog: &Dialog) -> Option<String> {
    let mark = |algorithm| if algorithm == dialog.hash { "*" } else { "" };
    let names: Vec<_> =
        ALGORITHMS.iter().map(|(name, it)| format!("{name}{}", mark(*it))).collect();
    Some(format!("HASH {}", names.join(";")))
}

/// OPTS HASH: without a name, which one is chosen.
pub(super) fn choose(dialog: &mut Dialog, wanted: &[u8]) -> Answer {
    if !wanted.is_empty() {
        let found =
            ALGORITHMS.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(wanted));
        let unknown = || Reply::new(504, "There is BLAKE3 and SHA-256.");
        dialog.hash = found.ok_or_else(unknown)?.1;
    }
    Ok(Reply::new(200, name(dialog.hash)))
}

/// HASH.
pub(crate) async fn hash(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    let (path, meta) = file(dialog, argument).await?;
    let (session, algorithm, of) = (dialog.session()?.clone(), dialog.hash, path.clone());
    Ok(Transfer::compute(Verb::Hash, path, async move {
        // Of the file whose length is told beside it.
        match session.digest_of(&of, meta.version(), algorithm, u64::MAX).await {
            Ok(Some(digest)) => {
                let digest = hex(digest.as_bytes());
                let text = format!("{} 0-{} {digest} ", name(algorithm), meta.size);
                Reply::new(213, [text.as_bytes(), &absolute(&of)].concat())
            }
            Ok(None) => refused(&of, &Error::Changed),
            Err(error) => refused_to(&session, Operation::Read, &of, &error),
        }
    }))
}

async fn file(dialog: &Dialog, argument: &[u8]) -> Result<(FilePath, Meta), Reply> {
    let (path, meta) = known(dialog, argument).await?;
    match meta.kind {
        Kind::File => Ok((path, meta)),
        _ => Err(refused(&path, &Error::WrongKind { expected: "a file, found a folder" })),
    }
}

/// What is computed by the older commands.
#[derive(Clone, Copy)]
enum Sum {
    Crc32,
    Md5,
    Sha1,
    Sha256,
}

impl Sum {
    fn verb(self) -> Verb {
        match self {
            Self::Crc32 => Verb::Xcrc,
            Self::Md5 => Verb::Xmd5,
            Self::Sha1 => Verb::Xsha1,
            Self::Sha256 => Verb::Xsha256,
        }
    }
}

/// XCRC.
pub(crate) async fn xcrc(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    sum(dialog, argument, Sum::Crc32).await
}

/// XMD5.
pub(crate) async fn xmd5(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    sum(dialog, argument, Sum::Md5).await
}

/// XSHA1.
pub(crate) async fn xsha1(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    sum(dialog, argument, Sum::Sha1).await
}

/// XSHA256.
pub(crate) async fn xsha256(dialog: &mut Dialog, argument: &[u8]) -> Begun {
    sum(dialog, argument, Sum::Sha256).await
}

async fn sum(dialog: &mut Dialog, argument: &[u8], sum: Sum) -> Begun {
    let (path, meta, range) = match file(dialog, argument).await {
        Ok((path, meta)) => (path, meta, None),
        Err(refusal) => {
            let (name, start, end) = stretch::parse(argument).ok_or(refusal)?;
            let (path, meta) = file(dialog, name).await?;
            let end = end.unwrap_or(meta.size).min(meta.size);
            let length = end
                .checked_sub(start)
                .ok_or_else(|| refused(&path, &Error::BadRange { start, size: meta.size }))?;
            (path, meta, Some(Range { offset: start, length }))
        }
    };
    let (session, of) = (dialog.session()?.clone(), path.clone());
    Ok(Transfer::compute(sum.verb(), path, async move {
        match compute(&session, &of, meta, range, sum).await {
            Ok(computed) => Reply::new(250, hex(&computed).to_uppercase()),
            Err(error) => refused_to(&session, Operation::Read, &of, &error),
        }
    }))
}

/// Computes it, of the whole file or of a stretch.
async fn compute(
    session: &Session,
    path: &FilePath,
    meta: Meta,
    range: Option<Range>,
    sum: Sum,
) -> Result<Vec<u8>, Error> {
    match (sum, range) {
        (Sum::Crc32, None) => {
            let crc = session.crc32(path, meta.version(), meta.size).await?;
            Ok(crc.to_be_bytes().to_vec())
        }
        (Sum::Sha256, None) => {
            let digest = session.digest(path, Algorithm::Sha256).await?;
            Ok(digest.as_bytes().to_vec())
        }
        (sum, range) => {
            let range = range.unwrap_or(Range { offset: 0, length: meta.size });
            read(session, path, range, sum).await
        }
    }
}

async fn read(
    session: &Session,
    path: &FilePath,
    range: Range,
    sum: Sum,
) -> Result<Vec<u8>, Error> {
    let Resource::File(file) = session.open(path).await? else { return Err(Error::NotFound) };
    let mut body = file.body(range)?;
    // At most `PIECE`.
    let mut piece = vec![0; usize::try_from(range.length.min(PIECE)).unwrap_or(0)];
    let mut crc = crc32fast::Hasher::new();
    let (mut md5, mut sha1) = (md5::Md5::new(), sha1::Sha1::new());
    let mut sha256 = sha2::Sha256::new();
    while body.remaining() > 0 {
        let n = body.read(&mut piece).await?;
        match sum {
            Sum::Crc32 => crc.update(&piece[..n]),
            Sum::Md5 => md5.update(&piece[..n]),
            Sum::Sha1 => sha1.update(&piece[..n]),
            Sum::Sha256 => sha256.update(&piece[..n]),
        }
        tokio::task::yield_now().await;
    }
    Ok(match sum {
        Sum::Crc32 => crc.finalize().to_be_bytes().to_vec(),
        Sum::Md5 => md5.finalize().to_vec(),
        Sum::Sha1 => sha1.finalize().to_vec(),
        Sum::Sha256 => sha256.finalize().to_vec(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
