package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMlmmjMovesIn: a list that Debian's mlmmj has made, filled and used moves in,
// by root, with its members, a held post and its archive; and then it works.
func TestMlmmjMovesIn(t *testing.T) {
	if !enter(t, mlmmjNeeds...) {
		return
	}
	r := newRivals(t, []string{"notify=false"}, map[string]string{
		"subonlypost": "", "modnonsubposts": "", "tocc": "", "moderators": "mona@example.org\n", "access": "deny ^Subject:.*casino\nallow\n", "prefix": "[dev]\n",
	})
	run(t, "/usr/bin/mlmmj-sub", "-L", r.dir, "-a", "dora@example.com", "-d", "-f", "-q", "-s")
	run(t, "/usr/bin/mlmmj-sub", "-L", r.dir, "-a", "nora@example.com", "-n", "-f", "-q", "-s")
	r.mlmmj(member, list, "From: "+member+"\nTo: "+list+"\nMessage-ID: <first@example.com>\nSubject: First\n\nhello\n")
	r.mlmmj("eve@example.net", list, "From: eve@example.net\nTo: "+list+"\nSubject: Let me in\n\nhello\n")
	if held, _ := filepath.Glob(filepath.Join(r.dir, "moderation", "*")); len(held) != 1 {
		t.Fatalf("mlmmj holds %q", held)
	}
	before := run(t, "sh", "-c", "cd "+r.dir+" && find . -type f | sort | xargs md5sum")

	run(t, "superlist", "list", "rm", list, "--yes")
	if dry := run(t, "superlist", "import", "mlmmj", r.dir, "--dry-run"); !strings.Contains(dry, "nothing was changed; it would be "+list) {
		t.Errorf("a dry run says\n%s", dry)
	}
	if out, err := exec.Command("superlist", "list", "show", list).CombinedOutput(); err == nil {
		t.Errorf("a dry run has made\n%s", out)
	}
	report := run(t, "superlist", "import", "mlmmj", r.dir)
	for _, want := range []string{"made " + list + ": members 7, held posts 1, archive 1", "control/prefix", "post = members, nonmembers = hold", "as mlmmj brings them: language = en"} {
		if !strings.Contains(report, want) {
			t.Errorf("it does not say %q:\n%s", want, report)
		}
	}
	if after := run(t, "sh", "-c", "cd "+r.dir+" && find . -type f | sort | xargs md5sum"); after != before {
		t.Error("mlmmj's own list has changed")
	}
	if owner := run(t, "stat", "-c", "%U", "/var/lib/superlist/lists/lists.example.org/dev/archive/000/000001"); owner != "superlist\n" {
		t.Errorf("the archive is %s's", owner)
	}

	ours := strings.Split(run(t, "superlist", "member", "export", list), "\n")
	for _, m := range append(slices.Clone(members), "dora@example.com digest", "nora@example.com nomail") {
		if !slices.Contains(ours, m) {
			t.Errorf("%s is not on the list: %q", m, ours)
		}
	}
	post, err := os.ReadFile("/var/lib/superlist/lists/lists.example.org/dev/archive/000/000001")
	if err != nil || !strings.Contains(string(post), "Message-ID: <first@example.com>\r\n") || !strings.HasSuffix(string(post), "\r\n\r\nhello\r\n") {
		t.Errorf("the post in the archive is %q, %v", post, err)
	}

	// The held post goes out, and rules and members count.
	held := strings.Fields(run(t, "sh", "-c", "superlist held ls "+list+" | tail -1"))
	run(t, "superlist", "held", "approve", list, held[0])
	run(t, "superlist", "deliver")
	var got []string
	for _, m := range r.settled() {
		got = append(got, m.to)
	}
	for _, m := range members {
		if !slices.Contains(got, m) {
			t.Errorf("%s has not got the held post: %q", m, got)
		}
	}
	if slices.Contains(got, "nora@example.com") {
		t.Error("nora has got it")
	}
	r.wantRefused("550", member, list, "From: "+member+"\nTo: "+list+"\nSubject: The casino\n\nx\n")
}
