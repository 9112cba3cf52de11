package web

import (
	"strings"
	"testing"
)

// TestOptOut: a post that its author does not want archived has a page that says so; no
// page, feed, month or search has anything else of it.
func TestOptOut(t *testing.T) {
	t.Parallel()
	l := newList(t)
	l.MBox = MBoxFull
	l.Posts.OptOut = true
	add(t, l, mail{from: "a@example.com", id: "a", subject: "open"},
		mail{id: "b", answers: "a", from: "Eve Frobnitz <eve@example.com>", subject: "hidden frobnication", header: "X-No-Archive: yes\n", body: "frobnitzel\n"},
		mail{from: "c@example.com", id: "c", answers: "b", subject: "Re: open"})
	update(t, l)
	all := checkAll(t, l)
	for name, text := range all {
		if lower := strings.ToLower(text); strings.Contains(lower, "frobnit") || strings.Contains(lower, "frobnication") || strings.Contains(lower, "eve") {
			t.Errorf("%s has it: %s", name, text)
		}
	}
	if page := all[postPath(2)]; !strings.Contains(page, "The author asked that this post not be archived.") {
		t.Errorf("its page: %s", page)
	}
	for _, n := range []string{postPath(3), threadPath(1, 1)} {
		if all[n] == "" {
			t.Errorf("no %s", n)
		}
	}
}
