package queue

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	maxHost = 128 // of a host's name within an id
	maxID   = 255 // of a file name
)

// newName returns a maildir name: unique without a lock, even on storage shared between
// hosts.
func (s *Spool) newName(now time.Time, share Share) string {
	// The kernel has given the runtime its seed. To ask it once more, by the vDSO, costs a
	// session two calls and five pages.
	var random [4]byte
	binary.BigEndian.PutUint32(random[:], rand.Uint32())
	return strconv.FormatInt(now.Unix(), 10) +
		".M" + zeros(int64(now.Nanosecond()/1000), 6) +
		"P" + strconv.Itoa(os.Getpid()) +
		"R" + hex.EncodeToString(random[:]) + string(share) +
		inID(s.Host)
}

// inID returns how an id has the name of its host.
func inID(host string) string { return "." + host[:min(len(host), maxHost)] }

// validID reports whether s can be a message's id, and thus a file name: letters,
// digits, dots, hyphens and underscores, no leading dot, at most maxID bytes.
func validID(s string) bool {
	if s == "" || len(s) > maxID || s[0] == '.' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// ShortID returns the part of an id that a person has to type: its random part and its
// suffix. 1795297644.M123456P4711R8f3a12cdN0ab.mx1.0 is 8f3a12cd.0. An id that was not
// made on this host is returned unchanged.
func ShortID(id, host string) string {
	front, rest, ok := strings.Cut(id, inID(host))
	_, word, named := strings.Cut(front, "R")
	word, _, _ = strings.Cut(word, "N") // the share
	if !ok || !named || word == "" || strings.Trim(word, "0123456789abcdef") != "" || !strings.Contains(front, ".M") {
		return id
	}
	return word + rest
}

// Came returns when a message came in, which its id begins with.
func Came(id string) (at time.Time, ok bool) {
	seconds, _, _ := strings.Cut(id, ".")
	n, err := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(n, 0), err == nil
}
