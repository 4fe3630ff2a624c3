//! Properties, which follow what they are of.

use sockeye_store::{
    Condition, Error, Home, Keeping, MAX_PROPERTIES, MAX_PROPERTY, Marks, Overwrite, Property,
    PropertyChange, PropertyName, Purge, Recursive, UploadOptions,
};
use tempfile::TempDir;

use crate::{path, put, soon};

/// Two homes whose marks are kept.
pub(crate) struct Pair {
    dir: TempDir,
    marks: Marks,
    pub(crate) one: Home,
    pub(crate) two: Home,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::in_folder(TempDir::new().unwrap())
    }

    fn in_folder(dir: TempDir) -> Self {
        let marks = Marks::open(&dir.path().join("marks.db")).unwrap();
        let [one, two] = ["one", "two"]
            .map(|name| Home::keep(&dir.path().join(name), marked(&marks, name)).unwrap());
        Self { dir, marks, one, two }
    }

    pub(crate) fn reopened(self) -> Self {
        let Self { dir, marks, one, two } = self;
        drop((one, two, marks));
        Self::in_folder(dir)
    }
}

fn marked(marks: &Marks, home: &str) -> Keeping {
    let mut keeping = crate::keeping();
    keeping.marks = Some(marks.of(home));
    keeping
}

fn color() -> PropertyName {
    PropertyName::new("urn:example", "color")
}

async fn paint(home: &Home, at: &str, value: &str) -> Result<(), Error> {
    let set = PropertyChange::Set(Property { name: color(), value: value.into() });
    soon(home.set_properties(&path(at), vec![set])).await
}

async fn color_of(home: &Home, at: &str) -> Option<String> {
    let mut properties = soon(home.properties(&path(at))).await.unwrap();
    assert!(properties.len() < 2, "{properties:?}");
    properties.pop().map(|property| property.value.into_string())
}

/// A folder with a file in it, both painted.
async fn painted(home: &Home, folder: &str) {
    home.mkdir(&path(folder)).await.unwrap();
    put(home, &format!("{folder}/file"), b"content").await.unwrap();
    paint(home, folder, "red").await.unwrap();
    paint(home, &format!("{folder}/file"), "green").await.unwrap();
}

async fn assert_painted(home: &Home, folder: &str) {
    assert_eq!(color_of(home, folder).await.as_deref(), Some("red"), "{folder}");
    let file = format!("{folder}/file");
    assert_eq!(color_of(home, &file).await.as_deref(), Some("green"), "{file}");
}

async fn assert_bare(home: &Home, folder: &str) {
    assert_eq!(color_of(home, folder).await, None, "{folder}");
    assert_eq!(color_of(home, &format!("{folder}/file")).await, None, "{folder}/file");
}

#[tokio::test]
async fn properties_are_set_replaced_removed_and_kept() {
    let homes = Pair::new();
    assert!(!homes.one.has_properties());
    assert_eq!(
        paint(&homes.one, "a", "red").await.unwrap_err().to_string(),
        Error::NotFound.to_string()
    );
    put(&homes.one, "a", b"").await.unwrap();
    paint(&homes.one, "a", "red").await.unwrap();
    paint(&homes.one, "a", "blue").await.unwrap();
    let homes = homes.reopened();
    assert!(homes.one.has_properties() && !homes.two.has_properties());
    assert_eq!(color_of(&homes.one, "a").await.as_deref(), Some("blue"));
    let remove = PropertyChange::Remove(color());
    // To remove what is not there is no error.
    homes.one.set_properties(&path("a"), vec![remove.clone(), remove]).await.unwrap();
    assert_eq!(color_of(&homes.one, "a").await, None);
    assert!(!homes.one.has_properties());
}

#[tokio::test]
async fn properties_follow_a_rename_within_a_home_and_to_another() {
    let homes = Pair::new();
    let (one, two) = (&homes.one, &homes.two);
    painted(one, "a").await;
    put(one, "ab", b"").await.unwrap();
    paint(one, "ab", "beside").await.unwrap();
    one.rename(&path("a"), &path("b"), Overwrite::No).await.unwrap();
    assert_painted(one, "b").await;
    assert_bare(one, "a").await;
    assert_eq!(color_of(one, "ab").await.as_deref(), Some("beside"));
    // Over a folder that is painted otherwise.
    two.mkdir(&path("c")).await.unwrap();
    put(two, "c/other", b"").await.unwrap();
    paint(two, "c/other", "gray").await.unwrap();
    one.rename_to(&path("b"), two, &path("c"), Overwrite::Yes).await.unwrap();
    assert_painted(two, "c").await;
    assert_bare(one, "b").await;
    put(two, "c/other", b"").await.unwrap();
    assert_eq!(color_of(two, "c/other").await, None);
}

