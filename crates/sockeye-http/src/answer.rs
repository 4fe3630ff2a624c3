//! From a request's head to a reply: the one way, for both lanes.

use std::{
    borrow::Cow,
    hash::{BuildHasher, RandomState},
    time::{Duration, SystemTime},
};

use ::http::{HeaderName, HeaderValue, StatusCode, header};
use bytes::Bytes;
use sockeye_node::{
    Algorithm, Digest, Error, FileBody, FilePath, Folder, Gathered, OpenFile, Range, Refused,
    Resource as Found, Rights, Session, Version, csrf_token,
};

use crate::{
    archive,
    config::Config,
    content::{Content, Cut, Unread, throw_away},
    dav::{self, claim},
    lane::Link,
    own,
    page::{ALL, Boot, Dress, FIRST_ENTRIES, Greeting, ListingPage, error_page, media_type},
    payload::{ListingBody, PartsBody, Payload},
    site::{Asker, Site, Unwelcome},
    wire::{
        accept::{self, Form},
        authorization::{self, Challenge},
        condition::{Selection, Validators, select},
        cookie, digest, disposition,
        head::Head,
        look::Look,
        media,
        method::{Allowed, Method},
        parts,
        plan::{Plan, Refusal, Rules, allowed, plan},
        query,
        reply::{ContentRange, ReplyHead},
        target::{self, Resource, Target, sign_in_url, url_path},
    },
};

/// A reply, ready to be sent. For HEAD it is the reply to GET, whose payload is left unsent.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) head: ReplyHead,
    pub(crate) payload: Payload,
}

/// What a request is answered from.
#[derive(Debug)]
pub(crate) struct Answerer<'a> {
    pub(crate) site: &'a Site,
    pub(crate) config: &'a Config,
    pub(crate) link: &'a Link<'a>,
    /// Seconds since the epoch.
    pub(crate) now: i64,
}

