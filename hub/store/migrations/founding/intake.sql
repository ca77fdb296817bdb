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
) WITH (fillfactor = 70);
CREATE INDEX inbox_ready ON inbox (lane, id) WHERE NOT parked;
CREATE INDEX inbox_object ON inbox (account_id, object, id) WHERE NOT parked;