#[tokio::test]
async fn a_copy_has_the_properties_of_what_it_was_made_of() {
    let homes = Pair::new();
    let (one, two) = (&homes.one, &homes.two);
    painted(one, "a").await;
    one.copy(&path("a"), two, &path("deep"), Overwrite::No).await.unwrap();
    assert_painted(one, "a").await;
    assert_painted(two, "deep").await;
    put(one, "plain", b"").await.unwrap();
    one.copy(&path("a/file"), one, &path("plain"), Overwrite::Yes).await.unwrap();
    assert_eq!(color_of(one, "plain").await.as_deref(), Some("green"));
    put(two, "bare", b"").await.unwrap();
    two.copy(&path("bare"), one, &path("plain"), Overwrite::Yes).await.unwrap();
    assert_eq!(color_of(one, "plain").await, None);
    // All of a home.
    two.mkdir(&path("all")).await.unwrap();
    one.remove(&path("plain"), Recursive::No).await.unwrap();
    one.copy(&path(""), two, &path("all/one"), Overwrite::No).await.unwrap();
    assert_painted(two, "all/one/a").await;
}

#[tokio::test]
async fn properties_go_to_the_trash_and_come_back() {
    let homes = Pair::new();
    let one = &homes.one;
    painted(one, "a").await;
    one.remove(&path("a/file"), Recursive::No).await.unwrap();
    assert_eq!(color_of(one, "a/file").await, None);
    // What comes after it has nothing of it.
    put(one, "a/file", b"another").await.unwrap();
    assert_eq!(color_of(one, "a/file").await, None);
    one.remove(&path("a/file"), Recursive::No).await.unwrap();
    let removed = one.trash(None, 10).await.unwrap();
    one.restore(removed[0].id, None).await.unwrap();
    assert_painted(one, "a").await;
    one.remove(&path("a"), Recursive::Yes).await.unwrap();
    assert_bare(one, "a").await;
    let removed = one.trash(None, 10).await.unwrap();
    one.restore(removed.last().unwrap().id, Some(path("b"))).await.unwrap();
    assert_painted(one, "b").await;
    one.remove(&path("b"), Recursive::Yes).await.unwrap();
    one.purge(Purge::All).await.unwrap();
    assert!(!one.has_properties());
}

#[tokio::test]
async fn a_file_that_is_written_anew_keeps_its_properties() {
    let homes = Pair::new();
    painted(&homes.one, "a").await;
    put(&homes.one, "a/file", b"new").await.unwrap();
    let mut options = UploadOptions::default();
    options.condition = Condition::Present;
    let upload = homes.one.upload(&path("a/file"), options).await.unwrap();
    upload.commit().await.unwrap();
    assert_painted(&homes.one, "a").await;
}

#[tokio::test]
async fn what_is_too_much_is_refused_as_a_whole() {
    let homes = Pair::new();
    let one = &homes.one;
    put(one, "a", b"").await.unwrap();
    let long = "x".repeat(1024 * 1024);
    assert!(matches!(paint(one, "a", &long).await, Err(Error::TooManyMarks { .. })));
    let property = |n: u64, value: &str| {
        let name = PropertyName::new("", &n.to_string());
        PropertyChange::Set(Property { name, value: value.into() })
    };
    let many = (0..=MAX_PROPERTIES).map(|n| property(n, "")).collect::<Vec<_>>();
    let refused = soon(one.set_properties(&path("a"), many.clone())).await;
    assert!(matches!(refused, Err(Error::TooManyMarks { .. })), "{refused:?}");
    assert!(!one.has_properties());
    soon(one.set_properties(&path("a"), many[1..].to_vec())).await.unwrap();
    let large = "x".repeat(MAX_PROPERTY);
    let heavy = (1..=5).map(|n| property(n, &large)).collect();
    let refused = soon(one.set_properties(&path("a"), heavy)).await;
    assert!(matches!(refused, Err(Error::TooManyMarks { .. })), "{refused:?}");
    let kept = one.properties(&path("a")).await.unwrap();
    assert!(kept.iter().all(|property| property.value.is_empty()));
}

#[tokio::test]
async fn the_properties_of_many_are_asked_for_at_once() {
    let homes = Pair::new();
    painted(&homes.one, "a").await;
    put(&homes.one, "a/bare", b"").await.unwrap();
    let names =
        ["bare", "file", "none"].map(|name| sockeye_store::Name::parse(name.as_bytes()).unwrap());
    let found = homes.one.properties_in(&path("a"), &names).await.unwrap();
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 0]);
    let none = homes.two.properties_in(&path("a"), &names).await.unwrap();
    assert_eq!(none.len(), 3);
}

#[tokio::test]
async fn a_copy_of_the_file_has_everything_and_another_programs_is_refused() {
    let homes = Pair::new();
    painted(&homes.one, "a").await;
    let copy = homes.dir.path().join("copy.db");
    homes.marks.backup(&copy).unwrap();
    let marks = Marks::open(&copy).unwrap().of("three");
    let other = Home::keep(&homes.dir.path().join("three"), marked(&marks, "one")).unwrap();
    assert!(other.has_properties());
    drop(other);
    let of_none = Home::keep(&homes.dir.path().join("three"), marked(&marks, "three")).unwrap();
    assert!(!of_none.has_properties());
    let foreign = homes.dir.path().join("foreign.db");
    std::fs::write(&foreign, "no database at all, however long it is read").unwrap();
    assert!(Marks::open(&foreign).unwrap_err().to_string().contains("foreign.db"));
}
