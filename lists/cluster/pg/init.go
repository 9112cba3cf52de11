package pg

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
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

// Version is the version of the tables that this superlist works with.
var Version = len(migrations)

// Schema returns the SQL that makes the tables of this superlist from those of a version; 0:
// there are none.
func Schema(from int) string {
	var all strings.Builder
	if from == 0 {
		all.WriteString("CREATE TABLE IF NOT EXISTS migrations (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());\n")
	}
	for v := from; v < Version; v++ {
		fmt.Fprintf(&all, "%sINSERT INTO migrations (version) VALUES (%d);\n", migrations[v], v+1)
	}
	return all.String()
}

// Errors of databases that answer and are of no use.
var (
	ErrNewer  = errors.New("the tables of the cluster are those of a later superlist: upgrade this host")
	ErrOlder  = errors.New("the tables of the cluster are those of an earlier superlist: call superlist cluster init, or have their owner run what superlist cluster schema prints")
	ErrRights = errors.New("the user of the database may not do this")
)

// Codes of errors: PostgreSQL, appendix A.
const (
	insufficientPrivilege = "42501"
	undefinedTable        = "42P01"
	lockNotAvailable      = "55P03"
)

func hasCode(err error, code string) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == code
}

// migrateLock is the number of the lock that whoever migrates has.
const migrateLock = 7171

// Migrate makes the tables, or makes those of an older version what this one works with.
// Where nothing is to be done everybody may call it.
func (db *DB) Migrate() error {
	ctx := context.Background()
	conn, err := pgx.ConnectConfig(ctx, db.config.Copy())
	if err != nil {
		return away(err)
	}
	defer conn.Close(ctx)
	if err := ready(conn); err == nil || errors.Is(err, ErrNewer) {
		return err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", migrateLock); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, "SELECT to_regclass('migrations') IS NOT NULL").Scan(&there); err != nil {
			return err
		}
		version := 0
		if there {
			if version, err = versionOf(tx); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, Schema(version), pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if hasCode(err, insufficientPrivilege) {
		return fmt.Errorf("%w: %w; have the owner of the database run what superlist cluster schema prints", ErrRights, err)
	}
	return away(err)
}

func versionOf(q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) (version int, err error) {
	err = q.QueryRow(context.Background(), "SELECT coalesce(max(version), 0) FROM migrations").Scan(&version)
	return version, err
}

// unfit is the error of a database that answers and is of no use: mail goes on as while it is
// away.
type unfit struct{ error }

func (u unfit) Unwrap() error        { return u.error }
func (u unfit) Is(target error) bool { return target == cluster.ErrAway }

// ready checks that the tables are what this version works with.
func ready(conn *pgx.Conn) error {
	version, err := versionOf(conn)
	switch {
	case hasCode(err, undefinedTable), err == nil && version == 0:
		return unfit{cluster.ErrNotInit}
	case hasCode(err, insufficientPrivilege):
		return unfit{fmt.Errorf("%w: %w", ErrRights, err)}
	case err != nil:
		return err
	case version < Version:
		return unfit{ErrOlder}
	case version > Version:
		return unfit{ErrNewer}
	}
	return nil
}

// do calls f with a connection.
func (db *DB) do(f func(*pgx.Conn) error) error {
	conn, err := db.with(f)
	if err == nil {
		db.put(conn)
	}
	return err
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
