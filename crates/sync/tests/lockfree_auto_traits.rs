//! What may go to another thread and be shared between threads: a promise of the API, checked when this compiles.

#[macro_use]
#[path = "common/table.rs"]
mod table;

use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::MutexGuard;
use sync::lockfree::{
    ArrayQueue, Consumer, Counter, Drain, Producer, RcuCell, RcuGuard, SegmentedQueue, SeqLock, Stack,
    TakeAll,
};

// `u8` is both; `Cell` may be sent and not shared; a guard of std may be shared and not sent; `Rc` is neither.
table! {
    Producer<u8> => true, true;
    Producer<Cell<u8>> => true, true;
    Producer<Rc<u8>> => false, false;
    Consumer<u8> => true, true;
    Consumer<MutexGuard<'static, u8>> => false, false;
    Drain<'static, Cell<u8>> => true, true;
    Drain<'static, Rc<u8>> => false, false;
    ArrayQueue<u8> => true, true;
    ArrayQueue<Cell<u8>> => true, true;
    ArrayQueue<MutexGuard<'static, u8>> => false, false;
    SegmentedQueue<u8> => true, true;
    SegmentedQueue<Cell<u8>> => true, true;
    SegmentedQueue<MutexGuard<'static, u8>> => false, false;
    SegmentedQueue<Rc<u8>> => false, false;
    Stack<u8> => true, true;
    Stack<Cell<u8>> => true, true;
    Stack<MutexGuard<'static, u8>> => false, false;
    TakeAll<'static, Cell<u8>> => true, true;
    TakeAll<'static, Rc<u8>> => false, false;
    RcuCell<u8> => true, true;
    RcuCell<Cell<u8>> => true, false;
    RcuCell<MutexGuard<'static, u8>> => false, false;
    RcuCell<Rc<u8>> => false, false;
    RcuGuard<'static, u8> => true, true;
    RcuGuard<'static, Cell<u8>> => false, false;
    RcuGuard<'static, MutexGuard<'static, u8>> => false, false;
    SeqLock<[f64; 4]> => true, true;
    Counter => true, true;
}

// What is done whole or not at all may be used after a panic, whatever the items are.
macro_rules! unwind_safe {
    ($($type:ty),*) => {
        $(const _: () = assert!(has!($type: UnwindSafe) && has!($type: RefUnwindSafe), stringify!($type));)*
    };
}

unwind_safe!(
    Producer<Cell<u8>>,
    Consumer<Cell<u8>>,
    ArrayQueue<Cell<u8>>,
    SegmentedQueue<Cell<u8>>,
    Stack<Cell<u8>>
);
unwind_safe!(RcuCell<u8>, RcuGuard<'static, u8>, SeqLock<u8>, Counter);
