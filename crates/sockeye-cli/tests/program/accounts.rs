//! `sockeye user` and `sockeye shared`: with the node running, and without.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::Stdio,
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use super::{
    node::Place,
    running::{Ended, ask, get, run_with, sockeye, within},
};

const PASSWORD: &str = "correct horse battery";

/// A place with a node's data and no node running.
async fn place() -> Place {
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    place
}

/// A verb with something on its standard input.
async fn fed(place: &Place, words: &[&str], input: &str) -> Ended {
    run_with(&[words, &["--data", &place.data()]].concat(), input.as_bytes()).await
}

/// Adds `alice` with [`PASSWORD`].
async fn add_alice(place: &Place) {
    let added = fed(place, &["user", "add", "alice", "--password-stdin"], PASSWORD).await;
    assert_eq!(String::from_utf8(added.done()).unwrap(), "alice: added\n");
}

fn lines(ended: Ended) -> Vec<Value> {
    let out = ended.done();
    let text = std::str::from_utf8(&out).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the node answers to a request with these credentials.
async fn status(host_port: &str, name: &str, password: &str) -> String {
    let basic = format!("{name}:{password}");
    let encoded = base64(basic.as_bytes());
    let path = format!("/ HTTP/1.1\r\nAuthorization: Basic {encoded}\r\nX-Rest:");
    let answer = get(host_port, &path).await;
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// As Basic credentials are written.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for at in 0..4 {
            let index = (word >> (18 - 6 * at)) & 63;
            text.push(match at <= chunk.len() {
                true => char::from(LETTERS[usize::try_from(index).unwrap()]),
                false => '=',
            });
        }
    }
    text
}

#[tokio::test]
async fn accounts_are_changed_whoever_holds_the_data() {
    let place = place().await;
    add_alice(&place).await;
    let serving = place.serve(&[]).await;
    let bob = lines(place.run(&["user", "add", "bob", "--initial", "--json"]).await);
    assert_eq!(bob[0]["name"], "bob");
    assert_eq!((&bob[0]["must_change"], &bob[0]["role"]), (&true.into(), &"member".into()));
    assert!(bob[0]["password"].as_str().unwrap().len() >= 20);
    place.run(&["user", "rename", "bob", "Robert"]).await.done();
    place.run(&["user", "quota", "robert", "2GiB", "--files", "10"]).await.done();
    let quota = place.run(&["user", "quota", "robert", "1GiB"]).await;
    assert_eq!(quota.text(), "robert: quota 1GiB, 10 files\n", "what was not named stays");
    assert_eq!(place.run(&["user", "quota", "robert"]).await.text(), quota.text());
    place.run(&["user", "role", "robert", "guest"]).await.done();
    serving.running.stop().await;
    let shown = lines(place.run(&["user", "show", "robert", "--json"]).await);
    assert_eq!(shown[0]["quota"]["bytes"], 1 << 30);
    assert_eq!((&shown[0]["role"], &shown[0]["quota"]["entries"]), (&"guest".into(), &10.into()));
    assert_eq!(
        (&shown[0]["space"]["bytes"], &shown[0]["space"]["entries"]),
        (&0.into(), &0.into())
    );
    let listed = place.run(&["user", "list"]).await;
    let names: Vec<_> = listed.text().lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["NAME", "admin", "alice", "robert"]);
    let removed = place.run(&["user", "remove", "robert", "--yes"]).await;
    assert!(removed.text().starts_with("robert: removed; its files stay in homes/01"));
    assert_eq!(lines(place.run(&["user", "list", "--json"]).await).len(), 2);
}

