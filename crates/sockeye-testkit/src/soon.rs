//! The end of every wait in a test.

use std::time::Duration;

/// Far above what any test takes: a hang fails, a slow machine does not.
const LIMIT: Duration = Duration::from_secs(60);

/// What a future gives, which is to be within a minute.
///
/// # Panics
/// If it is not.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, what).await.expect("it takes too long")
}
