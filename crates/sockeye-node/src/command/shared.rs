//! A shared folder with who may do what in it, which only all accounts together tell.

use serde::{Deserialize, Serialize};
use sockeye_accounts::{
    Account, AccountName, AccountQuery, MAX_PAGE, Rights, Role, Shared, SharedName,
};

use super::{Held, Refusal, Whose, space};
use crate::Node;

/// Most rows of one folder that are told.
const MOST: usize = 10_000;

/// A shared folder, what it holds, and who may do what in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedFolder {
    /// The folder.
    #[serde(flatten)]
    pub shared: Shared,
    /// What it holds.
    pub space: Held,
    /// Who may do what where, by name and path: all admins, and whoever was granted something; at most 10,000 rows.
    pub access: Vec<Access>,
}

/// What an account may do at a path and beneath it, up to the next path that it has a grant for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Who.
    pub name: AccountName,
    /// What its rights begin from.
    pub role: Role,
    /// Whether it is kept from logging in.
    pub locked: bool,
    /// Where: the folder itself, or a path in it.
    pub path: String,
    /// What.
    pub rights: Rights,
}

/// Looks at every account, page by page.
pub(super) async fn execute(node: &Node, name: SharedName) -> Result<SharedFolder, Refusal> {
    let shared = node.accounts().find_shared(&name).await?;
    let space = space::execute(node, &Whose::Shared(name)).await?;
    let folder = shared.path();
    let mut access = Vec::new();
    let mut query = AccountQuery { limit: MAX_PAGE, ..AccountQuery::default() };
    loop {
        let page = node.accounts().list(&query).await?;
        access.extend(page.entries.iter().flat_map(|account| access_of(account, &folder)));
        query.after = page.entries.last().filter(|_| page.more).map(|last| last.name.clone());
        if query.after.is_none() || access.len() >= MOST {
            break;
        }
    }
    access.truncate(MOST);
    Ok(SharedFolder { shared, space, access })
}

/// What an account may do in a folder as a whole, if anything, and where a grant says otherwise.
fn access_of(account: &Account, folder: &str) -> Vec<Access> {
    let at = |path: &str, rights| Access {
        name: account.name.clone(),
        role: account.role,
        locked: account.locked,
        path: path.to_owned(),
        rights,
    };
    let whole = account.rights_at(folder);
    let beneath = account.grants.iter().filter(|grant| {
        let rest = grant.prefix.as_str().strip_prefix(folder);
        rest.is_some_and(|rest| rest.starts_with('/'))
    });
    let beneath = beneath.map(|grant| at(grant.prefix.as_str(), grant.rights));
    (!whole.is_empty()).then(|| at(folder, whole)).into_iter().chain(beneath).collect()
}
