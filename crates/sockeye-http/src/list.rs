//! Listing a folder: for people, with a module that takes the page over where there is a node, and for programs.

use std::borrow::Cow;

use ::http::StatusCode;
use sockeye_node::{Error, Folder, Gathered, Session, csrf_token};

use crate::{
    answer::Answerer,
    page::{ALL, Boot, Dress, FIRST_ENTRIES, Greeting, ListingPage, Shared, media_type},
    payload::{ListingBody, Payload},
    reply::Reply,
    wire::{
        accept::{self, Form},
        cookie,
        head::Head,
        look::Look,
        query,
        reply::ReplyHead,
        target::Resource,
    },
};

impl Answerer<'_> {
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
        let form = accept::form(head.fields.accept, &[Form::Html, Form::Json, Form::Text]);
        let gathered = folder.list().gather(self.config.limits.sorted_entries, order).await?;
        let mut page = ListingPage {
            form,
            look: Look::of(&head.fields),
            dress: self.dress(session, head, wanted, &gathered, base.as_deref())?,
            all: query::has(wanted.query, ALL),
            path: wanted.path.clone(),
            greeting: self.greeting(session)?,
            rights: session.rights_at(&wanted.path)?,
            base: base.map_or(Cow::Borrowed("/"), Cow::Owned),
            order: Some(order),
            count: 0,
        };
        let mut reply = ReplyHead::new(StatusCode::OK);
        reply.content_type = Some(media_type(page.form).into());
        reply.cache_control = Some(Cow::Borrowed(self.kept(&page)));
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

    /// How a listing may be kept. One that has the sign-in's token is not, so that it is gone once its reader has signed
    /// out; nor is it then made smaller, as its length would tell of the token to who chooses a name in the folder.
    fn kept(&self, page: &ListingPage) -> &'static str {
        let has_token = matches!(&page.dress, Dress::App(boot) if !boot.csrf.is_empty());
        match (self.site.is_node(), has_token && page.form == Form::Html) {
            (false, _) => "no-cache",
            (true, false) => "private, no-cache",
            (true, true) => "private, no-store",
        }
    }

    /// How a listing is dressed: it has the site's style, and its module unless all entries are asked for; that of one
    /// folder has neither for programs, which do not say that they want HTML.
    fn dress(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
        gathered: &Gathered,
        base: Option<&str>,
    ) -> Result<Dress, Error> {
        // Who mirrors one folder gets its files and nothing else.
        if !self.site.is_node() && !accept::names(head.fields.accept, Form::Html) {
            return Ok(Dress::Plain);
        }
        if query::has(wanted.query, ALL) {
            return Ok(Dress::Site);
        }
        let more = match gathered {
            Gathered::All(entries) => entries.len() > FIRST_ENTRIES,
            Gathered::Some(..) => true,
        };
        let rights = session.rights_at(&wanted.path)?.to_string();
        let shared = session.share().zip(base).map(|(share, base)| Shared {
            base: base.to_owned(),
            name: share.path.as_str().rsplit('/').next().unwrap_or_default().to_owned(),
        });
        // One folder that is open to all is as a link is: there is nothing around it.
        let alone = || Shared { base: "/".to_owned(), name: String::new() };
        let shared = shared.or_else(|| (!self.site.is_node()).then(alone));
        let index = match session.share().is_none() && session.account()?.is_none() {
            true => self.config.index.iter().map(ToString::to_string).collect(),
            false => Vec::new(),
        };
        Ok(Dress::App(Boot { rights, more, shared, index, ..boot(session, head)? }))
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

/// What a page's module is told of who reads it.
pub(crate) fn boot(session: &Session, head: &Head<'_>) -> Result<Boot, Error> {
    let account = session.account()?.map(|account| account.name.to_string()).unwrap_or_default();
    let kept = cookie::sign_in(&head.fields).filter(|_| session.sign_in().is_some());
    let csrf = kept.and_then(csrf_token).map(|token| token.expose().to_owned());
    Ok(Boot { account, csrf: csrf.unwrap_or_default(), ..Boot::default() })
}
