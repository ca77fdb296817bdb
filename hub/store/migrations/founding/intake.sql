CREATE SEQUENCE message_id;

-- Dedupes deliveries. Apart from `message`, because a unique key cannot live on a partitioned table without its day.
CREATE TABLE delivery (
  account_id bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  hash bytea NOT NULL,
  message_id bigint NOT NULL,
  PRIMARY KEY (account_id, key)
);

CREATE TABLE message (
  id bigint NOT NULL,
  received_on date NOT NULL,
  merchant text COLLATE "C" NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  account_id bigint NOT NULL,
  topic text NOT NULL,
  object text COLLATE "C",
  key text COLLATE "C" NOT NULL,
  received_at timestamptz NOT NULL,
  headers text,
  body bytea,
  -- A copy that a person corrected: of which message, by whom, why.
  edited_from bigint,
  edited_by text,
  edit_reason text,
  PRIMARY KEY (id, received_on)
);
CREATE INDEX message_edited ON message (edited_from) WHERE edited_from IS NOT NULL;
CREATE INDEX message_connection ON message (connection_id, id);
-- What is still to be forgotten; what was forgotten is left alone.
CREATE INDEX message_body ON message (received_on) WHERE body IS NOT NULL;

CREATE TABLE inbox (
  id bigint PRIMARY KEY,
  received_on date NOT NULL,
  lane text COLLATE "C" NOT NULL,
  account_id bigint NOT NULL,
  object text COLLATE "C",
  due_at timestamptz NOT NULL,
  tries smallint NOT NULL DEFAULT 0,
  parked boolean NOT NULL DEFAULT false,
  lease_until timestamptz,
  fence bigint NOT NULL DEFAULT 0,
  last_error text
-- A queue that is empty now is long again soon: cutting its file would lock out whoever adds to it.
) WITH (fillfactor = 70, vacuum_truncate = false);
CREATE INDEX inbox_ready ON inbox (lane, id) WHERE NOT parked;
CREATE INDEX inbox_object ON inbox (account_id, object, id) WHERE NOT parked;
-- Due messages of a lane that nobody holds, locked, the oldest first: the earliest of its object, but not behind what
-- only says that there is news: that waits for the sender to be asked, for hours when it is down, and a cancellation that
-- came whole must not. What is fetched then is versioned.
--
-- The queue is empty one moment and long the next, and a plan lives on: one made for the empty queue read the long one
-- whole for each of its rows, 16 s a claim. So the function leaves one plan only, whatever the statistics say: without
-- sorting, each of the two orders comes from one index alone. They are ranges where "equals" is meant, because a column
-- that is known to be one value counts as sorted in any index.
CREATE FUNCTION inbox_due(of_lane text, most integer)
  RETURNS TABLE (id bigint, received_on date, tries smallint) ROWS 100 LANGUAGE sql
  SET enable_sort = off SET enable_incremental_sort = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
  SELECT i.id, i.received_on, i.tries FROM inbox i
  WHERE i.lane BETWEEN of_lane AND of_lane AND NOT i.parked AND i.due_at <= now()
    AND (i.lease_until IS NULL OR i.lease_until < now())
    AND (i.object IS NULL OR i.id = (
      SELECT e.id FROM inbox e
      WHERE e.account_id = i.account_id AND e.object BETWEEN i.object AND i.object AND NOT e.parked
        AND (i.lane = 'fetch' OR e.lane <> 'fetch')
      ORDER BY e.object, e.id LIMIT 1))
  ORDER BY i.lane, i.id LIMIT most FOR UPDATE OF i SKIP LOCKED
$$;
