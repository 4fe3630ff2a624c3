//! `sockeye completions`.

use sockeye_testkit::peer;
use tokio::process::Command;

use super::running::{feed, quieten, run, sockeye};

#[tokio::test]
async fn every_shell_gets_a_script_that_names_the_verbs() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = String::from_utf8(run(&["completions", shell]).await.done()).unwrap();
        for word in ["serve", "dial", "completions", "--listen", "--encoding"] {
            // fish writes options without their dashes.
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: no {word}");
        }
    }
}

#[tokio::test]
async fn bash_completes_a_verb_by_its_script() {
    let Some(bash) = peer::require("bash") else { return };
    let script = run(&["completions", "bash"]).await.done();
    let ask = b"\nCOMP_WORDS=(sockeye ser); COMP_CWORD=1; _sockeye sockeye ser sockeye\n\
                printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    let mut command = Command::new(bash);
    quieten(&mut command);
    let ended = feed(command, &[&script[..], ask].concat()).await;
    assert_eq!(ended.text(), "serve\n", "{}", ended.err);
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = feed_into(writer).await;
    assert_eq!((ended.0, ended.1.as_str()), (Some(0), ""));
}

async fn feed_into(writer: std::io::PipeWriter) -> (Option<i32>, String) {
    let output = sockeye(&["completions", "bash"]).stdout(writer).output().await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}
