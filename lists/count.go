package lists

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"superlist/queue/disk"
	"superlist/smtp"
)

// What may happen only so often is counted in files: a byte for each time, in a file
// whose name has the day or the hour. A session only asks how large they are, and
// deliver adds to them; what a crash takes with it, or counts twice, is a count.

// A limit is such a file, and how many bytes it may have.
type limit struct {
	file string
	most int64
	full smtp.Reply
}

// within says no, with the first limit's reply that is reached.
func within(limits []limit) error {
	for _, l := range limits {
		if size(l.file) >= l.most {
			return l.full
		}
	}
	return nil
}

// add counts so many for each limit. Where the first in a directory is new, with the
// day or the hour, what says nothing any more is swept.
func (l *List) add(limits []limit, units int, now time.Time) error {
	seen := make(map[string]bool)
	for _, c := range limits {
		dir := filepath.Dir(c.file)
		if !seen[dir] {
			seen[dir] = true
			if err := l.disk.MakeDir(dir); err != nil {
				return err
			}
			if size(c.file) == 0 {
				sweepCounts(dir, now)
			}
		}
		if err := l.disk.Append(c.file, strings.Repeat(".", units)); err != nil {
			return err
		}
	}
	return nil
}

// take takes one back.
func (l *List) take(file string) {
	if n := size(file); n > 0 {
		l.disk.Cut(file, n-1)
	}
}

func size(file string) int64 {
	info, err := os.Lstat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}

// sweepCounts removes what is older than a day, and of who is known what is older
// than KnownAge.
func sweepCounts(dir string, now time.Time) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		life := AskAgain
		if strings.HasPrefix(e.Name(), "known-") {
			life = KnownAge
		}
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) >= life {
			disk.Discard(filepath.Join(dir, e.Name()))
		}
	}
}

func (l *List) askedDir() string { return filepath.Join(l.Dir, "asked") }

// siteDir is where the counts of all lists together are. No domain has that name.
func (l *List) siteDir() string {
	return filepath.Join(filepath.Dir(filepath.Dir(l.Dir)), ".asked")
}

func dayOf(now time.Time) string  { return strconv.FormatInt(now.Unix()/86400, 10) }
func hourOf(now time.Time) string { return strconv.FormatInt(now.Unix()/3600, 10) }

// Network is the part of the network that a client stands for: the /24 of an
// IPv4 address, the /64 of an IPv6 one. It is zero for this host itself, which
// hands on everybody's mail.
func Network(client netip.Addr) netip.Prefix {
	client = client.Unmap()
	if !client.IsValid() || client.IsLoopback() {
		return netip.Prefix{}
	}
	bits := 64
	if client.Is4() {
		bits = 24
	}
	p, _ := client.WithZone("").Prefix(bits)
	return p
}

// customer is the network that is given to one customer: of IPv6 a /48, which has
// 65,536 of Network; of IPv4 no more than the /24.
func customer(n netip.Prefix) netip.Prefix {
	if !n.IsValid() || n.Addr().Is4() {
		return n
	}
	p, _ := n.Addr().Prefix(48)
	return p
}

// ofNetwork are the limits of a client's network, and of the larger one that it may
// have all of; none where nobody knows it.
func ofNetwork(dir, name string, n netip.Prefix, most, mostOfCustomer int64, full smtp.Reply) []limit {
	if !n.IsValid() {
		return nil
	}
	limits := []limit{{filepath.Join(dir, name+"-"+hash(n.String())), most, full}}
	if c := customer(n); c != n {
		limits = append(limits, limit{filepath.Join(dir, name+"-"+hash(c.String())), mostOfCustomer, full})
	}
	return limits
}
