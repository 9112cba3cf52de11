package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// magic begins the first line of an index; the number up to which posts have been
// dropped follows.
const magic = "superlist-archive 1 "

// maxHead is the longest first line.
const maxHead = len(magic) + 20

// An index is the index of an archive as it was when opened: lines added later, and
// half lines, are not seen.
type index struct {
	f        *os.File
	w        *disk.File  // the same, for changes; nil: opened for reading
	r        io.ReaderAt // the same, for reading
	base     int         // up to which number posts have been dropped
	top      int         // the number in the last line; 0: unknown
	from, to int64       // where its lines begin, and where the last complete one ends
}

// openIndex opens the index for reading. fs.ErrNotExist: there is none, and no archive
// either unless it was lost.
func (s *Store) openIndex() (*index, error) {
	f, info, err := disk.OpenRegular(s.index(), unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	return s.measured(&index{f: f, r: f}, info)
}

// changeIndex is openIndex for changing it.
func (s *Store) changeIndex() (*index, error) {
	w, info, err := s.Disk.Change(s.index())
	if err != nil {
		return nil, err
	}
	return s.measured(&index{f: w.File, w: w, r: w.File}, info)
}

func (s *Store) measured(x *index, info fs.FileInfo) (*index, error) {
	if err := x.measure(info.Size()); err != nil {
		x.close()
		return nil, fmt.Errorf("%s: %w", s.index(), err)
	}
	return x, nil
}

func (x *index) measure(size int64) error {
	head := make([]byte, maxHead+1)
	n, err := x.r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	first, _, ok := bytes.Cut(head[:n], []byte("\n"))
	number, isHead := strings.CutPrefix(string(first), magic)
	if x.base, err = strconv.Atoi(number); !ok || !isHead || err != nil || x.base < 0 {
		return ErrDamaged
	}
	x.from = int64(len(first)) + 1
	tail := make([]byte, min(size-x.from+1, forOne)) // including the LF of the previous line
	if n, err := x.r.ReadAt(tail, size-int64(len(tail))); n < len(tail) {
		return err
	}
	end := bytes.LastIndexByte(tail, '\n')
	if end < 0 {
		return ErrDamaged
	}
	x.to = size - int64(len(tail)-end-1)
	last := tail[bytes.LastIndexByte(tail[:end], '\n')+1 : end]
	if number, _, ok := bytes.Cut(last, []byte("\t")); ok {
		x.top, _ = strconv.Atoi(string(number))
	}
	return nil
}

func (x *index) close() { x.f.Close() }

// How much is read of an index at once: by who reads it to its end, and for one line.
const (
	forAll = 64 << 10
	forOne = 2 * maxLine
)

// forward yields the lines from an offset on, without their LF. It skips overlong
// lines. A step is how much it reads at once.
func (x *index) forward(at, step int64) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		r := bufio.NewReaderSize(io.NewSectionReader(x.r, at, x.to-at), int(min(step, max(x.to-at, forOne))))
		for long := false; ; {
			line, err := r.ReadSlice('\n')
			switch {
			case err == io.EOF:
				return
			case err == bufio.ErrBufferFull:
				long = true
				continue
			case err != nil:
				yield("", err)
				return
			}
			if !long && !yield(string(line[:len(line)-1]), nil) {
				return
			}
			long = false
		}
	}
}

// entries yields the valid lines from an offset on.
func (x *index) entries(at int64) iter.Seq2[Entry, error] { return x.parsed(at, forAll) }

func (x *index) parsed(at, step int64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for line, err := range x.forward(max(at, x.from), step) {
			if e, ok := parseEntry(line); (ok || err != nil) && !yield(e, err) {
				return
			}
		}
	}
}

// backward yields the lines from the last one back, without their LF.
func (x *index) backward() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		const step = 64 << 10
		rest := []byte(nil) // the end of a line that begins earlier
		for at := x.to; at > x.from; {
			n := min(step, at-x.from)
			at -= n
			chunk := make([]byte, n, int(n)+len(rest))
			if _, err := x.r.ReadAt(chunk, at); err != nil {
				yield("", err)
				return
			}
			chunk = append(chunk, rest...)
			for {
				chunk = bytes.TrimSuffix(chunk, []byte("\n"))
				i := bytes.LastIndexByte(chunk, '\n')
				if i < 0 && at > x.from {
					break
				}
				if !yield(string(chunk[i+1:]), nil) || i < 0 {
					return
				}
				chunk = chunk[:i+1]
			}
			if len(chunk) > step { // not a line: drop what nobody will read
				chunk = chunk[:maxLine]
			}
			rest = append(chunk, '\n')
		}
	}
}

