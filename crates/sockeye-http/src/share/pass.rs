//! The cookie in which a browser keeps that it gave a share's password.

use ::http::HeaderValue;
use sockeye_node::Secret;

use crate::wire::{cookie, head::Fields};

/// The cookie's name.
const NAME: &str = "sockeye-share";

/// For how long a browser keeps it, in seconds; the pass itself says until when it is good.
const MAX_AGE: u32 = 12 * 60 * 60;

/// The pass that a request brings.
pub(super) fn of(fields: &Fields<'_>) -> Option<Secret> {
    cookie::named(fields, NAME).map(Secret::new)
}

/// The cookie that keeps a pass for what is at and below `path`.
pub(super) fn cookie(pass: &Secret, path: &str, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{NAME}={}; Path={path}; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax{secure}",
        pass.expose()
    );
    let value = HeaderValue::try_from(text);
    let mut value = value.unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