impl Answerer<'_> {
    /// Answers one request.
    pub(crate) async fn answer(&self, head: &Head<'_>, content: &mut impl Content) -> Reply {
        let mut reply = match self.elsewhere(head) {
            Some(reply) => Box::pin(self.leave(reply, content)).await,
            None => self.answer_here(head, content).await,
        };
        if matches!(reply.payload, Payload::Page(_)) {
            Box::pin(self.shrink_page(head, &mut reply)).await;
        }
        if let Some(lasts) = self.config.hsts.filter(|_| self.link.secure) {
            let value = HeaderValue::from_str(&format!("max-age={}", lasts.as_secs()));
            value.into_iter().for_each(|it| {
                reply.head.more.add(header::STRICT_TRANSPORT_SECURITY, it);
            });
        }
        reply
    }

    /// Sends whoever came without TLS to where it is, if that is configured. Not for good: what is for good is said
    /// there, over TLS.
    fn elsewhere(&self, head: &Head<'_>) -> Option<Reply> {
        let base = self.config.redirect.as_deref().filter(|_| !self.link.secure)?;
        let url = address(head)?;
        let mut reply = error(StatusCode::TEMPORARY_REDIRECT, None, Some(head));
        reply.head.location = Some(format!("{base}{url}").into_bytes());
        Some(reply)
    }

    async fn answer_here(&self, head: &Head<'_>, content: &mut impl Content) -> Reply {
        let target = self.config.limits.request_line;
        let rules = Rules { hosts: self.link.hosts, target, node: self.site.is_node() };
        let plan = plan(head, &rules);
        // On the heap: few requests have a content, and all would carry its size.
        let reply = match &plan {
            Plan::Put(wanted) => Box::pin(self.take(head, wanted, content)).await,
            Plan::Dav(method, wanted) => {
                Box::pin(dav::answer(self, head, *method, wanted, content)).await
            }
            Plan::Own(wanted) => Box::pin(own::answer(self, head, wanted, content)).await,
            _ => return self.answer_without(head, plan, content).await,
        };
        match content.is_at_end() {
            true => reply,
            false => Box::pin(self.leave(reply, content)).await,
        }
    }

    /// Answers a request whose content is not looked at.
    async fn answer_without(
        &self,
        head: &Head<'_>,
        plan: Plan<'_>,
        content: &mut impl Content,
    ) -> Reply {
        if !content.is_at_end() {
            let thrown_away = throw_away(content, &self.config.limits, self.link);
            if let Err(error) = Box::pin(thrown_away).await {
                return refuse(Refusal::Content(error), Some(head));
            }
        }
        match plan {
            Plan::Options(None) => {
                allow(if self.site.is_node() { Allowed::ALL } else { Allowed::READ })
            }
            Plan::Refuse(refusal) => refuse(refusal, Some(head)),
            plan => match self.session(head).await {
                Ok(session) => self.carry_out(&session, head, plan).await,
                Err(unwelcome) => turn_away(head, &unwelcome),
            },
        }
    }

    /// What was refused without a look at its content need not end the connection.
    async fn leave(&self, mut reply: Reply, content: &mut impl Content) -> Reply {
        if !reply.head.traits.last {
            let thrown_away = throw_away(content, &self.config.limits, self.link).await;
            reply.head.traits.last = thrown_away.is_err();
        }
        reply
    }

    /// Whoever sent the request. That a change is their own is for who asks this to see to.
    pub(crate) async fn asker<'a>(&self, head: &Head<'a>) -> Result<Asker<'a>, Unwelcome> {
        self.site.asker(&head.fields, &self.link.visitor).await
    }

    /// The session of whoever sent the request; a change by a cookie needs the sign-in's CSRF token.
    pub(crate) async fn session(&self, head: &Head<'_>) -> Result<Session, Unwelcome> {
        let asker = self.asker(head).await?;
        match head.method.changes() && !asker.may_change(&head.fields) {
            true => Err(Unwelcome::Forged),
            false => Ok(asker.session),
        }
    }

    /// Answers a PUT.
    async fn take(
        &self,
        head: &Head<'_>,
        wanted: &Resource<'_>,
        content: &mut impl Content,
    ) -> Reply {
        match self.session(head).await {
            Ok(session) => match claim::submitting(&session, head, wanted).await {
                Ok(claimed) => {
                    let session = claimed.unwrap_or(session);
                    self.put(&session, head, wanted, content).await
                }
                Err(unmet) => unmet.reply(&session, head, &wanted.path),
            },
            Err(unwelcome) => turn_away(head, &unwelcome),
        }
    }

    /// Answers what needs no content.
    async fn carry_out(&self, session: &Session, head: &Head<'_>, plan: Plan<'_>) -> Reply {
        match plan {
            Plan::Serve(wanted) => match self.serve(session, head, &wanted).await {
                Ok(reply) => reply,
                Err(error) => failed(session, head, &wanted.path, &error),
            },
            Plan::Delete(wanted) => Box::pin(self.give_up(session, head, &wanted)).await,
            Plan::Options(Some(wanted)) => match session.rights_at(&wanted.path) {
                Ok(rights) => {
                    let lacking = NEEDS.iter().filter(|(_, needed)| !rights.contains(*needed));
                    let all = allowed(&wanted, self.site.is_node());
                    allow(lacking.fold(all, |left, (method, _)| left.without(*method)))
                }
                Err(error) => failed(session, head, &wanted.path, &error),
            },
            // These were answered before.
            Plan::Put(_) | Plan::Dav(..) | Plan::Own(_) | Plan::Options(None) => {
                allow(Allowed::READ)
            }
            Plan::Refuse(refusal) => refuse(refusal, Some(head)),
        }
    }

    /// Answers a DELETE.
    async fn give_up(&self, session: &Session, head: &Head<'_>, wanted: &Resource<'_>) -> Reply {
        match claim::submitting(session, head, wanted).await {
            Ok(claimed) => self.delete(claimed.as_ref().unwrap_or(session), head, wanted).await,
            Err(unmet) => unmet.reply(session, head, &wanted.path),
        }
    }

    async fn serve(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
    ) -> Result<Reply, Error> {
        if wanted.folder {
            return self.serve_folder(session, head, wanted).await;
        }
        match session.open(&wanted.path).await? {
            Found::File(file) => self.send(session, head, wanted, &wanted.path, file).await,
            Found::Folder(_) => Ok(redirect(head, wanted)),
        }
    }

    /// The index file first: it is what most folders are asked for, and the folder itself need not be
    /// readable for it.
    async fn serve_folder(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
    ) -> Result<Reply, Error> {
        if wanted.query == Some(archive::QUERY) && self.config.listing {
            return Box::pin(self.send_archive(session, head, wanted)).await;
        }
        // Who asks for all entries wants the folder, not what stands for it.
        let index = if query::has(wanted.query, ALL) { &[][..] } else { &self.config.index };
        for name in index {
            let Ok(path) = wanted.path.join(name) else { continue };
            if let Some(Found::File(file)) = session.find(&path).await? {
                return self.send(session, head, wanted, &path, file).await;
            }
        }
        match session.open(&wanted.path).await? {
            // `/file.txt/` names nothing.
            Found::File(_) => Err(Error::NotFound),
            Found::Folder(_) if !self.config.listing => Err(Error::Denied),
            Found::Folder(folder) => self.list(session, head, wanted, folder, None).await,
        }
    }

    /// Sends a file, with what was asked for beside.
    async fn send(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
        path: &FilePath,
        file: OpenFile,
    ) -> Result<Reply, Error> {
        let (version, size) = (file.meta().version(), file.meta().size);
        let codings = self.codings(head, path, file.meta());
        let mut reply = match codings.is_empty() {
            true => self.send_file(head, path, file)?,
            // On the heap: few files are sent so, and all would carry its size.
            false => Box::pin(self.send_coded(session, head, path, file, &codings)).await?,
        };
        let status = reply.head.status;
        let chosen = status.is_success() || status == StatusCode::NOT_MODIFIED;
        reply.head.traits.varies_by_coding = chosen && self.varies_by_coding(path, size);
        let digested = head.fields.want_repr_digest.is_some_and(digest::wants_sha_256);
        if digested && reply.head.status.is_success() {
            let digest = self.repr_digest(session, path, version);
            // On the heap: few requests want it, and all would carry its size.
            if let Some(digest) = Box::pin(digest).await {
                reply.head.more.add(REPR_DIGEST, digest);
            }
        }
        if query::has(wanted.query, DOWNLOAD) {
            let name = disposition::attachment(path.file_name().unwrap_or_default());
            if let Ok(name) = HeaderValue::from_str(&name) {
                reply.head.more.add(header::CONTENT_DISPOSITION, name);
            }
        }
        Ok(reply)
    }

    /// Repr-Digest of a file that was opened as this version: none if it is not known and the file is too large to wait
    /// for, which a node then computes when it has nothing else to do; or if it was changed meanwhile.
    pub(crate) async fn repr_digest(
        &self,
        session: &Session,
        path: &FilePath,
        version: Version,
    ) -> Option<HeaderValue> {
        let digest = session.digest_of(path, version, Algorithm::Sha256, DIGESTED_AT_ONCE).await;
        match digest {
            Ok(Some(Digest::Sha256(digest))) => {
                HeaderValue::from_str(&digest::repr_digest(&digest)).ok()
            }
            _ => None,
        }
    }

    pub(crate) fn send_file(
        &self,
        head: &Head<'_>,
        path: &FilePath,
        file: OpenFile,
    ) -> Result<Reply, Error> {
        let validators = Validators::of(file.meta());
        let size = validators.size;
        let max = self.config.limits.ranges;
        let (status, payload, range) =
            match select(head.method, &head.fields, &validators, self.now, max) {
                Selection::Whole => {
                    let whole = Range { offset: 0, length: size };
                    (StatusCode::OK, Payload::File(file.body(whole)?), None)
                }
                Selection::Part(part) => {
                    let range = ContentRange::Part(part, size);
                    (StatusCode::PARTIAL_CONTENT, Payload::File(file.body(part)?), Some(range))
                }
                Selection::Parts(ranges) => {
                    return self.send_parts(path, file, &validators, &ranges);
                }
                Selection::NotModified => (StatusCode::NOT_MODIFIED, Payload::Empty, None),
                Selection::PreconditionFailed => {
                    return Ok(error(StatusCode::PRECONDITION_FAILED, None, Some(head)));
                }
                Selection::Unsatisfiable => return Ok(unsatisfiable(head, &validators)),
            };
        let mut reply = self.describe(status, &validators);
        reply.content_range = range;
        if let Payload::File(body) = &payload {
            self.set_type(&mut reply, path);
            reply.length = Some(body.remaining());
        }
        Ok(Reply { head: reply, payload })
    }

    /// Says of what type a file is, by its name.
    pub(crate) fn set_type(&self, reply: &mut ReplyHead, path: &FilePath) {
        let media = content_type(path);
        // Whoever reads a folder that is open to all has nothing that a page in it could take.
        reply.traits.sandboxed = self.site.is_node() && media::is_active(&media);
        reply.content_type = Some(media);
    }

    fn send_parts(
        &self,
        path: &FilePath,
        file: OpenFile,
        validators: &Validators,
        ranges: &[Range],
    ) -> Result<Reply, Error> {
        let boundary = boundary();
        let parts = parts::lay_out(ranges, validators.size, &content_type(path), &boundary);
        let mut head = self.describe(StatusCode::PARTIAL_CONTENT, validators);
        head.content_type = Some(format!("multipart/byteranges; boundary={boundary}").into());
        head.length = Some(parts.length);
        let nothing: FileBody = file.body(Range { offset: 0, length: 0 })?;
        Ok(Reply { head, payload: Payload::Parts(Box::new(PartsBody::new(nothing, parts))) })
    }

    /// The head fields that every reply about this file has.
    pub(crate) fn describe(&self, status: StatusCode, file: &Validators) -> ReplyHead {
        let mut head = ReplyHead::new(status);
        head.etag = Some(file.etag);
        // Never later than Date (RFC 9110 §8.8.2.1).
        head.modified = (file.modified <= self.now).then_some(file.modified);
        head.cache_control.clone_from(&self.config.cache_control);
        head.traits.accept_ranges = true;
        head
    }

    /// Lists a folder. `base` is the address of the root that its path is below, if that is not the site's.
    pub(crate) async fn list(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
        folder: Folder,
        base: Option<String>,
    ) -> Result<Reply, Error> {
        let order = query::order(wanted.query);
        let form = accept::form(head.fields.accept, &[Form::Html, Form::Json]);
        let gathered = folder.list().gather(self.config.limits.sorted_entries, order).await?;
        let mut page = ListingPage {
            form,
            look: Look::of(&head.fields),
            dress: self.dress(session, head, wanted, &gathered)?,
            path: wanted.path.clone(),
            greeting: self.greeting(session)?,
            rights: session.rights_at(&wanted.path)?,
            base: base.map_or(Cow::Borrowed("/"), Cow::Owned),
            order: Some(order),
            count: 0,
        };
        let mut reply = ReplyHead::new(StatusCode::OK);
        reply.content_type = Some(media_type(page.form).into());
        reply.cache_control = Some(Cow::Borrowed("no-cache"));
        reply.traits.negotiated = true;
        reply.traits.own_page = page.dress == Dress::Plain;
        reply.traits.site_page = !reply.traits.own_page;
        // The module asks for the rest itself.
        let most = match (form, &page.dress) {
            (Form::Html, Dress::App(_)) => FIRST_ENTRIES,
            _ => usize::MAX,
        };
        let payload = match gathered {
            Gathered::Some(first, rest) if most == usize::MAX => {
                page.order = None;
                Payload::Listing(Box::new(ListingBody::new(page, first, rest)))
            }
            Gathered::All(entries) | Gathered::Some(entries, _) => {
                let shown = entries.len().min(most);
                let mut out = String::with_capacity(8192 + shown * 160);
                page.begin(&mut out);
                entries.iter().take(most).for_each(|entry| page.entry(&mut out, entry));
                page.end(&mut out, true);
                reply.length = Some(out.len() as u64);
                Payload::Page(out.into())
            }
        };
        Ok(Reply { head: reply, payload })
    }

    /// How a listing is dressed: a node's has the site's style, and its module unless all entries are asked for.
    fn dress(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
        gathered: &Gathered,
    ) -> Result<Dress, Error> {
        if !self.site.is_node() {
            return Ok(Dress::Plain);
        }
        // What was shared has no page that asks the API, which is for accounts.
        if query::has(wanted.query, ALL) || session.share().is_some() {
            return Ok(Dress::Site);
        }
        let more = match gathered {
            Gathered::All(entries) => entries.len() > FIRST_ENTRIES,
            Gathered::Some(..) => true,
        };
        let rights = session.rights_at(&wanted.path)?.to_string();
        Ok(Dress::App(Boot { rights, more, ..boot(session, head)? }))
    }

    /// What a listing says of who reads it.
    fn greeting(&self, session: &Session) -> Result<Greeting, Error> {
        Ok(match session.account()? {
            Some(account) if session.sign_in().is_some() => {
                Greeting::SignedIn(account.name.to_string())
            }
            Some(account) => Greeting::Account(account.name.to_string()),
            None if session.share().is_some() => Greeting::None,
            None if self.site.is_node() => Greeting::SignIn,
            None => Greeting::None,
        })
    }
}

