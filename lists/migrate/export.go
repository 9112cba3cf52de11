package migrate

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/bounces"
	"superlist/lists/heldpost"
	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/queue/disk"
)

// Export makes a parcel of one of our lists: its settings, rules, texts, key, members,
// held posts and archive. Received under its own address, the list is the same as
// before. Call Close afterwards.
func Export(site *site.Site, l *lists.List) (*Parcel, error) {
	p := &Parcel{From: "superlist, " + l.Dir, Addr: l.Addr}
	for name, max := range map[string]int64{fileConfig: maxControl, fileRules: maxControl, fileTexts: maxControl, fileKey: maxControl, fileLeft: maxLeft} {
		text, _, err := disk.ReadRegular(filepath.Join(l.Dir, name), unix.O_RDONLY, max)
		if errors.Is(err, fs.ErrNotExist) && name != fileConfig {
			continue
		}
		if err != nil {
			return nil, err
		}
		p.file(name, text)
	}
	members, err := l.Members()
	if err != nil {
		return nil, err
	}
	defer members.Close()
	for m, err := range members.All() {
		if err != nil {
			return nil, err
		}
		p.Members.Add(m)
	}
	p.Members.Join(unite)
	if p.comments, err = members.Comments(); err != nil {
		return nil, err
	}
	if p.Bouncing, err = bounces.All(l, time.Now()); err != nil {
		return nil, err
	}
	if err := p.exportHeld(site, l); err != nil {
		return nil, err
	}
	p.stays(l)
	return p, p.exportArchive(l)
}

// stays reports what is not in the parcel of a list, if somebody waits for it.
func (p *Parcel) stays(l *lists.List) {
	state, _, err := disk.ReadRegular(filepath.Join(l.Dir, "digest", "state"), unix.O_RDONLY, maxControl)
	var digest struct {
		First int `json:"first"`
	}
	if err == nil && json.Unmarshal(state, &digest) == nil && digest.First > 0 {
		p.Report.leave("digest", "posts wait for a digest, and do not come along", "before you export it: superlist digest "+l.Addr.Address())
	}
	if people, _ := filepath.Glob(filepath.Join(l.Dir, "requests", "[^.]*")); len(people) > 0 {
		p.Report.leave("requests", fmt.Sprintf("people who wait for the owners to let them in: %d", len(people)), "they ask again, or superlist member add "+l.Addr.Address()+" ADDRESS")
	}
}

// exportArchive adds the posts as they went to the members, and what only the index
// knows about them.
func (p *Parcel) exportArchive(l *lists.List) error {
	posts := l.Posts()
	first, last, err := posts.Range()
	if err != nil {
		return err
	}
	gone, err := posts.Removed()
	if err != nil {
		return err
	}
	removed := make(map[int]*archive.Removal)
	for _, r := range gone {
		removed[r.Number] = &r
	}
	for e, err := range posts.Entries(first, last) {
		if err != nil {
			return err
		}
		p.Archive = append(p.Archive, Post{
			Source: dirArchive + strconv.Itoa(e.Number), Number: e.Number, Arrived: e.Time,
			Head: Head{ID: e.ID, RequireTLS: e.RequireTLS, Removed: removed[e.Number]},
			Open: func() (io.ReadCloser, error) {
				f, _, err := posts.Open(e.Number)
				return f, err
			},
		})
	}
	return nil
}

func (p *Parcel) exportHeld(site *site.Site, l *lists.List) error {
	spool := heldpost.Spool(site, l)
	entries, err := spool.List(queue.Held)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		m, err := spool.Open(queue.Held, e.ID)
		if errors.Is(err, fs.ErrNotExist) {
			continue // somebody has decided meanwhile
		}
		if err != nil {
			p.Report.leave(dirHeld+e.ID, err.Error(), "")
			continue
		}
		head := Head{
			Client: m.Client, From: m.From.Address(), Body: m.Body, UTF8: m.UTF8, Why: m.Why, Post: m.Post, Author: m.Author.Address(),
			RequireTLS: m.RequireTLS, Ret: m.Ret, EnvID: m.EnvID,
		}
		for _, proved := range m.Proved {
			head.Proved = append(head.Proved, proved.Address())
		}
		p.Held = append(p.Held, Post{Source: dirHeld + e.ID, Name: e.ID, Arrived: m.Arrived, Head: head, Open: func() (io.ReadCloser, error) {
			m, err := spool.Open(queue.Held, e.ID)
			if err != nil {
				return nil, err
			}
			return struct {
				io.Reader
				io.Closer
			}{m.Content(), closer(m.Close)}, nil
		}})
		m.Close()
	}
	return nil
}

type closer func()

func (c closer) Close() error {
	c()
	return nil
}

// WriteCSV writes members as a table, in the form that Members reads.
func WriteCSV(members *members.File, to io.Writer) error {
	w := csv.NewWriter(to)
	w.Write([]string{"email", "name", "words"})
	for m, err := range members.All() {
		if err != nil {
			return err
		}
		name := ""
		var words []string
		for _, word := range m.Words {
			if n, ok := strings.CutPrefix(word, "name="); ok {
				name = n
				continue
			}
			words = append(words, word)
		}
		w.Write([]string{m.Path.Address(), name, strings.Join(words, " ")})
	}
	w.Flush()
	return w.Error()
}
