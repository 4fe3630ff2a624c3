//! A URL as a QR code, in the terminal.

use std::{io, io::Write};

use anstream::{AutoStream, ColorChoice};
use qrcode::{QrCode, render::unicode::Dense1x2};

use super::urls::Reachable;

/// Black on white whatever the terminal's colours are.
const BLACK_ON_WHITE: anstyle::Style = anstyle::Style::new()
    .fg_color(Some(anstyle::Color::Ansi256(anstyle::Ansi256Color(16))))
    .bg_color(Some(anstyle::Color::Ansi256(anstyle::Ansi256Color(231))));

/// Prints the URL that others reach, or the first; to standard error if the other output is taken.
pub(super) fn print(listeners: &[Reachable], output_taken: bool) -> io::Result<()> {
    let urls = || listeners.iter().flat_map(|it| it.urls.iter().map(move |url| (it, url)));
    let Some((from, url)) = urls().find(|(_, url)| !is_loopback(url)).or_else(|| urls().next())
    else {
        tracing::warn!("no QR code: none of the listeners has a URL");
        return Ok(());
    };
    if from.addr.is_local() {
        tracing::warn!(
            "the QR code is of use on this machine alone: `--listen [::]:8080` lets others connect"
        );
    }
    if output_taken {
        let colour = AutoStream::choice(&io::stderr());
        write(&mut anstream::stderr().lock(), url, colour)
    } else {
        let colour = AutoStream::choice(&io::stdout());
        write(&mut anstream::stdout().lock(), url, colour)
    }
}

fn is_loopback(url: &str) -> bool {
    url.contains("//127.") || url.contains("//[::1]")
}

fn write(out: &mut impl Write, url: &str, colour: ColorChoice) -> io::Result<()> {
    // A URL of an address and a port always fits.
    let Ok(code) = QrCode::new(url) else { return Ok(()) };
    let mut picture = code.render::<Dense1x2>();
    if colour == ColorChoice::Never {
        // Most terminals are dark: what is printed is what is light.
        picture.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    }
    for line in picture.build().lines() {
        writeln!(out, "{BLACK_ON_WHITE}{line}{BLACK_ON_WHITE:#}")?;
    }
    writeln!(out, "{url}")
}
