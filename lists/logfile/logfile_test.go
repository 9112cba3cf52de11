package logfile

import (
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/site"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// TestParse: lines as each log daemon writes them.
func TestParse(t *testing.T) {
	for line, want := range map[string]string{
		"2026-11-30T11:00:00Z superlist-spawn[12]: accepted id=1":                   "11:00:00 superlist-spawn accepted id=1",
		"2026-11-30T11:00:00.5+00:00 host superlist[12]: post id=1: x":              "11:00:00 superlist post id=1: x",
		"Nov 30 11:00:00 host superlist[12]: post id=1":                             "11:00:00 superlist post id=1",
		"Nov  3 11:00:00 host postfix/smtp[99]: 4XY: to=<a@b.example>, status=sent": "11:00:00 postfix/smtp 4XY: to=<a@b.example>, status=sent",
		"Nov 30 11:00:00 host postfix-out/smtp[9]: 4XY: x":                          "11:00:00 postfix-out/smtp 4XY: x",
		"Nov 30 11:00:00 host sshd[12]: superlist[1]: post id=1":                    "",
		"Nov 30 11:00:00 host evil superlist[1]: post id=1":                         "",
		"2026-11-30T11:00:00Z evil[1] superlist[1]: post id=1":                      "",
		"2026-11-30T11:00:00Z superlist[x]: post":                                   "",
		"2026-13-30T11:00:00Z superlist[1]: post":                                   "",
		"Nov 31x11:00:00 host superlist[1]: post":                                   "",
		"superlist[1]: post": "",
		"":                   "",
	} {
		l, ok := parse(line, noon)
		got := ""
		if ok {
			got = l.At.UTC().Format(time.TimeOnly) + " " + l.Program + " " + l.Text
		}
		if got != want {
			t.Errorf("%s\n got %q\nwant %q", line, got, want)
		}
	}
	// Times without a year are of the last one that has been.
	for stamp, want := range map[string]int{"Nov 30 11:00:00": 2026, "Dec  1 11:00:00": 2026, "Dec  2 00:00:00": 2025, "Feb 29 00:00:00": 0, "Jan  1 00:00:00": 2026} {
		l, ok := parse(stamp+" host superlist[1]: x", noon)
		if want == 0 { // 2026 has none: it becomes the first of March
			want = 2026
		}
		if !ok || l.At.Year() != want {
			t.Errorf("%s: %v, %t", stamp, l.At, ok)
		}
	}
}

func write(t *testing.T, name, text string, at time.Time) {
	t.Helper()
	if strings.HasSuffix(name, ".gz") {
		var b strings.Builder
		w := gzip.NewWriter(&b)
		w.Write([]byte(text))
		w.Close()
		text = b.String()
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(name, at, at)
}

func read(t *testing.T, s *Source) (texts []string) {
	t.Helper()
	for l, err := range s.Lines() {
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, l.Text)
	}
	return texts
}

// TestRotated: what logrotate has put away comes first, and what is too old not at all.
func TestRotated(t *testing.T) {
	name := filepath.Join(t.TempDir(), "mail.log")
	line := func(day int, text string) string {
		return noon.AddDate(0, 0, day).Format(time.RFC3339) + " superlist[1]: " + text + "\n"
	}
	write(t, name, line(-1, "d")+line(0, "e")+"half a line", noon)
	write(t, name+".1", line(-3, "b")+strings.Repeat("x", 2*maxLine)+"\n"+line(-2, "c"), noon.AddDate(0, 0, -2))
	write(t, name+".2.gz", line(-5, "a"), noon.AddDate(0, 0, -5))
	write(t, name+"-20261101.gz", line(-29, "0"), noon.AddDate(0, 0, -29))
	for days, want := range map[int]string{100: "0 a b c d e", 6: "a b c d e", 3: "b c d e", 1: "d e"} {
		s, err := Open(t.Context(), &site.Site{Log: name}, "", noon.AddDate(0, 0, -days), 2)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := strings.Join(read(t, s), " "); got != want {
				t.Errorf("%d days: %s, want %s", days, got, want)
			}
		}
		s.Close()
	}
}

