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
// as it was before the pages that it knows nothing of, which are then written again.
type state struct {
	Version string `json:"version"` // of what pages look like
	Dir     string `json:"dir"`     // where they are

	Base    int `json:"base,omitempty"`    // posts up to here have been let go of
	Shown   int `json:"shown,omitempty"`   // and up to here have pages
	Removed int `json:"removed,omitempty"` // lines of the archive's file removed that were heeded
	Joined  int `json:"joined,omitempty"`  // and of joined

	// Posts up to RemakeTo have pages of an older version, but for those up to Remade.
	Remade   int `json:"remade,omitempty"`
	RemakeTo int `json:"remake_to,omitempty"`

	// Pages are not synced one by one. Those of posts up to Sure were, together; if
	// the host has been started anew since, the others are written again.
	Sure int    `json:"sure,omitempty"`
	Boot string `json:"boot,omitempty"`

	Search tiles `json:"search,omitzero"` // what can be looked for

	Months []month `json:"months,omitempty"`
	Newest []head  `json:"newest,omitempty"` // threads, the one with the newest post first
}

// A month is what is known of one.
type month struct {
	Month   string `json:"month"`
	Posts   int    `json:"posts"`
	Authors int    `json:"authors"`
	MBox    int64  `json:"mbox,omitempty"`  // how long its mbox.gz is
	Anew    bool   `json:"anew,omitempty"`  // that has to be written anew
	First   int    `json:"first,omitempty"` // its first and last post
	Last    int    `json:"last,omitempty"`
}

// A head is what the front page says of a thread.
type head struct {
	archive.Entry           // its first post
	Posts         int       `json:"posts"`
	Newest        int       `json:"newest"`
	Last          time.Time `json:"last"`
}

// maxState is more than a state has.
const maxState = 16 << 20

func (l *List) stateFile() string { return filepath.Join(l.Books, filepath.Base(StateFile)) }

// readState reads the state. One that cannot be read is as none: all is made anew.
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
		return &state{Dir: l.Dir}, nil // where its pages were nobody knows but from the settings
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

// version says what the pages of posts look like: all that goes into one and is not
// in the archive.
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
	fmt.Fprintf(h, "%d\n%q\n", render1, []string{l.Name, l.Domain, l.Delimiter, l.words.Language, l.Base, string(l.Veil), l.MBox, l.Post, strconv.FormatBool(l.Requests)})
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// render1 is counted up when the same post comes out as other HTML.
const render1 = 3

// boot names the time since this host was started; empty where nobody can tell.
func boot() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

// month gives the line of a month, which is put in where there is none.
func (s *state) month(name string) *month {
	at, there := slices.BinarySearchFunc(s.Months, name, func(m month, name string) int { return strings.Compare(m.Month, name) })
	if !there {
		s.Months = slices.Insert(s.Months, at, month{Month: name})
	}
	return &s.Months[at]
}

// around are the months before and behind one; empty where there is none.
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

// maxNewest is how many threads are kept in mind for the front page: some may go.
const maxNewest = 2 * onFront

// heads puts a thread in its place among the newest; posts are its posts.
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
