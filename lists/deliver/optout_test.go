package deliver

import (
	"fmt"
	"strings"
	"testing"
)

// TestOptOut: a post that its author does not want kept goes to all members at once,
// and no digest, no letter and no page has it later.
func TestOptOut(t *testing.T) {
	w, f, l := digestWorld(t, nil, "a@example.com", "b@example.com digest")
	w.at(1, 9, 0)
	w.say(1, 1)
	w.message("alice@example.com", "From: alice@example.com\r\nMessage-ID: <secret@x>\r\nSubject: secret\r\nX-No-Archive: yes\r\n\r\nsecret\r\n", dev)
	w.deliver()
	w.at(2, 0, 1)
	w.deliver()
	w.deliver()
	for who, want := range map[string][2]int{"a@example.com": {0, 2}, "b@example.com": {1, 1}} {
		digests, posts := issues(t, f, who)
		if got := [2]int{len(digests), len(posts)}; got != want {
			t.Errorf("%s got %d digests and posts, want %d", who, got, want)
		}
		for _, d := range digests {
			if text := fmt.Sprint(d); strings.Contains(text, "secret") {
				t.Errorf("the digest has %s", text)
			}
		}
		if last := posts[len(posts)-1]; !strings.Contains(last, "Subject: secret") || strings.Contains(last, "Archived-At:") {
			t.Errorf("%s got %q", who, last)
		}
	}
	if e, err := l.Posts().Entry(2); err != nil || !e.Removed {
		t.Errorf("%+v, %v", e, err)
	}
}
