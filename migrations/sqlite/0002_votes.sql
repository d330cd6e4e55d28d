-- Queue and history in one. Times are UTC: YYYY-MM-DD HH:MM:SS.SSS, so that they sort as text.

CREATE TABLE votes (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    voter           TEXT NOT NULL,
    author          TEXT NOT NULL,
    permlink        TEXT NOT NULL,
    -- Hundredths of a percent.
    weight          INTEGER NOT NULL,
    -- `relative/path.toml:name`; empty for a vote that a person cast.
    rule            TEXT NOT NULL,
    origin          TEXT NOT NULL,
    status          TEXT NOT NULL,
    reason          TEXT,
    due_at          TEXT NOT NULL,
    cast_at         TEXT,
    -- Requests sent.
    attempts        INTEGER NOT NULL,
    -- Queued: not before then. Cast: look for it on the chain then.
    next_attempt_at TEXT NOT NULL,
    claimed_by      TEXT,
    claimed_until   TEXT,
    trx_id          TEXT,
    -- The block that holds the vote.
    block_num       INTEGER,
    -- The block with the post or the leader's vote, and its timestamp.
    event_block     INTEGER NOT NULL,
    event_at        TEXT NOT NULL,
    -- Whose vote is followed, and its weight then.
    leader          TEXT,
    leader_weight   INTEGER,
    recasts         INTEGER NOT NULL,
    created_at      TEXT NOT NULL,
    updated_at      TEXT NOT NULL,
    UNIQUE (voter, author, permlink)
);

CREATE INDEX votes_next ON votes (status, next_attempt_at);
CREATE INDEX votes_claimed ON votes (claimed_by, status);
CREATE INDEX votes_block ON votes (block_num);
CREATE INDEX votes_past ON votes (voter, cast_at);
