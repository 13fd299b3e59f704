-- The bookkeeping of abgleich in the secondary, format 2. It is written in the same transaction as
-- the data, so that a restored secondary brings its own base back. Every row has a MAC (`mac`)
-- under a key from the key file: without this key, nobody can write or change a row.
CREATE SCHEMA IF NOT EXISTS abgleich;

-- One row: where this secondary stands.
CREATE TABLE abgleich.head (
  only_row    integer PRIMARY KEY CHECK (only_row = 1),
  format      integer NOT NULL,
  lineage     text NOT NULL,   -- which history this is: a random number of the first run
  epoch       bigint NOT NULL, -- number of the last run
  hash        text NOT NULL,   -- of the last run, chained
  run         text NOT NULL,
  key_check   text NOT NULL,   -- tells whether a key is the right one, and nothing else about it
  primary_id  text NOT NULL,   -- which database the primary was in the last run
  paused      text,            -- the reason, where a person has paused the pairing
  seals       bytea NOT NULL,  -- MAC over all of seal
  mac         bytea NOT NULL
);

CREATE TABLE abgleich.run (
  epoch    bigint PRIMARY KEY,
  id       text NOT NULL UNIQUE,
  kind     text NOT NULL,   -- sync, resolve, accept and others: schemas/stored-formats.md
  started  text NOT NULL,   -- UTC, for people; nothing is decided by it
  finished text NOT NULL,
  operator text NOT NULL,
  reason   text,
  counts   text NOT NULL,   -- JSON: table -> counts
  nonce    text NOT NULL,   -- random: two runs are never the same
  deeds    text NOT NULL,   -- MAC over what the run did: journal, seals, drift
  previous text NOT NULL,   -- hash of the run before
  hash     text NOT NULL,
  purged   text,            -- UTC: when its changes were purged from the journal
  entries  bigint NOT NULL, -- how many entries its journal has
  sum      text NOT NULL,   -- what these add up to, as in seal
  mac      bytea NOT NULL
);

-- One row for each exported table; base_N is its base (N: its id).
CREATE TABLE abgleich.tracked (
  id          bigint PRIMARY KEY,
  source      text NOT NULL UNIQUE, -- name in the primary
  target      text NOT NULL,        -- name in the secondary
  key_columns text NOT NULL,        -- JSON: names in the primary
  columns     text NOT NULL,        -- JSON: names in the primary, in the order of base_N.cells
  since       bigint NOT NULL,      -- the run that gave the columns this order
  mac         bytea NOT NULL
);

-- What runs did to data and base: what `show` shows and `revert` takes back.
CREATE TABLE abgleich.journal (
  epoch    bigint NOT NULL,
  tracked  bigint NOT NULL,
  n        bigint NOT NULL,
  key_text text NOT NULL, -- JSON, in the secondary's terms
  fate     text NOT NULL,
  before   text,          -- JSON: the cells as they were
  after    text,          -- JSON: the cells as the run left them; both null: only the base changed
  moved    text,          -- of a base row that stays: for each cell '1' where it changed, else '0'
  base_before bytea,      -- its cells in base_N (with `moved`: those that changed); null: no row
  base_after  bytea,
  mac         bytea NOT NULL,
  PRIMARY KEY (epoch, tracked, n)
);

CREATE TABLE abgleich.conflict (
  id       text PRIMARY KEY, -- made from the content: when that changes, the id changes
  tracked  bigint NOT NULL,
  key_text text NOT NULL,
  kind     text NOT NULL,
  detail   text NOT NULL,    -- JSON: both sides of every cell in conflict
  epoch    bigint NOT NULL,  -- the run that found it
  mac      bytea NOT NULL,
  UNIQUE (tracked, key_text)
);

CREATE TABLE abgleich.quarantine (
  tracked     bigint NOT NULL,
  key_text    text NOT NULL, -- JSON, in the secondary's terms; the text null where it has no key
  column_name text NOT NULL, -- in the secondary; empty: the row as a whole
  reason      text NOT NULL,
  rows        bigint NOT NULL,
  epoch       bigint NOT NULL,
  mac         bytea NOT NULL,
  PRIMARY KEY (tracked, key_text, column_name, reason)
);

-- How many rows abgleich itself has left, and what they add up to: of each table of the
-- bookkeeping, and of the base of each tracked table (n: its id). So a row that is removed, doubled
-- or put back is noticed.
CREATE TABLE abgleich.seal (
  what text NOT NULL, -- base, conflict, fact, quarantine, run, tracked
  n    bigint NOT NULL,
  rows bigint NOT NULL,
  sum  text NOT NULL, -- of what each row adds, hidden: 32 random hexadecimal digits, 16 of the sum
  PRIMARY KEY (what, n)
);

-- What runs have settled for later runs, where no other table has it. The kinds are listed in
-- schemas/stored-formats.md.
CREATE TABLE abgleich.fact (
  kind  text NOT NULL,
  name  text NOT NULL,
  value text NOT NULL,   -- JSON
  epoch bigint NOT NULL, -- the run that wrote it
  mac   bytea NOT NULL,
  PRIMARY KEY (kind, name)
);
