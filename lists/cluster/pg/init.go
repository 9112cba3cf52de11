package pg

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"superlist/lists/cluster"
)

//go:embed schema.sql
var schema string

// migrations make the tables what this version of superlist works with: each makes of the
// one before the next. What has been released is not changed any more.
var migrations = []string{schema}

// migrateLock is the number of the lock that whoever migrates has.
const migrateLock = 7171

// Migrate makes the tables, or makes those of an older version what this one works with.
func (db *DB) Migrate() error {
	ctx := context.Background()
	conn, err := pgx.ConnectConfig(ctx, db.config.Copy())
	if err != nil {
		return away(err)
	}
	defer conn.Close(ctx)
	return away(pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", migrateLock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS migrations (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"); err != nil {
			return err
		}
		version, err := versionOf(tx)
		for ; err == nil && version < len(migrations); version++ {
			if _, err = tx.Exec(ctx, migrations[version], pgx.QueryExecModeSimpleProtocol); err == nil {
				_, err = tx.Exec(ctx, "INSERT INTO migrations (version) VALUES ($1)", version+1)
			}
		}
		return err
	}))
}

func versionOf(q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) (version int, err error) {
	err = q.QueryRow(context.Background(), "SELECT coalesce(max(version), 0) FROM migrations").Scan(&version)
	return version, err
}

// ready checks that the tables are what this version works with.
func ready(conn *pgx.Conn) error {
	version, err := versionOf(conn)
	var said *pgconn.PgError
	switch {
	case errors.As(err, &said) && said.Code == "42P01", err == nil && version == 0: // no such table
		return cluster.ErrNotInit
	case err != nil:
		return err
	case version < len(migrations):
		return fmt.Errorf("the tables of the cluster are of version %d and this superlist needs %d: superlist cluster init makes them so", version, len(migrations))
	case version > len(migrations):
		return fmt.Errorf("the tables of the cluster are of version %d, and this superlist knows up to %d: it is older than that of another host", version, len(migrations))
	}
	return nil
}

// A Host is one that has said that it is there.
type Host struct {
	Name      string
	Seen      time.Time // by the clock of the database
	Ago       time.Duration
	AdoptedBy string // another host has taken over what waited there; empty: none has
}

// do calls f with a connection.
func (db *DB) do(f func(*pgx.Conn) error) error {
	conn, err := db.with(f)
	if err == nil {
		db.put(conn)
	}
	return err
}

// Hosts returns the hosts, by name.
func (db *DB) Hosts() (hosts []Host, err error) {
	err = db.do(func(conn *pgx.Conn) error {
		rows, err := conn.Query(context.Background(), "SELECT name, seen, (extract(epoch FROM now() - seen) * 1e9)::bigint, coalesce(adopted_by, '') FROM hosts ORDER BY name")
		if err == nil {
			hosts, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Host])
		}
		return err
	})
	return hosts, err
}

// Seen says that a host is there. It returns who has taken over what waited on it, if
// somebody has: then it must send nothing of that any more.
func (db *DB) Seen(host string) (adoptedBy string, err error) {
	err = db.do(func(conn *pgx.Conn) error {
		return conn.QueryRow(context.Background(), "INSERT INTO hosts (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET seen = now() RETURNING coalesce(adopted_by, '')", host).Scan(&adoptedBy)
	})
	return adoptedBy, err
}

// Adopt says that a host takes over what waits on another one; with an empty name, that
// nobody does any more.
func (db *DB) Adopt(host, by string) error {
	return db.do(func(conn *pgx.Conn) error {
		_, err := conn.Exec(context.Background(), "INSERT INTO hosts (name, adopted_by) VALUES ($1, nullif($2::text, '')) ON CONFLICT (name) DO UPDATE SET adopted_by = nullif($2::text, '')", host, by)
		return err
	})
}

// Leave forgets a host.
func (db *DB) Leave(host string) error {
	return db.do(func(conn *pgx.Conn) error {
		_, err := conn.Exec(context.Background(), "DELETE FROM hosts WHERE name = $1", host)
		return err
	})
}

// Purge forgets what was gone before a time. A host that has not been up to date since
// compares its whole copy.
func (db *DB) Purge(before time.Time) error {
	return db.do(func(conn *pgx.Conn) error {
		_, err := conn.Exec(context.Background(), `WITH
			u AS (SELECT id FROM units WHERE id IN (SELECT unit FROM items WHERE content IS NULL AND at < $1) FOR UPDATE SKIP LOCKED),
			old AS (DELETE FROM items WHERE content IS NULL AND at < $1 AND unit IN (SELECT id FROM u) RETURNING unit, version)
			UPDATE units SET purged = greatest(purged, o.version) FROM (SELECT unit, max(version) AS version FROM old GROUP BY unit) o WHERE id = o.unit`, before.UnixNano())
		return err
	})
}
