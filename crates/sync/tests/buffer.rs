//! The buffer: what each policy does when it is full, in all ways to put.

mod common;

use common::{ByHand, Counted, LONG, SHORT};
use std::thread;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::queue::{Buffer, Overflow};

/// The answer of `wait`, which must take at least `SHORT`.
#[track_caller]
fn late<R>(wait: impl FnOnce() -> R) -> R {
    let begin = Instant::now();
    let answer = wait();
    assert!(begin.elapsed() >= SHORT, "it gave up after {:?} already", begin.elapsed());
    answer
}

#[test]
fn a_buffer_waits_for_room_only_under_the_policy_that_says_so() {
    let buffer = Buffer::new(1, Overflow::Block);
    assert_eq!(buffer.put(0), Ok(None));
    assert!(buffer.try_put(1).unwrap_err().is_full());
    assert!(late(|| buffer.put_timeout(1, SHORT)).unwrap_err().is_timeout());
    assert!(late(|| block_on(buffer.put_async_timeout(1, SHORT))).unwrap_err().is_timeout());
    thread::scope(|scope| {
        scope.spawn(|| buffer.put(1).unwrap());
        scope.spawn(|| buffer.put_timeout(2, LONG).unwrap());
        scope.spawn(|| block_on(buffer.put_async(3)).unwrap());
        scope.spawn(|| block_on(buffer.put_async_timeout(4, LONG)).unwrap());
        let mut numbers = vec![buffer.get().unwrap(), buffer.get_timeout(LONG).unwrap()];
        numbers.push(block_on(buffer.get_async()).unwrap());
        numbers.push(block_on(buffer.get_async_timeout(LONG)).unwrap());
        numbers.extend(buffer.iter().take(1));
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    });
    for (overflow, expected) in [(Overflow::DropOldest, Some(1)), (Overflow::DropNewest, Some(2))] {
        type Put = fn(&Buffer<u32>) -> Option<u32>;

        let buffer = Buffer::new(1, overflow);
        let put: [Put; 4] = [
            |buffer| buffer.put(2).unwrap(),
            |buffer| buffer.put_timeout(2, LONG).unwrap(),
            |buffer| block_on(buffer.put_async(2)).unwrap(),
            |buffer| block_on(buffer.put_async_timeout(2, LONG)).unwrap(),
        ];
        for put in put {
            drop(buffer.drain());
            buffer.put(1).unwrap();
            assert_eq!((put(&buffer), buffer.len()), (expected, 1));
        }
        buffer.close();
        assert!(buffer.put(3).unwrap_err().is_closed());
    }
}

#[test]
fn who_waits_for_an_item_gets_it_under_every_policy() {
    for overflow in [Overflow::Block, Overflow::DropOldest, Overflow::DropNewest, Overflow::Error] {
        let buffer = Buffer::new(2, overflow);
        type Put = fn(&Buffer<u32>) -> Option<u32>;
        let ways: [Put; 5] = [
            |buffer| buffer.try_put(1).unwrap(),
            |buffer| buffer.put(1).unwrap(),
            |buffer| buffer.put_timeout(1, LONG).unwrap(),
            |buffer| block_on(buffer.put_async(1)).unwrap(),
            |buffer| block_on(buffer.put_from_async(&mut Some(1))).unwrap(),
        ];
        for put in ways {
            let mut waiting = [(); 3].map(|()| ByHand::waiting(buffer.get_async()));
            assert_eq!((put(&buffer), put(&buffer)), (None, None));
            let told = waiting.each_ref().map(ByHand::is_told);
            assert_eq!(told, [true, true, false], "one for each item, under {overflow:?}");
            assert_eq!((waiting[0].poll(), waiting[1].poll()), (Some(Ok(1)), Some(Ok(1))));
            buffer.task_done();
            buffer.task_done();
        }
        thread::scope(|scope| {
            let blocked = [scope.spawn(|| buffer.get()), scope.spawn(|| buffer.get_timeout(LONG))];
            assert_eq!((buffer.put(2), buffer.put(2)), (Ok(None), Ok(None)));
            assert_eq!(blocked.map(|blocked| blocked.join().unwrap()), [Ok(2), Ok(2)]);
        });
        buffer.task_done();
        buffer.task_done();
        // What is given back, or not taken in, is nobody's to do.
        for number in 0..3 {
            _ = buffer.try_put(number);
        }
        assert_eq!(buffer.unfinished(), 2, "under {overflow:?}");
    }
}

#[test]
fn a_put_that_waits_gets_its_item_in_or_back() {
    let items = Counted::default();
    let buffer = Buffer::new(1, Overflow::Block);
    buffer.put(items.clone()).unwrap();
    assert!(buffer.put_timeout(items.clone(), Duration::ZERO).is_err());
    let first = ByHand::waiting(buffer.put_async(items.clone()));
    let mut second = ByHand::waiting(buffer.put_async(items.clone()));
    drop(buffer.get().unwrap());
    assert!(first.is_told() && !second.is_told());
    drop(first);
    assert!(second.is_told(), "the room is lost with the one who was told of it");
    assert!(second.poll().expect("there is room").is_ok());
    assert_eq!((buffer.len(), items.others()), (1, 1));
    let third = ByHand::waiting(buffer.put_async_timeout(items.clone(), LONG));
    drop(third);
    assert_eq!((buffer.len(), items.others()), (1, 1));
    let mut fourth = ByHand::waiting(buffer.put_async(items.clone()));
    buffer.close();
    assert!(fourth.is_told());
    assert!(fourth.poll().expect("it is closed").unwrap_err().is_closed());
    drop((second, fourth));
    drop(buffer);
    assert_eq!(items.others(), 0);
}

#[test]
fn one_that_refuses_refuses_at_once_in_every_way() {
    let buffer = Buffer::new(1, Overflow::Error);
    assert_eq!(buffer.put(1), Ok(None));
    assert!(buffer.try_put(2).unwrap_err().is_full());
    assert!(buffer.put(2).unwrap_err().is_full());
    assert!(buffer.put_timeout(2, LONG).unwrap_err().is_full());
    assert!(block_on(buffer.put_async(2)).unwrap_err().is_full());
    assert!(block_on(buffer.put_async_timeout(2, LONG)).unwrap_err().is_full());
    assert_eq!(buffer.get(), Ok(1));
}
