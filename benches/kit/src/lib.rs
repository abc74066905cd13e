//! What contestants share.
