// Package pg keeps the lists of a cluster in PostgreSQL: see package cluster. Only programs
// that change lists link it.
//
// A connection keeps nothing between two transactions, so that pgbouncer may be in between
// and give a session for one transaction only.
package pg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"superlist/lists/cluster"
)

const (
	// connectTimeout is how long a host waits for a connection, unless the URL says.
	connectTimeout = 5 * time.Second
	// restTime is how long nobody tries again after a connection has failed.
	restTime = 10 * time.Second
	// idleTime is how long a host that is stopped, or cut off, keeps others from the lists
	// that it changes.
	idleTime = 30 * time.Second
	// lifeTime is how often a host that works says so.
	lifeTime = idleTime / 3
	// lockTime is how long a host waits for others: longer than for one that is stopped.
	lockTime = 45 * time.Second
	// silentTime is how long the database may say nothing while something is asked of it.
	silentTime = 90 * time.Second
	// maxIdle is how many connections are kept for later.
	maxIdle = 4
)

// A DB is the database of a cluster. It implements cluster.DB.
type DB struct {
	config *pgx.ConnConfig
	// restTime, idleTime, lockTime and lifeTime, but in tests
	rest, idleFor, lockFor, lifeEach time.Duration

	mu     sync.Mutex
	idle   []*pgx.Conn
	closed bool
	failed time.Time
	why    error
}

// Open returns the database at a URL. It does not connect yet.
func Open(url string) (*DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	dialer := &net.Dialer{Timeout: config.ConnectTimeout, KeepAlive: idleTime}
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return patient{conn}, nil
	}
	return &DB{config: config, rest: restTime, idleFor: idleTime, lockFor: lockTime, lifeEach: lifeTime}, nil
}

// UsePassword sets the password, before anything else is called.
func (db *DB) UsePassword(password string) { db.config.Password = password }

// A patient connection waits for the other side, but not for ever.
type patient struct{ net.Conn }

func (c patient) Read(p []byte) (int, error) {
	c.Conn.SetReadDeadline(time.Now().Add(silentTime))
	return c.Conn.Read(p)
}

func (c patient) Write(p []byte) (int, error) {
	c.Conn.SetWriteDeadline(time.Now().Add(silentTime))
	return c.Conn.Write(p)
}

// Close closes the connections that are kept.
func (db *DB) Close() {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.closed = true
	db.drop()
}

// drop closes what is kept. The caller has the lock.
func (db *DB) drop() {
	for _, conn := range db.idle {
		conn.Close(context.Background())
	}
	db.idle = nil
}

// away says that the database has not done what was asked, and why.
func away(err error) error {
	if err == nil || errors.Is(err, cluster.ErrAway) {
		return err
	}
	if hasCode(err, lockNotAvailable) {
		return fmt.Errorf("%w: another host has changed the same for %s and is not done: %w", cluster.ErrAway, lockTime, err)
	}
	return fmt.Errorf("%w: %w", cluster.ErrAway, err)
}

// get returns a connection: one that is kept, which may be dead, or a new one.
func (db *DB) get(fresh bool) (conn *pgx.Conn, kept bool, err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if fresh {
		db.drop()
	}
	if n := len(db.idle); n > 0 {
		conn, db.idle = db.idle[n-1], db.idle[:n-1]
		return conn, true, nil
	}
	if since := time.Since(db.failed); db.why != nil && since >= 0 && since < db.rest {
		return nil, false, db.why
	}
	db.mu.Unlock()
	if conn, err = pgx.ConnectConfig(context.Background(), db.config.Copy()); err == nil {
		if err = ready(conn); err != nil {
			conn.Close(context.Background())
		}
	}
	db.mu.Lock()
	db.failed, db.why = time.Now(), away(err)
	return conn, false, db.why
}

// put keeps a connection for later, or closes it.
func (db *DB) put(conn *pgx.Conn) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if conn.IsClosed() || conn.PgConn().TxStatus() != 'I' || db.closed || len(db.idle) >= maxIdle {
		conn.Close(context.Background())
		return
	}
	db.idle = append(db.idle, conn)
}

// with calls do with a connection, and again with a new one if one that was kept has died
// meanwhile. What do does is not done yet if it fails.
func (db *DB) with(do func(*pgx.Conn) error) (*pgx.Conn, error) {
	conn, kept, err := db.get(false)
	if err != nil {
		return nil, err
	}
	err = do(conn)
	if err != nil && kept && conn.IsClosed() {
		if conn, _, err = db.get(true); err != nil {
			return nil, err
		}
		err = do(conn)
	}
	if err != nil {
		conn.Close(context.Background())
		return nil, away(err)
	}
	return conn, nil
}

// Units implements cluster.DB.
func (db *DB) Units(names ...string) (units []cluster.Unit, err error) {
	err = db.do(func(conn *pgx.Conn) (err error) {
		units, err = unitsOf(conn, names)
		return err
	})
	return units, err
}

// Change implements cluster.DB.
func (db *DB) Change(units []string) (cluster.Tx, error) {
	return db.begin(true, func(b *pgx.Batch) {
		b.Queue("BEGIN")
		b.Queue("SELECT set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true)", milliseconds(db.lockFor), milliseconds(db.idleFor))
		queueLock(b, units)
	})
}

// queueLock locks the rows of units, in the order of their names, and makes missing ones.
func queueLock(b *pgx.Batch, units []string) {
	b.Queue("INSERT INTO units (name) SELECT n FROM unnest($1::text[]) n WHERE NOT EXISTS (SELECT 1 FROM units WHERE name = n) ON CONFLICT DO NOTHING", units)
	b.Queue("SELECT 1 FROM units WHERE name = ANY($1::text[]) ORDER BY name FOR UPDATE", units)
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

// Look implements cluster.DB.
func (db *DB) Look() (cluster.Tx, error) {
	return db.begin(false, func(b *pgx.Batch) { b.Queue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") })
}

// begin sends a batch, which can be sent once, to begin a transaction.
func (db *DB) begin(changes bool, queue func(*pgx.Batch)) (cluster.Tx, error) {
	conn, err := db.with(func(conn *pgx.Conn) error {
		b := &pgx.Batch{}
		queue(b)
		return conn.SendBatch(context.Background(), b).Close()
	})
	if err != nil {
		return nil, err
	}
	t := &tx{db: db, conn: conn}
	if changes {
		t.done = make(chan struct{})
		go t.live(db.lifeEach)
	}
	return t, nil
}
