//! A flood of logins over HTTP: memory stays bounded, whoever is signed in is answered, nobody else is locked out.
//!
//! The node is a process of its own, so that its memory can be told; what floods it comes from other addresses of
//! this machine than those who belong here.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpSocket, TcpStream},
    sync::Notify,
    task::JoinSet,
};

use super::{
    accounts::base64,
    node::Place,
    running::{run_with, within},
};

/// Who belongs here, each with a password of this kind.
const ACCOUNTS: [&str; 3] = ["alice", "bob", "carol"];

/// Connections that flood, and the addresses that they come from.
const FLOODING: u64 = 256;
const ADDRESSES: u64 = 8;

/// Requests that a flooding connection sends at once.
const AT_ONCE: u64 = 16;

/// Fewest attempts that are a flood.
const LEAST: u64 = 10_000;

/// What the flood may cost beside the hashes under way, in KiB: connections, the journal's batches, what is known
/// of failed attempts.
const ALLOWED: u64 = 64 * 1024;

/// A flood while it lasts.
#[derive(Default)]
struct Flood {
    attempts: AtomicU64,
    /// Told when some were answered.
    some: Notify,
    over: AtomicBool,
}

impl Flood {
    fn attempts(&self) -> u64 {
        self.attempts.load(Relaxed)
    }

    fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }
}

fn password(name: &str) -> String {
    format!("{name} has this password")
}

fn request(name: &str, password: &str) -> String {
    let basic = base64(format!("{name}:{password}").as_bytes());
    format!("GET /notes HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {basic}\r\n\r\n")
}

/// A connection from this address of the machine's own network.
async fn connect(from: u8, to: SocketAddr) -> BufReader<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 0, from), 0).into()).unwrap();
    BufReader::new(within(socket.connect(to)).await.unwrap())
}

/// The status of the next answer, whose content is thrown away; none at the end of the connection.
async fn status(stream: &mut BufReader<TcpStream>) -> Option<u16> {
    let (mut line, mut length, mut status) = (String::new(), 0, None);
    loop {
        line.clear();
        if within(stream.read_line(&mut line)).await.unwrap_or(0) == 0 {
            return None;
        }
        let text = line.trim_end().to_ascii_lowercase();
        if text.is_empty() {
            break;
        }
        if let Some(value) = text.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        status = status.or_else(|| text.split(' ').nth(1)?.parse().ok());
    }
    let mut content = vec![0; length];
    within(stream.read_exact(&mut content)).await.ok()?;
    status
}

/// Wrong guesses, one after the other, until the flood is over.
async fn guess_on(number: u64, to: SocketAddr, flood: Arc<Flood>) {
    let from = u8::try_from(100 + number % ADDRESSES).unwrap();
    let mut guess = number;
    while !flood.is_over() {
        let mut stream = connect(from, to).await;
        loop {
            let mut guesses = String::new();
            for _ in 0..AT_ONCE {
                guess += FLOODING;
                // Names that are there, and names that are not.
                let name = match guess % 7 {
                    0 => "carol".to_owned(),
                    _ => format!("user{guess}"),
                };
                guesses += &request(&name, &format!("guess {guess}"));
            }
            if stream.write_all(guesses.as_bytes()).await.is_err() {
                break;
            }
            let mut answered = 0;
            while answered < AT_ONCE
                && let Some(status) = status(&mut stream).await
            {
                assert!(matches!(status, 401 | 429 | 503), "a guess is answered by {status}");
                answered += 1;
            }
            flood.attempts.fetch_add(answered, Relaxed);
            flood.some.notify_one();
            if answered < AT_ONCE || flood.is_over() {
                break;
            }
        }
    }
}

/// Asks as somebody who is signed in until the flood is over; how often that was answered, and the longest wait.
async fn stay(to: SocketAddr, flood: &Flood) -> (u64, Duration) {
    let mut stream = connect(1, to).await;
    let (mut answered, mut longest) = (0, Duration::ZERO);
    while !flood.is_over() {
        let asked = Instant::now();
        stream.write_all(request("alice", &password("alice")).as_bytes()).await.unwrap();
        assert_eq!(status(&mut stream).await, Some(200), "whoever is signed in is answered");
        longest = longest.max(asked.elapsed());
        answered += 1;
    }
    (answered, longest)
}

/// Signs in from an address that nothing wrong came from; who is told to come again does.
async fn sign_in(name: &str, from: u8, to: SocketAddr) {
    let mut stream = connect(from, to).await;
    loop {
        stream.write_all(request(name, &password(name)).as_bytes()).await.unwrap();
        match status(&mut stream).await {
            // The home of somebody else has no such file.
            Some(200 | 404) => return,
            Some(503) => tokio::task::yield_now().await,
            other => panic!("{name} is locked out: {other:?}"),
        }
    }
}

/// Memory that a process has resident, in KiB.
fn resident(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Floods for so long, and says what came of it.
async fn survive(time: Duration) -> String {
    let place = Place::new();
    // A hash that costs something, also where nothing is optimised.
    let serving = place.serve(&["--set", "login.memory=1MiB", "--set", "login.at-once=2"]).await;
    for name in ACCOUNTS {
        let words = ["user", "add", name, "--password-stdin", "--data", &place.data()];
        run_with(&words, password(name).as_bytes()).await.done();
    }
    let to: SocketAddr = serving.host_port().parse().unwrap();
    sign_in("alice", 1, to).await;
    let homes = std::fs::read_dir(Path::new(&place.data()).join("homes")).unwrap();
    let home = homes.map(|home| home.unwrap().path().join("files")).find(|it| it.exists()).unwrap();
    std::fs::write(home.join("notes"), "mine\n").unwrap();
    let lock = std::fs::read_to_string(Path::new(&place.data()).join("lock")).unwrap();
    let process = lock.trim();

    let before = resident(process);
    let flood = Arc::new(Flood::default());
    let mut guessing = JoinSet::new();
    for number in 0..FLOODING {
        guessing.spawn(guess_on(number, to, Arc::clone(&flood)));
    }
    let watch = async {
        let begun = Instant::now();
        within(flood.some.notified()).await;
        // Two who come while it lasts, one of them with a name that is guessed at.
        tokio::join!(sign_in("bob", 2, to), sign_in("carol", 3, to));
        let mut most = 0;
        while begun.elapsed() < time || flood.attempts() < LEAST {
            within(flood.some.notified()).await;
            most = most.max(resident(process));
        }
        flood.over.store(true, Relaxed);
        most
    };
    let ((answered, longest), most) = tokio::join!(stay(to, &flood), watch);
    while let Some(ended) = within(guessing.join_next()).await {
        ended.unwrap();
    }
    let attempts = flood.attempts();
    let told = format!(
        "{attempts} attempts, {answered} answers to who is signed in, {longest:?} the longest wait; \
         {before} KiB before, {most} KiB at most"
    );
    assert!(answered > 0 && most < before + ALLOWED, "{told}");
    serving.running.stop().await;
    let refused = place.run(&["log", "--op", "refuse", "--outcome", "denied", "-n", "1"]).await;
    assert!(!refused.done().is_empty(), "what was refused is told");
    assert!(attempts >= LEAST, "{told}");
    told
}

#[tokio::test]
async fn a_flood_of_logins_over_http_locks_nobody_else_out() {
    survive(Duration::ZERO).await;
}

#[tokio::test]
#[ignore = "soak: floods for seconds"]
async fn soak_a_flood_of_logins_over_http() {
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let told = survive(Duration::from_secs_f64(seconds.unwrap_or(60.0))).await;
    eprintln!("{told}");
}
