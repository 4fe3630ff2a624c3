//! Names as clients send them: nothing of them leads out of the home, and nothing is taken for more than a name.

use std::os::unix::fs::symlink;

use crate::client::Served;

#[test]
fn no_path_leads_out_of_the_home() {
    let served = Served::new();
    let home = served.node.home("alice");
    let mut client = served.logged_in("alice");
    client.binary();
    client.expect(257, "MKD in");
    client.expect(250, "CWD in");
    assert_eq!(client.store("STOR ../../../../up.txt", b"x"), 226);
    assert_eq!(client.store("STOR /absolute.txt", b"x"), 226);
    assert_eq!(client.store("STOR .//./here.txt", b"x"), 226);
    for file in ["up.txt", "absolute.txt", "in/here.txt"] {
        assert!(home.join(file).exists(), "{file}");
    }
    symlink("/etc", home.join("out")).unwrap();
    symlink("../../../../../../etc", home.join("above")).unwrap();
    symlink("in/here.txt", home.join("inside")).unwrap();
    for line in [
        "RETR /etc/passwd",
        "RETR ../../../../../../../../etc/passwd",
        "RETR /out/passwd",
        "RETR /above/passwd",
        "RETR ~root/.bashrc",
        "STOR /out/x",
        "DELE /out/passwd",
        "NLST /out",
    ] {
        client.epsv();
        client.expect(550, line);
    }
    for line in ["CWD /out", "CWD ~root", "MKD /above/x", "RMD /out/apt", "SIZE /out/passwd"] {
        client.expect(550, line);
    }
    client.expect(350, "RNFR /absolute.txt");
    client.expect(550, "RNTO /out/absolute.txt");
    // The home is the root, however it is called.
    for line in ["CWD ../..", "CWD ~"] {
        client.expect(250, line);
        assert_eq!(client.ask("PWD"), ["257 \"/\" is the working folder."]);
    }
    assert_eq!(client.fetch("RETR /inside"), b"x");
    assert!(!served.node.folder().join("up.txt").exists());
}

#[test]
fn a_name_is_what_was_sent_and_no_more() {
    let served = Served::new();
    let home = served.node.home("alice");
    let mut client = served.logged_in("alice");
    for name in [
        " in front",
        "behind ",
        "two  within",
        "~x",
        "*",
        "[a]",
        "$HOME",
        "a;b",
        "`id`",
        "\\",
        "-l",
    ] {
        assert_eq!(client.store(&format!("STOR {name}"), b"x"), 226, "{name:?}");
        assert!(home.join(name).exists(), "{name:?}");
        client.expect(213, &format!("SIZE {name}"));
        client.expect(250, &format!("DELE {name}"));
    }
    for name in ["a\tb", "a\x1b[2J", "a\x7fb", "\u{1}"] {
        client.epsv();
        client.expect(553, &format!("STOR {name}"));
        client.expect(553, &format!("MKD {name}"));
    }
    // A pattern is one for LIST, NLST and STAT alone.
    client.store("STOR one", b"x");
    for line in ["DELE *", "RETR *", "RNFR o*", "CWD *", "HASH o?e"] {
        client.epsv();
        client.expect(550, line);
    }
    assert_eq!(client.fetch_text("NLST o?e"), "one\r\n");
    let long = "n".repeat(256);
    client.expect(501, &format!("MKD {long}"));
    assert_eq!(client.fetch_text("NLST"), "one\r\n");
}

#[test]
fn what_is_removed_or_replaced_is_in_the_trash() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.store("STOR file", b"first");
    client.store("STOR file", b"second");
    client.expect(250, "DELE file");
    let home = served.node.home("alice");
    let trash = std::fs::read_dir(home.parent().unwrap().join("trash")).unwrap();
    let mut sizes: Vec<_> = trash.map(|it| it.unwrap().metadata().unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 6]);
}
