-- Everything that asks for a queued vote beside the rule that has it, as JSON. What the column held as `rivals` is
-- read as it is. The statement can be repeated, as those of the other migrations can.

SET @old = (SELECT COUNT(*) > 0 FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'votes' AND column_name = 'rivals');
SET @statement = IF(@old, 'ALTER TABLE votes CHANGE COLUMN rivals asks MEDIUMTEXT', 'DO 0');
PREPARE renaming FROM @statement;
EXECUTE renaming;
DEALLOCATE PREPARE renaming;
