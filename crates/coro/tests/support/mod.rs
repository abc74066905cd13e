//! Runs a test a second time, in a process of its own that may die.

use std::process::{Command, Output};

const CHILD: &str = "CORO_TEST_CHILD";

/// Whether this process was started by [`in_child`].
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs the test `name` of this program again, with [`is_child`] being true, and returns how that went.
pub(crate) fn in_child(name: &str, environment: &[(&str, &str)]) -> Output {
    let program = std::env::current_exe().expect("this program has a path");
    Command::new(program)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .envs(environment.iter().copied())
        .output()
        .expect("this program runs again")
}
