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
		mail{id: "b", answers: "a", from: "Eve Frobnitz <eve@example.com>", subject: "a hidden subject", header: "X-No-Archive: yes\n", body: "a hidden text\n"},
		mail{from: "c@example.com", id: "c", answers: "b", subject: "Re: open"})
	update(t, l)
	all := checkAll(t, l)
	for name, text := range all {
		for _, word := range []string{"Frobnitz", "hidden", "eve@"} {
			if name != "style.css" && strings.Contains(text, word) {
				t.Errorf("%s has %s", name, word)
			}
		}
	}
	if page := all[postPath(2)]; !strings.Contains(page, "The author asked that this post not be archived.") {
		t.Errorf("its page: %s", page)
	}
	if thread := all[threadPath(1, 1)]; !strings.Contains(thread, `id="m3"`) {
		t.Errorf("the answer is not in the thread: %s", thread)
	}
}
