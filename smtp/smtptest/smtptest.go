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
// S: is a line of the server and C: one of the client, each ended by CRLF. In an
// expected line an asterisk matches anything. S: 250-*, once or repeated, matches any
// number of such lines, since a server may announce more one day. C| and S| are bytes
// as they are: Go strings joined by +, each repeated N times with N*. C! and S! are
// what happens to the connection: timeout, reset or close. If the other side is to
// close, it must leave without reading on. Successive lines of one side are sent in one
// piece: that is pipelining. A txtar archive may follow; the test decides what its
// files mean.
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

// ReadAll reads the recordings that match a pattern.
func ReadAll(pattern string) ([]*Script, error) { return lang.ReadAll(pattern) }

// Parse reads a recording.
func Parse(file string, text []byte) (*Script, error) { return lang.Parse(file, text) }

// more returns "250-" for a step S: 250-*, which stands for all lines of a reply but
// the last.
func more(st recording.Step) string {
	code, ok := strings.CutSuffix(st.Text, "-*")
	if !ok || len(code) != 3 || st.Side != 'S' || st.Kind != ':' {
		return ""
	}
	return code + "-"
}

// hear takes one line, or for S: 250-* all lines like it.
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
