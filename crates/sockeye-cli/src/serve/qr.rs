//! A URL as a QR code, in the terminal.

use std::{io, io::Write};

use anstream::{AutoStream, ColorChoice};
use qrcode::{QrCode, render::unicode::Dense1x2};

use super::urls::Reachable;

/// Black on white whatever the terminal's colours are.
const BLACK_ON_WHITE: anstyle::Style = anstyle::Style::new()
    .fg_color(Some(anstyle::Color::Ansi256(anstyle::Ansi256Color(16))))
    .bg_color(Some(anstyle::Color::Ansi256(anstyle::Ansi256Color(231))));

/// Prints the URL that others reach, if there is one; to standard error if the other output is taken.
pub(super) fn print(listeners: &[Reachable], output_taken: bool) -> io::Result<()> {
    let mut urls = listeners.iter().flat_map(|it| &it.urls);
    let Some(url) = urls.find(|url| !is_loopback(url)) else {
        tracing::warn!(
            "no QR code: nothing here can be reached from a telephone; `--listen [::]:8080` lets \
             other machines connect"
        );
        return Ok(());
    };
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_the_url_of_others_in_rows_of_half_blocks() {
        let mut out = Vec::new();
        write(&mut out, "http://192.0.2.1:8080/", ColorChoice::Never).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().count() > 10 && text.contains('▀') && text.contains('▄'), "{text}");
    }

    #[test]
    fn loopback_is_told_from_what_others_reach() {
        assert!(is_loopback("http://127.0.0.1:8080/") && is_loopback("https://[::1]:8443/"));
        assert!(!is_loopback("http://192.0.2.1:8080/") && !is_loopback("http://[2001:db8::1]/"));
    }
}
