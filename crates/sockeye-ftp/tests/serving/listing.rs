//! Folders: LIST, NLST, MLSD, MLST, STAT.

use crate::client::{FtpClient, Served};

fn filled() -> (Served, FtpClient) {
    let served = Served::new();
    let mut client = served.logged_in("alice");
    client.binary();
    for folder in ["docs", "docs/in"] {
        client.expect(257, &format!("MKD {folder}"));
    }
    for file in ["a.txt", "b.txt", "docs/c.txt", "with space", "文件"] {
        assert_eq!(client.store(&format!("STOR {file}"), b"12345"), 226);
        client.expect(213, &format!("MFMT 20200102030405 {file}"));
    }
    (served, client)
}

fn lines(text: &str) -> Vec<&str> {
    assert!(text.is_empty() || text.ends_with("\r\n"), "{text:?}");
    text.split_terminator("\r\n").collect()
}

#[test]
fn nlst_names_what_can_be_asked_for() {
    let (_served, mut client) = filled();
    let own = ["a.txt", "b.txt", "docs", "with space", "文件"];
    for (line, names) in [
        ("NLST", &own[..]),
        ("NLST .", &own),
        ("NLST -l", &[]),
        ("NLST docs", &["docs/c.txt", "docs/in"]),
        ("NLST docs/", &["docs/c.txt", "docs/in"]),
        ("NLST /docs", &["/docs/c.txt", "/docs/in"]),
        ("NLST *.txt", &["a.txt", "b.txt"]),
        ("NLST docs/*.txt", &["docs/c.txt"]),
        ("NLST [b-z]*", &["b.txt", "docs", "with space"]),
        ("NLST nothing*", &[]),
        ("NLST a.txt", &["a.txt"]),
        ("NLST with space", &["with space"]),
        ("NLST docs/in", &[]),
    ] {
        let text = client.fetch_text(line);
        let mut told = lines(&text);
        told.sort_unstable();
        if line != "NLST -l" {
            assert_eq!(told, names, "{line}");
        }
    }
    client.epsv();
    client.expect(550, "NLST nowhere");
}

#[test]
fn list_has_the_form_of_ls() {
    let (_served, mut client) = filled();
    let text = client.fetch_text("LIST docs");
    let told = lines(&text);
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with("drwx") && told[0].ends_with(" in"), "{}", told[0]);
    client.expect(200, "SITE CHMOD 640 docs/c.txt");
    let file = "-rw-r-----    1 alice    alice               5 Jan  2  2020 c.txt";
    assert_eq!(lines(&client.fetch_text("LIST docs"))[1], file);
    let names = |text: &str| -> Vec<String> {
        lines(text).iter().map(|it| it.rsplit(' ').next().unwrap_or("").to_owned()).collect()
    };
    assert_eq!(names(&client.fetch_text("LIST -a docs")), [".", "..", "in", "c.txt"]);
    assert_eq!(names(&client.fetch_text("LIST -d docs")), ["docs"]);
    assert_eq!(names(&client.fetch_text("LIST a.txt")), ["a.txt"]);
    assert_eq!(names(&client.fetch_text("LIST *.txt")), ["a.txt", "b.txt"]);
    assert_eq!(client.fetch_text("LIST -1 docs"), "docs/in\r\ndocs/c.txt\r\n");
}

