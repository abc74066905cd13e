//! The comparison as a program: what it makes of every kind of contestant, machine and terminal.

#![forbid(unsafe_code)]

mod corrupt;
mod harness;
mod interrupted;
mod peers;
mod places;
mod plants;
mod records;
mod skeletons;
mod statistics;
mod terminal;
mod words;
