-- Queue and history in one. Times are UTC. Names and permlinks compare byte by byte.

CREATE TABLE IF NOT EXISTS votes (
    id              BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    voter           VARCHAR(16) NOT NULL,
    author          VARCHAR(16) NOT NULL,
    permlink        VARCHAR(256) NOT NULL,
    -- Hundredths of a percent.
    weight          SMALLINT NOT NULL,
    -- `relative/path.toml:name`; empty for a vote that a person cast.
    rule            TEXT NOT NULL,
    origin          VARCHAR(10) NOT NULL,
    status          VARCHAR(10) NOT NULL,
    reason          TEXT,
    due_at          DATETIME(3) NOT NULL,
    cast_at         DATETIME(3),
    -- Requests sent.
    attempts        INT NOT NULL,
    -- Queued: not before then. Cast: look for it on the chain then.
    next_attempt_at DATETIME(3) NOT NULL,
    claimed_by      VARCHAR(64),
    claimed_until   DATETIME(3),
    trx_id          VARCHAR(64),
    -- The block that holds the vote.
    block_num       BIGINT,
    -- The block with the post or the leader's vote, and its timestamp.
    event_block     BIGINT NOT NULL,
    event_at        DATETIME(3) NOT NULL,
    -- Whose vote is followed, and its weight then.
    leader          VARCHAR(16),
    leader_weight   SMALLINT,
    recasts         INT NOT NULL,
    created_at      DATETIME(3) NOT NULL,
    updated_at      DATETIME(3) NOT NULL,
    UNIQUE KEY votes_key (voter, author, permlink),
    KEY votes_next (status, next_attempt_at),
    KEY votes_claimed (claimed_by, status),
    KEY votes_block (block_num),
    KEY votes_past (voter, cast_at)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
