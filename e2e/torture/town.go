package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// berlin has summer time: the clock that digests are made by.
const berlin = "Europe/Berlin"

const (
	daily, weekly = list, "news@lists.example.org"
	digester      = "dave@example.net" // gets digests of both
	gone          = "carol+lists@example.com"
	often         = "erin.o'neil@example.net" // mail to them comes back, but not for long
)

// A town is a site whose clock is moved, and what has become of everything there.
type town struct {
	*place
	r      *result
	zone   *time.Location
	posted []time.Time // of each post, as it was taken
	list   []string    // where to
	log    []logged
	read   int          // bytes of the log
	moving func() error // moves the clock while deliver runs; nil: nobody does
}

// logged is a line of deliver's, and when it was written.
type logged struct {
	at   time.Time
	line string
}

func (l logged) String() string { return l.at.UTC().Format(time.DateTime) + ": " + l.line }

func newTown(r *result, bin, dir string) (w *town, err error) {
	w = &town{r: r}
	if w.zone, err = time.LoadLocation(berlin); err != nil {
		return nil, err
	}
	w.place, err = newPlace(bin, dir, &act{name: r.Part, env: []string{"TZ=" + berlin}, prepare: func(p *place) {
		set("web=anyone", "digest=daily", "nonmembers=hold", fmt.Sprintf("suspend_days=%d", suspendDays))(p)
		p.try("list", "create", weekly, "--owner", owner, "--set", "archive=true", "--set", "web=anyone", "--set", "digest=weekly")
		p.try(append([]string{"member", "add", weekly}, members...)...)
		for _, l := range []string{daily, weekly} {
			p.try("member", "set", l, digester, "digest")
		}
	}})
	if err != nil {
		return nil, err
	}
	return w, os.WriteFile(dir+"/superlist.toml", []byte(strings.Replace(configOf(dir, ""), `log = "none"`, fmt.Sprintf("log = %q", dir+"/log"), 1)), 0o600)
}

// wall is the time that programs see. Without Round, Go would count by the monotonic clock.
func wall() time.Time { return time.Now().Round(0) }

// mail has somebody bring mail, which must be taken.
func (w *town) mail(from, to, head, text string) error {
	return w.session(message(from, to, head, text))
}

func message(from, to, head, text string) string {
	return fmt.Sprintf("MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n%s\r\n\r\n%s\r\n.\r\n", from, to, head, text)
}

func (w *town) session(messages ...string) (err error) {
	defer func() {
		if f, ok := recover().(failure); ok {
			err = f.error
		}
	}()
	w.place.post("EHLO client.example\r\n" + strings.Join(messages, "") + "QUIT\r\n")
	return nil
}

// postTo posts to each list, in one session. A post has its number in its subject.
func (w *town) postTo(lists ...string) error {
	var all []string
	for _, l := range lists {
		n := len(w.posted)
		w.posted, w.list = append(w.posted, wall()), append(w.list, l)
		all = append(all, message(poster, l, fmt.Sprintf("From: %s\r\nSubject: load %d\r\nMessage-ID: <load.%[2]d@example.com>", poster, n), fmt.Sprintf("the end of %d", n)))
	}
	return w.session(all...)
}

// deliver is what a timer does.
func (w *town) deliver() error {
	moved := make(chan error, 1)
	if w.moving != nil {
		go func() { moved <- w.moving() }()
	} else {
		moved <- nil
	}
	out, err := w.superlist("deliver")
	text, lerr := os.ReadFile(w.dir + "/log")
	if lerr != nil {
		return lerr
	}
	for line := range strings.Lines(string(text[w.read:])) {
		w.log = append(w.log, logged{wall(), strings.TrimSpace(line)})
	}
	w.read = len(text)
	if err != nil {
		return fmt.Errorf("deliver: %w: %s", err, out)
	}
	return <-moved
}

