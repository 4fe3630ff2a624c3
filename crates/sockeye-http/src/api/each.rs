//! What came of each of several things that one request named: what was done stays done and is told, whatever came
//! of the others.

use ::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Problem,
    answer::{self, Answered},
};

/// What came of each, in the order of the request.
#[derive(Debug)]
pub(super) struct Each<T> {
    pub(super) done: Vec<T>,
    failed: Vec<(String, Problem)>,
}

impl<T> Each<T> {
    pub(super) fn new() -> Self {
        Self { done: Vec::new(), failed: Vec::new() }
    }

    /// Notes what came of the thing of that name.
    pub(super) fn note(&mut self, name: String, result: Result<T, impl Into<Problem>>) {
        match result {
            Ok(done) => self.done.push(done),
            Err(error) => self.failed.push((name, error.into())),
        }
    }

    /// The answer: what `tell` makes of what was done, and `failed`: of each its name, called `key`, and its problem.
    /// Where nothing was done, the first problem is the answer.
    pub(super) fn answer(
        self,
        key: &str,
        tell: impl FnOnce(Vec<T>) -> Map<String, Value>,
    ) -> Answered {
        if self.done.is_empty() {
            let nothing = || Problem::wrong("nothing was named");
            return Err(self
                .failed
                .into_iter()
                .next()
                .map_or_else(nothing, |(_, problem)| problem));
        }
        let status = if self.failed.is_empty() { StatusCode::OK } else { StatusCode::MULTI_STATUS };
        let failed = self.failed.iter().map(|(name, problem)| {
            let pairs = [(key.to_owned(), json!(name)), ("problem".to_owned(), problem.object())];
            Value::Object(Map::from_iter(pairs))
        });
        let failed: Value = failed.collect();
        let mut told = tell(self.done);
        told.insert("failed".to_owned(), failed);
        answer::with_status(status, &told)
    }
}

/// An object with one list in it.
pub(super) fn list_of(
    name: &str,
    each: impl Iterator<Item = impl Serialize>,
) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), each.map(|one| json!(one)).collect())])
}
