//! Where an account is signed in, for administrators: listed, and ended, as on a laptop that was stolen.

use sockeye_node::{AccountName, Error};

use super::super::{
    Call,
    account::SignIn,
    answer::{Answered, done, json},
};

/// `GET admin/accounts/*/sign-ins`
pub(in super::super) async fn list(call: &Call<'_>) -> Answered {
    let name: AccountName = call.named(0, "account")?;
    let all = call.gate.accounts().sign_ins(&name).await?;
    let current = call.session.sign_in();
    json(&all.into_iter().map(|one| SignIn::of(one, current)).collect::<Vec<_>>())
}

/// `DELETE admin/accounts/*/sign-ins/*`
pub(in super::super) async fn end(call: &Call<'_>) -> Answered {
    let name: AccountName = call.named(0, "account")?;
    let id = call.named(1, "sign-in")?;
    call.gate.end_sign_in(&name, id, &call.commander()?).await?;
    done()
}

/// `DELETE admin/accounts/*/sign-ins`
pub(in super::super) async fn end_all(call: &Call<'_>) -> Answered {
    let name: AccountName = call.named(0, "account")?;
    let by = call.commander()?;
    for one in call.gate.accounts().sign_ins(&name).await? {
        match call.gate.end_sign_in(&name, one.id, &by).await {
            // Ended meanwhile, which was wanted.
            Ok(()) | Err(Error::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    done()
}
