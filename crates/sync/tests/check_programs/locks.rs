//! Locks that can be shared.

use crate::Program;

pub(crate) const PROGRAMS: &[Program] = &[];
