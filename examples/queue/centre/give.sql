-- The centre's own work: appointments of tokens that are gone are free again, and the first in the
-- queue get what is free. Who that is, it does not know.
DELETE FROM slot WHERE token NOT IN (SELECT number FROM registration);
INSERT INTO slot (token, place, day)
  SELECT waiting.number, free.place, free.day
  FROM (SELECT number, row_number() OVER (ORDER BY priority, number) AS n FROM registration
        WHERE number NOT IN (SELECT token FROM slot)) AS waiting
  JOIN (SELECT place, day, row_number() OVER (ORDER BY day) AS n FROM offer
        WHERE day NOT IN (SELECT day FROM slot)) AS free ON free.n = waiting.n;
