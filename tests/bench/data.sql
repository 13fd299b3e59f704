-- A contact-tracing system as vendors ship them: person (30 columns), cases, contact and sample in
-- 4:1:4:1, with foreign keys and indexes; :rows rows in all. Every value is a hash of the row's number
-- and the column's, so that the rows are the same everywhere.
CREATE FUNCTION h(n bigint, salt int) RETURNS bigint IMMUTABLE LANGUAGE sql AS
  $$ SELECT hashint8extended(n, salt) & 9223372036854775807 $$;

CREATE TABLE person (
  id bigint NOT NULL, phone text, email text, sex text, birth_date date, district text,
  postal_code text, status text NOT NULL, status_date date, onset date, reported timestamptz NOT NULL,
  changed timestamptz NOT NULL, occupation text, facility integer, fever boolean, cough boolean,
  dyspnoea boolean, anosmia boolean, temperature numeric(3, 1), doses integer, last_dose date,
  quarantine_from date, quarantine_to date, hospital integer, icu boolean, outcome text,
  source_kind text, reporter integer, priority integer, note text);
CREATE TABLE cases (
  id bigint NOT NULL, person_id bigint NOT NULL, disease text NOT NULL, classification text,
  opened timestamptz NOT NULL, closed timestamptz, district text, officer integer, onset date,
  severity integer, note text, origin text);
CREATE TABLE contact (
  id bigint NOT NULL, person_id bigint NOT NULL, case_id bigint NOT NULL, met date NOT NULL,
  risk text NOT NULL, setting text, minutes integer, distance numeric(4, 1), masked boolean,
  follow_up_until date, symptoms boolean, status text, traced timestamptz NOT NULL, officer integer,
  district text, note text);
CREATE TABLE sample (
  id bigint NOT NULL, case_id bigint NOT NULL, taken timestamptz NOT NULL, received timestamptz,
  material text, method text, result text, ct numeric(4, 1), laboratory integer, variant text,
  code text, note text);

INSERT INTO person SELECT
  i, '+4930' || (10000000 + h(i, 1) % 89999999), 'p' || h(i, 2) % 100000000 || '@example.org',
  (ARRAY['f', 'm', 'd'])[1 + h(i, 3) % 3], date '1930-01-01' + (h(i, 4) % 33000)::int,
  'district ' || h(i, 5) % 12, lpad((h(i, 6) % 100000)::text, 5, '0'),
  (ARRAY['contact', 'case', 'recovered', 'closed'])[1 + h(i, 7) % 4],
  date '2026-01-01' + (h(i, 8) % 300)::int, date '2026-01-01' + (h(i, 9) % 300)::int,
  timestamptz '2026-01-01 00:00:00Z' + (h(i, 10) % 25000000) * interval '1 second',
  timestamptz '2026-01-01 00:00:00Z' + (h(i, 11) % 25000000) * interval '1 second',
  'occupation ' || h(i, 12) % 90, (h(i, 13) % 5000)::int, h(i, 14) % 3 = 0, h(i, 14) % 5 = 0,
  h(i, 14) % 7 = 0, h(i, 14) % 11 = 0, 36 + (h(i, 15) % 50) / 10.0, (h(i, 16) % 4)::int,
  date '2025-01-01' + (h(i, 17) % 600)::int, date '2026-01-01' + (h(i, 18) % 300)::int,
  date '2026-01-15' + (h(i, 18) % 300)::int, nullif((h(i, 19) % 40)::int, 0), h(i, 20) % 50 = 0,
  (ARRAY['open', 'recovered', 'died', NULL])[1 + h(i, 21) % 4], 'source ' || h(i, 22) % 6,
  (h(i, 23) % 200)::int, (h(i, 24) % 5)::int,
  'called ' || h(i, 25) % 9 || ' times, last by officer ' || h(i, 26) % 200
FROM generate_series(1, :rows * 4 / 10) AS i;
INSERT INTO cases SELECT
  i, 1 + h(i, 31) % (:rows * 4 / 10), (ARRAY['covid-19', 'measles', 'influenza'])[1 + h(i, 32) % 3],
  (ARRAY['suspected', 'probable', 'confirmed'])[1 + h(i, 33) % 3],
  timestamptz '2026-01-01 00:00:00Z' + (h(i, 34) % 25000000) * interval '1 second', NULL,
  'district ' || h(i, 35) % 12, (h(i, 36) % 200)::int, date '2026-01-01' + (h(i, 37) % 300)::int,
  (h(i, 38) % 5)::int, 'opened on a report of laboratory ' || h(i, 39) % 40, 'origin ' || h(i, 40) % 9
FROM generate_series(1, greatest(:rows / 10, 1)) AS i;
INSERT INTO contact SELECT
  i, 1 + h(i, 51) % (:rows * 4 / 10), 1 + h(i, 52) % greatest(:rows / 10, 1),
  date '2026-01-01' + (h(i, 53) % 300)::int, (ARRAY['high', 'medium', 'low'])[1 + h(i, 54) % 3],
  (ARRAY['household', 'work', 'school', 'leisure', 'travel'])[1 + h(i, 55) % 5],
  (h(i, 56) % 600)::int, (h(i, 57) % 50) / 10.0, h(i, 58) % 2 = 0,
  date '2026-01-15' + (h(i, 53) % 300)::int, h(i, 59) % 9 = 0,
  (ARRAY['open', 'traced', 'closed'])[1 + h(i, 60) % 3],
  timestamptz '2026-01-01 00:00:00Z' + (h(i, 61) % 25000000) * interval '1 second',
  (h(i, 62) % 200)::int, 'district ' || h(i, 63) % 12,
  'met at place ' || h(i, 64) % 9000 || ', reached on attempt ' || h(i, 65) % 5
FROM generate_series(1, :rows * 4 / 10) AS i;
INSERT INTO sample SELECT
  i, 1 + h(i, 71) % greatest(:rows / 10, 1),
  timestamptz '2026-01-01 00:00:00Z' + (h(i, 72) % 25000000) * interval '1 second',
  timestamptz '2026-01-02 00:00:00Z' + (h(i, 72) % 25000000) * interval '1 second',
  (ARRAY['swab', 'saliva', 'blood'])[1 + h(i, 73) % 3], (ARRAY['PCR', 'antigen'])[1 + h(i, 74) % 2],
  (ARRAY['positive', 'negative', 'unclear'])[1 + h(i, 75) % 3], 15 + (h(i, 76) % 250) / 10.0,
  (h(i, 77) % 40)::int, 'variant ' || h(i, 78) % 30, 'S' || h(i, 79) % 1000000000,
  'kept in freezer ' || h(i, 80) % 60
FROM generate_series(1, greatest(:rows / 10, 1)) AS i;

ALTER TABLE person ADD PRIMARY KEY (id);
ALTER TABLE cases ADD PRIMARY KEY (id), ADD FOREIGN KEY (person_id) REFERENCES person (id);
ALTER TABLE contact ADD PRIMARY KEY (id), ADD FOREIGN KEY (person_id) REFERENCES person (id),
  ADD FOREIGN KEY (case_id) REFERENCES cases (id);
ALTER TABLE sample ADD PRIMARY KEY (id), ADD FOREIGN KEY (case_id) REFERENCES cases (id);
CREATE INDEX ON person (district, status);
CREATE INDEX ON cases (person_id);
CREATE INDEX ON contact (person_id);
CREATE INDEX ON contact (case_id);
CREATE INDEX ON sample (case_id);
VACUUM (ANALYZE);
