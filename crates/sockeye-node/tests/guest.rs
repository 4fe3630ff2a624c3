//! What a guest can do: read and list one folder.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{collections::HashSet, fs};

use sockeye_node::{Error, FilePath, Gathered, Home, Kind, Order, Range, Session};
use tempfile::TempDir;

fn guest() -> (TempDir, Session) {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    fs::write(dir.path().join("folder/file"), "0123456789").unwrap();
    let session = Session::guest(Home::open(dir.path()).unwrap());
    (dir, session)
}

fn path(text: &str) -> FilePath {
    FilePath::parse(text.as_bytes()).unwrap()
}

async fn read(session: &Session, range: Option<Range>) -> Result<String, Error> {
    let mut body = session.read(&path("folder/file"), range).await?;
    let mut text = String::new();
    let mut buf = [0; 4];
    loop {
        let n = body.read(&mut buf).await?;
        if n == 0 {
            return Ok(text);
        }
        text.push_str(str::from_utf8(&buf[..n]).unwrap());
    }
}

#[tokio::test]
async fn a_file_is_read_whole_or_in_part() {
    let (_dir, session) = guest();
    let range = |offset, length| Some(Range { offset, length });
    assert_eq!(read(&session, None).await.unwrap(), "0123456789");
    assert_eq!(read(&session, range(2, 3)).await.unwrap(), "234");
    assert_eq!(read(&session, range(8, 100)).await.unwrap(), "89");
    assert_eq!(read(&session, range(10, 1)).await.unwrap(), "");
    assert!(matches!(
        read(&session, range(11, 1)).await,
        Err(Error::BadRange { start: 11, size: 10 })
    ));
}

#[tokio::test]
async fn a_file_that_grows_is_sent_as_it_was_opened() {
    let (dir, session) = guest();
    let mut body = session.read(&path("folder/file"), None).await.unwrap();
    fs::write(dir.path().join("folder/file"), "0123456789 and more").unwrap();
    assert_eq!(body.read(&mut [0; 64]).await.unwrap(), 10);
    assert_eq!(body.read(&mut [0; 64]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_folder_is_listed_and_not_read() {
    let (_dir, session) = guest();
    let mut listing = session.list(&path("folder")).await.unwrap();
    let entries = listing.next().await.unwrap().unwrap();
    assert_eq!((entries.len(), entries[0].name.to_string()), (1, "file".to_owned()));
    assert_eq!(session.stat(&path("folder")).await.unwrap().kind, Kind::Folder);
    assert!(matches!(session.read(&path("folder"), None).await, Err(Error::WrongKind { .. })));
    assert!(matches!(session.list(&path("folder/file")).await, Err(Error::WrongKind { .. })));
    assert!(matches!(session.read(&path("gone"), None).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_hundred_thousand_entries_come_in_bounded_pieces() {
    const ENTRIES: usize = 100_000;
    let place = if fs::metadata("/dev/shm").is_ok() { "/dev/shm" } else { "/tmp" };
    let dir = TempDir::new_in(place).unwrap();
    for i in 0..ENTRIES {
        fs::write(dir.path().join(format!("file-{i:06}")), "").unwrap();
    }
    let session = Session::guest(Home::open(dir.path()).unwrap());
    let listing = session.list(&FilePath::root()).await.unwrap();
    let gathered = listing.gather(5000, Order::default()).await.unwrap();
    let Gathered::Some(first, mut rest) = gathered else { panic!("100,000 are more than 5,000") };
    assert!(first.len() > 5000 && first.len() < 8000, "{}", first.len());
    let mut names: HashSet<_> = first.into_iter().map(|e| e.name).collect();
    let mut largest = 0;
    while let Some(piece) = rest.next().await.unwrap() {
        largest = largest.max(piece.len());
        names.extend(piece.into_iter().map(|e| e.name));
    }
    assert_eq!(names.len(), ENTRIES);
    assert!(largest < 2000, "a piece had {largest} entries");
}
