-- How far the times of each rule with `schedule` have been taken care of.

CREATE TABLE schedule_runs (
    -- `relative/path.toml:name`.
    rule        TEXT NOT NULL PRIMARY KEY,
    -- Expression and time zone. Times of another one were not missed.
    schedule    TEXT NOT NULL,
    last_run_at TEXT NOT NULL
);
