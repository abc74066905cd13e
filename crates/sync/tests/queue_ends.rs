//! Channels whose ends know that they are the only ones: what they pass on, and what happens when an end goes.

mod common;

use common::{ByHand, Counted, LONG, SHORT, await_waiters};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::thread;
use std::time::Duration;
use sync::Event;
use sync::park::block_on;
use sync::queue::{GetError, mpsc, spsc};

const ITEMS: u64 = if cfg!(miri) { 60 } else { 6_000 };
const MANY: usize = if cfg!(miri) { 20 } else { 10_000 };

/// Capacities of a ring of one, of more, and of a chain of blocks.
const CAPACITIES: [usize; 4] = [1, 3, 1024, 100_000];

fn one_to_one(mut sender: spsc::Sender<u64>, mut receiver: spsc::Receiver<u64>, a_task_gets: bool) {
    let sending = thread::spawn(move || {
        for number in 0..ITEMS {
            match number % 1000 {
                0 => block_on(sender.put_async(number)).unwrap(),
                1 => sender.put_timeout(number, LONG).unwrap(),
                2 => block_on(sender.put_async_timeout(number, LONG)).unwrap(),
                _ => sender.put(number).unwrap(),
            }
        }
    });
    for due in 0..ITEMS {
        let number = match (a_task_gets, due % 1000) {
            (true, _) | (_, 5) => block_on(receiver.get_async()),
            (_, 6) => receiver.get_timeout(Duration::MAX),
            (_, 7) => block_on(receiver.get_async_timeout(LONG)),
            _ => receiver.get(),
        };
        assert_eq!(number, Ok(due));
    }
    assert_eq!(receiver.get(), Err(GetError::Closed));
    sending.join().unwrap();
}

#[test]
fn items_pass_from_one_to_one_in_order() {
    for a_task_gets in [false, true] {
        for capacity in CAPACITIES {
            let (sender, receiver) = spsc::bounded(capacity);
            one_to_one(sender, receiver, a_task_gets);
        }
        let (sender, receiver) = spsc::unbounded();
        one_to_one(sender, receiver, a_task_gets);
    }
}

#[test]
fn items_pass_from_many_to_one() {
    for capacity in CAPACITIES.map(Some).into_iter().chain([None]) {
        let (sender, mut receiver) = capacity.map_or_else(mpsc::unbounded, mpsc::bounded);
        let sending: Vec<_> = (0..3_u64)
            .map(|producer| {
                let sender = sender.clone();
                thread::spawn(move || {
                    (0..ITEMS / 3).for_each(|number| match number % 100 {
                        0 => block_on(sender.put_async(3 * number + producer)).unwrap(),
                        _ => sender.put(3 * number + producer).unwrap(),
                    });
                })
            })
            .collect();
        drop(sender);
        let mut numbers: Vec<u64> = receiver.iter().collect();
        for producer in 0..3 {
            assert!(numbers.iter().filter(|number| **number % 3 == producer).is_sorted());
        }
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..ITEMS / 3 * 3));
        sending.into_iter().for_each(|it| it.join().unwrap());
    }
}

#[test]
fn a_put_that_has_lost_or_is_refused_leaves_the_item_with_its_owner() {
    macro_rules! ends {
        ($sender:ident, $receiver:ident) => {
            let (mut item, event) = (Some(1), Event::auto_reset());
            assert!(block_on($sender.put_from_async(&mut item)).is_ok() && item.is_none());
            item = Some(2);
            event.set();
            let put = sync::select! {
                _done = $sender.put_from_async(&mut item) => true,
                () = event.wait_async() => false,
            };
            assert!(!put && item == Some(2), "it was not put");
            let mut waiting = ByHand::waiting($sender.put_from_async(&mut item));
            assert_eq!($receiver.get(), Ok(1));
            assert!(waiting.poll().unwrap().is_ok());
            drop(waiting);
            assert!(item.is_none(), "it is in");
            let nothing = sync::catch(AssertUnwindSafe(|| block_on($sender.put_from_async(&mut item))));
            assert!(nothing.unwrap_err().to_string().contains("`item` is `None`"));
            item = Some(3);
            let mut waiting = ByHand::waiting($sender.put_from_async(&mut item));
            drop($receiver);
            assert!(waiting.poll().unwrap().unwrap_err().is_closed());
            drop(waiting);
            assert_eq!(item, Some(3));
        };
    }
    let (mut sender, mut receiver) = spsc::bounded(1);
    ends!(sender, receiver);
    let (sender, mut receiver) = mpsc::bounded(1);
    ends!(sender, receiver);
}

