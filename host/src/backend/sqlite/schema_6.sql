-- The order in which the runs of a recipe were begun. Their ids follow the clock, which may have been wrong.
ALTER TABLE runs ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET number = ranked.number
    FROM (SELECT id, row_number() OVER (PARTITION BY recipe ORDER BY id) AS number FROM runs) AS ranked
    WHERE ranked.id = runs.id;
DROP INDEX runs_of_recipe;
CREATE UNIQUE INDEX runs_in_order ON runs (recipe, number);

-- Whether records of the table were ever removed, so that their numbers do not tell their count.
ALTER TABLE tables ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;
