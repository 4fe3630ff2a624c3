//! Where a site is found: URLs without a path.

use super::{Raw, Value, quoted};

/// Where a site is found over TLS: `https://HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecureUrl(pub String);

impl Value for SecureUrl {
    fn expected() -> String {
        "an address as \"https://files.example.org\", without a path".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        let text = text.strip_suffix('/').unwrap_or(text);
        let authority = text.strip_prefix("https://").ok_or_else(|| Self::unlike(raw))?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        match !authority.is_empty() && authority.bytes().all(fits) {
            true => Ok(Self(text.to_owned())),
            false => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        quoted(&self.0)
    }
}

/// Where a site is reached from outside: `https://files.example.org/`, always with a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteUrl(Box<str>);

impl SiteUrl {
    /// The URL's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, as a request's Host has it before the port.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, rest)| rest.trim_end_matches('/'));
        match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => authority.split(':').next().unwrap_or_default(),
        }
    }
}

impl Value for SiteUrl {
    fn expected() -> String {
        "a URL, as \"https://files.example.org/\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        let authority = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let authority = authority.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._~:[]%".contains(c);
        match authority {
            Some(authority) if !authority.is_empty() && authority.chars().all(fits) => {
                Ok(Self(format!("{}/", text.trim_end_matches('/')).into()))
            }
            Some(authority) if authority.contains('/') => {
                Err(format!("{text} has a path: a site is at the root of its host"))
            }
            _ => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        quoted(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::text, *};

    #[test]
    fn a_sites_url_is_a_scheme_and_a_host_with_one_slash() {
        for url in ["https://files.example.org", "http://[::1]:8080", "http://127.0.0.1:80"] {
            for end in ["", "/"] {
                let read = SiteUrl::read(&text(&format!("{url}{end}"))).unwrap();
                assert_eq!(read.as_str(), format!("{url}/"));
            }
        }
        for wrong in
            ["", "files.example.org", "ftp://a/", "https://", "https://a/b/", "https://a b/"]
        {
            assert!(SiteUrl::read(&text(wrong)).is_err(), "{wrong}");
        }
        assert!(SiteUrl::read(&text("https://a/?x")).is_err());
    }
}
