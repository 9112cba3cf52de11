package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// A Host is one of a cluster, as the database has it.
type Host struct {
	Name      string        `json:"name"`
	ID        string        `json:"-"`    // tells it from another one of that name
	Seen      time.Time     `json:"seen"` // by the database's clock
	Ago       time.Duration `json:"-"`    // since then, by the same
	AdoptedBy string        `json:"adopted_by,omitempty"`
}

// ErrNotJoined means that a host has a database and no copy of what is in it.
var ErrNotJoined = errors.New("this host has not joined its cluster: call superlist cluster join, or superlist cluster init on the first host")

// hostFile, in stateDir, says by which name and ID this host has joined. Both are in it for good.
const hostFile = ".host"

// maxHostFile is longer than any.
const maxHostFile = 1 << 10

// Host returns as whom this host has joined; otherwise the error is ErrNotJoined.
func (s *Site) Host() (name, id string, err error) {
	text, _, err := disk.ReadRegular(s.own(hostFile), unix.O_RDONLY|unix.O_NOFOLLOW, maxHostFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", ErrNotJoined
	}
	if err != nil {
		return "", "", err
	}
	name, id, ok := strings.Cut(strings.TrimSpace(string(text)), " ")
	if !ok {
		return "", "", ErrNotJoined
	}
	return name, id, nil
}

// Enter notes that this host joins by a name, and returns what tells it from others.
func (s *Site) Enter(name string) (id string, err error) {
	was, id, err := s.Host()
	if err == nil && was == name {
		return id, nil
	}
	if err != nil && !errors.Is(err, ErrNotJoined) {
		return "", err
	}
	var random [8]byte
	rand.Read(random[:])
	id = hex.EncodeToString(random[:])
	if err := s.Disk.MakePath(filepath.Join(s.Root, stateDir)); err != nil {
		return "", err
	}
	return id, s.Disk.Replace(s.own(hostFile), []byte(name+" "+id+"\n"))
}

// Forget makes this host one that has never joined. Its lists stay as they are.
func (s *Site) Forget() error {
	dir := filepath.Join(s.Root, stateDir)
	if err := s.Disk.RemoveDurably(s.own(hostFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.Disk.RemoveAll(dir)
}

// own returns the path of a file about the whole copy.
func (s *Site) own(name string) string { return filepath.Join(s.Root, stateDir, name) }

// freshFile, in stateDir, was written when the whole copy was up to date.
const freshFile = ".fresh"

// FreshAt returns when the whole copy was last seen to be up to date; the zero time if it
// never was.
func (s *Site) FreshAt() time.Time {
	info, err := os.Lstat(s.own(freshFile))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// isFreshNow notes that the whole copy is up to date: the database's mark, and when all of it
// was looked at. After a crash the note may be lost.
func (s *Site) isFreshNow(mark string, whole time.Time) error {
	return s.Disk.Derive(s.own(freshFile), fmt.Appendf(nil, "%d %s\n", whole.Unix(), mark))
}

// noted returns what isFreshNow has noted; an empty mark, if nothing.
func (s *Site) noted() (mark string, whole time.Time) {
	text, _, err := disk.ReadRegular(s.own(freshFile), unix.O_RDONLY|unix.O_NOFOLLOW, maxHostFile)
	at, mark, ok := strings.Cut(strings.TrimSuffix(string(text), "\n"), " ")
	seconds, terr := strconv.ParseInt(at, 10, 64)
	if err != nil || !ok || terr != nil {
		return "", time.Time{}
	}
	return mark, time.Unix(seconds, 0)
}
