//! ZIP archives that store files as they are (APPNOTE 6.3.10): the bytes around the files' own.
//!
//! Names and sizes alone decide the length of an archive and where each of its parts lies; what a file's CRC is
//! stands behind its content and in the central directory. So an archive has a length before any file is
//! read, and any stretch of it can be made. ZIP64 is used exactly where a number needs it.

use super::date::civil;

/// An entry of an archive, as far as its records tell.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The whole name, with `/` between its parts; a folder's ends with one.
    pub name: &'a [u8],
    /// Bytes of a file; 0 for a folder.
    pub size: u64,
    /// When it last changed, in seconds since the epoch.
    pub modified: i64,
}

/// A number that has no room in a record of 32 bits, and all above it.
const WIDE: u64 = 0xffff_ffff;

/// As many entries and more have no room in a record of 16 bits.
const MANY: u64 = 0xffff;

/// The longest name, in bytes.
pub const LONGEST_NAME: usize = 0xffff;

const LOCAL: usize = 30;
const CENTRAL: usize = 46;
const END: usize = 22;
const END_64: usize = 56;
const LOCATOR_64: usize = 20;

/// The extra field that has the time (Info-ZIP's "UT"): its head, what it has, and seconds.
const TIME: usize = 9;

/// Bit 3: the CRC follows the content. Bit 11: the name is UTF-8.
const CRC_FOLLOWS: u16 = 1 << 3;
const UTF_8: u16 = 1 << 11;

/// Made by APPNOTE 6.3 on Unix (3), so that the upper half of the attributes is a mode.
const MADE_BY: u16 = 3 << 8 | 63;

