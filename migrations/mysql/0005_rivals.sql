-- What else asked for a vote that is queued, as JSON: one of them has it should the rule turn out not to want the post.
-- MySQL knows no ADD COLUMN IF NOT EXISTS, and this can be repeated as the other migrations can.

SET @missing = (SELECT COUNT(*) = 0 FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'votes' AND column_name = 'rivals');
SET @statement = IF(@missing, 'ALTER TABLE votes ADD COLUMN rivals TEXT', 'DO 0');
PREPARE adding FROM @statement;
EXECUTE adding;
DEALLOCATE PREPARE adding;
