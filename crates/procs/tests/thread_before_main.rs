//! A library that starts a thread before `main`: a fork of such a process would be unsound, so there is none.

use procs::{Executor, JoinError, Pool, Process};

extern "C" fn start_a_thread() {
    std::thread::spawn(|| {
        loop {
            std::thread::park();
        }
    });
}

#[used]
#[unsafe(link_section = ".init_array.00101")]
static ENTRY: extern "C" fn() = start_a_thread;

#[test]
fn it_is_an_error_and_neither_a_hang_nor_a_second_main() {
    let error = Process::spawn(|n: u64| n, 1).map(|_| ()).unwrap_err();
    println!("{error}");
    assert!(error.to_string().contains("zygote"), "{error}");
    let pool = Pool::new(1).expect("a pool starts nothing yet");
    for _ in 0..3 {
        let error = pool.submit(|n: u64| n, 1).join().unwrap_err();
        assert!(matches!(&error, JoinError::Failed(why) if why.contains("zygote")), "{error}");
    }
    assert!(pool.map(|n: u64| n, 0..2).all(|result| result.is_err()));
}
