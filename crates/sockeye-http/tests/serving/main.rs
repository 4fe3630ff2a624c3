//! Serving a folder over real connections.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod api;
mod archive;
mod assets;
mod behind_proxy;
mod beside;
mod changes;
mod codings;
mod connections;
mod crowded;
mod curl;
mod dav;
mod dav_clients;
mod dav_peers;
mod files;
mod floods;
mod frames;
mod http2;
mod node;
mod own;
mod paths;
mod protocols;
mod ranges;
mod shares;
mod sign_ins;
mod signing_in;
mod site;
mod tus;
mod uploads;
