-- The two tables that other programs use too. Where they exist they were adopted before this ran.
-- Every statement can be repeated: MySQL commits each table by itself, so a migration that was
-- broken off is run again.

CREATE TABLE IF NOT EXISTS steem_authorization (
    id            INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    access_token  TEXT,
    user_login    VARCHAR(20) UNIQUE,
    -- A moment, despite its name, in the time zone of `database.timezone`.
    expires_in    DATETIME,
    refresh_token TEXT
) ENGINE = InnoDB CHARACTER SET utf8mb4;

CREATE TABLE IF NOT EXISTS error_log (
    id        INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    voter     VARCHAR(20) NOT NULL DEFAULT '',
    author    VARCHAR(20) NOT NULL DEFAULT '',
    permlink  VARCHAR(256) NOT NULL DEFAULT '',
    -- Whole percent.
    weight    INT NOT NULL DEFAULT 0,
    type      VARCHAR(10) NOT NULL DEFAULT 'vote',
    error     TEXT NOT NULL,
    -- UTC.
    timestamp DATETIME NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4;
