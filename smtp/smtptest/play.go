package smtptest

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Play says the client's side of a recording to a real server on w, and holds
// what comes back on r against the server's side. The dialogue goes to show.
// The client's close is that of w's writing half, where it has one. A recording
// that is not Playable ends with an error.
func (s *Script) Play(w io.Writer, r io.Reader, show io.Writer) error {
	br := bufio.NewReader(r)
	for _, st := range s.steps {
		switch {
		case st.kind == '!' && st.side == 'S':
			if rest, err := io.ReadAll(br); len(rest) > 0 || err != nil {
				return fmt.Errorf("%s:%d: the server was to close, and says %q, %v", s.Name, st.line, rest, err)
			}
		case st.kind == '!':
			half, ok := w.(interface{ CloseWrite() error })
			if !ok || st.text != "close" {
				return fmt.Errorf("%s:%d: only a test can play this", s.Name, st.line)
			}
			half.CloseWrite()
		case st.side == 'C':
			text := st.text
			if st.kind == ':' {
				text += "\r\n"
			}
			for line := range strings.Lines(text) {
				fmt.Fprintf(show, "C: %s\n", strings.TrimRight(line, "\r\n"))
			}
			if _, err := io.WriteString(w, text); err != nil {
				return fmt.Errorf("%s:%d: %w", s.Name, st.line, err)
			}
		default:
			if err := s.hear(st, br, show); err != nil {
				return err
			}
		}
	}
	return nil
}

// Playable says that nothing happens to the recording's connection which a real
// one cannot be made to do: a reset and a timeout are a test's.
func (s *Script) Playable() bool {
	return !slices.ContainsFunc(s.steps, func(st step) bool {
		return st.kind == '!' && st.side == 'C' && st.text != "close"
	})
}

// hear holds what comes back against one step.
func (s *Script) hear(st step, br *bufio.Reader, show io.Writer) error {
	if st.kind == '|' {
		got := make([]byte, len(st.text))
		n, err := io.ReadFull(br, got)
		for line := range strings.Lines(string(got[:n])) {
			fmt.Fprintf(show, "S: %s\n", strings.TrimRight(line, "\r\n"))
		}
		if err != nil || string(got) != st.text {
			return fmt.Errorf("%s:%d: got %q, want %q, %v", s.Name, st.line, got[:n], st.text, err)
		}
		return nil
	}
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return fmt.Errorf("%s:%d: got %q, want %q: %w", s.Name, st.line, line, st.text, err)
		}
		line = strings.TrimSuffix(line, "\r\n")
		fmt.Fprintf(show, "S: %s\n", line)
		if !Match(st.text, line) {
			return fmt.Errorf("%s:%d: got %q, want %q", s.Name, st.line, line, st.text)
		}
		more := st.more()
		if more == "" {
			return nil
		}
		if next, err := br.Peek(len(more)); err != nil || string(next) != more {
			return nil
		}
	}
}
