//! Running the peers: the scripts in `peers/`, with plain sockets and the standard library.

use std::path::Path;

use sockeye_testkit::peer::require;
use tokio::process::Command;

use crate::example::{printed, program, run};

/// Runs `peers/NAME.py` in `folder`; it ends with an error where an answer is wrong. `false` if
/// there is no Python to run it.
pub(crate) async fn peer(folder: &Path, name: &str, args: &[&str]) -> bool {
    let Some(mut command) = script(name) else { return false };
    printed(&run(command.args(args), folder, b"").await);
    true
}

/// Runs an example's client at a terminal of its own: all that this was sent. `None` if there is no
/// Python to run it.
pub(crate) async fn at_a_terminal(folder: &Path, name: &str, args: &[&str]) -> Option<String> {
    let mut command = script("terminal")?;
    command.arg(program(name)).arg("connect").args(args);
    Some(printed(&run(&mut command, folder, b"").await).to_owned())
}

fn script(name: &str) -> Option<Command> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/classic/peers");
    let mut command = Command::new(require("python3")?);
    command.arg("-B").arg(scripts.join(name).with_extension("py"));
    Some(command)
}
