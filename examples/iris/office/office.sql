-- The office's own database.
CREATE TABLE request (
  id     TEXT PRIMARY KEY,
  app    TEXT NOT NULL, -- which application is asked
  office TEXT NOT NULL,
  place  TEXT NOT NULL,
  since  TEXT NOT NULL,
  until  TEXT NOT NULL,
  note   TEXT           -- for the office only
);
-- The answers of all applications come in here.
CREATE TABLE visit (
  id      TEXT PRIMARY KEY,
  request TEXT,
  place   TEXT
);
CREATE TABLE guest (
  id       TEXT PRIMARY KEY,
  visit_id TEXT,
  name     TEXT,
  phone    TEXT,
  came     TEXT
);
