-- +goose Up

-- 1 where the use that the admission took was given back, at the door.
ALTER TABLE admissions ADD COLUMN returned BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE admissions DROP COLUMN returned;
