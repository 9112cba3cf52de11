package archive

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// The file mids finds a post by its Message-ID, or by the one that it answers, without
// reading the index, which has 200 bytes a post. It has sorted records of 12 bytes: the
// beginning of a hash and a number. Posts after its last number are only in the index,
// and are searched there; the file is made again every midsEvery posts. Losing it loses
// nothing. Each result is checked against the index, so two ids with one hash, and a
// file older than the index, do no harm.
//
// The hash has a key of the archive's own, so that nobody can write Message-IDs that
// all have the same hash.
const (
	midsMagic  = "superlist-mids 1"
	midsKey    = 16
	midsHead   = len(midsMagic) + midsKey + 8 + 8 // the number up to which it goes, and how many records it has
	midsRecord = 12
	midsEvery  = 4096
	midsWindow = 512 // how many records are read at once
)

// The kinds of records.
const (
	isMID   = 'i' // the post has this Message-ID
	answers = 'a' // the post answers this one, which may not have arrived
	maxMIDs = 100 // how many posts with one Message-ID are distinguished
)

func (s *Store) midsFile() string { return filepath.Join(s.Dir, "mids") }

// mids is the open file. The zero value knows nothing.
type mids struct {
	r       io.ReaderAt
	f       *os.File
	key     [midsKey]byte
	upto    int
	records int64

	window []byte // some of the records, from
	first  int64  // this one on
}

// openMIDs opens the file. If it is missing or damaged, the result knows nothing:
// everything is in the index, too.
func (s *Store) openMIDs() (m *mids, err error) {
	m = &mids{}
	f, info, err := disk.OpenRegular(s.midsFile(), unix.O_RDONLY|unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	head := make([]byte, midsHead)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:len(midsMagic)]) != midsMagic {
		f.Close()
		return m, nil
	}
	numbers := head[midsHead-16:]
	upto, records := binary.BigEndian.Uint64(numbers), binary.BigEndian.Uint64(numbers[8:])
	if upto > math.MaxUint32 || records > math.MaxUint32 || info.Size() != int64(midsHead)+int64(records)*midsRecord {
		f.Close()
		return m, nil
	}
	m.f, m.r, m.upto, m.records = f, f, int(upto), int64(records)
	copy(m.key[:], head[len(midsMagic):])
	return m, nil
}

func (m *mids) close() {
	if m.f != nil {
		m.f.Close()
	}
}

// A record is one line of the file.
type record struct {
	hash   uint64
	number int
}

func (r record) compare(o record) int {
	return cmp.Or(cmp.Compare(r.hash, o.hash), cmp.Compare(r.number, o.number))
}

