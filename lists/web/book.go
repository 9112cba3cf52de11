package web

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists/archive"
	"superlist/queue/disk"
)

// A book has the posts of a thread or of a month, in order, with their lines in the
// index of the archive. So a page can be written without searching an index of a
// million lines.
type book struct {
	entries []archive.Entry
	byID    map[string]int // indexes of entries, by Message-ID
}

// bookHead begins a book. The number of lines that follow reveals a book cut by a
// crash.
const bookHead = "superlist-web 1 "

// maxBook is larger than any book, in bytes.
const maxBook = 512 << 20

var errBook = errors.New("the book is damaged")

// readBook reads a file. After errBook or fs.ErrNotExist it must be made from the
// index.
func readBook(file string) (*book, error) {
	raw, info, err := disk.ReadRegular(file, unix.O_RDONLY|unix.O_NOFOLLOW, maxBook)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxBook {
		return nil, errBook
	}
	head, rest, _ := strings.Cut(string(raw), "\n")
	b := &book{}
	for line := range strings.Lines(rest) {
		e, ok := archive.ParseLine(line)
		if !ok {
			return nil, errBook
		}
		b.entries = append(b.entries, e)
	}
	if head != fmt.Sprint(bookHead, len(b.entries)) || !slices.IsSortedFunc(b.entries, byNumber) {
		return nil, errBook
	}
	return b, nil
}

func byNumber(a, b archive.Entry) int { return cmp.Compare(a.Number, b.Number) }

func (b *book) text() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s%d\n", bookHead, len(b.entries))
	for _, e := range b.entries {
		out.WriteString(e.Line())
	}
	return out.Bytes()
}

// put puts a post into its place, replacing one with its number, and returns its index.
func (b *book) put(e archive.Entry) (at int) {
	at, there := slices.BinarySearchFunc(b.entries, e, byNumber)
	if there {
		b.entries[at] = e
	} else {
		b.entries = slices.Insert(b.entries, at, e)
	}
	b.byID = nil
	return at
}

// drop drops the posts up to a number, and reports whether there were any.
func (b *book) drop(upto int) bool {
	at, _ := slices.BinarySearchFunc(b.entries, archive.Entry{Number: upto + 1}, byNumber)
	b.entries, b.byID = b.entries[at:], nil
	return at > 0
}

// parent returns the index of the post that e answers; -1 if it is not in the book.
// gone has the numbers of removed posts, by the hashes of their Message-IDs.
func (b *book) parent(e archive.Entry, gone map[string]int) int {
	if e.Parent == "" {
		return -1
	}
	if b.byID == nil {
		b.byID = make(map[string]int, len(b.entries))
		for i := len(b.entries) - 1; i >= 0; i-- { // of two with the same id, the first
			if id := b.entries[i].MessageID; id != "" {
				b.byID[id] = i
			}
		}
	}
	at, ok := b.byID[e.Parent]
	if !ok && len(gone) > 0 {
		if n, was := gone[archive.MessageHash(e.Parent)]; was {
			at, ok = slices.BinarySearchFunc(b.entries, archive.Entry{Number: n}, byNumber)
		}
	}
	if !ok || b.entries[at].Number == e.Number {
		return -1
	}
	return at
}

// answered returns the post that e answers; nil if it is not in the book. gone is as for
// parent.
func (b *book) answered(e archive.Entry, gone map[string]int) *archive.Entry {
	if at := b.parent(e, gone); at >= 0 {
		return &b.entries[at]
	}
	return nil
}

// authors counts the authors of the posts.
func (b *book) authors() int {
	from := make(map[string]bool)
	for _, e := range b.entries {
		if !e.Removed {
			from[strings.ToLower(e.From)] = true
		}
	}
	return len(from)
}

// open returns a book of a run: from memory, from its file or, if it is known to have
// existed, from the index.
func (r *run) open(books map[string]*book, name string, known bool, find func() ([]archive.Entry, error)) (*book, error) {
	if b, ok := books[name]; ok {
		return b, nil
	}
	b, err := readBook(r.bookFile(name))
	switch {
	case err == nil:
	case errors.Is(err, errBook), errors.Is(err, fs.ErrNotExist) && known:
		b = &book{}
		if b.entries, err = find(); err != nil {
			return nil, err
		}
		for i := range b.entries {
			b.entries[i] = r.seen(b.entries[i])
		}
		b.entries = slices.DeleteFunc(b.entries, func(e archive.Entry) bool { return e.Number > r.s.Shown })
		slices.SortFunc(b.entries, byNumber)
	case errors.Is(err, fs.ErrNotExist):
		b = &book{}
	default:
		return nil, err
	}
	books[name] = b
	return b, nil
}
