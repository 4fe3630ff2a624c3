//! How many requests were answered, by method and kind of answer.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use ::http::StatusCode;

use crate::wire::method::Method;

/// The methods that are told apart.
const METHODS: [(&str, &[Method]); 6] = [
    ("GET", &[Method::Get]),
    ("HEAD", &[Method::Head]),
    ("OPTIONS", &[Method::Options]),
    ("PUT", &[Method::Put]),
    ("DELETE", &[Method::Delete]),
    ("other", &[Method::NotAllowed, Method::Unknown]),
];

/// The kinds of answers.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Counts requests; shared by all that serve a node, so that a reload loses none.
///
/// What could not be read as a request is not counted.
#[derive(Debug, Default)]
pub struct Requests([[AtomicU64; CLASSES.len()]; METHODS.len()]);

impl Requests {
    pub(crate) fn count(&self, method: Method, status: StatusCode) {
        let row = METHODS.iter().position(|(_, methods)| methods.contains(&method));
        let class = usize::from(status.as_u16() / 100).checked_sub(2);
        let counter = row.zip(class).and_then(|(row, class)| self.0[row].get(class));
        if let Some(counter) = counter {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// The method, the kind of answer, such as `2xx`, and how many there were; those that there were none of
    /// are left out.
    pub fn counted(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        METHODS
            .iter()
            .zip(&self.0)
            .flat_map(|((method, _), row)| {
                let counts = CLASSES.iter().zip(row);
                counts.map(move |(class, count)| (*method, *class, count.load(Relaxed)))
            })
            .filter(|(.., count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
