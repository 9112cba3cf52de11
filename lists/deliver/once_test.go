package deliver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/edit"
)

// TestOncePerPerson: who is on two lists that a post names gets it from one of them, if they or
// the site want that, and whatever comes first. What is not the same post reaches them.
func TestOncePerPerson(t *testing.T) {
	const post = "From: eve@example.net\nTo: dev@lists.example.org, \"News\" <NEWS@lists.example.org>\nSubject: both\nMessage-ID: <1@example.net>\n\nHello.\n"
	dev, news := []string{"dev@lists.example.org"}, []string{"news@lists.example.org"}
	for name, test := range map[string]struct {
		dev, news string // what stands behind bob's address
		site      bool
		settings  string // of dev
		first     string
		second    string // empty: the same
		together  bool
		days      int
		want      int
	}{
		"on both":                   {dev: "once", news: "once", want: 1},
		"for both at once":          {dev: "once", news: "once", together: true, want: 1},
		"the list that comes first": {dev: "once", want: 2},
		"the one that comes second": {news: "once", want: 1},
		"nobody wants it":           {want: 2},
		"the site wants it":         {site: true, want: 1},
		"another body":              {site: true, second: strings.Replace(post, "Hello", "Hallo", 1), want: 2},
		"another author":            {site: true, second: strings.Replace(post, "eve@", "mallory@", 1), want: 2},
		"another Message-ID":        {site: true, second: strings.Replace(post, "<1@", "<2@", 1), want: 2},
		"another subject":           {site: true, second: strings.Replace(post, "both", "both of you", 1), want: 1},
		"no Message-ID":             {site: true, first: strings.Replace(post, "Message-ID", "X-ID", 1), want: 2},
		"the other is not named":    {site: true, first: strings.Replace(post, "NEWS", "nobody", 1), want: 2},
		"the other one's owners":    {site: true, first: strings.Replace(post, "NEWS", "news+owner", 1), want: 2},
		"the other in Cc":           {site: true, first: strings.Replace(post, ", \"News\"", "\nCc:", 1), want: 1},
		"after a week":              {site: true, days: 7, want: 2},
		"an anonymous list":         {site: true, settings: "anonymous=true", want: 2},
		"has no mail of the first":  {dev: "nomail", news: "once", want: 1},
		"has digests of the first":  {dev: "digest", news: "once", want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			mail := t.TempDir()
			w := newWorld(t, "maildir:"+mail, "")
			w.site.Once = test.site
			l := w.list("dev", "bob@example.net "+test.dev, "carol@example.net")
			w.list("news", "bob@example.net "+test.news, "dave@example.net")
			if test.settings != "" {
				if err := edit.Set(l, []string{test.settings}); err != nil {
					t.Fatal(err)
				}
			}
			first := test.first
			if first == "" {
				first = post
			}
			second := test.second
			if second == "" {
				second = first
			}
			send := func(message string, to []string) {
				w.message("eve@example.net", strings.ReplaceAll(message, "\n", "\r\n"), to...)
			}
			if test.together {
				send(first, slices.Concat(dev, news))
			} else {
				send(first, dev)
				w.deliver()
				w.later += time.Duration(test.days) * 24 * time.Hour
				send(second, news)
			}
			w.deliver()
			for who, want := range map[string]int{"bob@example.net": test.want, "carol@example.net": 1, "dave@example.net": 1} {
				if got := inMaildirs(t, mail, who); len(got) != want {
					t.Errorf("%s has it %d times, want %d", who, len(got), want)
				}
			}
			wantsLog := test.want == 1 && test.dev != "nomail" && test.dev != "digest"
			if got := strings.Contains(w.log.String(), " once=1"); got != wantsLog {
				t.Error(w.log.String())
			}
		})
	}
}

// TestOncePerPersonOfMany: more persons than a record has room for.
func TestOncePerPersonOfMany(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	w := newWorld(t, f.Start(t), "")
	var many []string
	for i := range perRecord + 1 {
		many = append(many, fmt.Sprintf("m%05d@example.net once", i))
	}
	w.list("dev", many...)
	w.list("news", append(many, "n@example.net")...)
	w.message("eve@example.net", "From: eve@example.net\r\nTo: dev@lists.example.org, news@lists.example.org\r\nMessage-ID: <1@x>\r\n\r\nHello.\r\n", "dev@lists.example.org", "news@lists.example.org")
	w.deliver()
	got := make(map[string]int)
	for _, d := range f.Taken() {
		got[d.To]++
	}
	if len(got) != len(many)+1 {
		t.Errorf("%d got it, want %d", len(got), len(many)+1)
	}
	for who, n := range got {
		if n != 1 {
			t.Errorf("%s has it %d times", who, n)
		}
	}
	if !strings.Contains(w.log.String(), fmt.Sprintf(" once=%d", len(many))) {
		t.Error(w.log.String())
	}
}
