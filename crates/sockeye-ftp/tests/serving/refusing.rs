//! A file that is refused while it comes: the reply reaches whoever sends it, and they do not try again.

use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use sockeye_ftp::{Config, Security};
use sockeye_testkit::{node::password, peer};
use tempfile::TempDir;

use crate::{
    client::{FtpClient, Served, content, read},
    tls::secure,
};

/// What there is room for.
const QUOTA: usize = 1 << 20;

/// More than that, and than the system takes before anybody reads it.
const LENGTH: usize = 32 << 20;

/// More than is thrown away where that is limited to less.
const MORE: usize = 256 << 20;

fn served(set: impl FnOnce(&mut Config)) -> Served {
    let served = Served::with(set);
    served.node.set_quota("alice", QUOTA as u64);
    served
}

/// A client that was refused while it sends on.
#[track_caller]
fn refused(served: &Served) -> (FtpClient, TcpStream) {
    let mut client = served.logged_in("alice");
    client.binary();
    let mut data = client.passive();
    client.expect(150, "STOR file");
    data.write_all(&vec![0; QUOTA + 1]).expect("a server that reads");
    let told = client.expect_code(552, "STOR file");
    assert!(told.contains("over quota") && told.ends_with('.'), "{told}");
    (client, data)
}

/// Sends until the connection is closed; whether it was before there was nothing more to send.
fn is_cut(data: &mut TcpStream) -> bool {
    let piece = vec![0; 1 << 20];
    (0..MORE / piece.len()).any(|_| data.write_all(&piece).is_err())
}

#[test]
fn all_may_be_sent_of_a_file_that_is_refused_and_nothing_is_reset() {
    let served = served(|_| {});
    let (mut client, mut data) = refused(&served);
    data.write_all(&vec![0; LENGTH]).unwrap();
    // This end is closed in order, and with it the other.
    assert_eq!(read(&mut data), b"");
    drop(data);
    client.expect(550, "SIZE file");
    assert_eq!(client.store("STOR small", b"small"), 226);
    let written = served.node.records("write");
    let outcomes: Vec<_> = written.iter().map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["over-quota", "ok"]);
}

#[test]
fn whoever_is_refused_goes_on_beside_what_is_thrown_away() {
    let served = served(|_| {});
    let (mut client, mut data) = refused(&served);
    for turn in 0..3 {
        data.write_all(&vec![0; LENGTH / 4]).unwrap();
        client.expect(257, "PWD");
        assert_eq!(client.store(&format!("STOR small{turn}"), b"small"), 226);
        assert_eq!(client.fetch("NLST").len(), 8 * (turn + 1));
    }
    // Refused once more, it has had the time to read why.
    let mut second = client.passive();
    client.expect(150, "STOR file");
    second.write_all(&vec![0; QUOTA + 1]).unwrap();
    client.expect_code(552, "STOR file");
    assert!(is_cut(&mut data));
    second.write_all(&vec![0; LENGTH]).unwrap();
    assert_eq!(read(&mut second), b"");
}

#[test]
fn abor_ends_what_is_thrown_away() {
    let served = served(|_| {});
    let (mut client, mut data) = refused(&served);
    client.expect(226, "ABOR");
    assert!(is_cut(&mut data));
    client.expect(225, "ABOR");
    client.fetch("NLST");
}

#[test]
fn what_is_thrown_away_is_bounded_in_amount_and_time() {
    let few = served(|config| config.limits.linger_bytes = LENGTH as u64);
    let (mut client, mut data) = refused(&few);
    assert!(is_cut(&mut data));
    client.expect(257, "PWD");
    let soon = served(|config| config.limits.linger = Duration::from_millis(200));
    let (mut client, mut data) = refused(&soon);
    let mut cut = false;
    sockeye_testkit::processes::until("it is cut", || {
        cut |= data.write_all(b"more").is_err();
        cut
    });
    client.expect(257, "PWD");
}

#[test]
fn what_is_thrown_away_holds_up_no_drain() {
    let served = served(|_| {});
    let (mut client, mut data) = refused(&served);
    let Served { node, server } = served;
    let report = server.drain();
    client.expect_code(421, "the drain");
    assert!(is_cut(&mut data));
    assert!(report.cut.is_empty(), "{report:?}");
    drop(node);
}

#[test]
fn a_file_whose_length_is_said_is_refused_before_its_data_connection() {
    let served = served(|_| {});
    let mut client = served.logged_in("alice");
    client.binary();
    for line in ["STOR file", "STOU file"] {
        let data = client.passive();
        client.expect(552, &format!("ALLO {}", QUOTA + 1));
        client.expect(552, line);
        drop(data);
    }
    client.expect(200, &format!("ALLO {QUOTA}"));
    assert_eq!(client.store("STOR file", &content(QUOTA)), 226);
}

/// A program that sends a file for which there is no room.
struct Sender {
    served: Served,
    folder: TempDir,
}

impl Sender {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), content(LENGTH)).expect("a file");
        let served = served(|config| secure(folder.path(), Security::Allowed, config));
        Self { served, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("file")
    }

    fn port(&self) -> String {
        self.served.server.port().to_string()
    }

    /// Runs it, which fails; what it says, once it was refused that often since the start.
    #[track_caller]
    fn fails(&self, command: &mut Command, times: usize) -> (Output, String) {
        let output = command.env("HOME", self.folder.path()).output().expect("a program");
        let told = [&output.stdout[..], &output.stderr[..]].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(!output.status.success(), "{command:?}: {told}");
        let written = self.served.node.records("write");
        assert!(written.iter().all(|it| it["outcome"] == "over-quota"), "{written:?}");
        assert_eq!(written.len(), times, "{command:?}: {told}");
        (output, told)
    }
}

