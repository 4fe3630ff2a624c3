//! Ranges and conditions over real connections.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use crate::site::{Answer, Site};

const CONTENT: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

fn site() -> Site {
    let site = Site::new();
    let path = site.write("f.txt", CONTENT);
    let old = SystemTime::now() - Duration::from_secs(3600);
    fs::File::open(path).unwrap().set_modified(old).unwrap();
    site
}

fn range(site: &Site, range: &str) -> Answer {
    site.ask("GET /f.txt", &[&format!("Range: {range}")])
}

#[test]
fn single_ranges() {
    let site = site();
    for (asked, part, content_range) in [
        ("bytes=0-0", "0", "bytes 0-0/36"),
        ("bytes=10-12", "abc", "bytes 10-12/36"),
        ("bytes=34-", "yz", "bytes 34-35/36"),
        ("bytes=-3", "xyz", "bytes 33-35/36"),
        ("bytes=-100", CONTENT, "bytes 0-35/36"),
        ("bytes=30-100", "uvwxyz", "bytes 30-35/36"),
        ("bytes=0-4,3-6", "0123456", "bytes 0-6/36"),
    ] {
        let answer = range(&site, asked);
        assert_eq!((answer.status, answer.text().as_str()), (206, part), "{asked}");
        assert_eq!(answer.field("content-range"), Some(content_range), "{asked}");
    }
}

#[test]
fn ranges_beyond_the_end_are_unsatisfiable_and_malformed_ones_ignored() {
    let site = site();
    for asked in ["bytes=36-", "bytes=100-200", "bytes=-0"] {
        let answer = range(&site, asked);
        assert_eq!(answer.status, 416, "{asked}");
        assert_eq!(answer.field("content-range"), Some("bytes */36"));
    }
    for asked in ["bytes=5-4", "bytes=x", "lines=1-2", "bytes", "bytes=0-1,-"] {
        let answer = range(&site, asked);
        assert_eq!((answer.status, answer.text().as_str()), (200, CONTENT), "{asked}");
    }
    site.write("empty", "");
    assert_eq!(site.ask("GET /empty", &["Range: bytes=0-"]).status, 416);
    assert_eq!(site.ask("HEAD /f.txt", &["Range: bytes=0-1"]).status, 200);
}

#[test]
fn several_ranges_come_in_parts() {
    let site = Site::new();
    let content: Vec<u8> = (0..200_000u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    site.write("f.txt", &content);
    let answer = range(&site, "bytes=100000-199999,0-9,50000-50009");
    assert_eq!(answer.status, 206);
    let media = answer.field("content-type").unwrap();
    let boundary = media.strip_prefix("multipart/byteranges; boundary=").unwrap().to_owned();
    let mut expected = Vec::new();
    for (first, last) in [(100_000usize, 199_999usize), (0, 9), (50_000, 50_009)] {
        let head = format!(
            "\r\n--{boundary}\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-range: bytes {first}-{last}/200000\r\n\r\n"
        );
        expected.extend_from_slice(head.as_bytes());
        expected.extend_from_slice(&content[first..=last]);
    }
    expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    assert!(answer.body == expected);
    let many: Vec<_> = (0..17).map(|i| format!("{0}-{0}", i * 1000)).collect();
    assert_eq!(range(&site, &format!("bytes={}", many.join(","))).status, 200);
}

#[test]
fn the_end_of_a_file_of_ten_gibibytes_is_at_hand() {
    const SIZE: u64 = 10 << 30;
    let site = Site::new();
    fs::File::create(site.folder().join("large")).unwrap().set_len(SIZE).unwrap();
    let answer = site.ask("GET /large", &["Range: bytes=-100000"]);
    assert_eq!((answer.status, answer.body.len()), (206, 100_000));
    assert_eq!(
        answer.field("content-range"),
        Some(format!("bytes {}-{}/{SIZE}", SIZE - 100_000, SIZE - 1).as_str())
    );
    assert_eq!(site.ask("HEAD /large", &[]).field("content-length"), Some("10737418240"));
}

#[test]
fn conditions_are_evaluated_in_their_order() {
    let site = site();
    let whole = site.get("/f.txt");
    let (tag, date) = (whole.field("etag").unwrap(), whole.field("last-modified").unwrap());
    let ask = |fields: &[&str]| site.ask("GET /f.txt", fields).status;
    let field = |name: &str, value: &str| format!("{name}: {value}");
    let long_ago = "Sun, 06 Nov 1994 08:49:37 GMT";

    assert_eq!(ask(&[&field("If-None-Match", tag)]), 304);
    assert_eq!(ask(&[&field("If-None-Match", &format!("\"x\", W/{tag}"))]), 304);
    assert_eq!(ask(&["If-None-Match: *"]), 304);
    assert_eq!(ask(&["If-None-Match: \"x\""]), 200);
    assert_eq!(ask(&[&field("If-Modified-Since", date)]), 304);
    assert_eq!(ask(&[&field("If-Modified-Since", long_ago)]), 200);
    assert_eq!(ask(&["If-None-Match: \"x\"", &field("If-Modified-Since", date)]), 200);
    assert_eq!(ask(&[&field("If-Match", tag)]), 200);
    assert_eq!(ask(&[&field("If-Match", &format!("W/{tag}"))]), 412);
    assert_eq!(ask(&["If-Match: \"x\""]), 412);
    assert_eq!(ask(&[&field("If-Unmodified-Since", long_ago)]), 412);
    assert_eq!(ask(&[&field("If-Unmodified-Since", date)]), 200);
    assert_eq!(ask(&[&field("If-Match", tag), &field("If-Unmodified-Since", long_ago)]), 200);
    let part = "Range: bytes=0-1";
    assert_eq!(ask(&[part, &field("If-Range", tag)]), 206);
    assert_eq!(ask(&[part, &field("If-Range", date)]), 206);
    assert_eq!(ask(&[part, "If-Range: \"x\""]), 200);
    assert_eq!(ask(&[part, &field("If-Range", long_ago)]), 200);
    assert_eq!(ask(&[part, &field("If-None-Match", tag)]), 304);
    assert_eq!(ask(&["Range: bytes=99-", &field("If-Match", "\"x\"")]), 412);
    // Sent twice, a list is one list.
    assert_eq!(ask(&["If-None-Match: \"x\"", &field("If-None-Match", tag)]), 304);

    let not_modified = site.ask("GET /f.txt", &[&field("If-None-Match", tag)]);
    assert_eq!(not_modified.field("etag"), Some(tag));
    assert_eq!(not_modified.field("content-length"), None);
    assert!(not_modified.body.is_empty());
}

#[test]
fn a_changed_file_has_another_tag() {
    let site = site();
    let tag = |site: &Site| site.get("/f.txt").field("etag").unwrap().to_owned();
    let first = tag(&site);
    assert_eq!(first, tag(&site));
    site.write("new", CONTENT);
    fs::rename(site.folder().join("new"), site.folder().join("f.txt")).unwrap();
    assert_ne!(first, tag(&site));
}
