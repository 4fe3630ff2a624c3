//! What becomes of a data folder when it is made, held, and refused.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

use tempfile::TempDir;

use super::*;

fn beneath(dir: &TempDir, path: &str) -> DataFolder {
    DataFolder::new(dir.path().join(path))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_folder_that_is_made_is_private_and_found_again() {
    let dir = TempDir::new().unwrap();
    let folder = beneath(&dir, "above/data");
    assert!(!folder.exists().unwrap());
    let mut hold = Hold::take_or_create(&folder).unwrap();
    assert!(hold.is_new());
    hold.keep();
    drop(hold);
    assert!(folder.exists().unwrap());
    for path in [folder.path().to_owned(), folder.homes(), folder.tls()] {
        assert_eq!(mode(&path), 0o700, "{}", path.display());
    }
    assert_eq!(mode(&folder.lock()), 0o600);
    assert!(!Hold::take_or_create(&folder).unwrap().is_new());
}

#[test]
fn a_folder_that_has_a_configuration_alone_gets_the_rest() {
    let dir = TempDir::new().unwrap();
    let folder = beneath(&dir, "data");
    fs::create_dir(folder.path()).unwrap();
    write_private(&folder.config(), b"public = true\n").unwrap();
    let hold = Hold::take_or_create(&folder).unwrap();
    assert!(!hold.is_new() && folder.homes().is_dir() && folder.public().is_dir());
    drop(hold);
    assert!(folder.config().exists(), "what somebody wrote is not taken back");
}

#[test]
fn a_start_that_fails_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    let folder = beneath(&dir, "above/data");
    let hold = Hold::take_or_create(&folder).unwrap();
    fs::write(folder.database(), "half").unwrap();
    drop(hold);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

    // One that was there and empty stays, empty.
    fs::create_dir(dir.path().join("volume")).unwrap();
    fs::create_dir(dir.path().join("volume/lost+found")).unwrap();
    let folder = beneath(&dir, "volume");
    drop(Hold::take_or_create(&folder).unwrap());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1);
}

#[test]
fn a_second_one_is_refused_with_the_process_of_the_first() {
    let dir = TempDir::new().unwrap();
    let folder = beneath(&dir, "data");
    let mut hold = Hold::take_or_create(&folder).unwrap();
    hold.keep();
    for refused in [Hold::take(&folder), Hold::take_or_create(&folder)] {
        let error = refused.unwrap_err();
        let message = format!("{} is in use by process ", folder.path().display());
        assert_eq!(error.to_string(), format!("{message}{}", std::process::id()));
    }
    drop(hold);
    assert!(Hold::take(&folder).is_ok());
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("photo.jpg"), "x").unwrap();
    let error = Hold::take_or_create(&DataFolder::new(dir.path())).unwrap_err();
    assert!(error.to_string().ends_with("it has photo.jpg in it"), "{error}");
    let error = Hold::take_or_create(&beneath(&dir, "photo.jpg")).unwrap_err();
    assert!(error.to_string().ends_with("is a file, not a folder"), "{error}");
    let error = Hold::take_or_create(&beneath(&dir, "photo.jpg/data")).unwrap_err();
    assert!(error.to_string().ends_with("is a file, not a folder"), "{error}");
    let error = Hold::take(&beneath(&dir, "none")).unwrap_err();
    assert!(matches!(error, DataError::NotThere(_)), "{error}");
}

#[test]
fn a_configuration_is_read_if_there_is_one_and_is_of_a_sensible_size() {
    let dir = TempDir::new().unwrap();
    let folder = DataFolder::new(dir.path());
    assert_eq!(folder.read_config().unwrap(), None);
    write_private(&folder.config(), b"public = true\n").unwrap();
    assert_eq!(mode(&folder.config()), 0o600);
    assert_eq!(folder.read_config().unwrap().unwrap().1, "public = true\n");
    let file = fs::File::create(folder.config()).unwrap();
    file.set_len(MAX_FILE + 1).unwrap();
    assert!(folder.read_config().unwrap_err().to_string().contains("longer than"));
}

#[test]
fn a_configuration_that_is_written_first_belongs_to_the_owner_of_the_folder() {
    let dir = TempDir::new().unwrap();
    let folder = DataFolder::new(dir.path());
    if rustix::process::geteuid().is_root() {
        // As `sudo sockeye config set` for a service.
        chown(folder.path(), Some(4242), Some(4243)).unwrap();
    }
    folder.write_config("public = true\n").unwrap();
    let of = |path: &Path| fs::metadata(path).map(|it| (it.uid(), it.gid())).unwrap();
    assert_eq!(of(&folder.config()), of(folder.path()));
    assert_eq!(mode(&folder.config()), 0o600);
}

#[test]
fn whoever_changes_the_configuration_has_it_alone() {
    let dir = TempDir::new().unwrap();
    let folder = DataFolder::new(dir.path());
    folder.write_config("").unwrap();
    let add = || {
        for _ in 0..20 {
            let _hold = folder.hold_config().unwrap();
            let text = folder.read_config().unwrap().unwrap().1;
            folder.write_config(&(text + "#")).unwrap();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(add);
        }
    });
    assert_eq!(folder.read_config().unwrap().unwrap().1.len(), 80);
}
