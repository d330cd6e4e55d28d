//! `curatord vote` and `curatord explain` from outside: the real binary, with and without a daemon, against
//! a simulated chain and signer.

mod command;
mod schedules;
mod vote;
