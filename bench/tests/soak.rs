//! Load and kills: the echo server of this crate under every model, as processes of their own, so that
//! signals and forks are real.
//!
//! Run by `scripts/soak`; SOAK_SECONDS says for how long each test loads. All waits are bounded.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs, io,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};

const MODELS: &[&str] =
    &["iterative", "pool:8", "threads:64", "fork:64", "prefork:4", "tasks", "percore:2"];

/// How long anything may take that is to happen at all.
const PATIENCE: Duration = Duration::from_secs(15);

const CLIENTS: usize = 8;

fn soak_time() -> Duration {
    let seconds = env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs_f64(seconds.unwrap_or(60.0))
}

/// A server in a process group of its own, which ends with this value.
struct Server {
    process: Child,
    addr: SocketAddr,
}

impl Server {
    fn start(model: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sockeye-bench"))
            .args(["server", "--addr", "tcp://127.0.0.1:0", "--model", model])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addr = line.trim().strip_prefix("listening on tcp://").expect("a ready line");
        Self { addr: addr.parse().unwrap(), process }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// The other processes of the server's group: zygotes and children.
    fn others(&self) -> Vec<Pid> {
        let group = self.process.id();
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| *pid != group && group_of(*pid) == Some(group))
            .filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
            .collect()
    }

    /// Waits for the end that a signal has asked for.
    fn ended(&mut self) -> ExitStatus {
        let watched = pidfd_open(self.pid(), PidfdFlags::empty()).unwrap();
        let limit = Timespec { tv_sec: PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
        let ready = poll(&mut [PollFd::new(&watched, PollFlags::IN)], Some(&limit)).unwrap();
        assert_eq!(ready, 1, "the server has not ended after {PATIENCE:?}");
        self.process.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Children end when the server does; zygotes as well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The process group in a line of /proc/PID/stat: the third field after the name.
fn group_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (state, rest) = stat.rsplit_once(") ")?.1.split_once(' ')?;
    if state == "Z" {
        return None;
    }
    rest.split(' ').nth(1)?.parse().ok()
}

fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends some bytes, half-closes, and demands all of them back, and then the end.
fn exchange(mut stream: TcpStream, length: usize) -> io::Result<()> {
    let message = vec![b'x'; length];
    stream.write_all(&message)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if answer == message {
        Ok(())
    } else {
        let (got, sent) = (answer.len(), message.len());
        Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{got} of {sent} bytes came back"),
        ))
    }
}

/// Exchanges of many sizes, so that some are split; below what fits the sockets' buffers, as the
/// client writes all before it reads.
fn length(count: u64) -> usize {
    usize::try_from(count * 977 % 16_000).unwrap() + 1
}

#[test]
#[ignore = "soak: loads every model for seconds"]
fn soak_every_model_answers_all_it_accepted_before_sigterm() {
    let each = soak_time() / u32::try_from(MODELS.len()).unwrap();
    for model in MODELS {
        let mut server = Server::start(model);
        let (done, stopping) = (AtomicU64::new(0), AtomicBool::new(false));
        let lost = Mutex::new(Vec::new());
        let client = || {
            loop {
                let stream = connect(server.addr);
                let before_the_end = !stopping.load(SeqCst);
                match stream.and_then(|stream| exchange(stream, length(done.load(SeqCst)))) {
                    Ok(()) => drop(done.fetch_add(1, SeqCst)),
                    Err(error) if before_the_end => return lost.lock().unwrap().push(error),
                    Err(_) => return,
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(client);
            }
            thread::park_timeout(each);
            stopping.store(true, SeqCst);
            kill_process(server.pid(), Signal::TERM).unwrap();
        });
        let lost = lost.into_inner().unwrap();
        assert!(lost.is_empty(), "{model}: {} lost, as {:?}", lost.len(), lost[0]);
        assert!(done.into_inner() > 0, "{model} has served nobody");
        assert!(server.ended().success(), "{model} ended badly");
        assert_eq!(server.others(), [], "{model} left processes behind");
    }
}

#[test]
#[ignore = "soak: kills processes for seconds"]
fn soak_process_models_survive_the_death_of_any_child_and_zygote() {
    for model in ["fork:16", "prefork:4"] {
        let server = Server::start(model);
        let (done, stopping) = (AtomicU64::new(0), AtomicBool::new(false));
        let client = || {
            while !stopping.load(SeqCst) {
                // Whose process is killed gets no answer; the others do.
                if connect(server.addr).and_then(|stream| exchange(stream, 1000)).is_ok() {
                    done.fetch_add(1, SeqCst);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(client);
            }
            let end = Instant::now() + soak_time() / 2;
            for victim in 0.. {
                thread::park_timeout(Duration::from_millis(100));
                if Instant::now() > end {
                    break;
                }
                let others = server.others();
                if let Some(pid) = others.get(victim * 7 % others.len().max(1)) {
                    // It may have ended by itself meanwhile.
                    let _ = kill_process(*pid, Signal::KILL);
                }
            }
            stopping.store(true, SeqCst);
        });
        assert!(done.load(SeqCst) > 0, "{model} has served nobody");
        assert!(recovers(server.addr), "{model} does not serve any more");
    }
}

/// Whether so many exchanges in a row succeed before patience ends.
fn recovers(addr: SocketAddr) -> bool {
    let end = Instant::now() + PATIENCE;
    let mut in_a_row = 0;
    while in_a_row < 20 && Instant::now() < end {
        let served = connect(addr).and_then(|stream| exchange(stream, 1000)).is_ok();
        in_a_row = if served { in_a_row + 1 } else { 0 };
    }
    in_a_row == 20
}

#[test]
#[ignore = "soak: resets connections for seconds"]
fn soak_resets_leave_no_descriptor_behind() {
    for model in ["threads:64", "tasks", "percore:2"] {
        let server = Server::start(model);
        exchange(connect(server.addr).unwrap(), 10).unwrap();
        // A core that has not had work yet may still open a few of its own; a leak shows in hundreds.
        let allowed = descriptors(&server) + 8;
        let end = Instant::now() + soak_time() / 3;
        while Instant::now() < end {
            let mut stream = connect(server.addr).unwrap();
            stream.write_all(&[b'x'; 1000]).unwrap();
            // With the answer unread, closing resets.
            let _ = stream.peek(&mut [0]);
            drop(stream);
        }
        let end = Instant::now() + PATIENCE;
        while descriptors(&server) > allowed {
            assert!(
                Instant::now() < end,
                "{model}: {} descriptors, more than {allowed}",
                descriptors(&server)
            );
            // Nobody comes meanwhile: a thread that is given work stays for more.
            thread::park_timeout(Duration::from_millis(20));
        }
        exchange(connect(server.addr).unwrap(), 10).unwrap();
    }
}

fn descriptors(server: &Server) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.process.id())).unwrap().count()
}
