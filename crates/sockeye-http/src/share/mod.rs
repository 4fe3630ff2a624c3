//! What is reached by a share's link: `/-/s/LINK`, and below it what was shared, as a small namespace of its own.
//!
//! Whoever has the link needs no account. A link with a password takes it by Basic, whatever the name
//! (`curl -u :PASSWORD`), or from a form, after which the browser keeps a pass in a cookie of that path. A download
//! link answers GET and HEAD; a drop box takes PUT of new names, and tells nothing of what is in it.

mod pass;

use ::http::{HeaderName, HeaderValue, StatusCode, header};
use sockeye_node::Secret;
use sockeye_node::accounts::{ShareKind, ShareProof};
use sockeye_node::{
    Error, FilePath, Gate, Kind, Name, PathBuilder, Resource as Found, Session, ShareError,
};

use crate::{
    answer::Answerer,
    content::Content,
    own::Asked,
    page::{DropBox, SharePage, media_type, share_page},
    payload::Payload,
    refused::{retry_after, status_of},
    reply::{Reply, empty, error},
    serve::Called,
    sign_in::posted,
    site::Site,
    wire::{
        accept::{self, Form},
        authorization::{self, Authorization},
        escape, form,
        head::{Head, Once},
        look::Look,
        method::Method,
        target::{Resource, url_path},
    },
};

/// Where links are, in front of their text.
const LINKS: &str = "/-/s/";

/// What a program is asked for: the password alone, whatever the name.
const CHALLENGE: &str = "Basic realm=\"shared link\", charset=\"UTF-8\"";

/// A request below a link.
struct Visit<'a> {
    answerer: &'a Answerer<'a>,
    head: &'a Head<'a>,
    /// The link's text.
    link: Secret,
    /// What is asked for of what was shared.
    below: FilePath,
    /// Whether that ended with a slash.
    folder: bool,
    query: Option<&'a [u8]>,
}

