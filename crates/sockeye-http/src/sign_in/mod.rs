//! `/-/login` and `/-/logout`: from a form to a cookie, and back.
//!
//! A sign-in is made by a name and a password, bounded like every login. The form needs no CSRF token, as nobody
//! is signed in yet: a page of another site is refused by what its browser says of it. Signing out needs one.

use std::{sync::Arc, time::Duration};

use ::http::{HeaderValue, StatusCode, header};
use sockeye_node::{
    Credentials, Gate, LoginError, Refused, Secret, SignIn, accounts::Timestamp, csrf_token,
    is_csrf_token,
};

use crate::{
    answer::Answerer,
    content::{Content, read_whole},
    own::Asked,
    page::{SignInPage, sign_out_page, text},
    refused::{retry_after, turn_away, unread},
    reply::{Reply, empty, error, page},
    site::Unwelcome,
    wire::{cookie, form, head::Head, look::Look, method::Method, target},
};

/// The largest form that is read, in bytes: a name, a password and an address, each encoded.
const FORM: usize = 16 * 1024;

/// How long a sign-in holds whose cookie goes when the browser is closed.
const WHILE_OPEN: Duration = Duration::from_secs(12 * 60 * 60);

/// How long one holds of somebody who wants to stay signed in.
const STAYING: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Answers `/-/login`: the form, and what is posted from it.
pub(crate) async fn login(
    answerer: &Answerer<'_>,
    asked: &Asked<'_>,
    content: &mut impl Content,
) -> Reply {
    let head = asked.head;
    if head.method == Method::Post {
        return match posted(head, content).await {
            Ok(form) => sign_in(answerer, head, &form).await,
            Err(reply) => reply,
        };
    }
    let next = form::value(asked.query.unwrap_or_default(), "next");
    let next = local(next.as_deref());
    let signed_in = answerer.asker(head).await.is_ok_and(|asker| asker.is_signed_in());
    match signed_in {
        true => go_to(&next),
        false => form_page(head, StatusCode::OK, &next, "", None),
    }
}

/// Answers `/-/logout`: the question, and its answer.
pub(crate) async fn logout(
    answerer: &Answerer<'_>,
    asked: &Asked<'_>,
    content: &mut impl Content,
) -> Reply {
    let head = asked.head;
    let kept = cookie::sign_in(&head.fields);
    let form = match head.method {
        Method::Post => match posted(head, content).await {
            Ok(form) => Some(form),
            Err(reply) => return reply,
        },
        _ => None,
    };
    let asker = match answerer.asker(head).await {
        Ok(asker) if asker.session.sign_in().is_some() => asker,
        // What the browser keeps is over already.
        Ok(_) | Err(Unwelcome::Stranger) => return forget(answerer, head, kept),
        Err(unwelcome) => return turn_away(head, &unwelcome),
    };
    let Some(form) = form else { return sign_out_question(answerer, head, kept).await };
    let token = form::value(&form, "csrf").unwrap_or_default();
    if !kept.is_some_and(|kept| is_csrf_token(kept, token.as_bytes())) {
        return turn_away(head, &Unwelcome::Forged);
    }
    if let Some(id) = asker.session.sign_in()
        && let Err(failure) = asker.session.end_sign_in(id).await
        && !matches!(failure, sockeye_node::Error::NotFound)
    {
        return turn_away(head, &Unwelcome::Failed(failure));
    }
    forget(answerer, head, kept)
}

/// What a form posted.
pub(crate) async fn posted(
    head: &Head<'_>,
    content: &mut impl Content,
) -> Result<bytes::Bytes, Reply> {
    if !head.fields.get("content-type").one().is_some_and(form::is_form) {
        let why = "a form is posted as application/x-www-form-urlencoded";
        return Err(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, Some(&why), Some(head)));
    }
    read_whole(content, FORM).await.map_err(|it| unread(head, it))
}

async fn sign_in(answerer: &Answerer<'_>, head: &Head<'_>, form: &[u8]) -> Reply {
    let value = |name| form::value(form, name).unwrap_or_default();
    let (name, next) = (value("name"), local(form::value(form, "next").as_deref()));
    let lasts = if value("stay") == "1" { Some(STAYING) } else { None };
    let credentials = Credentials::password(name.clone(), value("password"));
    let agent = head.fields.user_agent.map(String::from_utf8_lossy);
    let Some(gate) = answerer.site.gate() else { return empty(StatusCode::NOT_FOUND) };
    let origin = answerer.link.visitor.origin().clone();
    let time = lasts.unwrap_or(WHILE_OPEN);
    let signing_in = gate.sign_in(&credentials, origin, agent.as_deref(), time);
    match Box::pin(signing_in).await {
        Ok((_, secret)) => {
            let seconds = lasts.map(|lasts| lasts.as_secs());
            let cookie = cookie::keep(secret.expose(), is_secure(answerer, head), seconds);
            let mut reply = go_to(&next);
            set_cookie(&mut reply, &cookie);
            reply
        }
        Err(LoginError::Refused(refused)) => not_signed_in(head, &next, &name, refused),
        Err(failure) => turn_away(head, &Unwelcome::from(failure)),
    }
}

