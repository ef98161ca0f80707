-- What flagctl and moderator 0.1.0 write into a library.
SELECT set_config('moderator.actor', 'ann', false), set_config('moderator.reason', 'a bought list', false);
SELECT register_model(repeat('ab', 32), 'test', 32, 0.5, 0.4);
INSERT INTO bank (name, pdq_distance, pdq_verdict) VALUES ('spam', 20, 'review');
INSERT INTO bank_threshold (bank_id, model_id, block_at, review_at) VALUES (2, 1, 0.7, 0.6);
INSERT INTO flagged_image (id, bank_id, sha256, md5, source, note, created_by) VALUES
    ('11111111-0000-0000-0000-000000000000', 2, sha256('one'), decode(md5('one'), 'hex'), 'one.jpg', 'a bought list', 'ann'),
    ('22222222-0000-0000-0000-000000000000', 1, sha256('two'), decode(md5('two'), 'hex'), 'two.jpg', '', 'ann');
INSERT INTO flagged_embedding (model_id, image_id, bank_id, view, penalty, embedding) VALUES
    (1, '11111111-0000-0000-0000-000000000000', 2, 'original', 0, ('[1' || repeat(',0', 31) || ',1]')::halfvec),
    (1, '22222222-0000-0000-0000-000000000000', 1, 'original', 0, ('[0,1' || repeat(',0', 30) || ',1]')::halfvec);
INSERT INTO flagged_pdq (image_id, bank_id, view, hash, quality) VALUES
    ('11111111-0000-0000-0000-000000000000', 2, 'original', repeat('01', 128)::bit(256), 100),
    ('22222222-0000-0000-0000-000000000000', 1, 'original', repeat('0011', 64)::bit(256), 100);
UPDATE flagged_image SET retracted_at = now(), retracted_by = 'bob', retract_reason = 'a mistake' WHERE source = 'two.jpg';
INSERT INTO allowed_image (sha256, source, note, created_by) VALUES (sha256('three'), 'three.jpg', 'own work', 'ann');
