-- Tokens of those who wait come in here.
CREATE TABLE registration (
  number   TEXT PRIMARY KEY,
  postcode TEXT,
  priority TEXT
);
-- The days that the centre can offer.
CREATE TABLE offer (
  n     INTEGER PRIMARY KEY,
  place TEXT NOT NULL,
  day   TEXT NOT NULL
);
-- Who gets which of them.
CREATE TABLE slot (
  token TEXT PRIMARY KEY,
  place TEXT NOT NULL,
  day   TEXT NOT NULL UNIQUE
);
