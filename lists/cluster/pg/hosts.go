package pg

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"superlist/lists/cluster"
)

// Errors about hosts.
var (
	ErrName   = errors.New("the cluster has another host of this name")
	ErrNoHost = errors.New("the cluster has no such host")
	ErrLeft   = errors.New("this host is not among those of the cluster any more: somebody has taken it out")
)

// one carries out a statement about one host, which is there.
func (db *DB) one(name, sql string, args ...any) error {
	return db.do(func(conn *pgx.Conn) error {
		tag, err := conn.Exec(context.Background(), sql, args...)
		if err == nil && tag.RowsAffected() == 0 {
			err = unfit{fmt.Errorf("%w: %s", ErrNoHost, name)}
		}
		return err
	})
}

// Enter puts a host among those of the cluster, or says that it is there. The error is
// ErrName if there is another one of that name, which has another id.
func (db *DB) Enter(name, id string) error {
	err := db.one(name, `INSERT INTO hosts (name, id) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET seen = now() WHERE hosts.id = $2`, name, id)
	if errors.Is(err, ErrNoHost) {
		return fmt.Errorf("%w: %s", ErrName, name)
	}
	return err
}

// Seen says that a host is there. It returns who has taken over what waited on it, if
// somebody has: then it must send nothing of that any more. The error is ErrLeft if it has
// been taken out.
func (db *DB) Seen(name, id string) (adoptedBy string, err error) {
	err = db.do(func(conn *pgx.Conn) error {
		return conn.QueryRow(context.Background(),
			"UPDATE hosts SET seen = now() WHERE name = $1 AND id = $2 RETURNING coalesce(adopted_by, '')", name, id).Scan(&adoptedBy)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrLeft
	}
	return adoptedBy, err
}

// Adopt says that a host takes over what waits on another one; with an empty name, that
// nobody does any more.
func (db *DB) Adopt(name, by string) error {
	return db.one(name, "UPDATE hosts SET adopted_by = nullif($2::text, '') WHERE name = $1", name, by)
}

// Leave takes a host out: that with this id, or any of that name if the id is empty.
func (db *DB) Leave(name, id string) error {
	return db.one(name, "DELETE FROM hosts WHERE name = $1 AND $2::text IN ('', id)", name, id)
}

// Hosts returns all hosts, by name.
func (db *DB) Hosts() (hosts []cluster.Host, err error) {
	err = db.do(func(conn *pgx.Conn) error {
		rows, err := conn.Query(context.Background(), "SELECT name, id, seen, (extract(epoch FROM now() - seen) * 1e9)::bigint, coalesce(adopted_by, '') FROM hosts ORDER BY name")
		if err != nil {
			return err
		}
		hosts, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (h cluster.Host, err error) {
			var ago int64
			err = row.Scan(&h.Name, &h.ID, &h.Seen, &ago, &h.AdoptedBy)
			h.Ago = time.Duration(ago)
			return h, err
		})
		return err
	})
	return hosts, err
}
