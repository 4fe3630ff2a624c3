//! The programs that people use: curl, lftp, Python's ftplib.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use sockeye_testkit::{node::password, peer};

use crate::client::{Served, content};

#[track_caller]
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().expect("a program");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {error}{}",
        String::from_utf8_lossy(&output.stdout)
    );
    output
}

pub(crate) fn same(left: &Path, right: &Path) -> bool {
    fs::read(left).expect("a file") == fs::read(right).expect("a file")
}

#[test]
fn curl_stores_fetches_lists_and_goes_on() {
    let Some(curl) = peer::require("curl") else { return };
    let served = Served::new();
    let folder = tempfile::tempdir().unwrap();
    let (up, down) = (folder.path().join("up"), folder.path().join("down"));
    fs::write(&up, content(3 << 20)).unwrap();
    let at = |path: &str| format!("ftp://127.0.0.1:{}/{path}", served.server.port());
    let curl = || {
        let mut command = Command::new(&curl);
        let user = format!("alice:{}", password("alice"));
        command.args(["-sS", "--max-time", "60", "--user", &user]);
        command
    };
    run(curl().arg("-T").arg(&up).args(["--ftp-create-dirs", &at("a/b/file")]));
    run(curl().arg("-o").arg(&down).arg(at("a/b/file")));
    assert!(same(&up, &down));
    fs::write(&down, &content(3 << 20)[..1_000_000]).unwrap();
    run(curl().args(["-C", "-", "-o"]).arg(&down).arg(at("a/b/file")));
    assert!(same(&up, &down));
    let listed = run(curl().args(["-l", &at("a/b/")])).stdout;
    assert_eq!(listed, b"file\n");
    let active = run(curl().args(["-P", "-", &at("a/b/file")])).stdout;
    assert!(active == fs::read(&up).unwrap());
    run(curl().args(["-Q", "RNFR a/b/file", "-Q", "RNTO a/other", &at("")]));
    assert_eq!(run(curl().args(["-l", &at("a/")])).stdout, b"b\nother\n");
}

#[test]
fn lftp_mirrors_both_ways() {
    let Some(lftp) = peer::require("lftp") else { return };
    let served = Served::new();
    let folder = tempfile::tempdir().unwrap();
    let (up, down) = (folder.path().join("up"), folder.path().join("down"));
    for number in 0..200 {
        let file = up.join(format!("folder {}/file {number}.txt", number % 7));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content(number * 37)).unwrap();
    }
    let script = format!(
        "set net:max-retries 1; set net:timeout 20; set ftp:ssl-allow no; \
         open -u alice,'{}' ftp://127.0.0.1:{}; mirror -R -P 4 {} there; mirror -P 4 there {}; bye",
        password("alice"),
        served.server.port(),
        up.display(),
        down.display(),
    );
    run(Command::new(lftp).env("HOME", folder.path()).args(["--norc", "-c", &script]));
    run(Command::new("diff").arg("-r").arg(&up).arg(&down));
}

const FTPLIB: &str = r#"
import ftplib, io, sys
ftp = ftplib.FTP()
ftp.connect('127.0.0.1', int(sys.argv[1]), timeout=30)
ftp.login('alice', sys.argv[2])
data = bytes(range(256)) * 5000
assert ftp.storbinary('STOR file', io.BytesIO(data)).startswith('226')
got = io.BytesIO()
ftp.retrbinary('RETR file', got.write)
assert got.getvalue() == data
got = io.BytesIO()
ftp.retrbinary('RETR file', got.write, rest=1000)
assert got.getvalue() == data[1000:]
assert ftp.size('file') == len(data)
ftp.mkd('folder "one"')
assert ftp.mkd('two') == '/two'
ftp.cwd('folder "one"')
assert ftp.pwd() == '/folder "one"'
ftp.storlines('STOR text', io.BytesIO(b'a\r\nb\r\n'))
lines = []
ftp.retrlines('RETR text', lines.append)
assert lines == ['a', 'b'], lines
assert [name for name, facts in ftp.mlsd()] == ['text']
assert ftp.nlst() == ['text']
ftp.dir(lines.append)
ftp.set_pasv(False)
assert ftp.nlst() == ['text']
ftp.rename('text', '../moved')
ftp.cwd('..')
ftp.delete('moved')
ftp.rmd('two')
sock = ftp.transfercmd('RETR file')
sock.recv(10)
try:
    ftp.abort()
except ftplib.error_proto as error:
    assert '426' in str(error) or '226' in str(error), error
sock.close()
"#;

#[test]
fn pythons_ftplib_does_all_it_knows() {
    let Some(python) = peer::require("python3") else { return };
    let served = Served::new();
    let port = served.server.port().to_string();
    run(Command::new(python).args(["-c", FTPLIB, &port, &password("alice")]));
}
