-- What was read from the chain, and who reads it.

-- At most one row: the last block that was processed.
CREATE TABLE chain_cursor (
    id         INTEGER PRIMARY KEY DEFAULT 1,
    block_num  INTEGER NOT NULL,
    block_id   TEXT NOT NULL,
    block_time TEXT NOT NULL,
    -- JSON: [[number, "id"], ...], oldest first.
    recent     TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

-- The votes of leaders, each change of a vote in its own row, so that a fork can be undone.
CREATE TABLE leader_votes (
    leader    TEXT NOT NULL,
    author    TEXT NOT NULL,
    permlink  TEXT NOT NULL,
    -- Hundredths of a percent; 0 takes the vote back.
    weight    INTEGER NOT NULL,
    block_num INTEGER NOT NULL,
    voted_at  TEXT NOT NULL,
    PRIMARY KEY (leader, author, permlink, block_num)
);

CREATE INDEX leader_votes_block ON leader_votes (block_num);
CREATE INDEX leader_votes_time ON leader_votes (voted_at);

-- What only one daemon does at a time.
CREATE TABLE leases (
    name   TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until  TEXT NOT NULL
);

-- Fingerprints of errors that are reported once.
CREATE TABLE reported (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    reported_at TEXT NOT NULL
);
