package cluster

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// PartSize is how many bytes of a file are one item, except at its end.
const PartSize = 64 << 10

// partName is the name of a part; an empty file has one, which is empty.
func partName(n int) string { return fmt.Sprintf("%08x", n) }

// firstPart is there as long as its file is.
const firstPart = "00000000"

// partNumber is the number of a part. ok is false for what is no such name.
func partNumber(name string) (n int64, ok bool) {
	if len(name) != len(firstPart) {
		return 0, false
	}
	u, err := strconv.ParseUint(name, 16, 32)
	return int64(u), err == nil && partName(int(u)) == name
}

// read yields the items of a file of a unit in the order of their parts. A missing file has
// none.
func (s *Site) read(unit, file string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		f, info, err := disk.OpenRegular(s.path(unit, file), unix.O_RDONLY|unix.O_NOFOLLOW)
		if errors.Is(err, fs.ErrNotExist) || unit == site && errors.Is(err, disk.ErrNotRegular) { // where a list is now
			return
		}
		if err != nil {
			yield(Item{}, err)
			return
		}
		defer f.Close()
		if unit != site && file == rollFile {
			ordered, err := inOrder(f, info)
			if err != nil {
				yield(Item{}, err)
				return
			}
			if ordered {
				lines(f, info, yield)
				return
			}
		}
		pieces(f, info, file, yield)
	}
}

// pieces yields the parts of a file.
func pieces(f *os.File, info fs.FileInfo, file string, yield func(Item, error) bool) {
	left := info.Size()
	for n := 0; n == 0 || left > 0; n++ {
		content := make([]byte, min(left, PartSize))
		if _, err := io.ReadFull(f, content); err != nil {
			yield(Item{}, fmt.Errorf("%s has changed while it was read: %w", f.Name(), err))
			return
		}
		left -= int64(len(content))
		if !yield(Item{File: file, Part: partName(n), Content: content, At: info.ModTime()}, nil) {
			return
		}
	}
}

// differ calls put with what makes of what the database has what the file has, until put
// says that it wants no more.
func differ(local iter.Seq2[Item, error], have []Sum, put func(Item) bool) (more bool, err error) {
	var last Item
	at := timeOf(have)
	changed, live := false, false
	gone := func(before string, all bool) bool {
		for len(have) > 0 && (all || have[0].Part < before) {
			if !have[0].Gone {
				changed = true
				if !put(Item{File: have[0].File, Part: have[0].Part, At: last.At}) {
					return false
				}
			}
			have = have[1:]
		}
		return true
	}
	for i, err := range local {
		if err != nil {
			return false, err
		}
		last = i
		if !gone(i.Part, false) {
			return false, nil
		}
		same := false
		if len(have) > 0 && have[0].Part == i.Part {
			same = !have[0].Gone && have[0].Sum == sha256.Sum256(i.Content)
			have = have[1:]
		}
		if !same {
			changed, live = true, true
			if !put(i) {
				return false, nil
			}
		}
	}
	if last.File == "" {
		last.At = time.Now()
	}
	if !gone("", true) {
		return false, nil
	}
	if last.File != "" && !live && (changed || !at.Equal(last.At)) {
		return put(last), nil // which has the time of the file
	}
	return true, nil
}

// timeOf returns the time of a file: that of the part that has changed last.
func timeOf(have []Sum) (at time.Time) {
	version := int64(0)
	for _, h := range have {
		if h.Version > version {
			version, at = h.Version, h.At
		}
	}
	return at
}
