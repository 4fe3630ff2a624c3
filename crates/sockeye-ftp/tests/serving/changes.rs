//! Changes to files and folders, and to what is known of them.

use crate::client::Served;

#[test]
fn files_and_folders_are_made_renamed_and_removed() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    client.store("STOR a", b"one");
    client.store("STOR b", b"two");
    for (line, code) in [
        ("MKD folder", 257),
        ("MKD folder", 550),
        ("MKD /", 550),
        ("MKD no/where", 550),
        ("MKD public", 550),
        ("RNFR a", 350),
        ("RNTO folder/c", 250),
        ("RNFR nowhere", 550),
        ("RNFR /", 550),
        ("RMD /", 550),
        ("RNFR b", 350),
        ("NOOP", 200),
        ("RNTO x", 503),
        ("RNFR b", 350),
        ("RNTO folder", 550),
        ("RNFR folder", 350),
        ("RNTO folder/in", 553),
        ("RNFR b", 350),
        ("RNTO folder/c", 250),
        ("RMD folder", 550),
        ("DELE folder", 550),
        ("RMD folder/c", 550),
        ("DELE folder/c", 250),
        ("DELE folder/c", 550),
        ("XRMD folder", 250),
    ] {
        client.expect(code, line);
    }
    let told = client.expect(550, "MKD public");
    assert_eq!(told, "550 /public is a name that the server keeps for itself.");
    assert_eq!(served.node.records("rename").iter().filter(|it| it["outcome"] == "ok").count(), 2);
}

#[test]
fn permissions_that_are_not_as_asked_are_told_with_the_reason() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.store("STOR file", b"x");
    client.expect(257, "MKD folder");
    for (line, told) in [
        ("SITE CHMOD 640 file", "200 /file has the permissions 640."),
        ("SITE CHMOD 755 folder", "200 /folder has the permissions 755."),
        (
            "SITE CHMOD 600 folder",
            "200 /folder has the permissions 700, not 600: the server keeps its own access to it.",
        ),
    ] {
        assert_eq!(client.ask(line), [told], "{line}");
    }
}

#[test]
fn times_are_told_and_set() {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.store("STOR file", b"x");
    for (line, reply) in [
        ("MFMT 20010203040506 file", "213 Modify=20010203040506; /file"),
        ("MDTM file", "213 20010203040506"),
        ("MDTM 20020203040506 file", "213 Modify=20020203040506; /file"),
        ("MDTM file", "213 20020203040506"),
        (
            "MFF modify=20030203040506;UNIX.mode=0600; file",
            "213 Modify=20030203040506;UNIX.mode=0600; /file",
        ),
        ("MDTM file", "213 20030203040506"),
        ("SITE UTIME 20040203040506 file", "213 Modify=20040203040506; /file"),
        (
            "SITE UTIME file 20050203040506 20060203040506 20050203040506 UTC",
            "213 Modify=20060203040506; /file",
        ),
        ("MDTM file", "213 20060203040506"),
        ("SITE CHMOD 640 file", "200 /file has the permissions 640."),
        // The server itself keeps access.
        (
            "SITE CHMOD 155 file",
            "200 /file has the permissions 755, not 155: the server keeps its own access to it.",
        ),
        ("MFF UNIX.mode=0044; file", "213 UNIX.mode=0644; /file"),
    ] {
        assert_eq!(client.ask(line), [reply], "{line}");
    }
    for (line, code) in [
        ("MFMT 20010203040506 nowhere", 550),
        ("MFMT yesterday file", 501),
        ("MFF size=5; file", 504),
        ("MFF modify=x; file", 501),
        ("MFF file", 501),
        ("SITE CHMOD x file", 501),
        ("SITE CHMOD 644", 501),
        ("MDTM nowhere", 550),
    ] {
        client.expect(code, line);
    }
}

#[test]
fn administrators_alone_see_who_is_there() {
    let served = Served::new();
    let mut member = served.logged_in("alice");
    member.expect(550, "SITE WHO");
    let mut admin = served.logged_in("root");
    let told = admin.expect(200, "SITE WHO");
    assert!(told.contains("alice over ftp from 127.0.0.1") && told.contains("root over"), "{told}");
    assert!(told.contains(" s: idle for "), "{told}");
    served.node.set_quota("alice", 5000);
    assert!(member.expect(200, "SITE QUOTA").contains(" of 5000."));
}
