//! What may go to another thread and be shared between threads: a promise of the API, checked when this compiles.

#[macro_use]
#[path = "common/table.rs"]
mod table;

use std::cell::Cell;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::MutexGuard as StdGuard;
use sync::cell::{Header, Vtable};
use sync::extra::{
    AlreadyToldApart, ArcPoisonMutexGuard, Awaited, Exchanger, Latch, Lazy, MappedPoisonMutexGuard, Member,
    NobodyIsIn, NotExchanged, Notified, Notify, OnceCell, Owner, PoisonMutex, PoisonMutexGuard, RLock,
    RLockGuard, SetError, WaitGroup,
};
use sync::mutex::{ArcMutexGuard, MappedMutexGuard};
use sync::queue::{CloseOnDrop, GetError, PutError, Stream, mpsc, spsc};
use sync::rwlock::{MappedReadGuard, MappedWriteGuard, RwLockUpgradableGuard};
use sync::timer::{Scheduled, Sleep};
use sync::{
    Barrier, CancelToken, Condvar, Event, JoinError, Mutex, MutexGuard, Queue, RwLock, RwLockReadGuard,
    RwLockWriteGuard, Semaphore, SemaphorePermit, Task, TimedOut, barrier::BarrierPlace, cancel::OnCancel,
    completion::AsCompleted, completion::Finished, completion::Gather, completion::GatherAll, error::Panic,
    error::Unfinished, park, task::Promise, task::TaskId, timer,
};

