package pg

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"superlist/lists/cluster"
)

// A tx implements cluster.Tx.
type tx struct {
	db   *DB
	mu   sync.Mutex // of the connection
	conn *pgx.Conn  // nil: it is over
	done chan struct{}
}

// live says from time to time that this host works.
func (t *tx) live(each time.Duration) {
	tick := time.NewTicker(each)
	defer tick.Stop()
	for {
		select {
		case <-t.done:
			return
		case <-tick.C:
			t.mu.Lock()
			if t.conn != nil {
				t.conn.Ping(context.Background())
			}
			t.mu.Unlock()
		}
	}
}

// errOver means a mistake in this program.
var errOver = errors.New("the transaction is over")

// use calls do with the connection.
func (t *tx) use(do func(*pgx.Conn) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn == nil {
		return errOver
	}
	return away(do(t.conn))
}

// News implements cluster.DB. The mark has the database and its time line, and the first
// transaction that was not over: what that one and later ones change is news. What was
// changed by an earlier one was seen, in whatever order they ended.
func (db *DB) News(mark string) (units []cluster.Unit, next string, err error) {
	err = db.do(func(conn *pgx.Conn) (err error) {
		ctx := context.Background()
		var which, first string
		if err := conn.QueryRow(ctx, `SELECT system_identifier || '.' || timeline_id || '.' || to_regclass('units')::oid, pg_snapshot_xmin(pg_current_snapshot())::text
			FROM pg_control_system(), pg_control_checkpoint()`).Scan(&which, &first); err != nil {
			return err
		}
		next = which + " " + first
		since, ok := strings.CutPrefix(mark, which+" ")
		if !ok || !isBefore(since, first) {
			since = "0"
		}
		units, err = collectUnits(conn.Query(ctx, unitColumns+" WHERE changed >= $1::text::xid8 ORDER BY name", since))
		return err
	})
	return units, next, err
}

// isBefore reports whether a number of a transaction is not after another one, as it would
// be in a database that has been put back.
func isBefore(a, b string) bool {
	x, err := strconv.ParseUint(a, 10, 64)
	y, err2 := strconv.ParseUint(b, 10, 64)
	return err == nil && err2 == nil && x <= y
}

const unitColumns = "SELECT name, version, born, purged, site, gone FROM units"

func unitsOf(conn *pgx.Conn, names []string) ([]cluster.Unit, error) {
	if len(names) == 0 {
		return collectUnits(conn.Query(context.Background(), unitColumns+" ORDER BY name"))
	}
	return collectUnits(conn.Query(context.Background(), unitColumns+" WHERE name = ANY($1::text[]) ORDER BY name", names))
}

func collectUnits(rows pgx.Rows, err error) ([]cluster.Unit, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[cluster.Unit])
}

// Units implements cluster.Tx.
func (t *tx) Units(names ...string) (units []cluster.Unit, err error) {
	err = t.use(func(conn *pgx.Conn) (err error) {
		units, err = unitsOf(conn, names)
		return err
	})
	return units, err
}

// Lock implements cluster.Tx.
func (t *tx) Lock(unit string) (units []cluster.Unit, err error) {
	err = t.use(func(conn *pgx.Conn) (err error) {
		b := &pgx.Batch{}
		queueLock(b, []string{unit})
		if err := conn.SendBatch(context.Background(), b).Close(); err != nil {
			return err
		}
		units, err = unitsOf(conn, []string{unit})
		return err
	})
	return units, err
}

// Structure implements cluster.Tx.
func (t *tx) Structure(since int64) (units []cluster.Unit, err error) {
	err = t.use(func(conn *pgx.Conn) (err error) {
		units, err = collectUnits(conn.Query(context.Background(), unitColumns+" WHERE site > $1 ORDER BY name", since))
		return err
	})
	return units, err
}

// stream yields the rows of a query.
func stream[T any](t *tx, scan func(pgx.Rows) (T, error), prepare, sql string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		more := true
		err := t.use(func(conn *pgx.Conn) error {
			if prepare != "" {
				if _, err := conn.Exec(context.Background(), prepare); err != nil {
					return err
				}
			}
			rows, err := conn.Query(context.Background(), sql, args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for more && rows.Next() {
				row, err := scan(rows)
				if err != nil {
					return err
				}
				more = yield(row, nil)
			}
			rows.Close()
			return rows.Err()
		})
		if err != nil && more {
			var none T
			yield(none, err)
		}
	}
}

const theUnit = " FROM items WHERE unit = (SELECT id FROM units WHERE name = $1)"

// Items implements cluster.Tx.
func (t *tx) Items(unit string, after int64, files ...string) iter.Seq2[cluster.Item, error] {
	scan := func(rows pgx.Rows) (i cluster.Item, err error) {
		var at int64
		err = rows.Scan(&i.File, &i.Part, &i.Content, &at, &i.Version)
		i.At = time.Unix(0, at)
		return i, err
	}
	prepare := "SET LOCAL enable_sort = on"
	if after == 0 { // all of it, which may be much
		prepare = "SET LOCAL enable_sort = off"
	}
	sql := "SELECT file, part, content, at, version" + theUnit + " AND version > $2"
	if len(files) == 0 {
		return stream(t, scan, prepare, sql+" AND (file <> 'members' OR $1 = '') ORDER BY file, part", unit, after)
	}
	return stream(t, scan, prepare, sql+" AND file = ANY($3::text[]) ORDER BY file, part", unit, after, files)
}

