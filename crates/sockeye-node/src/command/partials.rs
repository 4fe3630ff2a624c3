//! Commands about uploads that were begun and are no files yet: listed, destroyed.

use std::{collections::HashMap, time::SystemTime};

use serde::{Deserialize, Serialize};
use sockeye_accounts::{AccountId, Commander};
use sockeye_journal::{Operation, Record};
use sockeye_store::{Amount, FilePath, Home, Partial, PartialId};

use super::{Refusal, RefusalKind, Whose, beginning};
use crate::{Error, Node, namespace::absolute};

/// Most that is listed in one answer.
const PAGE: usize = 1000;

/// Something to do with a home's uploads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PartialsCommand {
    /// Lists them, the oldest first; answered by [`PartialsAnswer::Page`].
    List {
        /// Those after this one.
        after: Option<String>,
    },
    /// Destroys one that nobody is at; answered by [`PartialsAnswer::Purged`].
    Purge {
        /// Which, by its id.
        id: String,
    },
    /// Destroys those that nobody has written to since a moment; answered by [`PartialsAnswer::Purged`].
    PurgeBefore(SystemTime),
    /// Destroys all that nobody is at; answered by [`PartialsAnswer::Purged`].
    PurgeAll,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PartialsAnswer {
    /// Some of them.
    Page {
        /// The oldest first.
        entries: Vec<Unfinished>,
        /// Whether there are more.
        more: bool,
    },
    /// How much was destroyed.
    Purged {
        /// Bytes.
        bytes: u64,
        /// Uploads.
        entries: u64,
    },
}

/// An upload that was begun and is no file yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// By what it is destroyed.
    pub id: String,
    /// Where the file will be, from the home's root; of a path that is very long, the beginning.
    pub path: String,
    /// Whose upload it is, if that is known: the account's name, or its id if it is there no more.
    pub by: Option<String>,
    /// When the last byte came.
    pub written: SystemTime,
    /// When it is given up, if nobody goes on with it.
    pub expires: SystemTime,
    /// Bytes that came.
    pub bytes: u64,
    /// How many there will be, if that was announced.
    pub length: Option<u64>,
    /// Whether somebody is at it.
    pub in_use: bool,
}

/// Carries out a command about uploads.
pub(super) async fn execute(
    node: &Node,
    of: Whose,
    command: PartialsCommand,
    by: &Commander,
) -> Result<PartialsAnswer, Refusal> {
    let home = node.home_of(&of).await?;
    match command {
        PartialsCommand::List { after } => {
            let after = after.as_deref().map(id).transpose()?;
            let mut found = home.partials().await.map_err(Error::from)?;
            found.retain(|partial| after.is_none_or(|after| partial.id > after));
            let more = found.len() > PAGE;
            found.truncate(PAGE);
            Ok(PartialsAnswer::Page { entries: told(node, found).await, more })
        }
        PartialsCommand::Purge { id: text } => purge_one(node, &of, &home, id(&text)?, by).await,
        PartialsCommand::PurgeBefore(moment) => purge(node, &of, &home, Some(moment), by).await,
        PartialsCommand::PurgeAll => purge(node, &of, &home, None, by).await,
    }
}

async fn told(node: &Node, found: Vec<Partial>) -> Vec<Unfinished> {
    let mut names: HashMap<Box<str>, String> = HashMap::new();
    let mut told = Vec::with_capacity(found.len());
    for partial in found {
        let Partial { id, path, length, bytes, modified, expires, sender, in_use, .. } = partial;
        let by = match sender {
            Some(sender) => Some(match names.get(&sender) {
                Some(name) => name.clone(),
                None => {
                    let name = name_of(node, &sender).await.unwrap_or_else(|| sender.to_string());
                    names.entry(sender).or_insert(name).clone()
                }
            }),
            None => None,
        };
        let (id, path) = (id.to_string(), beginning(&path.to_string()));
        told.push(Unfinished { id, path, by, written: modified, expires, bytes, length, in_use });
    }
    told
}

