package main

import (
	"context"
	"encoding/binary"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"superlist/lists/cluster/pgtest"
)

// A testDatabase is a PostgreSQL for scripts:
//
//	database start|kill|restart  starts one, and sets DATABASE; kills or starts it again
//	database sql STATEMENT       carries out SQL as its owner
func testDatabase(t *testing.T) func(*testscript.TestScript, bool, []string) {
	servers := make(map[string]*pgtest.Server)
	return func(ts *testscript.TestScript, _ bool, arg []string) {
		work := ts.Getenv("WORK")
		switch arg[0] {
		case "start":
			servers[work] = pgtest.Start(t)
			ts.Setenv("DATABASE", servers[work].URL())
		case "kill":
			servers[work].Kill()
		case "restart":
			servers[work].Restart()
		case "sql":
			ctx := context.Background()
			conn, err := pgx.Connect(ctx, servers[work].URL())
			ts.Check(err)
			_, err = conn.Exec(ctx, strings.Join(arg[1:], " "), pgx.QueryExecModeSimpleProtocol)
			ts.Check(err)
			conn.Close(ctx)
		}
	}
}

// hostileServer returns the address of a PostgreSQL that refuses everybody, in words that
// steer the terminal.
func hostileServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	fields := "SFATAL\x00C28000\x00Mnot you " + steering + "\x00\x00"
	answer := append(binary.BigEndian.AppendUint32([]byte{'E'}, uint32(4+len(fields))), fields...)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 1024))
			conn.Write(answer)
			conn.Close()
		}
	}()
	return l.Addr().String()
}
