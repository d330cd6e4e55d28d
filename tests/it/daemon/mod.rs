//! The program from outside: the real binary against a simulated chain and signer, with SQLite and with
//! the MySQL or MariaDB server that `CURATORD_TEST_MYSQL` names.

mod adoption;
mod author_rules;
mod crashes;
mod failing_stages;
mod lost_log;
mod missed_moments;
mod people_first;
mod precedence;
mod replayed;
mod rule_files;
mod schedules;
mod several;
mod signals;
mod startup;
mod stopping;
mod tokens;
mod trails;
