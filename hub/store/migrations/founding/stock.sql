-- Half empty pages: every change of a balance is a HOT update, measured at 100 %.
CREATE TABLE stock (
  item_id bigint NOT NULL,
  node_id bigint NOT NULL,
  sellable bigint NOT NULL DEFAULT 0,
  pinned bigint NOT NULL DEFAULT 0,
  safety bigint NOT NULL DEFAULT 0,
  damaged bigint NOT NULL DEFAULT 0,
  quarantine bigint NOT NULL DEFAULT 0,
  in_transit bigint NOT NULL DEFAULT 0,
  counted_at timestamptz,
  PRIMARY KEY (item_id, node_id)
) WITH (fillfactor = 50);

CREATE TABLE item_promise (
  item_id bigint PRIMARY KEY,
  unpinned bigint NOT NULL DEFAULT 0,
  backordered bigint NOT NULL DEFAULT 0,
  soft bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE SEQUENCE stock_ledger_id;
CREATE TABLE stock_ledger (
  id bigint NOT NULL DEFAULT nextval('stock_ledger_id') PRIMARY KEY,
  merchant text COLLATE "C" NOT NULL,
  node_id bigint NOT NULL,
  item_id bigint NOT NULL,
  lot text NOT NULL DEFAULT '',
  condition text NOT NULL DEFAULT 'sellable',
  delta bigint NOT NULL,
  reason text NOT NULL,
  source text NOT NULL,
  cause text NOT NULL,
  true_at timestamptz NOT NULL,
  learned_at timestamptz NOT NULL
);
CREATE INDEX stock_ledger_item ON stock_ledger (item_id, node_id, true_at);
-- Levels alone, for reconciliation: nothing that an order writes is in it.
CREATE INDEX stock_ledger_level ON stock_ledger (id) WHERE reason IN ('snapshot', 'count');
-- Reasons that are adjustments to the books, of which there are few beside dispatches.
CREATE INDEX stock_ledger_adjusted ON stock_ledger (id)
  WHERE reason IN ('count', 'delta', 'short', 'lost', 'correction', 'return');

-- Ledger rows that a document of adjustments in the books tells of, each once per ledger.
CREATE TABLE stock_posting (
  connection_id text COLLATE "C" NOT NULL,
  ledger_id bigint NOT NULL,
  -- The effect's key.
  key text COLLATE "C" NOT NULL,
  planned_at timestamptz NOT NULL,
  PRIMARY KEY (connection_id, ledger_id)
);
CREATE INDEX stock_posting_key ON stock_posting (connection_id, key);
CREATE INDEX stock_posting_planned ON stock_posting (planned_at);

-- Where a ledger's adjustments begin: what was before is not told.
CREATE TABLE stock_posting_start (
  connection_id text COLLATE "C" PRIMARY KEY,
  ledger_id bigint NOT NULL
);

CREATE TABLE cart_reservation (
  id text COLLATE "C" PRIMARY KEY,
  merchant text COLLATE "C" NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  ended text,
  account_id bigint,
  external_id text COLLATE "C"
);
CREATE INDEX cart_reservation_expiry ON cart_reservation (expires_at) WHERE ended IS NULL;
CREATE INDEX cart_reservation_order ON cart_reservation (account_id, external_id)
  WHERE ended IS NULL AND external_id IS NOT NULL;

-- Node 0 is no node: unpinned.
CREATE TABLE cart_line (
  reservation_id text COLLATE "C" NOT NULL REFERENCES cart_reservation,
  item_id bigint NOT NULL,
  node_id bigint NOT NULL DEFAULT 0,
  quantity integer NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (reservation_id, item_id, node_id)
);
CREATE INDEX cart_line_item ON cart_line (item_id);

-- Shelves that hold less than was promised of them: marks, deleted when somebody has given way.
CREATE TABLE deficit (
  item_id bigint NOT NULL,
  node_id bigint NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (item_id, node_id)
);

-- Orders with reserved units that no node was told of, which may give way. Apart from `slice`, where an index on the
-- state would cost every flip of it.
CREATE TABLE unreleased (
  item_id bigint NOT NULL,
  node_id bigint NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  rank smallint NOT NULL,
  promise timestamptz NOT NULL,
  PRIMARY KEY (item_id, node_id, order_id)
);

CREATE TABLE stock_source (
  merchant text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  kinds text[] NOT NULL,
  subtracts text NOT NULL,
  largest_drop smallint NOT NULL DEFAULT 50,
  PRIMARY KEY (merchant, source)
);

-- As of when all that a merchant has at a node was told last: what was not named then was not there.
CREATE TABLE stock_whole (
  merchant text COLLATE "C" NOT NULL,
  node_id bigint NOT NULL,
  as_of timestamptz NOT NULL,
  PRIMARY KEY (merchant, node_id)
);

-- A report that carries its sender's own reference counts once.
CREATE TABLE stock_reference (
  merchant text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  reference text COLLATE "C" NOT NULL,
  learned_at timestamptz NOT NULL,
  PRIMARY KEY (merchant, source, reference)
);

-- Units that may be sold beyond what is there. Account 0 is every channel.
CREATE TABLE allowance (
  item_id bigint NOT NULL,
  account_id bigint NOT NULL DEFAULT 0,
  kind text COLLATE "C" NOT NULL,
  units integer NOT NULL CHECK (units >= 0),
  since date,
  until date,
  ships_on date,
  PRIMARY KEY (item_id, account_id, kind)
);

-- Units ordered of an item per day, measured now and then, for computed buffers.
CREATE TABLE demand_rate (
  item_id bigint PRIMARY KEY,
  units_per_day bigint NOT NULL,
  measured_at timestamptz NOT NULL
);

-- `promised` is kept from the backordered slices that name the row. What is promised may exceed what is expected: a
-- partner has said less since, and somebody gives way.
CREATE TABLE supply (
  id bigint GENERATED BY DEFAULT AS IDENTITY UNIQUE,
  merchant text COLLATE "C" NOT NULL,
  reference text COLLATE "C" NOT NULL,
  node_id bigint NOT NULL,
  item_id bigint NOT NULL,
  quantity integer NOT NULL CHECK (quantity >= 0),
  due date NOT NULL,
  confidence smallint NOT NULL DEFAULT 100,
  promised bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant, reference, node_id, item_id)
);
CREATE INDEX supply_item ON supply (item_id);

