-- The two tables that other programs use too. Where they exist they were adopted before this ran.

CREATE TABLE IF NOT EXISTS steem_authorization (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    access_token  TEXT,
    user_login    VARCHAR(20) UNIQUE,
    -- A moment, despite its name, in the time zone of `database.timezone`: YYYY-MM-DD HH:MM:SS.
    expires_in    DATETIME,
    refresh_token TEXT
);

CREATE TABLE IF NOT EXISTS error_log (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    voter     VARCHAR(20) NOT NULL DEFAULT '',
    author    VARCHAR(20) NOT NULL DEFAULT '',
    permlink  VARCHAR(256) NOT NULL DEFAULT '',
    -- Whole percent.
    weight    INT NOT NULL DEFAULT 0,
    type      VARCHAR(10) NOT NULL DEFAULT 'vote',
    error     TEXT NOT NULL,
    -- UTC: YYYY-MM-DD HH:MM:SS.
    timestamp DATETIME NOT NULL
);
