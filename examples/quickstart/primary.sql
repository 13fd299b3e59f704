-- A small health office's contact tracing, as a vendor might keep it. Every person is invented; the
-- telephone numbers are from the ranges that the Bundesnetzagentur keeps free for films.
PRAGMA foreign_keys = ON;
BEGIN;

CREATE TABLE person (
  id          INTEGER PRIMARY KEY,
  first_name  TEXT NOT NULL,
  last_name   TEXT NOT NULL,
  birth_date  DATE NOT NULL,
  sex         TEXT,
  phone       TEXT,
  district    TEXT NOT NULL,
  status      TEXT NOT NULL,  -- contact, case, recovered
  status_date DATE NOT NULL,
  note        TEXT
);

CREATE TABLE contact (
  id               INTEGER PRIMARY KEY,
  person_id        INTEGER NOT NULL REFERENCES person (id),  -- the case
  with_person_id   INTEGER NOT NULL REFERENCES person (id),  -- whom the case met
  met_on           DATE NOT NULL,
  risk             TEXT NOT NULL,                            -- high, low
  quarantine_until DATE
);

INSERT INTO person VALUES
  (1,  'Annegret', 'Petersen',   '1948-02-11', 'f', '040 66969011',    'Nord',  'case',      '2026-03-02', 'lives with her grandson Jonas'),
  (2,  'Jonas',    'Petersen',   '2009-07-30', 'm', '+49 40 66969011', 'Nord',  'contact',   '2026-03-03', NULL),
  (3,  'Fatma',    'Yıldız',     '1984-12-05', 'f', '0171 3920011',    'Mitte', 'case',      '2026-03-04', NULL),
  (4,  'Murat',    'Yıldız',     '1981-05-19', 'm', '0171 3920012',    'Mitte', 'contact',   '2026-03-05', NULL),
  (5,  'Heinrich', 'Großmann',   '1939-10-23', 'm', '0049 4066969023', 'Nord',  'case',      '2026-03-01', 'hard of hearing, ring twice'),
  (6,  'Katarzyna','Nowakowska', '1992-03-08', 'f', '0152 28817386',   'Süd',   'contact',   '2026-03-06', NULL),
  (7,  'Jürgen',   'Behrendt',   '1963-08-14', 'm', '(040) 66969-045', 'West',  'contact',   '2026-03-06', NULL),
  (8,  'Lieselotte','Behrendt',  '1966-01-27', 'f', '040/66969045',    'West',  'case',      '2026-03-05', NULL),
  (9,  'Matteo',   'Ricciardi',  '2001-11-02', 'm', '0176 04069011',   'Süd',   'contact',   '2026-03-07', NULL),
  (10, 'Wiebke',   'Claussen',   '1977-06-16', 'f', NULL,              'Mitte', 'recovered', '2026-03-07', 'no telephone; write to her'),
  (11, 'Samuel',   'Okonkwo',    '1996-04-21', 'm', '0176 04069012',   'West',  'contact',   '2026-03-08', NULL),
  (12, 'Marlies',  'Dombrowski', '1955-09-09', 'f', '040 66969078',    'Süd',   'contact',   '2026-03-08', NULL);

INSERT INTO contact VALUES
  (1,  1,  2, '2026-03-01', 'high', '2026-03-15'),
  (2,  1,  5, '2026-02-27', 'low',  NULL),
  (3,  1, 12, '2026-02-28', 'low',  NULL),
  (4,  3,  4, '2026-03-03', 'high', '2026-03-17'),
  (5,  3,  6, '2026-03-02', 'low',  NULL),
  (6,  3, 10, '2026-03-04', 'low',  NULL),
  (7,  5,  1, '2026-02-25', 'high', '2026-03-11'),
  (8,  5,  7, '2026-02-26', 'low',  NULL),
  (9,  8,  7, '2026-03-05', 'high', '2026-03-19'),
  (10, 8,  9, '2026-03-04', 'low',  NULL),
  (11, 8, 11, '2026-03-03', 'low',  NULL),
  (12, 8, 12, '2026-03-05', 'high', '2026-03-19'),
  (13, 10, 3, '2026-02-20', 'high', '2026-03-06'),
  (14, 10, 9, '2026-02-21', 'low',  NULL),
  (15, 10, 11,'2026-02-22', 'low',  NULL);

COMMIT;