async fn name_of(node: &Node, sender: &str) -> Option<String> {
    let id: AccountId = sender.parse().ok()?;
    Some(node.accounts().find(id).await.ok()?.name.to_string())
}

async fn purge_one(
    node: &Node,
    of: &Whose,
    home: &Home,
    id: PartialId,
    by: &Commander,
) -> Result<PartialsAnswer, Refusal> {
    let found = home.partials().await.map_err(Error::from)?;
    let Some(partial) = found.into_iter().find(|partial| partial.id == id) else {
        return Err(Refusal::new(
            RefusalKind::NotFound,
            "there is no upload of that id: it is a file, was destroyed, or is somebody else's",
        )
        .hint(LIST));
    };
    home.drop_partial(id).await.map_err(|error| Refusal::from(Error::from(error)))?;
    record(node, &format!("upload {id} of {of}"), Some(&partial.path), partial.bytes, by);
    Ok(PartialsAnswer::Purged { bytes: partial.bytes, entries: 1 })
}

/// Destroys those that nobody has written to since `before`; without it, all.
async fn purge(
    node: &Node,
    of: &Whose,
    home: &Home,
    before: Option<SystemTime>,
    by: &Commander,
) -> Result<PartialsAnswer, Refusal> {
    let purged = match before {
        Some(moment) => home.drop_partials_before(moment).await,
        None => home.drop_all_partials().await,
    };
    let Amount { bytes, entries } = purged.map_err(Error::from)?;
    record(node, &format!("uploads that were cut, of {of}"), None, bytes, by);
    Ok(PartialsAnswer::Purged { bytes, entries })
}

fn record(node: &Node, detail: &str, path: Option<&FilePath>, bytes: u64, by: &Commander) {
    let path = path.map(absolute);
    node.recorder().command(Operation::Purge, by, |record| Record {
        path: path.as_deref(),
        bytes: Some(bytes),
        detail: Some(detail),
        ..record
    });
}

/// Where the ids stand.
const LIST: &str = "`sockeye store partials list` has what is there";

fn id(text: &str) -> Result<PartialId, Refusal> {
    text.parse()
        .map_err(|error| Refusal::new(RefusalKind::Usage, format!("{text:?}: {error}")).hint(LIST))
}

#[cfg(test)]
mod tests {
    use sockeye_store::{Kind, TrashEntry};

    use super::{
        super::{Answer, Removed, TrashAnswer},
        *,
    };
    use crate::{
        config::{Config, Sources},
        control::MAX_LINE,
        data::{DataFolder, Hold},
        listeners::tests::PROTOCOLS,
    };

    fn length(answer: Answer) -> usize {
        serde_json::to_vec(&answer).unwrap().len()
    }

    #[tokio::test]
    async fn a_page_of_the_longest_paths_fits_into_an_answer() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::new(dir.path().join("data"));
        let _hold = Hold::take_or_create(&folder).unwrap();
        let config = Config::load(&Sources::default(), PROTOCOLS).unwrap();
        let node = Node::open(&folder, config).await.unwrap();
        // No text: each byte is told by several.
        let path = [&[0xff; 255][..]; 15].join(&b'/');
        let path = FilePath::parse(&path).unwrap();
        let moment = SystemTime::now();
        let partial = Partial {
            id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
            path: path.clone(),
            length: Some(u64::MAX),
            offset: 0,
            bytes: u64::MAX,
            modified: moment,
            expires: moment,
            sender: None,
            note: None,
            in_use: false,
        };
        let entries = told(&node, vec![partial; PAGE]).await;
        let page = PartialsAnswer::Page { entries, more: true };
        assert!(length(Answer::Partials(page)) < MAX_LINE - 1024);
        let removed = TrashEntry {
            id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
            path,
            deleted: moment,
            kind: Kind::File,
            bytes: u64::MAX,
            entries: u64::MAX,
        };
        let entries = vec![Removed::from(removed); PAGE];
        let page = TrashAnswer::Page { entries, more: true };
        assert!(length(Answer::Trash(page)) < MAX_LINE - 1024);
        node.close().await.unwrap();
    }
}