func scanSum(rows pgx.Rows) (s cluster.Sum, err error) {
	var at int64
	var sum []byte
	err = rows.Scan(&s.File, &s.Part, &sum, &at, &s.Version)
	s.Gone = sum == nil
	copy(s.Sum[:], sum)
	s.At = time.Unix(0, at)
	return s, err
}

const sumColumns = "SELECT file, part, sum, at, version"

// Sums implements cluster.Tx.
func (t *tx) Sums(unit string, files, dirs []string) iter.Seq2[cluster.Sum, error] {
	if len(files)+len(dirs) == 0 {
		return stream(t, scanSum, "", sumColumns+theUnit+" AND (file <> 'members' OR $1 = '') ORDER BY file, part", unit)
	}
	if files == nil {
		files = []string{}
	}
	whole := false
	below := []string{}
	for _, dir := range dirs {
		whole = whole || dir == ""
		below = append(below, dir+"/")
	}
	if whole {
		return stream(t, scanSum, "", sumColumns+theUnit+" ORDER BY file, part", unit)
	}
	if len(dirs) == 0 {
		return stream(t, scanSum, "", sumColumns+theUnit+" AND file = ANY($2::text[]) ORDER BY file, part", unit, files)
	}
	// '0' is the character after '/'.
	return stream(t, scanSum, "", sumColumns+theUnit+` AND file = ANY($2::text[])
		UNION SELECT file, part, sum, at, version FROM items, unnest($3::text[]) d
		WHERE unit = (SELECT id FROM units WHERE name = $1) AND file > d AND file < rtrim(d, '/') || '0'
		ORDER BY 1, 2`, unit, files, below)
}

// Heads implements cluster.Tx.
func (t *tx) Heads(unit string) (heads []cluster.Sum, err error) {
	for sum, err := range stream(t, scanSum, "", sumColumns+theUnit+" AND file = 'members' AND part IN ('', '00000000') ORDER BY part", unit) {
		if err != nil {
			return nil, err
		}
		heads = append(heads, sum)
	}
	return heads, nil
}

// A batch of items goes to the database at once.
const (
	batchItems = 2000
	batchSize  = 1 << 20
)

// Put implements cluster.Tx.
func (t *tx) Put(unit string, version int64, items iter.Seq2[cluster.Item, error]) error {
	var b batch
	for i, err := range items {
		if err != nil {
			return err
		}
		b.add(i)
		if len(b.files) >= batchItems || b.size >= batchSize {
			if err := t.send(unit, version, &b); err != nil {
				return err
			}
		}
	}
	if len(b.files) == 0 {
		return nil
	}
	return t.send(unit, version, &b)
}

type batch struct {
	files, parts   []string
	contents, sums [][]byte
	at             []int64
	size           int
}

func (b *batch) add(i cluster.Item) {
	var sum []byte
	if i.Content != nil {
		s := sha256.Sum256(i.Content)
		sum = s[:]
	}
	b.files, b.parts, b.contents, b.sums = append(b.files, i.File), append(b.parts, i.Part), append(b.contents, i.Content), append(b.sums, sum)
	b.at = append(b.at, i.At.UnixNano())
	b.size += len(i.Content)
}

func (t *tx) send(unit string, version int64, b *batch) error {
	err := t.use(func(conn *pgx.Conn) error {
		_, err := conn.Exec(context.Background(), `INSERT INTO items (unit, file, part, content, sum, at, version)
			SELECT u.id, i.file, i.part, i.content, i.sum, i.at, $7
			FROM units u, unnest($2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::bigint[]) AS i (file, part, content, sum, at)
			WHERE u.name = $1
			ON CONFLICT (unit, file, part) DO UPDATE SET content = excluded.content, sum = excluded.sum, at = excluded.at, version = excluded.version`,
			unit, b.files, b.parts, b.contents, b.sums, b.at, version)
		return err
	})
	*b = batch{}
	return err
}

// Clear implements cluster.Tx.
func (t *tx) Clear(unit string) error {
	return t.use(func(conn *pgx.Conn) error {
		_, err := conn.Exec(context.Background(), "DELETE"+theUnit, unit)
		return err
	})
}

// Set implements cluster.Tx.
func (t *tx) Set(u cluster.Unit) error {
	return t.use(func(conn *pgx.Conn) error {
		_, err := conn.Exec(context.Background(), "UPDATE units SET version = $2, born = $3, purged = $4, site = $5, gone = $6, changed = pg_current_xact_id() WHERE name = $1",
			u.Name, u.Version, u.Born, u.Purged, u.Site, u.Gone)
		return err
	})
}

// errRolledBack means that the database has taken everything back instead.
var errRolledBack = errors.New("the transaction has been rolled back")

// Commit implements cluster.Tx.
func (t *tx) Commit() error { return t.end("COMMIT") }

// Rollback implements cluster.Tx.
func (t *tx) Rollback() { t.end("ROLLBACK") }

func (t *tx) end(how string) error {
	err := t.use(func(conn *pgx.Conn) error {
		tag, err := conn.Exec(context.Background(), how)
		if err == nil && tag.String() != how {
			err = errRolledBack
		}
		t.db.put(conn)
		t.conn = nil
		return err
	})
	if err != errOver && t.done != nil {
		close(t.done)
	}
	return err
}
