//! Systems where no process is started yet. There is no worker, and the types say so.

use super::{Owner, Signal, unsupported};
use ipc::{LinkError, Parcel};
use std::io;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) enum Worker {}

impl Worker {
    pub(crate) fn process(&self) -> Option<&Arc<Identity>> {
        match *self {}
    }

    pub(crate) fn send(&self, _: &Parcel) -> Result<(), LinkError> {
        match *self {}
    }

    pub(crate) fn dismiss(&self) {
        match *self {}
    }

    pub(crate) fn kill(&self) {
        match *self {}
    }
}

#[derive(Debug)]
pub(crate) enum Identity {}

impl Identity {
    pub(crate) fn pid(&self) -> u32 {
        match *self {}
    }

    pub(crate) fn signal(&self, _: Signal) -> io::Result<()> {
        match *self {}
    }
}

pub(crate) fn start(_: Option<&str>, _: &Arc<dyn Owner>, first: Parcel) -> Result<(), (io::Error, Parcel)> {
    Err((unsupported(), first))
}

pub(crate) fn is_manager() -> bool {
    false
}

pub(crate) fn check() -> io::Result<()> {
    Err(unsupported())
}
