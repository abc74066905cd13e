//! Every operation that is awaited, polled once and dropped again and again, before and after it was told: nothing stays
//! behind, and what it was told of is there for the next. A million times where `TREFOIL_FULL=1` asks for it.
//!
//! `tasks.rs` has what waits for several tasks, `rare.rs` what is needed rarely, `told.rs` more of those who were told.

#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

#[path = "../common/mod.rs"]
mod common;
mod rare;
mod tasks;
mod told;

use common::{ByHand, LONG, many};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;
use sync::queue::{
    Buffer, DelayQueue, Delayed, GetError, LifoQueue, Overflow, Prioritized, PriorityQueue, broadcast, mpsc,
    oneshot, pubsub, spsc, watch,
};
use sync::select::Select;
use sync::{
    Barrier, CancelToken, Condvar, Event, Mutex, Queue, RwLock, Semaphore, park, promise, select_async, timer,
};

/// The system's, and counts what each thread has asked for and nobody has given back. A waker, for instance, is dropped by
/// the thread that wakes if that comes last, so before each piece lies whose it is. Miri lets nobody who has a piece look
/// before it: there all threads count together, and the tests run one by one.
struct Counting;

thread_local! {
    static KEPT: Cell<Option<&'static Kept>> = const { Cell::new(None) };
}

/// Of a thread, and never freed. Bytes show what grows in one piece.
struct Kept {
    pieces: AtomicIsize,
    bytes: AtomicIsize,
}

/// Of all threads, under Miri.
static TOGETHER: Kept = Kept { pieces: AtomicIsize::new(0), bytes: AtomicIsize::new(0) };

/// Before each piece.
type Owner = &'static Kept;

impl Kept {
    fn ours() -> Owner {
        if cfg!(miri) {
            return &TOGETHER;
        }
        KEPT.get().unwrap_or_else(|| {
            let new = Kept { pieces: AtomicIsize::new(0), bytes: AtomicIsize::new(0) };
            // SAFETY: the layout has a size.
            let place = unsafe { System.alloc(Layout::new::<Kept>()) }.cast::<Kept>();
            assert!(!place.is_null());
            // SAFETY: it is new, and has that layout.
            unsafe { place.write(new) };
            // SAFETY: it was written, and is never freed.
            let kept = unsafe { &*place };
            KEPT.set(Some(kept));
            kept
        })
    }

    fn now() -> (isize, isize) {
        let kept = Kept::ours();
        (kept.pieces.load(Ordering::SeqCst), kept.bytes.load(Ordering::SeqCst))
    }

    fn change(&self, pieces: isize, layout: Layout) {
        self.pieces.fetch_add(pieces, Ordering::SeqCst);
        self.bytes.fetch_add(pieces * layout.size() as isize, Ordering::SeqCst);
    }
}

/// The layout with its owner, and where the piece begins in it.
fn with_owner(layout: Layout) -> (Layout, usize) {
    Layout::new::<Owner>().extend(layout).expect("no piece is that large")
}

/// Where a piece's owner is noted.
fn owner_of(piece: *mut u8) -> *mut Owner {
    piece.cast::<Owner>().wrapping_sub(1)
}

// SAFETY: everything is handed on to the system's allocator, with place for the owner before it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (whole, begin) = with_owner(layout);
        let owner = Kept::ours();
        if cfg!(miri) {
            owner.change(1, layout);
            // SAFETY: the layout has a size.
            return unsafe { System.alloc(layout) };
        }
        // SAFETY: the layout has a size.
        let place = unsafe { System.alloc(whole) };
        if place.is_null() {
            return place;
        }
        owner.change(1, layout);
        // SAFETY: the layout of the whole is that large.
        let piece = unsafe { place.add(begin) };
        // SAFETY: the owner lies before the piece, which is aligned for both.
        unsafe { owner_of(piece).write(owner) };
        piece
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        let (whole, begin) = with_owner(layout);
        if cfg!(miri) {
            Kept::ours().change(-1, layout);
            // SAFETY: `piece` is of `alloc`, with this layout, as promised by the caller.
            return unsafe { System.dealloc(piece, layout) };
        }
        // SAFETY: `piece` is of `alloc`, with this layout, as promised by the caller, and `alloc` wrote its owner.
        let owner = unsafe { owner_of(piece).read() };
        owner.change(-1, layout);
        // SAFETY: it is where `alloc` began it, with this layout.
        let place = unsafe { piece.sub(begin) };
        // SAFETY: as before.
        unsafe { System.dealloc(place, whole) };
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What is allocated once and kept (blocks, for instance).
const ONCE: (isize, isize) = (40, 64 << 10);

