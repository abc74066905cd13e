//! A select over everything that there is to wait for, all of it ready: each arm wins as often, and what lost is as it was.

mod common;

use common::{ByHand, LONG};
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};
use sync::extra::{Latch, Notify, OnceCell, WaitGroup};
use sync::park::block_on;
use sync::queue::pubsub::{PubSub, Subscription};
use sync::queue::{
    Buffer, DelayQueue, Delayed, LifoQueue, Overflow, PriorityQueue, broadcast, mpsc, oneshot, spsc, watch,
};
use sync::select::Select;
use sync::task::Promise;
use sync::{CancelToken, Event, Mutex, Queue, RwLock, Semaphore, Task, promise, select, select_async, timer};

/// What is ready before each round, and again after it.
struct Ready {
    full: Queue<u8>,
    stack: LifoQueue<u8>,
    empty: Queue<u8>,
    mutex: Mutex<()>,
    lock: RwLock<()>,
    permits: Semaphore,
    event: Event,
    past: Instant,
}

const ARMS: usize = 8;

impl Ready {
    fn new() -> Self {
        let ready = Ready {
            full: Queue::bounded(2),
            stack: LifoQueue::unbounded(),
            empty: Queue::bounded(1),
            mutex: Mutex::new(()),
            lock: RwLock::new(()),
            permits: Semaphore::new(1),
            event: Event::new(),
            past: Instant::now(),
        };
        ready.full.put(1).unwrap();
        ready.full.put(1).unwrap();
        ready.stack.put(1).unwrap();
        ready.event.set();
        ready
    }

    /// All is as it was but for what the winner did, and is then as it was.
    fn restore(&self, winner: usize) {
        assert_eq!(self.full.len(), if winner == 0 { 1 } else { 2 });
        assert_eq!(self.stack.len(), usize::from(winner != 1));
        assert_eq!(self.empty.len(), usize::from(winner == 2));
        assert!(self.mutex.try_lock().is_some() && self.lock.try_write().is_some());
        assert_eq!(self.permits.available(), 1);
        match winner {
            0 => self.full.put(1).unwrap(),
            1 => self.stack.put(1).unwrap(),
            2 => assert_eq!(self.empty.get(), Ok(1)),
            _ => {}
        }
    }

    fn arms(&self) -> Select<'_, usize> {
        let mut select = Select::new();
        select.arm(async { self.full.get_async().await.map_or(ARMS, |_| 0) });
        select.arm(async { self.stack.get_async().await.map_or(ARMS, |_| 1) });
        select.arm(async { self.empty.put_async(1).await.map_or(ARMS, |()| 2) });
        select.arm(async {
            drop(self.mutex.lock_async().await);
            3
        });
        select.arm(async {
            drop(self.lock.write_async().await);
            4
        });
        select.arm(async { self.permits.acquire_async().await.map_or(ARMS, |_| 5) });
        select.arm(async {
            self.event.wait_async().await;
            6
        });
        select.arm(async {
            timer::sleep_until(self.past).await;
            7
        });
        select
    }
}

/// The same arms, fixed.
macro_rules! over {
    ($select:ident, $ready:expr, $($last:tt)*) => {{
        let ready: &Ready = $ready;
        $select! {
            item = ready.full.get_async() => item.map_or(ARMS, |_| 0),
            item = ready.stack.get_async() => item.map_or(ARMS, |_| 1),
            done = ready.empty.put_async(1) => done.map_or(ARMS, |()| 2),
            _guard = ready.mutex.lock_async() => 3,
            _guard = ready.lock.write_async() => 4,
            permit = ready.permits.acquire_async() => permit.map_or(ARMS, |_| 5),
            () = ready.event.wait_async() => 6,
            () = timer::sleep_until(ready.past) => 7,
            $($last)*
        }
    }};
}

