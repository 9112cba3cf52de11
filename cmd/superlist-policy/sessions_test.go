package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/smtp"
	"superlist/smtp/smtptest/recording"
)

// lang is that of recorded connections: P: is a line of Postfix's and A: one of the
// answer, each ended by LF.
var lang = recording.Language{
	Sides:  "PA",
	Encode: func(text string) ([]byte, error) { return []byte(text + "\n"), nil },
	Hear: func(st recording.Step, heard *bytes.Buffer) error {
		line, err := heard.ReadString('\n')
		if text, _ := strings.CutSuffix(line, "\n"); err != nil || !recording.Match(st.Text, text) {
			return fmt.Errorf("got %q, want %q", line, st.Text)
		}
		return nil
	},
	Show: func(heard *bytes.Buffer) string { return fmt.Sprintf("%q", heard) },
}

// patient has no use for deadlines.
type patient struct{ io.ReadWriter }

func (patient) SetReadDeadline(time.Time) error  { return nil }
func (patient) SetWriteDeadline(time.Time) error { return nil }

// deskOf is the desk of a recording, and where its log goes.
func deskOf(t testing.TB, script *recording.Script) (*desk, *[]string) {
	t.Helper()
	s, err := site.Load(sitetest.Recorded(t, t.TempDir(), script, nil, []string{"list", "error"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Spool().Init(); err != nil {
		t.Fatal(err)
	}
	log := new([]string)
	d := newDesk(s, func(e smtp.Event) { *log = append(*log, e.String()) })
	if action, ok := script.File("list"); ok {
		d.list = strings.TrimSpace(action)
	}
	return d, log
}

// TestSessions plays every recording, whole and one byte at a time. Below it may stand
// what may stand below a session; list, which is the flag; and error, which says how
// the connection ended.
func TestSessions(t *testing.T) {
	scripts, err := lang.ReadAll("../../testdata/policy/*.policy")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		for _, mode := range []string{"whole", "bytewise"} {
			t.Run(script.Name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				d, log := deskOf(t, script)
				conn := script.Plays('P')
				conn.OneByte = mode == "bytewise"
				served := d.serve(patient{conn})
				if err := conn.Close(); err != nil {
					t.Errorf("%v\nlog:\n%s", err, strings.Join(*log, "\n"))
				}
				want, _ := script.File("error")
				if got := fmt.Sprint(served); (served != nil || want != "") && got != strings.TrimSuffix(want, "\n") {
					t.Errorf("the end: %s, want %s", got, want)
				}
				if mode == "whole" && conn.Writes > 1 {
					t.Errorf("the answer to one piece went out in %d pieces", conn.Writes)
				}
				sitetest.CheckSpool(t, d.site.QueueDir, script, nil)
				sitetest.CheckLog(t, script, *log)
			})
		}
	}
}
