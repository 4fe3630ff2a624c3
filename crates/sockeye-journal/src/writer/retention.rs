//! Retention: which of the oldest segments are to go.

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use crate::{Result, segments::Segment, settings::Settings};

/// Segments that are to be removed, once that is recorded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Removal {
    segments: Vec<Segment>,
    /// The first line that is kept.
    pub(super) first: u64,
    /// How much that frees.
    pub(super) bytes: u64,
}

/// A sealed segment, as far as retention goes.
struct Sealed {
    segment: Segment,
    bytes: u64,
    age: Duration,
}

impl Removal {
    /// What is to be removed now; nothing if all may stay. The newest segment always stays.
    pub(super) fn due(folder: &Path, settings: &Settings) -> Result<Option<Self>> {
        if settings.keep_size.is_none() && settings.keep_age.is_none() {
            return Ok(None);
        }
        let now = SystemTime::now();
        let mut segments = Vec::new();
        for segment in Segment::list(folder)? {
            let Ok(meta) = fs::metadata(&segment.path) else { continue };
            let written = meta.modified().unwrap_or(now);
            // A clock that was set back makes nothing old.
            let age = now.duration_since(written).unwrap_or_default();
            segments.push(Sealed { segment, bytes: meta.len(), age });
        }
        Ok(Self::choose(segments, settings))
    }

    fn choose(segments: Vec<Sealed>, settings: &Settings) -> Option<Self> {
        let mut all: u64 = segments.iter().map(|segment| segment.bytes).sum();
        let newest = segments.len().checked_sub(1)?;
        let mut going = 0;
        let mut bytes = 0;
        for sealed in &segments[..newest] {
            let too_much = settings.keep_size.is_some_and(|most| all > most);
            let too_old = settings.keep_age.is_some_and(|most| sealed.age > most);
            if !too_much && !too_old {
                break;
            }
            going += 1;
            all -= sealed.bytes;
            bytes += sealed.bytes;
        }
        let first = segments[going].segment.first;
        let segments: Vec<_> =
            segments.into_iter().take(going).map(|sealed| sealed.segment).collect();
        (!segments.is_empty()).then_some(Self { segments, first, bytes })
    }

    /// Removes them.
    pub(super) fn carry_out(self) {
        for segment in self.segments {
            // The summary first, so that none is left without its segment.
            for path in [segment.summary(), segment.path] {
                if let Err(error) = fs::remove_file(&path)
                    && error.kind() != io::ErrorKind::NotFound
                {
                    tracing::warn!(path = %path.display(), %error, "an old segment stays");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(sizes_and_ages: &[(u64, u64)]) -> Vec<Sealed> {
        (1..)
            .zip(sizes_and_ages)
            .map(|(n, (bytes, age))| Sealed {
                segment: Segment::new(Path::new("/log"), n * 10),
                bytes: *bytes,
                age: Duration::from_secs(*age),
            })
            .collect()
    }

    fn first_kept(segments: &[(u64, u64)], size: Option<u64>, age: Option<u64>) -> Option<u64> {
        let keep_age = age.map(Duration::from_secs);
        let settings = Settings { keep_size: size, keep_age, ..Settings::default() };
        Removal::choose(sealed(segments), &settings).map(|removal| removal.first)
    }

    #[test]
    fn the_oldest_go_first_and_the_newest_always_stays() {
        let segments = [(5, 30), (5, 20), (5, 10)];
        assert_eq!(first_kept(&segments, Some(15), None), None);
        assert_eq!(first_kept(&segments, Some(14), None), Some(20));
        assert_eq!(first_kept(&segments, Some(0), None), Some(30));
        assert_eq!(first_kept(&segments, None, Some(15)), Some(30));
        assert_eq!(first_kept(&segments, None, Some(25)), Some(20));
        assert_eq!(first_kept(&segments, None, Some(30)), None);
        assert_eq!(first_kept(&segments, Some(0), Some(0)), Some(30));
        assert_eq!(first_kept(&[], Some(0), Some(0)), None);
    }
}