table! {
    // The table itself can tell.
    u8 => true, true;
    Cell<u8> => true, false;
    StdGuard<'static, u8> => false, true;
    Rc<u8> => false, false;

    // A task's result goes to the thread of its handle; nobody shares it.
    Task<u8> => true, true;
    Task<Cell<u8>> => true, true;
    Task<Rc<u8>> => false, false;
    Promise<u8> => true, true;
    Promise<Cell<u8>> => true, true;
    TaskId => true, true;
    Header => true, true;
    Vtable => true, true;
    JoinError => true, true;
    Panic => true, true;
    TimedOut => true, true;
    Unfinished<Task<u8>> => true, true;
    Finished => true, true;
    Gather<Cell<u8>> => true, false;
    GatherAll<Cell<u8>> => true, false;
    Gather<u8> => true, true;
    Gather<Rc<u8>> => false, false;
    AsCompleted<Task<Cell<u8>>> => true, true;
    AsCompleted<(Rc<u8>, Task<u8>)> => false, false;

    CancelToken => true, true;
    OnCancel => true, true;
    Event => true, true;
    Semaphore => true, true;
    SemaphorePermit<'static> => true, true;
    Barrier => true, true;
    BarrierPlace => true, true;
    Condvar => true, true;

    Latch => true, true;
    WaitGroup => true, true;
    Member<&'static WaitGroup> => true, true;
    Member<std::sync::Arc<WaitGroup>> => true, true;
    Member<Rc<WaitGroup>> => false, false;
    NobodyIsIn => true, true;
    Notify => true, true;
    Notified<'static> => true, true;

    // What one thread makes, another may use and a third drop.
    OnceCell<u8> => true, true;
    OnceCell<Cell<u8>> => true, false;
    OnceCell<StdGuard<'static, u8>> => false, false;
    OnceCell<Rc<u8>> => false, false;
    SetError<Cell<u8>> => true, false;
    Lazy<u8> => true, true;
    Lazy<Cell<u8>> => true, false;
    Lazy<u8, Rc<u8>> => false, false;
    Lazy<u8, Awaited<fn() -> Sleep>> => true, true;

    // A value goes to another thread and is not shared.
    Exchanger<u8> => true, true;
    Exchanger<Cell<u8>> => true, true;
    Exchanger<Rc<u8>> => false, false;
    NotExchanged<Cell<u8>> => true, false;

    // A lock hands its value from thread to thread; a guard that is shared shares the value, and with it the lock.
    Mutex<u8> => true, true;
    Mutex<Cell<u8>> => true, true;
    Mutex<Rc<u8>> => false, false;
    Mutex<dyn Fn() + Send> => true, true;
    MutexGuard<'static, u8> => true, true;
    MutexGuard<'static, Cell<u8>> => true, false;
    MutexGuard<'static, Rc<u8>> => false, false;
    MutexGuard<'static, StdGuard<'static, u8>> => false, false;
    ArcMutexGuard<u8> => true, true;
    ArcMutexGuard<Cell<u8>> => true, false;
    ArcMutexGuard<Rc<u8>> => false, false;
    ArcMutexGuard<StdGuard<'static, u8>> => false, false;
    MappedMutexGuard<'static, u8> => true, true;
    MappedMutexGuard<'static, Cell<u8>> => true, false;
    MappedMutexGuard<'static, Rc<u8>> => false, false;
    MappedMutexGuard<'static, StdGuard<'static, u8>> => false, true;
    PoisonMutex<Cell<u8>> => true, true;
    PoisonMutex<Rc<u8>> => false, false;
    PoisonMutexGuard<'static, u8> => true, true;
    PoisonMutexGuard<'static, Cell<u8>> => true, false;
    PoisonMutexGuard<'static, StdGuard<'static, u8>> => false, false;
    ArcPoisonMutexGuard<u8> => true, true;
    ArcPoisonMutexGuard<Cell<u8>> => true, false;
    ArcPoisonMutexGuard<Rc<u8>> => false, false;
    ArcPoisonMutexGuard<StdGuard<'static, u8>> => false, false;
    MappedPoisonMutexGuard<'static, u8> => true, true;
    MappedPoisonMutexGuard<'static, Cell<u8>> => true, false;
    MappedPoisonMutexGuard<'static, Rc<u8>> => false, false;
    MappedPoisonMutexGuard<'static, StdGuard<'static, u8>> => false, true;

    // All guards of an owner are on one thread.
    RLock<u8> => true, true;
    RLock<Cell<u8>> => true, true;
    RLock<Rc<u8>> => false, false;
    RLock<StdGuard<'static, u8>> => false, false;
    RLock<dyn Fn() + Send> => true, true;
    RLockGuard<'static, u8> => false, false;
    RLockGuard<'static, Cell<u8>> => false, false;
    Owner => true, false;
    AlreadyToldApart => true, true;

    // Readers share the value, on whichever threads they are; and whoever has the lock may write it, and take the value to his thread.
    RwLock<u8> => true, true;
    RwLock<Cell<u8>> => true, false;
    RwLock<StdGuard<'static, u8>> => false, false;
    RwLock<Rc<u8>> => false, false;
    RwLockReadGuard<'static, u8> => true, true;
    RwLockReadGuard<'static, Cell<u8>> => false, false;
    RwLockReadGuard<'static, StdGuard<'static, u8>> => false, false;
    RwLockUpgradableGuard<'static, u8> => true, true;
    RwLockUpgradableGuard<'static, Cell<u8>> => false, false;
    RwLockUpgradableGuard<'static, StdGuard<'static, u8>> => false, false;
    RwLockWriteGuard<'static, u8> => true, true;
    RwLockWriteGuard<'static, Cell<u8>> => false, false;
    RwLockWriteGuard<'static, StdGuard<'static, u8>> => false, false;
    MappedReadGuard<'static, u8> => true, true;
    MappedReadGuard<'static, Cell<u8>> => false, false;
    MappedReadGuard<'static, StdGuard<'static, u8>> => true, true;
    MappedWriteGuard<'static, u8> => true, true;
    MappedWriteGuard<'static, Cell<u8>> => true, false;
    MappedWriteGuard<'static, StdGuard<'static, u8>> => false, true;
    MappedWriteGuard<'static, Rc<u8>> => false, false;

    // A queue moves its items.
    Queue<u8> => true, true;
    Queue<Cell<u8>> => true, true;
    Queue<Rc<u8>> => false, false;
    mpsc::Sender<Cell<u8>> => true, true;
    mpsc::Sender<Rc<u8>> => false, false;
    mpsc::Receiver<Cell<u8>> => true, true;
    mpsc::Receiver<Rc<u8>> => false, false;
    spsc::Sender<Cell<u8>> => true, true;
    spsc::Receiver<Rc<u8>> => false, false;
    Stream<'_, Cell<u8>> => true, true;
    Stream<'_, Rc<u8>> => false, false;
    mpsc::Stream<'_, Cell<u8>> => true, true;
    mpsc::Stream<'_, Rc<u8>> => false, false;
    spsc::Stream<'_, Cell<u8>> => true, true;
    spsc::Stream<'_, Rc<u8>> => false, false;
    PutError<Cell<u8>> => true, false;
    GetError => true, true;
    CloseOnDrop<Cell<u8>> => true, true;
    CloseOnDrop<Rc<u8>> => false, false;

    // What is installed belongs to its thread.
    park::Installed => false, false;
    timer::Installed => false, false;
    park::Signal => true, true;
    Sleep => true, false;
    Scheduled => true, false;
}