#[test]
fn queues_locks_events_and_times_that_are_ready_win_as_often_in_every_way() {
    const ROUNDS: usize = if cfg!(miri) { 8 } else { 2_400 };
    // 300 each; the deviation is 16.
    let fair = if cfg!(miri) { 0..9 } else { 200..400 };
    let ways: [fn(&Ready) -> usize; 13] = [
        |ready| over!(select, ready,),
        |ready| over!(select, ready, default => ARMS),
        |ready| over!(select, ready, after(Duration::ZERO) => ARMS),
        |ready| over!(select, ready, until(Instant::now() + LONG) => ARMS),
        |ready| block_on(async { over!(select_async, ready,) }),
        |ready| block_on(async { over!(select_async, ready, default => ARMS) }),
        |ready| block_on(async { over!(select_async, ready, after(LONG) => ARMS) }),
        |ready| block_on(async { over!(select_async, ready, until(ready.past) => ARMS) }),
        |ready| ready.arms().wait().1,
        |ready| ready.arms().try_wait().map_or(ARMS, |won| won.1),
        |ready| ready.arms().wait_timeout(Duration::ZERO).map_or(ARMS, |won| won.1),
        |ready| block_on(ready.arms().wait_async()).1,
        |ready| block_on(ready.arms().wait_async_timeout(LONG)).map_or(ARMS, |won| won.1),
    ];
    for (number, way) in ways.into_iter().enumerate() {
        let (ready, mut wins) = (Ready::new(), [0; ARMS + 1]);
        for _ in 0..ROUNDS {
            let winner = way(&ready);
            wins[winner] += 1;
            ready.restore(winner);
        }
        assert!(wins[..ARMS].iter().all(|count| fair.contains(count)), "way {number}: {wins:?}");
        assert_eq!(wins[ARMS], 0, "way {number}: something else won over what was ready");
    }
}

/// Everything that can be waited for with a shared reference; none of it is ready.
struct Things {
    /// With an item to come: in a ring, without places, with one place, and without a bound.
    queues: [Queue<u32>; 4],
    stack: LifoQueue<u32>,
    first: PriorityQueue<u32>,
    later: DelayQueue<u32>,
    buffer: Buffer<u32>,
    /// With room to come.
    full: [Queue<u32>; 2],
    full_stack: LifoQueue<u32>,
    full_buffer: Buffer<u32>,
    mutex: Mutex<()>,
    read: RwLock<()>,
    write: RwLock<()>,
    upgradable: RwLock<()>,
    permits: Semaphore,
    event: Event,
    bell: Event,
    notify: Notify,
    latch: Latch,
    token: CancelToken,
    group: WaitGroup,
    cell: OnceCell<u32>,
}

/// The ends that one alone has.
struct Ends {
    many: mpsc::Receiver<u32>,
    one: spsc::Receiver<u32>,
    once: oneshot::Receiver<u32>,
    all: broadcast::Receiver<u32>,
    topic: Subscription<u8, u32>,
    eyes: watch::Receiver<u32>,
    task: Task<u32>,
    /// With room to come.
    to_many: mpsc::Sender<u32>,
    to_one: spsc::Sender<u32>,
    /// Whose other end will go.
    heard: oneshot::Sender<u32>,
}

/// And the others, by which they become ready.
struct Others {
    many: mpsc::Sender<u32>,
    one: spsc::Sender<u32>,
    once: Option<oneshot::Sender<u32>>,
    all: broadcast::Sender<u32>,
    hub: PubSub<u8, u32>,
    board: watch::Sender<u32>,
    promise: Option<Promise<u32>>,
    from_many: mpsc::Receiver<u32>,
    from_one: spsc::Receiver<u32>,
    deaf: Option<oneshot::Receiver<u32>>,
}

