package cluster

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// judge holds what has come against what had to.
func (t *town) judge(tb testing.TB, midnight time.Time) {
	for _, f := range t.faults {
		tb.Error(f)
	}
	twice := map[string]int{}
	for _, p := range t.posts {
		t.judgePost(tb, p, twice)
	}
	for _, m := range t.movers {
		t.judgeLetters(tb, m, twice)
	}
	t.judgeDigests(tb, midnight, twice)
	t.judgeLists(tb, midnight)
	tb.Logf("twice: %v", twice)
}

// times is how many of these are different, and notes why they came again. What no document
// allows is a fault.
func (t *town) times(tb testing.TB, what string, all []mail, again bool, twice map[string]int) int {
	if len(all) < 2 {
		return len(all)
	}
	for _, m := range all[1:] {
		first := all[0]
		h := t.hosts[max(0, int(first.host[len(first.host)-1]-'1'))]
		killed := h.killedWithin(span{first.at.Add(-10 * time.Second), m.at})
		switch {
		case again:
			twice["sent again by whoever had no reply"]++
		case m.host == first.host && m.id == first.id && killed:
			twice["Postfix was killed before it noted it"]++
		case m.host == first.host && killed:
			twice["superlist was killed before it noted it"]++
		case m.host != first.host && killed && h.n == int(t.gone.Load()):
			twice["the host was lost before it noted it"]++
		default:
			tb.Errorf("%s came twice: from %s (%s) at %v, and from %s (%s) at %v", what, first.host, first.id, first.at.Format(time.TimeOnly+".000"), m.host, m.id, m.at.Format(time.TimeOnly+".000"))
			return len(all)
		}
	}
	return 1
}

func (t *town) judgePost(tb testing.TB, p *post, twice map[string]int) {
	byMember := map[string][]mail{}
	for _, m := range t.w.posts[p.n] {
		byMember[m.to] = append(byMember[m.to], m)
	}
	got := map[string]int{}
	for who, all := range byMember {
		got[who] = t.times(tb, fmt.Sprintf("post %d to %s", p.n, who), all, p.again, twice)
	}
	want := 1
	if p.held {
		want = got[stable(p.list)[0]] // they agree
		back := len(t.w.box(p.from, "was rejected"))
		switch {
		case want > 0 && back > 0:
			tb.Errorf("post %d was accepted and rejected", p.n)
		case want == 0 && back == 0 && t.early > 0:
			t.notes["stays held: it was decided where nobody knew of it yet"]++
		case want == 0 && back == 0 && p.list%2 == 0:
			tb.Errorf("nothing has become of post %d, which was held", p.n)
		case want == 0 && back == 0:
			t.notes["held until tomorrow"]++
		}
		if back > 1 {
			twice["letters"]++
		}
	}
	if p.host == 0 {
		return
	}
	for _, who := range stable(p.list) {
		if got[who] != want {
			tb.Errorf("post %d (taken by %s at %v): %s has it %d times instead of %d", p.n, hostName(p.host), p.ended.Format(time.TimeOnly), who, got[who], want)
		}
	}
	if p.held {
		return
	}
	h := t.hosts[p.host-1]
	fromCopy := h.fromCopy(span{p.begun, p.ended.Add(20 * time.Second)})
	for _, m := range t.movers {
		if m.list != p.list || m.joined.IsZero() {
			continue
		}
		n := got[m.who]
		switch {
		case !m.left.IsZero() && p.begun.After(m.left) && n > 0 && fromCopy:
			t.notes["went by a copy to somebody who had left"]++
		case !m.left.IsZero() && p.begun.After(m.left) && n > 0:
			tb.Errorf("post %d (taken by %s at %v) went to %s, who had left at %v", p.n, h.dir, p.begun.Format(time.TimeOnly), m.who, m.left.Format(time.TimeOnly))
		case p.begun.After(m.joined) && (m.leaving.IsZero() || p.ended.Add(time.Minute).Before(m.leaving)) && n == 0 && fromCopy:
			t.notes["did not go by a copy to somebody who had just joined"]++
		case p.begun.After(m.joined) && (m.leaving.IsZero() || p.ended.Add(time.Minute).Before(m.leaving)) && n == 0:
			tb.Errorf("post %d (taken by %s at %v) did not go to %s, who had joined at %v", p.n, hostName(p.host), p.begun.Format(time.TimeOnly), m.who, m.joined.Format(time.TimeOnly))
		}
	}
}

