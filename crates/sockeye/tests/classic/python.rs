//! Running the peers: the scripts in `peers/`, with plain sockets and the standard library.

use std::path::Path;

use sockeye_testkit::peer::require;
use tokio::process::Command;

use crate::example::{printed, run};

/// Runs `peers/NAME.py` in `folder`; it ends with an error where an answer is wrong. `false` if
/// there is no Python to run it.
pub(crate) async fn peer(folder: &Path, name: &str, args: &[&str]) -> bool {
    let Some(python) = require("python3") else { return false };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/classic/peers");
    let mut command = Command::new(python);
    command.arg("-B").arg(script.join(name).with_extension("py")).args(args);
    printed(&run(command, folder, b"").await);
    true
}
