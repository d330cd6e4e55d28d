-- What else asked for a vote that is queued, as JSON: one of them has it should the rule turn out not to want the post.

ALTER TABLE votes ADD COLUMN rivals TEXT;