// judgeLetters holds that a mover has joined once and left once.
func (t *town) judgeLetters(tb testing.TB, m *mover, twice map[string]int) {
	at := listName(m.list)
	for _, l := range []struct {
		to, subject string
		want        bool
	}{
		{m.who, "Please confirm: subscribe", true},
		{m.who, "Welcome to " + at, !m.joined.IsZero()},
		{owner(m.list), m.who + " has subscribed", !m.joined.IsZero()},
		{m.who, "You have unsubscribed", !m.left.IsZero()},
		{owner(m.list), m.who + " has unsubscribed", !m.left.IsZero()},
	} {
		n := t.times(tb, fmt.Sprintf("%q to %s", l.subject, l.to), t.w.box(l.to, l.subject), false, twice)
		if n > 1 || l.want && n == 0 {
			tb.Errorf("%s has %q %d times", l.to, l.subject, n)
		}
	}
	if m.joined.IsZero() || !m.leaving.IsZero() && m.left.IsZero() {
		return // it is not known what they are
	}
	members, _ := os.ReadFile(filepath.Join(t.hosts[0].dir, "lists/lists.example.org", at, "members"))
	if is := strings.Contains(string(members), m.who); is != m.left.IsZero() {
		tb.Errorf("%s is a member of %s at the end: %v", m.who, at, is)
	}
}

var issueOf = regexp.MustCompile(` digest ([0-9]+):`)

// judgeDigests holds that each digest has come once, with posts that no other has, and
// that summaries and probes have come once.
func (t *town) judgeDigests(tb testing.TB, midnight time.Time, twice map[string]int) {
	digests, summaries, probes := 0, 0, 0
	for l := range t.lists {
		issues, within := map[int][]mail{}, map[int]int{}
		for _, m := range t.w.boxes[digester(l)] {
			if found := issueOf.FindStringSubmatch(m.subject); found != nil {
				n, _ := strconv.Atoi(found[1])
				issues[n] = append(issues[n], m)
			}
		}
		for n, all := range issues {
			digests++
			t.times(tb, fmt.Sprintf("digest %d of %s", n, listName(l)), all, false, twice)
			for _, found := range postID.FindAllStringSubmatch(all[0].text, -1) {
				p, _ := strconv.Atoi(found[1])
				if other, ok := within[p]; ok {
					tb.Errorf("post %d is in the digests %d and %d of %s", p, other, n, listName(l))
				}
				within[p] = n
			}
			if issues[n-1] == nil && n > 1 {
				tb.Errorf("%s has no digest %d", listName(l), n-1)
			}
		}
		for _, p := range t.posts {
			if p.list == l && l%2 == 1 && !p.held && p.host > 0 && p.ended.Before(midnight.Add(-wrong-time.Minute)) && within[p.n] == 0 {
				tb.Errorf("post %d of %v is in no digest of %s", p.n, p.ended.Format(time.TimeOnly), listName(l))
			}
		}
		for _, m := range moderators(l) {
			all := t.w.box(m, " to decide (")
			summaries += min(1, len(all))
			t.times(tb, "the summary for "+m, all, false, twice)
		}
		all := t.w.box(bouncer(l), "does mail to")
		probes += min(1, len(all))
		t.times(tb, "the probe to "+bouncer(l), all, false, twice)
	}
	tb.Logf("%d digests, %d summaries, %d probes", digests, summaries, probes)
	if digests == 0 || summaries == 0 || probes == 0 {
		tb.Error("some of these did not happen")
	}
}

// judgeLists holds that all copies are the same, and that archives have each post once.
func (t *town) judgeLists(tb testing.TB, midnight time.Time) {
	h := t.hosts[0]
	h.try("cluster", "export", h.dir+"/spool/exported")
	all := shared(tb, h.dir+"/lists")
	for who, dir := range map[string]string{hostName(2): t.hosts[1].dir + "/lists", "the database": h.dir + "/spool/exported"} {
		other := shared(tb, dir)
		for name, text := range all {
			if o, ok := other[name]; !ok || o != text {
				tb.Errorf("%s: %s is another one (there: %v)\n%.300q\n%.300q", who, name, ok, text, o)
			}
		}
		for name := range other {
			if _, ok := all[name]; !ok {
				tb.Errorf("%s has %s, and mx1 does not", who, name)
			}
		}
	}
	stored := map[int][]string{}
	for name, text := range all {
		if found := postID.FindStringSubmatch(strings.ReplaceAll(text, "\r\n", "\n")); found != nil && strings.Contains(name, "/archive/") {
			n, _ := strconv.Atoi(found[1])
			stored[n] = append(stored[n], name)
		}
	}
	for _, p := range t.posts {
		at := stored[p.n]
		slices.Sort(at)
		if went := len(t.w.posts[p.n]) > 0; len(at) > 1 && !p.again || len(at) == 0 && went {
			tb.Errorf("post %d is in the archive at %q", p.n, at)
		}
	}
	tb.Logf("%d files in each copy, %d posts in archives", len(all), len(stored))
}

// shared is what hosts share below a lists_dir.
func shared(tb testing.TB, dir string) map[string]string {
	all := map[string]string{}
	must(tb, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		own := strings.HasPrefix(e.Name(), ".") && !slices.Contains([]string{".", ".asked", ".outcomes", ".acts"}, e.Name())
		switch {
		case err != nil:
			return err
		case own && e.IsDir() && rel != ".", e.IsDir() && e.Name() == "web":
			return fs.SkipDir
		case own || !e.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		all[rel] = string(text)
		return err
	}))
	return all
}