#[tokio::test]
async fn a_change_holds_at_once_for_who_is_logged_in() {
    let place = place().await;
    add_alice(&place).await;
    let serving = place.serve(&[]).await;
    let node = serving.host_port();
    assert_eq!(status(node, "alice", PASSWORD).await, "200");
    place.run(&["user", "lock", "alice"]).await.done();
    assert_eq!(status(node, "alice", PASSWORD).await, "401");
    place.run(&["user", "unlock", "alice"]).await.done();
    assert_eq!(status(node, "alice", PASSWORD).await, "200");
    fed(&place, &["user", "passwd", "alice", "--password-stdin"], "another password\n")
        .await
        .done();
    assert_eq!(status(node, "alice", "another password").await, "200");
    assert_eq!(status(node, "alice", PASSWORD).await, "401");
    let token = place.run(&["user", "token", "create", "alice", "laptop"]).await;
    let token = token.text().trim().to_owned();
    assert_eq!(status(node, "alice", &token).await, "200");
    let id = lines(place.run(&["user", "token", "list", "alice", "--json"]).await);
    let id = id[0]["id"].as_str().unwrap();
    place.run(&["user", "token", "revoke", "alice", id]).await.done();
    assert_eq!(status(node, "alice", &token).await, "401");
    serving.running.stop().await;
}

#[tokio::test]
async fn shared_folders_are_opened_by_grants() {
    let place = place().await;
    add_alice(&place).await;
    let added = place.run(&["shared", "add", "项目", "--quota", "1TiB"]).await;
    assert!(added.text().starts_with("/shared/项目: added"), "{}", added.text());
    let granted = place.run(&["user", "grant", "alice", "/shared/项目/", "list,read"]).await;
    assert_eq!(granted.text(), "alice: read,list at /shared/项目\n");
    let taken = place.run(&["user", "grant", "alice", "/shared/项目", "--remove"]).await;
    assert_eq!(taken.text(), "alice: none at /shared/项目\n");
    place.run(&["user", "grant", "alice", "/shared/项目/in", "read,write"]).await.done();
    let shown = place.run(&["shared", "show", "项目"]).await;
    assert!(shown.text().contains("\nholds   0B, 0 entries\n"), "{}", shown.text());
    assert!(
        shown.text().ends_with(
            "NAME   ROLE    RIGHTS      PATH\n\
             admin  admin   all         /shared/项目\n\
             alice  member  read,write  /shared/项目/in\n"
        ),
        "{}",
        shown.text()
    );
    place.run(&["shared", "quota", "项目", "--files", "9"]).await.done();
    let quota = place.run(&["shared", "quota", "项目", "--quota", "2TiB"]).await;
    assert_eq!(quota.text(), "/shared/项目: quota 2TiB, 9 files\n");
    assert_eq!(place.run(&["shared", "quota", "项目"]).await.code, Some(2));
    let listed = lines(place.run(&["shared", "list", "--json"]).await);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["quota"]["bytes"]),
        (&"项目".into(), &(2_u64 << 40).into())
    );
    place.run(&["shared", "remove", "项目", "-y"]).await.done();
    assert!(lines(place.run(&["shared", "list", "--json"]).await).is_empty());
}

#[tokio::test]
async fn a_grant_in_a_home_says_whose_that_is_and_which_shared_folder_may_have_been_meant() {
    let place = place().await;
    add_alice(&place).await;
    place.run(&["shared", "add", "team"]).await.done();
    let granted = place.run(&["user", "grant", "alice", "/Team/x y", "read"]).await;
    assert_eq!(granted.text(), "alice: read at /Team/x y in alice's own home, in place of all\n");
    let meant =
        "'/Team/x y' is in the account's own home; the shared folder is at '/shared/team/x y'";
    assert!(granted.err.contains(meant), "{}", granted.err);
    let taken = place.run(&["user", "grant", "alice", "/Team/x y", "--remove"]).await;
    assert_eq!(taken.text(), "alice: all at /Team/x y in alice's own home\n");
    assert_eq!(taken.err, "");
    let other = place.run(&["user", "grant", "alice", "/teams", "none"]).await;
    assert_eq!(other.text(), "alice: none at /teams in alice's own home, in place of all\n");
    assert_eq!(other.err, "", "no shared folder is called so");
    let public = place.run(&["user", "grant", "alice", "/public", "all"]).await;
    assert_eq!(public.text(), "alice: all at /public\n");
}

