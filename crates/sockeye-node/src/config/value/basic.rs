//! Switches, times, texts and paths.

use std::{path::PathBuf, time::Duration};

use sockeye::quantity::{format_duration, parse_duration};

use super::{Raw, Value, quoted};

impl Value for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Switch(on) => Ok(*on),
            Raw::Word(word) => match &*word.to_ascii_lowercase() {
                "true" | "on" | "yes" | "1" => Ok(true),
                "false" | "off" | "no" | "0" => Ok(false),
                _ => Err(Self::unlike(raw)),
            },
            _ => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Value for Duration {
    fn expected() -> String {
        "a time, as \"30s\" or \"2h\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let digits = if let Raw::Number(digits) = raw { Some(&**digits) } else { None };
        let text = raw.text().or(digits).ok_or_else(|| Self::unlike(raw))?;
        parse_duration(text).map_err(|error| error.to_string())
    }

    fn print(&self) -> String {
        quoted(&format_duration(*self).to_string())
    }
}

impl Value for String {
    fn expected() -> String {
        "a text in \"quotes\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        raw.text().map(str::to_owned).ok_or_else(|| Self::unlike(raw))
    }

    fn print(&self) -> String {
        quoted(self)
    }
}

impl Value for PathBuf {
    fn expected() -> String {
        "a path in \"quotes\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().filter(|text| !text.is_empty() && !text.contains('\0'));
        text.map(Self::from).ok_or_else(|| Self::unlike(raw))
    }

    fn print(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}
