-- A unit is a list, or the site, whose name is empty. An item is a part of one of
-- its files, or one of its members.
CREATE TABLE units (
	id      bigserial PRIMARY KEY,
	name    text COLLATE "C" NOT NULL UNIQUE,
	version bigint  NOT NULL DEFAULT 0,     -- of the last change; 0: nobody has put it there
	born    bigint  NOT NULL DEFAULT 0,     -- when a list of this name was made again
	purged  bigint  NOT NULL DEFAULT 0,     -- up to here items that are gone are forgotten
	site    bigint  NOT NULL DEFAULT 0,     -- version of the site when the list came or went
	gone    boolean NOT NULL DEFAULT false,
	changed xid8 NOT NULL DEFAULT pg_current_xact_id() -- by which transaction
);
CREATE INDEX units_site ON units (site);
CREATE INDEX units_changed ON units (changed);
CREATE TABLE items (
	unit    bigint NOT NULL REFERENCES units,
	file    text COLLATE "C" NOT NULL,      -- below the directory of the unit
	part    text COLLATE "C" NOT NULL,      -- 00000000 and so on; of members the key
	content bytea,                          -- NULL: it is gone
	sum     bytea,                          -- SHA-256
	at      bigint NOT NULL,                -- time of the file, in nanoseconds since 1970
	version bigint NOT NULL,                -- of the unit, when it changed last
	PRIMARY KEY (unit, file, part)
);
ALTER TABLE items ALTER content SET STORAGE EXTERNAL;
CREATE INDEX items_version ON items (unit, version);
CREATE INDEX items_gone ON items (at) WHERE content IS NULL;
CREATE TABLE hosts (
	name       text PRIMARY KEY,
	id         text NOT NULL,               -- tells it from another host of that name
	seen       timestamptz NOT NULL DEFAULT now(),
	adopted_by text                         -- who has taken over what waited on it
);
