package cluster

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"

	"superlist/lists/members"
)

// block is how much of two files is compared at once.
const block = 256 << 10

// rollDiff returns what has changed from one members file that is in order to another. ok is
// false if that cannot be said without reading all of both.
func rollDiff(old, new *os.File) (items []Item, ok bool, err error) {
	was, err := old.Stat()
	if err != nil {
		return nil, false, err
	}
	is, err := new.Stat()
	if err != nil {
		return nil, false, err
	}
	if at := was.ModTime(); at != members.SortedTime(at) {
		return nil, false, nil
	}
	at := is.ModTime()
	if at != members.SortedTime(at) {
		return nil, false, nil
	}
	front, err := frontOf(new, is.Size())
	if err != nil {
		return nil, false, ordered(err)
	}
	before, err := frontOf(old, was.Size())
	if err != nil {
		return nil, false, ordered(err)
	}
	if !bytes.Equal(front, before) {
		items = append(items, Item{File: rollFile, Content: front, At: at})
	}
	from, wasTo, isTo, err := middle(old, new, int64(len(before)), int64(len(front)), was.Size(), is.Size())
	if err != nil {
		return nil, false, err
	}
	last, err := keyBefore(new, int64(len(front)), int64(len(front))+from)
	if err != nil {
		return nil, false, ordered(err)
	}
	a := newRoller(old, int64(len(before))+from, wasTo, false, last)
	b := newRoller(new, int64(len(front))+from, isTo, false, last)
	aerr, berr := a.next(), b.next()
	for aerr == nil || berr == nil {
		switch {
		case aerr != nil && aerr != io.EOF || berr != nil && berr != io.EOF:
			return nil, false, ordered(errors.Join(aerr, berr))
		case berr == io.EOF || aerr == nil && a.key < b.key:
			items = append(items, Item{File: rollFile, Part: a.key, At: at})
			aerr = a.next()
		case aerr == io.EOF || b.key < a.key:
			items = append(items, b.item(at))
			berr = b.next()
		default:
			if !bytes.Equal(a.line, b.line) {
				items = append(items, b.item(at))
			}
			aerr, berr = a.next(), b.next()
		}
	}
	if aerr != io.EOF || berr != io.EOF {
		return nil, false, ordered(errors.Join(aerr, berr))
	}
	if isTo < is.Size() { // the first of those that are the same again must come next
		if err := newRoller(new, isTo, is.Size(), false, b.last).next(); err != nil {
			return nil, false, ordered(err)
		}
	}
	live := slices.ContainsFunc(items, func(i Item) bool { return i.Content != nil })
	if !live && (len(items) > 0 || !was.ModTime().Equal(at)) { // what has the time of the file
		items = append(items, Item{File: rollFile, Content: front, At: at})
	}
	return items, true, nil
}

// ordered returns nothing if an error says only that a file is not in order.
func ordered(err error) error {
	if errors.Is(err, errOrder) {
		return nil
	}
	return err
}

// middle finds the part in which two files differ, by whole lines: from where on, counted
// from a and b, and up to where in each.
func middle(old, new *os.File, a, b, aEnd, bEnd int64) (from, aTo, bTo int64, err error) {
	room := min(aEnd-a, bEnd-b)
	one, other := make([]byte, block), make([]byte, block)
	// alike counts how many bytes are the same, forwards, or backwards from both ends.
	alike := func(room int64, back bool) (n int64, err error) {
		for n < room {
			m := int(min(block, room-n))
			x, y := a+n, b+n
			if back {
				x, y = aEnd-n-int64(m), bEnd-n-int64(m)
			}
			if _, err := old.ReadAt(one[:m], x); err != nil {
				return 0, err
			}
			if _, err := new.ReadAt(other[:m], y); err != nil {
				return 0, err
			}
			if bytes.Equal(one[:m], other[:m]) {
				n += int64(m)
				continue
			}
			i := 0
			for ; !back && one[i] == other[i] || back && one[m-1-i] == other[m-1-i]; i++ {
			}
			return n + int64(i), nil
		}
		return n, nil
	}
	if from, err = alike(room, false); err != nil {
		return 0, 0, 0, err
	}
	line := one[:min(from, maxLine)] // back to where the line begins
	if _, err = old.ReadAt(line, a+from-int64(len(line))); err != nil {
		return 0, 0, 0, err
	}
	if i := bytes.LastIndexByte(line, '\n'); i >= 0 || from <= maxLine {
		from -= int64(len(line) - i - 1)
	} else {
		from = 0
	}
	end, err := alike(room-from, true)
	if err != nil {
		return 0, 0, 0, err
	}
	line = one[:min(end, maxLine)] // on to where the next line begins
	if _, err = old.ReadAt(line, aEnd-end); err != nil {
		return 0, 0, 0, err
	}
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		end -= int64(i) + 1
	} else {
		end = 0
	}
	return from, aEnd - end, bEnd - end, nil
}

// keyBefore returns the key of the line that ends at a place; empty: the file begins there.
func keyBefore(f *os.File, begin, at int64) (string, error) {
	n := min(at-begin, maxLine)
	if n == 0 {
		return "", nil
	}
	text := make([]byte, n)
	if _, err := f.ReadAt(text, at-n); err != nil {
		return "", err
	}
	text = text[:len(text)-1]
	key, ok := members.KeyOf(text[bytes.LastIndexByte(text, '\n')+1:])
	if !ok {
		return "", errOrder
	}
	return key, nil
}