func (m *mids) hash(kind byte, id string) uint64 {
	h := sha256.New()
	h.Write(m.key[:])
	h.Write([]byte{kind})
	io.WriteString(h, id)
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// at returns record i. It reads those around it, too.
func (m *mids) at(i int64) (r record, err error) {
	if i < m.first || i >= m.first+int64(len(m.window))/midsRecord {
		first := max(i-midsWindow/2, 0)
		window := make([]byte, min(m.records-first, midsWindow)*midsRecord)
		if _, err := m.r.ReadAt(window, int64(midsHead)+first*midsRecord); err != nil {
			return r, err
		}
		m.first, m.window = first, window
	}
	b := m.window[(i-m.first)*midsRecord:]
	return record{binary.BigEndian.Uint64(b), int(binary.BigEndian.Uint32(b[8:]))}, nil
}

// find returns the numbers that may have an id, in order.
func (m *mids) find(kind byte, id string) (numbers []int, err error) {
	if m.records == 0 {
		return nil, nil
	}
	return m.having(m.hash(kind, id))
}

// having returns the numbers that have a hash, in order.
func (m *mids) having(want uint64) (numbers []int, err error) {
	lo, hi := int64(0), m.records
	// Hashes are spread evenly, so the place is where the hash has its share of all, or
	// near it.
	mid := int64(float64(want) / (1 << 64) * float64(m.records))
	for step := int64(midsWindow / 4); lo < hi; step *= 2 {
		if mid < lo || mid >= hi {
			mid = lo + (hi-lo)/2
		}
		r, err := m.at(mid)
		if err != nil {
			return nil, err
		}
		if r.hash < want {
			lo, mid = mid+1, mid+step
		} else {
			hi, mid = mid, mid-step
		}
	}
	for ; lo < m.records && len(numbers) < maxMIDs; lo++ {
		r, err := m.at(lo)
		if err != nil {
			return nil, err
		}
		if r.hash != want {
			break
		}
		numbers = append(numbers, r.number)
	}
	return numbers, nil
}

// recordsOf returns the records for a line of the index.
func (m *mids) recordsOf(e Entry) (list []record) {
	if e.MessageID != "" {
		list = append(list, record{m.hash(isMID, e.MessageID), e.Number})
	}
	if e.Parent != "" {
		list = append(list, record{m.hash(answers, e.Parent), e.Number})
	}
	return list
}

// keepMIDs makes the file again when enough posts follow it. A failure does not fail
// the post: the next one tries again.
func (s *Store) keepMIDs(x *index, last int) {
	m, err := s.openMIDs()
	if err != nil {
		return
	}
	defer m.close()
	if last-max(m.upto, x.base) >= midsEvery && last <= math.MaxUint32 {
		s.writeMIDs(m, x)
	}
}

// writeMIDs merges the file with the index lines after it. It leaves out numbers that
// were dropped.
func (s *Store) writeMIDs(m *mids, x *index) error {
	next := mids{key: m.key, upto: m.upto}
	if m.records == 0 {
		unix.Getrandom(next.key[:], 0)
		next.upto = x.base
	}
	at, err := x.seek(next.upto + 1)
	if err != nil {
		return err
	}
	var fresh []record
	from := next.upto
	for e, err := range x.entries(at) {
		if err != nil {
			return err
		}
		if e.Number > from {
			fresh = append(fresh, next.recordsOf(e)...)
			next.upto = e.Number
		}
	}
	slices.SortFunc(fresh, record.compare)
	b, err := s.Disk.Beside(s.midsFile()) // its writer holds the lock
	if err != nil {
		return err
	}
	if err := next.merge(b, m, fresh, x.base); err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}

func (m *mids) merge(b *disk.Beside, old *mids, fresh []record, base int) error {
	w := bufio.NewWriterSize(b, 64<<10)
	w.Write(make([]byte, midsHead))
	put := func(r record) {
		var line [midsRecord]byte
		binary.BigEndian.PutUint64(line[:], r.hash)
		binary.BigEndian.PutUint32(line[8:], uint32(r.number))
		w.Write(line[:])
		m.records++
	}
	if old.records > 0 {
		in := bufio.NewReaderSize(io.NewSectionReader(old.r, int64(midsHead), old.records*midsRecord), 64<<10)
		var line [midsRecord]byte
		for range old.records {
			if _, err := io.ReadFull(in, line[:]); err != nil {
				return err
			}
			r := record{binary.BigEndian.Uint64(line[:]), int(binary.BigEndian.Uint32(line[8:]))}
			for len(fresh) > 0 && fresh[0].compare(r) < 0 {
				put(fresh[0])
				fresh = fresh[1:]
			}
			if r.number > base {
				put(r)
			}
		}
	}
	for _, r := range fresh {
		put(r)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	head := append([]byte(midsMagic), m.key[:]...)
	head = binary.BigEndian.AppendUint64(head, uint64(m.upto))
	head = binary.BigEndian.AppendUint64(head, uint64(m.records))
	_, err := b.WriteAt(head, 0)
	return err
}

// matching yields the entries that really match: those after the file mids in the
// index, and those that the file finds. ids are several Message-IDs, any of which will
// do.
func (s *Store) matching(x *index, kind byte, ids ...string) (list []Entry, err error) {
	m, err := s.openMIDs()
	if err != nil {
		return nil, err
	}
	defer m.close()
	column := 6
	if kind == answers {
		column = 7
	}
	is := func(e Entry) bool {
		if kind == answers {
			return slices.Contains(ids, e.Parent)
		}
		return slices.Contains(ids, e.MessageID)
	}
	for _, id := range ids {
		numbers, err := m.find(kind, id)
		if err != nil {
			return nil, err
		}
		for _, n := range numbers {
			e, err := x.entry(n)
			if err == nil && n <= m.upto && is(e) {
				list = append(list, e)
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	at, err := x.seek(m.upto + 1)
	if err != nil {
		return nil, err
	}
	for line, err := range x.forward(max(at, x.from), forAll) {
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, field(line, column)) {
			continue
		}
		if e, ok := parseEntry(line); ok && e.Number > m.upto && is(e) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	return slices.CompactFunc(list, func(a, b Entry) bool { return a.Number == b.Number }), nil
}

// ByMessageID returns the posts with a Message-ID, which has its angle brackets, in
// order: there may be several or none.
func (s *Store) ByMessageID(id string) ([]Entry, error) { return s.byID(isMID, id) }

// Answers returns the posts that answer the one with a Message-ID, in order.
func (s *Store) Answers(id string) ([]Entry, error) { return s.byID(answers, id) }

func (s *Store) byID(kind byte, id string) ([]Entry, error) {
	if id == "" || !isMessageID(id) {
		return nil, nil
	}
	x, err := s.openIndex()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer x.close()
	joined, err := s.joins()
	if err != nil {
		return nil, err
	}
	list, err := s.matching(x, kind, id)
	for i := range list {
		list[i].Thread = joined.root(list[i].Thread)
	}
	return list, err
}
