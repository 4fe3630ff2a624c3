//! What a form posts: `application/x-www-form-urlencoded` (<https://url.spec.whatwg.org/#application/x-www-form-urlencoded>).

use super::escape;

/// The Content-Type of such a form.
pub const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Whether a Content-Type is that of a form.
#[must_use]
pub fn is_form(content_type: &[u8]) -> bool {
    let media = content_type.split(|&b| b == b';').next().unwrap_or_default();
    media.trim_ascii().eq_ignore_ascii_case(MEDIA_TYPE.as_bytes())
}

/// The value of the first field of this name; none if it is not there, badly encoded, or no UTF-8. The query of a URL
/// reads the same.
#[must_use]
pub fn value(form: &[u8], name: &str) -> Option<String> {
    form.split(|&b| b == b'&').find_map(|pair| {
        let at = pair.iter().position(|&b| b == b'=').unwrap_or(pair.len());
        let (key, value) = (&pair[..at], pair.get(at + 1..).unwrap_or_default());
        (decode(key)? == name).then(|| decode(value)).flatten()
    })
}

fn decode(text: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = text.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    String::from_utf8(escape::decode(&spaced)?.into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_found_and_decoded() {
        let form =
            b"name=al%69ce&pass%77ord=a+b%2Bc%26&empty=&bare&%E5%AF%86=%E7%A0%81&bad=%zz&name=x";
        for (name, expected) in [
            ("name", Some("alice")),
            ("password", Some("a b+c&")),
            ("empty", Some("")),
            ("bare", Some("")),
            ("密", Some("码")),
            ("bad", None),
            ("missing", None),
        ] {
            assert_eq!(value(form, name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_form_is_told_by_its_media_type() {
        assert!(is_form(b"application/x-www-form-urlencoded"));
        assert!(is_form(b"Application/X-WWW-Form-URLEncoded ; charset=utf-8"));
        assert!(!is_form(b"text/plain") && !is_form(b"multipart/form-data; boundary=x"));
    }

    proptest! {
        #[test]
        fn any_form_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = value(&bytes, "a");
        }
    }
}