const _: () = {
    assert!(has!(Task<Cell<u8>>: UnwindSafe) && has!(Task<Cell<u8>>: RefUnwindSafe));
    assert!(has!(Promise<Cell<u8>>: UnwindSafe) && has!(Promise<Cell<u8>>: RefUnwindSafe));
    // It says what a panic has left; a mutex that does not may be seen half changed.
    assert!(has!(PoisonMutex<Cell<u8>>: UnwindSafe) && has!(PoisonMutex<Cell<u8>>: RefUnwindSafe));
    assert!(
        has!(PoisonMutexGuard<'static, Cell<u8>>: UnwindSafe) && !has!(MutexGuard<'static, u8>: UnwindSafe)
    );
    assert!(has!(MappedPoisonMutexGuard<'static, Cell<u8>>: UnwindSafe));
    assert!(has!(ArcPoisonMutexGuard<Cell<u8>>: UnwindSafe));
    assert!(has!(PoisonMutexGuard<'static, u8>: RefUnwindSafe));
    assert!(!has!(PoisonMutexGuard<'static, Cell<u8>>: RefUnwindSafe));
    assert!(has!(MappedPoisonMutexGuard<'static, u8>: RefUnwindSafe));
    assert!(!has!(MappedPoisonMutexGuard<'static, Cell<u8>>: RefUnwindSafe));
    assert!(has!(ArcPoisonMutexGuard<u8>: RefUnwindSafe));
    assert!(!has!(ArcPoisonMutexGuard<Cell<u8>>: RefUnwindSafe));
    assert!(has!(Task<std::marker::PhantomPinned>: Unpin));
    assert!(has!(Task<u8>: std::future::Future));
    assert!(!has!(Notified<'static>: Unpin));
    assert!(!has!(Stream<'static, u8>: Unpin));
    assert!(!has!(mpsc::Stream<'static, u8>: Unpin) && !has!(spsc::Stream<'static, u8>: Unpin));
    assert!(!has!(Promise<u8>: Clone) && !has!(Task<u8>: Clone));
};

fn sent<F: Future + Send>(future: F) {
    drop(future);
}

#[test]
fn futures_may_be_awaited_in_a_task_that_moves_between_threads() {
    let (mutex, condvar, queue) = (Mutex::new(Cell::new(1)), Condvar::new(), Queue::<Cell<u8>>::unbounded());
    sent(mutex.lock_async());
    sent(mutex.lock_async_timeout(std::time::Duration::ZERO));
    let rlock = RLock::new(Cell::new(1));
    sent(Owner::new().task(rlock.lock_async()));
    sent(rlock.lock_async_timeout(std::time::Duration::ZERO));
    let rwlock = RwLock::new(1);
    sent(rwlock.read_async());
    sent(rwlock.write_async_timeout(std::time::Duration::ZERO));
    sent(RwLockUpgradableGuard::upgrade_async(rwlock.upgradable_read()));
    sent(queue.get_async());
    sent(queue.put_async(Cell::new(1)));
    sent(queue.get_async_timeout(std::time::Duration::ZERO));
    sent(Event::new().wait_async());
    sent(Semaphore::new(1).acquire_many_async(1));
    sent(Barrier::new(1).wait_async());
    sent(CancelToken::new().wait_async());
    sent(Latch::new(1).wait_async());
    sent(WaitGroup::new().wait_async_timeout(std::time::Duration::ZERO));
    sent(Notify::new().wait_async());
    sent(OnceCell::new().get_or_init_async(async { 1 }));
    sent(OnceCell::new().get_or_init_async_timeout(async { 1 }, std::time::Duration::ZERO));
    sent(Lazy::<_, Awaited<_>>::new_async(|| async { 1 }).force_async());
    sent(Lazy::<_, Awaited<_>>::new_async(|| async { 1 }).force_async_timeout(std::time::Duration::ZERO));
    sent(sync::gather([Task::ready(Ok(Cell::new(1)))]));
    sent(Exchanger::new().exchange_async(Cell::new(1)));
    sent(timer::timeout(std::time::Duration::ZERO, timer::sleep(std::time::Duration::ZERO)));
    sent(condvar.wait_async(mutex.lock()));
    sent(condvar.wait_while_async_timeout(mutex.lock(), |_| false, std::time::Duration::ZERO));
    sent(mutex.when_async_timeout(|_| true, std::time::Duration::ZERO));
    let shared = std::sync::Arc::new(Mutex::new(Cell::new(1)));
    sent(shared.lock_arc_async_timeout(std::time::Duration::ZERO));
    sent(condvar.wait_async(shared.lock_arc()));
    let poisoned = PoisonMutex::new(Cell::new(1));
    sent(poisoned.lock_async_timeout(std::time::Duration::ZERO));
    sent(poisoned.when_async_timeout(|_| true, std::time::Duration::ZERO));
    let shared = std::sync::Arc::new(PoisonMutex::new(Cell::new(1)));
    sent(shared.lock_arc_async_timeout(std::time::Duration::ZERO));
    if let Ok(guard) = poisoned.lock() {
        sent(condvar.wait_async(guard));
    }
    sent(sync::as_completed([Task::ready(Ok(1))]).next_async());
    let mut tasks = [(); 2].map(|()| Task::ready(Ok(1)));
    let [first, second] = &mut tasks;
    sent(sync::wait_async(&mut [first, second], sync::When::AllCompleted));
    let (first, second): (&mut (dyn sync::completion::Wait + Send), _) =
        (&mut Task::ready(Ok(1)), &mut Task::ready(Ok("2")));
    sent(sync::wait_async(&mut [first, second], sync::When::FirstCompleted));
}