impl Entry<'_> {
    /// Whether it is a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.name.last() == Some(&b'/')
    }

    fn is_wide(&self) -> bool {
        self.size >= WIDE
    }

    /// The length of what stands in front of its content.
    #[must_use]
    pub fn local_length(&self) -> u64 {
        (LOCAL + self.name.len() + TIME + if self.is_wide() { 20 } else { 0 }) as u64
    }

    /// The length of what stands behind its content.
    #[must_use]
    pub fn descriptor_length(&self) -> u64 {
        match self.size {
            // The CRC of nothing is known, and stands in front.
            0 => 0,
            WIDE.. => 24,
            _ => 16,
        }
    }

    /// The length of all of it but its record in the central directory.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.local_length().saturating_add(self.size).saturating_add(self.descriptor_length())
    }

    /// The length of its record in the central directory, if it begins at `offset`.
    #[must_use]
    pub fn central_length(&self, offset: u64) -> u64 {
        (CENTRAL + self.name.len() + TIME + self.wide_extra(offset)) as u64
    }

    fn wide_extra(&self, offset: u64) -> usize {
        let sizes = if self.is_wide() { 16 } else { 0 };
        let offset = if offset >= WIDE { 8 } else { 0 };
        if sizes + offset > 0 { 4 + sizes + offset } else { 0 }
    }

    fn flags(&self) -> u16 {
        let crc = if self.descriptor_length() > 0 { CRC_FOLLOWS } else { 0 };
        let name = if str::from_utf8(self.name).is_ok() { UTF_8 } else { 0 };
        crc | name
    }

    /// The version that a reader needs.
    fn needed(&self, offset: u64) -> u16 {
        match self.wide_extra(offset) {
            0 if self.is_folder() => 20,
            0 => 10,
            _ => 45,
        }
    }

    /// What both records have of the flags, the method and the time.
    fn put_manner(&self, out: &mut Vec<u8>, offset: u64) {
        let (date, time) = dos_time(self.modified);
        put16(out, self.needed(offset));
        put16(out, self.flags());
        put16(out, 0);
        put16(out, time);
        put16(out, date);
    }

    fn put_sizes(&self, out: &mut Vec<u8>) {
        put32(out, narrow(self.size));
        put32(out, narrow(self.size));
        put16(out, u16::try_from(self.name.len()).unwrap_or(u16::MAX));
    }

    fn put_time(&self, out: &mut Vec<u8>) {
        put16(out, 0x5455);
        put16(out, 5);
        out.push(1);
        let seconds = self.modified.clamp(i32::MIN.into(), i32::MAX.into());
        out.extend_from_slice(&i32::try_from(seconds).unwrap_or(0).to_le_bytes());
    }

    /// Appends what stands in front of the content (§4.3.7).
    ///
    /// The sizes stand there also where only the CRC follows: who reads an archive as it comes finds the end
    /// of a stored file by nothing else.
    pub fn local(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"PK\x03\x04");
        self.put_manner(out, 0);
        put32(out, 0);
        self.put_sizes(out);
        let extra = TIME + if self.is_wide() { 20 } else { 0 };
        put16(out, u16::try_from(extra).unwrap_or(0));
        out.extend_from_slice(self.name);
        self.put_time(out);
        if self.is_wide() {
            put16(out, 1);
            put16(out, 16);
            put64(out, self.size);
            put64(out, self.size);
        }
    }

    /// Appends what stands behind the content (§4.3.9); nothing behind none.
    pub fn descriptor(&self, out: &mut Vec<u8>, crc: u32) {
        if self.descriptor_length() == 0 {
            return;
        }
        out.extend_from_slice(b"PK\x07\x08");
        put32(out, crc);
        for _ in 0..2 {
            match self.is_wide() {
                true => put64(out, self.size),
                false => put32(out, narrow(self.size)),
            }
        }
    }

    /// Appends the record in the central directory (§4.3.12) of an entry that begins at `offset`.
    pub fn central(&self, out: &mut Vec<u8>, crc: u32, offset: u64) {
        out.extend_from_slice(b"PK\x01\x02");
        put16(out, MADE_BY);
        self.put_manner(out, offset);
        put32(out, crc);
        self.put_sizes(out);
        let extra = TIME + self.wide_extra(offset);
        put16(out, u16::try_from(extra).unwrap_or(0));
        // No comment, the first disk, binary.
        (0..3).for_each(|_| put16(out, 0));
        put32(out, if self.is_folder() { 0o040_755 << 16 | 0x10 } else { 0o100_644 << 16 });
        put32(out, narrow(offset));
        out.extend_from_slice(self.name);
        self.put_time(out);
        if self.wide_extra(offset) > 0 {
            put16(out, 1);
            put16(out, u16::try_from(self.wide_extra(offset) - 4).unwrap_or(0));
            if self.is_wide() {
                put64(out, self.size);
                put64(out, self.size);
            }
            if offset >= WIDE {
                put64(out, offset);
            }
        }
    }
}

/// The central directory as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// How many entries it has.
    pub entries: u64,
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}

impl Directory {
    /// Takes one more entry, and says where that begins.
    ///
    /// Lengths saturate: an archive of more than 16 EiB has none.
    pub fn add(&mut self, entry: &Entry<'_>) -> u64 {
        let begins = self.offset;
        self.entries += 1;
        self.length = self.length.saturating_add(entry.central_length(begins));
        self.offset = begins.saturating_add(entry.length());
        begins
    }

    fn is_wide(&self) -> bool {
        self.entries >= MANY || self.offset >= WIDE || self.length >= WIDE
    }

    /// The length of what stands behind it.
    #[must_use]
    pub fn end_length(&self) -> u64 {
        (END + if self.is_wide() { END_64 + LOCATOR_64 } else { 0 }) as u64
    }

    /// The length of the archive that ends with it.
    #[must_use]
    pub fn archive_length(&self) -> u64 {
        self.offset.saturating_add(self.length).saturating_add(self.end_length())
    }