// TestSeek: of a large file only the part is read that is asked for, and all of that.
func TestSeek(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	var b strings.Builder
	n := 60000
	for i := range n {
		at := noon.Add(time.Duration(i-n) * time.Second)
		if i%7 == 0 {
			b.WriteString("a line in no form at all\n")
		}
		fmt.Fprintf(&b, "%s superlist[1]: %d %s\n", at.Format(time.RFC3339), i, strings.Repeat("y", i%97))
	}
	write(t, name, b.String(), noon)
	for _, last := range []int{0, 1, 2, 1000, 59999, 60000} {
		s, err := Open(t.Context(), &site.Site{Log: name}, "", noon.Add(-time.Duration(last)*time.Second), 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, s); len(got) != last || last > 0 && !strings.HasPrefix(got[0], fmt.Sprint(n-last, " ")) {
			t.Errorf("the last %d: %d", last, len(got))
		}
		if place, _ := s.files[0].Seek(0, 1); last == 1000 {
			from := int64(b.Len()) - place
			if from > small {
				t.Errorf("read from %d before the end", from)
			}
		}
		s.Close()
	}
}

// TestJournal: journalctl's JSON is read; what it complains of is said.
func TestJournal(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	script := func(text string) {
		if err := os.WriteFile(filepath.Join(bin, "journalctl"), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *Source {
		s, err := Open(t.Context(), &site.Site{Log: "journal"}, "", noon, 2)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	us := fmt.Sprint(noon.UnixMicro())
	script(`echo "$@" > ` + bin + `/args
cat <<'E'
{"__REALTIME_TIMESTAMP":"` + us + `","SYSLOG_IDENTIFIER":"superlist","MESSAGE":"post id=1","_PID":"7"}
{"__REALTIME_TIMESTAMP":"` + us + `","SYSLOG_IDENTIFIER":"dovecot","MESSAGE":"post id=2"}
{"__REALTIME_TIMESTAMP":"` + us + `","SYSLOG_IDENTIFIER":"superlist","MESSAGE":[112,255]}
{"__REALTIME_TIMESTAMP":"` + us + `","SYSLOG_IDENTIFIER":"postfix/smtp","MESSAGE":"4X: to=<a>"}
{"__REALTIME_TIMESTAMP":"1","SYSLOG_IDENTIFIER":"superlist","MESSAGE":"old"}
E`)
	s := open()
	for range 2 {
		if got := strings.Join(read(t, s), "|"); got != "post id=1|4X: to=<a>" {
			t.Errorf("%q", got)
		}
	}
	if args, _ := os.ReadFile(bin + "/args"); !strings.Contains(string(args), "--output=json") || !strings.Contains(string(args), "SYSLOG_FACILITY=2") || !strings.Contains(string(args), fmt.Sprintf("--since=@%d", noon.Unix())) {
		t.Errorf("called with %s", args)
	}
	for text, want := range map[string]string{
		"echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1": "journalctl: No journal files were opened due to insufficient permissions.",
		"exit 1":             "journalctl: exit status 1",
		"printf '{\"__REAL'": "journalctl: unexpected EOF",
	} {
		script(text)
		var got error
		for _, err := range open().Lines() {
			got = err
		}
		if got == nil || got.Error() != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	// One that has more to say than anybody hears ends with the Source.
	script("while :; do echo '{\"__REALTIME_TIMESTAMP\":\"" + us + "\",\"SYSLOG_IDENTIFIER\":\"superlist\",\"MESSAGE\":\"x\"}'; done")
	s = open()
	for range s.Lines() {
		break
	}
	s.Close()
}

// TestWhere: a log that cannot be read back is said.
func TestWhere(t *testing.T) {
	for log, want := range map[string]string{"none": `log is "none"`, "stderr": "the log cannot be found", "/nowhere/log": "no such file"} {
		if _, err := Open(t.Context(), &site.Site{Log: log}, "", noon, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", log, err)
		}
	}
}
