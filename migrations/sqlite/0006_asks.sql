-- Everything that asks for a queued vote beside the rule that has it, as JSON. What the column held as `rivals` is
-- read as it is.

ALTER TABLE votes RENAME COLUMN rivals TO asks;