#[track_caller]
fn again_and_again(mut once: impl FnMut()) {
    let before = Kept::now();
    (0..many()).for_each(|_| once());
    let kept = Kept::now();
    let (pieces, bytes) = (kept.0 - before.0, kept.1 - before.1);
    assert!(pieces < ONCE.0 && bytes < ONCE.1, "{pieces} allocations of {bytes} bytes stay behind");
}

/// `$told` is told by `$tell` and leaves; then `$next`, who came after it, is told and gets something.
macro_rules! told_of_and_left {
    ($told:expr, $next:expr, $tell:expr) => {{
        let told = ByHand::waiting($told);
        let mut next = ByHand::waiting($next);
        $tell;
        drop(told);
        assert!(next.is_told(), "what the first was told of is lost with it");
        next.poll().expect("what the first was told of is lost with it")
    }};
}

use told_of_and_left;

#[test]
fn a_mutex() {
    let mutex = Mutex::new(0);
    again_and_again(|| {
        let guard = mutex.lock();
        drop(ByHand::waiting(mutex.lock_async()));
        drop(ByHand::waiting(mutex.lock_async_timeout(LONG)));
        drop(told_of_and_left!(mutex.lock_async(), mutex.lock_async(), drop(guard)));
        drop(ByHand::waiting(mutex.when_async(|count| *count == 1)));
        drop(ByHand::waiting(mutex.when_async_timeout(|count| *count == 1, LONG)));
    });
    assert!(mutex.try_lock().is_some());
}

#[test]
fn an_rwlock() {
    let lock = RwLock::new(0);
    again_and_again(|| {
        let guard = lock.write();
        drop(ByHand::waiting(lock.read_async()));
        drop(ByHand::waiting(lock.read_async_timeout(LONG)));
        drop(ByHand::waiting(lock.upgradable_read_async()));
        drop(ByHand::waiting(lock.upgradable_read_async_timeout(LONG)));
        drop(ByHand::waiting(lock.write_async_timeout(LONG)));
        drop(told_of_and_left!(lock.write_async(), lock.write_async(), drop(guard)));
        let guard = lock.read();
        drop(told_of_and_left!(lock.write_async(), lock.write_async(), drop(guard)));
    });
    assert!(!lock.is_locked());
}

