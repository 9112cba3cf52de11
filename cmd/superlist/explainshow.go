package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"superlist/cmd/superlist/linediff"
	"superlist/lists"
	"superlist/lists/copies"
	"superlist/lists/deliver"
	"superlist/lists/members"
	"superlist/lists/rewrite"
	"superlist/lists/rewrite/edit"
	"superlist/lists/site"
)

// copiesOf makes the copies of a message that members of a list would get now.
func copiesOf(s *site.Site, l *lists.List, content *io.SectionReader, h rewrite.Header, bodyAt int64) (*copies.Copies, error) {
	maker := deliver.Copier(s, l)
	return maker.Make(copies.Post{
		ID: "explain", Content: content, Header: h, Below: io.NewSectionReader(content, bodyAt, content.Size()-bodyAt), Arrived: time.Now(), Body: "8BITMIME",
	})
}

// asSent returns the message as a member would get it, without our signature. In a copy of
// their own {unsubscribe} stands for their link, which nobody else is to see.
func asSent(l *lists.List, made *copies.Copies, member members.Member) ([]byte, error) {
	number := 1
	if last, err := l.Posts().Last(); err == nil {
		number = last + 1
	}
	m, err := made.For(made.Of(member), number)
	if err != nil {
		return nil, err
	}
	r, holes := m.Personal()
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(edit.Filled(io.NewSectionReader(bytes.NewReader(text), 0, int64(len(text))), holes, "{unsubscribe}"))
}

// readerOf returns the line of a member; without an address, that of nobody in particular.
func readerOf(l *lists.List, address string) (members.Member, error) {
	if address == "" {
		return members.Member{Path: l.Addr}, nil
	}
	path, err := parseAddress(address)
	if err != nil {
		return members.Member{}, err
	}
	all, err := l.Members()
	if err != nil {
		return members.Member{}, err
	}
	defer all.Close()
	m, ok, err := all.Find(path)
	if err == nil && !ok {
		err = &exitError{exNoUser, fmt.Errorf("%s is not a member of %s", path.Address(), l.Addr.Address())}
	}
	return m, err
}

// maxDiff is how many lines of a message are compared.
const maxDiff = 2000

// difference returns the lines removed (-) and added (+). Between them, "..." stands for
// equal lines.
func difference(before, after []byte) string {
	a, b := linesOf(before), linesOf(after)
	// Equal lines at both ends need no comparison.
	start := 0
	for start < min(len(a), len(b)) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < min(len(a), len(b))-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	x, y := a[start:len(a)-end], b[start:len(b)-end]
	if len(x) > maxDiff || len(y) > maxDiff {
		return fmt.Sprintf("%d lines differ; --show has all\n", max(len(x), len(y)))
	}
	var out strings.Builder
	same := false
	for _, step := range linediff.Steps(x, y) {
		if sign := step[0]; sign != ' ' {
			same = false
			fmt.Fprintf(&out, "%c %s\n", sign, step[1:])
		} else if !same {
			same = true
			out.WriteString("  ...\n")
		}
	}
	if out.Len() == 0 {
		return "nothing differs\n"
	}
	return out.String()
}

func linesOf(text []byte) []string {
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
}
