//! A function and its argument on the way to a worker, and what it gives on the way back.
//!
//! A function without captured variables has no bytes that could be sent: its type says all. What is sent is where its
//! [`run_typed`] is, the instance for just this function with its argument and result. That instance holds decoding, call
//! and encoding, so the types on both sides match by construction.

#![allow(unsafe_code, reason = "an address becomes a function again, and a type without bytes a value")]

use crate::image::Address;
use executor::no_captures;
use ipc::handoff;
use ipc::{LinkError, Parcel};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::ptr::NonNull;
use sync::{JoinError, error::Panic};

/// What a worker is sent.
pub(crate) struct Job {
    call: Call,
    /// The encoded argument.
    argument: Parcel,
}

/// What is called, and how. Written behind the argument, which can so be long without being moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Call {
    function: Address,
    /// Runs before the function. If it fails, the worker is of no use.
    initializer: Option<Address>,
    last: Last,
}

/// Whether the worker ends afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Last {
    /// It waits for another job.
    No,
    /// It ends.
    Yes,
}

/// What a worker sends back. The variants without a result look the same for every `R`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer<R> {
    /// The function's result.
    Done(R),
    /// It panicked.
    Panicked { message: String, place: Option<String>, backtrace: Option<String> },
    /// It was not called, or its result could not be sent.
    Failed(String),
}

/// An instance of [`run_typed`].
type Runner = fn(Parcel) -> Parcel;

/// An initializer, as an instance of [`run_initializer`].
type Starter = fn() -> Result<(), JoinError>;

/// The function that starts each worker of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Initializer(Address);

impl Initializer {
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where functions cannot be found again.
    pub(crate) fn of<F: Fn() + Copy + Send + 'static>() -> io::Result<Self> {
        no_captures::<F>();
        let starter: Starter = run_initializer::<F>;
        Ok(Initializer(Address::of(starter as usize)?))
    }
}

/// What a worker is to be sent so that it calls `f(argument)`.
///
/// # Errors
/// The argument could not be encoded; [`io::ErrorKind::Unsupported`] where functions cannot be found again.
pub(crate) fn encode<F, A, R>(_: F, argument: &A, last: Last) -> io::Result<Parcel>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Serialize + DeserializeOwned,
    R: Serialize,
{
    no_captures::<F>();
    let runner: Runner = run_typed::<F, A, R>;
    let function = Address::of(runner as usize)?;
    let argument = handoff::encode(argument).map_err(|why| {
        let what = std::any::type_name::<A>();
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("the argument, a `{what}`, cannot be sent: {why}"),
        )
    })?;
    Job { call: Call { function, initializer: None, last }, argument }.seal()
}

/// Has the worker run this, or nothing, before the job in `parcel`.
///
/// # Errors
/// It is no job.
pub(crate) fn set_initializer(parcel: Parcel, initializer: Option<Initializer>) -> io::Result<Parcel> {
    let mut job = Job::open(parcel).map_err(io::Error::other)?;
    job.call.initializer = initializer.map(|initializer| initializer.0);
    job.seal()
}

/// The result in what a worker has sent back.
pub(crate) fn decode<R: DeserializeOwned>(answer: Parcel) -> Result<R, JoinError> {
    // Decoding runs the result's own code, which may panic: that must not take the thread of all processes with it.
    let answer = sync::catch(|| handoff::decode::<Answer<R>>(answer))?;
    match answer {
        Ok(Answer::Done(result)) => Ok(result),
        Ok(Answer::Panicked { message, place, backtrace }) => {
            let panic = Panic::described(&message, place.as_deref(), backtrace.as_deref());
            Err(JoinError::Panicked(Box::new(panic)))
        }
        Ok(Answer::Failed(why)) => Err(JoinError::failed(why)),
        Err(why) => {
            let what = std::any::type_name::<R>();
            Err(JoinError::failed(format_args!("the result, a `{what}`, cannot be read: {why}")))
        }
    }
}

/// How a task ends whose job did not get to the worker.
pub(crate) fn unsent(why: &LinkError) -> JoinError {
    JoinError::failed(format_args!("the argument cannot be sent: {why}"))
}

/// How a task ends whose answer did not get here.
pub(crate) fn lost(why: &LinkError) -> JoinError {
    JoinError::failed(format_args!("the result cannot be received: {why}"))
}