    /// Appends what stands behind it (§4.3.14 to §4.3.16).
    pub fn end(&self, out: &mut Vec<u8>) {
        if self.is_wide() {
            out.extend_from_slice(b"PK\x06\x06");
            put64(out, (END_64 - 12) as u64);
            put16(out, MADE_BY);
            put16(out, 45);
            (0..2).for_each(|_| put32(out, 0));
            (0..2).for_each(|_| put64(out, self.entries));
            put64(out, self.length);
            put64(out, self.offset);
            out.extend_from_slice(b"PK\x06\x07");
            put32(out, 0);
            put64(out, self.offset.saturating_add(self.length));
            put32(out, 1);
        }
        out.extend_from_slice(b"PK\x05\x06");
        (0..2).for_each(|_| put16(out, 0));
        let entries = u16::try_from(self.entries).unwrap_or(u16::MAX);
        (0..2).for_each(|_| put16(out, entries));
        put32(out, narrow(self.length));
        put32(out, narrow(self.offset));
        put16(out, 0);
    }
}

/// The number, or the mark that it stands in the ZIP64 record.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn put16(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// The date and the time of day as MS-DOS had them, in UTC and in steps of two seconds; from 1980 to 2107.
fn dos_time(seconds: i64) -> (u16, u16) {
    let at = civil(seconds);
    let year = at.year().unsigned_abs();
    if year < 1980 {
        return (1 << 5 | 1, 0);
    }
    if year > 2107 {
        return (127 << 9 | 12 << 5 | 31, 23 << 11 | 59 << 5 | 29);
    }
    let [month, day, hour, minute, second] =
        [at.month(), at.day(), at.hour(), at.minute(), at.second()]
            .map(|value| u16::from(value.unsigned_abs()));
    ((year - 1980) << 9 | month << 5 | day, hour << 11 | minute << 5 | (second / 2))
}