#[test]
fn what_is_shared_belongs_to_the_same_whoever_asks() {
    let served = Served::new();
    served.node.share("team");
    served.node.grant("bob", "/shared/team", "read,list");
    served.node.gate().set_public(true);
    let (mut root, mut bob) = (served.logged_in("root"), served.logged_in("bob"));
    for path in ["/own", "/shared/team/plan", "/public/notice"] {
        assert_eq!(root.store(&format!("STOR {path}"), b"x"), 226);
    }
    let belongs = |text: &str| -> Vec<String> {
        let told = lines(text).into_iter().map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            format!("{} {} {}", words[8], words[2], words[3])
        });
        let mut told: Vec<_> = told.collect();
        told.sort_unstable();
        told
    };
    assert_eq!(
        belongs(&root.fetch_text("LIST /")),
        ["own root root", "public public public", "shared shared shared"]
    );
    let mut visitor = served.client();
    visitor.expect(331, "USER anonymous");
    visitor.expect(230, "PASS me@example.org");
    assert_eq!(belongs(&visitor.fetch_text("LIST /")), ["notice public public"]);
    for client in [&mut root, &mut bob] {
        for (line, told) in [
            ("LIST /shared", "team shared team"),
            ("LIST /shared/team", "plan shared team"),
            ("LIST /shared/team/plan", "/shared/team/plan shared team"),
            ("LIST /public", "notice public public"),
        ] {
            assert_eq!(belongs(&client.fetch_text(line)), [told], "{line}");
        }
        let told = client.ask("STAT /shared/team");
        assert_eq!(belongs(&format!("{}\r\n", told[1])), ["plan shared team"]);
        client.expect(200, "OPTS MLST UNIX.owner;UNIX.group;");
        let fact = "UNIX.owner=shared;UNIX.group=team; ";
        assert_eq!(client.ask("MLST /shared/team/plan")[1], format!(" {fact}/shared/team/plan"));
        assert_eq!(client.fetch_text("MLSD /shared/team"), format!("{fact}plan\r\n"));
    }
}

#[test]
fn facts_are_those_that_the_client_chose() {
    let (_served, mut client) = filled();
    client.expect(200, "OPTS MLST type;size;modify;");
    let text = client.fetch_text("MLSD docs");
    let mut told = lines(&text);
    told.sort_unstable();
    assert!(told[0].starts_with("type=dir;modify=") && told[0].ends_with("; in"), "{told:?}");
    assert_eq!(told[1], "type=file;size=5;modify=20200102030405; c.txt");
    let reply = client.ask("MLST docs/c.txt");
    assert_eq!(reply[1], " type=file;size=5;modify=20200102030405; /docs/c.txt");
    client.expect(200, "OPTS MLST perm;");
    assert_eq!(client.ask("MLST docs/c.txt")[1], " perm=adfrw; /docs/c.txt");
    assert_eq!(client.ask("MLST docs")[1], " perm=cdeflmp; /docs");
    client.epsv();
    client.expect(501, "MLSD a.txt");
    client.expect(550, "MLST nowhere");
}

#[test]
fn stat_lists_over_the_control_connection() {
    let (_served, mut client) = filled();
    let told = client.ask("STAT docs");
    assert_eq!((told.len(), &told[0][..4]), (4, "213-"));
    assert!(
        told[1].ends_with(" in") || told[1].ends_with(" c.txt") && told[3].starts_with("213 "),
        "{told:?}"
    );
    assert_eq!(client.ask("STAT a.txt").len(), 3);
    client.expect(550, "STAT nowhere");
    assert!(client.expect(211, "STAT").contains("alice is logged in, in /"));
}

#[test]
fn a_large_folder_comes_whole() {
    let served = Served::with(|config| config.limits.sorted = 10);
    let mut client = served.logged_in("alice");
    let home = served.node.home("alice");
    client.expect(257, "MKD many");
    for number in 0..3000 {
        std::fs::write(home.join(format!("many/file {number}")), b"x").unwrap();
    }
    for line in ["MLSD many", "NLST many", "LIST many"] {
        let text = client.fetch_text(line);
        let mut told: Vec<_> = lines(&text).iter().map(|it| it.rsplit("file ").next()).collect();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), 3000, "{line}");
    }
    assert!(client.ask("STAT many").len() <= 1002);
}

