//! The command line.

use std::{path::PathBuf, time::Duration};

use rustix::{
    process::{Resource, Rlimit, setrlimit},
    thread::set_thread_uid,
};
use sockeye::{Limits, Model};

/// How the server ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// By a signal, or by its handler.
    Signalled,
    /// It is drained before it runs.
    Drained,
    /// By a signal; it runs under a runtime of the program's, which stops while a handler has a
    /// server beside it prepared.
    Interrupted,
    /// It never runs.
    Unserved,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) handler: String,
    pub(crate) addrs: Vec<String>,
    pub(crate) model: Model,
    pub(crate) limits: Limits,
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) ballast: usize,
    pub(crate) space: Option<u64>,
    pub(crate) end: End,
    pub(crate) times: usize,
    pub(crate) reload: bool,
    pub(crate) bystander: bool,
    pub(crate) beside: bool,
    pub(crate) after: bool,
    pub(crate) workers: Option<usize>,
}

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            handler: args.next().ok_or("no handler")?,
            addrs: Vec::new(),
            model: Model::default(),
            limits: Limits::default(),
            tls: None,
            ballast: 0,
            space: None,
            end: End::Signalled,
            times: 1,
            reload: false,
            bystander: false,
            beside: false,
            after: false,
            workers: None,
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} wants a value"));
            match arg.as_str() {
                "--model" => {
                    options.model = value()?.parse().map_err(|error| format!("{error}"))?;
                }
                "--limit" => set_limit(&mut options.limits, &value()?)?,
                "--tls" => options.tls = Some((value()?.into(), value()?.into())),
                "--nofile" => limit_files(number(&value()?)?)?,
                "--processes" => limit_processes(number(&value()?)?)?,
                "--space" => options.space = Some(number(&value()?)?),
                "--ballast" => options.ballast = number(&value()?)?,
                "--times" => options.times = number(&value()?)?,
                "--workers" => options.workers = Some(number(&value()?)?),
                "--after" => options.after = true,
                "--beside" => options.beside = true,
                "--bystander" => options.bystander = true,
                "--reload" => options.reload = true,
                "--end" => {
                    options.end = match value()?.as_str() {
                        "drained" => End::Drained,
                        "interrupted" => End::Interrupted,
                        "unserved" => End::Unserved,
                        _ => End::Signalled,
                    };
                }
                _ => options.addrs.push(arg),
            }
        }
        Ok(options)
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

/// Sets one limit; times are in milliseconds.
fn set_limit(limits: &mut Limits, setting: &str) -> Result<(), String> {
    let (name, value) = setting.split_once('=').ok_or(format!("{setting:?} has no value"))?;
    let count = || number::<usize>(value);
    let time = || number(value).map(Duration::from_millis);
    match name {
        "max_connections" => limits.max_connections = count()?,
        "max_per_ip" => limits.max_per_ip = Some(count()?),
        "read_idle" => limits.read_idle = Some(time()?),
        "write_stall" => limits.write_stall = Some(time()?),
        "line_time" => limits.line_time = Some(time()?),
        "handshake" => limits.handshake = time()?,
        "drain" => limits.drain = time()?,
        "max_line" => limits.max_line = count()?,
        "max_packet" => limits.max_packet = count()?,
        "max_packets_in_flight" => limits.max_packets_in_flight = count()?,
        _ => return Err(format!("no limit {name:?}")),
    }
    Ok(())
}

/// Lets this process have only so many MiB of addresses more than it has: a thread takes two.
pub(crate) fn limit_space(more: u64) {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages.split(' ').next().and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    let most = Some(pages * rustix::param::page_size() as u64 + (more << 20));
    let _ = setrlimit(Resource::As, Rlimit { current: most, maximum: most });
}

/// Lets this process have fewer open files.
fn limit_files(most: u64) -> Result<(), String> {
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::Nofile, limit).map_err(|error| error.to_string())
}

/// Lets this process and all that it forks be so many at most: as a user of its own, as the system
/// counts the processes of a user, and never root's. Only root may do that.
fn limit_processes(most: u64) -> Result<(), String> {
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::Nproc, limit).map_err(|error| error.to_string())?;
    let user = rustix::process::Uid::from_raw(FIRST_OWN_USER + std::process::id());
    set_thread_uid(user).map_err(|error| error.to_string())
}

/// No system gives its users numbers from here on.
const FIRST_OWN_USER: u32 = 1 << 30;
