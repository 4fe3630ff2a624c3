//! The programs that people use, against a node as a new user has it: curl, lftp, ncftp, Python's ftplib, rclone.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use sockeye_testkit::peer;
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

use super::{
    super::{
        first_minute::PASSWORD,
        running::{Ended, Running, quieten, sockeye, within},
    },
    client::content,
    site::Site,
};

/// A program that says nothing of whoever runs the tests.
fn command(program: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(program);
    quieten(&mut command).args(arguments).env("HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// How long a program may take: some send thousands of files, and others may use the machine as well.
const LIMIT: Duration = Duration::from_secs(180);

async fn run(mut command: Command) -> Ended {
    let told = format!("{command:?}");
    let output =
        timeout(LIMIT, command.output()).await.unwrap_or_else(|_| panic!("{told} goes on"));
    let ended = Ended::from(output.unwrap());
    assert_eq!(ended.code, Some(0), "{told}: {}{}", String::from_utf8_lossy(&ended.out), ended.err);
    ended
}

/// A folder with `up`, of so many files in some folders, and a place for `down`.
struct Trees {
    folder: TempDir,
    up: PathBuf,
    down: PathBuf,
}

impl Trees {
    fn new(files: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (up, down) = (folder.path().join("up"), folder.path().join("down"));
        for number in 0..files {
            let file = up.join(format!("folder {}/größe {number}.txt", number % 7));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content(number as u64, (number * 37) % 9000)).unwrap();
        }
        Self { folder, up, down }
    }

    /// Nothing is missing, too much or other than it was.
    async fn check(&self, down: &Path) {
        let compared = [OsStr::new("-r"), self.up.as_os_str(), down.as_os_str()];
        run(command(Path::new("diff"), compared)).await;
    }
}

#[tokio::test]
async fn curl_goes_on_with_an_upload_that_was_cut_over_plain_and_tls() {
    let Some(program) = peer::require("curl") else { return };
    let site = Site::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (up, down) = (folder.path().join("up"), folder.path().join("down"));
    fs::write(&up, content(1, 4_000_000)).unwrap();
    let curl = || {
        let user = format!("alice:{PASSWORD}");
        let mut curl = command(&program, ["-sS", "--max-time", "50", "--user", &user, "--cacert"]);
        curl.arg(site.certificate());
        curl
    };
    for (scheme, ways) in
        [("ftp", &[][..]), ("ftp", &["--ssl-reqd"]), ("ftp", &["-P", "-"]), ("ftps", &[])]
    {
        let url = format!("{}a/new/{scheme}{}", site.url(scheme), ways.concat());
        let mut upload = curl();
        upload.args(ways).args(["--ftp-create-dirs", "--limit-rate", "2M", &url, "-T"]).arg(&up);
        let mut upload = upload.stdin(Stdio::null()).spawn().unwrap();
        // What is less is not worth keeping.
        let enough = |upload: &Value| upload["offset"].as_u64() >= Some(1 << 20);
        within(async { while !site.uploads().await.iter().any(enough) {} }).await;
        upload.kill().await.unwrap();
        // What came of it is no file, but kept.
        let kept = |uploads: &[Value]| matches!(uploads, [one] if one["in_use"] == false);
        within(async { while !kept(&site.uploads().await) {} }).await;
        let mut rest = curl();
        rest.args(ways).args(["-C", "-", &url, "-T"]).arg(&up);
        run(rest).await;
        assert!(site.uploads().await.is_empty(), "it was gone on with");
        let mut download = curl();
        download.args(ways).args([&url, "-o"]).arg(&down);
        run(download).await;
        assert!(fs::read(&up).unwrap() == fs::read(&down).unwrap(), "{url}");
    }
    site.stop().await;
}

/// Files that are mirrored, and of which so many are there when lftp is killed.
const MANY: usize = 2_000;
const CUT_AFTER: usize = 700;

/// How long nothing may be done while lftp goes on.
const SILENCE: Duration = Duration::from_secs(50);

/// The lines of the log as they come, of what is done over FTP.
fn follow(site: &Site, operation: &str) -> Running {
    let words = ["log", "--follow", "--json", "--protocol", "ftp", "--op", operation];
    Running::start(sockeye(&words).args(["--data", &site.place.data()]))
}

/// How often something was done over FTP, all in all.
async fn done(site: &Site, operation: &str) -> usize {
    let words = ["log", "--json", "--protocol", "ftp", "--op", operation, "--outcome", "ok"];
    site.place.run(&words).await.text().lines().count()
}

/// lftp with a folder for itself, in which it tells what it does.
struct Lftp<'a> {
    program: &'a Path,
    home: TempDir,
    settings: String,
}