#[test]
fn a_tree_is_told_as_ls_tells_it() {
    let (_served, mut client) = filled();
    client.store("STOR docs/in/deep.txt", b"x");
    client.expect(257, "MKD docs/z");
    for (line, told) in [
        (
            "NLST -R",
            ".:\r\ndocs\r\na.txt\r\nb.txt\r\nwith space\r\n文件\r\n\r\n\
             ./docs:\r\nin\r\nz\r\nc.txt\r\n\r\n./docs/in:\r\ndeep.txt\r\n\r\n./docs/z:\r\n",
        ),
        ("LIST -1R docs/in", "docs/in:\r\ndeep.txt\r\n"),
        (
            "LIST -1R /docs/",
            "/docs/:\r\nin\r\nz\r\nc.txt\r\n\r\n/docs/in:\r\ndeep.txt\r\n\r\n/docs/z:\r\n",
        ),
        ("LIST -1R docs/[a-i]*", "docs/:\r\nin\r\nc.txt\r\n\r\ndocs/in:\r\ndeep.txt\r\n"),
        ("LIST -1R a.txt", "a.txt\r\n"),
        ("LIST -1aR docs/z", "docs/z:\r\n.\r\n..\r\n"),
    ] {
        assert_eq!(client.fetch_text(line), told, "{line}");
    }
    client.expect(200, "SITE CHMOD 640 docs/in/deep.txt");
    client.expect(213, "MFMT 20200102030405 docs/in/deep.txt");
    let long = "docs/in:\r\n\
                -rw-r-----    1 alice    alice               1 Jan  2  2020 deep.txt\r\n";
    assert_eq!(client.fetch_text("LIST -lR docs/in"), long);
    client.epsv();
    client.expect(550, "LIST -R nowhere");
}

#[test]
fn links_are_told_in_a_tree_and_not_followed() {
    let (served, mut client) = filled();
    let home = served.node.home("alice");
    for (link, to) in [("docs/in/up", ".."), ("docs/in/self", "."), ("out", "/etc")] {
        std::os::unix::fs::symlink(to, home.join(link)).unwrap();
    }
    let told = client.fetch_text("LIST -1R docs");
    assert_eq!(told, "docs:\r\nin\r\nc.txt\r\n\r\ndocs/in:\r\nself\r\nup\r\n");
    let told = client.fetch_text("LIST -1R");
    assert!(!told.contains("out") && !told.contains("passwd"), "{told}");
}

#[test]
fn a_tree_that_is_too_large_is_said_to_be() {
    let served = Served::with(|config| {
        config.limits.depth = 3;
        config.limits.folders = 1000;
    });
    let mut client = served.logged_in("alice");
    let home = served.node.home("alice");
    std::fs::create_dir_all(home.join("deep/a/b/c")).unwrap();
    std::fs::create_dir_all(home.join("deeper/a/b/c/d")).unwrap();
    for number in 0..100 {
        std::fs::create_dir_all(home.join(format!("wide/{number}"))).unwrap();
    }
    assert!(client.fetch_text("LIST -R deep").ends_with("deep/a/b/c:\r\n"));
    for folder in ["deeper", "wide"] {
        let mut data = client.passive();
        client.expect(150, &format!("LIST -R {folder}"));
        let told = client.expect_code(426, "LIST -R");
        assert!(told.contains("more folders"), "{told}");
        let _ = std::io::Read::read_to_end(&mut data, &mut Vec::new());
    }
    client.fetch("LIST -R deeper/a");
}

#[test]
fn what_others_may_not_list_is_left_out_of_a_tree() {
    let served = Served::new();
    served.node.share("team");
    let mut root = served.logged_in("root");
    for folder in ["open", "open/in", "closed", "closed/in"] {
        root.expect(257, &format!("MKD /shared/team/{folder}"));
    }
    served.node.grant("bob", "/shared/team", "read,list");
    served.node.grant("bob", "/shared/team/closed", "none");
    let mut bob = served.logged_in("bob");
    let told = bob.fetch_text("NLST -R /shared/team");
    assert!(told.contains("/shared/team/open:\r\nin\r\n"), "{told}");
    assert!(!told.contains("closed:") && !told.contains("closed/in"), "{told}");
    // The namespace's own folders are walked through as well.
    let told = bob.fetch_text("LIST -1R");
    assert!(
        told.starts_with(".:\r\nshared\r\n") && told.contains("./shared/team/open/in:"),
        "{told}"
    );
}
