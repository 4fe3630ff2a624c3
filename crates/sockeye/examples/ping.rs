//! ICMP echo with times and a summary, as ping(8) prints them: `ping HOST`.
//!
//! Works without root where the system allows ping sockets; says what to do where not.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::{
    pin::pin,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use sockeye::{
    Addr,
    socket::icmp::{Ping, PingReply},
};
use tokio::time::{MissedTickBehavior, interval};

#[derive(Parser)]
#[command(about = "Asks a host for ICMP echoes and prints how long each took")]
struct Args {
    /// Host name or address
    host: String,
    /// How many echoes to ask for (until Ctrl-C)
    #[arg(short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,
    /// Seconds between requests
    #[arg(short, value_name = "SECS", default_value = "1", value_parser = seconds)]
    interval: Duration,
    /// Seconds to wait for a reply
    #[arg(short = 'W', value_name = "SECS", default_value = "1", value_parser = seconds)]
    wait: Duration,
    #[arg(short = '4', conflicts_with = "v6", help = "IPv4 only")]
    v4: bool,
    #[arg(short = '6', help = "IPv6 only")]
    v6: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| "write seconds above 0, as 0.5".to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(received) => ExitCode::from(u8::from(received == 0)),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

async fn run(args: Args) -> Result<usize, Box<dyn std::error::Error>> {
    let mut ping = connect(&args).await?;
    let payload = [0x42; 56];
    println!("PING {} ({}) {} bytes of data.", args.host, ping.target(), payload.len());
    let started = Instant::now();
    let mut ticks = interval(args.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    let (mut sent, mut sequence, mut times) = (0, 0_u16, Vec::new());
    while args.count.is_none_or(|count| sent < count) {
        let echo = async {
            ticks.tick().await;
            sent += 1;
            sequence = sequence.wrapping_add(1);
            ping.echo(sequence, &payload, args.wait).await
        };
        let outcome = tokio::select! {
            outcome = echo => outcome,
            _ = &mut interrupted => break,
        };
        match outcome {
            Ok(reply) => {
                print_reply(&reply);
                times.push(reply.rtt.as_secs_f64() * 1e3);
            }
            Err(error) => println!("icmp_seq={sequence} {error}"),
        }
    }
    print_summary(&args.host, sent, &times, started.elapsed().as_millis());
    Ok(times.len())
}

async fn connect(args: &Args) -> Result<Ping, Box<dyn std::error::Error>> {
    let host = if args.host.contains(':') { format!("[{}]", args.host) } else { args.host.clone() };
    let addr: Addr = format!("icmp://{host}").parse()?;
    let wanted = addr
        .resolve_async()
        .await?
        .into_iter()
        .find(|target| (!args.v4 || target.is_ipv4()) && (!args.v6 || target.is_ipv6()));
    let target = wanted.ok_or("the host has no address of this IP version")?;
    Ok(Ping::connect(&addr.with_socket_addr(target)).await?)
}

fn print_reply(reply: &PingReply) {
    let PingReply { bytes, from, sequence, rtt, ttl, .. } = reply;
    let ttl = ttl.map_or_else(String::new, |ttl| format!(" ttl={ttl}"));
    let time = rtt.as_secs_f64() * 1e3;
    println!("{bytes} bytes from {from}: icmp_seq={sequence}{ttl} time={time:.3} ms");
}

fn print_summary(host: &str, sent: u32, times: &[f64], ms: u128) {
    let received = times.len() as f64;
    let loss = (100.0 * (1.0 - received / f64::from(sent.max(1)))).round();
    println!("\n--- {host} ping statistics ---");
    println!("{sent} packets transmitted, {received} received, {loss}% packet loss, time {ms}ms");
    if times.is_empty() {
        return;
    }
    let mean = times.iter().sum::<f64>() / received;
    let mdev = (times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / received).sqrt();
    let min = times.iter().copied().fold(f64::MAX, f64::min);
    let max = times.iter().copied().fold(0.0, f64::max);
    println!("rtt min/avg/max/mdev = {min:.3}/{mean:.3}/{max:.3}/{mdev:.3} ms");
}
