-- The application's own work: it answers requests that have no answer yet, and takes back answers to
-- requests that are withdrawn. Ids are drawn at random.
PRAGMA foreign_keys = ON;
DELETE FROM visit WHERE request NOT IN (SELECT id FROM request);
INSERT INTO visit (id, request, place)
  SELECT lower(hex(randomblob(8))), id, place FROM request
  WHERE id NOT IN (SELECT request FROM visit);
INSERT INTO guest (id, visit_id, name, phone, came)
  SELECT lower(hex(randomblob(8))), visit.id, checkin.name, checkin.phone, checkin.came
  FROM visit JOIN request ON request.id = visit.request
  JOIN checkin ON checkin.place = visit.place AND checkin.came BETWEEN request.since AND request.until
  WHERE NOT EXISTS (SELECT 1 FROM guest WHERE guest.visit_id = visit.id);
