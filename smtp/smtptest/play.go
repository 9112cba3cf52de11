package smtptest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"superlist/smtp/smtptest/recording"
)

// Play plays the client's side of a recording to a real server on w, and compares what
// comes back on r with the server's side. It writes the dialogue to show. A close by
// the client closes the writing half of w, if it has one. A recording that is not
// Playable is an error.
func Play(s *Script, w io.Writer, r io.Reader, show io.Writer) error {
	br := bufio.NewReader(r)
	for _, st := range s.Steps {
		switch {
		case st.Kind == '!' && st.Side == 'S':
			if rest, err := io.ReadAll(br); len(rest) > 0 || err != nil {
				return fmt.Errorf("%s:%d: the server was to close, and says %q, %v", s.Name, st.Line, rest, err)
			}
		case st.Kind == '!':
			half, ok := w.(interface{ CloseWrite() error })
			if !ok || st.Text != "close" {
				return fmt.Errorf("%s:%d: only a test can play this", s.Name, st.Line)
			}
			half.CloseWrite()
		case st.Side == 'C':
			text := string(st.Wire)
			for line := range strings.Lines(text) {
				fmt.Fprintf(show, "C: %s\n", strings.TrimRight(line, "\r\n"))
			}
			if _, err := io.WriteString(w, text); err != nil {
				return fmt.Errorf("%s:%d: %w", s.Name, st.Line, err)
			}
		default:
			if err := hearFrom(s, st, br, show); err != nil {
				return err
			}
		}
	}
	return nil
}

// Playable reports whether a real connection can do everything in the recording: a
// reset and a timeout exist only in tests.
func Playable(s *Script) bool {
	return !slices.ContainsFunc(s.Steps, func(st recording.Step) bool {
		return st.Kind == '!' && st.Side == 'C' && st.Text != "close"
	})
}

// hearFrom compares what comes back with one step.
func hearFrom(s *Script, st recording.Step, br *bufio.Reader, show io.Writer) error {
	if st.Kind == '|' {
		got := make([]byte, len(st.Wire))
		n, err := io.ReadFull(br, got)
		for line := range strings.Lines(string(got[:n])) {
			fmt.Fprintf(show, "S: %s\n", strings.TrimRight(line, "\r\n"))
		}
		if err != nil || !bytes.Equal(got, st.Wire) {
			return fmt.Errorf("%s:%d: got %q, want %q, %v", s.Name, st.Line, got[:n], st.Wire, err)
		}
		return nil
	}
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return fmt.Errorf("%s:%d: got %q, want %q: %w", s.Name, st.Line, line, st.Text, err)
		}
		line = strings.TrimSuffix(line, "\r\n")
		fmt.Fprintf(show, "S: %s\n", line)
		if !recording.Match(st.Text, line) {
			return fmt.Errorf("%s:%d: got %q, want %q", s.Name, st.Line, line, st.Text)
		}
		more := more(st)
		if more == "" {
			return nil
		}
		if next, err := br.Peek(len(more)); err != nil || string(next) != more {
			return nil
		}
	}
}
