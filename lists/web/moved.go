package web

import (
	"bufio"
	"crypto/sha1"
	"encoding/base32"
	"errors"
	"html"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/archive"
	"superlist/queue/disk"
)

// MovedMap is the file, in the directory of a list, that says which post was at an old
// address, before the list came to superlist. Each line has an address and a post. The
// address is a path on this host, "/old/msg00012.html", with its query if it has one, or the
// name that HyperKitty gave the post. {n} in it is a number, and * at its end is anything.
// The post is a number, {n}, {n}+1 or {n}-1, or a Message-ID, <a@b>, also as HTML has it.
const MovedMap = "moved.map"

// MovedLine returns a line of MovedMap for a post that HyperKitty had.
func MovedLine(messageID string, number int) string {
	sum := sha1.Sum([]byte(strings.Trim(strings.TrimSpace(messageID), "<>")))
	return base32.StdEncoding.EncodeToString(sum[:]) + " " + strconv.Itoa(number) + "\n"
}

// Moved returns the number of the post that was at an old address; 0 if the file does not
// name it, or if there is no such post.
func (l *List) Moved(address string) (int, error) {
	f, _, err := disk.OpenRegular(filepath.Join(filepath.Dir(l.Books), MovedMap), unix.O_RDONLY|unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		end := strings.IndexAny(line, " \t")
		if end < 0 {
			continue
		}
		counted, ok := isMoved(line[:end], address)
		if !ok {
			continue
		}
		if n, err := l.movedTo(strings.TrimSpace(line[end:]), counted); n != 0 || err != nil {
			return n, err
		}
	}
	return 0, lines.Err()
}

// theNumber stands in a line of MovedMap for a number in an address.
const theNumber = "{n}"

// isMoved reports whether an address is the old one of a line, and which number stands in it.
func isMoved(old, address string) (counted int, ok bool) {
	if old == address {
		return 0, true
	}
	old, open := strings.CutSuffix(old, "*")
	before, after, counts := strings.Cut(old, theNumber)
	rest, ok := strings.CutPrefix(address, before)
	if !ok {
		return 0, false
	}
	if counts {
		const most = 9 // digits
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || digits > most {
			return 0, false
		}
		counted, _ = strconv.Atoi(rest[:digits])
		rest = rest[digits:]
	}
	return counted, rest == after || open && strings.HasPrefix(rest, after)
}

// movedTo returns the number of the post that a line leads to; 0 if there is none.
func (l *List) movedTo(where string, counted int) (int, error) {
	var e archive.Entry
	var err error
	if strings.HasPrefix(where, "<") {
		var all []archive.Entry
		if all, err = l.Posts.ByMessageID(html.UnescapeString(where)); err == nil && len(all) > 0 {
			e = all[0]
		}
	} else {
		further, relative := strings.CutPrefix(where, theNumber)
		n := 0
		if relative {
			n = counted
		}
		if further != "" {
			k, bad := strconv.Atoi(further)
			if bad != nil {
				return 0, nil
			}
			n += k
		}
		if n > 0 {
			e, err = l.Posts.Entry(n)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return e.Number, err
}

// MonthURL returns the address of the page of a month.
func (l *List) MonthURL(month string) string { return l.Base + monthPath(month, 1) }

// InMonth reports whether a post may have been in the pages of a month of another
// archive, which may have counted months in another time zone.
func InMonth(e archive.Entry, month string) bool {
	const zone = 14
	for _, hours := range []int{-zone, 0, zone} {
		if e.Time.UTC().Add(time.Duration(hours)*time.Hour).Format(monthFormat) == month {
			return true
		}
	}
	return false
}
