//! A sockeye node: sessions, the one gate to the files of a home.
//!
//! A protocol never sees a home; it has a [`Session`], and every read and every listing goes through
//! it. That is where the permission is checked, the quota reserved and the journal written, so that no
//! protocol can forget one. A session is had of the [`Gate`], by credentials, a share's link or nothing where the
//! public tree is open; [`Session::guest`] needs no node: it may read everything in one folder and change nothing.

mod act;
pub mod backup;
mod behalf;
pub mod certificate;
mod change;
pub mod command;
pub mod config;
pub mod control;
pub mod data;
mod error;
mod external;
mod gate;
mod homes;
mod housekeeping;
mod lacking;
mod links;
mod list;
pub mod listeners;
mod logged;
mod marks;
mod namespace;
mod node;
mod origin;
mod pace;
mod presence;
mod read;
mod recorder;
mod refusals;
mod roots;
mod search;
mod seat;
mod session;
mod share;
mod sign_in;
mod singletons;
mod trash;
mod tree;
mod turned_away;
mod upload;
mod uploads;

pub use error::{Error, Result};
pub use external::{NoAddress, external_address};
pub use gate::{Gate, LoginError};
pub use homes::{Homes, Owner};
pub use lacking::Lacking;
pub use list::{Folder, Gathered, Listing};
pub use listeners::{Cleartext, Listen, ListenError, ListenOption, Listening, Protocol, Service};
pub use marks::LockWish;
pub use namespace::RESERVED;
pub use node::{FIRST_ADMIN, Node, NodeError, Phase};
pub use origin::{Origin, Peer, Sessions};
pub use pace::{Bucket, Pace};
pub use presence::{Activity, Ending, Present};
pub use read::{FileBody, OpenFile, Range};
pub use recorder::{NOT_SPOKEN, Recorder};
pub use search::Found;
pub use seat::ANONYMOUS;
pub use session::{Resource, Session};
pub use share::ShareError;
pub use sockeye_accounts::{
    Account, AccountName, Credentials, Reason, Refused, Rights, Role, Secret, SignIn, SignInId,
    csrf_token, is_csrf_token,
};
pub use sockeye_store::{
    Algorithm, Amount, BadToken, Committed, Condition, Copied, Digest, Digests, Entry, FilePath,
    Home, Keeping, Kind, LeftOut, Lock, LockDepth, LockScope, LockToken, MAX_LOCK_OWNER,
    MAX_LOCK_TIMEOUT, MAX_PROPERTIES, MAX_PROPERTY, MAX_PROPERTY_BYTES, Marks, Meta, Name,
    NameError, Noted, Order, Overwrite, Partial, PartialId, PathBuilder, Pool, PoolLimits,
    Property, PropertyChange, PropertyName, Quota, Recursive, SortKey, Space, Start, Timestamp,
    TrashEntry, TrashId, Tree, UploadOptions, Version, readable,
};
pub use upload::Upload;
pub use uploads::{BadKey, Pending, Progress, UploadKey};

/// What protocols are told of accounts, and ask for: types alone.
pub mod accounts {
    pub use sockeye_accounts::{
        AccountAnswer, AccountCommand, AccountQuery, Error, ErrorKind, Grant, Key, NewPassword,
        NewShare, NewToken, PasswordChoice, PasswordError, Prefix, Protocols, PublicKey, Quota,
        QuotaChoice, Share, ShareKind, ShareProof, Shared, SharedName, Timestamp, Token,
        to_the_second, write_to_the_second,
    };
}

/// What protocols are told of the log.
pub mod log {
    pub use sockeye_journal::{Error, Event, Follow, Found, Operation, Query, Reader};
}
