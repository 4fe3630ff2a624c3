//! FTP over TLS: begun in the middle or at once, and data connections that resume the session.

use std::{fs, path::Path, process::Command};

use sockeye::tls::{Identity, TlsServer};
use sockeye_ftp::{Config, Security};
use sockeye_testkit::{certificates::Leaf, node::password, peer};

use crate::{
    client::{Served, content},
    peers::{run, same},
};

pub(crate) fn secured(folder: &Path, security: Security) -> Served {
    Served::with(|config| secure(folder, security, config))
}

pub(crate) fn secure(folder: &Path, security: Security, config: &mut Config) {
    let (chain, key) = Leaf::self_signed(&["localhost", "127.0.0.1"]).write(folder, "server");
    let identity = Identity::from_pem_files(chain, key);
    let tls = TlsServer::builder(identity).alpn(["ftp", "ftp-data"]).build();
    config.tls = Some(tls.expect("a certificate"));
    config.security = security;
}

#[test]
fn without_tls_nothing_is_asked_or_told_where_it_is_required() {
    let folder = tempfile::tempdir().unwrap();
    let served = secured(folder.path(), Security::Required);
    let mut client = served.client();
    for (line, code) in
        [("USER alice", 530), ("PBSZ 0", 503), ("PROT P", 503), ("AUTH GSSAPI", 504), ("CCC", 534)]
    {
        client.expect(code, line);
    }
    let features = client.ask("FEAT").join(" ");
    assert!(features.contains("AUTH TLS") && features.contains("PROT"), "{features}");
    client.expect(234, "AUTH TLS");
    // No handshake: the connection ends.
    client.inner.send_bytes(b"USER alice\r\n");
    assert!(!client.try_reply().is_some_and(|reply| reply[0].starts_with("331")));
    // Without a certificate there is no TLS.
    let served = Served::new();
    served.client().expect(502, "AUTH TLS");
}

const PYTHON: &str = r#"
import ftplib, io, os, socket, ssl, sys
port, password, version = int(sys.argv[1]), sys.argv[2], sys.argv[3]