/// Appends one part of a path as an archive can have it: a backslash that a reader on Windows would take for a way
/// up or out gives way.
pub fn put_name(out: &mut Vec<u8>, part: &[u8]) {
    let dangerous = part.contains(&b'\\')
        && part.split(|&b| b == b'\\').any(|it| it.is_empty() || it == b".." || it.contains(&b':'));
    out.extend(part.iter().map(|&b| if dangerous && b == b'\\' { b'_' } else { b }));
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use proptest::prelude::*;

    use super::*;

    /// An archive of these entries, whose content is made up.
    fn archive(entries: &[(String, Vec<u8>, i64)]) -> Vec<u8> {
        let of = |at: usize| {
            let (name, content, modified) = &entries[at];
            Entry { name: name.as_bytes(), size: content.len() as u64, modified: *modified }
        };
        let mut directory = Directory::default();
        let offsets: Vec<_> = (0..entries.len()).map(|at| directory.add(&of(at))).collect();
        let mut out = Vec::new();
        for (at, (_, content, _)) in entries.iter().enumerate() {
            assert_eq!(out.len() as u64, offsets[at]);
            of(at).local(&mut out);
            assert_eq!(out.len() as u64, offsets[at] + of(at).local_length());
            out.extend_from_slice(content);
            of(at).descriptor(&mut out, crc32fast::hash(content));
            assert_eq!(out.len() as u64, offsets[at] + of(at).length());
        }
        assert_eq!(out.len() as u64, directory.offset);
        for (at, (_, content, _)) in entries.iter().enumerate() {
            let before = out.len() as u64;
            of(at).central(&mut out, crc32fast::hash(content), offsets[at]);
            assert_eq!(out.len() as u64, before + of(at).central_length(offsets[at]));
        }
        directory.end(&mut out);
        assert_eq!(out.len() as u64, directory.archive_length());
        out
    }

    #[test]
    fn numbers_that_need_it_are_wide_and_no_others() {
        let entry = |size| Entry { name: b"n", size, modified: 0 };
        for (size, local, behind, central) in [
            (0, 40, 0, 56),
            (1, 40, 16, 56),
            (WIDE - 1, 40, 16, 56),
            (WIDE, 60, 24, 76),
            (u64::MAX / 2, 60, 24, 76),
        ] {
            let it = entry(size);
            assert_eq!(it.local_length(), local, "{size}");
            assert_eq!(it.descriptor_length(), behind, "{size}");
            assert_eq!(it.central_length(0), central, "{size}");
            assert_eq!(it.central_length(WIDE), central + if central == 56 { 12 } else { 8 });
            for offset in [0, WIDE - 1, WIDE, u64::MAX] {
                let (mut one, mut two, mut three) = (Vec::new(), Vec::new(), Vec::new());
                it.local(&mut one);
                it.descriptor(&mut two, 1);
                it.central(&mut three, 1, offset);
                assert_eq!(one.len() as u64, it.local_length());
                assert_eq!(two.len() as u64, it.descriptor_length());
                assert_eq!(three.len() as u64, it.central_length(offset));
            }
        }
        for (entries, offset, length, end) in [
            (0, 0, 0, 22),
            (MANY - 1, WIDE - 1, WIDE - 1, 22),
            (MANY, 0, 0, 98),
            (0, WIDE, 0, 98),
            (0, 0, WIDE, 98),
        ] {
            let directory = Directory { entries, offset, length };
            let mut out = Vec::new();
            directory.end(&mut out);
            assert_eq!((out.len() as u64, directory.end_length()), (end, end));
        }
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, (1980, 1, 1, 0, 0, 0)),
            (315_532_800, (1980, 1, 1, 0, 0, 0)),
            (951_782_400, (2000, 2, 29, 0, 0, 0)),
            (951_868_799, (2000, 2, 29, 23, 59, 58)),
            (1_763_754_311, (2025, 11, 21, 19, 45, 10)),
            (4_354_819_198, (2107, 12, 31, 23, 59, 58)),
            (4_354_819_200, (2107, 12, 31, 23, 59, 58)),
            (i64::MAX, (2107, 12, 31, 23, 59, 58)),
            (i64::MIN, (1980, 1, 1, 0, 0, 0)),
        ] {
            let (date, time) = dos_time(seconds);
            let date = (1980 + (date >> 9), date >> 5 & 15, date & 31);
            let time = (time >> 11, time >> 5 & 63, (time & 31) * 2);
            let (year, month, day, hour, minute, second) = expected;
            assert_eq!((date, time), ((year, month, day), (hour, minute, second)), "{seconds}");
        }
    }

    #[test]
    fn a_backslash_that_leads_up_or_out_gives_way() {
        for (part, expected) in [
            ("a", "a"),
            ("dev\\x2duuid", "dev\\x2duuid"),
            ("..\\..\\evil.bat", ".._.._evil.bat"),
            ("a\\..\\b", "a_.._b"),
            ("\\evil", "_evil"),
            ("c:\\evil", "c:_evil"),
            ("a\\\\b", "a__b"),
        ] {
            let mut out = Vec::new();
            put_name(&mut out, part.as_bytes());
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    proptest! {
        #[test]
        fn another_reader_finds_what_was_written(
            files in proptest::collection::btree_map(
                "[a-zé日]{1,6}(/[a-z]{1,3}){0,2}",
                (proptest::collection::vec(any::<u8>(), 0..200), 315_532_800_i64..4_000_000_000),
                0..12,
            ),
        ) {
            let entries: Vec<_> =
                files.into_iter().map(|(name, (content, at))| (name, content, at)).collect();
            let bytes = archive(&entries);
            let mut read = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
            prop_assert_eq!(read.len(), entries.len());
            for (at, (name, content, _)) in entries.iter().enumerate() {
                let mut file = read.by_index(at).unwrap();
                prop_assert_eq!(&*file.name().unwrap(), name);
                let mut found = Vec::new();
                // Checks the CRC as well.
                file.read_to_end(&mut found).unwrap();
                prop_assert_eq!(&found, content);
            }
        }

        #[test]
        fn any_time_is_a_date(seconds in any::<i64>()) {
            let (date, time) = dos_time(seconds);
            prop_assert!((1..=12).contains(&(date >> 5 & 15)) && (1..=31).contains(&(date & 31)));
            prop_assert!(time >> 11 < 24 && time >> 5 & 63 < 60 && time & 31 < 30);
        }
    }
}
