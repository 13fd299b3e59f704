-- The guest list of one application.
CREATE TABLE checkin (
  n     INTEGER PRIMARY KEY,
  place TEXT NOT NULL,
  name  TEXT NOT NULL,
  phone TEXT NOT NULL,
  came  TEXT NOT NULL
);
-- The requests of all offices come in here.
CREATE TABLE request (
  id     TEXT PRIMARY KEY,
  office TEXT,
  place  TEXT,
  since  TEXT,
  until  TEXT
);
-- What it answers.
CREATE TABLE visit (
  id      TEXT PRIMARY KEY,
  request TEXT NOT NULL UNIQUE,
  place   TEXT NOT NULL
);
CREATE TABLE guest (
  id       TEXT PRIMARY KEY,
  visit_id TEXT NOT NULL REFERENCES visit (id) ON DELETE CASCADE,
  name     TEXT NOT NULL,
  phone    TEXT NOT NULL,
  came     TEXT NOT NULL
);