class Reusing(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
        return conn, size

def context():
    context = ssl._create_unverified_context()
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    return context

data = bytes(range(256)) * 5000
ftp = Reusing(context=context())
ftp.connect('127.0.0.1', port, timeout=30)
ftp.login('alice', password)
ftp.prot_p()
for turn in range(5):
    assert ftp.storbinary('STOR file', io.BytesIO(data)).startswith('226')
    got = io.BytesIO()
    ftp.retrbinary('RETR file', got.write)
    assert got.getvalue() == data
assert 'file' in ftp.nlst()
# Nothing is sent to who stores: closed with that unread, the connection would be reset, and data lost.
conn = ftp.transfercmd('STOR other')
conn.sendall(b'x')
while ': 1 bytes' not in ftp.sendcmd('STAT'):
    pass
raw = socket.socket(fileno=os.dup(conn.fileno()))
try:
    raw.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    assert False, 'something was sent'
except BlockingIOError:
    raw.close()
conn.unwrap()
conn.close()
assert ftp.voidresp().startswith('226')
try:
    ftp.prot_c()
    got = io.BytesIO()
    ftp.retrbinary('RETR file', got.write)
    assert got.getvalue() == data
    assert sys.argv[4] == 'Allowed'
except ftplib.error_perm as error:
    assert sys.argv[4] == 'Required' and str(error).startswith('534'), error
ftp.quit()

# One that does not reuse the session gets nothing.
ftp = ftplib.FTP_TLS(context=context())
ftp.connect('127.0.0.1', port, timeout=30)
ftp.login('alice', password)
ftp.prot_p()
try:
    got = io.BytesIO()
    ftp.retrbinary('RETR file', got.write)
    assert False, 'no session was reused'
except (ftplib.error_perm, ssl.SSLError, OSError) as error:
    assert not got.getvalue()

# One that wants data in plain text gets nothing where TLS is required.
if sys.argv[4] == 'Required':
    ftp = ftplib.FTP_TLS(context=context())
    ftp.connect('127.0.0.1', port, timeout=30)
    ftp.login('alice', password)
    try:
        ftp.nlst()
        assert False, 'data in plain text'
    except ftplib.error_perm as error:
        assert str(error).startswith('521'), error

# One that reuses the session of another connection of the same account gets all: some clients have one store for all.
other = Reusing(context=context())
other.connect('127.0.0.1', port, timeout=30)
other.login('alice', password)
other.prot_p()
def with_others_session(name):
    ftp = ftplib.FTP_TLS(context=other.context)
    ftp.connect('127.0.0.1', port, timeout=30)
    ftp.login(name, password.replace('alice', name))
    ftp.prot_p()
    conn, size = ftplib.FTP.ntransfercmd(ftp, 'LIST -a')
    try:
        conn = ftp.context.wrap_socket(conn, server_hostname='127.0.0.1', session=other.sock.session)
        got = conn.recv(10)
    except OSError:
        got = b''
    conn.close()
    return got, ftp.getmultiline()
got, reply = with_others_session('alice')
assert got and reply.startswith('226'), reply
# With that of another account there is nothing.
got, reply = with_others_session('bob')
assert not got and reply.startswith('522'), reply

# What stands behind AUTH in plain text is nobody's command.
sock = socket.create_connection(('127.0.0.1', port), timeout=30)
lines = sock.makefile('rb')
assert lines.readline().startswith(b'220')
sock.sendall(b'AUTH TLS\r\nUSER injected\r\nFEAT\r\n')
assert lines.readline().startswith(b'234')
sock = context().wrap_socket(sock, server_hostname='127.0.0.1')
sock.sendall(b'SYST\r\n')
assert sock.recv(100).startswith(b'215'), 'an injected command was answered'
sock.sendall(b'PASS x\r\n')
assert sock.recv(100).startswith(b'503'), 'an injected name was taken'
"#;

#[test]
fn data_connections_resume_the_session_under_either_version() {
    let Some(python) = peer::require("python3") else { return };
    for security in [Security::Allowed, Security::Required] {
        let folder = tempfile::tempdir().unwrap();
        let served = secured(folder.path(), security);
        let port = served.server.port().to_string();
        for version in ["TLSv1_2", "TLSv1_3"] {
            let security = format!("{security:?}");
            let mut command = Command::new(&python);
            run(command.args(["-c", PYTHON, &port, &password("alice"), version, &security]));
        }
        let logins = served.node.records("login");
        assert!(logins.iter().all(|it| it["tls"] == true) && logins.len() > 4, "{logins:?}");
        let refused = served.node.records("refuse");
        let is_told = |user: &str, path: &str, why: &str| {
            let it = refused.iter().find(|it| {
                let detail = it["detail"].as_str().unwrap();
                it["user"] == user
                    && it["path"].as_str() == Some(path).filter(|it| !it.is_empty())
                    && detail.starts_with(why)
            });
            assert!(it.is_some(), "{user} {path} {why}: {refused:?}");
        };
        is_told("alice", "/file", "RETR: 522 The data connection did not resume");
        is_told("bob", "/", "LIST: 522 ");
        if security == Security::Required {
            is_told("alice", "", "PROT: 534 ");
            is_told("alice", "", "NLST: 521 ");
        }
    }
}

#[test]
fn files_go_up_one_after_the_other_by_one_curl() {
    let Some(curl) = peer::require("curl") else { return };
    let folder = tempfile::tempdir().unwrap();
    let served = secured(folder.path(), Security::Required);
    let at = format!("ftp://127.0.0.1:{}/", served.server.port());
    // Under TLS 1.3 curl uses a ticket once, and takes the next when it closes the connection: by then it is there if
    // what was sent is more than the sockets hold.
    for (version, length) in [(&["--tls-max", "1.2"][..], 1000), (&["--tlsv1.3"], 16 << 20)] {
        let mut command = Command::new(&curl);
        let user = format!("alice:{}", password("alice"));
        command.args(["-sSk", "--ssl-reqd", "--max-time", "60", "--user", &user]).args(version);
        for number in 0..4 {
            let file = folder.path().join(format!("{number}"));
            fs::write(&file, content(length + number)).unwrap();
            command.arg("-T").arg(&file).arg(&at);
        }
        run(&mut command);
        for number in 0..4 {
            let (name, home) = (format!("{number}"), served.node.home("alice"));
            assert!(same(&folder.path().join(&name), &home.join(&name)));
            fs::remove_file(home.join(&name)).unwrap();
        }
    }
}

#[test]
fn curl_and_lftp_speak_tls() {
    let (Some(curl), Some(lftp)) = (peer::require("curl"), peer::require("lftp")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (up, down) = (folder.path().join("up"), folder.path().join("down"));
    fs::write(&up, content(3 << 20)).unwrap();
    for security in [Security::Required, Security::Implicit] {
        let served = secured(folder.path(), security);
        let scheme = if security == Security::Implicit { "ftps" } else { "ftp" };
        let at = format!("{scheme}://127.0.0.1:{}", served.server.port());
        let curl = || {
            let mut command = Command::new(&curl);
            let user = format!("alice:{}", password("alice"));
            command.args(["-sSk", "--ssl-reqd", "--max-time", "60", "--user", &user]);
            command
        };
        run(curl().arg("-T").arg(&up).arg(format!("{at}/file")));
        run(curl().arg("-o").arg(&down).arg(format!("{at}/file")));
        assert!(same(&up, &down));
        let script = format!(
            "set net:max-retries 1; set net:timeout 20; set ssl:verify-certificate no; \
             set ftp:ssl-force yes; set ftp:ssl-protect-data yes; \
             open -u alice,'{}' {at}; put {} -o second; get second -o {}; bye",
            password("alice"),
            up.display(),
            folder.path().join("third").display(),
        );
        run(Command::new(&lftp).env("HOME", folder.path()).args(["--norc", "-c", &script]));
        assert!(same(&up, &folder.path().join("third")));
        fs::remove_file(folder.path().join("third")).unwrap();
    }
}