#[test]
fn a_condition_variable() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    again_and_again(|| {
        drop(ByHand::waiting(condvar.wait_async(mutex.lock())));
        drop(ByHand::waiting(condvar.wait_async_timeout(mutex.lock(), LONG)));
        drop(ByHand::waiting(condvar.wait_while_async(mutex.lock(), |()| true)));
        drop(ByHand::waiting(condvar.wait_while_async_timeout(mutex.lock(), |()| true, LONG)));
        drop(told_of_and_left!(
            condvar.wait_async(mutex.lock()),
            condvar.wait_async(mutex.lock()),
            condvar.notify_one()
        ));
    });
    assert_eq!(condvar.waiting(), 0);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_semaphore() {
    let semaphore = Semaphore::new(1);
    again_and_again(|| {
        let permit = semaphore.acquire().unwrap();
        drop(ByHand::waiting(semaphore.acquire_many_async(2)));
        drop(ByHand::waiting(semaphore.acquire_many_async_timeout(2, LONG)));
        drop(ByHand::waiting(semaphore.acquire_async_timeout(LONG)));
        drop(told_of_and_left!(semaphore.acquire_async(), semaphore.acquire_async(), drop(permit)).unwrap());
    });
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn events() {
    let (event, one) = (Event::new(), Event::auto_reset());
    again_and_again(|| {
        drop(ByHand::waiting(event.wait_async_timeout(LONG)));
        told_of_and_left!(event.wait_async(), event.wait_async(), event.set());
        event.clear();
        drop(ByHand::waiting(one.wait_async_timeout(LONG)));
        told_of_and_left!(one.wait_async(), one.wait_async(), one.set());
        assert!(!one.is_set(), "one set let one through");
    });
}

#[test]
fn a_barrier() {
    let barrier = Barrier::new(2);
    again_and_again(|| {
        drop(ByHand::waiting(barrier.wait_async()));
        drop(ByHand::waiting(barrier.wait_async_timeout(LONG)));
    });
    assert_eq!(barrier.arrived(), 0);
    assert!(barrier.try_wait().is_err(), "nobody else is there");
}

/// Of a queue: who waits for an item, for room, and for all to be done.
macro_rules! queue {
    ($name:ident: $empty:expr, $full:expr, $item:expr) => {
        #[test]
        fn $name() {
            let (empty, full) = ($empty, $full);
            let places = full.capacity().expect("a bound");
            (0..places).for_each(|_| full.put($item).unwrap());
            empty.put($item).unwrap();
            drop(empty.get());
            again_and_again(|| {
                drop(ByHand::waiting(empty.get_async_timeout(LONG)));
                drop(ByHand::waiting(empty.join_async()));
                drop(ByHand::waiting(empty.join_async_timeout(LONG)));
                let item = told_of_and_left!(empty.get_async(), empty.get_async(), empty.put($item).unwrap());
                assert!(item.is_ok());
                empty.task_done();
                drop(ByHand::waiting(full.put_async($item)));
                drop(ByHand::waiting(full.put_async_timeout($item, LONG)));
                drop(full.get());
                full.put($item).unwrap();
            });
            assert!(empty.is_empty());
            assert_eq!(full.len(), places, "who left has put nothing");
        }
    };
}

queue!(a_ring: Queue::bounded(3), Queue::bounded(3), Box::new(1));
queue!(blocks: Queue::unbounded(), Queue::bounded(2), Box::new(1));
queue!(one_place: Queue::bounded(1), Queue::bounded(1), Box::new(1));
queue!(last_in_first_out: LifoQueue::unbounded(), LifoQueue::bounded(2), Box::new(1));
queue!(by_priority: PriorityQueue::unbounded(), PriorityQueue::bounded(2), Prioritized::new(1, Box::new(1)));
queue!(by_time: DelayQueue::unbounded(), DelayQueue::bounded(2), Delayed::after(Duration::ZERO, Box::new(1)));

#[test]
fn room_that_somebody_was_told_of_and_left() {
    let (ring, lifo) = (Queue::bounded(2), LifoQueue::bounded(1));
    (0..2).for_each(|item| ring.put(Box::new(item)).unwrap());
    lifo.put(Box::new(0)).unwrap();
    again_and_again(|| {
        told_of_and_left!(ring.put_async(Box::new(1)), ring.put_async(Box::new(2)), drop(ring.get()))
            .unwrap();
        told_of_and_left!(lifo.put_async(Box::new(1)), lifo.put_async(Box::new(2)), drop(lifo.get()))
            .unwrap();
    });
    assert_eq!((ring.len(), lifo.len()), (2, 1));
}

#[test]
fn a_queue_without_places() {
    let queue = Queue::rendezvous();
    again_and_again(|| {
        drop(ByHand::waiting(queue.put_async(Box::new(1))));
        drop(ByHand::waiting(queue.put_async_timeout(Box::new(2), LONG)));
        drop(ByHand::waiting(queue.get_async()));
        drop(ByHand::waiting(queue.get_async_timeout(LONG)));
        assert!(queue.try_put(Box::new(3)).is_err() && queue.try_get().is_err());
    });
}

#[test]
fn a_buffer() {
    let buffer = Buffer::new(1, Overflow::Block);
    again_and_again(|| {
        drop(ByHand::waiting(buffer.get_async()));
        drop(ByHand::waiting(buffer.get_async_timeout(LONG)));
        buffer.put(Box::new(1)).unwrap();
        drop(ByHand::waiting(buffer.put_async_timeout(Box::new(2), LONG)));
        let put = told_of_and_left!(
            buffer.put_async(Box::new(3)),
            buffer.put_async(Box::new(4)),
            drop(buffer.get())
        );
        assert_eq!(put, Ok(None));
        assert_eq!(buffer.get(), Ok(Box::new(4)));
    });
}

#[test]
fn lone_ends() {
    let (mut one, mut from_one) = spsc::bounded(1);
    let (many, mut from_many) = mpsc::bounded(1);
    again_and_again(|| {
        drop(ByHand::waiting(from_one.get_async()));
        drop(ByHand::waiting(from_one.get_async_timeout(LONG)));
        drop(ByHand::waiting(from_many.get_async()));
        drop(ByHand::waiting(from_many.get_async_timeout(LONG)));
        one.try_put(Box::new(1)).unwrap();
        many.try_put(Box::new(1)).unwrap();
        drop(ByHand::waiting(one.put_async(Box::new(2))));
        drop(ByHand::waiting(one.put_async_timeout(Box::new(2), LONG)));
        drop(ByHand::waiting(many.put_async_timeout(Box::new(2), LONG)));
        told_of_and_left!(
            many.put_async(Box::new(3)),
            many.put_async(Box::new(4)),
            assert_eq!(from_many.try_get(), Ok(Box::new(1)))
        )
        .unwrap();
        assert_eq!((from_one.try_get(), from_many.try_get()), (Ok(Box::new(1)), Ok(Box::new(4))));
    });
    assert_eq!((from_one.try_get(), from_many.try_get()), (Err(GetError::Empty), Err(GetError::Empty)));
}

#[test]
fn the_way_for_one_item() {
    again_and_again(|| {
        let (sender, receiver) = oneshot::channel();
        drop(ByHand::waiting(receiver.get_async_timeout(LONG)));
        drop(ByHand::waiting(sender.closed_async()));
        drop(ByHand::waiting(sender.closed_async_timeout(LONG)));
        let item =
            told_of_and_left!(receiver.get_async(), receiver.get_async(), sender.send(Box::new(1)).unwrap());
        assert_eq!(item, Ok(Box::new(1)));
    });
}

#[test]
fn what_is_told_to_all() {
    let (shouts, mut ears) = broadcast::channel(2);
    let (board, mut eyes) = watch::channel(Box::new(0));
    let topics = pubsub::PubSub::new(2);
    let mut subscribed = topics.subscribe("all");
    again_and_again(|| {
        drop(ByHand::waiting(ears.get_async_timeout(LONG)));
        drop(ByHand::waiting(eyes.changed_async_timeout(LONG)));
        drop(ByHand::waiting(eyes.wait_for_async(|value| **value == 2)));
        drop(ByHand::waiting(eyes.wait_for_async_timeout(|value| **value == 2, LONG)));
        drop(ByHand::waiting(subscribed.get_async_timeout(LONG)));
        // With and without a limit, of the same receivers.
        macro_rules! told {
            ($get:ident, $changed:ident $(, $limit:expr)?) => {
                let told = (
                    ByHand::waiting(ears.$get($($limit)?)),
                    ByHand::waiting(eyes.$changed($($limit)?)),
                    ByHand::waiting(subscribed.$get($($limit)?)),
                );
                shouts.send(Box::new(1)).unwrap();
                drop(board.send(Box::new(1)));
                assert_eq!(topics.publish("all", Box::new(1)), 1);
                assert!(told.0.is_told() && told.1.is_told() && told.2.is_told());
                drop(told);
                assert_eq!((ears.try_get(), subscribed.try_get()), (Ok(Box::new(1)), Ok(Box::new(1))));
                assert_eq!(**eyes.try_changed().expect("who left has not seen it"), 1);
            };
        }
        told!(get_async, changed_async);
        told!(get_async_timeout, changed_async_timeout, LONG);
    });
}

#[test]
fn tasks_tokens_and_times() {
    let token = CancelToken::new();
    again_and_again(|| {
        drop(ByHand::waiting(token.wait_async()));
        drop(ByHand::waiting(token.wait_async_timeout(LONG)));
        drop(ByHand::waiting(timer::sleep(LONG)));
        let (promise, mut task) = promise();
        drop(ByHand::waiting(&mut task));
        let told = ByHand::waiting(&mut task);
        promise.finish(Ok(Box::new(1)));
        assert!(told.is_told());
        drop(told);
        assert_eq!(park::block_on(task).expect("it has ended"), Box::new(1));
        // A handle that is dropped after it was told takes the result with it, to the heap.
        let (promise, task) = sync::promise();
        let told = ByHand::waiting(task);
        promise.finish(Ok(Box::new(2)));
        drop(told);
    });
    assert!(!token.is_cancelled());
}

#[test]
fn a_select() {
    let (queue, mutex, event) = (Queue::unbounded(), Mutex::new(()), Event::new());
    again_and_again(|| {
        let guard = mutex.lock();
        let select = || async {
            select_async! {
                item = queue.get_async() => drop::<Result<Box<u32>, _>>(item),
                guard = mutex.lock_async() => drop(guard),
                () = event.wait_async() => (),
            }
        };
        drop(ByHand::waiting(select()));
        let mut many = Select::new();
        many.arm(async { drop(mutex.lock_async().await) });
        many.arm(event.wait_async());
        drop(ByHand::waiting(many.wait_async()));
        // Told of the lock, it leaves with it; the next one behind it is not a select.
        let told = ByHand::waiting(select());
        let mut next = ByHand::waiting(mutex.lock_async());
        drop(guard);
        drop(told);
        assert!(next.is_told() && next.poll().is_some(), "the lock is lost with a select");
        queue.put(Box::new(1)).unwrap();
        // Item or lock, whichever is asked for first.
        assert!(ByHand::new(select()).poll().is_some());
        drop(queue.try_get());
    });
    assert!(queue.is_empty() && mutex.try_lock().is_some());
}
