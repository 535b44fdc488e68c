UPDATE t SET v = 2;
UPDATE T SET w = 'b';
