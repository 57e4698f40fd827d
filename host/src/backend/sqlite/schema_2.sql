-- Leases: who works on a segment, and how often a run's record was written.
ALTER TABLE runs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

ALTER TABLE segments ADD COLUMN owner TEXT;                         -- null while nobody works on it
ALTER TABLE segments ADD COLUMN token INTEGER NOT NULL DEFAULT 0;   -- grows whenever it changes hands
ALTER TABLE segments ADD COLUMN beat INTEGER NOT NULL DEFAULT 0;    -- grows whenever the owner shows that it lives
ALTER TABLE segments ADD COLUMN lasting INTEGER NOT NULL DEFAULT 0; -- milliseconds of silence before others take over
