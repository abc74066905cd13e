//! Stacks: their size, their end, their number, and that they stay on their thread.

mod support;

use coro::{Builder, Coroutine, Generator, Step};
use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::io;
use support::{in_child, is_child};

/// Uses at least 128 bytes of stack for each level.
fn recurse(depth: usize) -> usize {
    let room = black_box([depth; 16]);
    if depth == 0 { 0 } else { recurse(depth - 1) + room[0] - (depth - 1) }
}

#[test]
fn recursion_is_as_deep_as_the_stack() {
    let mut usual = Generator::<usize>::new(|y| y.yield_(recurse(50)));
    assert_eq!(usual.next(), Some(50));
    let mut deep = Builder::new().stack_bytes(16 << 20).generator(|y| y.yield_(recurse(20_000))).unwrap();
    assert_eq!(deep.next(), Some(20_000));
}

#[test]
fn sizes_are_rounded_up_and_never_too_small() {
    for (asked, given) in [(0, 16 << 10), (1, 16 << 10), ((16 << 10) + 1, 32 << 10), (1 << 20, 1 << 20)] {
        let coroutine = Builder::new().stack_bytes(asked).coroutine::<(), (), (), _>(|_, ()| ()).unwrap();
        assert!(format!("{coroutine:?}").contains(&format!("stack_bytes: {given}")), "{coroutine:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_overflow_hits_the_guard_page_and_ends_the_program() {
    use std::os::unix::process::ExitStatusExt;

    if is_child() {
        let overflow = Generator::<usize>::new(|y| y.yield_(recurse(usize::MAX)));
        println!("survived with {}", overflow.count());
        return;
    }
    let output = in_child("an_overflow_hits_the_guard_page_and_ends_the_program", &[]);
    let signal = output.status.signal();
    // SIGSEGV, or SIGBUS, as macOS has it.
    assert!(signal == Some(11) || signal == Some(10), "{:?}", output.status);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("survived"));
}

#[test]
fn a_stack_that_no_memory_has_room_for_is_an_error() {
    for bytes in [1 << 60, usize::MAX] {
        let error =
            Builder::new().stack_bytes(bytes).generator::<u32, (), (), _>(|y| y.yield_(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        let text = error.to_string();
        assert!(text.contains(&bytes.to_string()) && text.contains("vm.max_map_count"), "{text}");
    }
}

/// Makes coroutines until there is no more memory for them, under a limit of address space.
#[cfg(target_os = "linux")]
#[test]
fn running_out_of_memory_is_an_error_and_what_is_there_goes_on() {
    use std::process::Command;

    let name = "running_out_of_memory_is_an_error_and_what_is_there_goes_on";
    if is_child() {
        let make = || Builder::new().stack_bytes(1 << 20).coroutine::<u32, u32, u32, _>(|y, n| y.yield_(n));
        let mut made = Vec::with_capacity(100_000);
        let error = loop {
            match make() {
                Ok(coroutine) => made.push(coroutine),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory, "{error}");
        assert!(made.len() > 10);
        for (n, coroutine) in (0..).zip(&mut made) {
            assert_eq!(coroutine.resume(n), Ok(Step::Yielded(n)));
        }
        // What was kept of the others, in another size, makes room.
        made.truncate(made.len() - 2);
        let mut another = Builder::new().stack_bytes(256 << 10).generator(|y| y.yield_(7)).unwrap();
        assert_eq!(another.next(), Some(7));
        let panic = std::panic::catch_unwind(|| {
            (0..100_000).map(|_| Coroutine::<(), (), ()>::new(|_, ()| ())).collect::<Vec<_>>().len()
        });
        assert!(panic.unwrap_err().downcast::<String>().unwrap().contains("no stack of 65536 bytes"));
        return;
    }
    let program = std::env::current_exe().unwrap();
    let limited = format!("ulimit -v 400000 && exec '{}' {name} --exact --test-threads=1", program.display());
    let output = Command::new("sh").args(["-c", &limited]).env("CORO_TEST_CHILD", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn ten_thousand_wait_at_once() {
    let mut all: Vec<_> = (0..10_000_u32)
        .map(|id| {
            Generator::<u32>::new(move |y| {
                let mut n = id;
                loop {
                    y.yield_(n);
                    n += 1;
                }
            })
        })
        .collect();
    for round in 0..3 {
        for (id, generator) in (0..).zip(&mut all) {
            assert_eq!(generator.next(), Some(id + round));
        }
    }
}

#[test]
fn stacks_are_used_again_and_start_clean() {
    // Where a local lies tells whose stack it is on.
    fn place() -> usize {
        let mut generator = Generator::<usize>::new(|y| {
            let local = Cell::new(0_u8);
            y.yield_(black_box(std::ptr::from_ref(&local)).addr());
        });
        generator.next().unwrap()
    }
    std::thread::spawn(|| {
        let first = place();
        for _ in 0..1000 {
            assert_eq!(place(), first, "one stack serves one after the other");
        }
    })
    .join()
    .unwrap();
}

#[test]
fn an_ended_one_leaves_its_stack_before_it_is_dropped() {
    std::thread::spawn(|| {
        let place = |y: &coro::Yielder<usize, ()>| {
            let local = Cell::new(0_u8);
            y.yield_(black_box(std::ptr::from_ref(&local)).addr());
        };
        let mut first = Generator::<usize>::new(place);
        let mut second;
        let at = first.next();
        assert_eq!(first.next(), None);
        second = Generator::<usize>::new(place);
        assert_eq!(second.next(), at);
        assert!(first.is_finished());
    })
    .join()
    .unwrap();
}

#[test]
fn thread_locals_are_those_of_the_thread_on_both_sides_of_a_yield() {
    thread_local! {
        static LOG: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    }
    let threads: Vec<_> = (0..4_u32)
        .map(|id| {
            std::thread::spawn(move || {
                let generator = Generator::<u32>::new(move |y| {
                    LOG.with(|log| {
                        for n in 0..5 {
                            log.borrow_mut().push(id * 100 + n);
                            y.yield_(n);
                        }
                    });
                });
                for n in generator {
                    LOG.with_borrow_mut(|log| log.push(n));
                    std::thread::yield_now();
                }
                LOG.take()
            })
        })
        .collect();
    for (id, thread) in (0..).zip(threads) {
        let expected: Vec<_> = (0..5).flat_map(|n| [id * 100 + n, n]).collect();
        assert_eq!(thread.join().unwrap(), expected);
    }
}

#[test]
fn one_that_is_kept_in_a_thread_local_ends_with_its_thread() {
    thread_local! {
        static KEPT: RefCell<Option<Generator<u32>>> = const { RefCell::new(None) };
    }
    let (sender, receiver) = std::sync::mpsc::channel::<u32>();
    std::thread::spawn(move || {
        let mut generator = Generator::<u32>::new(move |y| {
            struct Tells(std::sync::mpsc::Sender<u32>);
            impl Drop for Tells {
                fn drop(&mut self) {
                    // Also a new coroutine can be made and used so late.
                    let late = Generator::<u32>::new(|y| y.yield_(6)).sum();
                    self.0.send(late).unwrap();
                }
            }
            let _tells = Tells(sender);
            y.yield_(1);
        });
        generator.next();
        KEPT.set(Some(generator));
    })
    .join()
    .unwrap();
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [6]);
}