/// The query by which a file is sent to be saved, under its name (RFC 6266).
const DOWNLOAD: &str = "download";

/// Largest file, in bytes, whose digest is computed while a client waits for it.
const DIGESTED_AT_ONCE: u64 = 64 << 20;

/// Repr-Digest (RFC 9530 §3).
pub(crate) const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// What a page's module is told of who reads it.
pub(crate) fn boot(session: &Session, head: &Head<'_>) -> Result<Boot, Error> {
    let account = session.account()?.map(|account| account.name.to_string()).unwrap_or_default();
    let kept = cookie::sign_in(&head.fields).filter(|_| session.sign_in().is_some());
    let csrf = kept.and_then(csrf_token).map(|token| token.expose().to_owned());
    Ok(Boot { account, csrf: csrf.unwrap_or_default(), ..Boot::default() })
}

/// A reply without content.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut head = ReplyHead::new(status);
    head.length = head.has_content().then_some(0);
    Reply { head, payload: Payload::Empty }
}

/// The rights that a change of files needs.
const NEEDS: [(Method, Rights); 8] = [
    (Method::Put, Rights::WRITE),
    (Method::Delete, Rights::DELETE),
    (Method::PropPatch, Rights::WRITE),
    (Method::MkCol, Rights::WRITE),
    (Method::Copy, Rights::READ),
    (Method::Move, Rights::DELETE),
    (Method::Lock, Rights::WRITE),
    (Method::Unlock, Rights::WRITE),
];

