//! `/-/trash`, `/-/shares`, `/-/account` and `/-/admin`: pages that the module fills by the API.

use std::borrow::Cow;

use ::http::StatusCode;
use sockeye_node::{FilePath, Role};

use super::Asked;
use crate::{
    answer::Answerer,
    list::boot,
    page::{media_type, shell_page},
    payload::Payload,
    refused::{failed, turn_away},
    reply::{Reply, error},
    site::Unwelcome,
    wire::{accept::Form, look::Look, reply::ReplyHead},
};

impl Answerer<'_> {
    /// Answers with the page, to whoever has signed in; the administrator's to administrators.
    pub(super) async fn shell(&self, asked: &Asked<'_>, admin: bool) -> Reply {
        let session = match self.session(asked.head).await {
            Ok(session) => session,
            Err(unwelcome) => return turn_away(asked.head, &unwelcome),
        };
        let account = match session.account() {
            Ok(Some(account)) => account,
            Ok(None) => return turn_away(asked.head, &Unwelcome::Stranger),
            Err(failure) => return failed(&session, asked.head, &FilePath::root(), &failure),
        };
        if admin && account.role != Role::Admin {
            return error(StatusCode::FORBIDDEN, None, Some(asked.head));
        }
        let boot = match boot(&session, asked.head) {
            Ok(boot) => boot,
            Err(failure) => return failed(&session, asked.head, &FilePath::root(), &failure),
        };
        let page = shell_page(Look::of(&asked.head.fields), boot);
        let mut head = ReplyHead::new(StatusCode::OK);
        head.content_type = Some(media_type(Form::Html).into());
        head.cache_control = Some(Cow::Borrowed("no-store"));
        head.length = Some(page.len() as u64);
        head.traits.site_page = true;
        Reply { head, payload: Payload::Page(page.into()) }
    }
}
