//! The classic programs, talked to by a few lines of Python that know nothing but the wire
//! formats, under every model, and by their own clients.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod command;
mod echoes;
mod example;
mod index;
mod python;
mod talks;
mod transfers;
mod web;
