//! A node as a service manager has it: what it is told at its start, at each reload, while it runs and at its end.

use std::path::PathBuf;

use rustix::process::Signal;
use tokio::net::UnixDatagram;

use super::{
    node::Place,
    running::{Serving, sockeye, within},
};

/// The manager's end.
struct Manager {
    socket: UnixDatagram,
    name: PathBuf,
}

impl Manager {
    fn new(place: &Place) -> Self {
        let name = place.0.path().join("manager");
        Self { socket: UnixDatagram::bind(&name).unwrap(), name }
    }

    /// The next message, as lines.
    async fn told(&self) -> Vec<String> {
        let mut message = [0; 4096];
        let length = within(self.socket.recv(&mut message)).await.unwrap();
        let text = std::str::from_utf8(&message[..length]).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

/// A node that tells the manager of itself, and gives a sign of life so often if that is wanted: nobody takes one
/// message while another is waited for, and the system holds few.
async fn start(place: &Place, manager: &Manager, watchdog: Option<&str>) -> Serving {
    let data = place.data();
    let arguments = ["serve", "--json", "--data", &data, "--listen", "http+tcp://127.0.0.1:0"];
    let mut command = sockeye(&arguments);
    command
        .env("NOTIFY_SOCKET", &manager.name)
        .env_remove("WATCHDOG_PID")
        .env_remove("WATCHDOG_USEC");
    if let Some(microseconds) = watchdog {
        command.env("WATCHDOG_USEC", microseconds);
    }
    Serving::ready(&mut command).await
}

#[tokio::test]
async fn the_service_manager_hears_of_the_start_each_reload_and_the_end() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let serving = start(&place, &manager, None).await;
    assert_eq!(manager.told().await, ["READY=1", "STATUS=Serving on 1 listener"]);
    // However a reload is asked for.
    for by_signal in [true, false] {
        match by_signal {
            true => serving.running.signal(Signal::HUP),
            false => drop(place.run(&["reload"]).await.done()),
        }
        let told = manager.told().await;
        let since = told[1].strip_prefix("MONOTONIC_USEC=").unwrap();
        assert!(told[0] == "RELOADING=1" && since.parse::<u64>().unwrap() > 0, "{told:?}");
        assert_eq!(manager.told().await[0], "READY=1");
    }
    place.write_config("public = maybe\n");
    assert_eq!(place.run(&["reload"]).await.code, Some(2));
    assert_eq!(manager.told().await[0], "RELOADING=1");
    let told = manager.told().await;
    assert_eq!(told[0], "READY=1");
    let status = "STATUS=the configuration stays as it was: ";
    assert!(told[1].starts_with(status) && told[1].contains("sockeye.toml:1"), "{told:?}");
    serving.running.signal(Signal::TERM);
    assert_eq!(manager.told().await, ["STOPPING=1", "STATUS=Finishing 0 connections"]);
    serving.running.end().await;
}

#[tokio::test]
async fn the_service_manager_hears_signs_of_life_as_often_as_it_wants() {
    let place = Place::new();
    let manager = Manager::new(&place);
    let serving = start(&place, &manager, Some("40000")).await;
    for _ in 0..3 {
        while manager.told().await != ["WATCHDOG=1"] {}
    }
    serving.running.stop().await;
}
