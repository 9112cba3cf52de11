package migrate

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
)

// mbox finds the messages of a file in the form of RFC 4155: each begins with a
// line "From SENDER TIME" behind an empty one. They are numbered from 1.
func (d *folder) mbox(name string) (posts []Post, err error) {
	f, info, err := d.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	br := bufio.NewReaderSize(f, maxLine)
	var at, begin int64
	var arrived time.Time
	began, blank := false, true
	end := func(to int64) {
		if began {
			posts = append(posts, d.piece(name, len(posts)+1, begin, to-begin, arrived))
		}
	}
	for {
		line, err := br.ReadSlice('\n')
		whole := err == nil
		if whole && blank && bytes.HasPrefix(line, []byte("From ")) {
			if when := fromLine(string(line)); !when.IsZero() || !began {
				end(at)
				begin, began, arrived = at+int64(len(line)), true, when
			}
		}
		at += int64(len(line))
		blank = whole && len(bytes.TrimSpace(line)) == 0
		if err == io.EOF || at >= info.Size() {
			end(at)
			return posts, nil
		}
		if err != nil && err != bufio.ErrBufferFull {
			return posts, err
		}
	}
}

// fromLine is the time on a line "From SENDER TIME"; zero where there is none, and
// then the line is one of a message.
func fromLine(line string) time.Time {
	fields := strings.Fields(line)
	for _, form := range []string{"Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 -0700 2006", "Mon Jan 2 15:04:05 MST 2006"} {
		n := 2 + len(strings.Fields(form))
		if len(fields) < n {
			continue
		}
		if at, err := time.Parse(form, strings.Join(fields[2:n], " ")); err == nil {
			return at
		}
	}
	return time.Time{}
}

// piece is a message in a part of a file. A line that begins with From and was
// given a > for it loses it, and the empty line at the end belongs to the file.
func (d *folder) piece(name string, number int, at, size int64, arrived time.Time) Post {
	p := Post{Source: fmt.Sprintf("%s, message %d", name, number), Number: number, Arrived: arrived}
	p.Open = func() (io.ReadCloser, error) {
		f, _, err := d.open(name)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{&unquoted{br: bufio.NewReaderSize(io.NewSectionReader(f, at, size), maxLine)}, f}, nil
	}
	return p
}

// An unquoted reads a message of an mbox file as it was.
type unquoted struct {
	br    *bufio.Reader
	line  []byte // what is left to hand out
	empty []byte // an empty line, which the file's end would take with it
	in    bool   // the rest of a long line comes next
	err   error
}

func (u *unquoted) Read(p []byte) (int, error) {
	for len(u.line) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		line, err := u.br.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			u.err = err
		}
		begins := !u.in
		u.in = err == bufio.ErrBufferFull
		if begins && len(line) > 0 && line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
			line = line[1:]
		}
		switch {
		case begins && len(line) > 0 && len(bytes.TrimSpace(line)) == 0:
			u.line, u.empty = u.empty, bytes.Clone(line)
		case len(line) > 0:
			u.line, u.empty = append(u.empty, line...), nil
		}
	}
	n := copy(p, u.line)
	u.line = u.line[n:]
	return n, nil
}