impl Lftp<'_> {
    /// With this to do.
    fn command(&self, mirror: &str) -> Command {
        let told = self.told();
        let script = format!("debug -t -o {} 5; {}{mirror}; bye", told.display(), self.settings);
        let mut lftp = command(self.program, ["--norc", "-c", &script]);
        lftp.env("HOME", self.home.path());
        lftp
    }

    fn told(&self) -> PathBuf {
        self.home.path().join("told")
    }

    /// Mirrors until so much was done, and is killed then; no faster than that the log can be told of by then.
    async fn cut(&self, mirror: &str, log: &mut Running) {
        let slowly = format!("set net:limit-total-rate 2M; {mirror}");
        let mut lftp = self.command(&slowly).stdout(Stdio::null()).spawn().unwrap();
        let (mut lines, mut has_ended) = (0, false);
        while lines < CUT_AFTER {
            let why = tokio::select! {
                line = timeout(SILENCE, log.line()) => match line {
                    Ok(_) => {
                        lines += 1;
                        continue;
                    }
                    Err(_) => "nothing was done for long".to_owned(),
                },
                status = lftp.wait(), if !has_ended => match status.unwrap() {
                    // The log is told of late.
                    status if status.success() => {
                        has_ended = true;
                        continue;
                    }
                    status => format!("lftp has ended: {status}"),
                },
            };
            let told = fs::read(self.told()).unwrap_or_default();
            let last = String::from_utf8_lossy(&told[told.len().saturating_sub(5000)..]);
            panic!("{mirror}: after {lines} lines {why}; it told\n{last}");
        }
        if !has_ended {
            lftp.kill().await.unwrap();
        }
    }
}

#[tokio::test]
async fn lftp_mirrors_two_thousand_files_both_ways_through_a_cut() {
    let Some(program) = peer::require("lftp") else { return };
    let (site, trees) = (Site::new().await, Trees::new(MANY));
    let settings = format!(
        "set net:max-retries 4; set net:timeout 40; set net:reconnect-interval-base 1; \
         set ftp:ssl-allow no; open -u alice,'{PASSWORD}' {}; ",
        site.url("ftp"),
    );
    let lftp = Lftp { program: &program, home: tempfile::tempdir().unwrap(), settings };
    let up = format!("mirror -R -P 4 --continue {} there", trees.up.display());
    let down = format!("mirror -P 4 --continue there {}", trees.down.display());
    let mut client = site.client().await;
    for (mirror, operation) in [(up, "write"), (down, "read")] {
        // Who follows late is not told of what is done by then: it is there once it has told of this.
        let mut log = follow(&site, operation);
        match operation {
            "write" => client.store("STOR first", b"x", || {}).await.unwrap(),
            _ => drop(client.fetch("RETR first").await.unwrap()),
        }
        while !log.line().await.contains("/first") {}
        lftp.cut(&mirror, &mut log).await;
        drop(log);
        run(lftp.command(&mirror)).await;
        // What was there is not sent again, but for what was under way; of that a fetch that had come to its end for lftp
        // alone is not done for the log. Nobody waits for reads to be written there, so that the last come a little later.
        within(async { while done(&site, operation).await < MANY - 8 {} }).await;
        let done = done(&site, operation).await;
        assert!(done < MANY + 8, "{done} times {operation}");
    }
    client.quit().await.unwrap();
    trees.check(&trees.down).await;
    site.stop().await;
}

#[tokio::test]
async fn ncftp_puts_and_gets_a_tree_and_goes_on_with_what_was_cut() {
    let (Some(put), Some(get)) = (peer::require("ncftpput"), peer::require("ncftpget")) else {
        return;
    };
    let (site, trees) = (Site::new().await, Trees::new(50));
    let port = site.port("ftp").to_string();
    let user = ["-u", "alice", "-p", PASSWORD, "-P", &port];
    let mut upload = command(&put, user);
    upload.args(["-R", "-m", "127.0.0.1", "/there"]).arg(&trees.up);
    run(upload).await;
    fs::create_dir(&trees.down).unwrap();
    let mut download = command(&get, user);
    download.args(["-R", "-T", "127.0.0.1"]).arg(&trees.down).arg("/there/up");
    run(download).await;
    trees.check(&trees.down.join("up")).await;

    // What is half there is gone on with. (Of an upload ncftpput 3.2.6 asks for the rest, and sends the whole.)
    let (large, mut client) = (content(2, 3_000_000), site.client().await);
    client.store("STOR large", &large, || {}).await.unwrap();
    fs::write(trees.down.join("large"), &large[..1_000_000]).unwrap();
    let mut rest = command(&get, user);
    rest.args(["-z", "127.0.0.1"]).arg(&trees.down).arg("/large");
    run(rest).await;
    assert!(fs::read(trees.down.join("large")).unwrap() == large);
    client.quit().await.unwrap();
    site.stop().await;
}

/// Stores, fetches, cuts and goes on; over TLS with the subclass that data connections need which resume the session.
const PYTHON: &str = r#"
import ftplib, io, ssl, sys
way, port, password, certificate = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]

