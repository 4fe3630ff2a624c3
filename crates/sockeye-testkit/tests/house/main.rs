//! The house rules that no compiler holds: which crate may use which, where `unsafe`, the clock, the
//! environment and bare spawns may stand, how files are named and how long they may be.
//!
//! Each rule is a function from text to complaints, tried on a text that breaks it and then on every
//! file that git tracks. This program reads the tree and changes nothing.

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod edges;
#[cfg(test)]
mod floors;
#[cfg(test)]
mod licences;
#[cfg(test)]
mod links;
#[cfg(test)]
mod machine_paths;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod rust_text;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod spawns;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod unsafety;
#[cfg(test)]
mod wire;

#[cfg(test)]
fn assert_none(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}:\n  {}", complaints.join("\n  "));
}