// last returns the last entry; a zero one if there is none.
func (x *index) last() (e Entry, err error) {
	for line, err := range x.backward() {
		if err != nil {
			return e, err
		}
		var ok bool
		if e, ok = parseEntry(line); !ok || e.Number <= x.base {
			return e, fmt.Errorf("%s: %w", x.f.Name(), ErrDamaged)
		}
		break
	}
	return e, nil
}

// seek returns the beginning of a line shortly before the first with at least this
// number. It reads a few blocks, however long the index is: the first where the line is
// if all have the same length, and then around it.
func (x *index) seek(n int) (int64, error) {
	lo, hi := x.from, x.to
	block := make([]byte, forOne)
	mid := lo
	if x.top > x.base {
		mid += int64(float64(hi-lo) * float64(n-x.base) / float64(x.top-x.base+1))
	}
	for step := int64(len(block)); hi-lo > int64(len(block)); step *= 2 {
		if mid <= lo || mid >= hi {
			mid = lo + (hi-lo)/2
		}
		got, err := x.r.ReadAt(block, mid)
		if err != nil && err != io.EOF {
			return 0, err
		}
		// A line begins after the first LF.
		skip := bytes.IndexByte(block[:got], '\n') + 1
		number, _, tab := bytes.Cut(block[skip:got], []byte("\t"))
		found, err := strconv.Atoi(string(number))
		switch at := mid + int64(skip); {
		case skip == 0 || !tab || err != nil || at >= hi:
			hi, mid = mid, mid-step // unreadable: look further in front
		case found < n:
			lo, mid = at, at+step
		default:
			hi, mid = at, mid-step
		}
	}
	return lo, nil
}

// Range returns the first and the last number; if the archive is empty the first is
// larger. It reads the beginning and the end of the index.
func (s *Store) Range() (first, last int, err error) {
	x, err := s.openIndex()
	if errors.Is(err, fs.ErrNotExist) {
		return 1, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	defer x.close()
	e, err := x.last()
	return x.base + 1, max(x.base, e.Number), err
}

// Last returns the number of the last post there is or was; 0 if there was none.
func (s *Store) Last() (int, error) {
	_, last, err := s.Range()
	return last, err
}

// Entries yields what the index says about the posts from one number to another, in
// order. It skips invalid lines; Check finds them.
func (s *Store) Entries(from, to int) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		x, err := s.openIndex()
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		at := int64(0)
		if err == nil {
			defer x.close()
			at, err = x.seek(from)
		}
		if err != nil {
			yield(Entry{}, err)
			return
		}
		var joined joins
		if joined, err = s.joins(); err != nil {
			yield(Entry{}, err)
			return
		}
		for e, err := range x.entries(at) {
			switch {
			case err != nil:
				yield(e, err)
				return
			case e.Number < from:
				continue
			case e.Number > to:
				return
			}
			e.Thread = joined.root(e.Thread)
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Entry returns what the index says about one post. fs.ErrNotExist means nothing.
func (s *Store) Entry(n int) (Entry, error) {
	for e, err := range s.Entries(n, n) {
		return e, err
	}
	return Entry{}, &fs.PathError{Op: "find", Path: s.file(n), Err: fs.ErrNotExist}
}

// entry returns the line of one post. fs.ErrNotExist means that there is none.
func (x *index) entry(n int) (Entry, error) {
	at, err := x.seek(n)
	if err != nil {
		return Entry{}, err
	}
	for e, err := range x.parsed(at, forOne) {
		if err != nil || e.Number == n {
			return e, err
		}
		if e.Number > n {
			break
		}
	}
	return Entry{}, &fs.PathError{Op: "find", Path: x.f.Name(), Err: fs.ErrNotExist}
}

// maxThread is how many posts of a thread are found: more than anybody reads.
const maxThread = 1000

// Thread returns the posts of the thread of a post, in order, at most maxThread of
// them. fs.ErrNotExist means that the post does not exist. It reads the index from the
// beginning of the thread on.
func (s *Store) Thread(n int) ([]Entry, error) {
	post, err := s.Entry(n)
	if err != nil {
		return nil, err
	}
	x, err := s.openIndex()
	if err != nil {
		return nil, err
	}
	defer x.close()
	at, err := x.seek(post.Thread)
	if err != nil {
		return nil, err
	}
	joined, err := s.joins()
	if err != nil {
		return nil, err
	}
	threads := map[string]bool{strconv.Itoa(post.Thread): true}
	for later := range joined {
		if joined.root(later) == post.Thread {
			threads[strconv.Itoa(later)] = true
		}
	}
	var posts []Entry
	for line, err := range x.forward(at, forAll) {
		if err != nil {
			return nil, err
		}
		if !threads[field(line, 5)] { // parsing all of them would take ten times as long
			continue
		}
		if e, ok := parseEntry(line); ok {
			e.Thread = post.Thread
			if posts = append(posts, e); len(posts) == maxThread {
				break
			}
		}
	}
	return posts, nil
}
