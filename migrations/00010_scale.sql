-- Vectors were stored in another way here, which migration 12 replaces, whatever it finds.

-- +goose Up
