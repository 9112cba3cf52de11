package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

const (
	fewMembers     = 10
	millionMembers = 1_000_000
	fewLists       = 10
	manyLists      = 100_000
	// rcptTalks is how many different senders and lists each contender has: the
	// processor must not know the way to one of them by heart.
	rcptTalks = 50
	// maxRcpts is how many recipients a session takes in one transaction.
	maxRcpts = 100
)

// rcpts compares what RCPT costs for a list with a million members and for one
// with ten, and on a site with a hundred thousand lists and on one with ten. That
// a membership is looked for is seen to: the sender is a member and may post for
// no other reason. Everything has been read once, as on a host that is in use.
func (b *bench) rcpts() error {
	few, err := b.newSite("few", siteOptions{log: "none", more: trusting, members: fewMembers, relay: "127.0.0.1:9"})
	if err != nil {
		return err
	}
	large, err := b.newSite("large", siteOptions{log: "none", more: trusting, members: millionMembers, relay: "127.0.0.1:9"})
	if err != nil {
		return err
	}
	many, err := b.newSite("lists", siteOptions{log: "none", more: trusting, members: fewMembers, relay: "127.0.0.1:9"})
	if err != nil {
		return err
	}
	if err := few.copies(fewLists); err != nil {
		return err
	}
	if err := many.copies(manyLists); err != nil {
		return err
	}
	one := func(int) string { return list }
	for _, row := range []struct {
		title string
		rcpts int
	}{
		{"A session with one RCPT", 1},
		// Nobody does that; RCPT is here what the session costs, and not the start
		// of a process.
		{fmt.Sprintf("A session with %d RCPT", maxRcpts), maxRcpts},
	} {
		ten, err := b.talks(few, fmt.Sprintf("%d members", fewMembers), fewMembers, row.rcpts, one)
		if err != nil {
			return err
		}
		million, err := b.talks(large, fmt.Sprintf("%d members", millionMembers), millionMembers, row.rcpts, one)
		if err != nil {
			return err
		}
		tenLists, err := b.talks(few, fmt.Sprintf("%d lists", fewLists), fewMembers, row.rcpts, listOf(fewLists))
		if err != nil {
			return err
		}
		lists, err := b.talks(many, fmt.Sprintf("%d lists", manyLists), fewMembers, row.rcpts, listOf(manyLists))
		if err != nil {
			return err
		}
		if err := race(b.rounds, ten, million, tenLists, lists); err != nil {
			return err
		}
		fmt.Printf("\n%s, refused by nobody, no message; %d senders and lists by turns, %d rounds\n", row.title, rcptTalks, b.rounds)
		table(ten, million, tenLists, lists)
		for _, pair := range [][2]*contender{{million, ten}, {lists, tenLists}} {
			f, line := paired(fmt.Sprintf("%d RCPT, %s", row.rcpts, pair[0].name), pair[0], pair[1])
			if row.rcpts == 1 {
				f.Want = 1.10
			}
			fmt.Println(line, "", b.note(f))
		}
	}
	return nil
}

// listOf gives any of n lists.
func listOf(n int) func(int) string {
	return func(int) string { return listName(rand.IntN(n)) + "@lists.example.org" }
}

func listName(i int) string { return fmt.Sprintf("list%06d", i) }

// copies makes n lists like the site's one. A list is a directory: to copy it is
// to make one.
func (s *site) copies(n int) error {
	domain := filepath.Join(s.dir, "lists", "lists.example.org")
	files := make(map[string][]byte)
	for _, name := range []string{"list.toml", "members"} {
		text, err := os.ReadFile(filepath.Join(domain, "dev", name))
		if err != nil {
			return err
		}
		files[name] = text
	}
	info, err := os.Stat(filepath.Join(domain, "dev", "members"))
	if err != nil {
		return err
	}
	for i := range n {
		progress(fmt.Sprintf("making lists %d/%d", i, n))
		dir := filepath.Join(domain, listName(i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				return err
			}
		}
		// The time of the file says that it is in order.
		if err := os.Chtimes(filepath.Join(dir, "members"), info.ModTime(), info.ModTime()); err != nil {
			return err
		}
	}
	progress("")
	return nil
}

// talks is a contender that has another of rcptTalks sessions each time: from any
// of the members to any of the lists.
func (b *bench) talks(s *site, name string, members, rcpts int, to func(int) string) (*contender, error) {
	dir := filepath.Join(b.work, fmt.Sprintf("talks-%s-%d", strings.ReplaceAll(name, " ", "-"), rcpts))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	var files []string
	for i := range rcptTalks {
		var talk strings.Builder
		// LMTP, where one message may go to many lists.
		fmt.Fprintf(&talk, "LHLO client.example.com\r\nMAIL FROM:<%s>\r\n", memberName(rand.IntN(members-1)))
		for k := range rcpts {
			fmt.Fprintf(&talk, "RCPT TO:<%s>\r\n", to(k))
		}
		talk.WriteString("QUIT\r\n")
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, []byte(talk.String()), 0o644); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	c := s.spawn(name, "")
	c.prepare = func() error { c.stdin = files[rand.IntN(len(files))]; return nil }
	c.check = func(out string) error {
		if n := strings.Count(out, "\r\n250 2.1.5 "); n != rcpts {
			return errors.New("RCPT was refused:\n" + out)
		}
		return nil
	}
	for _, file := range files { // everything is in memory before it counts
		c.stdin = file
		if _, _, err := c.once(); err != nil {
			return nil, err
		}
	}
	return c, nil
}
