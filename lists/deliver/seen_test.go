package deliver

import (
	"testing"
	"time"

	"superlist/lists/web/api"
)

// TestDigestSeen: a program sees of a digest what has been put there. Package api reads the
// state without package digest, which a program that serves clients does not link.
func TestDigestSeen(t *testing.T) {
	for _, archive := range []string{"archive=true", "archive=false"} {
		w, _, l := digestWorld(t, []string{archive}, "a@example.com", "b@example.com digest")
		if d, err := api.Digest(l); err != nil || d.Schedule != "daily" || d.Waiting != 0 || d.Since != nil || d.Due != nil {
			t.Errorf("%s, before: %+v, %v", archive, d, err)
		}
		w.at(1, 9, 0)
		w.say(1, 3)
		d, err := api.Digest(l)
		if err != nil || d.Issue != 0 || d.Waiting != 3 || d.Since == nil || d.Due == nil {
			t.Fatalf("%s: %+v, %v", archive, d, err)
		}
		if want := l.Digest.Due(*d.Since, 3, time.Local); !d.Due.Equal(want) {
			t.Errorf("%s: due %v, want %v", archive, d.Due, want)
		}
		w.at(2, 0, 1)
		w.deliver()
		if d, err := api.Digest(l); err != nil || d.Issue != 1 || d.Waiting != 0 || d.Due != nil {
			t.Errorf("%s, sent: %+v, %v", archive, d, err)
		}
	}
}
