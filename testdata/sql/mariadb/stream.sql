UPDATE ids SET other = id, six = '64:ff9b::1.2.3.4', raw = X'ff00' WHERE four <> '10.1.2.3';
UPDATE ids SET id = '123e4567-e89b-12d3-a456-000000000000' WHERE four = '10.1.2.3';
DELETE FROM ids WHERE id = '123e4567-e89b-52d3-c456-426614174000';
SET SESSION gtid_domain_id = 5;
INSERT INTO mixed (id, doc, hidden) VALUES (NEXTVAL(numbers), '"text"', NULL) RETURNING id;
INSERT INTO mixed (id, greek) VALUES (10, 'δ') ON DUPLICATE KEY UPDATE greek = VALUES(greek);
SET SESSION gtid_domain_id = DEFAULT;
ALTER TABLE mixed ADD COLUMN IF NOT EXISTS later VARCHAR(20) DEFAULT 'it''s';
CREATE OR REPLACE TABLE fresh (id UUID PRIMARY KEY DEFAULT UUID(), v INET4);
INSERT INTO fresh (v) VALUES ('1.2.3.4'), ('0.0.0.0');
SET STATEMENT max_statement_time = 100 FOR UPDATE mixed SET latin = 'x';
BEGIN NOT ATOMIC
  INSERT INTO mixed (id, label) VALUES (99, 'é');
  DELETE FROM mixed WHERE id = 11;
END;
