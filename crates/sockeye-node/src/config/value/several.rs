//! One value or none, and lists.

use super::{Raw, Value, quoted};

/// What stands for “no limit”, and for “not set”.
const NONE: &str = "none";

impl<T: Value> Value for Option<T> {
    fn expected() -> String {
        format!("{}, or {NONE:?}", T::expected())
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        if raw.text() == Some(NONE) {
            return Ok(None);
        }
        match raw {
            Raw::Other(_) | Raw::List(_) => Err(Self::unlike(raw)),
            _ => T::read(raw).map(Some),
        }
    }

    fn print(&self) -> String {
        self.as_ref().map_or_else(|| quoted(NONE), T::print)
    }
}

/// A list; one value stands for a list of one, and in the environment spaces and commas separate.
impl<T: Value> Value for Vec<T> {
    fn expected() -> String {
        format!("a list in [brackets], each being {}", T::expected())
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::List(items) => items.iter().map(T::read).collect(),
            Raw::Text(_) => Ok(vec![T::read(raw)?]),
            Raw::Word(words) => {
                let words = words.split([' ', ',', '\t', '\n']).filter(|word| !word.is_empty());
                words.map(|word| T::read(&Raw::Word(word.to_owned()))).collect()
            }
            _ => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        let items: Vec<_> = self.iter().map(T::print).collect();
        format!("[{}]", items.join(", "))
    }
}
