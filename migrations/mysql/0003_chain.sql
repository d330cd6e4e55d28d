-- What was read from the chain, and who reads it.

-- At most one row: the last block that was processed.
CREATE TABLE IF NOT EXISTS chain_cursor (
    id         TINYINT NOT NULL PRIMARY KEY DEFAULT 1,
    block_num  BIGINT NOT NULL,
    block_id   VARCHAR(64) NOT NULL,
    block_time DATETIME(3) NOT NULL,
    -- JSON: [[number, "id"], ...], oldest first.
    recent     MEDIUMTEXT NOT NULL,
    updated_at DATETIME(3) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The votes of leaders, each change of a vote in its own row, so that a fork can be undone.
CREATE TABLE IF NOT EXISTS leader_votes (
    leader    VARCHAR(16) NOT NULL,
    author    VARCHAR(16) NOT NULL,
    permlink  VARCHAR(256) NOT NULL,
    -- Hundredths of a percent; 0 takes the vote back.
    weight    SMALLINT NOT NULL,
    block_num BIGINT NOT NULL,
    voted_at  DATETIME(3) NOT NULL,
    PRIMARY KEY (leader, author, permlink, block_num),
    KEY leader_votes_block (block_num),
    KEY leader_votes_time (voted_at)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What only one daemon does at a time.
CREATE TABLE IF NOT EXISTS leases (
    name   VARCHAR(64) NOT NULL PRIMARY KEY,
    holder VARCHAR(64) NOT NULL,
    until  DATETIME(3) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Fingerprints of errors that are reported once.
CREATE TABLE IF NOT EXISTS reported (
    fingerprint VARCHAR(64) NOT NULL PRIMARY KEY,
    reported_at DATETIME(3) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
