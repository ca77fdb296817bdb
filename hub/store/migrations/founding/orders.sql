CREATE TABLE customer_order (
  id text COLLATE "C" PRIMARY KEY,
  merchant text COLLATE "C" NOT NULL,
  account_id bigint NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  external_id text COLLATE "C" NOT NULL,
  number text COLLATE "C" NOT NULL,
  state text NOT NULL,
  currency text NOT NULL,
  placed_at timestamptz NOT NULL,
  version bigint NOT NULL,
  revision integer NOT NULL,
  acting boolean NOT NULL,
  test boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  UNIQUE (account_id, external_id)
) WITH (fillfactor = 80);
CREATE INDEX customer_order_number ON customer_order (number);
-- What channels that subtract their own open orders have to be given back.
CREATE INDEX customer_order_open ON customer_order (account_id) WHERE state = 'open';
-- Key figures read a period of what mostly came in the order of time.
CREATE INDEX customer_order_placed ON customer_order USING brin (placed_at) WITH (pages_per_range = 32, autosummarize);

CREATE TABLE order_revision (
  order_id text COLLATE "C" NOT NULL,
  no integer NOT NULL,
  version bigint NOT NULL,
  message_id bigint,
  at timestamptz NOT NULL,
  document text NOT NULL,
  PRIMARY KEY (order_id, no)
);

CREATE TABLE contact (
  order_id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  revision integer NOT NULL,
  document text,
  PRIMARY KEY (order_id, key, revision)
);

CREATE TABLE demand (
  order_id text COLLATE "C" NOT NULL,
  no smallint NOT NULL,
  line text COLLATE "C" NOT NULL,
  group_key text NOT NULL,
  sku text COLLATE "C",
  item_id bigint,
  quantity integer NOT NULL CHECK (quantity >= 0),
  per_unit integer NOT NULL DEFAULT 1,
  kit_version integer,
  managed_by text NOT NULL,
  tracked boolean NOT NULL,
  ships boolean NOT NULL,
  PRIMARY KEY (order_id, no)
);
CREATE INDEX demand_sku ON demand (sku);

CREATE TABLE slice (
  order_id text COLLATE "C" NOT NULL,
  no smallint NOT NULL,
  demand_no smallint NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0),
  state text NOT NULL,
  node_id bigint,
  fulfilment_no smallint,
  reason text,
  promised_at timestamptz,
  supply bigint,
  PRIMARY KEY (order_id, no)
) WITH (fillfactor = 60);

CREATE TABLE hold (
  order_id text COLLATE "C" NOT NULL,
  no smallint NOT NULL,
  scope text NOT NULL,
  kind text NOT NULL,
  owner text NOT NULL,
  reason text NOT NULL,
  lift_rule text NOT NULL,
  placed_at timestamptz NOT NULL,
  lifted_at timestamptz,
  stops text NOT NULL DEFAULT 'release',
  lift_at timestamptz,
  lift_role text,
  lifted_by text,
  policy text NOT NULL DEFAULT '',
  PRIMARY KEY (order_id, no)
);
CREATE INDEX hold_active ON hold (placed_at, order_id, no) WHERE lifted_at IS NULL;
CREATE INDEX hold_due ON hold (lift_at) WHERE lifted_at IS NULL AND lift_at IS NOT NULL;

-- Who ordered and where to, as digests, so that rules may count earlier orders of the same. Written for merchants whose
-- rules of holds ask for it.
CREATE TABLE contact_mark (
  merchant text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  mark bytea NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (merchant, kind, mark, order_id)
);
CREATE INDEX contact_mark_order ON contact_mark (order_id);
CREATE INDEX contact_mark_at ON contact_mark (at);

-- Named waiting places: why a demand is not moving, and which event would move it.
CREATE TABLE waiting (
  order_id text COLLATE "C" NOT NULL,
  demand_no smallint NOT NULL,
  merchant text COLLATE "C" NOT NULL,
  queue text COLLATE "C" NOT NULL,
  cause text COLLATE "C" NOT NULL,
  rank smallint NOT NULL DEFAULT 5,
  promise timestamptz NOT NULL DEFAULT 'infinity',
  since timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (order_id, demand_no)
);
CREATE INDEX waiting_cause ON waiting (merchant, cause);
CREATE INDEX waiting_due ON waiting (due_at);
CREATE INDEX waiting_preorder ON waiting (cause) WHERE queue = 'preorder';

CREATE TABLE exclusion (
  order_id text COLLATE "C" NOT NULL,
  demand_no smallint NOT NULL,
  node_id bigint NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (order_id, demand_no, node_id)
);

CREATE TABLE decision (
  order_id text COLLATE "C" NOT NULL,
  no smallint NOT NULL,
  group_key text NOT NULL,
  at timestamptz NOT NULL,
  policy text NOT NULL,
  engine text NOT NULL,
  cost bigint NOT NULL,
  gap bigint NOT NULL,
  proven boolean NOT NULL,
  input bytea NOT NULL,
  document bytea NOT NULL,
  PRIMARY KEY (order_id, no)
);
-- A stretch of history is read by time; rows arrive in that order, so a few block ranges are enough to find it.
CREATE INDEX decision_at ON decision USING brin (at);