#[test]
fn a_sender_behind_a_task_that_does_not_come_gets_the_room() {
    let (sender, mut receiver) = mpsc::bounded(1);
    sender.put(1).unwrap();
    let mut sleepy = ByHand::waiting(sender.put_async(2));
    thread::scope(|scope| {
        let sending = scope.spawn(|| sender.put(3));
        await_waiters(&sender, 2);
        assert_eq!(receiver.get(), Ok(1));
        sending.join().unwrap().unwrap();
    });
    assert!(sleepy.is_told() && sleepy.poll().is_none());
    assert_eq!(receiver.get(), Ok(3));
    assert!(sleepy.poll().unwrap().is_ok());
    assert_eq!(receiver.get(), Ok(2));
}

#[test]
fn an_answer_to_each_item_comes_before_the_next() {
    let ((mut ask, mut asked), (mut answer, mut answered)) = (spsc::bounded(4), spsc::unbounded());
    let server = thread::spawn(move || asked.iter().for_each(|number: u64| answer.put(number + 1).unwrap()));
    for number in 0..ITEMS / 10 {
        ask.put(number).unwrap();
        assert_eq!(answered.get(), Ok(number + 1));
    }
    drop(ask);
    server.join().unwrap();
    assert_eq!(answered.get(), Err(GetError::Closed));
}

#[test]
fn a_lone_end_that_changes_how_it_publishes_wakes_all_the_same() {
    // More than the items without anybody waiting after which an end is as it was at the beginning.
    const CALM: usize = if cfg!(miri) { 200 } else { 5_000 };
    let (mut sender, mut receiver) = spsc::unbounded();
    for _ in 0..3 {
        // Who waits again and again while no item comes finds the kernel's barrier too dear, and asks the sender to make
        // one for each item. The sender learns of it with the first item, and the next wait relies on that.
        for number in 0..8 {
            drop(ByHand::waiting(receiver.get_async()));
            let mut waiting = ByHand::waiting(receiver.get_async());
            sender.put(number).unwrap();
            assert!(waiting.is_told(), "item {number} woke nobody");
            assert_eq!(waiting.poll(), Some(Ok(number)));
        }
        for number in 0..CALM {
            sender.put(number).unwrap();
            assert_eq!(receiver.try_get(), Ok(number));
        }
    }
}

#[test]
fn a_lone_end_that_changes_how_it_publishes_keeps_no_thread_asleep() {
    const CALM: u64 = if cfg!(miri) { 50 } else { 5_000 };
    let ((mut ask, mut asked), (mut answer, mut answered)) = (spsc::bounded(8_192), spsc::bounded(8_192));
    thread::scope(|scope| {
        scope.spawn(move || asked.iter().for_each(|number: u64| answer.put(number).unwrap()));
        for _ in 0..if cfg!(miri) { 2 } else { 5 } {
            // One by one, so that both wait for each item and ask for barriers; then many, so that both stop.
            for number in 0..200.min(CALM) {
                ask.put(number).unwrap();
                assert_eq!(answered.get(), Ok(number));
            }
            (0..CALM).for_each(|number| ask.put(number).unwrap());
            (0..CALM).for_each(|number| assert_eq!(answered.get(), Ok(number)));
        }
        drop(ask);
    });
}

#[test]
fn a_receiver_that_goes_refuses_and_drops_what_is_unread() {
    let items = Counted::default();
    let (mut one, its) = spsc::bounded(2);
    let (many, theirs) = mpsc::bounded(2);
    for _ in 0..2 {
        one.put(items.clone()).unwrap();
        many.put(items.clone()).unwrap();
    }
    let mut waiting = ByHand::waiting(many.put_async(items.clone()));
    thread::scope(|scope| {
        let blocked = scope.spawn(|| one.put(items.clone()));
        drop((its, theirs));
        assert!(blocked.join().unwrap().unwrap_err().is_closed());
    });
    assert_eq!(waiting.wakes(), 1);
    assert!(waiting.poll().unwrap().unwrap_err().is_closed());
    drop(waiting);
    assert_eq!(items.others(), 0);
    assert!(one.is_closed() && many.is_closed());
    assert!(one.try_put(items.clone()).unwrap_err().is_closed());
    assert!(many.try_put(items.clone()).unwrap_err().is_closed());
}

#[test]
fn what_was_sent_is_there_after_the_sender_went() {
    let (mut one, mut its) = spsc::unbounded();
    let (many, mut theirs) = mpsc::unbounded();
    for number in 0..3 {
        one.put(number).unwrap();
        many.clone().put(number).unwrap();
    }
    assert!(!theirs.is_closed(), "one sender is left");
    drop((one, many));
    assert!(its.is_closed() && theirs.is_closed());
    assert_eq!((its.len(), theirs.len()), (3, 3));
    assert!(its.try_iter().eq(0..3) && theirs.try_iter().eq(0..3));
    assert_eq!((its.try_get(), theirs.try_get()), (Err(GetError::Closed), Err(GetError::Closed)));
}

