// Package smtptest plays one side of a recorded SMTP session.
//
// A recording is a text file:
//
//	# What it shows, in the first line.
//	S: 220 *
//	C: EHLO client.example
//	S: 250-lists.example.org
//	S: 250-*
//	C| "Subject: x\r\n\r\n" + 3*"long " + "\r\n.\r\n"
//	C! timeout
//
// S: is a line of the server's and C: one of the client's, each ended by CRLF;
// an asterisk in the line that is expected matches anything, and S: 250-*, once
// or repeated, any number of such lines: what a server announces may grow. C|
// and S| are bytes as they stand, as Go strings joined by +, each repeated N
// times with N*. C! and S! are what happens to the connection: timeout, reset or
// close. Where the other side is said to close, it must leave without reading
// on. Lines of one side that follow each other go out in one piece: that is
// pipelining. A txtar archive may follow; what its files are is up to the test.
//
// Package recording plays it.
package smtptest

import (
	"bytes"
	"fmt"
	"strings"

	"superlist/smtp/smtptest/recording"
)

// A Script is a recording. Its sides are 'C' and 'S'.
type Script = recording.Script

var lang = recording.Language{
	Sides:   "CS",
	Encode:  func(text string) ([]byte, error) { return []byte(text + "\r\n"), nil },
	Hear:    hear,
	Show:    func(heard *bytes.Buffer) string { return fmt.Sprintf("%q", heard) },
	Repeats: func(before, st recording.Step) bool { return more(st) != "" && more(st) == more(before) },
}

// ReadAll reads the recordings that a pattern names.
func ReadAll(pattern string) ([]*Script, error) { return lang.ReadAll(pattern) }

// Parse reads a recording.
func Parse(file string, text []byte) (*Script, error) { return lang.Parse(file, text) }

// more is "250-" where a step is S: 250-*, the lines of a reply but the last.
func more(st recording.Step) string {
	code, ok := strings.CutSuffix(st.Text, "-*")
	if !ok || len(code) != 3 || st.Side != 'S' || st.Kind != ':' {
		return ""
	}
	return code + "-"
}

// hear takes one line, and where it is S: 250-* all lines like it.
func hear(st recording.Step, heard *bytes.Buffer) error {
	for {
		line, err := heard.ReadBytes('\n')
		text, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if err != nil || !ok || !recording.Match(st.Text, string(text)) {
			return fmt.Errorf("got %q, want %q", line, st.Text)
		}
		if more := more(st); more == "" || !bytes.HasPrefix(heard.Bytes(), []byte(more)) {
			return nil
		}
	}
}