/// What can be done there.
pub(crate) fn allow(allowed: Allowed) -> Reply {
    let mut reply = empty(StatusCode::NO_CONTENT);
    reply.head.allow = Some(allowed);
    if allowed.contains(Method::PropFind) {
        dav::tell(&mut reply);
        // Clients of WebDAV have seen no other.
        (reply.head.status, reply.head.length) = (StatusCode::OK, Some(0));
    }
    reply
}

/// A reply to a content that was not read whole.
pub(crate) fn unread(head: &Head<'_>, unread: Unread) -> Reply {
    let status = match unread {
        Unread::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Unread::Cut(Cut::Slow) => StatusCode::REQUEST_TIMEOUT,
        Unread::Cut(Cut::Short | Cut::Malformed(_) | Cut::Broken) => StatusCode::BAD_REQUEST,
    };
    let mut reply = error(status, Some(&unread.to_string()), Some(head));
    reply.head.traits.last = matches!(unread, Unread::Cut(_));
    reply
}

/// A reply to who has no session.
pub(crate) fn turn_away(head: &Head<'_>, unwelcome: &Unwelcome) -> Reply {
    if let (Unwelcome::Stranger, Some(next)) = (unwelcome, page_asked_for(head)) {
        let mut reply = error(StatusCode::SEE_OTHER, None, Some(head));
        reply.head.location = Some(sign_in_url(&next).into_bytes());
        reply.head.cache_control = Some(Cow::Borrowed("no-store"));
        return reply;
    }
    let status = match unwelcome {
        Unwelcome::Stranger | Unwelcome::Malformed(_) => StatusCode::UNAUTHORIZED,
        Unwelcome::Refused(Refused::Wrong(_)) => StatusCode::UNAUTHORIZED,
        Unwelcome::Refused(Refused::Wait { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Unwelcome::Refused(Refused::Busy { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Unwelcome::Forged => StatusCode::FORBIDDEN,
        Unwelcome::Refused(failure) => {
            tracing::error!(error = %failure, "nobody can sign in");
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Unwelcome::Failed(failure) => status_of(&FilePath::root(), failure),
    };
    let wait = match unwelcome {
        Unwelcome::Refused(refused) => refused.retry_after().map(retry_after),
        Unwelcome::Failed(Error::Busy) => Some(1),
        _ => None,
    };
    let text = match unwelcome {
        Unwelcome::Failed(_) => None,
        told => Some(told.to_string()),
    };
    let mut reply = error(status, text.as_deref(), Some(head));
    reply.head.retry_after = wait;
    if status == StatusCode::UNAUTHORIZED {
        reply.head.traits.challenge = Challenge::of(&head.fields);
    }
    reply
}

/// The address that somebody at a browser goes to, if that is what the request is: no program asks for HTML in the
/// first place, and what a page asks for by itself is told from where its reader goes.
fn page_asked_for(head: &Head<'_>) -> Option<String> {
    let reads = matches!(head.method, Method::Get | Method::Head);
    let form = accept::form(head.fields.accept, &[Form::Text, Form::Html, Form::Json]);
    let goes = reads && form == Form::Html && !authorization::is_of_script(&head.fields);
    if goes { address(head) } else { None }
}

/// The address on this server that a request is for, if it is for one.
fn address(head: &Head<'_>) -> Option<String> {
    match target::parse(head.target).ok()? {
        Target::Resource(wanted) => {
            let mut url = url_path(&wanted.path, wanted.folder);
            if let Some(query) = wanted.query.and_then(|query| str::from_utf8(query).ok()) {
                url.push('?');
                url.push_str(query);
            }
            Some(url)
        }
        Target::Asterisk => None,
    }
}

/// Whole seconds to wait, rounded up, so that who waits as long is not told to wait again.
pub(crate) fn retry_after(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// A reply to what is refused before any file is looked for; `head` where it could be read.
pub(crate) fn refuse(refusal: Refusal, head: Option<&Head<'_>>) -> Reply {
    let detail = match refusal {
        Refusal::Target(error) => Some(error.to_string()),
        Refusal::Framing(error) => Some(error.to_string()),
        Refusal::Content(error) => Some(error.to_string()),
        Refusal::Authorization(error) => Some(error.to_string()),
        Refusal::Host => Some("the request needs exactly one well-formed Host header".to_owned()),
        _ => None,
    };
    let mut reply = error(refusal.status(), detail.as_deref(), head);
    if let Refusal::Method(allowed) = refusal {
        reply.head.allow = Some(allowed);
    }
    if let (StatusCode::UNAUTHORIZED, Some(head)) = (reply.head.status, head) {
        reply.head.traits.challenge = Challenge::of(&head.fields);
    }
    reply.head.traits.last = refusal.ends_connection();
    reply
}

/// A reply to what the session would not do.
pub(crate) fn failed(
    session: &Session,
    head: &Head<'_>,
    path: &FilePath,
    failure: &Error,
) -> Reply {
    // Whoever has not signed in may have the right to it.
    let signs_in = session.origin().is_some() && session.share().is_none();
    let stranger = || signs_in && matches!(session.account(), Ok(None));
    if signs_in && matches!(failure, Error::Ended) || matches!(failure, Error::Denied) && stranger()
    {
        return turn_away(head, &Unwelcome::Stranger);
    }
    if matches!(failure, Error::Locked) {
        return dav::locked(path);
    }
    let status = status_of(path, failure);
    let changes = head.method.changes() && !matches!(failure, Error::Io(_) | Error::NotFound);
    let text = changes.then(|| failure.to_string());
    let mut reply = error(status, text.as_deref(), Some(head));
    reply.head.retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
    reply
}

/// The status of what the session would not do.
pub(crate) fn status_of(path: &FilePath, failure: &Error) -> StatusCode {
    match failure {
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::Denied | Error::Special | Error::IntoItself => StatusCode::FORBIDDEN,
        Error::Exhausted | Error::Ended => StatusCode::GONE,
        Error::BadName { .. } | Error::WrongLength { .. } | Error::WrongDigest { .. } => {
            StatusCode::BAD_REQUEST
        }
        Error::Changed => StatusCode::PRECONDITION_FAILED,
        Error::WrongKind { .. } | Error::NoParent | Error::NotEmpty | Error::InUse => {
            StatusCode::CONFLICT
        }
        // Only one condition can meet it.
        Error::Exists => StatusCode::PRECONDITION_FAILED,
        Error::Locked => StatusCode::LOCKED,
        Error::OverQuota { .. } | Error::NoSpace | Error::TooManyMarks { .. } => {
            StatusCode::INSUFFICIENT_STORAGE
        }
        Error::Busy | Error::ReadOnly { .. } => StatusCode::SERVICE_UNAVAILABLE,
        other => {
            tracing::error!(%path, error = %other, "a request failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

pub(crate) fn unsatisfiable(head: &Head<'_>, file: &Validators) -> Reply {
    let mut reply = error(StatusCode::RANGE_NOT_SATISFIABLE, None, Some(head));
    reply.head.content_range = Some(ContentRange::Unsatisfied(file.size));
    reply.head.traits.accept_ranges = true;
    reply
}

/// To the same address with a slash at its end, so that relative links in the folder work.
fn redirect(head: &Head<'_>, wanted: &Resource<'_>) -> Reply {
    let mut location = url_path(&wanted.path, true).into_bytes();
    if let Some(query) = wanted.query {
        location.push(b'?');
        location.extend_from_slice(query);
    }
    let mut reply = error(StatusCode::MOVED_PERMANENTLY, None, Some(head));
    reply.head.location = Some(location);
    reply.head.cache_control = Some(Cow::Borrowed("no-cache"));
    reply
}

/// An error page in the form and the language that the request prefers.
pub(crate) fn error(status: StatusCode, detail: Option<&str>, request: Option<&Head<'_>>) -> Reply {
    let fields = request.map(|r| &r.fields);
    let forms = [Form::Text, Form::Html, Form::Json, Form::Problem];
    let form = match accept::form(fields.and_then(|f| f.accept), &forms) {
        Form::Json => Form::Problem,
        form => form,
    };
    let look = fields.map(Look::of).unwrap_or_default();
    let mut reply = page(status, media_type(form), error_page(status, detail, form, look));
    reply.head.traits.negotiated = true;
    reply
}

/// A page of our own.
pub(crate) fn page(status: StatusCode, media: &'static str, text: String) -> Reply {
    let text = Bytes::from(text);
    let mut head = ReplyHead::new(status);
    head.content_type = Some(media.into());
    head.length = Some(text.len() as u64);
    head.traits.own_page = true;
    Reply { head, payload: Payload::Page(text) }
}

pub(crate) fn content_type(path: &FilePath) -> Cow<'static, str> {
    media::content_type(path.file_name().unwrap_or_default())
}

/// Not to be guessed, so that no file can be made to contain it.
fn boundary() -> String {
    // The keys are the system's randomness; forked children share them, and so more goes in.
    let here = (std::process::id(), SystemTime::now());
    let [a, b] = [0, 1].map(|n: u8| RandomState::new().hash_one((n, here)));
    format!("{a:016x}{b:016x}")
}