#[test]
fn items_that_both_ends_leave_behind_are_dropped() {
    for count in [0, 1, 2_100] {
        let items = Counted::default();
        let (mut one, its) = spsc::unbounded();
        let (many, theirs) = mpsc::bounded(50_000);
        for _ in 0..count {
            one.put(items.clone()).unwrap();
            many.put(items.clone()).unwrap();
        }
        assert_eq!(items.others(), 2 * count);
        drop((one, many, its, theirs));
        assert_eq!(items.others(), 0);
    }
}

#[test]
fn a_sender_that_goes_ends_every_wait() {
    for round in 0..if cfg!(miri) { 10 } else { 1_000 } {
        let (mut one, mut its) = spsc::bounded::<u32>(1);
        let (many, mut theirs) = mpsc::bounded::<u32>(1);
        thread::scope(|scope| {
            scope.spawn(move || assert_eq!(its.iter().count(), 1));
            scope.spawn(move || {
                assert_eq!(block_on(async { theirs.get_async().await }), Err(GetError::Closed));
            });
            scope.spawn(move || {
                (0..round % 100).for_each(|_| std::hint::spin_loop());
                one.put(1).unwrap();
                drop((one, many));
            });
        });
    }
}

#[test]
fn a_limit_takes_nothing_with_it() {
    let (mut sender, mut receiver) = spsc::bounded(1);
    assert!(receiver.get_timeout(SHORT).unwrap_err().is_timeout());
    assert!(block_on(receiver.get_async_timeout(SHORT)).unwrap_err().is_timeout());
    sender.put(1).unwrap();
    assert_eq!(sender.put_timeout(2, SHORT).unwrap_err().into_inner(), 2);
    assert_eq!(block_on(sender.put_async_timeout(3, SHORT)).unwrap_err().into_inner(), 3);
    assert!(sender.try_put(4).unwrap_err().is_full());
    assert_eq!((receiver.get(), receiver.try_get()), (Ok(1), Err(GetError::Empty)));
}

#[test]
fn futures_that_were_polled_once_and_dropped_lose_nothing() {
    let (sender, mut receiver) = mpsc::bounded(1);
    for number in 0..MANY {
        drop(ByHand::waiting(receiver.get_async()));
        sender.put(number).unwrap();
        drop(ByHand::waiting(sender.put_async(0)));
        let first = ByHand::waiting(sender.put_async(0));
        let mut second = ByHand::waiting(sender.put_async(number + 1));
        assert_eq!(receiver.get(), Ok(number));
        // Told, and gone: the room goes to the next.
        assert_eq!((first.wakes(), second.wakes()), (1, 0));
        drop(first);
        assert_eq!(second.wakes(), 1);
        assert!(second.poll().unwrap().is_ok());
        drop(second);
        assert_eq!(receiver.get(), Ok(number + 1));
    }
    assert!(format!("{sender:?}").contains("waiting: 0"), "{sender:?}");
}

/// Of either kind, with whatever puts an item at its other end.
macro_rules! streams_alike {
    ($($test:ident: $channel:expr;)*) => {$(
        #[test]
        fn $test() {
            #[allow(unused_mut, reason = "one of the two kinds needs it")]
            let (mut sender, mut receiver) = $channel;
            {
                let mut stream = pin!(receiver.stream());
                sender.put(1).unwrap();
                assert_eq!(block_on(stream.as_mut().next()), Some(1), "what is there");
                let mut next = ByHand::waiting(stream.as_mut().next());
                sender.put(2).unwrap();
                assert_eq!((next.wakes(), next.poll()), (1, Some(Some(2))), "what comes");
                drop(next);
                // The stream waits on where only the future of the next item is dropped.
                drop(ByHand::waiting(stream.as_mut().next()));
                let again = ByHand::waiting(stream.as_mut().next());
                sender.put(3).unwrap();
                assert_eq!(again.wakes(), 1);
            }
            assert_eq!(receiver.try_get(), Ok(3), "a stream that was told and dropped has taken nothing");
            drop(sender);
            assert_eq!(block_on(pin!(receiver.stream()).next()), None, "closed and empty");
        }
    )*};
}

streams_alike! {
    a_stream_of_one_sender_gives_what_comes: spsc::bounded(2);
    a_stream_of_many_senders_gives_what_comes: mpsc::bounded(2);
    a_stream_of_one_sender_without_a_bound_gives_what_comes: spsc::unbounded();
    a_stream_of_many_senders_without_a_bound_gives_what_comes: mpsc::unbounded();
}

#[test]
fn a_stream_gives_what_a_thread_sends() {
    for capacity in CAPACITIES {
        let (mut sender, mut receiver) = spsc::bounded(capacity);
        let sending = thread::spawn(move || (0..ITEMS).for_each(|number| sender.put(number).unwrap()));
        let mut stream = pin!(receiver.stream());
        for due in 0..ITEMS {
            assert_eq!(block_on(stream.as_mut().next()), Some(due));
        }
        assert_eq!(block_on(stream.next()), None);
        sending.join().unwrap();
    }
}