#[tokio::test]
async fn keys_are_told_by_their_fingerprints() {
    let place = place().await;
    add_alice(&place).await;
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY3 alice@home";
    let added = fed(&place, &["user", "key", "add", "alice", "-"], key).await;
    let added = String::from_utf8(added.done()).unwrap();
    assert!(
        added.starts_with("alice: added SHA256:") && added.ends_with("alice@home\n"),
        "{added}"
    );
    let fingerprint = added.split(' ').nth(2).unwrap();
    let again = fed(&place, &["user", "key", "add", "alice", "-"], key).await;
    assert!(again.err.contains("has this key already"), "{}", again.err);
    place.run(&["user", "key", "remove", "alice", fingerprint]).await.done();
    assert_eq!(place.run(&["user", "key", "list", "alice"]).await.text(), "");
    let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n";
    let refused = fed(&place, &["user", "key", "add", "alice", "-"], private).await;
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("keep it to yourself") && !refused.err.contains("secret"));
}

#[tokio::test]
async fn a_quota_that_is_easily_meant_otherwise_is_told_of() {
    let place = place().await;
    add_alice(&place).await;
    let serving = place.serve(&[]).await;
    let quota = place.run(&["user", "quota", "alice", "5G"]).await;
    assert_eq!((quota.text(), &*quota.err), ("alice: quota 5GiB\n", ""));
    let zero = place.run(&["user", "quota", "alice", "0"]).await;
    assert_eq!(zero.text(), "alice: quota 0B\n");
    assert_eq!(zero.err, "a limit of 0 lets nothing be stored at all; `none` is no limit\n");
    let none = place.run(&["user", "quota", "alice", "unlimited"]).await;
    assert_eq!((none.text(), &*none.err), ("alice: quota none\n", ""));
    put(serving.host_port(), "alice", "/a", "12345").await;
    let low = place.run(&["user", "quota", "alice", "4"]).await;
    assert_eq!(low.text(), "alice: quota 4B\n");
    assert!(
        low.err.starts_with("the home of alice holds more than that already (5B, 1 entry): "),
        "{low:?}"
    );
    place.run(&["shared", "add", "team"]).await.done();
    let shared = place.run(&["shared", "quota", "team", "--quota", "0"]).await;
    assert!(shared.err.contains("`none` is no limit"), "{shared:?}");
    serving.running.stop().await;
}

#[tokio::test]
async fn it_is_shown_where_the_files_of_a_home_lie() {
    let place = place().await;
    add_alice(&place).await;
    place.run(&["shared", "add", "team"]).await.done();
    let serving = place.serve(&[]).await;
    put(serving.host_port(), "alice", "/plan", "of alice").await;
    for (words, file) in [(["user", "show", "alice"], "plan"), (["shared", "show", "team"], "")] {
        let shown = place.run(&words).await;
        let path = shown.text().lines().find_map(|line| line.strip_prefix("files   ")).unwrap();
        assert!(std::path::Path::new(path).join(file).exists(), "{path}");
        let json = lines(place.run(&[&words[..], &["--json"]].concat()).await);
        assert_eq!(json[0]["files"], path);
    }
    serving.running.stop().await;
}

