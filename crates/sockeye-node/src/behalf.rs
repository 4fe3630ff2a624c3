//! Whom a home is changed for, as the home knows it: uploads are kept under the account's id, and what gives way to
//! them is recorded as theirs.

use std::sync::Arc;

use sockeye_journal::{Operation, Outcome, Record};
use sockeye_store::{Aside, GaveWay, Lack, Principal};

use crate::{
    namespace::TreeName,
    seat::{Place, Seat},
};

/// Somebody who changes what lies in one tree.
#[derive(Debug)]
struct Behalf {
    seat: Arc<Seat>,
    tree: TreeName,
    /// The account's id; none of who came by a link, who leaves no upload to be gone on with.
    id: Option<Box<str>>,
}

impl Principal for Behalf {
    fn name(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn gave_way(&self, gone: &GaveWay) {
        let lack = match gone.lack {
            Lack::Quota => "quota",
            Lack::Disk => "full disk",
        };
        let (what, path) = match &gone.what {
            Aside::Trash(id, path) => (format!("trash {id}"), Some(path)),
            Aside::Upload(id, path) => (format!("upload {id}"), Some(path)),
            Aside::More(number) => {
                (format!("{number} more of the trash and of uploads that were cut"), None)
            }
        };
        let path = path.and_then(|path| self.tree.within(path)).map(|path| path.absolute());
        let visit = self.seat.detail().map(|visit| format!("; {visit}")).unwrap_or_default();
        let detail = format!("{lack}: {what}{visit}");
        self.seat.gate().record(&Record {
            account: self.seat.recorded_name(),
            path: path.as_deref(),
            bytes: Some(gone.amount.bytes),
            detail: Some(&detail),
            ..self.seat.origin().record(Operation::Purge, Outcome::Ok)
        });
    }
}

impl Place {
    /// The same place, changed for who has this seat.
    pub(crate) fn changed_for(self, seat: &Arc<Seat>) -> Self {
        let tree = self.tree.clone();
        let behalf = Behalf { seat: Arc::clone(seat), tree, id: seat.lock_holder() };
        Self { home: self.home.changed_for(Arc::new(behalf)), ..self }
    }
}