fn world() -> (Things, Ends, Others) {
    let things = Things {
        queues: [Queue::bounded(4), Queue::rendezvous(), Queue::bounded(1), Queue::unbounded()],
        stack: LifoQueue::unbounded(),
        first: PriorityQueue::unbounded(),
        later: DelayQueue::unbounded(),
        buffer: Buffer::new(1, Overflow::DropOldest),
        full: [Queue::bounded(2), Queue::bounded(1)],
        full_stack: LifoQueue::bounded(1),
        full_buffer: Buffer::new(1, Overflow::Block),
        mutex: Mutex::new(()),
        read: RwLock::new(()),
        write: RwLock::new(()),
        upgradable: RwLock::new(()),
        permits: Semaphore::new(0),
        event: Event::new(),
        bell: Event::auto_reset(),
        notify: Notify::new(),
        latch: Latch::new(1),
        token: CancelToken::new(),
        group: WaitGroup::new(),
        cell: OnceCell::new(),
    };
    things.full.iter().for_each(|queue| while queue.try_put(1).is_ok() {});
    things.full_stack.put(1).unwrap();
    assert_eq!(things.full_buffer.put(1), Ok(None));
    let (many, one) = (mpsc::bounded(1), spsc::bounded(1));
    let (once, all, board, result) =
        (oneshot::channel(), broadcast::channel(1), watch::channel(0), promise());
    let hub = PubSub::new(1);
    let (topic, eyes) = (hub.subscribe(0), board.1);
    let ((to_many, from_many), (mut to_one, from_one)) = (mpsc::bounded(1), spsc::bounded(1));
    to_many.put(1).unwrap();
    to_one.put(1).unwrap();
    let (heard, deaf) = oneshot::channel();
    let ends = Ends {
        many: many.1,
        one: one.1,
        once: once.1,
        all: all.1,
        topic,
        eyes,
        task: result.1,
        to_many,
        to_one,
        heard,
    };
    let others = Others {
        many: many.0,
        one: one.0,
        once: Some(once.0),
        all: all.0,
        hub,
        board: board.0,
        promise: Some(result.0),
        from_many,
        from_one,
        deaf: Some(deaf),
    };
    (things, ends, others)
}

type Arm<'a> = Pin<Box<dyn Future<Output = &'static str> + Send + 'a>>;

/// An arm for each, by its name.
fn arms<'a>(things: &'a Things, ends: &'a mut Ends) -> Vec<(&'static str, Arm<'a>)> {
    let mut arms: Vec<(&'static str, Arm<'a>)> = Vec::new();
    macro_rules! arm {
        ($name:literal, $wait:expr) => {
            arms.push((
                $name,
                Box::pin(async move {
                    _ = $wait.await;
                    $name
                }),
            ));
        };
    }
    arm!("ring", things.queues[0].get_async());
    arm!("rendezvous", things.queues[1].get_async());
    arm!("one place", things.queues[2].get_async());
    arm!("no bound", things.queues[3].get_async());
    arm!("stack", things.stack.get_async());
    arm!("priority", things.first.get_async());
    arm!("delay", things.later.get_async());
    arm!("buffer", things.buffer.get_async());
    arm!("room in a ring", things.full[0].put_async(2));
    arm!("room for one", things.full[1].put_async(2));
    arm!("room on a stack", things.full_stack.put_async(2));
    arm!("room in a buffer", things.full_buffer.put_async(2));
    let Ends { many, one, once, all, topic, eyes, task, to_many, to_one, heard } = ends;
    arm!("mpsc", many.get_async());
    arm!("spsc", one.get_async());
    arm!("oneshot", once.get_async());
    arm!("broadcast", all.get_async());
    arm!("pubsub", topic.get_async());
    arm!("watch", eyes.changed_async());
    arm!("task", task);
    arm!("room for one of many", to_many.put_async(2));
    arm!("room for the only one", to_one.put_async(2));
    arm!("permit", async { things.permits.acquire_async().await.unwrap().forget() });
    arm!("bell", things.bell.wait_async());
    arm!("notify", things.notify.wait_async());
    // What stays ready when it has won.
    arm!("mutex", async { drop(things.mutex.lock_async().await) });
    arm!("read", async { drop(things.read.read_async().await) });
    arm!("write", async { drop(things.write.write_async().await) });
    arm!("upgradable", async { drop(things.upgradable.upgradable_read_async().await) });
    arm!("event", things.event.wait_async());
    arm!("latch", things.latch.wait_async());
    arm!("token", things.token.wait_async());
    arm!("group", things.group.wait_async());
    arm!("cell", things.cell.wait_async());
    arm!("closed", heard.closed_async());
    arms
}

/// Those that are used up by winning.
const USED_UP: usize = 24;

