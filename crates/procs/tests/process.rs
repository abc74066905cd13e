//! One function in one process.
use procs::Process;
#[test]
fn spike() {
    let process = Process::spawn(|(a, b): (u64, u64)| (a * b, std::process::id()), (6, 7)).unwrap();
    let pid = process.pid();
    assert_eq!(process.join().unwrap(), (42, pid));
}