/// Puts a file into the home of this account, with [`PASSWORD`].
async fn put(host_port: &str, name: &str, path: &str, content: &str) {
    let basic = base64(format!("{name}:{PASSWORD}").as_bytes());
    let head = format!("PUT {path} HTTP/1.1\r\nAuthorization: Basic {basic}\r\n");
    let answer = ask(host_port, &head, content.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[tokio::test]
async fn a_grant_that_reaches_further_or_elsewhere_than_is_meant_is_told_of() {
    let place = place().await;
    add_alice(&place).await;
    let all = place.run(&["user", "grant", "alice", "/shared", "read,list"]).await;
    assert!(all.err.contains("every shared folder, also in those that are added later"), "{all:?}");
    let machine = place.run(&["user", "grant", "alice", "/srv/ftp", "read"]).await;
    assert!(machine.err.contains("and no folder of this machine"), "{machine:?}");
    let removed = place.run(&["user", "grant", "alice", "/srv/ftp", "--remove"]).await;
    let docs = place.run(&["user", "grant", "alice", "/docs", "read"]).await;
    assert_eq!((&*removed.err, &*docs.err), ("", ""));
}

#[tokio::test]
async fn a_name_with_capitals_is_told_what_it_becomes() {
    let place = place().await;
    let added = place.run(&["user", "add", "JSmith", "--no-password"]).await;
    assert_eq!(added.text(), "jsmith: added\n");
    assert_eq!(added.err, "JSmith is called jsmith here: names have no capitals\n");
    assert_eq!(place.run(&["user", "add", "kim", "--no-password"]).await.err, "");
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let place = place().await;
    for name in ["ada", "bea", "cleo"] {
        place.run(&["user", "add", name, "--no-password"]).await.done();
    }
    let page = place.run(&["user", "list", "--limit", "2", "--json"]).await;
    assert!(page.err.contains("go on with --after admin"), "{}", page.err);
    assert_eq!(lines(page).len(), 2);
    let rest = place.run(&["user", "list", "--after", "admin", "--json"]).await;
    assert_eq!(rest.err, "");
    assert_eq!(lines(rest).len(), 2);
    assert_eq!(lines(place.run(&["user", "list", "--all", "--json"]).await).len(), 4);
    assert_eq!(lines(place.run(&["user", "list", "B", "--json"]).await)[0]["name"], "bea");
    assert_eq!(lines(place.run(&["user", "list", "--role", "admin", "--json"]).await).len(), 1);
}

#[tokio::test]
async fn what_cannot_be_done_has_its_exit_code_and_its_way_out() {
    let place = place().await;
    for (words, code, message) in [
        (&["user", "show", "nobody"][..], 3, "there is no account `nobody`"),
        (&["user", "lock", "admin"], 4, "this is the last admin who can log in"),
        (&["user", "add", "admin", "--initial"], 1, "there is an account `admin` already"),
        (
            &["user", "add", "John.Doe", "--initial"],
            2,
            "the left side of an address; write john-doe",
        ),
        (&["user", "passwd", "nobody"], 3, "there is no account `nobody`"),
        (&["user", "add", "bob"], 2, "hint: --password-stdin reads it"),
        (&["user", "add", "bob", "--quota", "10X", "--initial"], 2, "write it as 64KiB"),
        (&["user", "remove", "admin"], 2, "hint: --yes says that it is meant"),
        (&["user", "grant", "admin", "/shared/x", "all"], 3, "there is no shared folder `x`"),
        (&["user", "grant", "admin", "x", "all"], 2, "a path begins with a slash"),
        (&["user", "grant", "admin", "/x", "fly"], 2, "`fly` is no right"),
        (&["user", "grant", "admin", "/x"], 2, "required"),
        (&["user", "token", "create", "admin", "x", "--expires", "9"], 2, "write 9h or 9d"),
        (&["user", "token", "create", "admin", "x", "--expires", "soon"], 2, "1h30m, or never"),
        (
            &["user", "token", "create", "admin", "x", "--protocols", "htpp"],
            2,
            "did you mean http?",
        ),
        (&["share", "add", "/x"], 2, "--user"),
        (&["user", "key", "add", "admin", "no.such.file"], 3, "no.such.file: "),
        (&["shared", "add", "a:b"], 2, "holds no slash, backslash, colon"),
        (&["shared", "add", "Public"], 2, "would be taken for /public"),
        (&["shared", "remove", "team", "-y"], 3, "there is no shared folder `team`"),
    ] {
        let ended = place.run(words).await;
        assert_eq!(ended.code, Some(code), "{words:?}: {}", ended.err);
        assert!(ended.err.contains(message), "{words:?}: {}", ended.err);
        assert!(ended.out.is_empty(), "{words:?}");
    }
    for (input, message) in
        [("", "there is no password"), ("short\n", "at least 8"), ("a\u{0}bcdefghi", "no NUL")]
    {
        let ended = fed(&place, &["user", "passwd", "admin", "--password-stdin"], input).await;
        assert_eq!(ended.code, Some(2), "{}", ended.err);
        assert!(ended.err.contains(message), "{}", ended.err);
    }
}

/// A verb with a terminal for its standard input.
struct AtTerminal {
    terminal: File,
    child: tokio::process::Child,
    told: Vec<u8>,
}

impl AtTerminal {
    fn start(place: &Place, words: &[&str]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let other_end = File::options().read(true).write(true).open(name).unwrap();
        let mut command = sockeye(words);
        command.args(["--data", &place.data()]).stdin(Stdio::from(other_end));
        let child = command.spawn().unwrap();
        Self { terminal: terminal.into(), child, told: Vec::new() }
    }

    /// Waits for this on standard error, and then types.
    async fn answer(&mut self, question: &str, answer: &str) {
        let from = self.told.len();
        let err = self.child.stderr.as_mut().unwrap();
        within(async {
            while !String::from_utf8_lossy(&self.told[from..]).contains(question) {
                assert_ne!(err.read_buf(&mut self.told).await.unwrap(), 0, "{question}");
            }
        })
        .await;
        self.terminal.write_all(answer.as_bytes()).unwrap();
    }

    /// Waits for the end, and gives what the terminal showed as well.
    async fn end(mut self) -> (Ended, String) {
        let ended: Ended = within(self.child.wait_with_output()).await.unwrap().into();
        rustix::io::ioctl_fionbio(&self.terminal, true).unwrap();
        let mut shown = Vec::new();
        // At its end, or as nobody has it open any more.
        let _ = self.terminal.read_to_end(&mut shown);
        (ended, String::from_utf8(shown).unwrap())
    }
}

#[tokio::test]
async fn on_a_terminal_the_password_is_asked_for_twice_and_not_shown() {
    let place = place().await;
    let mut adding = AtTerminal::start(&place, &["user", "add", "alice"]);
    adding
        .answer("New password for alice, at least 8 characters: ", "correct horse batterx\x7fy\r")
        .await;
    adding.answer("The same again: ", "correct horse battery\r").await;
    let (ended, shown) = adding.end().await;
    assert_eq!(ended.text(), "alice: added\n", "{}", ended.err);
    assert_eq!(shown, "", "nothing that was typed is shown");
    let serving = place.serve(&[]).await;
    assert_eq!(status(serving.host_port(), "alice", PASSWORD).await, "200");
    serving.running.stop().await;

    let mut given_up = AtTerminal::start(&place, &["user", "passwd", "alice"]);
    given_up.answer("New password for alice, at least 8 characters: ", "half\x03").await;
    let (ended, _) = given_up.end().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("nothing was done"), "{}", ended.err);
}

#[tokio::test]
async fn a_password_that_cannot_be_is_asked_for_again_a_few_times() {
    let place = place().await;
    add_alice(&place).await;
    let mut changing = AtTerminal::start(&place, &["user", "passwd", "alice"]);
    changing.answer("New password for alice, at least 8 characters: ", "short\r").await;
    changing
        .answer("try again\nNew password for alice, at least 8 characters: ", "one new password\r")
        .await;
    changing.answer("The same again: ", "another new password\r").await;
    changing.answer("the two passwords differ; try again\nNew password for", "a third one\r").await;
    changing.answer("The same again: ", "a third one\r").await;
    let (ended, _) = changing.end().await;
    assert_eq!(ended.text(), "alice: password set\n", "{}", ended.err);

    let mut failing = AtTerminal::start(&place, &["user", "passwd", "alice"]);
    for _ in 0..3 {
        failing.answer("New password for alice, at least 8 characters: ", "alice\r").await;
    }
    let (ended, _) = failing.end().await;
    assert_eq!(ended.code, Some(2), "{}", ended.err);
}

#[tokio::test]
async fn nobody_is_asked_about_what_is_refused_anyway() {
    let place = place().await;
    add_alice(&place).await;
    for (words, code, message) in [
        (&["user", "add", "Alice"][..], 1, "there is an account `alice` already"),
        (&["user", "passwd", "nobody"], 3, "there is no account `nobody`"),
        (&["user", "remove", "nobody"], 3, "there is no account `nobody`"),
        (&["shared", "remove", "nothing"], 3, "there is no shared folder `nothing`"),
    ] {
        // Nothing is typed: a question would not be answered.
        let (ended, _) = AtTerminal::start(&place, words).end().await;
        assert_eq!(ended.code, Some(code), "{words:?}: {}", ended.err);
        assert!(ended.err.starts_with(&format!("error: {message}")), "{}", ended.err);
    }
    // A longer name is another one.
    let mut adding = AtTerminal::start(&place, &["user", "add", "ali"]);
    adding.answer("New password for ali, at least 8 characters: ", "\x03").await;
    adding.end().await;
}

#[tokio::test]
async fn on_a_terminal_a_removal_is_asked_about() {
    let place = place().await;
    add_alice(&place).await;
    let mut removing = AtTerminal::start(&place, &["user", "remove", "alice"]);
    removing.answer("Remove the account alice? [y/N] ", "\r").await;
    assert_eq!(removing.end().await.0.code, Some(1));
    let mut removing = AtTerminal::start(&place, &["user", "remove", "alice"]);
    removing.answer("Remove the account alice? [y/N] ", "y\r").await;
    let (ended, _) = removing.end().await;
    assert!(ended.text().starts_with("alice: removed"), "{}", ended.err);
}

/// What `crypt(3)` makes of `correct horse battery`, by yescrypt, SHA-512 and bcrypt.
const YESCRYPT: &str = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$YAXMK9Llbqk/FSGbrI16AP6p2zwE4UhuWrJZceAG.p2";
const SHA512: &str = "$6$saltstring$dBHc6z5hpSlx63LLGnlt2xpSGH7T2QL7PJTCjPwajfWh/K10OPeGyl0Oe5VoIANbBgC0gNnRFVE.3uO/lesxj/";
const BCRYPT: &str = "$2y$04$......................yqKybrYN1gfi6yNZruor7MV8yF80Yo.";

#[tokio::test]
async fn accounts_of_another_server_come_with_their_passwords() {
    let place = place().await;
    let shadow = format!(
        "root:{SHA512}:19700:0:99999:7:::\ndaemon:*:19700:0:99999:7:::\nalice:{YESCRYPT}:19700:0:99999:7:::\n\
         john.doe:{SHA512}:19700:0:99999:7:::\n"
    );
    let file = place.0.path().join("shadow");
    std::fs::write(&file, shadow).unwrap();
    let file = file.to_str().unwrap();
    let refused = place.run(&["user", "import", file]).await;
    assert_eq!((refused.code, refused.out.len()), (Some(2), 0), "{refused:?}");
    assert!(refused.err.contains("nobody was taken over, as 1 line is wrong:\n"), "{refused:?}");
    assert!(refused.err.contains("shadow:4: john.doe: an account's name "), "{refused:?}");
    assert!(
        refused.err.contains("; write john-doe, or let --map-names call it so\n"),
        "{refused:?}"
    );
    let dry = place.run(&["user", "import", file, "--map-names", "--dry-run"]).await;
    assert!(
        dry.text().contains("daemon: has no password there\nalice: would be added\n"),
        "{dry:?}"
    );
    assert!(
        dry.text().ends_with(
            "john-doe: would be added, called john.doe there\nwould be: 2 added, 2 passed over\n"
        ),
        "{dry:?}"
    );
    assert_eq!(lines(place.run(&["user", "list", "--json"]).await).len(), 1);

    let serving = place.serve(&[]).await;
    let done = place.run(&["user", "import", file, "--map-names"]).await;
    assert_eq!(
        done.text(),
        "alice: added\njohn-doe: added, called john.doe there\n2 added, 2 passed over\n"
    );
    for name in ["alice", "john-doe"] {
        assert_eq!(status(serving.host_port(), name, PASSWORD).await, "200", "{name}");
        assert_eq!(status(serving.host_port(), name, "another password").await, "401", "{name}");
    }
    let log = place.run(&["log", "--json"]).await;
    let added = |line: &&str| line.contains("john-doe") && line.contains("add");
    assert_eq!(log.text().lines().filter(added).count(), 1, "{log:?}");
    serving.running.stop().await;
    let again = lines(place.run(&["user", "import", file, "alice", "--json"]).await);
    assert_eq!((again.len(), &again[0]["done"], &again[0]["line"]), (1, &"kept".into(), &3.into()));
}

#[tokio::test]
async fn quotas_come_along_and_bad_lines_are_skipped_if_that_is_asked_for() {
    let place = place().await;
    let file = place.0.path().join("pureftpd.passwd");
    let text = format!(
        "bob:{BCRYPT}:1001:1001::/srv/bob/./::::::100:5242880::::::\nweak:$1$salt$qJH7.N4xYta3aEG/dfqo/0:1:1::/x::::::::::::\n\
         fast:{BCRYPT}:1001:1001::/srv/fast/./:1000:::::::::::::\n"
    );
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let done = place.run(&["user", "import", file, "--skip-bad"]).await;
    assert_eq!(done.code, Some(7), "{done:?}");
    assert!(
        done.text().contains("weak: refused: line 2: this hash is MD5, which is not taken"),
        "{done:?}"
    );
    assert!(done.text().ends_with("2 added, 1 refused\n"), "{done:?}");
    assert!(
        done.err.contains("1 account has rates, addresses or times of their own there"),
        "{done:?}"
    );
    let shown = place.run(&["user", "show", "bob"]).await;
    assert!(shown.text().contains("\nquota   5MiB, 100 files\n"), "{shown:?}");
    let csv = format!("name,hash,role,quota\nbob,{BCRYPT},guest,unlimited\n");
    let updated = fed(&place, &["user", "import", "-", "--update"], &csv).await;
    assert_eq!(updated.text(), "bob: updated\n1 updated\n");
    let shown = place.run(&["user", "show", "bob"]).await;
    assert!(shown.text().contains("\nrole    guest\n"), "{shown:?}");
    assert!(shown.text().contains("\nquota   100 files\n"), "{shown:?}");
    let plain = fed(&place, &["user", "import", "-"], "carol:correct horse battery\n").await;
    assert!(
        plain.err.contains("of none of the forms") && !plain.err.contains("horse"),
        "{plain:?}"
    );
    let plain =
        fed(&place, &["user", "import", "-", "--plain"], "carol:correct horse battery\n").await;
    assert_eq!(plain.text(), "carol: added\n1 added\n");
    let nobody = fed(&place, &["user", "import", "-", "nobody"], "carol:x\n").await;
    assert_eq!(nobody.code, Some(3), "{nobody:?}");
    let missing = place.run(&["user", "import", "/no/such/file"]).await;
    assert_eq!(missing.code, Some(3), "{missing:?}");
}
