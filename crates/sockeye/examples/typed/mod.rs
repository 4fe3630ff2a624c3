//! What a person types, line by line.

use std::io::{self, IsTerminal, Write};

use tokio::io::{AsyncBufReadExt, BufReader, Stdin};

/// The lines of standard input, with a prompt where a person types them.
pub(crate) struct Lines {
    lines: tokio::io::Lines<BufReader<Stdin>>,
    prompt: &'static str,
}

impl Lines {
    pub(crate) fn new(prompt: &'static str) -> Self {
        let typed = io::stdin().is_terminal() && io::stdout().is_terminal();
        let prompt = if typed { prompt } else { "" };
        Self { lines: BufReader::new(tokio::io::stdin()).lines(), prompt }
    }

    /// The next line without its end; `None` at the end of the input.
    pub(crate) async fn next(&mut self) -> io::Result<Option<String>> {
        io::stdout().write_all(self.prompt.as_bytes())?;
        io::stdout().flush()?;
        self.lines.next_line().await
    }
}