impl Job {
    fn seal(self) -> io::Result<Parcel> {
        let Job { call, argument: mut parcel } = self;
        let call = handoff::encode(&call).map_err(io::Error::other)?.bytes;
        let length = u8::try_from(call.len()).map_err(io::Error::other)?;
        parcel.bytes.extend(call);
        parcel.bytes.push(length);
        Ok(parcel)
    }

    /// # Errors
    /// What is wrong with the parcel.
    pub(crate) fn open(mut parcel: Parcel) -> Result<Self, String> {
        let call = parcel.bytes.pop().and_then(|length| {
            let start = parcel.bytes.len().checked_sub(usize::from(length))?;
            let bytes = parcel.bytes.split_off(start);
            handoff::decode::<Call>(Parcel { bytes, descriptors: Vec::new() }).ok()
        });
        let call = call.ok_or("what arrived is no job")?;
        Ok(Job { call, argument: parcel })
    }

    /// Calls the function, if it is in this process.
    pub(crate) fn run(self) -> (Parcel, Last) {
        if let Some(initializer) = self.call.initializer {
            let started =
                find(initializer, "the initializer").map_err(JoinError::failed).and_then(|address| {
                    // SAFETY: the address is that of code in the image in which `Initializer::of` found a `Starter`, at the
                    // same offset; the image is the same one, as far as its headers and its build id tell.
                    let starter = unsafe { std::mem::transmute::<*const (), Starter>(address) };
                    starter()
                });
            if let Err(why) = started {
                return (Answer::<()>::from_error(&why).encode(), Last::Yes);
            }
        }
        match find(self.call.function, "the function") {
            Ok(address) => {
                // SAFETY: as above, for `encode` and a `Runner`.
                let runner = unsafe { std::mem::transmute::<*const (), Runner>(address) };
                (runner(self.argument), self.call.last)
            }
            Err(why) => (Answer::<()>::Failed(why).encode(), self.call.last),
        }
    }
}

fn find(address: Address, what: &str) -> Result<*const (), String> {
    address.find().map(std::ptr::with_exposed_provenance).ok_or_else(|| {
        format!(
            "image mismatch: {what} is not in the worker's copy of the program; it may be in a library that was loaded \
             later, or that has been replaced on disk since the program started"
        )
    })
}

/// Decodes the argument, calls the function and encodes the result.
fn run_typed<F, A, R>(argument: Parcel) -> Parcel
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: DeserializeOwned,
    R: Serialize,
{
    let done = sync::catch(|| {
        let argument = handoff::decode::<A>(argument).map_err(|why| {
            let what = std::any::type_name::<A>();
            format!("the argument, a `{what}`, cannot be read: {why}")
        })?;
        let result = conjure::<F>()(argument);
        handoff::encode(&Answer::Done(result)).map_err(|why| {
            let what = std::any::type_name::<R>();
            format!("the result, a `{what}`, cannot be sent: {why}")
        })
    });
    match done {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => Answer::<()>::Failed(why).encode(),
        Err(why) => Answer::<()>::from_error(&why).encode(),
    }
}

fn run_initializer<F: Fn() + Copy + Send + 'static>() -> Result<(), JoinError> {
    sync::catch(conjure::<F>())
}

/// The value of a type that has one: a function without captured variables.
///
/// A closure that has captured nothing but values without bytes is one, too, as far as anybody can ask. Those values are
/// then made here as well, with what they prove: see the limits in the README.
fn conjure<F: Copy + 'static>() -> F {
    no_captures::<F>();
    // SAFETY: `F` has no bytes, so there is nothing to read. Its caller in the program had a value of it, which is how the
    // address of this instance got here, and it is `Copy`, so there may be another. What cannot be known is whether a token in
    // it stands for something that was done in that process alone.
    unsafe { NonNull::<F>::dangling().read() }
}

impl Answer<()> {
    /// A failure as an answer.
    pub(crate) fn from_error(error: &JoinError) -> Self {
        match error.panic() {
            Some(panic) => Answer::Panicked {
                message: panic.message().into(),
                place: panic.place().map(Into::into),
                backtrace: panic.backtrace().map(Into::into),
            },
            None => Answer::Failed(error.to_string()),
        }
    }

    pub(crate) fn encode(&self) -> Parcel {
        // Text can always be written. Should it not be, the program reports that it cannot read the answer.
        handoff::encode(self).unwrap_or_default()
    }
}
