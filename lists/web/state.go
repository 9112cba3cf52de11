package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/archive"
	"superlist/queue/disk"
)

// state is what is known about the pages: the file state in Books. A crash leaves it
// older than some pages, and these are then written again.
type state struct {
	Version string `json:"version"` // of the look of pages
	Dir     string `json:"dir"`     // directory of the pages

	Base    int `json:"base,omitempty"`    // posts up to here have been dropped
	Shown   int `json:"shown,omitempty"`   // and up to here have pages
	Removed int `json:"removed,omitempty"` // how many lines of the archive's file removed were handled
	Joined  int `json:"joined,omitempty"`  // and of joined

	// The posts after Remade, up to RemakeTo, have pages of an older version.
	Remade   int `json:"remade,omitempty"`
	RemakeTo int `json:"remake_to,omitempty"`

	// Pages are not synced one by one. Those of posts up to Sure have been synced
	// together; if the host has been restarted since Boot, the others are written
	// again.
	Sure int    `json:"sure,omitempty"`
	Boot string `json:"boot,omitempty"`

	Search tiles `json:"search,omitzero"` // the searchable words

	Months []month `json:"months,omitempty"`
	Newest []head  `json:"newest,omitempty"` // threads, the one with the newest post first
}

// A month is what is known about one month.
type month struct {
	Month   string `json:"month"`
	Posts   int    `json:"posts"`
	Authors int    `json:"authors"`
	MBox    int64  `json:"mbox,omitempty"`  // length of its mbox.gz
	Anew    bool   `json:"anew,omitempty"`  // which must be written anew
	First   int    `json:"first,omitempty"` // its first and last post
	Last    int    `json:"last,omitempty"`
}

// A head is what the front page says about a thread.
type head struct {
	archive.Entry           // its first post
	Posts         int       `json:"posts"`
	Newest        int       `json:"newest"`
	Last          time.Time `json:"last"`
}

// maxState is larger than any state, in bytes.
const maxState = 16 << 20

func (l *List) stateFile() string { return filepath.Join(l.Books, filepath.Base(StateFile)) }

// readState reads the state. If it cannot be read, everything is made anew.
func (l *List) readState() (*state, error) {
	s := &state{}
	text, _, err := disk.ReadRegular(l.stateFile(), unix.O_RDONLY|unix.O_NOFOLLOW, maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if json.Unmarshal(text, s) != nil {
		return &state{Dir: l.Dir}, nil // only the settings say where its pages were
	}
	return s, nil
}

func (l *List) writeState(s *state) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return l.Disk.Replace(l.stateFile(), append(text, '\n'))
}

// version identifies the look of posts' pages: everything in them that is not from the
// archive.
func (l *List) version() string {
	h := sha256.New()
	fs.WalkDir(looks, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".css") {
			return err
		}
		text, err := looks.ReadFile(path)
		h.Write(text)
		return err
	})
	fmt.Fprintf(h, "%d\n%q\n", render1, []string{l.Name, l.Domain, l.Delimiter, l.words.Language(), l.Base, string(l.Veil), l.MBox, l.Post, strconv.FormatBool(l.Requests)})
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// render1 is increased when the same post yields different HTML.
const render1 = 4

// boot identifies the time since this host was started; empty if unknown.
func boot() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

// month returns the entry of a month, and adds it if necessary.
func (s *state) month(name string) *month {
	at, there := slices.BinarySearchFunc(s.Months, name, func(m month, name string) int { return strings.Compare(m.Month, name) })
	if !there {
		s.Months = slices.Insert(s.Months, at, month{Month: name})
	}
	return &s.Months[at]
}

// around returns the adjacent months; empty if there is none.
func (s *state) around(name string) (before, after string) {
	at, there := slices.BinarySearchFunc(s.Months, name, func(m month, name string) int { return strings.Compare(m.Month, name) })
	if !there {
		return "", ""
	}
	if at > 0 {
		before = s.Months[at-1].Month
	}
	if at+1 < len(s.Months) {
		after = s.Months[at+1].Month
	}
	return before, after
}

// maxNewest is how many threads are remembered for the front page: some may be removed.
const maxNewest = 2 * onFront

// heads puts a thread with its posts into its place among the newest.
func (s *state) heads(thread int, posts []archive.Entry) {
	s.Newest = slices.DeleteFunc(s.Newest, func(h head) bool { return h.Thread == thread })
	if len(posts) == 0 {
		return
	}
	last := posts[len(posts)-1]
	h := head{posts[0], len(posts), last.Number, last.Time}
	h.Thread = thread
	h.MessageID, h.Parent, h.ID = "", "", ""
	at, _ := slices.BinarySearchFunc(s.Newest, h, func(a, b head) int { return b.Newest - a.Newest })
	s.Newest = slices.Insert(s.Newest, at, h)
	s.Newest = s.Newest[:min(len(s.Newest), maxNewest)]
}
