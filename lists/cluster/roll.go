package cluster

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"superlist/lists/members"
)

// rollFile is the file whose parts are lines: with a million members one that changes must
// not make the others travel. It is in order if superlist has written it, which its time
// says: lines that begin with # in front, then the members, by their keys. Any other is a
// file like all others.
const rollFile = "members"

// maxLine is how long a line may be in a file that is in order.
const maxLine = 4 << 10

// A roller reads a members file that should be in order line by line.
type roller struct {
	r     *bufio.Reader
	front bool   // no member has come yet
	last  string // key
	line  []byte // until the next one is read
	key   string // empty: a line in front
}

// errOrder means that the file is not in order.
var errOrder = errors.New("not in order")

// next reads the next line; io.EOF: there is none.
func (r *roller) next() error {
	line, err := r.r.ReadSlice('\n')
	switch {
	case err == io.EOF && len(line) == 0:
		r.line, r.key = nil, ""
		return io.EOF
	case err == io.EOF, err == bufio.ErrBufferFull:
		return errOrder
	case err != nil:
		return err
	}
	r.line = line[:len(line)-1]
	if bytes.IndexByte(r.line, 0) >= 0 {
		return errOrder
	}
	if len(r.line) > 0 && r.line[0] == '#' {
		r.key = ""
		if !r.front {
			return errOrder
		}
		return nil
	}
	key, ok := members.KeyOf(r.line)
	if !ok || key <= r.last {
		return errOrder
	}
	r.key, r.last, r.front = key, key, false
	return nil
}

func newRoller(f *os.File, from, to int64, front bool, last string) *roller {
	return &roller{r: bufio.NewReaderSize(io.NewSectionReader(f, from, to-from), maxLine), front: front, last: last}
}

// inOrder reports whether a members file is in order, by reading all of it.
func inOrder(f *os.File, info fs.FileInfo) (bool, error) {
	if info.ModTime() != members.SortedTime(info.ModTime()) {
		return false, nil
	}
	r := newRoller(f, 0, info.Size(), true, "")
	for {
		switch err := r.next(); err {
		case nil:
		case io.EOF:
			return true, nil
		case errOrder:
			return false, nil
		default:
			return false, err
		}
	}
}

// frontOf returns the lines in front of a file that is in order.
func frontOf(f *os.File, size int64) ([]byte, error) {
	r := newRoller(f, 0, size, true, "")
	front := []byte{}
	for {
		err := r.next()
		if err == io.EOF || err == nil && r.key != "" {
			return front, nil
		}
		if err != nil {
			return nil, err
		}
		front = append(append(front, r.line...), '\n')
	}
}

// lines yields the items of a members file that is in order.
func lines(f *os.File, info fs.FileInfo, yield func(Item, error) bool) {
	front, err := frontOf(f, info.Size())
	if !yield(Item{File: rollFile, Content: front, At: info.ModTime()}, err) || err != nil {
		return
	}
	r := newRoller(f, int64(len(front)), info.Size(), false, "")
	for {
		err := r.next()
		if err == io.EOF {
			return
		}
		if !yield(r.item(info.ModTime()), err) || err != nil {
			return
		}
	}
}

func (r *roller) item(at time.Time) Item {
	return Item{File: rollFile, Part: r.key, Content: bytes.Clone(r.line), At: at}
}
