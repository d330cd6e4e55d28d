-- How far the times of each rule with `schedule` have been taken care of.

CREATE TABLE IF NOT EXISTS schedule_runs (
    -- `relative/path.toml:name`; as long as an index can hold.
    rule        VARCHAR(700) NOT NULL PRIMARY KEY,
    -- Expression and time zone. Times of another one were not missed.
    schedule    TEXT NOT NULL,
    last_run_at DATETIME(3) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