-- What a unit costs at a supplier, as agreed with it. The item's own cost stands in where none is here.
CREATE TABLE supplier_price (
  merchant text COLLATE "C" NOT NULL,
  node_id bigint NOT NULL,
  item_id bigint NOT NULL,
  currency text NOT NULL,
  unit_cost numeric NOT NULL CHECK (unit_cost >= 0),
  PRIMARY KEY (merchant, node_id, item_id, currency)
);

CREATE TABLE node_load (
  node_id bigint NOT NULL,
  day date NOT NULL,
  orders integer NOT NULL,
  PRIMARY KEY (node_id, day)
) WITH (fillfactor = 50);

-- Append-only marks: deleted when claimed, and before the number is computed.
CREATE TABLE dirty (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, item_id bigint NOT NULL)
  WITH (vacuum_truncate = false);

CREATE TABLE availability (
  stock_point_id bigint NOT NULL,
  item_id bigint NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  due_at timestamptz,
  sent bigint,
  before bigint,
  sent_at timestamptz,
  marked_at timestamptz,
  tries smallint NOT NULL DEFAULT 0,
  lease_until timestamptz,
  fence bigint NOT NULL DEFAULT 0,
  last_error text,
  -- The last try was refused: it is tried again slowly, or as soon as something changed.
  refused boolean NOT NULL DEFAULT false,
  -- Cause of the exception that is open until the channel took this level.
  trouble text COLLATE "C",
  PRIMARY KEY (stock_point_id, item_id)
) WITH (fillfactor = 60);
CREATE INDEX availability_due ON availability (connection_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX availability_trouble ON availability (connection_id) WHERE trouble IS NOT NULL;

CREATE TABLE publication (
  id bigint GENERATED BY DEFAULT AS IDENTITY,
  made_on date NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  outcome text NOT NULL,
  reason text NOT NULL,
  levels jsonb NOT NULL,
  PRIMARY KEY (id, made_on)
);

-- How long a change takes to reach a channel: a high-water mark that sinks slowly.
CREATE TABLE publishing_delay (
  connection_id text COLLATE "C" PRIMARY KEY,
  delay_ms bigint NOT NULL,
  measured_at timestamptz NOT NULL
);

-- Selling stock points under the connection that tells them. One that is new here is told everything.
CREATE TABLE told_point (
  stock_point_id bigint PRIMARY KEY,
  connection_id text COLLATE "C" NOT NULL
);

-- What others say they have: the newest figure of each, to be compared with ours. Node or point 0 is none.
CREATE TABLE figure (
  merchant text COLLATE "C" NOT NULL,
  party text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  item_id bigint NOT NULL,
  node_id bigint NOT NULL DEFAULT 0,
  stock_point_id bigint NOT NULL DEFAULT 0,
  quantity bigint NOT NULL,
  as_of timestamptz NOT NULL,
  cause text NOT NULL,
  compared boolean NOT NULL DEFAULT false,
  PRIMARY KEY (merchant, source, item_id, node_id, stock_point_id)
) WITH (fillfactor = 70);
CREATE INDEX figure_due ON figure (as_of) WHERE NOT compared;

CREATE TABLE drift (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  merchant text COLLATE "C" NOT NULL,
  party text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  item_id bigint NOT NULL,
  node_id bigint NOT NULL DEFAULT 0,
  stock_point_id bigint NOT NULL DEFAULT 0,
  figure text COLLATE "C" NOT NULL,
  theirs bigint NOT NULL,
  ours bigint NOT NULL,
  class text NOT NULL,
  because text NOT NULL,
  action text NOT NULL,
  state text NOT NULL,
  count integer NOT NULL DEFAULT 1,
  as_of timestamptz NOT NULL,
  found_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  closed_at timestamptz
);
-- One open drift per figure, however often it is seen.
CREATE UNIQUE INDEX drift_open ON drift (merchant, source, item_id, node_id, stock_point_id, figure)
  WHERE closed_at IS NULL;

CREATE TABLE reconciliation (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  started_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  compared integer NOT NULL,
  found integer NOT NULL,
  repaired integer NOT NULL,
  raised integer NOT NULL,
  ledger_id bigint NOT NULL
);
