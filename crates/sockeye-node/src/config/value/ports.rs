//! Ranges of ports.

use std::{fmt, ops::RangeInclusive};

use super::{Raw, Value, quoted};

/// Ports from the first to the last, both included: `50000-50100`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRange(RangeInclusive<u16>);

impl PortRange {
    /// The ports; at least one, and none of them 0.
    #[must_use]
    pub fn ports(&self) -> RangeInclusive<u16> {
        self.0.clone()
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.start(), self.0.end())
    }
}

impl Value for PortRange {
    fn expected() -> String {
        "a range of ports, as \"50000-50100\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().or(raw.digits()).ok_or_else(|| Self::unlike(raw))?;
        // One port is a range as well.
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| {
            let digits = Some(text.trim()).filter(|text| !text.starts_with('+'));
            digits.and_then(|digits| digits.parse::<u16>().ok()).filter(|port| *port > 0)
        };
        match (port(first), port(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self(first..=last)),
            (Some(first), Some(last)) => {
                Err(format!("the range {text} ends before it begins: write {last}-{first}"))
            }
            _ => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::text, *};

    #[test]
    fn a_range_has_its_first_and_its_last_port() {
        for (written, ports) in
            [("50000-50100", 50_000..=50_100), ("1-65535", 1..=65_535), ("2121", 2121..=2121)]
        {
            let range = PortRange::read(&text(written)).unwrap();
            assert_eq!(range.ports(), ports);
            let printed = range.print();
            assert_eq!(PortRange::read(&text(printed.trim_matches('"'))), Ok(range));
        }
        assert_eq!(PortRange::read(&Raw::Number("20".into())).unwrap().ports(), 20..=20);
        for wrong in ["", "-", "0-9", "1-", "-9", "1-65536", "1-2-3", "a-b", "1..2", "+1-2"] {
            assert!(PortRange::read(&text(wrong)).is_err(), "{wrong}");
        }
        let backwards = PortRange::read(&text("9-1")).unwrap_err();
        assert_eq!(backwards, "the range 9-1 ends before it begins: write 1-9");
    }
}
