//! How many requests were answered, by method and kind of answer.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use ::http::StatusCode;
use sockeye_node::Node;

use crate::wire::method::Method;

/// The methods that are told apart.
const METHODS: [(&str, &[Method]); 10] = [
    ("GET", &[Method::Get]),
    ("HEAD", &[Method::Head]),
    ("OPTIONS", &[Method::Options]),
    ("PUT", &[Method::Put]),
    ("DELETE", &[Method::Delete]),
    ("POST", &[Method::Post]),
    ("PATCH", &[Method::Patch]),
    ("PROPFIND", &[Method::PropFind]),
    ("WebDAV", &WEBDAV),
    ("other", &[Method::NotAllowed, Method::Unknown]),
];

/// The others that WebDAV has.
const WEBDAV: [Method; 6] =
    [Method::PropPatch, Method::MkCol, Method::Copy, Method::Move, Method::Lock, Method::Unlock];

/// The kinds of answers.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

const COUNTERS: usize = CLASSES.len() * METHODS.len();

/// Counts requests; clones count together. What could not be read as a request is not counted.
#[derive(Clone, Debug)]
pub struct Requests(Arc<[AtomicU64]>);

impl Default for Requests {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; COUNTERS].into())
    }
}

impl Requests {
    /// Those of a node, which a reload does not begin anew.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        Self::clone(&node.singleton())
    }

    pub(crate) fn count(&self, method: Method, status: StatusCode) {
        let row = METHODS.iter().position(|(_, methods)| methods.contains(&method));
        let class = usize::from(status.as_u16() / 100).checked_sub(2);
        let class = class.filter(|class| *class < CLASSES.len());
        let at = row.zip(class).map(|(row, class)| row * CLASSES.len() + class);
        if let Some(counter) = at.and_then(|at| self.0.get(at)) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// The method, the kind of answer, such as `2xx`, and how many there were; those that there were none of
    /// are left out.
    pub fn counted(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let rows = METHODS.iter().zip(self.0.chunks(CLASSES.len()));
        let counts = rows.flat_map(|((method, _), row)| {
            let counts = CLASSES.iter().zip(row);
            counts.map(move |(class, count)| (*method, *class, count.load(Relaxed)))
        });
        counts.filter(|(.., count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_counted_once() {
        for (name, method) in crate::wire::method::METHODS {
            let rows = METHODS.iter().filter(|(_, methods)| methods.contains(&method));
            assert_eq!(rows.count(), 1, "{name}");
        }
    }

    #[test]
    fn requests_are_counted_by_method_and_kind_of_answer() {
        let requests = Requests::default();
        assert_eq!(requests.counted().count(), 0);
        for (method, status) in [
            (Method::Get, StatusCode::OK),
            (Method::Get, StatusCode::PARTIAL_CONTENT),
            (Method::Get, StatusCode::NOT_FOUND),
            (Method::Unknown, StatusCode::NOT_IMPLEMENTED),
            (Method::Get, StatusCode::CONTINUE),
        ] {
            requests.count(method, status);
        }
        let counted: Vec<_> = requests.counted().collect();
        assert_eq!(counted, [("GET", "2xx", 2), ("GET", "4xx", 1), ("other", "5xx", 1)]);
    }
}