/// Signs in anew who has changed the password on the page, which ended every sign-in: for as long as the one `before`
/// would have held. Gives the cookie, and what a change has to bring along from now on.
pub(crate) async fn renew(
    answerer: &Answerer<'_>,
    gate: &Arc<Gate>,
    head: &Head<'_>,
    credentials: &Credentials,
    before: &SignIn,
) -> Result<(String, Option<Secret>), LoginError> {
    let agent = head.fields.user_agent.map(String::from_utf8_lossy);
    let origin = answerer.link.visitor.origin().clone();
    let left = before.expires.duration_since(Timestamp::now());
    let left = Duration::try_from(left).unwrap_or_default();
    let stays = Duration::try_from(before.expires.duration_since(before.created));
    let stays = stays.is_ok_and(|whole| whole > WHILE_OPEN);
    let signing_in = gate.sign_in(credentials, origin, agent.as_deref(), left);
    let (_, secret) = Box::pin(signing_in).await?;
    let seconds = stays.then_some(left.as_secs());
    let cookie = cookie::keep(secret.expose(), is_secure(answerer, head), seconds);
    Ok((cookie, csrf_token(secret.expose())))
}

/// The form again, with the reason. No 401: a browser would ask for the password in a window of its own.
fn not_signed_in(head: &Head<'_>, next: &str, name: &str, refused: Refused) -> Reply {
    let status = match &refused {
        Refused::Wrong(_) => StatusCode::FORBIDDEN,
        Refused::Wait { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refused::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => return turn_away(head, &Unwelcome::Refused(refused)),
    };
    let wait = refused.retry_after().map(retry_after);
    let why = text::refused(wait, Look::of(&head.fields).language);
    let mut reply = form_page(head, status, next, name, Some(&why));
    reply.head.retry_after = wait;
    reply
}

fn form_page(
    head: &Head<'_>,
    status: StatusCode,
    next: &str,
    name: &str,
    refused: Option<&str>,
) -> Reply {
    let look = Look::of(&head.fields);
    private_page(status, SignInPage { look, next, name, refused }.render())
}

async fn sign_out_question(answerer: &Answerer<'_>, head: &Head<'_>, kept: Option<&str>) -> Reply {
    let account =
        answerer.asker(head).await.ok().and_then(|it| it.session.account().ok().flatten());
    let look = Look::of(&head.fields);
    match (account, kept.and_then(csrf_token)) {
        (Some(account), Some(csrf)) => {
            let page = sign_out_page(look, account.name.as_str(), csrf.expose());
            private_page(StatusCode::OK, page)
        }
        _ => forget(answerer, head, kept),
    }
}

fn private_page(status: StatusCode, text: String) -> Reply {
    let mut reply = page(status, "text/html; charset=utf-8", text);
    reply.head.cache_control = Some("no-store".into());
    reply.head.traits.own_page = false;
    reply.head.traits.site_page = true;
    reply
}

/// To the start page, without the cookie.
fn forget(answerer: &Answerer<'_>, head: &Head<'_>, kept: Option<&str>) -> Reply {
    let mut reply = go_to("/");
    if kept.is_some() {
        // Whichever of the two it was.
        set_cookie(&mut reply, &cookie::keep("", false, Some(0)));
        if is_secure(answerer, head) {
            set_cookie(&mut reply, &cookie::keep("", true, Some(0)));
        }
    }
    reply
}

fn go_to(next: &str) -> Reply {
    let mut reply = empty(StatusCode::SEE_OTHER);
    reply.head.location = Some(next.as_bytes().to_vec());
    reply.head.cache_control = Some("no-store".into());
    reply
}

/// Has the browser keep something.
pub(crate) fn set_cookie(reply: &mut Reply, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        reply.head.more.add(header::SET_COOKIE, cookie);
    }
}

/// Whether the browser came over TLS: to us, or to a proxy in front, which is what it says of itself.
fn is_secure(answerer: &Answerer<'_>, head: &Head<'_>) -> bool {
    let origin = head.fields.origin.unwrap_or_default();
    answerer.link.secure || origin.get(..8).is_some_and(|it| it.eq_ignore_ascii_case(b"https://"))
}

/// Where to go next: only what is on this server, else the start page.
fn local(next: Option<&str>) -> String {
    let local = next.and_then(|next| target::local(next.as_bytes()));
    local.unwrap_or_else(|| "/".to_owned())
}