/// All but the locks, which somebody else has, and the group, in which somebody is.
fn make_ready(things: &Things, others: &mut Others) {
    things.queues.iter().for_each(|queue| queue.try_put(1).unwrap());
    things.stack.put(1).unwrap();
    things.first.put(1).unwrap();
    things.later.put(Delayed::until(Instant::now(), 1)).unwrap();
    things.buffer.put(1).unwrap();
    things.full.iter().for_each(|queue| assert_eq!(queue.try_get(), Ok(1)));
    things.full_stack.get().unwrap();
    things.full_buffer.get().unwrap();
    others.from_many.get().unwrap();
    others.from_one.get().unwrap();
    drop(others.deaf.take());
    others.many.put(1).unwrap();
    others.one.put(1).unwrap();
    others.once.take().unwrap().send(1).unwrap();
    others.all.send(1).unwrap();
    assert_eq!(others.hub.publish(&0, 1), 1);
    others.board.send(1);
    others.promise.take().unwrap().finish(Ok(1));
    things.permits.release(1);
    things.bell.set();
    things.notify.notify_one();
    things.event.set();
    things.latch.count_down(1);
    things.token.cancel();
    things.cell.set(1).unwrap();
}

/// What can be had of each without waiting, in the order of the arms.
fn what_is_left(things: &Things, ends: &mut Ends) -> Vec<bool> {
    let mut left: Vec<bool> = things.queues.iter().map(|queue| queue.try_get().is_ok()).collect();
    left.extend([things.stack.try_get().is_ok(), things.first.try_get().is_ok()]);
    left.extend([things.later.try_get().is_ok(), things.buffer.try_get().is_ok()]);
    left.extend(things.full.iter().map(|queue| queue.try_put(3).is_ok()));
    left.extend([things.full_stack.try_put(3).is_ok(), things.full_buffer.try_put(3).is_ok()]);
    left.extend([ends.many.try_get().is_ok(), ends.one.try_get().is_ok(), ends.once.try_get().is_ok()]);
    left.extend([ends.all.try_get().is_ok(), ends.topic.try_get().is_ok(), ends.eyes.try_changed().is_ok()]);
    let result = sync::catch(std::panic::AssertUnwindSafe(|| ByHand::new(&mut ends.task).poll().is_some()));
    left.push(result.is_ok_and(|over| over));
    left.extend([ends.to_many.try_put(3).is_ok(), ends.to_one.try_put(3).is_ok()]);
    left.extend([things.permits.try_acquire().is_ok(), things.bell.try_wait(), things.notify.try_wait()]);
    left.extend([things.mutex.try_lock().is_some(), things.read.try_read().is_some()]);
    left.extend([things.write.try_write().is_some(), things.upgradable.try_upgradable_read().is_some()]);
    left.extend([things.event.is_set(), things.latch.is_open(), things.token.is_cancelled()]);
    left.extend([things.group.is_idle(), things.cell.get().is_some(), ends.heard.is_closed()]);
    left
}

#[test]
fn of_all_that_it_was_told_of_a_select_takes_one_and_leaves_the_rest() {
    let count = {
        let (things, mut ends, _others) = world();
        arms(&things, &mut ends).len()
    };
    for winner in 0..count {
        let (things, mut ends, mut others) = world();
        let mut arms = arms(&things, &mut ends);
        let name = arms[winner].0;
        // The first in the written order wins.
        arms.rotate_left(winner);
        let select: Select<'_, _> = arms.into_iter().map(|(_, arm)| arm).collect();
        let locks =
            (things.mutex.lock(), things.read.write(), things.write.read(), things.upgradable.write());
        let held = (locks, things.group.enter());
        let mut selecting = ByHand::waiting(select.biased().wait_async());
        make_ready(&things, &mut others);
        drop(held);
        assert!(selecting.is_told());
        assert_eq!(selecting.poll(), Some((0, name)));
        drop(selecting);
        let expected: Vec<_> = (0..count).map(|arm| arm != winner || arm >= USED_UP).collect();
        assert_eq!(what_is_left(&things, &mut ends), expected, "{name} has won");
    }
}
