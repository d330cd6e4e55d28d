//! Votes that are due go out from here: timers, one lane per voter, pacing, retry, and what an answer
//! means. Knows nothing of SQL.
