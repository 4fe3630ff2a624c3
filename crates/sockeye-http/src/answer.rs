//! From a request's head to a reply: the one way, for both lanes.

use ::http::{HeaderValue, StatusCode, header};
use sockeye_node::{Rights, Session};

use crate::{
    assets,
    config::Config,
    content::{Content, throw_away},
    dav::{self, claim},
    lane::Link,
    own,
    payload::Payload,
    refused::{failed, refuse, turn_away},
    reply::{Reply, allow, error},
    site::{Asker, Site, Unwelcome},
    wire::{
        head::{Head, Once},
        method::{Allowed, Method},
        plan::{Plan, Refusal, Rules, allowed, plan},
        target::{self, Resource},
    },
};

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
        let url = target::address(head.target)?;
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
        if let Plan::Serve(wanted) = &plan
            && !self.site.is_node()
            && let Some(asset) = assets::beside_files(&wanted.path)
        {
            return asset;
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
        let session = match self.session(head).await {
            Ok(session) => session,
            Err(unwelcome) => return turn_away(head, &unwelcome),
        };
        let done = async {
            let claimed = claim::submitting(&session, head, wanted).await?;
            self.put(claimed.as_ref().unwrap_or(&session), head, wanted, content).await
        };
        done.await.unwrap_or_else(|unanswered| unanswered.reply(&session, head, &wanted.path))
    }

    /// Answers what needs no content.
    async fn carry_out(&self, session: &Session, head: &Head<'_>, plan: Plan<'_>) -> Reply {
        match plan {
            Plan::Serve(wanted) => {
                // Few ask under a condition of WebDAV's, and all would wait for the look at it.
                if !matches!(head.fields.get("if"), Once::Missing)
                    && let Err(unmet) = Box::pin(claim::submitting(session, head, &wanted)).await
                {
                    return unmet.reply(session, head, &wanted.path);
                }
                match self.serve(session, head, &wanted, None).await {
                    Ok(reply) => reply,
                    Err(error) => failed(session, head, &wanted.path, &error),
                }
            }
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
        let done = async {
            let claimed = claim::submitting(session, head, wanted).await?;
            self.delete(claimed.as_ref().unwrap_or(session), head, wanted).await
        };
        done.await.unwrap_or_else(|unanswered| unanswered.reply(session, head, &wanted.path))
    }
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
