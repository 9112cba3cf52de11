package pg

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"
)

//go:embed schema.sql
var schema string

// Migrate makes the tables, unless they are there.
func (db *DB) Migrate() error {
	ctx := context.Background()
	conn, err := db.with(func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(7171)"); err != nil {
				return err
			}
			var there bool
			if err := tx.QueryRow(ctx, "SELECT to_regclass('migrations') IS NOT NULL").Scan(&there); err != nil || there {
				return err
			}
			_, err := tx.Exec(ctx, schema, pgx.QueryExecModeSimpleProtocol)
			return err
		})
	})
	if err == nil {
		db.put(conn)
	}
	return err
}