#[test]
fn curl_tells_that_there_is_no_room() {
    let Some(curl) = peer::require("curl") else { return };
    let sender = Sender::new();
    let (at, user) = (format!("ftp://127.0.0.1:{}/", sender.port()), password("alice"));
    for (turn, way) in [&[][..], &["--ssl-reqd", "--tls-max", "1.2"], &["--ssl-reqd", "--tlsv1.3"]]
        .into_iter()
        .enumerate()
    {
        let mut command = Command::new(&curl);
        command.args(["-vsSk", "--max-time", "60", "--user", &format!("alice:{user}")]);
        command.args(way).args([&at, "-T"]).arg(sender.file());
        let (output, told) = sender.fails(&mut command, turn + 1);
        // Its own number for it.
        assert_eq!(output.status.code(), Some(70), "{told}");
        assert!(told.contains("< 552 /file: over quota"), "{told}");
    }
}

#[test]
fn lftp_tells_it_and_does_not_try_again() {
    let Some(lftp) = peer::require("lftp") else { return };
    let sender = Sender::new();
    let put = |secure: &str, what: &str| {
        let script = format!(
            "set net:max-retries 5; set net:reconnect-interval-base 1; set net:timeout 20; \
             set ssl:verify-certificate no; set ftp:ssl-allow {secure}; \
             set ftp:ssl-force {secure}; set ftp:ssl-protect-data {secure}; \
             open -u alice,'{}' ftp://127.0.0.1:{}; {what}",
            password("alice"),
            sender.port(),
        );
        let mut command = Command::new(&lftp);
        command.args(["--norc", "-c", &script]);
        command
    };
    let folder = sender.folder.path().join("tree");
    fs::create_dir(&folder).unwrap();
    fs::hard_link(sender.file(), folder.join("large")).unwrap();
    let (one, tree) =
        (format!("put {}", sender.file().display()), format!("mirror -R {} /", folder.display()));
    for (turn, (secure, what)) in
        [("no", &one), ("yes", &one), ("no", &tree), ("yes", &tree)].into_iter().enumerate()
    {
        let (_, told) = sender.fails(&mut put(secure, what), turn + 1);
        assert!(told.contains("over quota"), "{told}");
    }
}

#[test]
fn ncftp_hears_it() {
    let Some(put) = peer::require("ncftpput") else { return };
    let sender = Sender::new();
    let mut command = Command::new(put);
    let (port, word) = (sender.port(), password("alice"));
    command.args(["-u", "alice", "-p", &word, "-P", &port, "-d", "stdout"]);
    command.args(["127.0.0.1", "/"]).arg(sender.file());
    // It does not say why, but among what it heard.
    let (_, told) = sender.fails(&mut command, 1);
    assert!(told.contains("over quota"), "{told}");
}

const FTPLIB: &str = r#"
import ftplib, io, ssl, sys
port, password, way, path = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]

class Reusing(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
        return conn, size

if way == 'plain':
    ftp = ftplib.FTP()
else:
    context = ssl._create_unverified_context()
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, way)
    ftp = Reusing(context=context)
ftp.connect('127.0.0.1', port, timeout=30)
ftp.login('alice', password)
if way != 'plain':
    ftp.prot_p()
try:
    ftp.storbinary('STOR file', open(path, 'rb'))
except ftplib.error_perm as error:
    ftp.quit()
    sys.exit(str(error))
"#;

#[test]
fn pythons_ftplib_tells_it() {
    let Some(python) = peer::require("python3") else { return };
    let sender = Sender::new();
    for (turn, way) in ["plain", "TLSv1_2", "TLSv1_3"].into_iter().enumerate() {
        let mut command = Command::new(&python);
        command.args(["-c", FTPLIB, &sender.port(), &password("alice"), way]).arg(sender.file());
        let (_, told) = sender.fails(&mut command, turn + 1);
        assert!(told.starts_with("552 /file: over quota"), "{told}");
    }
}

#[test]
fn rclone_tells_it() {
    let Some(rclone) = peer::require("rclone") else { return };
    let sender = Sender::new();
    let word = password("alice");
    let obscured = Command::new(&rclone).args(["obscure", &word]).output().unwrap().stdout;
    let obscured = String::from_utf8(obscured).unwrap();
    for (turn, more) in ["", ",explicit_tls=true"].into_iter().enumerate() {
        let to = format!(
            ":ftp,host=127.0.0.1,port={},user=alice,pass={},no_check_certificate=true{more}:file",
            sender.port(),
            obscured.trim(),
        );
        let mut command = Command::new(&rclone);
        command.args(["--config", "/nonexistent/rclone.conf", "--retries", "1"]);
        command.args(["--low-level-retries", "1", "--timeout", "20s", "copyto"]);
        command.arg(sender.file()).arg(to);
        let (_, told) = sender.fails(&mut command, turn + 1);
        assert!(told.contains("552 /file: over quota"), "{told}");
        assert!(!told.contains("reset"), "{told}");
    }
}
