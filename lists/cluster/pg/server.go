package pg

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Server is what the database says of itself and of its user.
type Server struct {
	Release   string        // 15.14
	Tables    int           // their version; 0: there are none
	TLS       bool          // the connection is encrypted
	Lossy     string        // the setting by which what was committed can be lost; empty: none
	Lacks     []string      // rights that the user needs, such as "INSERT on items"
	Superuser bool          // the user may do everything, and needs little
	Ahead     time.Duration // of its clock, before this host's
}

// lossy names a setting by which a database that goes down loses what it has committed.
const lossy = `SELECT coalesce(min(name), '') FROM pg_settings
	WHERE setting = 'off' AND name IN ('fsync', 'synchronous_commit', 'full_page_writes')`

// lacks yields the rights that superlist needs and its user does not have.
const lacks = `SELECT p || ' on ' || t FROM unnest($1::text[]) t, unnest($2::text[]) p WHERE NOT has_table_privilege(t, p)
	UNION ALL SELECT 'SELECT on migrations' WHERE NOT has_table_privilege('migrations', 'SELECT')
	UNION ALL SELECT 'USAGE on units_id_seq' WHERE NOT has_sequence_privilege('units_id_seq', 'USAGE')
	ORDER BY 1`

// Tables and Rights are what a user needs, and on which tables.
var (
	Tables = []string{"units", "items", "hosts"}
	Rights = []string{"SELECT", "INSERT", "UPDATE", "DELETE"}
)

// Inspect asks the database about itself. It does not mind which tables there are.
func (db *DB) Inspect() (s Server, err error) {
	ctx := context.Background()
	conn, err := pgx.ConnectConfig(ctx, db.config.Copy())
	if err != nil {
		return s, away(err)
	}
	defer conn.Close(ctx)
	_, s.TLS = conn.PgConn().Conn().(*tls.Conn)
	asked := time.Now()
	var now time.Time
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version'), clock_timestamp(), (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)").
		Scan(&s.Release, &now, &s.Superuser); err != nil {
		return s, away(err)
	}
	s.Ahead = now.Sub(asked.Add(time.Since(asked) / 2))
	if err := conn.QueryRow(ctx, lossy).Scan(&s.Lossy); err != nil {
		return s, away(err)
	}
	s.Tables, err = versionOf(conn)
	switch {
	case hasCode(err, undefinedTable):
		return s, nil
	case hasCode(err, insufficientPrivilege):
		s.Lacks = []string{"SELECT on migrations"}
		return s, nil
	case err != nil || s.Tables == 0:
		return s, err
	}
	rows, err := conn.Query(ctx, lacks, Tables, Rights)
	if err != nil {
		return s, away(err)
	}
	if s.Lacks, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return s, away(err)
	}
	return s, nil
}
