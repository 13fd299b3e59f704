-- The people who wait. The number is drawn once and given to nobody else later.
CREATE TABLE registration (
  number   TEXT PRIMARY KEY,
  name     TEXT NOT NULL,
  born     TEXT NOT NULL,
  phone    TEXT NOT NULL,
  postcode TEXT NOT NULL,
  priority TEXT NOT NULL
);
INSERT INTO registration VALUES
  ('81f2c0a9', 'Annegret Kowalczyk', '1941-05-02', '040 66969011', '20457', '1'),
  ('0be774d1', 'Jonas Petersen',     '1939-11-23', '040 66969012', '20459', '1'),
  ('2a6f90bb', 'Edda Lorenzen',      '1937-06-30', '040 66969010', '20457', '1'),
  ('c45d19e3', 'Mehmet Aslan',       '1972-01-30', '040 66969013', '20457', '2'),
  ('97aa036f', 'Ruth Oyelaran',      '1968-08-14', '040 66969014', '20459', '2'),
  ('3ce8b752', 'Ingrid Thomsen',     '1943-02-11', '040 66969015', '21073', '1'),
  ('e6014d8b', 'Liv Sandgren',       '1940-12-05', '040 66969016', '21075', '1'),
  ('5d9f82c4', 'Theodor Brandmair',  '1958-07-19', '040 66969017', '21073', '2');
