//! Content-Disposition (RFC 6266): what a download is called.

use super::escape::encode_into;

/// The value for something that is to be saved under this name.
///
/// The name stands there twice where it has to: in ASCII for old clients, and in UTF-8 (RFC 8187). Bytes that are
/// not UTF-8 are replaced. Nothing of it can end the value or the field.
#[must_use]
pub fn attachment(name: &[u8]) -> String {
    named("attachment", name)
}

/// The value for something that may be shown, and if it is saved, under this name.
#[must_use]
pub fn inline(name: &[u8]) -> String {
    named("inline", name)
}

fn named(disposition: &str, name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    // Old clients take a percent sign for an escape, and a backslash for what it is in no name.
    let kept = |c: char| (c == ' ' || c.is_ascii_graphic()) && !matches!(c, '"' | '\\' | '%' | '/');
    let plain: String = name.chars().map(|c| if kept(c) { c } else { '_' }).collect();
    let mut value = format!("{disposition}; filename=\"{plain}\"");
    if *name != plain {
        value.push_str("; filename*=UTF-8''");
        encode_into(&mut value, name.as_bytes());
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_told_to_old_clients_and_to_new_ones() {
        for (name, expected) in [
            (&b"a b.zip"[..], r#"attachment; filename="a b.zip""#),
            ("é.zip".as_bytes(), "attachment; filename=\"_.zip\"; filename*=UTF-8''%C3%A9.zip"),
            (
                b"\"; x=\"\r\ny",
                "attachment; filename=\"_; x=___y\"; filename*=UTF-8''%22%3B%20x%3D%22%0D%0Ay",
            ),
            (b"100%", "attachment; filename=\"100_\"; filename*=UTF-8''100%25"),
            (b"\xff", "attachment; filename=\"_\"; filename*=UTF-8''%EF%BF%BD"),
        ] {
            assert_eq!(attachment(name), expected);
        }
    }

    proptest! {
        #[test]
        fn any_name_gives_a_value_of_one_line(name in any::<Vec<u8>>()) {
            let value = attachment(&name);
            prop_assert!(value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
            prop_assert_eq!(value.matches('"').count(), 2);
        }
    }
}
