package sitetest

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"superlist/smtp/smtptest/recording"
)

// recordedLists are the lists that recordings talk to: dev (members alice and bob,
// owner olga, moderator mona), news (moderators only), open (anyone) and closed
// (nobody).
var recordedLists = map[string]string{
	"dev/list.toml":    "owners = [\"olga@example.org\"]\nmoderators = [\"mona@example.org\"]\nmax_message_size = \"2KiB\"\n",
	"dev/members":      "alice@example.com\nbob@example.net\n",
	"dev/key":          strings.Repeat("5e", 32) + "\n",
	"news/list.toml":   "owners = [\"olga@example.org\"]\nmoderators = [\"mona@example.org\"]\npost = \"moderators\"\n",
	"open/list.toml":   "owners = [\"olga@example.org\"]\npost = \"anyone\"\n",
	"closed/list.toml": "owners = [\"olga@example.org\"]\npost = \"nobody\"\n",
}

// Recorded writes the site of a recording into dir and gives the name of its
// superlist.toml. The recording's own files are added, or stand in for these:
// superlist.toml has lines to add, with DIR for the site's folder;
// lists/DOMAIN/NAME/FILE, spool/BOX/FILE and all that begins with one of here are
// files as they stand. What a recording has besides must be one of others, which
// the test looks at itself, or what CheckSpool and CheckLog look at.
func Recorded(t testing.TB, dir string, script *recording.Script, here, others []string, settings ...string) string {
	t.Helper()
	files := make(map[string]string)
	for name, text := range recordedLists {
		files["lists/lists.example.org/"+name] = text
	}
	own := make(map[string]string)
	for _, f := range script.Files {
		begins := func(with string) bool { return strings.HasPrefix(f.Name, with) }
		switch {
		case f.Name == "superlist.toml":
			settings = append(settings, strings.ReplaceAll(string(f.Data), "DIR", dir))
		case begins("lists/"), begins("spool/"), slices.ContainsFunc(here, begins):
			own[f.Name] = string(f.Data)
		case f.Name != "inbound" && f.Name != "untouched" && f.Name != "log" && !slices.Contains(others, f.Name):
			t.Fatalf("%s: no use for a file %s", script.Name, f.Name)
		}
	}
	maps.Copy(files, own)
	Files(t, dir, files)
	return Write(t, dir, settings...)
}

// CheckSpool holds what is in the queue directory against the recording: each of
// its files inbound is a message that must be there, in order; untouched says that
// there must be no queue directory at all. No message may be there that the log
// does not acknowledge, nor be missing that it does.
func CheckSpool(t testing.TB, queueDir string, script *recording.Script, log []string) {
	t.Helper()
	acknowledged := make(map[string]bool)
	for _, line := range log {
		if rest, ok := strings.CutPrefix(line, "accepted id="); ok {
			id, _, _ := strings.Cut(rest, " ")
			id, _, _ = strings.Cut(id, ",") // the next hop's is behind it
			if strings.Contains(id, ".M") {
				acknowledged[id] = true
			}
		}
	}
	if _, err := os.Stat(queueDir); err == nil {
		if _, untouched := script.File("untouched"); untouched {
			t.Error("the spool was made")
		}
	}
	names, _ := filepath.Glob(queueDir + "/inbound/new/*")
	if len(names) != len(acknowledged) {
		t.Errorf("%d messages were acknowledged, %d are in the spool", len(acknowledged), len(names))
	}
	if left, _ := filepath.Glob(queueDir + "/tmp/*.*"); len(left) > 0 { // without the mark that the queue is full
		t.Errorf("left in tmp: %v", left)
	}
	i := 0
	for _, f := range script.Files {
		if f.Name != "inbound" {
			continue
		}
		if i == len(names) {
			t.Fatalf("the spool has %d messages, and one more is wanted", len(names))
		}
		got, err := os.ReadFile(names[i])
		if err != nil {
			t.Fatal(err)
		}
		got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))
		if !recording.Match(string(f.Data), string(got)) {
			t.Errorf("in the spool:\n%s\nwant:\n%s", got, f.Data)
		}
		i++
	}
	if i > 0 && i != len(names) {
		t.Errorf("the spool has %d messages, want %d", len(names), i)
	}
}

// CheckLog holds that the log has the lines of the recording's files log, in order.
func CheckLog(t testing.TB, script *recording.Script, log []string) {
	t.Helper()
	for _, f := range script.Files {
		if f.Name != "log" {
			continue
		}
		rest := log
		for want := range strings.Lines(string(f.Data)) {
			want = strings.TrimSuffix(want, "\n")
			i := slices.IndexFunc(rest, func(line string) bool { return recording.Match(want, line) })
			if i < 0 {
				t.Fatalf("the log has no line\n%s\nin\n%s", want, strings.Join(log, "\n"))
			}
			rest = rest[i+1:]
		}
	}
}
