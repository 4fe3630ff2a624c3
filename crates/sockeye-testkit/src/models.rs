//! One test for each concurrency model.

/// Makes a module with a test for each model, which calls the function of the same name.
///
/// The function takes the model as text. Without a list: all seven, each with room for four
/// connections where it counts them (`iterative` has room for one).
///
/// ```no_run
/// sockeye_testkit::under_models!(answers);
/// sockeye_testkit::under_models!(survives: under_fork = "fork:2", under_prefork = "prefork:2");
///
/// fn answers(model: &str) { /* … */ }
/// fn survives(model: &str) { /* … */ }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! under_models {
    ($check:ident) => {
        $crate::under_models!($check:
            under_iterative = "iterative", under_pool = "pool:4", under_threads = "threads:4",
            under_fork = "fork:4", under_prefork = "prefork:4", under_tasks = "tasks",
            under_percore = "percore:2");
    };
    ($check:ident: $($test:ident = $model:literal),+ $(,)?) => {
        mod $check {
            $(#[test]
            fn $test() {
                super::$check($model);
            })+
        }
    };
}
