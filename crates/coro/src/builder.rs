//! Coroutines that are not made in the usual way.
#![forbid(unsafe_code)]

use crate::coroutine::Coroutine;
use crate::generator::Generator;
use crate::greenlet::Greenlet;
use crate::stack::{BYTES_DEFAULT, Stack};
use crate::yielder::Yielder;
use std::io;

/// Makes coroutines of all kinds with a stack of a given size, and returns it as an error if there is none.
///
/// # Examples
/// ```
/// let mut deep = coro::Builder::new().stack_bytes(1 << 20).generator(|y| {
///     let buffer = [7_u8; 512 << 10];
///     y.yield_(buffer.len());
/// })?;
/// assert_eq!(deep.next(), Some(512 << 10));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing by itself"]
pub struct Builder {
    stack_bytes: usize,
}

impl Builder {
    /// The usual: 64 KiB.
    pub fn new() -> Self {
        Builder { stack_bytes: BYTES_DEFAULT }
    }

    /// The size of the stack, without the guard page below it. Rounded up to a multiple of 16 KiB.
    ///
    /// Memory is taken page by page as the stack is used, so a large one costs address space and little else. Too small
    /// a one ends the program by a segmentation fault when it overflows; a panic that prints a backtrace takes some
    /// 20 KiB.
    pub fn stack_bytes(mut self, bytes: usize) -> Self {
        self.stack_bytes = bytes;
        self
    }

    /// See [`Coroutine::new`].
    ///
    /// # Errors
    /// What the operating system says if it has no memory, or no more mappings, for a stack.
    pub fn coroutine<In, Out, R, F>(&self, body: F) -> io::Result<Coroutine<In, Out, R>>
    where
        F: FnOnce(&Yielder<Out, In>, In) -> R + 'static,
        In: 'static,
        Out: 'static,
        R: 'static,
    {
        let stack = Stack::new(self.stack_bytes)?;
        Ok(Coroutine::on(stack, |y, first| match first {
            Some(first) => body(y, first),
            None => unreachable!("a coroutine begins with a value"),
        }))
    }

    /// See [`Generator::new`].
    ///
    /// # Errors
    /// As [`coroutine`](Builder::coroutine).
    pub fn generator<Y, R, S, F>(&self, body: F) -> io::Result<Generator<Y, R, S>>
    where
        F: FnOnce(&Yielder<Y, S>) -> R + 'static,
        Y: 'static,
        R: 'static,
        S: 'static,
    {
        let stack = Stack::new(self.stack_bytes)?;
        Ok(Generator::on(stack, body))
    }

    /// See [`Greenlet::new`].
    ///
    /// # Errors
    /// As [`coroutine`](Builder::coroutine).
    pub fn greenlet<T, F>(&self, body: F) -> io::Result<Greenlet<T>>
    where
        F: FnOnce(T) -> T + 'static,
        T: 'static,
    {
        let stack = Stack::new(self.stack_bytes)?;
        Ok(Greenlet::on(stack, body))
    }
}

impl Default for Builder {
    fn default() -> Self {
        Builder::new()
    }
}
