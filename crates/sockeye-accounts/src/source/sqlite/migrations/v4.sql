-- How much may be put into a drop box, and how much was.

ALTER TABLE shares ADD COLUMN max_bytes INTEGER CHECK (max_bytes > 0);
ALTER TABLE shares ADD COLUMN max_files INTEGER CHECK (max_files > 0);
ALTER TABLE shares ADD COLUMN taken_bytes INTEGER NOT NULL DEFAULT 0 CHECK (taken_bytes >= 0);
ALTER TABLE shares ADD COLUMN taken_files INTEGER NOT NULL DEFAULT 0 CHECK (taken_files >= 0);
