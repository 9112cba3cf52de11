package web

import (
	"bufio"
	"crypto/sha1"
	"encoding/base32"
	"errors"
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
// address, before the list came to superlist. Each line has an address and the number of
// the post. The address is a path on this host, "/lurker/message/20261130.en.html", with
// its query if it has one, or the name that HyperKitty gave the post.
const MovedMap = "moved.map"

// MovedLine returns a line of MovedMap for a post that HyperKitty had.
func MovedLine(messageID string, number int) string {
	sum := sha1.Sum([]byte(strings.Trim(strings.TrimSpace(messageID), "<>")))
	return base32.StdEncoding.EncodeToString(sum[:]) + " " + strconv.Itoa(number) + "\n"
}

// Moved returns the number of the post that was at an old address; 0 if the file does not
// name it.
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
		if rest, ok := strings.CutPrefix(lines.Text(), address); ok && strings.TrimLeft(rest, " \t") != rest {
			n, err := strconv.Atoi(strings.TrimSpace(rest))
			if err == nil && n > 0 {
				return n, nil
			}
		}
	}
	return 0, lines.Err()
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
