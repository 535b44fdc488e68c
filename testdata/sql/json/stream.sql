UPDATE documents SET j = JSON_SET(j, '$.b', 2, '$.new', JSON_ARRAY(1, 'x')) WHERE id = 30;
UPDATE documents SET j = JSON_REMOVE(j, '$.aa') WHERE id = 30;
UPDATE documents SET j = JSON_REPLACE(j, '$.k.k', NULL) WHERE id = 31;
UPDATE documents SET j = JSON_ARRAY_APPEND(j, '$', 1.0) WHERE id = 9;
UPDATE documents SET j = JSON_INSERT(j, '$.n2', 'z') WHERE id = 80;
UPDATE documents SET j = 'null', required = '[1]' WHERE id = 1;
UPDATE documents SET j = NULL WHERE id = 2;
UPDATE documents SET j = JSON_MERGE_PATCH(j, '{"a": null, "c": {"d": [1, 2]}}') WHERE id = 10;
DELETE FROM documents WHERE id IN (13, 66);