/// Answers a request below `/-/s/`.
pub(crate) async fn answer(
    answerer: &Answerer<'_>,
    asked: Asked<'_>,
    content: &mut impl Content,
) -> Reply {
    let head = asked.head;
    let Site::Node(gate) = answerer.site else {
        return error(StatusCode::NOT_FOUND, None, Some(head));
    };
    let mut names = asked.below.segments();
    let Some(link) = names.next().and_then(|link| str::from_utf8(link).ok()) else {
        return error(StatusCode::NOT_FOUND, None, Some(head));
    };
    let mut below = PathBuilder::with_capacity(asked.below.as_bytes().len());
    if names.any(|name| below.push(name).is_err()) {
        return error(StatusCode::NOT_FOUND, None, Some(head));
    }
    let visit = Visit {
        answerer,
        head,
        link: Secret::new(link),
        below: below.finish(),
        folder: asked.folder,
        query: asked.query,
    };
    let mut reply = match head.method {
        Method::Post => visit.take_password(gate, content).await,
        _ => match visit.session(gate).await {
            Ok(session) => visit.serve(&session, content).await,
            Err(unwelcome) => unwelcome,
        },
    };
    // The address is the key: no other site is told of it, and nobody keeps what it opened. Pages of our own say so
    // themselves, and less strictly: without a referrer a browser would not say of a form where it is from.
    let (traits, more) = (reply.head.traits, &mut reply.head.more);
    if !traits.own_page && !traits.site_page {
        more.add(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    more.add(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    reply
}

impl Visit<'_> {
    /// The session of whoever sent the request; what they are told where there is none.
    async fn session(&self, gate: &std::sync::Arc<Gate>) -> Result<Session, Reply> {
        let origin = self.answerer.link.visitor.origin().clone();
        let visit = gate.share_session(self.link.expose(), self.proof(), origin).await;
        visit.map_err(|error| self.turn_away(&error))
    }

    /// What came beside the link. A browser that holds the site's own password sends that here as well: it is no guess
    /// at this one, for which there is the form.
    fn proof(&self) -> Option<ShareProof> {
        let fields = &self.head.fields;
        if let Some(pass) = pass::of(fields) {
            return Some(ShareProof::Pass(pass));
        }
        let is_browser = fields.sec_fetch_site.is_some() || self.form() == Form::Html;
        match fields.authorization {
            Once::One(field) if !is_browser => match authorization::parse(field) {
                Ok(Authorization::Basic(basic)) => {
                    Some(ShareProof::Password(Secret::new(basic.password())))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes the password from the form, and gives a pass for it.
    async fn take_password(
        &self,
        gate: &std::sync::Arc<Gate>,
        content: &mut impl Content,
    ) -> Reply {
        let content = match posted(self.head, content).await {
            Ok(content) => content,
            Err(refused) => return refused,
        };
        let Some(password) = form::value(&content, "password") else {
            return error(StatusCode::BAD_REQUEST, None, Some(self.head));
        };
        let origin = self.answerer.link.visitor.origin().clone();
        let proof = Some(ShareProof::Password(Secret::new(password)));
        let session = match gate.share_session(self.link.expose(), proof, origin).await {
            Ok(session) => session,
            Err(error) => return self.turn_away(&error),
        };
        let mut reply = empty(StatusCode::SEE_OTHER);
        reply.head.location = Some(self.address(self.folder).into_bytes());
        match gate.share_pass(&session).await {
            Ok(Some(pass)) => {
                let cookie = pass::cookie(&pass, &self.root(), self.answerer.link.secure);
                reply.head.more.add(header::SET_COOKIE, cookie);
            }
            Ok(None) => {}
            Err(failure) => return self.failed(&failure),
        }
        reply
    }

    /// Answers who is in.
    async fn serve(&self, session: &Session, content: &mut impl Content) -> Reply {
        let is_box = session.share().is_some_and(|share| share.kind == ShareKind::Upload);
        match (self.head.method, is_box) {
            (Method::Put, true) => self.drop_off(session, content).await,
            (Method::Put, false) => self.failed(&Error::Denied),
            (_, true) if self.below.is_root() => self.show_box(session),
            (_, true) => self.failed(&Error::NotFound),
            (_, false) => match self.send(session).await {
                Ok(reply) => reply,
                Err(failure) => self.failed(&failure),
            },
        }
    }

    /// Sends a file, or lists a folder.
    async fn send(&self, session: &Session) -> Result<Reply, Error> {
        let mut head = *self.head;
        // One stretch after another is one download; many at once have no name for that.
        if head.fields.range.is_some_and(|range| range.contains(&b',')) {
            head.fields.range = None;
        }
        let mut reply = match session.stat(&FilePath::root()).await?.kind {
            Kind::Folder => {
                let (path, folder, query) = (self.below.clone(), self.folder, self.query);
                let wanted = Resource { authority: None, path, folder, query };
                let base = format!("{}/", self.root());
                self.answerer.serve(session, &head, &wanted, Some(&base)).await?
            }
            _ => self.send_shared(session, &head).await?,
        };
        if let (Method::Get, Payload::File(body)) = (head.method, &mut reply.payload) {
            // Counted now, while it can still be refused.
            body.begin().await?;
        }
        Ok(reply)
    }

    /// Sends what is shared, if it is a file: it is also below its link, by its name, so that programs know what to
    /// call it.
    async fn send_shared(&self, session: &Session, head: &Head<'_>) -> Result<Reply, Error> {
        let root = FilePath::root();
        let shared = session.share().and_then(|share| share.path.as_str().rsplit('/').next());
        let called = Name::parse(shared.unwrap_or_default().as_bytes())
            .and_then(|name| root.join(&name))
            .unwrap_or_else(|_| root.clone());
        if self.folder || !self.below.is_root() && self.below != called {
            return Err(Error::NotFound);
        }
        let Found::File(file) = session.open(&root).await? else { return Err(Error::NotFound) };
        let shared = Called { path: &root, name: &called, file };
        self.answerer.send(session, head, self.query, shared).await
    }

    /// Puts a new file into a drop box.
    async fn drop_off(&self, session: &Session, content: &mut impl Content) -> Reply {
        if self.folder || self.below.is_root() {
            let why = "a file has a name: put it at LINK/NAME (curl -T FILE LINK/)";
            return error(StatusCode::CONFLICT, Some(&why), Some(self.head));
        }
        match self.answerer.store(session, self.head, &self.below, content).await {
            Ok(done) => {
                let called = self.below.numbered(done.number);
                let mut reply = empty(StatusCode::CREATED);
                reply.head.location =
                    Some(format!("{}{}", self.root(), url_path(&called, false)).into());
                reply
            }
            Err(unanswered) => unanswered.reply(session, self.head, &self.below),
        }
    }

    /// What whoever has no session is told.
    fn turn_away(&self, error: &ShareError) -> Reply {
        let (status, page) = match error {
            ShareError::NotFound => (StatusCode::NOT_FOUND, Some(SharePage::Nowhere)),
            ShareError::Over => (StatusCode::GONE, Some(SharePage::Over)),
            // A challenge would have a browser ask for a name, which there is not.
            ShareError::Password { wrong } if self.form() == Form::Html => {
                (StatusCode::FORBIDDEN, Some(SharePage::Password { wrong: *wrong }))
            }
            ShareError::Password { .. } => (StatusCode::UNAUTHORIZED, None),
            ShareError::Refused(refused) if refused.retry_after().is_some() => {
                (StatusCode::TOO_MANY_REQUESTS, None)
            }
            ShareError::Failed(failure) => return self.failed(failure),
            other => {
                tracing::error!(error = %other, "nobody can come by a link");
                (StatusCode::INTERNAL_SERVER_ERROR, None)
            }
        };
        if let Some(page) = page
            && self.form() == Form::Html
        {
            return self.page(status, page);
        }
        let mut reply = crate::reply::error(status, Some(error), Some(self.head));
        if let ShareError::Refused(refused) = error {
            reply.head.retry_after = refused.retry_after().map(retry_after);
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(CHALLENGE);
            reply.head.more.add(header::WWW_AUTHENTICATE, challenge);
        }
        reply
    }

    fn failed(&self, failure: &Error) -> Reply {
        let status = status_of(&self.below, failure);
        error(status, Some(failure), Some(self.head))
    }

    fn form(&self) -> Form {
        accept::form(self.head.fields.accept, &[Form::Text, Form::Html])
    }

    /// The page of a drop box.
    fn show_box(&self, session: &Session) -> Reply {
        let share = session.share();
        let of = DropBox {
            label: share.and_then(|share| share.label.as_deref()).filter(|label| !label.is_empty()),
            owner: session.sharer().unwrap_or_default(),
            until: share.and_then(|share| share.expires).map(|end| end.as_second()),
        };
        self.page(StatusCode::OK, SharePage::DropBox(of))
    }

    fn page(&self, status: StatusCode, page: SharePage<'_>) -> Reply {
        let form = self.form();
        let mut reply = empty(status);
        let text = share_page(page, form, Look::of(&self.head.fields));
        reply.head.content_type = Some(media_type(form).into());
        reply.head.length = Some(text.len() as u64);
        reply.head.cache_control = Some("no-store".into());
        reply.head.traits.negotiated = true;
        reply.head.traits.site_page = true;
        reply.payload = Payload::Page(text.into());
        reply
    }

    /// The path of the link itself, encoded.
    fn root(&self) -> String {
        let mut root = LINKS.to_owned();
        escape::encode_into(&mut root, self.link.expose().as_bytes());
        root
    }

    /// The path of what was asked for, encoded.
    fn address(&self, folder: bool) -> String {
        match self.below.is_root() {
            true if folder => format!("{}/", self.root()),
            true => self.root(),
            false => format!("{}{}", self.root(), url_path(&self.below, folder)),
        }
    }
}