// find is the lines that begin with a word and have all of these.
func (w *town) find(first string, has ...string) (found []logged) {
	for _, l := range w.log {
		if _, what, _ := strings.Cut(l.line, "]: "); strings.HasPrefix(what, first+" ") && !slices.ContainsFunc(has, func(s string) bool { return !strings.Contains(l.line, s) }) {
			found = append(found, l)
		}
	}
	return found
}

// A letter is a file in somebody's Maildir.
type letter struct {
	file string
	at   time.Time
	text string
}

func (w *town) box(who string) (all []letter, err error) {
	files, err := filepath.Glob(filepath.Join(w.dir, "out", who, "new", "*"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all = append(all, letter{file, info.ModTime(), strings.ReplaceAll(string(text), "\r\n", "\n")})
	}
	return all, nil
}

var loads = regexp.MustCompile(`(?m)^Subject: load ([0-9]+)$`)

func numbers(text string) (all []int) {
	for _, found := range loads.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(found[1])
		all = append(all, n)
	}
	return all
}

// came holds that everybody has each post once, digests have each once, and the archive
// and the pages have all. due says when a digest with a post must come, and ended when nobody has looked any more.
func (w *town) came(ended time.Time, due func(n int) (from, to time.Time)) error {
	for _, m := range []string{poster, "bob@example.com"} {
		box, err := w.box(m)
		if err != nil {
			return err
		}
		times := make([]int, len(w.posted))
		for _, l := range box {
			for _, n := range numbers(l.text) {
				times[n]++
			}
		}
		for n := range times {
			w.once(m+" has a post", n, times[n])
		}
	}
	box, err := w.box(digester)
	if err != nil {
		return err
	}
	times := make([]int, len(w.posted))
	digests := 0
	for _, l := range box {
		posts := numbers(l.text)
		if len(posts) > 0 {
			digests++
		}
		for _, n := range posts {
			times[n]++
			var o outcome
			// It is due for its first post; what has come since then goes along.
			if from, to := due(n); n == slices.Min(posts) && l.at.Before(from) {
				o.faults = append(o.faults, "a digest is early")
			} else if l.at.After(to) {
				o.faults = append(o.faults, "a digest is late")
			}
			w.r.add(w.r.Part, fmt.Sprintf("post %d of %v, digest of %v", n, w.posted[n].In(w.zone), l.at.In(w.zone)), o)
		}
	}
	for n := range times {
		if _, to := due(n); !to.After(ended) {
			w.once("a digest has a post", n, times[n])
		}
	}
	w.r.note("%d posts, %d digests", len(w.posted), digests)
	waits, _ := filepath.Glob(w.dir + "/spool/*/*/*")
	for _, file := range waits {
		if boxes.MatchString(strings.TrimPrefix(file, w.dir)) {
			w.r.fault(w.r.Part, file, "a message is left in the spool")
		}
	}
	return w.published()
}

func (w *town) once(what string, n, times int) {
	var o outcome
	if times != 1 {
		o.faults = append(o.faults, fmt.Sprintf("%s %d times", what, times))
	}
	w.r.add(w.r.Part, fmt.Sprintf("post %d, of %v", n, w.posted[n].In(w.zone)), o)
}

var page = regexp.MustCompile(`load ([0-9]+)\b`)

// published holds that each post is in the archive once, and on a page.
func (w *town) published() error {
	stored, shown := make([]int, len(w.posted)), make([]int, len(w.posted))
	for _, where := range []struct {
		dir   string
		times []int
		of    func(string) []int
	}{
		{w.dir + "/lists", stored, numbers},
		{w.dir + "/www", shown, func(text string) (all []int) {
			for _, found := range page.FindAllStringSubmatch(text, -1) {
				n, _ := strconv.Atoi(found[1])
				all = append(all, n)
			}
			return all
		}},
	} {
		err := filepath.WalkDir(where.dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() || !strings.Contains(path, "/archive/") && !strings.HasSuffix(path, ".html") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, n := range where.of(strings.ReplaceAll(string(text), "\r\n", "\n")) {
				where.times[n]++
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	for n := range stored {
		w.once("the archive has a post", n, stored[n])
		w.once("the web has a post", n, min(1, shown[n]))
	}
	return nil
}