class Reusing(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
        return conn, size

class Implicit(Reusing):
    _sock = None
    @property
    def sock(self):
        return self._sock
    @sock.setter
    def sock(self, value):
        if value is not None and not isinstance(value, ssl.SSLSocket):
            value = self.context.wrap_socket(value, server_hostname=self.host)
        self._sock = value

kind = {'plain': ftplib.FTP, 'explicit': Reusing, 'implicit': Implicit}[way]
secure = {} if way == 'plain' else {'context': ssl.create_default_context(cafile=certificate)}

def log_in():
    ftp = kind(encoding='utf-8', **secure)
    ftp.connect('127.0.0.1', port, timeout=30)
    ftp.login('alice', password)
    if secure:
        ftp.prot_p()
    ftp.voidcmd('TYPE I')
    return ftp

ftp = log_in()
folder = ftp.mkd(way)
ftp.cwd(folder)
data = bytes(range(256)) * 8000
assert ftp.storbinary('STOR größe', io.BytesIO(data)).startswith('226')
for turn in range(20):
    ftp.storbinary(f'STOR {turn}', io.BytesIO(data[:turn * 100]))
assert sorted(ftp.nlst()) == sorted(['größe'] + [str(turn) for turn in range(20)])
facts = dict(ftp.mlsd())
assert facts['größe']['size'] == str(len(data)) and facts['größe']['type'] == 'file', facts
for rest in [None, 1_000_000]:
    got = io.BytesIO()
    ftp.retrbinary('RETR größe', got.write, rest=rest)
    assert got.getvalue() == data[rest or 0:]
assert ftp.storbinary('STOR größe', io.BytesIO(data[500:]), rest=500).startswith('226')
assert ftp.size('größe') == len(data)
for turn in range(20):
    ftp.rename(str(turn), f'moved {turn}')
    ftp.delete(f'moved {turn}')
lines = []
ftp.retrlines('LIST', lines.append)
assert len(lines) == 1 and lines[0].endswith('größe'), lines
# The connection is lost in the middle, and another one goes on.
conn = ftp.transfercmd('STOR cut')
conn.sendall(data[:1_500_000])
while ': 1500000 bytes' not in ftp.sendcmd('STAT'):
    pass
ftp.close()
ftp = log_in()
ftp.cwd(folder)
while True:
    try:
        size = ftp.size('cut')
        break
    except ftplib.error_perm:
        pass
conn.close()
assert size == 1_500_000, size
ftp.storbinary('STOR cut', io.BytesIO(data[size:]), rest=size)
got = io.BytesIO()
ftp.retrbinary('RETR cut', got.write)
assert got.getvalue() == data
ftp.quit()
"#;

#[tokio::test]
async fn pythons_ftplib_speaks_plain_and_both_kinds_of_tls() {
    let Some(python) = peer::require("python3") else { return };
    let site = Site::new().await;
    for (way, scheme) in [("plain", "ftp"), ("explicit", "ftp"), ("implicit", "ftps")] {
        let port = site.port(scheme).to_string();
        let mut script = command(&python, ["-c", PYTHON, way, &port, PASSWORD]);
        script.arg(site.certificate());
        run(script).await;
    }
    site.stop().await;
}

#[tokio::test]
async fn rclone_copies_checks_and_syncs_over_plain_and_both_kinds_of_tls() {
    let Some(program) = peer::require("rclone") else { return };
    let (site, trees) = (Site::new().await, Trees::new(60));
    let obscured = run(command(&program, ["obscure", PASSWORD])).await;
    // Several connections at once, with one store of TLS sessions.
    for (way, scheme, more) in [
        ("plain", "ftp", ""),
        ("explicit", "ftp", ",explicit_tls=true"),
        ("implicit", "ftps", ",tls=true"),
    ] {
        let remote = format!(
            ":ftp,host=127.0.0.1,port={},user=alice,pass={},no_check_certificate=true{more}:{way}",
            site.port(scheme),
            obscured.text().trim(),
        );
        let (up, down) = (&trees.up, trees.folder.path().join(way));
        let rclone = |verb: &str, from: &OsStr, to: &OsStr| {
            let mut rclone = command(&program, [OsStr::new(verb), from, to]);
            rclone.args(["--config", "/nonexistent/rclone.conf", "--retries", "1"]);
            rclone.args(["--low-level-retries", "1", "--timeout", "20s"]);
            run(rclone)
        };
        rclone("copy", up.as_os_str(), OsStr::new(&remote)).await;
        rclone("check", up.as_os_str(), OsStr::new(&remote)).await;
        rclone("copy", OsStr::new(&remote), down.as_os_str()).await;
        trees.check(&down).await;
        // What is not there goes there.
        fs::remove_dir_all(down.join("folder 1")).unwrap();
        fs::write(down.join("folder 2/new"), "new").unwrap();
        rclone("sync", down.as_os_str(), OsStr::new(&remote)).await;
        rclone("check", down.as_os_str(), OsStr::new(&remote)).await;
    }
    site.stop().await;
}
